r"""Secret in a file that a build takes.

What it checks
    Every file that COPY, ADD and bind mounts take out of the build context after its ignore file, as it is on this
    disk, for the formats that are looked for in images. In a stage of which at most single files reach the image it is
    a warning, in a mount a note: there it stays in the build cache. What packages brought (`node_modules`, `.venv`) is
    not looked at, archives are not unpacked, and the Dockerfile and its ignore file have rules of their own. More than
    1 GiB of one context is not looked through: the largest files are left out, and counted.

Why it matters
    Once the image is built and pushed, whoever can pull it has the secret. Before that it can still be taken out.

How to fix
    Keep the file out with the ignore file, and mount the secret for the one RUN that needs it, or hand it to the
    container when it starts. Take it out of use, if the file is in the repository. What is no secret is allowed by the
    hash that the finding tells, in `allow` of `[secrets]`.

    Bad:

        # holds: config/production.json gitlab-token
        COPY . /app

    Good:

        # holds: config/production.json gitlab-token
        # .dockerignore: config/production.json
        COPY . /app
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hullmark.model.deployment import Deployment
from hullmark.model.finding import Observation, Severity
from hullmark.model.rule import rule

if TYPE_CHECKING:
    from hullmark.model.inputs import Because


@rule(summary="secret in a file that a build takes", severity=Severity.ERROR, since="0.1")
def secret_in_context(deployment: Deployment) -> Iterator[Observation]:
    context = deployment.context
    if context is None:
        return
    for taken in context.secrets:
        secret = taken.secret
        severity, because = max(
            ((_severity(deployment, each), each) for each in taken.because), key=lambda each: each[0]
        )
        if because.span is not None:
            yield Observation(
                location=because.span,
                seen=f"{because} takes `{secret.path}`; line {secret.line} has {secret.likeness}",
                expected="no secrets in files that a build takes",
                remedy=f"add `{secret.path}` to `{context.ignore_file}`, and mount the secret where it is needed",
                severity=severity,
                key=f"{secret.path} {secret.likeness.hash}",
                likeness=secret.likeness,
            )


def _severity(deployment: Deployment, because: Because) -> Severity:
    """How far what the instruction takes gets."""
    shipped = {part.stage.index for part in deployment.recipe.shipped}
    for stage in deployment.recipe.stages:
        for written in stage.instructions:
            instruction = written.trigger or written
            if instruction.span == because.span and instruction.keyword in {"COPY", "ADD"}:
                return Severity.ERROR if stage.index in shipped else Severity.WARNING
    return Severity.NOTE
