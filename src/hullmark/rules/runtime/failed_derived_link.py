"""Service cannot reach another that its own files speak of.

What it checks
    That a service can connect to those that it waits for with `depends_on`, at the port that their health check asks
    for, that they publish or that their image exposes, and to those whose address stands in its environment.

Why it matters
    An address that leads nowhere is noticed when somebody needs what is behind it. Nobody has declared these links,
    so that a failure may also mean that the service never calls there.

How to fix
    Correct the address, or let the other listen there; declare a link that matters in `[[links]]`, which takes the
    place of all that would be derived between the two. `derive-links = false` in `[smoke]` derives none.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from hullmark.model.finding import Observation, Severity
from hullmark.model.rule import rule
from hullmark.model.stack import LinkRun


@rule(summary="link that is not declared fails", severity=Severity.WARNING, since="0.1")
def failed_derived_link(run: LinkRun) -> Iterator[Observation]:
    if run.passed or not run.link.derived:
        return
    target = urlsplit(run.link.to)
    yield Observation(
        location=run.link.origin,
        seen=f"{run.link} (derived from {run.link.derived}): {run.seen}",
        expected="an accepted connection",
        remedy=(
            f"let `{target.hostname}` listen on 0.0.0.0:{target.port} and share a network with "
            f"`{run.link.from_service}`, or declare in `[[links]]` how it is called"
        ),
        key=str(run.link),
    )
