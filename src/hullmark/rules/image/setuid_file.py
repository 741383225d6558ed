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

_SET_USER = 0o4000
_SET_GROUP = 0o2000


@rule(
    summary="set-user-ID file outside of the distribution's packages", severity=Severity.WARNING, since="0.1"
)
def setuid_file(shipped: ShippedImage) -> Iterator[Observation]:
    files, ownership = shipped.anatomy.files, shipped.anatomy.ownership
    for path, number in sorted(files.visible.items()):
        inode = files.inode(number)
        layer, row = files.place(inode)
        table = files.layers[layer].table
        mode = table.modes[row]
        if files.kinds[inode] != Kind.FILE or not mode & (_SET_USER | _SET_GROUP):
            continue
        owner = ownership.of(number)
        if owner is not None and owner.kind.distribution:
            continue
        whose = f"user {table.uids[row]}" if mode & _SET_USER else f"group {table.gids[row]}"
        yield Observation(
            location=ImagePath(image=shipped.image.reference, path=path, layer=layer),
            seen=f"`{path}` (mode {mode:04o}) runs as {whose}",
            expected="no set-user-ID or set-group-ID files but those of the distribution",
            remedy=f"`chmod u-s,g-s {path}` in the stage that brings it",
            key=path,
        )
