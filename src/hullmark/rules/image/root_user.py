"""Image runs as root although it must not.

What it checks
    The `User` of the image's configuration, for services with `user = "non-root"`. No user at all is root, and so
    are `root`, `0` and either of them with a group.

Why it matters
    A process that runs as root inside a container is root on the host as soon as it escapes, and may meanwhile
    rewrite the image's own files.

How to fix
    Create a user and switch to it in the last stage; a squash drops `USER`, so declare it after the squash:

        FROM scratch
        COPY --from=runtime / /
        USER app

    A service that has to start as root and gives it up itself is declared with `user = "drops-to:NAME"`.
"""

from __future__ import annotations

from collections.abc import Iterator

from hullmark.model.finding import Observation, Severity
from hullmark.model.image import ShippedImage
from hullmark.model.location import ImageConfig
from hullmark.model.project import NonRoot
from hullmark.model.rule import rule


@rule(summary="image runs as root", severity=Severity.ERROR, since="0.1")
def root_user(shipped: ShippedImage) -> Iterator[Observation]:
    user = shipped.image.configuration.user
    if isinstance(shipped.settings.user, NonRoot) and _is_root(user.partition(":")[0]):
        yield Observation(
            location=shipped.origin or ImageConfig(image=shipped.image.reference, key="User"),
            seen=f"user `{user}`" if user else "no user, which is root",
            expected="a user other than root",
            remedy="declare `USER NAME` in the last stage, after a squash as well",
            key="user",
        )


def _is_root(name: str) -> bool:
    return name in {"", "root"} or (name.isdecimal() and int(name) == 0)
