"""What apt knows of packages does not fit the mirror any more.

What it looks like
    `Hash Sum mismatch`, `File has unexpected size`, or `404 Not Found` for a package that was there yesterday.

Why it happens
    `apt-get update` ran in a layer of its own and comes out of the cache, while the mirror has moved on; or a proxy
    mixed an old index with new files, or the mirror was being updated.

What to do
    Update and install in one RUN, so that both are cached together, and build again without the cache once.

        RUN apt-get update && apt-get install -y --no-install-recommends curl && rm -rf /var/lib/apt/lists/*

        docker compose build --no-cache SERVICE
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullmark._doctor.situation import situation
from hullmark.model.diagnosis import Advice, Remedy, operand

if TYPE_CHECKING:
    from hullmark._doctor.situation import Symptom


@situation(
    summary="what apt knows of packages does not fit the mirror any more",
    patterns=(
        r"^E: Failed to fetch (?P<address>\S+)  Hash Sum mismatch",
        r"Hash Sum mismatch",
        r"File has unexpected size \([^)]*\)",
        r"^E: Failed to fetch (?P<address>\S+\.deb)  404  ?[^\n]+",
    ),
    once=True,
    since="0.1",
)
def apt_lists_stale(symptom: Symptom) -> Advice | None:
    service = symptom.service or ""
    return Advice(
        cause="the list of packages is older or newer than the mirror",
        remedies=(
            Remedy(text="update and install in one RUN", command=("hullmark", "explain", "apt-update-alone")),
            Remedy(
                text="build once without the cache",
                command=("docker", "compose", "build", "--no-cache", *(operand(service) if service else ())),
            ),
            Remedy(text="if it stays so, take another mirror: a proxy in between may mix old and new files"),
        ),
    )
