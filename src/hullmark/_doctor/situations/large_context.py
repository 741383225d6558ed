"""The build context is very large.

What it looks like
    `transferring context: 2.41GB`, followed by a long wait; `context deadline exceeded` or a full disk at the end.

Why it happens
    Everything in the context that the Dockerfile may copy goes to the builder before it starts: data, virtual
    environments, `node_modules`, `.git`.

What to do
    Leave out in `.dockerignore` what no build needs; `hullmark lint` says what is in the context and how to leave it
    out.

        hullmark lint
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullmark._doctor.situation import situation
from hullmark.model.diagnosis import Advice, Remedy

if TYPE_CHECKING:
    from hullmark._doctor.situation import Symptom

LARGE = 500.0
"""Megabytes from which on it is worth a word."""


@situation(
    summary="the build context is very large",
    patterns=(r"transferring context: (?P<size>(?:\d{3,}(?:\.\d+)?MB|\d+(?:\.\d+)?GB))(?: [\d.]+s)? done",),
    since="0.1",
)
def large_context(symptom: Symptom) -> Advice | None:
    size = symptom.get("size")
    if size.endswith("MB") and float(size.removesuffix("MB")) < LARGE:
        return None
    return Advice(
        cause=f"{size} go to the builder before it starts",
        remedies=(
            Remedy(
                text="see what is in the context that should not be",
                command=("hullmark", "explain", "dockerignore-lets-in"),
            ),
            Remedy(text="leave out what no build needs, in `.dockerignore`"),
        ),
    )
