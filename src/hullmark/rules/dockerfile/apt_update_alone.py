r"""Package lists are fetched in one RUN and used in another.

What it checks
    Each RUN that calls `apt-get update` or `apt update` and installs nothing, in any stage that the image is made from,
    when a later RUN of the stage, or of one built on it, installs without an update of its own. It is fine when the
    lists lie on a cache mount.

Why it matters
    A RUN that has not changed is not run again. Once the list of packages to install changes, it is installed from lists
    that are weeks old: the build breaks because versions are gone from the mirror, or installs the old ones. The lists
    stay in the image as well, since a later layer only hides them.

How to fix
    Update and install in one RUN, and remove the lists there. The fix has the RUN that installs begin with the update.
    It is safe where nothing stands between the two and an update that fails still ends the build; it stays away where
    the update is not a RUN of plain calls of apt.

    Bad:

        RUN apt-get update
        RUN apt-get install -y --no-install-recommends curl

    Good:

        RUN apt-get update && apt-get install -y --no-install-recommends curl \
            && rm -rf /var/lib/apt/lists/*
"""

from __future__ import annotations

from collections.abc import Iterator

from hullmark.model.dockerfile import Recipe
from hullmark.model.finding import Observation, Severity
from hullmark.model.rule import rule
from hullmark.rules._apt_lists import LISTS, is_mounted, lone_updates
from hullmark.rules._merged import begun_with


@rule(
    summary="apt-get update stands in a RUN of its own",
    severity=Severity.WARNING,
    since="0.1",
    fixes="safe or unsafe",
)
def apt_update_alone(recipe: Recipe) -> Iterator[Observation]:
    for update in lone_updates(recipe):
        line = update.user.span.line
        yield Observation(
            location=update.call.verb_word.span,
            seen=f"`{update.call.command}` without an installation; line {line} installs from its lists",
            expected="update and installation in one RUN",
            remedy=f"begin the RUN at line {line} with `{update.call.command} &&`, end it with `&& rm -rf {LISTS}/*`, "
            "and remove this one",
            key=f"{update.stage.label}: {update.instruction.value}",
            fix=None
            if is_mounted(update.user)
            else begun_with(recipe.dockerfile, update.stage, update.instruction, update.user),
        )
