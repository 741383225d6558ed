"""Whether a release has begun to move tags, and whether what is noted of one is of the project at hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullmark._release import state as states
from hullmark.errors import UsageError
from hullmark.model.version import moving_tags

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hullmark._release.plan import Wanted
    from hullmark._release.registries import Registries
    from hullmark.model.staging import State


def home(made: Wanted) -> str:
    """The repository that keeps the note, and the lock, of the release."""
    return min(service.repository for service in made.services)


def placed(made: Wanted, noted: State) -> bool:
    """Whether `noted` is of the same services, published to the same repositories."""
    return sorted((each.name, each.repository) for each in noted.services) == sorted(
        (each.name, each.repository) for each in made.services
    )


def noted(made: Wanted, registries: Registries, kept: State | None) -> State | None:
    """What is noted of tags that have begun to move: by the registry, else in `kept`; `None` where none has.

    Raises as `own`.
    """
    whole = states.fetch(registries, home(made), str(made.version))
    if whole is not None and whole.journal:
        own(made, whole)
        return whole
    return kept if kept is not None and kept.journal else None


def refuse_begun(made: Wanted, registries: Registries, kept: State | None) -> None:
    """Raises `UsageError` where tags have begun to move, or have moved: to begin anew would lose where they were."""
    begun = noted(made, registries, kept if kept is None or not _elsewhere(made, kept) else None)
    if begun is None:
        return
    if not begun.published:
        raise interrupted(begun)
    version = begun.version
    raise UsageError(
        f"{version} is published already, from {begun.revision[:12]}",
        hint=f"`hullmark release verify {version}` says whether it is as it was, `hullmark release {version} "
        "--rollback` takes it back",
    )


def _elsewhere(made: Wanted, kept: State) -> bool:
    """Whether `kept` is of a release to other repositories, of which nothing is lost when it is noted no more here."""
    return kept.published and not placed(made, kept)


def interrupted(begun: State) -> UsageError:
    """That some of its tags may have moved, and others not."""
    version = begun.version
    where = ", ".join(sorted(each.repository for each in begun.services))
    return UsageError(
        f"{version} was being published when that was interrupted, to {where}",
        hint=f"`hullmark release {version} --resume` goes on, `hullmark release {version} --rollback` takes it back",
    )


def own(made: Wanted, noted: State) -> None:
    """Raises `UsageError` where what is noted is not of this release of this project, or would move other tags."""
    problems = list(_foreign(made, noted))
    if problems:
        raise UsageError(
            "\n".join((f"what is noted of {made.version} is not of this release:", *problems)),
            hint=f"where it is the project that has changed since, check out {noted.revision[:12] or 'its commit'}; "
            "otherwise find out who has written that",
        )


def _foreign(made: Wanted, noted: State) -> Iterator[str]:
    names = [("version", noted.version, str(made.version))]
    if noted.revision != made.commit.revision:
        # Of one commit it is the same project, whatever the directory of a clone is called.
        names.insert(0, ("project", noted.project, made.project.name))
    for what, was, now in names:
        if was != now:
            yield f"  it is of the {what} `{was}`, and this is `{now}`"
    if not placed(made, noted):
        was = ", ".join(sorted(each.repository for each in noted.services)) or "nothing"
        now = ", ".join(sorted(each.repository for each in made.services))
        yield f"  it is published to {was}, and this to {now}"
    tags = {made.version.tag, *moving_tags(made.version, (), made.project.settings.release.tags)}
    for tag in sorted({*noted.moving, *(move.tag for move in noted.journal)} - tags):
        yield f"  it moves the tag `{tag}`, which is none of {', '.join(sorted(tags))}"
