"""A file is mounted onto a directory, or a directory onto a file.

What it looks like
    `not a directory: Are you trying to mount a directory onto a file (or vice-versa)?`

Why it happens
    The file that is to be mounted is not there: Compose then makes a directory of its name on the host, which cannot
    be mounted onto a file. Or the path in the container is a directory of the image.

What to do
    Remove the directory that was made in its place, and put the file there.

        ls -ld PATH
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hullmark._doctor.situation import situation
from hullmark.model.diagnosis import Advice, Remedy, operand

if TYPE_CHECKING:
    from hullmark._doctor.situation import Symptom


@situation(
    summary="a file is mounted onto a directory, or a directory onto a file",
    patterns=(
        r"error mounting \"(?P<source>[^\"]+)\" to rootfs at \"(?P<target>[^\"]+)\": [^\n]*not a directory",
        r"Are you trying to mount a directory onto a file",
    ),
    since="0.1",
)
def mount_type_mismatch(symptom: Symptom) -> Advice | None:
    source, target = symptom.get("source", "SOURCE"), symptom.get("target", "TARGET")
    path = Path(source)
    found = (f"`{source}` is {_kind(path)} on this host",) if path.is_absolute() else ()
    return Advice(
        cause=f"of `{source}` on the host and `{target}` in the image, one is a file and the other a directory",
        found=found,
        remedies=(
            Remedy(
                text="see what is there; where the file is missing, Compose makes an empty directory of its name",
                command=("ls", "-ld", *operand(source)),
            ),
            Remedy(text="mount with `create_host_path: false`, so that a missing file is an error"),
        ),
    )


def _kind(path: Path) -> str:
    try:
        return "a directory" if path.is_dir() else "a file" if path.is_file() else "not there"
    except (OSError, ValueError):
        return "no name that a file can have"
