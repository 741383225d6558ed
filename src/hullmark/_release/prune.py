"""Takes away what a release has left in the registries, and never anything that an index still leads to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hullmark._images.manifests import Index, parse_manifest
from hullmark._release import state as states
from hullmark._release.lock import prefix
from hullmark.errors import DamagedImage, Unavailable
from hullmark.model.release import staging_tag

if TYPE_CHECKING:
    from collections.abc import Callable

    from hullmark._release.plan import Wanted
    from hullmark._release.registries import Registries


def prune(made: Wanted, registries: Registries, tell: Callable[[str], None]) -> tuple[str, ...]:
    """Takes the tags away under which images waited for the gate; those that stay, and why.

    Where the registry takes no single tag away, an image goes with its tag, unless something else leads to it.
    """
    left: list[str] = []
    for service in made.services:
        shelf = _Shelf(registries, service.repository)
        version = str(made.version)
        wanted = [staging_tag(made.version, platform) for platform in made.platforms]
        wanted += [states.registry_tag(version, platform) for platform in made.platforms]
        for tag in wanted:
            if tag in shelf.tags:
                why = shelf.take_away(tag)
                if why is None:
                    tell(f"{service.repository}:{tag} is gone")
                else:
                    left.append(f"{service.repository}:{tag} stays: {why}")
        left += [
            f"{service.repository}:{tag} stays: it says who publishes the version, or did"
            for tag in shelf.tags
            if tag.startswith(prefix(version))
        ]
    return tuple(left)


@dataclass(slots=True)
class _Shelf:
    """One repository, with all that its tags lead to."""

    registries: Registries
    repository: str
    tags: dict[str, str] = field(init=False)
    """By tag, the digest."""
    held: dict[str, str] = field(init=False)
    """By the digest of an image, the tag of an index that leads to it."""

    def __post_init__(self) -> None:
        self.tags, self.held = {}, {}
        for tag in self.registries.tags(self.repository):
            found = self.registries.fetch(self.repository, tag)
            if found is None:
                continue
            self.tags[tag] = found.digest
            try:
                parsed = parse_manifest(found.content, f"{self.repository}:{tag}", found.media_type)
            except (DamagedImage, Unavailable):
                continue  # something else, which leads to nothing
            if isinstance(parsed, Index):
                self._hold(parsed, tag)

    def _hold(self, index: Index, tag: str) -> None:
        for each in index.manifests:
            self.held[each.digest] = tag

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
