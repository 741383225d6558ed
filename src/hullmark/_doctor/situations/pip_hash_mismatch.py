"""A Python package is not the one that was locked.

What it looks like
    `THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE`, `Hash mismatch for ...` with uv.

Why it happens
    The file that was downloaded is another than the one whose hash is written down: the lock is for another
    platform's wheel, the file was changed by a proxy or a mirror, or only one of several hashes was recorded. It may
    also be an attack, which is what hashes are for.

What to do
    Write the lock anew, with the hashes of every file, and look at what changed.

        uv pip compile --generate-hashes requirements.in -o requirements.txt
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullmark._doctor.situation import situation
from hullmark.model.diagnosis import Advice, Remedy

if TYPE_CHECKING:
    from hullmark._doctor.situation import Symptom


@situation(
    summary="a Python package is not the one that was locked",
    patterns=(
        r"THESE PACKAGES DO NOT MATCH THE HASHES",
        r"[Hh]ash mismatch for `?(?P<package>[\w.-]+(?:==[\w.]+)?)",
    ),
    since="0.1",
)
def pip_hash_mismatch(symptom: Symptom) -> Advice | None:
    package = symptom.get("package")
    return Advice(
        cause=f"what was downloaded {f'for `{package}` ' if package else ''}has another hash than the one that is written down",
        remedies=(
            Remedy(text="find out why before anything else: a mirror, another platform, or somebody's doing"),
            Remedy(
                text="then write the lock anew, with every file's hash",
                command=(
                    "uv",
                    "pip",
                    "compile",
                    "--generate-hashes",
                    "requirements.in",
                    "-o",
                    "requirements.txt",
                ),
            ),
        ),
    )
