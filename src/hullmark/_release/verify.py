"""Looks at a published release from outside: whether every tag still leads to whole images, and to those of the gate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hullmark._images.manifests import ImageManifest, Index, parse_manifest
from hullmark._images.push import Push
from hullmark._images.referrers import annotations_of
from hullmark._release import state as states
from hullmark._release.configuration import declared, read_configuration
from hullmark._release.definition import labels
from hullmark._release.lists import lost
from hullmark._release.sign import signatures
from hullmark.errors import ConfigurationError, DamagedImage
from hullmark.model.reference import LATEST
from hullmark.model.release import Commit, Held
from hullmark.model.text import printable
from hullmark.model.version import MOVING, moving_tags, released

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from hullmark._images.manifests import Descriptor
    from hullmark._images.platforms import Platform
    from hullmark._release.plan import Wanted
    from hullmark._release.registries import Document, Registries
    from hullmark.model.release import PlannedService
    from hullmark.model.staging import State

_OCI = "org.opencontainers.image"
_VERSION = f"{_OCI}.version"
_PROJECT = (f"{_OCI}.source", f"{_OCI}.licenses")
"""What a project may say or not; where the index says it, each image has to say the same."""
_MOST_LATER = 50
"""Later releases that are asked whether a tag has moved on to them."""


def verify(made: Wanted, registries: Registries) -> tuple[Held, ...]:
    """What there is of every service of the release, and what is wrong with it.

    What the release noted in the registry is believed as to which images passed the gate; everything else is looked at.
    """
    home = min(service.repository for service in made.services)
    settings = made.project.settings.release
    noted, damage = None, ""
    try:
        noted = states.fetch(registries, home, str(made.version))
    except (ConfigurationError, DamagedImage) as error:
        damage = f"what the release has noted in the registry cannot be read: {error.message.splitlines()[0]}"
    with signatures(settings, registries.commands, registries.environ) as unsigned:
        return tuple(
            _Look(made, registries, service, noted, damage, unsigned).held() for service in made.services
        )


@dataclass(slots=True)
class _Look:
    made: Wanted
    registries: Registries
    service: PlannedService
    noted: State | None
    damage: str
    unsigned: Callable[[str, str], str | None]

    def held(self) -> Held:
        """What there is of one service."""
        tag = self.made.version.tag
        platforms: list[str] = []
        problems: list[str] = []
        digest: str | None = None
        try:
            found = self.registries.fetch(self.service.repository, tag)
            if found is None:
                problems.append(f"there is no tag {tag}")
            else:
                digest = found.digest
                problems += self._as_noted(found)
                problem = self.unsigned(self.service.repository, digest)
                if problem is not None:
                    problems.append(problem)
                problems += self._moved(digest)
                # Where the index is not signed, nobody has signed what is in it.
                problems += self._content(found, platforms, signed=problem is None)
        except DamagedImage as error:
            problems.append(error.message)
        return Held(
            service=self.service.name,
            repository=self.service.repository,
            digest=digest,
            platforms=tuple(sorted(platforms)),
            problems=tuple(map(printable, problems)),
            unmade=tuple(
                f"{each.platform}: {line}"
                for each in (self.noted.gate if self.noted else ())
                for line in each.unmade
            ),
        )

    def _as_noted(self, found: Document) -> Iterator[str]:
        if self.noted is None:
            yield (
                self.damage
                or "the release has left no note in the registry, so nobody knows what passed the gate"
            )
            return
        digests = {each.service: each.digest for each in self.noted.indexes}
        published = digests.get(self.service.name)
        if published != found.digest:
            yield f"{self.made.version.tag} leads to {found.digest}, and {published or 'nothing'} was published"
        if not self.noted.published:
            yield "the release was not finished, or was taken back"
        passed = {each.platform for each in self.noted.gate if each.exit_code == 0}
        if stopped := sorted(set(self.noted.platforms) - passed):
            yield f"the gate has not let the images for {', '.join(stopped)} pass"

    def _moved(self, digest: str) -> Iterator[str]:
        """Whether the tags that moved to the release are still there, or have moved on to a later one."""
        if self.noted is None or not self.noted.published or not self.noted.moving:
            return
        repository = self.service.repository
        existing = self.registries.tags(repository)
        still = moving_tags(self.made.version, existing, MOVING)
        later = [each.tag for each in reversed(released(existing)) if each.later(self.made.version)]
        for tag in self.noted.moving:
            leads = self.registries.digest(repository, tag)
            if leads == digest:
                continue
            if leads is None:
                yield f"there is no tag {tag}"
                continue
            heirs = [each for each in later if tag == LATEST or each.startswith(f"{tag}.")][:_MOST_LATER]
            if tag in still or all(self.registries.digest(repository, each) != leads for each in heirs):
                yield f"{tag} leads to {leads}, which is neither this release nor a later one"

    def _labels(self) -> dict[str, str]:
        """What index and images have to say of themselves, as far as the release has noted it."""
        if self.noted is None:
            return {_VERSION: str(self.made.version)}
        commit = Commit(revision=self.noted.revision, created=self.noted.created)
        return labels(self.made.version, commit, self.service, source=None, licenses=None)

    def _content(self, found: Document, platforms: list[str], *, signed: bool) -> Iterator[str]:
        name = self.service.named(self.made.version.tag)
        parsed = parse_manifest(found.content, name, found.media_type)
        if not isinstance(parsed, Index):
            yield "it is one image and no index"
            return
        said, wanted = annotations_of(found.content), self._labels()
        yield from _differing("the index", said, wanted)
        wanted |= {key: said[key] for key in _PROJECT if key in said}
        lists = {
            each.platform: each.digest
            for each in (self.noted.lists if self.noted else ())
            if each.service == self.service.name
        }
        for each in parsed.manifests:
            if not each.leads_to_images:
                if self._child(each) is None:
                    yield f"{each.digest}, which is attested of an image, is not there"
                continue
            platform = declared(each.platform)
            if platform is None:
                yield f"the index does not say for which platform {each.digest} is"
                continue
            platforms.append(str(platform))
            yield from (f"{platform}: {problem}" for problem in self._image(each, platform, wanted))
            if str(platform) in lists and (
                problem := lost(self.registries, self.service.repository, each.digest, lists[str(platform)])
            ):
                yield f"{platform}: {problem}"
            if signed and (problem := self.unsigned(self.service.repository, each.digest)) is not None:
                yield f"{platform}: {problem}"
            if not self._passed(each.digest, str(platform)):
                yield f"{platform}: {each.digest} has not passed the gate"
        expected = self.noted.platforms if self.noted is not None else self.made.platforms
        if missing := sorted(set(expected) - set(platforms)):
            yield f"there is no image for {', '.join(missing)}"

    def _passed(self, image: str, platform: str) -> bool:
        """Whether the image has passed the gate, where anything is known of that."""
        return self.noted is None or any(
            f"{self.service.repository}@{image}" in passage.images
            for passage in self.noted.gate
            if passage.platform == platform and passage.exit_code == 0
        )

    def _child(self, each: Descriptor) -> Document | None:
        digest = str(each.checked_digest(self.service.repository))
        child = self.registries.fetch(self.service.repository, digest)
        if child is not None and (len(child.content), child.media_type) != (each.size, each.media_type):
            raise DamagedImage(f"{each.digest} is not of the type and the size that the index says")
        return child

    def _image(self, each: Descriptor, platform: Platform, wanted: Mapping[str, str]) -> Iterator[str]:
        child = self._child(each)
        if child is None:
            yield f"{each.digest} is not there"
            return
        manifest = parse_manifest(child.content, each.digest, child.media_type)
        if not isinstance(manifest, ImageManifest):
            yield f"{each.digest} is no image"
            return
        push = Push(repository=self.registries.repository(self.service.repository))
        if push.has(manifest.config.checked_digest(self.service.repository)):
            try:
                said = read_configuration(self.registries, self.service.repository, manifest)
            except DamagedImage as error:
                yield error.message
            else:
                if platform.rank(said.platform) is None:
                    yield f"the image says that it is for {said.platform}"
                yield from _differing("the image", said.labels, wanted)
        else:
            yield f"the configuration {manifest.config.digest} is not there"
        for layer in manifest.layers:
            if not push.has(layer.checked_digest(self.service.repository)):
                yield f"the layer {layer.digest} is not there"


def _differing(what: str, said: Mapping[str, str], wanted: Mapping[str, str]) -> Iterator[str]:
    """Where it says something else of itself than it has to."""
    for key, value in wanted.items():
        if said.get(key) != value:
            name = key.removeprefix(f"{_OCI}.")
            found = f"`{said[key]}`" if key in said else "nothing"
            yield f"{what} says that its {name} is {found}, and it is `{value}`"
