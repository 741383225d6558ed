"""Service fails its own health check.

What it checks
    Every service of the stack under test that has a health check: whether the engine declares it unhealthy before
    it was ever healthy.

Why it matters
    What depends on it does not start, and in production it would be replaced for ever.

How to fix
    Look at what the health check printed, shown beside the finding: is the port right, is the program that it
    calls in the final stage, is the start period long enough?
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from hullmark.model.finding import Observation, Severity
from hullmark.model.rule import rule
from hullmark.model.service_run import ServiceRun, State

SHOWN = 200
"""Characters of what the health check printed that a finding quotes."""

_MISSING = re.compile(
    r"""exec: "(?P<executed>[^"]+)": (?:executable file not found|stat [^\n]+: no such file)"""
    r"""|^(?:/bin/)?(?:sh|bash|ash): (?:line )?(?:\d+: )?(?P<called>[\w./+-]+): (?:command )?not found""",
    re.MULTILINE,
)
"""What the engine, or a shell, says of a health check whose program is not in the image."""


@rule(summary="service is unhealthy", severity=Severity.ERROR, since="0.1")
def unhealthy_service(run: ServiceRun) -> Iterator[Observation]:
    if run.state is State.UNHEALTHY and run.healthy is None:
        cause = _cause(run.health_output)
        said = f": {cause}" if cause else ""
        yield Observation(
            location=run.span,
            seen=f"the health check fails{said}",
            expected="a health check that passes",
            remedy=_remedy(run),
            key="unhealthy",
        )


def _remedy(run: ServiceRun) -> str:
    missing = _MISSING.search(run.health_output)
    if missing:
        program = missing["executed"] or missing["called"]
        return (
            f"install `{program}` in the last stage, or check with a program that the image has, such as its Python or "
            "Node.js; piped into `hullmark doctor`, what the health check printed tells which it has"
        )
    return (
        f"try the health check by hand: `docker compose up -d {run.service}`, then "
        f"`docker compose exec {run.service} ...`; correct its port or program, or give it a longer `start_period`"
    )


def _cause(output: str) -> str:
    """What the health check printed: all of it where that is little, otherwise the line that it ends with."""
    text = " ".join(output.split())
    if len(text) <= SHOWN:
        return text
    # A traceback, and most programs, end with what went wrong.
    last = [line.strip() for line in output.splitlines() if line.strip()][-1]
    return last[:SHOWN]
