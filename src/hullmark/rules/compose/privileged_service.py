"""Privileged service.

What it checks
    Services with `privileged: true`.

Why it matters
    A privileged container has every capability and every device of the host: whoever takes it over has the host.

How to fix
    Give it the capability or the device it needs.

    Bad:

        privileged: true

    Good:

        cap_add: [NET_ADMIN]
        devices: [/dev/net/tun]
"""

from __future__ import annotations

from collections.abc import Iterator

from hullmark.model.composition import Composition
from hullmark.model.finding import Observation, Severity
from hullmark.model.rule import rule


@rule(summary="service is privileged", severity=Severity.WARNING, since="0.1")
def privileged_service(composition: Composition) -> Iterator[Observation]:
    if composition.privileged is not None:
        yield Observation(
            location=composition.privileged,
            seen="`privileged: true`",
            expected="only the capabilities and devices that it needs",
            remedy="replace it by `cap_add` and `devices` with what the service needs",
        )
