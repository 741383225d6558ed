"""A release: what is asked for, what it is made of, and how far it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hullmark.model.version import MOVING

if TYPE_CHECKING:
    from hullmark.model.difference import Difference
    from hullmark.model.finding import Severity
    from hullmark.model.location import SourceSpan
    from hullmark.model.staging import Known
    from hullmark.model.version import Version


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandTrigger:
    """A program that is started once a release is published."""

    command: tuple[str, ...]
    timeout: float
    origin: SourceSpan


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookTrigger:
    """A URL that is told of a release."""

    url: str
    secret: str | None
    """The environment variable with the key that it is signed by."""
    timeout: float
    origin: SourceSpan


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowTrigger:
    """A workflow of GitHub that is dispatched."""

    workflow: str
    """`OWNER/REPOSITORY/FILE.yml`."""
    ref: str
    token: str
    """The environment variable with the token."""
    timeout: float
    origin: SourceSpan


Trigger = CommandTrigger | WebhookTrigger | WorkflowTrigger


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseSettings:
    """What `hullmark.toml` says of releases."""

    registry: str | None = None
    """Stands before the names of images that name no registry."""
    platforms: tuple[str, ...] = ()
    """This machine's where there are none."""
    services: tuple[str, ...] = ()
    """All that are built where there are none."""
    tags: tuple[str, ...] = MOVING
    builder: str | None = None
    source: str | None = None
    licenses: str | None = None
    fail_on: Severity | None = None
    """The least severe finding that stops a release; as for other commands where `None`."""
    scan_fail_on: str | None = None
    smoke: bool = True
    smoke_platforms: str = "native"
    """For which platforms the stack is started: `native` or `all`."""
    cache: bool = True
    sbom: bool = True
    """Whether a list of the software is put beside each image."""
    sign: str = "auto"
    certificate_identity: str | None = None
    """Who has to have signed, where that is done by identity and not by a key."""
    certificate_oidc_issuer: str | None = None
    """Who has to have vouched for that identity."""
    github_release: str | None = None
    environment: str | None = None
    """The environment of the CI system that publishes."""
    runners: tuple[tuple[str, str], ...] = ()
    """On which runner of the CI system the images for a platform are built, where it is not the usual one."""
    triggers: tuple[Trigger, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """What is released: one commit of the project's repository."""

    revision: str
    created: int
    """When it was committed, in seconds since 1970."""
    tags: tuple[str, ...] = ()
    """Those of the repository that lead to it."""
    changed: tuple[str, ...] = ()
    """Files of the work tree that are not as the commit has them."""
    source: str | None = None
    """Where the repository is for everybody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedService:
    """One image that is released, for every platform."""

    name: str
    repository: str
    """With its registry."""

    def staging(self, version: Version, platform: str) -> str:
        """Where the image for `platform` waits for the gate."""
        return f"{self.repository}:{staging_tag(version, platform)}"

    def named(self, tag: str) -> str:
        """The image with that tag."""
        return f"{self.repository}:{tag}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything that a release does, in order; made without doing anything."""

    project: str
    version: Version
    commit: Commit
    platforms: tuple[str, ...]
    native: str
    """The platform whose images can be started here."""
    services: tuple[PlannedService, ...]
    moving: tuple[str, ...]
    """Tags that move to this release, in every repository."""
    steps: tuple[Step, ...]
    rules: tuple[str, ...]
    """What stops it, in a sentence each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that a release does."""

    phase: str
    """`prepare`, `build`, `gate`, `publish` or `follow up`."""
    what: str
    service: str | None = None
    platform: str | None = None
    reference: str | None = None
    """What it makes, moves or looks at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Why a release cannot begin."""

    check: str
    """`version`, `tree`, `names`, `registry`, `platform`, `taken`, ...: what was looked at."""
    text: str
    hint: str | None = None


def staging_tag(version: Version, platform: str) -> str:
    """The tag of an image that waits for the gate: the version and the architecture, such as `1.4.2-arm64`."""
    _, _, architecture = platform.partition("/")
    return f"{version.tag}-{architecture.replace('/', '-')}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What a registry has of one service of a release."""

    service: str
    repository: str
    digest: str | None = None
    """Of what the tag of the version leads to."""
    platforms: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    unmade: tuple[str, ...] = ()
    """What the gate could not check, and let pass because it is set to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotScanned:
    """Nobody has looked for vulnerabilities of an image, which is not to have none."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VulnerabilityNews:
    """Known vulnerabilities of an image, and which have come and gone since the release before."""

    known: int
    new: tuple[Known, ...] | None
    """`None` where there is nothing to compare with."""
    fixed: tuple[Known, ...] | None
    by: str
    """Whose word that is."""
    unknown: tuple[tuple[str, int], ...] = ()
    """Ecosystems in which nothing could be looked up, and how many packages of the image belong to each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What is new in the image of one service."""

    service: str
    before: str | None
    """The version that it is compared with; `None` where there is none."""
    difference: Difference | None
    unpacked: int
    vulnerabilities: VulnerabilityNews | NotScanned
