"""Fixed container name.

What it checks
    Services with a `container_name`. One that the test stack (`compose.test.yml` beside the Compose file) has as well
    is a warning; one that another service of the project has as well is an error, told of the second of them by name.
    Any other is a note.

Why it matters
    A container name exists once per engine: while one copy of the stack is up, a second one (the tests', another
    branch's) cannot start, and the service cannot be scaled.

How to fix
    Leave the name to Compose, which derives it from the project. Other services find the service by its name in the
    Compose file.

    Bad:

        services:
          db:
            container_name: db

    Good:

        services:
          db: {}
"""

from __future__ import annotations

from collections.abc import Iterator

from hullmark.model.composition import Composition
from hullmark.model.finding import Observation, Severity
from hullmark.model.rule import rule


@rule(summary="container name is fixed", severity=Severity.NOTE, since="0.1")
def fixed_container_name(composition: Composition) -> Iterator[Observation]:
    name = composition.container_name
    if name is None:
        return
    twin = next(
        (
            c
            for c in composition.claims
            if not c.file and c.container_name == name and c.service < composition.service
        ),
        None,
    )
    rival = next((c for c in composition.claims if c.file and c.container_name == name), None)
    if twin is not None:
        yield Observation(
            location=composition.container_name_span or composition.span,
            seen=f"container_name `{name}` is also that of `{twin.service}`",
            expected="a container name of its own: the two cannot run together",
            remedy="remove `container_name`; other services reach it by its service name",
            severity=Severity.ERROR,
            key=name,
        )
        return
    yield Observation(
        location=composition.container_name_span or composition.span,
        seen=f"container_name `{name}`" + (f", also in the test stack of {rival.file}" if rival else ""),
        expected="a name that Compose derives from the project",
        remedy="remove `container_name`; other services reach it by its service name",
        severity=Severity.WARNING if rival else None,
        key=name,
    )
