"""Packages of npm want different versions of a third.

What it looks like
    `npm error ERESOLVE unable to resolve dependency tree` (`could not resolve` when a lock file is there), with the
    peers that do not fit.

Why it happens
    A package declares a peer in a range that the project's own version is not in: the two were not made for each
    other.

What to do
    Take versions that fit, or declare an exception under `overrides` in package.json. `--legacy-peer-deps` hides it
    until it breaks at run time.

        npm explain PACKAGE
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullmark._doctor.situation import situation
from hullmark.model.diagnosis import Advice, Remedy

if TYPE_CHECKING:
    from hullmark._doctor.situation import Symptom


@situation(
    summary="packages of npm want different versions of a third",
    patterns=(
        r"ERESOLVE (?P<what>unable to resolve dependency tree|could not resolve)",
        r"Could not resolve dependency:\n[^\n]*?peer (?P<peer>\S+) from (?P<by>\S+)",
    ),
    once=True,
    since="0.1",
)
def npm_peer_conflict(symptom: Symptom) -> Advice | None:
    peer, by = symptom.get("peer"), symptom.get("by")
    wanted = f"`{by}` wants `{peer.strip(chr(34))}`" if peer else "one package wants another in a version"
    return Advice(
        cause=f"{wanted}, and the project has it in another one",
        remedies=(
            Remedy(text="take versions that were made for each other"),
            Remedy(text="or declare the exception under `overrides` in package.json, where it can be seen"),
        ),
    )
