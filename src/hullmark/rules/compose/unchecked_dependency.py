"""Waits for the health of a service that has no health check.

What it checks
    `depends_on` with `condition: service_healthy`: whether the Compose file switches off the health check of the
    service waited for, or says nothing of one and its image, which the engine has, holds none. Where the engine does
    not have that image, a note says that it is not known. An image that is built without one is found by
    `missing-healthcheck`.

Why it matters
    Compose refuses to start: `container ... has no healthcheck configured`.

How to fix
    Give the service a `healthcheck`, or wait for `service_started`.

    Bad:

        services:
          web: {depends_on: {db: {condition: service_healthy}}}
          db: {healthcheck: {disable: true}}

    Good:

        services:
          web: {depends_on: {db: {condition: service_healthy}}}
          db: {healthcheck: {test: [CMD, pg_isready]}}
"""

from __future__ import annotations

from collections.abc import Iterator

from hullmark.model.composition import Composition
from hullmark.model.finding import Observation, Severity
from hullmark.model.rule import rule


@rule(summary="a service without health check is waited for", severity=Severity.ERROR, since="0.1")
def unchecked_dependency(composition: Composition) -> Iterator[Observation]:
    for awaited in composition.awaited:
        if awaited.unchecked:
            image = awaited.image
            why = (
                f"whose image `{image}` has no health check"
                if image
                else "whose health check is switched off"
            )
            yield Observation(
                location=awaited.span,
                seen=f"waits until `{awaited.service}` is healthy, {why}",
                expected="a health check in the service that is waited for",
                remedy=f"give `{awaited.service}` a `healthcheck` with a `test`, or wait for `service_started`",
                key=awaited.service,
            )
