"""Set-user-ID file that no package of the distribution brought.

What it checks
    The files of the final file system whose mode sets the user or the group, and that belong to no package of the
    distribution.

Why it matters
    Whoever runs such a file has the rights of its owner, mostly root, whatever `USER` says. The distribution looks
    after its own ones; nobody looks after this one.

How to fix
    Take the bit away in the stage that brings the file:

        RUN chmod u-s,g-s /usr/local/bin/tool
"""

from __future__ import annotations

from collections.abc import Iterator

from hullmark.model.finding import Observation, Severity
from hullmark.model.image import ShippedImage
from hullmark.model.location import ImagePath
from hullmark.model.rule import rule
from hullmark.model.table import Kind
from hullmark.rules._modes import setter, with_mode

_SET_USER = 0o4000
_SET_GROUP = 0o2000


@rule(
    summary="set-user-ID file outside of the distribution's packages", severity=Severity.WARNING, since="0.1"
)
def setuid_file(shipped: ShippedImage) -> Iterator[Observation]:
    ownership = shipped.anatomy.ownership
    for found in with_mode(shipped.anatomy.files, _SET_USER | _SET_GROUP):
        owner = ownership.of(found.number)
        if found.kind is not Kind.FILE or (owner is not None and owner.kind.distribution):
            continue
        whose = f"user {found.uid}" if found.mode & _SET_USER else f"group {found.gid}"
        yield Observation(
            location=ImagePath(image=shipped.image.reference, path=found.path, layer=found.layer),
            seen=f"`{found.path}` (mode {found.mode:04o}) runs as {whose}",
            expected="no set-user-ID or set-group-ID files but those of the distribution",
            remedy=f"`chmod u-s,g-s {found.path}` in the stage that brings it",
            key=found.path,
            origin=setter(shipped.anatomy, found),
        )
