r"""Package lists of apt stay in the image.

What it checks
    Each RUN that calls `apt-get update` or `apt update` in a stage whose whole file system ends up in the image: the
    final stage, what it is built on, and what it squashes. The lists in `/var/lib/apt/lists` must be removed later
    in the same RUN, or lie on a cache or tmpfs mount. Before a squash a later RUN may remove them as well, since
    files that are gone by then take no space. A stage that only lends some files to the image is not looked at.
    Lists that a later layer removes in vain are the matter of `masked-deletion`, and an update whose lists another
    RUN installs from is that of `apt-update-alone`.

Why it matters
    The lists take 20 to 50 MB, are out of date the next day, and are of no use to a running service.

How to fix
    Remove them in the RUN that fetched them. Where nothing is installed from them, the RUN can go.

    Bad:

        RUN apt-get update && apt-get install -y --no-install-recommends curl

    Good:

        RUN apt-get update && apt-get install -y --no-install-recommends curl \
            && rm -rf /var/lib/apt/lists/*
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hullmark.model.dockerfile import Recipe
from hullmark.model.finding import Observation, Severity
from hullmark.model.fix import Applicability, Fix
from hullmark.model.rule import rule
from hullmark.rules._apt_lists import LISTS, left_lists, relied_on
from hullmark.rules._edits import with_command
from hullmark.rules._merged import calls_of, without

if TYPE_CHECKING:
    from hullmark.rules._apt_lists import LeftLists

_REMOVE = f"rm -rf {LISTS}/*"


@rule(
    summary="package lists of apt stay in the image",
    severity=Severity.WARNING,
    since="0.1",
    fixes="safe or unsafe",
)
def apt_lists_left(recipe: Recipe) -> Iterator[Observation]:
    for update in left_lists(recipe):
        if update.removal is None:
            yield Observation(
                location=update.call.verb_word.span,
                seen=f"`{update.call.command}` leaves {LISTS}",
                expected="no package lists in the image",
                remedy=f"end the RUN with `&& {_REMOVE}`",
                key=f"{update.part.stage.label}: {update.instruction.value}",
                fix=_fix(recipe, update),
            )


def _fix(recipe: Recipe, update: LeftLists) -> Fix | None:
    if not update.installs and len(calls_of(update.instruction)) == 1 and not relied_on(recipe, update):
        return Fix(
            message="take the RUN away, from whose lists nothing is installed",
            edits=(without(update.instruction),),
            applicability=Applicability.UNSAFE,
        )
    edit = with_command(recipe.dockerfile, update.instruction, _REMOVE)
    if edit is None or relied_on(recipe, update):
        return None
    # Lists that nothing is installed from may be what a script further down is waiting for.
    sure = Applicability.SAFE if update.installs else Applicability.UNSAFE
    return Fix(message="remove the lists in the same RUN", edits=(edit,), applicability=sure)
