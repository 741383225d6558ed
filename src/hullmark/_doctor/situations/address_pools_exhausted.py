"""The engine has no addresses left for another network.

What it looks like
    `could not find an available, non-overlapping IPv4 address pool among the defaults to assign to the network`, `all
    predefined address pools have been fully subnetted`, or `Pool overlaps with other one on this address space` for a
    subnet that is written down.

Why it happens
    Each project takes a network, and the engine has about thirty of them by default. Stacks that were not taken down,
    mostly of tests, keep theirs. A VPN that claims whole ranges makes them fewer.

What to do
    Remove networks that no container uses, also those of stacks that are stopped; `docker compose up` makes them
    again.

        docker network prune

    Or give the engine smaller and more pools: `default-address-pools` in `/etc/docker/daemon.json`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullmark._doctor.situation import situation
from hullmark.model.diagnosis import Advice, Remedy

if TYPE_CHECKING:
    from hullmark._doctor.situation import Symptom


@situation(
    summary="the engine has no addresses left for another network",
    patterns=(
        r"could not find an available, non-overlapping IPv[46] address pool",
        r"all predefined address pools have been fully subnetted",
        r"[Pp]ool overlaps with other one on this address space",
        r"non-overlapping IPv[46] address pool",
    ),
    since="0.1",
)
def address_pools_exhausted(symptom: Symptom) -> Advice | None:
    return Advice(
        cause="every range of addresses that the engine may use belongs to a network already",
        remedies=(
            Remedy(text="see which networks there are", command=("docker", "network", "ls")),
            Remedy(
                text="remove those that no container uses; Compose makes its own again",
                command=("docker", "network", "prune"),
            ),
            Remedy(
                text="remove what killed smoke tests have left, which the next run does before it starts anything",
                command=("hullmark", "smoke"),
            ),
            Remedy(text="or give the engine more: `default-address-pools` in /etc/docker/daemon.json"),
        ),
    )
