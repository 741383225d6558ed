"""A comment accepts findings where it accepts none.

What it checks
    Each comment that is written as an ignore (`# hullmark: ignore=RULE reason`) and belongs to no instruction: behind an
    instruction on its line, apart from the next one by an empty line, at the end of the file, in a here-document of RUN.
    And each `# hullmark:` with a word that is nearly `ignore`.

Why it matters
    Whoever wrote it believes that a decision is on record. The finding stays, or comes back later, and nobody knows why.

How to fix
    Put it on a line of its own directly above the instruction, or between its lines.

    Bad:

        RUN apt-get update && apt-get install -y texlive # hullmark: ignore=apt-recommends of no use without its fonts

    Good:

        # hullmark: ignore=apt-recommends of no use without its fonts
        RUN apt-get update && apt-get install -y texlive
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from hullmark.errors import nearest
from hullmark.model.dockerfile import Dockerfile
from hullmark.model.finding import Observation, Severity
from hullmark.model.location import SourceSpan
from hullmark.model.rule import rule

if TYPE_CHECKING:
    from hullmark.model.dockerfile import Instruction

_MEANT = re.compile(r"#\s*hullmark(?P<colon>:?)\s*(?P<word>[A-Za-z]+)\b(?P<rest>.*)", re.IGNORECASE)
_WORD = "ignore"


@rule(summary="an ignore belongs to no instruction", severity=Severity.WARNING, since="0.1")
def misplaced_ignore(dockerfile: Dockerfile) -> Iterator[Observation]:
    if "hullmark" not in dockerfile.text.lower():
        return
    instructions = tuple(dockerfile.instructions)
    heard = {ignore.span.line for each in instructions for ignore in each.ignores}
    for number, line in enumerate(dockerfile.text.removeprefix("\ufeff").split("\n"), 1):
        meant = _MEANT.search(line)
        if meant is None or number in heard or not _is_meant(meant):
            continue
        around = next((each for each in instructions if _spans(each, number)), None)
        where = _where(around, number, alone=not line[: meant.start()].strip(), word=meant["word"])
        if where is None:
            continue
        yield Observation(
            location=SourceSpan(
                path=dockerfile.path,
                line=number,
                column=meant.start() + 1,
                end_line=number,
                end_column=len(line.rstrip()) + 1,
            ),
            seen=f"`{meant[0].strip()}` {where}",
            expected="a comment on a line of its own, directly above an instruction or between its lines",
            remedy=f"write `# hullmark: {_WORD}{meant['rest'].rstrip() or '=RULE REASON'}` above the instruction"
            + (f" at line {around.span.line}" if around is not None else " that it is about"),
            key=f"{meant[0].strip()} {'' if around is None else around.value}",
        )


def _is_meant(comment: re.Match[str]) -> bool:
    """Whether the comment is there to ignore something, be it with a slip of the pen."""
    word = comment["word"].lower()
    return word == _WORD or (bool(comment["colon"]) and nearest(word, [_WORD]) is not None)


def _spans(instruction: Instruction, line: int) -> bool:
    return instruction.span.line <= line <= (instruction.span.end_line or instruction.span.line)


def _where(around: Instruction | None, line: int, *, alone: bool, word: str) -> str | None:
    """Why nobody hears it; `None` where it is part of a file that is written."""
    if word.lower() != _WORD:
        return f"says `{word}`, which is not `{_WORD}`"
    if around is None:
        return "stands apart from any instruction"
    for document in around.heredocs:
        if document.span.line <= line <= (document.span.end_line or document.span.line):
            return "is a line of a here-document" if around.keyword == "RUN" else None
    return "is part of the instruction" if alone else "stands behind an instruction, on its line"
