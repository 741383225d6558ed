"""Image runs as root although it must not.

What it checks
    Whom a service with `user = "non-root"` starts as: the `user` of the Compose file, where it gives one, and
    otherwise the `User` of the image's configuration. No user at all is root, and so are `root`, `0`, either of them
    with a group, and any name that has the number 0 in the image's `/etc/passwd`.

Why it matters
    A process that runs as root inside a container is root on the host as soon as it escapes, and may meanwhile
    rewrite the image's own files.

How to fix
    Create a user and switch to it in the last stage; a squash drops `USER`, so declare it after the squash:

        FROM scratch
        COPY --from=runtime / /
        USER app

    Where the Compose file says `user: root`, remove that line. A service that has to start as root and gives it up
    itself is declared with `user = "drops-to:NAME"`.
"""

from __future__ import annotations

from collections.abc import Iterator

from hullmark.model.finding import Observation, Severity
from hullmark.model.image import ShippedImage
from hullmark.model.project import NonRoot
from hullmark.model.rule import rule
from hullmark.rules._declared import place


@rule(summary="image runs as root", severity=Severity.ERROR, since="0.1")
def root_user(shipped: ShippedImage) -> Iterator[Observation]:
    if not isinstance(shipped.settings.user, NonRoot) or shipped.uid != 0:
        return
    override = shipped.override
    user = shipped.image.configuration.user if override is None else override.user
    name = user.partition(":")[0]
    as_root = name in {"", "root"} or name.isdecimal()
    seen = (
        (f"user `{user}`" if as_root else f"user `{user}`, which has the number 0 in `/etc/passwd`")
        if user
        else "no user, which is root"
    )
    if override is None:
        location = place(shipped, "USER", key="User")
        remedy = "declare `USER NAME` in the last stage, after a squash as well"
        if not as_root:
            remedy = f"give `{name}` a number of its own where it is created (`useradd {name}`)"
    else:
        location = override.span
        seen = f"{seen}, set by the Compose file"
        remedy = "remove `user` there, or name a user that is not root"
    yield Observation(
        location=location, seen=seen, expected="a user other than root", remedy=remedy, key="user"
    )
