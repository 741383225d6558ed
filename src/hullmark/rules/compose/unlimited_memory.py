"""Service without a memory limit.

What it checks
    Whether the service has `mem_limit` or `deploy.resources.limits.memory`.

Why it matters
    One service that leaks takes the memory of all others, and the kernel kills whichever it likes.

How to fix
    Say how much it may take.

    Bad:

        services: {rag: {image: "rag:1"}}

    Good:

        services: {rag: {image: "rag:1", mem_limit: 512m}}
"""

from __future__ import annotations

from collections.abc import Iterator

from hullmark.model.composition import Composition
from hullmark.model.finding import Observation, Severity
from hullmark.model.rule import rule


@rule(summary="service has no memory limit", severity=Severity.NOTE, since="0.1")
def unlimited_memory(composition: Composition) -> Iterator[Observation]:
    if not composition.memory_limited:
        yield Observation(
            location=composition.span,
            seen=f"`{composition.service}` may take all memory of the host",
            expected="`mem_limit` or `deploy.resources.limits.memory`",
            remedy="add `mem_limit: 512m`, or what the service needs",
        )
