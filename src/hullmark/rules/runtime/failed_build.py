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

import re
from collections.abc import Iterator

from hullmark.model.build import FailedBuild
from hullmark.model.finding import Observation, Severity
from hullmark.model.rule import rule

_NOT_FOUND = re.compile(r'"(/[^"]*)": not found')


@rule(summary="image cannot be built", severity=Severity.ERROR, since="0.1")
def failed_build(failure: FailedBuild) -> Iterator[Observation]:
    step = f"`{failure.step}`: " if failure.step else ""
    output = "".join(f"\n{line}" for line in failure.output)
    yield Observation(
        location=failure.span,
        seen=f"{step}{failure.message}{output}",
        expected="a build that completes",
        remedy=_remedy(failure),
        key=failure.step or failure.message,
    )


def _remedy(failure: FailedBuild) -> str:
    place = f"line {failure.span.line} of `{failure.span.path}`"
    if missing := _NOT_FOUND.search(failure.message):
        return (
            f"put `{missing[1]}` into the build context, take it out of `.dockerignore`, or correct {place}"
        )
    if failure.no_space:
        return (
            f"give the tmpfs of {place} more room (`size=`) or write to a directory that is on the engine's disk; "
            "`docker system df` shows whether that is full as well"
        )
    if not failure.step:
        return f"correct {place}"
    return f"correct {place}; `docker compose build --progress plain` shows all that it printed"
