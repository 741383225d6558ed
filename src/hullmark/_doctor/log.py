"""The log of a build or a run, taken apart: what programs said, without what tools put around it.

What a step is called, the Dockerfile's lines and the commands that failed are quoted in a build's output, and may hold
any words at all; they are no symptoms and are left out.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from itertools import accumulate

from hullmark.model.text import unescaped

_STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d) ")
"""As `docker logs --timestamps` and the runners of continuous integration put it in front."""
_CONTAINER = re.compile(r"(?P<service>[A-Za-z0-9][\w.-]*?)(?:-\d+)?\s+\| ?(?P<text>.*)")
_VERTEX = re.compile(r"#(?P<number>\d+) (?P<text>.*)")
_STEP = re.compile(r"\[(?P<step>[^\]]+)\] (?P<text>.*)")
_TIME = re.compile(r"\d+\.\d+ ")
_REPEATED = re.compile(r" > \[(?P<step>[^\]]*)\].*")
_QUOTED = re.compile(r"\s*\d+ \|(?: >>>|    |$).*")
_COMMAND = re.compile(
    r'process "(?:[^"\\]|\\.)*" did not complete successfully|The command \'.*\' returned a non-zero code'
)
_RULE = re.compile(r"-{6,}")
_ENDLESS = re.compile(r"(\S{300})\S+(\S{300})")
"""A word that no message has: what is encoded, or minified. Patterns take time that grows with the square of one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a log."""

    text: str
    """What was said; empty where the line only quotes what was asked for."""
    shown: str
    """The line as it stands there, without colours."""
    service: str | None = None
    step: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Log:
    """A log, line by line."""

    lines: tuple[Line, ...]
    text: str = field(repr=False)
    """What was said, a line each."""
    _ends: tuple[int, ...] = field(repr=False)

    def line_at(self, offset: int) -> int:
        """The index of the line that the character at `offset` of `text` is in."""
        return bisect_right(self._ends, offset)


def take_apart(text: str) -> Log:
    """The lines of `text`."""
    reader = _Reader()
    # What stands before a carriage return was written over.
    raw = text.replace("\r\n", "\n").split("\n")
    if raw and not raw[-1]:
        raw.pop()
    lines = tuple(reader.line(each.rstrip("\r").rpartition("\r")[2]) for each in raw)
    said = "\n".join(line.text for line in lines)
    return Log(lines=lines, text=said, _ends=tuple(accumulate(len(line.text) + 1 for line in lines)))


class _Reader:
    """Remembers which step a number of BuildKit stands for, and whose output it repeats at the end."""

    def __init__(self) -> None:
        self._steps: dict[str, str] = {}
        self._repeating: str | None = None

    def line(self, raw: str) -> Line:
        shown = _ENDLESS.sub(r"\1...\2", unescaped(raw))
        text = _STAMP.sub("", shown)
        if _RULE.fullmatch(text):
            self._repeating = None
            return Line(text="", shown=shown)
        if repeated := _REPEATED.fullmatch(text):
            self._repeating = repeated["step"]
            return Line(text="", shown=shown, step=self._repeating)
        if _QUOTED.fullmatch(text):
            return Line(text="", shown=shown)
        if vertex := _VERTEX.fullmatch(text):
            return self._of_vertex(vertex, shown)
        if self._repeating is not None:
            return Line(text=_TIME.sub("", text, count=1), shown=shown, step=self._repeating)
        if container := _CONTAINER.fullmatch(text):
            said = _STAMP.sub("", container["text"])
            return Line(text=said, shown=shown, service=container["service"])
        return Line(text=_COMMAND.sub("process did not complete successfully", text), shown=shown)

    def _of_vertex(self, vertex: re.Match[str], shown: str) -> Line:
        number, text = vertex["number"], vertex["text"]
        if step := _STEP.fullmatch(text):
            self._steps[number] = step["step"]
            return Line(text="", shown=shown, step=step["step"])
        text = _COMMAND.sub("process did not complete successfully", _TIME.sub("", text, count=1))
        return Line(text=text, shown=shown, step=self._steps.get(number))
