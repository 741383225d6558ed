r"""The program of the container is started by a shell, which keeps signals from it.

What it checks
    The ENTRYPOINT that decides in the image, or where there is none its CMD: whether it is written as a line for a
    shell (`ENTRYPOINT python app.py`). One that ends by replacing the shell (`exec python app.py`) is fine, and so are
    Windows images. The fix writes a list of words where the line is nothing else, though not beside a CMD, which that
    would be given; where a single program is called with variables, the unsafe fix puts `exec` in front.

Why it matters
    The shell is the first process of the container. It gets the SIGTERM of `docker stop` and does not pass it on: the
    program is killed after ten seconds, in the middle of whatever it does.

How to fix
    Write a list of words. Where variables or `&&` need a shell, let the program take its place with `exec`.

    Bad:

        CMD uvicorn app:app --host 0.0.0.0

    Good:

        CMD ["uvicorn", "app:app", "--host", "0.0.0.0"]
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from typing import TYPE_CHECKING

from hullmark.model.dockerfile import Recipe
from hullmark.model.finding import Observation, Severity
from hullmark.model.fix import Applicability, Fix, insertion, replacement
from hullmark.model.rule import rule

if TYPE_CHECKING:
    from hullmark.model.dockerfile import Instruction

_NEEDS_SHELL = re.compile(r"[$`|&;<>()*?\[\]{}~#!\n\\]")
_SEVERAL = re.compile(r"[|&;\n]")
_PROGRAM = re.compile(r"[\w./+-]+")
_ASSIGNMENT = re.compile(r"\w+=")
_BUILTINS = frozenset(
    {
        *(
            ".",
            ":",
            "[",
            "alias",
            "bg",
            "break",
            "builtin",
            "cd",
            "command",
            "continue",
            "eval",
            "exec",
            "exit",
        ),
        *(
            "export",
            "fg",
            "for",
            "if",
            "case",
            "while",
            "until",
            "local",
            "readonly",
            "return",
            "set",
            "shift",
        ),
        *(
            "source",
            "test",
            "time",
            "times",
            "trap",
            "type",
            "ulimit",
            "umask",
            "unalias",
            "unset",
            "wait",
            "{",
            "(",
        ),
    }
)
"""What only a shell knows, so that no program of that name can be started."""


@rule(
    summary="a shell keeps signals from the program",
    severity=Severity.WARNING,
    since="0.1",
    fixes="safe or unsafe",
)
def shell_form_entrypoint(recipe: Recipe) -> Iterator[Observation]:
    entrypoint, command = recipe.final.last("ENTRYPOINT"), recipe.final.last("CMD")
    found = entrypoint or command
    if found is None or found.json is not None or not found.value.strip() or _is_windows(recipe):
        return
    if _execs(found.value):
        return
    words = _words(found)
    written = None if words is None else f"{found.keyword} {json.dumps(words, ensure_ascii=False)}"
    yield Observation(
        location=found.span,
        seen=f"`{found.keyword} {' '.join(found.value.split())}` is run by a shell",
        expected="a list of words, or `exec`",
        remedy=f"write `{written}`"
        if written
        else "let it end with `exec PROGRAM ...`, or write a list of words",
        key=found.keyword,
        # A shell form ignores the CMD beside it; a list of words is given it.
        fix=None if found is entrypoint and command is not None and words else _fix(recipe, found, written),
    )


def _execs(text: str) -> bool:
    """Whether the shell ends by becoming a program: the last command of the line begins with `exec`."""
    lexer = shlex.shlex(text, posix=True, punctuation_chars="|&;\n")
    lexer.whitespace = " \t\r"
    lexer.whitespace_split = True
    lexer.commenters = ""
    commands: list[list[str]] = [[]]
    try:
        for token in lexer:
            if token and not token.strip("|&;\n"):
                if "|" in token.replace("||", ""):
                    return False  # one end of a pipe: the shell stays
                commands.append([])
            else:
                commands[-1].append(token)
    except ValueError:  # a quote that nothing closes
        return False
    last = [each for each in commands if each][-1:] or [[]]
    return (
        "exec" in last[0][:1] or next((word for word in last[0] if not _ASSIGNMENT.match(word)), "") == "exec"
    )


def _words(found: Instruction) -> list[str] | None:
    """The words of a line that needs no shell, `None` for one that does or may."""
    if _NEEDS_SHELL.search(found.value) or found.heredocs:
        return None
    try:
        words = shlex.split(found.value)
    except ValueError:
        return None
    first = words[0] if words else ""
    return None if first in _BUILTINS | {""} or " " in first or _ASSIGNMENT.match(first) else words


def _fix(recipe: Recipe, found: Instruction, written: str | None) -> Fix | None:
    if written is None:
        return _exec(recipe, found)
    return Fix(
        message="start the program without a shell",
        edits=(replacement(found.span, written),),
        applicability=Applicability.SAFE if recipe.final.last("SHELL") is None else Applicability.UNSAFE,
    )


def _exec(recipe: Recipe, found: Instruction) -> Fix | None:
    """Has the shell become the program, where a single one is called: what its variables hold is not known here."""
    text = recipe.dockerfile.excerpt(found.span)
    line = text.partition("\n")[0]
    place = re.match(rf"{found.keyword}\s+(?=(\S+))", line, re.IGNORECASE)
    first = place[1] if place is not None else ""
    if found.heredocs or _SEVERAL.search(found.value) or not _PROGRAM.fullmatch(first) or first in _BUILTINS:
        return None
    assert place is not None
    return Fix(
        message="let the program take the place of the shell",
        edits=(insertion(found.span.path, found.span.line, found.span.column + place.end(), "exec "),),
        applicability=Applicability.UNSAFE,
    )


def _is_windows(recipe: Recipe) -> bool:
    shell = recipe.final.last("SHELL")
    name = shell.json[0].lower().rpartition("\\")[2] if shell is not None and shell.json else ""
    return (
        name.startswith(("cmd", "powershell", "pwsh"))
        or recipe.dockerfile.escape == "`"
        or "windows" in str(recipe.final.root).lower()
    )
