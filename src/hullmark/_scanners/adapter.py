"""What the adapters of all programs have in common: where the program is, and what becomes of its report."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, TypeVar

import msgspec

from hullmark._files import write_whole
from hullmark._scanners.programs import Program
from hullmark.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from hullmark._process import Commands
    from hullmark._scanners.interface import Available, Missing, Target
    from hullmark._scanners.programs import Kind

TIMEOUT = 900.0
"""Seconds that one scan may take, and fetching the database."""
Report = TypeVar("Report")


class Adapter:
    """A scanner that is run as a process; see `Scanner`."""

    kind: ClassVar[Kind]

    def __init__(
        self, commands: Commands, cwd: Path, environ: Mapping[str, str], cache: Path | None = None
    ) -> None:
        self._program = Program(self.kind, commands, cwd, environ, cache)

    def probe(self) -> Available | Missing:
        """See `Scanner.probe`."""
        return self._program.probe()

    @staticmethod
    def _keep(target: Target, text: bytes) -> None:
        """Puts the scanner's own report where `target` says."""
        write_whole(target.report, text, what="the scanner's report")


def decoded(
    decoder: msgspec.json.Decoder[Report], text: bytes, *, scanner: str, service: str, known: str
) -> Report:
    """The report `text` of `scanner`; `known` says which reports can be read. Raises `Unavailable` for any other."""
    try:
        return decoder.decode(text)
    except msgspec.DecodeError as error:
        raise Unavailable(
            f"{scanner}'s report on `{service}` is not the JSON that was expected: {error}",
            hint=f"hullmark reads {known}; upgrade whichever of the two is older",
        ) from error
