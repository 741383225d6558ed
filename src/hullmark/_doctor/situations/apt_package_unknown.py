"""apt does not know the package.

What it looks like
    `E: Unable to locate package curl`, `E: Package 'x' has no installation candidate`, `E: Version '1.2' for 'x' was
    not found`.

Why it happens
    There are no lists of packages in the image: `apt-get update` did not run in this RUN, or an earlier layer removed
    them. Or the name is that of another distribution or release (`libpq-devel`, `python3.13` on bookworm), or the
    version is not on the mirror any more.

What to do
    Update in the same RUN, and look for the name in the release that the base image is of.

        RUN apt-get update && apt-get install -y --no-install-recommends curl
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullmark._doctor.situation import situation
from hullmark.model.diagnosis import Advice, Remedy, operand

if TYPE_CHECKING:
    from hullmark._doctor.situation import Symptom


@situation(
    summary="apt does not know the package",
    patterns=(
        r"^E: Unable to locate package (?P<package>\S+)",
        r"^E: Package '(?P<package>[^']+)' has no installation candidate",
        r"^E: Version '(?P<version>[^']+)' for '(?P<package>[^']+)' was not found",
        r"^E: Couldn't find any package by (?:glob|regex) '(?P<package>[^']+)'",
    ),
    gives_way_to=(
        "name-not-resolved",
        "proxy-refused",
        "clock-skew",
        "apt-lists-stale",
    ),
    since="0.1",
)
def apt_package_unknown(symptom: Symptom) -> Advice | None:
    package = symptom.get("package")
    if version := symptom.get("version"):
        return Advice(
            cause=f"the mirror has no version {version} of `{package}`; mirrors keep the current one only",
            remedies=(
                Remedy(
                    text="pin less: the base image by digest, and packages not at all, or by their first numbers (`1.2*`)"
                ),
            ),
        )
    return Advice(
        cause=f"no list of packages in this step has `{package}`: `apt-get update` did not run in the same RUN, or the release has no package of that name",
        remedies=(
            Remedy(
                text="update in the same RUN: `RUN apt-get update && apt-get install ...`",
                command=("hullmark", "explain", "apt-update-alone"),
            ),
            Remedy(text="see what the release calls it", command=("apt-cache", "search", *operand(package))),
        ),
    )
