"""Looks at a published release from outside: whether every tag still leads to whole images, and to those of the gate."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hullmark._images.manifests import ImageManifest, Index, parse_manifest
from hullmark._images.platforms import Platform
from hullmark._images.push import Push
from hullmark._release import state as states
from hullmark._release.lists import lost
from hullmark._release.sign import signatures
from hullmark.errors import DamagedImage
from hullmark.model.release import Held

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hullmark._images.manifests import Descriptor
    from hullmark._release.plan import Wanted
    from hullmark._release.registries import Document, Registries
    from hullmark.model.release import PlannedService
    from hullmark.model.staging import State

_VERSION = "org.opencontainers.image.version"
_LARGEST_CONFIG = 4 << 20


def verify(made: Wanted, registries: Registries) -> tuple[Held, ...]:
    """What there is of every service of the release, and what is wrong with it.

    What the release noted in the registry is believed as to which images passed the gate; everything else is looked at.
    """
    home = min(service.repository for service in made.services)
    noted = states.fetch(registries, home, str(made.version))
    settings = made.project.settings.release
    with signatures(settings, registries.commands, registries.environ) as unsigned:
        return tuple(_Look(made, registries, service, noted, unsigned).held() for service in made.services)


@dataclass(slots=True)
class _Look:
    made: Wanted
    registries: Registries
    service: PlannedService
    noted: State | None
    unsigned: Callable[[str, str], str | None]

    def held(self) -> Held:
        """What there is of one service."""
        tag = self.made.version.tag
        found = self.registries.fetch(self.service.repository, tag)
        if found is None:
            return Held(
                service=self.service.name,
                repository=self.service.repository,
                problems=(f"there is no tag {tag}",),
            )
        platforms: list[str] = []
        problems = [*self._as_noted(found)]
        if (problem := self.unsigned(self.service.repository, found.digest)) is not None:
            problems.append(problem)
        try:
            problems += self._content(found, platforms)
        except DamagedImage as error:
            problems.append(error.message)
        return Held(
            service=self.service.name,
            repository=self.service.repository,
            digest=found.digest,
            platforms=tuple(sorted(platforms)),
            problems=tuple(problems),
        )

    def _as_noted(self, found: Document) -> Iterator[str]:
        if self.noted is None:
            yield "the release has left no note in the registry, so nobody knows what passed the gate"
            return
        digests = {each.service: each.digest for each in self.noted.indexes}
        published = digests.get(self.service.name)
        if published != found.digest:
            yield f"{self.made.version.tag} leads to {found.digest}, and {published or 'nothing'} was published"
        if not self.noted.published:
            yield "the release was not finished, or was taken back"

    def _content(self, found: Document, platforms: list[str]) -> Iterator[str]:
        name = self.service.named(self.made.version.tag)
        parsed = parse_manifest(found.content, name, found.media_type)
        if not isinstance(parsed, Index):
            yield "it is one image and no index"
            return
        said = json.loads(found.content).get("annotations") or {}
        if said.get(_VERSION) != str(self.made.version):
            yield f"the index says that it is of version `{said.get(_VERSION)}`"
        lists = {
            each.platform: each.digest
            for each in (self.noted.lists if self.noted else ())
            if each.service == self.service.name
        }
        passed = {image for passage in (self.noted.gate if self.noted else ()) for image in passage.images}
        for each in parsed.manifests:
            if not each.leads_to_images:
                if self._child(each) is None:
                    yield f"{each.digest}, which is attested of an image, is not there"
                continue
            platform = str(each.platform.known()) if each.platform and each.platform.known() else "unknown"
            platforms.append(platform)
            yield from (f"{platform}: {problem}" for problem in self._image(each, platform))
            if platform in lists and (
                problem := lost(self.registries, self.service.repository, each.digest, lists[platform])
            ):
                yield f"{platform}: {problem}"
            if self.noted is not None and f"{self.service.repository}@{each.digest}" not in passed:
                yield f"{platform}: {each.digest} has not passed the gate"
        wanted = self.noted.platforms if self.noted is not None else self.made.platforms
        if missing := sorted(set(wanted) - set(platforms)):
            yield f"there is no image for {', '.join(missing)}"

    def _child(self, each: Descriptor) -> Document | None:
        child = self.registries.fetch(self.service.repository, each.digest)
        if child is not None and (len(child.content), child.media_type) != (each.size, each.media_type):
            raise DamagedImage(f"{each.digest} is not of the type and the size that the index says")
        return child

    def _image(self, each: Descriptor, platform: str) -> Iterator[str]:
        child = self._child(each)
        if child is None:
            yield f"{each.digest} is not there"
            return
        manifest = parse_manifest(child.content, each.digest, child.media_type)
        if not isinstance(manifest, ImageManifest):
            yield f"{each.digest} is no image"
            return
        repository = self.registries.repository(self.service.repository)
        config = json.loads(repository.document(manifest.config, _LARGEST_CONFIG))
        said = Platform.of(config.get("os", ""), config.get("architecture", ""), config.get("variant") or "")
        if Platform.parse(platform).rank(said) is None:
            yield f"the image says that it is for {said}"
        label = ((config.get("config") or {}).get("Labels") or {}).get(_VERSION)
        if label != str(self.made.version):
            yield f"the image says that it is of version `{label}`"
        push = Push(repository=repository)
        for layer in manifest.layers:
            if not push.has(layer.checked_digest(self.service.repository)):
                yield f"the layer {layer.digest} is not there"
