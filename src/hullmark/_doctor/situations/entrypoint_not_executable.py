"""What is to be started may not be executed.

What it looks like
    `exec: "/usr/local/bin/entrypoint.sh": permission denied`, or `/bin/sh: 1: /run.sh: Permission denied` in a RUN.

Why it happens
    The file has no execute bit. COPY takes the mode from the disk, and a checkout on Windows, an archive or a
    download has none.

What to do
    Set it where the file is kept, or in the COPY.

        COPY --chmod=755 entrypoint.sh /usr/local/bin/

    In the repository:

        git update-index --chmod=+x entrypoint.sh
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from hullmark._doctor.situation import situation
from hullmark.model.diagnosis import Advice, Remedy, Repair, operand

if TYPE_CHECKING:
    from hullmark._doctor.situation import Symptom


@situation(
    summary="what is to be started may not be executed",
    patterns=(
        r"exec: \"(?P<program>[^\"]+)\": permission denied",
        r"exec (?P<program>/\S+): permission denied",
        r"^(?:/bin/)?(?:sh|bash|dash): (?:(?:line )?\d+: )?(?P<program>[./]\S+): Permission denied",
    ),
    since="0.1",
)
def entrypoint_not_executable(symptom: Symptom) -> Advice | None:
    program = symptom.get("program")
    files = [
        each
        for each in symptom.patient.in_contexts(program, symptom.service)
        if not each.stat().st_mode & 0o111
    ]
    name = program.rpartition("/")[2]
    return Advice(
        cause=f"`{program}` has no execute bit",
        found=tuple(f"`{each.name}` in the build context has none either" for each in files[:1]),
        remedies=(
            Remedy(text="set it in the COPY", line=f"COPY --chmod=755 {_paths(name, program)}"),
            Remedy(
                text="or where the file is kept",
                command=("git", "update-index", "--chmod=+x", *operand(name)),
            ),
        ),
        repair=Repair(argv=("chmod", "+x", str(files[0])), effect=f"makes {name} executable")
        if files
        else None,
    )


def _paths(*paths: str) -> str:
    """`paths` as a COPY has them: as JSON where words would not do."""
    plain = all(re.fullmatch(r"[\w./-]+", path) for path in paths)
    return " ".join(paths) if plain else json.dumps(paths)
