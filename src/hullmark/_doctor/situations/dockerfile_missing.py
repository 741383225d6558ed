"""There is no Dockerfile where one is expected.

What it looks like
    `failed to read dockerfile: open Dockerfile: no such file or directory`, `unable to prepare context: path "..."
    not found`.

Why it happens
    `dockerfile` is relative to the build context, and both are to the Compose file; the name is misspelt
    (`Dockerfile.txt`, another case), or the build was started in another directory.

What to do
    Say both in the Compose file, and see what it resolves to.

        docker compose config SERVICE
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullmark._doctor.situation import situation
from hullmark.model.diagnosis import Advice, Remedy, operand

if TYPE_CHECKING:
    from hullmark._doctor.situation import Symptom


@situation(
    summary="there is no Dockerfile where one is expected",
    patterns=(
        r"failed to read dockerfile: open (?P<path>\S+): no such file or directory",
        r"unable to prepare context: (?P<reason>path \"(?P<path>[^\"]+)\" not found|unable to evaluate symlinks in Dockerfile path[^\n]*)",
        r"[Cc]annot locate (?:specified )?Dockerfile: (?P<path>\S+)",
    ),
    since="0.1",
)
def dockerfile_missing(symptom: Symptom) -> Advice | None:
    path = symptom.get("path")
    return Advice(
        cause=f"the build context has no `{path}`" if path else "the path of the Dockerfile leads nowhere",
        remedies=(
            Remedy(
                text="see what the Compose file resolves to",
                command=(
                    "docker",
                    "compose",
                    "config",
                    *(operand(symptom.service) if symptom.service else ()),
                ),
            ),
            Remedy(text="`dockerfile` is relative to `context`, and `context` to the Compose file"),
        ),
    )
