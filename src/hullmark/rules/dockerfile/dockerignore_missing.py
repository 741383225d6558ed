r"""Build context has no ignore file.

What it checks
    For images whose instructions take the whole build context (`COPY . .`, a mount of `.`), or directories in which
    there is what belongs into no image: `.git`, `.env` files (not `.env.example`), `node_modules`, `.venv` and
    `__pycache__`. There is a `.dockerignore`, or one that is called after the Dockerfile. What is taken is measured as
    it is on this disk. It is an error where environment files are among it, and a note where today nothing is.

Why it matters
    Everything goes to the builder and into a layer: credentials, the history of the repository, packages built for
    another system. Each commit changes `.git`, so that the layer, and all after it, are made anew every time.

How to fix
    Write a `.dockerignore` that begins with everything and takes back what the build needs, or at least lists what it
    must not get.

    Bad:

        # context without .dockerignore: .git/objects 812 MB, node_modules/express.js 240 MB
        COPY . .

    Good:

        # context: .git/objects 812 MB, node_modules/express.js 240 MB
        # .dockerignore: .git, **/node_modules
        COPY . .
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hullmark.model.deployment import Deployment
from hullmark.model.finding import Observation, Severity
from hullmark.model.rule import rule
from hullmark.model.size import format_size
from hullmark.rules._context import ENVIRONMENT, by_pattern, keeping_out, measured

if TYPE_CHECKING:
    from hullmark.model.context import Context

_USUAL = (ENVIRONMENT, "**/__pycache__", "**/node_modules", ".git")


@rule(summary="build context has no ignore file", severity=Severity.WARNING, since="0.1", fixes="unsafe")
def dockerignore_missing(deployment: Deployment) -> Iterator[Observation]:
    context = deployment.context
    if context is None or context.ignored:
        return
    because = context.strays[0].because if context.strays else context.whole
    if because is None or because.span is None:
        return
    taken = f"{because} takes {format_size(context.bytes)} in {context.files:,} files"
    patterns = [pattern for pattern, _ in by_pattern(context)] or list(_USUAL)
    remedy = f"write `{context.ignore_file}` with the lines {', '.join(f'`{each}`' for each in patterns)}"
    yield Observation(
        location=because.span,
        seen=f"{taken}{_of(context)}",
        expected=f"`{context.ignore_file}`",
        remedy=remedy,
        severity=_severity(patterns) if context.strays else Severity.NOTE,
        key="none",
        fix=keeping_out(context, patterns, remedy),
    )


def _of(context: Context) -> str:
    """How much of it is there by accident."""
    parts = [measured(strays) for _, strays in by_pattern(context)]
    return f", of that {', '.join(parts)}" if parts else ""


def _severity(patterns: list[str]) -> Severity | None:
    return Severity.ERROR if ENVIRONMENT in patterns else None
