"""What a COPY names is not in the build context.

What it looks like
    `failed to calculate checksum of ref ...: "/app.py": not found`, `COPY failed: file not found in build context or
    excluded by .dockerignore`.

Why it happens
    Sources are relative to the build context, not to the Dockerfile; the file is misspelt, is made by a step that did
    not run, or a line of the ignore file leaves it out. With `--from`, the stage has no such file.

What to do
    The doctor looks into the context and says which line of the ignore file leaves it out. Take the file back with a
    line below that one:

        !requirements.txt
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullmark._doctor.contexts import absence
from hullmark._doctor.situation import situation
from hullmark.model.diagnosis import Advice, Remedy

if TYPE_CHECKING:
    from hullmark._doctor.situation import Symptom


@situation(
    summary="what a COPY names is not in the build context",
    patterns=(
        r"failed to calculate checksum of ref [^\n]*?: \"(?P<path>[^\"]+)\": not found",
        r"COPY failed: (?:stat|file not found in build context or excluded by \.dockerignore: stat) (?P<path>\S+): file does not exist",
        r"COPY failed: no source files were specified",
        r"lstat /(?:\S*/)?buildkit-mount\d+(?P<path>/\S*): no such file or directory",
        r"failed to (?:compute cache key|walk) [^\n]*?\"(?P<path>/[^\"]+)\": not found",
    ),
    since="0.1",
)
def copied_file_missing(symptom: Symptom) -> Advice | None:
    path = symptom.get("path")
    found = tuple(absence(symptom.patient, symptom.service, path.lstrip("/"))) if path else ()
    return Advice(
        cause=f"{f'`{path}`' if path else 'what is to be copied'} is not in what the builder is given: the build context without what the ignore file names, or the stage that it is copied from",
        found=found,
        remedies=(
            Remedy(text="write the source as it is seen from the build context"),
            Remedy(
                text="or take it back in the ignore file, below the line that leaves it out",
                line=f"!{path.lstrip('/') or 'PATH'}",
            ),
        ),
    )
