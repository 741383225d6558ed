"""Commands that answer from a script."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullmark._process import Completed
from hullmark.errors import Unavailable

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path


class ScriptedCommands:
    """Answers every command whose words start with a scripted prefix; anything else is a program that is missing.

    The longest prefix wins. What was run is kept in `calls`.
    """

    def __init__(
        self, script: Mapping[tuple[str, ...], Completed | Callable[[tuple[str, ...]], Completed]]
    ) -> None:
        self._script = dict(script)
        self.calls: list[tuple[str, ...]] = []
        """Every command that was run, in order."""

    @staticmethod
    def completed(stdout: str = "", *, stderr: str = "", returncode: int = 0) -> Completed:
        """An answer for the script."""
        return Completed(argv=(), returncode=returncode, stdout=stdout, stderr=stderr)

    def run(
        self,
        argv: Sequence[str],
        *,
        cwd: Path | None = None,  # noqa: ARG002  # the protocol's
        stdin: str | None = None,  # noqa: ARG002
        env: Mapping[str, str] | None = None,  # noqa: ARG002
        timeout: float | None = None,  # noqa: ARG002
        on_line: Callable[[str], None] | None = None,
        stop: threading.Event | None = None,  # noqa: ARG002
        exact: bool = False,  # noqa: ARG002
    ) -> Completed:
        """See `Commands.run`."""
        argv = tuple(argv)
        self.calls.append(argv)
        fitting = [prefix for prefix in self._script if argv[: len(prefix)] == prefix]
        if not fitting:
            raise Unavailable(f"`{argv[0]}` is not on PATH", hint=f"install {argv[0]}")
        answer = self._script[max(fitting, key=len)]
        if not isinstance(answer, Completed):
            answer = answer(argv)
        if on_line is not None:
            for line in (*answer.stdout.splitlines(), *answer.stderr.splitlines()):
                on_line(line)
        return Completed(argv=argv, returncode=answer.returncode, stdout=answer.stdout, stderr=answer.stderr)

    def follow(
        self,
        argv: Sequence[str],
        *,
        cwd: Path | None = None,
        stdin: str | None = None,
        on_line: Callable[[str], None],
        stop: threading.Event,  # noqa: ARG002
    ) -> int:
        """See `Commands.follow`: a script ends by itself."""
        return self.run(argv, cwd=cwd, stdin=stdin, on_line=on_line).returncode
