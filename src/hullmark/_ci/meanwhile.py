"""Something that is done while something else is."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self

T = TypeVar("T")


class Meanwhile(Generic[T]):
    """Does `work` on a thread of its own; what is left of it is waited for at the end of a `with`.

    A pool of the standard library does the same and takes longer to load than most of what is done here.
    """

    def __init__(self, work: Callable[[], T]) -> None:
        self._work = work
        self._found: list[T] = []
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._do, daemon=True)
        self._thread.start()

    def _do(self) -> None:
        try:
            self._found.append(self._work())
        except BaseException as error:  # noqa: BLE001  # raised where the result is asked for
            self._failure = error

    def result(self) -> T:
        """What came of it; raises what it raised."""
        self._thread.join()
        if self._failure is not None:
            raise self._failure
        return self._found[0]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._thread.join()
