"""Lines of the merged log: whose they are, and which of them are shown."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hullmark.model.text import plain, unescaped

if TYPE_CHECKING:
    from collections.abc import Mapping

_PREFIXED = re.compile(r"(?P<container>\S+)\s+\|(?: (?P<text>.*))?", re.DOTALL)
_WRONG = re.compile(
    r"\b(error|errors|fatal|panic|critical|exception|traceback|unhandled|failed|failure|denied|refused)\b"
    r"|\w(Error|Exception)\b",
    re.IGNORECASE,
)
_CONTINUED = re.compile(r"[ \t]+\S|Caused by:|During handling|\}|\)")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """One line that a service wrote."""

    service: str
    text: str


def parse(line: str, containers: Mapping[str, str]) -> LogLine | None:
    """What `docker compose logs` printed, without its prefix; `None` for what is no line of a log.

    `containers` is from the names that Compose prints to services; a name that it has not got is one that Compose
    derives from the service.
    """
    # Compose moves the cursor before a prefix, also where there is none to move.
    found = _PREFIXED.fullmatch(re.sub(r"^(?:\x1b\[[0-9]*[A-KSTfhl])+", "", line))
    if found is None:
        return None
    name = found["container"]
    service = containers.get(name) or re.sub(r"-\d+$", "", name)
    return LogLine(service=service, text=found["text"] or "")


def shown(text: str, *, colour: bool) -> str:
    """`text` without what would move the cursor, and without its colours where none are wanted."""
    kept = _COLOUR.findall(text) if colour else []
    parts = _COLOUR.split(text)
    clean = [plain(part, instead="") for part in parts]
    if not kept:
        return "".join(clean)
    return "".join(part for pair in zip(clean, [*kept, "\x1b[0m"], strict=True) for part in pair)


@dataclass(kw_only=True)
class LogFilter:
    """Decides which lines are shown; keeps the indented lines after one that is."""

    pattern: re.Pattern[str] | None = None
    only_errors: bool = False
    _open: dict[str, bool] = field(default_factory=dict)
    """For each service, whether its last line was shown, so that what belongs to it is shown as well."""

    def keeps(self, line: LogLine) -> bool:
        """Whether `line` is to be shown."""
        text = unescaped(line.text)
        if self.only_errors:
            fits = bool(_WRONG.search(text)) or (self._open.get(line.service, False) and _continues(text))
            self._open[line.service] = fits
            if not fits:
                return False
        return self.pattern is None or bool(self.pattern.search(text))


def _continues(text: str) -> bool:
    return bool(_CONTINUED.match(text))
