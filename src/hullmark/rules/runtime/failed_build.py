"""Image cannot be built.

What it checks
    Whether `docker compose build` succeeds for the service.

Why it matters
    Nothing that follows can be said of an image that does not exist.

How to fix
    The finding names the instruction that failed and the last lines that it printed. When a step needs the
    network from behind a proxy that intercepts TLS, hand the certificate authority over as a build secret.
"""

from __future__ import annotations

from collections.abc import Iterator

from hullmark.model.build import FailedBuild
from hullmark.model.finding import Observation, Severity
from hullmark.model.rule import rule


@rule(summary="image cannot be built", severity=Severity.ERROR, since="0.1")
def failed_build(failure: FailedBuild) -> Iterator[Observation]:
    step = f"`{failure.step}`: " if failure.step else ""
    output = "".join(f"\n{line}" for line in failure.output)
    yield Observation(
        location=failure.span,
        seen=f"{step}{failure.message}{output}",
        expected="a build that completes",
        remedy="correct the instruction that failed",
        key=failure.step or failure.message,
    )
