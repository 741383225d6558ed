"""How far a release is: what was pushed, how it fared at the gate, and which tags move.

All of it is written to a file and read back, so it holds texts and numbers only.
"""

from __future__ import annotations

from dataclasses import dataclass

from hullmark.model.journal import Move  # noqa: TC001  # whoever reads it back looks at the types


@dataclass(frozen=True, slots=True, kw_only=True)
class Staged:
    """An image for one platform, as it was pushed."""

    platform: str
    reference: str
    """The tag that it waits under."""
    digest: str
    """Of its manifest, or of the index that holds it beside its attestations."""
    image: str
    """Of its manifest."""
    media_type: str
    """Of the manifest."""
    size: int
    """Bytes of the manifest."""
    attestations: tuple[Attached, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Attached:
    """A manifest beside an image: what is attested of it."""

    digest: str
    media_type: str
    size: int
    annotations: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StagedService:
    """The images of one service."""

    name: str
    repository: str
    images: tuple[Staged, ...] = ()

    def image(self, platform: str) -> Staged | None:
        """The one for `platform`."""
        return next((each for each in self.images if each.platform == platform), None)

    def pinned(self, platform: str) -> str | None:
        """The image for `platform`, by its digest."""
        found = self.image(platform)
        return None if found is None else f"{self.repository}@{found.image}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A vulnerability that was known of an image when it was looked at."""

    service: str
    id: str
    package: str
    installed: str
    severity: str
    fixed: str | None = None
    """The first version without it, when there is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """How the images for one platform fared at the gate."""

    platform: str
    exit_code: int
    """As the verdict has it: 0 where they may sail."""
    checks: tuple[str, ...]
    """What was done with all of them."""
    unmade: tuple[str, ...] = ()
    """What could not be checked, and why, a line each; it has stopped them unless it is set not to."""
    findings: tuple[str, ...] = ()
    """What stopped them, a line each."""
    images: tuple[str, ...] = ()
    """What was looked at, by digest, sorted."""
    scanned: tuple[str, ...] = ()
    """The services whose images were looked up in records of vulnerabilities; of the others nothing is known."""
    vulnerabilities: tuple[Known, ...] = ()
    """What was known of these."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """The index of one service."""

    service: str
    digest: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """The list of the software of one image, which is beside it."""

    service: str
    platform: str
    digest: str
    """Of its manifest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """How far a release is."""

    project: str
    version: str
    revision: str
    created: int
    """When its commit was made, in seconds since 1970."""
    platforms: tuple[str, ...]
    """All that it is to have."""
    moving: tuple[str, ...]
    services: tuple[StagedService, ...]
    seen: tuple[tuple[str, str, str | None], ...] = ()
    """Repository, tag and digest: what the tags that move led to when it began."""
    gate: tuple[Passage, ...] = ()
    indexes: tuple[Published, ...] = ()
    lists: tuple[Listed, ...] = ()
    journal: tuple[Move, ...] = ()
    """Empty until tags begin to move."""
    published: bool = False
    triggered: tuple[str, ...] = ()
    """What has been set off."""

    @property
    def tag(self) -> str:
        """The tag of its version, in which `_` stands for `+`."""
        return self.version.replace("+", "_")

    @property
    def missing(self) -> tuple[str, ...]:
        """Images that have not been built, as `SERVICE for PLATFORM`."""
        return tuple(
            f"{service.name} for {platform}"
            for service in self.services
            for platform in self.platforms
            if service.image(platform) is None
        )

    def passed(self, platform: str) -> bool:
        """Whether the images for `platform` that are staged now are the ones that passed the gate."""
        passage = next((each for each in self.gate if each.platform == platform), None)
        pinned = sorted(filter(None, (service.pinned(platform) for service in self.services)))
        return (
            passage is not None
            and passage.exit_code == 0
            and passage.images == tuple(pinned)
            and len(pinned) == len(self.services)
        )

    @property
    def gated(self) -> bool:
        """Whether everything that is to be published passed the gate."""
        return bool(self.services) and all(map(self.passed, self.platforms))
