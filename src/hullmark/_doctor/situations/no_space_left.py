"""A disk is full.

What it looks like
    `no space left on device`, `No space left on device`, `disk quota exceeded`, `ENOSPC`.

Why it happens
    The disk of the engine is full of images, build cache, volumes and logs; or what is full is smaller: `/dev/shm`
    has 64 MB in a container, a tmpfs has the size that it was given, and a disk can run out of inodes with space
    left.

What to do
    See what takes the space, then remove the build cache that no build uses, and images without a name.

        docker system df

        docker builder prune -f

        docker image prune -f

    Where it is `/dev/shm`, set `shm_size` for the service.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullmark._doctor.situation import situation
from hullmark.model.diagnosis import Advice, Remedy, Repair

if TYPE_CHECKING:
    from hullmark._doctor.situation import Symptom


@situation(
    summary="a disk is full",
    patterns=(
        r"""(?:^|[ '\"])(?P<path>/[^\s:'\"]+)[^\n]{0,40}: [Nn]o space left on device""",
        r"[Nn]o space left on device",
        r"[Dd]isk quota exceeded",
        r"ENOSPC: (?P<operation>[^\n]{0,80})",
    ),
    since="0.1",
)
def no_space_left(symptom: Symptom) -> Advice | None:
    path = symptom.get("path")
    where = f"what `{path}` is on" if path else "the disk that was written to"
    small = path.startswith(("/dev/shm", "/tmp", "/run"))  # noqa: S108  # what a log says
    return Advice(
        cause=f"{where} has no space, or no inodes, left"
        + ("; in a container that may be a small file system in memory" if small else ""),
        remedies=(
            Remedy(text="see what takes the space", command=("docker", "system", "df")),
            Remedy(
                text="remove build cache that no build uses", command=("docker", "builder", "prune", "-f")
            ),
            Remedy(text="remove images without a name", command=("docker", "image", "prune", "-f")),
            *(
                (Remedy(text="or give the service more with `shm_size` or the size of its tmpfs"),)
                if small
                else ()
            ),
        ),
        repair=Repair(
            argv=("docker", "builder", "prune", "--force"),
            effect="removes build cache that no build uses; images, containers and volumes stay",
        ),
    )
