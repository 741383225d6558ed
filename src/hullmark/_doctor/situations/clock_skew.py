"""The clock of the machine is wrong.

What it looks like
    `Release file for ... is not valid yet (invalid for another 2h 11min)`, or `x509: certificate has expired or is
    not yet valid`.

Why it happens
    The clock of the engine's machine is behind: the virtual machine slept with its host, or has no time server. What
    is signed is then not valid yet. When it says expired and the clock is right, the certificate or the release
    really is: an old base image has lists that end.

What to do
    Set the clock, or restart the virtual machine of Docker Desktop; `hullmark doctor` compares the clock of the
    engine with that of this host.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullmark._doctor.situation import situation
from hullmark.model.diagnosis import Advice, Remedy

if TYPE_CHECKING:
    from hullmark._doctor.situation import Symptom


@situation(
    summary="the clock of the machine is wrong",
    patterns=(
        r"Release file for (?P<address>\S+) is not valid yet \(invalid for another (?P<by>[^)]+)\)",
        r"Release file for (?P<address>\S+) is expired \(invalid since (?P<since>[^)]+)\)",
        r"x509: certificate has expired or is not yet valid(?:: current time (?P<now>\S+) is (?P<side>before|after) (?P<limit>[\dTZ:-]+))?",
        r"(?P<side>certificate is not yet valid)",
        r"signature is not yet valid|Not live until",
    ),
    once=True,
    since="0.1",
)
def clock_skew(symptom: Symptom) -> Advice | None:
    by = symptom.get("by")
    if symptom.get("since") or symptom.get("side") == "after":
        return Advice(
            cause="what is signed has expired; unless the clock is ahead, it is too old",
            remedies=(
                Remedy(text="compare the clocks", command=("hullmark", "doctor")),
                Remedy(text="take a newer base image, or have the certificate renewed"),
            ),
        )
    return Advice(
        cause=f"the clock of the engine is behind{f' by about {by}' if by else ''}: what is signed is not valid there yet",
        remedies=(
            Remedy(text="compare the clocks", command=("hullmark", "doctor")),
            Remedy(
                text="set it from a time server, or restart the virtual machine that the engine runs in",
                command=("timedatectl", "set-ntp", "true"),
            ),
        ),
    )
