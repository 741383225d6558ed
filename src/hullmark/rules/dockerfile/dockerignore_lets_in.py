r"""Ignore file lets in what belongs into no image.

What it checks
    What COPY, ADD and bind mounts take out of the build context, as it is on this disk: whether `.git`, `.env` files
    (not `.env.example`), `node_modules`, `.venv` or `__pycache__` are among it although there is an ignore file. Where
    an instruction asks for one of them by name, it is meant. Environment files are an error, `__pycache__` is a note.
    That there is no ignore file at all is the matter of `dockerignore-missing`.

Why it matters
    It goes to the builder and into a layer: credentials, the history of the repository, packages built for another
    system. And it changes when nothing has changed that matters, so that layers are made anew for nothing.

How to fix
    List it in the ignore file. The last line that is about a path counts, so a line that takes something back (`!src`)
    must not stand behind.

    Bad:

        # context: .git/objects 812 MB, app/__pycache__/main.pyc 12 kB
        # .dockerignore: **/__pycache__
        COPY . .

    Good:

        # context: .git/objects 812 MB, app/__pycache__/main.pyc 12 kB
        # .dockerignore: **/__pycache__, .git
        COPY . .
"""

from __future__ import annotations

from collections.abc import Iterator

from hullmark.model.deployment import Deployment
from hullmark.model.finding import Observation, Severity
from hullmark.model.rule import rule
from hullmark.rules._context import ENVIRONMENT, by_pattern, keeping_out, measured

_SEVERITIES = {ENVIRONMENT: Severity.ERROR, "**/__pycache__": Severity.NOTE}


@rule(
    summary="ignore file lets in what belongs into no image",
    severity=Severity.WARNING,
    since="0.1",
    fixes="unsafe",
)
def dockerignore_lets_in(deployment: Deployment) -> Iterator[Observation]:
    context = deployment.context
    if context is None or not context.ignored:
        return
    for pattern, strays in by_pattern(context):
        because = strays[0].because
        if because.span is not None:
            remedy = f"add the line `{pattern}` at the end of `{context.ignore_file}`"
            yield Observation(
                location=because.span,
                seen=f"{because} takes {measured(strays)}",
                expected=f"`{pattern}` in `{context.ignore_file}`",
                remedy=remedy,
                severity=_SEVERITIES.get(pattern),
                key=pattern,
                fix=keeping_out(context, [pattern], remedy),
            )
