r"""The program of the container is started by a shell, which keeps signals from it.

What it checks
    The ENTRYPOINT that decides in the image, or where there is none its CMD: whether it is written as a line for a
    shell (`ENTRYPOINT python app.py`). One that replaces the shell (`exec python app.py`) is fine, and so are Windows
    images.

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
_REPLACES = re.compile(r"\s*exec\s")
_SEVERAL = re.compile(r"[|&;\n]")


@rule(summary="a shell keeps signals from the program", severity=Severity.WARNING, since="0.1")
def shell_form_entrypoint(recipe: Recipe) -> Iterator[Observation]:
    found = recipe.final.last("ENTRYPOINT") or recipe.final.last("CMD")
    if found is None or found.json is not None or not found.value.strip() or _is_windows(recipe):
        return
    last = _SEVERAL.split(found.value.strip())[-1]
    if _REPLACES.match(last) or _REPLACES.match(found.value):
        return
    words = None if _NEEDS_SHELL.search(found.value) or found.heredocs else _words(found.value)
    written = None if words is None else f"{found.keyword} {json.dumps(words, ensure_ascii=False)}"
    yield Observation(
        location=found.span,
        seen=f"`{found.keyword} {' '.join(found.value.split())}` is run by a shell",
        expected="a list of words, or `exec`",
        remedy=f"write `{written}`" if written else f"write `{found.keyword} exec ...`, or a list of words",
        key=found.keyword,
        fix=_fix(recipe, found, written),
    )


def _words(text: str) -> list[str] | None:
    try:
        return shlex.split(text)
    except ValueError:  # a quote that nothing closes
        return None


def _fix(recipe: Recipe, found: Instruction, written: str | None) -> Fix | None:
    if written is not None:
        sure = recipe.final.last("SHELL") is None
        return Fix(
            message="start the program without a shell",
            edits=(replacement(found.span, written),),
            applicability=Applicability.SAFE if sure else Applicability.UNSAFE,
        )
    if found.heredocs or _SEVERAL.search(found.value):
        return None
    text = recipe.dockerfile.excerpt(found.span)
    at = len(found.keyword) + len(text[len(found.keyword) :]) - len(text[len(found.keyword) :].lstrip(" \t"))
    if text[at : at + 1] in {"", "\n", recipe.dockerfile.escape}:
        return None
    return Fix(
        message="let the program take the place of the shell",
        edits=(insertion(found.span.path, found.span.line, found.span.column + at, "exec "),),
        applicability=Applicability.UNSAFE,
    )


def _is_windows(recipe: Recipe) -> bool:
    shell = recipe.final.last("SHELL")
    if (
        shell is not None
        and shell.json
        and shell.json[0].lower().rpartition("\\")[2].startswith(("cmd", "powershell", "pwsh"))
    ):
        return True
    return recipe.dockerfile.escape == "`" or "windows" in str(recipe.final.root).lower()
