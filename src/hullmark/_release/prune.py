"""Takes away what a release has left in the registries, and never anything that an index still leads to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hullmark._images.manifests import Index, parse_manifest
from hullmark._release import state as states
from hullmark._release.begun import home, interrupted, noted, placed
from hullmark._release.lock import locked, moment, prefix
from hullmark.errors import DamagedImage, Unavailable
from hullmark.model.release import staging_tag

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from hullmark._release.plan import Wanted
    from hullmark._release.registries import Registries
    from hullmark.model.staging import State


def prune(
    made: Wanted,
    registries: Registries,
    tell: Callable[[str], None],
    *,
    kept: State | None = None,
    breaking: bool = False,
) -> tuple[str, ...]:
    """Takes the tags away under which images waited for the gate; those that stay, and why.

    Where the registry takes no single tag away, an image goes with its tag, unless something else leads to it: a tag,
    or an index of which this machine (`kept`) or the registry has noted that a tag is to lead to it. Raises
    `UsageError` where tags have begun to move and are not all where they belong, and `Unavailable` where somebody
    publishes the version meanwhile.
    """
    left: list[str] = []
    version = str(made.version)
    mine = kept
    kept = kept if kept is not None and placed(made, kept) else None
    with locked(registries, home(made), version, now=moment(), breaking=breaking):
        begun = noted(made, registries, kept)
        if begun is not None and not begun.published:
            raise interrupted(begun)
        whole = states.fetch(registries, home(made), version)
        needed = [each for each in (whole, kept) if each is not None]
        parts = tuple(states.parts(registries, home(made), version))
        # The configuration may be another one by now; what was pushed is what was noted.
        said = [*needed, *parts, *([mine] if mine is not None else [])]
        platforms = tuple(
            dict.fromkeys((*made.platforms, *(name for each in said for name in each.platforms)))
        )
        repositories = tuple(dict.fromkeys(_repositories(made, said)))
        # A note of which no tag is left, or ever was, says nothing to anybody.
        spent = whole is not None and not whole.published
        for repository in repositories:
            wanted = [staging_tag(made.version, platform) for platform in platforms]
            wanted += [states.registry_tag(version, platform) for platform in platforms]
            wanted += [states.registry_tag(version)] if spent and repository == home(made) else []
            left += _clear(_Shelf(registries, repository, needed), wanted, tell)
    for repository in repositories:
        left += [
            f"{repository}:{tag} stays: it says who publishes the version, or did"
            for tag in registries.tags(repository)
            if tag.startswith(prefix(version))
        ]
    return tuple(left)


def _repositories(made: Wanted, said: Sequence[State]) -> Iterator[str]:
    """Where something of the release may be: as it is configured, and as it was noted for the same place."""
    yield from (each.repository for each in made.services)
    # A note can be written by whoever may push; it leads to no other place than that of the project.
    places = {each.repository.rpartition("/")[0] for each in made.services}
    for state in said:
        for service in state.services:
            if service.repository.rpartition("/")[0] in places:
                yield service.repository


def _clear(shelf: _Shelf, wanted: Sequence[str], tell: Callable[[str], None]) -> Iterator[str]:
    """Takes away those tags of one repository; what stays, and why."""
    for tag in wanted:
        if tag in shelf.tags:
            why = shelf.take_away(tag)
            if why is None:
                tell(f"{shelf.repository}:{tag} is gone")
            else:
                yield f"{shelf.repository}:{tag} stays: {why}"


@dataclass(slots=True)
class _Shelf:
    """One repository, with all that its tags lead to."""

    registries: Registries
    repository: str
    noted: Sequence[State] = ()
    """How far the release is, as somebody has noted: an index of it may have no tag yet."""
    tags: dict[str, str] = field(init=False)
    """By tag, the digest."""
    held: dict[str, str] = field(init=False)
    """By the digest of an image, the tag of an index that leads to it, or the digest of one that has no tag yet."""

    def __post_init__(self) -> None:
        self.tags, self.held = {}, {}
        for each in self._indexes():
            self._look(each)
        for tag in self.registries.tags(self.repository):
            found = self._look(tag)
            if found is not None:
                self.tags[tag] = found

    def _indexes(self) -> Iterator[str]:
        """The indexes that are noted, by their digests."""
        for state in self.noted:
            names = {each.name for each in state.services if each.repository == self.repository}
            yield from (each.digest for each in state.indexes if each.service in names)
            for move in state.journal:
                if move.repository == self.repository:
                    yield from filter(None, (move.before, move.after))

    def _look(self, which: str) -> str | None:
        """The digest that `which` leads to; when that is an index, its images are held by it."""
        found = self.registries.fetch(self.repository, which)
        if found is None:
            return None
        try:
            parsed = parse_manifest(found.content, f"{self.repository}:{which}", found.media_type)
        except (DamagedImage, Unavailable):
            return found.digest  # something else, which leads to nothing
        if isinstance(parsed, Index):
            for each in parsed.manifests:
                self.held[each.digest] = which
        return found.digest

    def take_away(self, tag: str) -> str | None:
        """Takes one tag away; `None`, or why it stays."""
        digest = self.tags[tag]
        kept = self.registries.fetch(self.repository, digest)
        if self.registries.remove(self.repository, tag):
            del self.tags[tag]
            # Some take away what the tag leads to as well; what an index needs is put back at once.
            needed = digest in self.held or digest in self.tags.values()
            if needed and kept is not None and self.registries.fetch(self.repository, digest) is None:
                self.registries.put(self.repository, kept.content, kept.media_type)
            return None
        if digest in self.held:
            return f"the registry takes no tags away, and {self.held[digest]} leads to the image"
        others = [other for other, leads in self.tags.items() if leads == digest and other != tag]
        if others:
            return f"the registry takes no tags away, and {others[0]} is the same image"
        if not self.registries.remove(self.repository, digest):
            return "the registry takes nothing away"
        del self.tags[tag]
        return None
