"""The edits that several rules make: an option for a call, one more command for a RUN, instructions below others."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hullmark.model.fix import insertion, insertion_after, lines_after

if TYPE_CHECKING:
    from hullmark.model.dockerfile import Dockerfile, Heredoc, Instruction, Stage
    from hullmark.model.fix import Edit
    from hullmark.rules._package_managers import Call

_ENDED = ("&", ";", "|", "\\", "`")
_LEAVING = frozenset({"exec", "exit", "return"})


def with_option(instruction: Instruction, position: int, call: Call, option: str) -> Edit:
    """Gives the call that is the command at `position` of a RUN one more option, behind its verb."""
    if instruction.json is not None and position == 0:
        # The word is an element of the list: its own closing quote ends the new one.
        return insertion_after(call.verb_word.span, f'", "{option}')
    return insertion_after(call.verb_word.span, f" {option}")


def with_command(dockerfile: Dockerfile, instruction: Instruction, command: str) -> Edit | None:
    """Has a RUN end with `command`, if all that it did so far succeeded; `None` where that is not sure to work."""
    if instruction.keyword != "RUN" or instruction.json is not None or not instruction.commands:
        return None
    if instruction.commands[-1].program in _LEAVING:
        return None
    if instruction.heredocs:
        return _in_document(instruction, instruction.heredocs[0], command)
    *_, last = dockerfile.excerpt(instruction.span).split("\n")
    if (
        "#" in instruction.value
        or last.rstrip().endswith(_ENDED)
        or not last.strip()
        or last.lstrip().startswith("#")
    ):
        return None
    if instruction.span.end_line > instruction.span.line:
        return insertion_after(instruction.span, f" {dockerfile.escape}\n    && {command}")
    return insertion_after(instruction.span, f" && {command}")


def _in_document(instruction: Instruction, document: Heredoc, command: str) -> Edit | None:
    """Adds a line to a script that stops at the first failure; to another it could hide one."""
    first = instruction.commands[0]
    stops = first.program == "set" and any(re.match(r"-\w*e", word.text) for word in first.arguments)
    alone = re.fullmatch(r"<<-?[^<\s]+", instruction.value) is not None
    if not stops or not alone:
        return None
    return insertion(document.span.path, document.span.end_line, 1, f"{command}\n")


def at_end_of(stage: Stage, *lines: str) -> Edit:
    """Adds `lines` to the end of `stage`."""
    return lines_after(_last(stage).span, lines)


def end_of(stage: Stage) -> int:
    """The line that `stage` ends with, below which `at_end_of` adds."""
    span = _last(stage).span
    return span.end_line or span.line


def _last(stage: Stage) -> Instruction:
    return stage.instructions[-1] if stage.instructions else stage.opening


def above(stage: Stage, instruction: Instruction, *lines: str) -> Edit:
    """Adds `lines` to `stage` above `instruction`, and above the comments that belong to that one."""
    before = stage.opening
    for each in stage.instructions:
        if each is instruction:
            break
        before = each
    return lines_after(before.span, lines)
