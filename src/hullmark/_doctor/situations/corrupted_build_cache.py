"""BuildKit's cache has lost part of itself.

What it looks like
    `failed to solve: ... parent snapshot ... does not exist: not found`, and its relatives: `missing parent "..." bucket`,
    `layer does not exist`, a directory below `overlay2/` or `snapshots/` that is `no such file or directory`, `failed to
    get edge`, `unlazy requires an applier`, `failed to load cache key`, `blob sha256:... not found`, `ref ... does not
    exist`, `missing descriptor`.

Why it happens
    The builder's index names a layer that is not on its disk any more. It was stopped in the middle of a clean-up,
    its disk was full, or something else removed files below its root. No Dockerfile is to blame, and building again
    fails in the same way.

What to do
    Remove the build cache; images, containers and volumes stay, and the next build takes longer.

        docker builder prune -f

    If that does not help, as where whole directories of the engine's store are gone, remove all of it, also what looks
    used, and then restart the engine:

        docker builder prune -a -f
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullmark._doctor.situation import situation
from hullmark.model.diagnosis import Advice, Remedy, Repair

if TYPE_CHECKING:
    from hullmark._doctor.situation import Symptom


@situation(
    summary="BuildKit's cache has lost part of itself",
    patterns=(
        r"parent snapshot (?P<missing>\S+) does not exist",
        r"missing parent \"(?P<missing>[^\"]+)\" bucket",
        # The directory of a layer itself; below it are files of containers, which may be missing for good reasons.
        r"(?:stat|open) /\S*/overlay2/(?P<missing>\w+)(?:/(?:\.tmp-committed\d+|committed|diff|link|lower))?: no such file",
        r"/io\.containerd\.snapshotter\.v1\.[\w-]+/snapshots/(?P<missing>\d+)(?:/\w+)?: (?:no such file|file exists)",
        r"(?:failed to solve|ERROR): layer does not exist",
        r"failed to get edge(?:: (?P<reason>[^\n]{1,120}))?",
        r"unlazy requires an applier",
        r"failed to load cache key: [^\n]*(?:not found|does not exist|no such (?:job|ref))",
        r"(?:lazy )?blob (?P<missing>sha256:\w{12})\w* not found",
        r"could not find ref (?P<missing>\S+)|ref (?P<ref>\S+) (?:locked|does not exist)",
        r"missing descriptor for|failed to load ref",
        r"failed to (?:prepare|mount|stat) [^\n]*snapshot[^\n]*(?:does not exist|not found)",
        r"content digest (?P<missing>sha256:\w{12})\w*: not found",
    ),
    gives_way_to=("copied-file-missing",),
    since="0.1",
)
def corrupted_build_cache(symptom: Symptom) -> Advice | None:
    missing = symptom.get("missing") or symptom.get("ref")
    what = f"`{missing}`" if missing else "a layer"
    return Advice(
        cause=f"the builder's index names {what}, and its disk does not have it; the Dockerfile is not to blame",
        remedies=(
            Remedy(
                text="remove the build cache; images and volumes stay",
                command=("docker", "builder", "prune", "-f"),
            ),
            Remedy(
                text="if that does not help, remove all of it and restart the engine",
                command=("docker", "builder", "prune", "-a", "-f"),
            ),
        ),
        repair=Repair(
            argv=("docker", "builder", "prune", "--force"),
            effect="removes build cache that no build uses; images, containers and volumes stay",
        ),
    )
