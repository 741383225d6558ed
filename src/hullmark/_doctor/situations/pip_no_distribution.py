"""pip finds no version that fits.

What it looks like
    `ERROR: No matching distribution found for X==1.2`, `Could not find a version that satisfies the requirement`, or
    `No solution found when resolving dependencies` with uv.

Why it happens
    There is no such version; there is none for this version of Python or this platform (musl, ARM); the package lives
    in another index; or the index could not be reached at all, which pip says in a line above.

What to do
    See which versions there are for the Python of the image, and whether it needs a wheel for musl or ARM.

        pip index versions PACKAGE
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullmark._doctor.situation import situation
from hullmark.model.diagnosis import Advice, Remedy, operand

if TYPE_CHECKING:
    from hullmark._doctor.situation import Symptom


@situation(
    summary="pip finds no version that fits",
    patterns=(
        r"^ERROR: No matching distribution found for (?P<requirement>[^\n]+)",
        r"No solution found when resolving dependencies",
        r"Could not find a version that satisfies the requirement (?P<requirement>[^\s(]+) \(",
    ),
    gives_way_to=(
        "untrusted-certificate",
        "name-not-resolved",
        "proxy-refused",
    ),
    since="0.1",
)
def pip_no_distribution(symptom: Symptom) -> Advice | None:
    requirement = symptom.get("requirement").strip()
    name = requirement.split("=")[0].split("<")[0].split(">")[0].split("[")[0].strip(" ~!")
    return Advice(
        cause=f"the index has nothing for {f'`{requirement}`' if requirement else 'what is required'} and this version of Python on this platform, or could not be reached",
        remedies=(
            Remedy(
                text="see which versions there are",
                command=("pip", "index", "versions", *operand(name or "PACKAGE")),
            ),
            Remedy(
                text="take a base image with a version of Python that it supports, or with glibc instead of musl"
            ),
        ),
    )
