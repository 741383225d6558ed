r"""Secret is printed while the image is built.

What it checks
    Each command of a RUN that prints its arguments or a file (`echo`, `printf`, `cat`, `head`, `tail`, `base64`), in any
    stage that the image is made from: whether that is a mounted secret, a variable with the name of one, or something in
    the format of one. `env`, `printenv` and `export -p` count in a RUN that is handed a secret as a variable. What goes
    into a file, another command or a variable is not printed.

Why it matters
    The output of a build is kept in logs that more people read than are meant to know the secret, and for longer than it
    is valid. CI systems mask what they know; they do not know it in base64.

How to fix
    Leave it out. Where the question is whether the secret is there, ask that.

    Bad:

        RUN --mount=type=secret,id=npm_token cat /run/secrets/npm_token && npm ci

    Good:

        RUN --mount=type=secret,id=npm_token test -s /run/secrets/npm_token && npm ci
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hullmark.model.dockerfile import Recipe
from hullmark.model.finding import Observation, Severity
from hullmark.model.location import SourceSpan
from hullmark.model.rule import rule
from hullmark.rules._credential_files import puts_out_secret

if TYPE_CHECKING:
    from hullmark.model.dockerfile import Command, Dockerfile, Instruction

_PRINTING = frozenset({"base64", "cat", "echo", "head", "more", "od", "printf", "tail", "xxd"})
_ENVIRONMENT = frozenset({"env", "printenv"})


@rule(summary="secret is printed during the build", severity=Severity.WARNING, since="0.1")
def secret_printed(recipe: Recipe) -> Iterator[Observation]:
    for stage in recipe.stages:
        for instruction in stage.runs:
            for command in instruction.commands:
                if _shows(command, instruction) and not _is_caught(recipe.dockerfile, instruction, command):
                    yield Observation(
                        location=command.span,
                        seen=f"`{command.program}` prints a secret into the log of the build",
                        expected="no secrets in the output of a build",
                        remedy='leave it out; `test -s FILE` or `test -n "$NAME"` says whether it is there',
                        key=f"{stage.label}: {command.program} {instruction.value}",
                    )


def _shows(command: Command, instruction: Instruction) -> bool:
    """Whether the command puts out something secret."""
    secrets = [mount for mount in instruction.mounts if mount.type == "secret"]
    if command.program in _PRINTING:
        targets = {mount.target for mount in secrets if mount.target}
        return puts_out_secret(command) or any(word.text in targets for word in command.arguments)
    handed = any(name == "env" for mount in secrets for name, _ in mount.options)
    if command.program == "export":
        return handed and [word.text for word in command.arguments] == ["-p"]
    return handed and command.program in _ENVIRONMENT and not command.arguments


def _is_caught(dockerfile: Dockerfile, instruction: Instruction, command: Command) -> bool:
    """Whether what it puts out goes elsewhere: by a pipe, a redirection or a substitution, its own or one around it."""
    around = [
        each
        for each in instruction.commands
        if each is command or any(_holds(word.span, command.span) for word in each.words)
    ]
    if any(each.piped or any(">" in redirect.operator for redirect in each.redirects) for each in around):
        return True
    before = dockerfile.excerpt(
        SourceSpan(
            path=instruction.span.path,
            line=instruction.span.line,
            column=instruction.span.column,
            end_line=command.span.line,
            end_column=command.span.column,
        )
    )
    opened = max(before.rfind("$("), before.rfind("<("))
    return opened > before.rfind(")") or before.count("`") % 2 == 1


def _holds(outer: SourceSpan, inner: SourceSpan) -> bool:
    """Whether `inner` lies within `outer`, a word with more in it."""
    begin, end = (outer.line, outer.column), (outer.end_line or outer.line, outer.end_column or 0)
    return outer != inner and begin <= (inner.line, inner.column) < end
