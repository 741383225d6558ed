"""A RUN of plain calls that becomes the beginning of another RUN, or goes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hullmark.model.fix import Applicability, Edit, Fix, insertion, insertion_after
from hullmark.model.location import SourceSpan

if TYPE_CHECKING:
    from hullmark.model.dockerfile import Command, Dockerfile, Instruction, Stage

_APT = frozenset({"apt", "apt-get"})
_HEAD = re.compile(r"RUN(\s+--\S+)*[\s\\`]*", re.IGNORECASE)
"""What may stand in front of the first command, when nothing of the shell's does."""
_SHELL = re.compile(r"[;|&(){}<>#\n]")


def calls_of(instruction: Instruction) -> tuple[str, ...]:
    """The calls of a RUN that is nothing but calls of apt, joined by `&&`; empty for any other."""
    if (
        instruction.json is not None
        or instruction.heredocs
        or instruction.flags
        or instruction.ignores
        or instruction.unread is not None
        or re.search(r"[\"'$`\\]", instruction.value)
    ):
        return ()
    parts = tuple(" ".join(part.split()) for part in instruction.value.split("&&"))
    if any(_SHELL.search(part) for part in parts) or len(parts) != len(instruction.commands):
        return ()
    return parts if all(each.program in _APT for each in instruction.commands) else ()


def without(instruction: Instruction) -> Edit:
    """Takes the lines of an instruction away, which something follows."""
    span = instruction.span
    end = (span.end_line or span.line) + 1
    return Edit(
        span=SourceSpan(path=span.path, line=span.line, column=1, end_line=end, end_column=1), text=""
    )


def begun_with(dockerfile: Dockerfile, stage: Stage, first: Instruction, second: Instruction) -> Fix | None:
    """Has `second`, a later RUN of `stage`, begin with the calls that `first` is made of, and takes `first` away.

    It is safe when nothing stands between them and a call that fails still ends the build; `None` when it is not sure
    that it can be done.
    """
    calls = calls_of(first)
    if not calls or second.json is not None or second.unread is not None or not second.commands:
        return None
    if not any(each is second for each in stage.instructions) or any(
        flag.name != "mount" for flag in second.flags
    ):
        return None
    found = _in_document(second, calls) if second.heredocs else _in_chain(dockerfile, second, calls)
    if found is None:
        return None
    edit, stops = found
    position = next(index for index, each in enumerate(stage.instructions) if each is first)
    near = stage.instructions[position + 1] is second
    return Fix(
        message=f"begin the RUN at line {second.span.line} with `{' && '.join(calls)}`",
        edits=(without(first), edit),
        applicability=Applicability.SAFE if near and stops else Applicability.UNSAFE,
    )


def _in_chain(dockerfile: Dockerfile, run: Instruction, calls: tuple[str, ...]) -> tuple[Edit, bool] | None:
    """The calls in front of the first command of a RUN, and whether each that fails still ends it."""
    first, *more = run.commands
    if not _HEAD.fullmatch(dockerfile.excerpt(_up_to(run, first))):
        return None
    if more and _is_strict(first) and _between(dockerfile, first, more[0]).startswith(";"):
        return insertion_after(first.span, "".join(f"; {each}" for each in calls)), True
    edit = insertion(
        run.span.path, first.span.line, first.span.column, "".join(f"{each} && " for each in calls)
    )
    return edit, not _SHELL.search(run.value.replace("&&", ""))


def _in_document(run: Instruction, calls: tuple[str, ...]) -> tuple[Edit, bool] | None:
    """The calls as lines of the script that a RUN is, and whether it ends where one of them fails."""
    document, first = run.heredocs[0], run.commands[0]
    if re.fullmatch(r"<<-?[^<\s]+", run.value) is None or document.content.startswith("#!"):
        return None
    lines = document.content.split("\n")
    at = document.span.line
    strict = first.span.line == at and _is_strict(first) and lines[0].strip() == str(first)
    text = "".join(f"{each}\n" for each in calls)
    return insertion(run.span.path, at + 1 if strict else at, 1, text), strict


def _is_strict(command: Command) -> bool:
    """Whether it has the shell stop at the first command that fails."""
    return command.program == "set" and any(re.match(r"-\w*e", word.text) for word in command.arguments)


def _up_to(run: Instruction, command: Command) -> SourceSpan:
    return SourceSpan(
        path=run.span.path,
        line=run.span.line,
        column=run.span.column,
        end_line=command.span.line,
        end_column=command.span.column,
    )


def _between(dockerfile: Dockerfile, one: Command, other: Command) -> str:
    """What stands between two commands."""
    span = SourceSpan(
        path=one.span.path,
        line=one.span.end_line or one.span.line,
        column=one.span.end_column,
        end_line=other.span.line,
        end_column=other.span.column,
    )
    return dockerfile.excerpt(span).strip()
