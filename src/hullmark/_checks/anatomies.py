"""The image of each service, opened and taken apart once in a run, for all checks that look at it."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from hullmark.model.anatomy import Anatomy
    from hullmark.model.project import Service


class Anatomies:
    """What was opened: whoever asks first opens it, and the others wait for that.

    What `opening` raises, everybody gets who asks for that service. After `uses` of one its image is let go, so that
    those that nobody needs any more take no memory.
    """

    def __init__(self, opening: Callable[[Service], Anatomy], *, uses: int) -> None:
        self._opening = opening
        self._uses = uses
        self._lock = threading.Lock()
        self._opened: dict[str, Future[Anatomy]] = {}
        self._used: dict[str, int] = {}

    def of(self, service: Service) -> Anatomy:
        """All about the image of `service`."""
        name = service.name
        with self._lock:
            known = self._opened.get(name)
            found = self._opened[name] = Future() if known is None else known
            self._used[name] = self._used.get(name, 0) + 1
            if self._used[name] >= self._uses:
                del self._opened[name], self._used[name]
        if known is None:
            try:
                found.set_result(self._opening(service))
            except BaseException as error:
                found.set_exception(error)
                raise
        return found.result()
