"""Host port is taken twice.

What it checks
    Fixed host ports that two services of the project publish, and ones that the test stack (`compose.test.yml` beside
    the Compose file) publishes as well. Ports on different addresses of the host, or of different protocols, do not
    meet.

Why it matters
    A port of the host can be bound once. Two services of one project cannot start together, and tests cannot run while
    the developer's own copy of the stack is up.

How to fix
    Publish on another port, or replace the list in the test stack; Compose concatenates `ports` otherwise.

    Bad:

        services:
          db:
            ports: ["15432:5432"]

    Good:

        services:
          db:
            ports: !override ["15432:5432"]
"""

from __future__ import annotations

from collections.abc import Iterator

from hullmark.model.composition import Composition
from hullmark.model.finding import Observation, Severity
from hullmark.model.rule import rule


@rule(summary="host port is taken twice", severity=Severity.ERROR, since="0.1")
def shared_host_port(composition: Composition) -> Iterator[Observation]:
    for port in composition.ports:
        for claim in composition.claims:
            # Of two services of the project the second one, by name, is told to give way.
            rival = claim.file is not None or claim.service < composition.service
            if rival and any(port.meets(other) for other in claim.ports):
                whose = f"the test stack of {claim.file} ({claim.service})" if claim.file else claim.service
                yield Observation(
                    location=port.span,
                    seen=f"host port {port} is also published by {whose}",
                    expected="a host port of its own",
                    remedy=(
                        f"in {claim.file} write `ports: !override` with other ports"
                        if claim.file
                        else f"publish `{composition.service}` or `{claim.service}` on another port"
                    ),
                    severity=Severity.WARNING if claim.file else None,
                    key=str(port),
                )
                break
