r"""Final stage ends as root although the service must not.

What it checks
    For services with `user = "non-root"`: the USER that decides in the image. None at all is root, where the image is
    squashed or starts from nothing; what an image from outside brings along is not known, and is looked at when the
    image has been built (`root-user`).

Why it matters
    A USER in the middle of the file, for one step that needed root, is easily left standing; and a squash drops it.

How to fix
    End the last stage with the user that the service runs as. A service that has to start as root and gives it up
    itself is declared with `user = "drops-to:NAME"`.

    Bad:

        USER root
        RUN apt-get update && apt-get install -y --no-install-recommends curl && rm -rf /var/lib/apt/lists/*

    Good:

        USER root
        RUN apt-get update && apt-get install -y --no-install-recommends curl && rm -rf /var/lib/apt/lists/*
        USER app
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from hullmark.model.deployment import Deployment
from hullmark.model.dockerfile import Scratch
from hullmark.model.finding import Observation, Severity
from hullmark.model.rule import rule
from hullmark.rules._variables import expanded

_BY_DEFAULT = re.compile(r"\$\{\w+:?-([^}]*)\}")
_EXPECTED = "a user other than root in the last stage"


@rule(summary="final stage ends as root", severity=Severity.ERROR, since="0.1")
def root_in_final_stage(deployment: Deployment) -> Iterator[Observation]:
    final = deployment.recipe.final
    if not deployment.non_root:
        return
    found = final.last("USER")
    if found is not None:
        user = expanded(found.value.strip("\"'"), final.variables(found))
        if _is_root(user):
            yield Observation(
                location=found.span,
                seen=f"`USER {found.value}` is the last one",
                expected=_EXPECTED,
                remedy="add `USER NAME` below what needs root",
                key="user",
            )
    elif isinstance(final.root, Scratch) and (
        (lost := final.lost("USER")) is None or _is_root(lost.instruction.value)
    ):
        yield Observation(
            location=final.span,
            seen=f"no USER in stage {final.label}, which starts from nothing, is root",
            expected=_EXPECTED,
            remedy=f"add `USER NAME` to stage {final.label}, or the number of one where it has no /etc/passwd",
            key="none",
        )


def _is_root(user: str) -> bool:
    """Whether a USER, variables replaced as far as they are known, is root: `${NAME:-root}` is by default."""
    name = _BY_DEFAULT.sub(r"\1", user.strip("\"'")).partition(":")[0]
    return name == "root" or (name.isascii() and name.isdecimal() and int(name) == 0)
