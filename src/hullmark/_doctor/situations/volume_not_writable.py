"""The user of a service may not write where it wants to.

What it looks like
    `PermissionError: [Errno 13] Permission denied: '/var/lib/app/index.db'`,
    `EACCES: permission denied, open '/var/lib/app/x'`, `touch: cannot touch '/var/lib/app/x': Permission denied`,
    `mkdir: cannot create directory '/var/lib/app': Permission denied`.

Why it happens
    A volume keeps the owner that it got when it was first filled: that of the directory in the image at that time, or
    root. After the user of the image has changed, or where the image has no such directory, it belongs to somebody
    else. A bind mount belongs to whoever made the directory on the host. In a build, a RUN after USER has no rights
    above its own directories.

What to do
    Make the directory in the image, give it to the user, and only then declare the volume; new volumes copy its
    owner. For a volume that is there already, change the owner once.

        RUN install -d -o app -g app /var/lib/app
        USER app

    Once, for a volume with data in it:

        docker compose run --rm --no-deps --user root --entrypoint chown SERVICE -R app:app /var/lib/app
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from hullmark._doctor.situation import situation
from hullmark.model.diagnosis import Advice, Remedy, operand

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from hullmark._doctor.situation import Symptom


@situation(
    summary="the user of a service may not write where it wants to",
    patterns=(
        r"PermissionError: \[Errno 13\] Permission denied: '(?P<path>/[^']+)'",
        r"EACCES: permission denied, (?P<operation>\w+) '(?P<path>/[^']+)'",
        r"^(?P<program>[\w./-]+): (?:cannot (?:touch|create|open|remove|make|stat|access)[^\n]*?|can't (?:create|open) (?:directory )?)['\u2018](?P<path>/[^'\u2019]+)['\u2019]: Permission denied",
        r"open (?P<path>/\S+): permission denied(?!.*docker\.sock)",
        r"(?:could not (?:open|create)|initdb: error: could not)[^\n]*\"(?P<path>/[^\"]+)\"[^\n]*: Permission denied",
        r"(?P<program>/bin/sh|sh|bash): (?:line )?\d+: cannot create (?P<path>/\S+): Permission denied",
    ),
    gives_way_to=("entrypoint-not-executable",),
    since="0.1",
)
def volume_not_writable(symptom: Symptom) -> Advice | None:
    path = symptom.get("path")
    service = symptom.service
    if symptom.step is not None:
        return Advice(
            cause=f"the step runs as a user that may not write `{path}`",
            remedies=(
                Remedy(text="do it before USER, and give it to the user: `RUN install -d -o app -g app ...`"),
                Remedy(text="or copy with an owner: `COPY --chown=app:app`"),
            ),
        )
    declared = symptom.patient.declared(service) if service else {}
    mount = _mount(declared.get("volumes") or (), path)
    found: tuple[str, ...] = ()
    if mount is not None:
        what = (
            "a directory of this host"
            if mount.get("type") == "bind"
            else f"the volume `{mount.get('source', '')}`"
        )
        found = (f"`{mount['target']}` of `{service}` is {what}",)
    user = declared.get("user") or "app"
    target = mount["target"] if mount is not None else path.rpartition("/")[0] or "/"
    name = service or "SERVICE"
    run = ("docker", "compose", "run", "--rm", "--no-deps", "--user", "root")
    return Advice(
        cause=f"the user that the service runs as may not write `{path}`: what is there belongs to somebody else",
        found=found,
        remedies=(
            Remedy(
                text="make the directory in the image and give it to the user, before USER and VOLUME; new volumes copy its owner"
            ),
            Remedy(
                text="for a volume that has data already, change the owner once",
                command=(*run, "--entrypoint", "chown", *operand(name), "-R", *operand(f"{user}"), target),
            ),
        ),
    )


def _mount(mounts: Iterable[Mapping[str, Any]], path: str) -> Mapping[str, Any] | None:
    """The innermost of `mounts` that `path` lies in."""
    there = PurePosixPath(path)
    around = [each for each in mounts if each.get("target") and there.is_relative_to(each["target"])]
    return max(around, key=lambda each: len(PurePosixPath(each["target"]).parts), default=None)
