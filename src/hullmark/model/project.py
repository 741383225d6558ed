"""The project: the resolved Compose project plus what `hullmark.toml` says of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hullmark.model.drill import DrillSettings
from hullmark.model.glob import fits
from hullmark.model.release import ReleaseSettings
from hullmark.model.secret import SecretPolicy, is_hash_of
from hullmark.model.verdict import Policy

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable
    from pathlib import Path

    from hullmark.model.baseline import Standing
    from hullmark.model.drill import Drill
    from hullmark.model.finding import Finding
    from hullmark.model.location import SourceSpan
    from hullmark.model.probe import LogRule, Probe, Variable


@dataclass(frozen=True, slots=True, kw_only=True)
class NonRoot:
    """The image must name a user that is not root."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnyUser:
    """The image may run as whoever it likes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DropsTo:
    """The image may start as root, but what it runs must end up as `name`."""

    name: str


UserPolicy = NonRoot | AnyUser | DropsTo


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A connection that one service must be able to make to another."""

    from_service: str
    to: str
    """`http://`, `https://` or `tcp://` with the other service's name as host."""
    origin: SourceSpan
    tls: str = "verify"
    status: int | None = None
    timeout: float = 15.0
    degrades: bool = False
    """Whether the caller stays healthy, and answers its probes, while it cannot reach the other."""
    derived: str = ""
    """What says that there is this link, where `hullmark.toml` does not declare it."""

    def __str__(self) -> str:
        return f"{self.from_service} -> {self.to}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """How many bytes something of an image may have."""

    size: int
    origin: SourceSpan


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """How long something of a service may take."""

    seconds: float
    origin: SourceSpan


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSettings:
    """What `hullmark.toml` says of one service."""

    budget: Budget | None = None
    """For what the image holds, unpacked."""
    transfer_budget: Budget | None = None
    """For what a host without any of it pulls, compressed."""
    update_budget: Budget | None = None
    """For what a host with the previous one pulls, compressed."""
    growth_budget: Budget | None = None
    """For what it may hold more than the baseline's, unpacked."""
    previous: str | None = None
    """The image that hosts have: a reference, or a JSON report, relative to the project."""
    stage_image: str | None = None
    """The stage that its image is a squash of, where it is not built out of the builder's cache: a reference."""
    user: UserPolicy = AnyUser()
    user_origin: SourceSpan | None = None
    timeout: Allowance | None = None
    """From the start of its container until it is given up."""
    start_budget: Allowance | None = None
    """From the start of its container until it is up, or the start is too slow."""
    restarts: int = 0
    """How many times its restart policy may start it again before it is up; with none the policy is off."""
    probes: tuple[Probe, ...] = ()
    logs: tuple[LogRule, ...] = ()
    """What its log must not hold."""
    memory_budget: Budget | None = None
    """For what its containers use once everything is up and nobody asks anything."""
    drills: DrillSettings = field(default_factory=DrillSettings)
    origin: SourceSpan | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignore:
    """A finding that the project has decided to live with."""

    rule: str
    service: str | None
    reason: str
    expires: dt.date | None
    origin: SourceSpan
    owner: str | None = None
    """Whom to ask about it."""
    path: str | None = None
    """Only in files whose path fits this pattern."""
    format: str | None = None
    """Only secrets of this format."""
    hash: str | None = None
    """Only this secret."""

    def covers(self, finding: Finding, today: dt.date) -> bool:
        """Whether `finding` is ignored on the day `today`; the last day counts."""
        if self.rule != finding.rule and self.rule not in finding.aliases:
            return False
        if self.service is not None and self.service != finding.service:
            return False
        path, likeness = getattr(finding.location, "path", None), finding.likeness
        if self.path is not None and (path is None or not fits(self.path, path)):
            return False
        if self.format is not None and (likeness is None or likeness.format != self.format):
            return False
        if self.hash is not None and (likeness is None or not is_hash_of(self.hash, likeness.hash)):
            return False
        return self.expires is None or today <= self.expires

    @property
    def narrowed(self) -> str:
        """What it is confined to beside its service, in words; empty where that is nothing."""
        said = (("format", self.format), ("path", self.path), ("hash", self.hash))
        return ", ".join(f"{name} {value}" for name, value in said if value is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class VulnerabilityIgnore:
    """One vulnerability that the project has decided to live with, for a while and for a reason."""

    id: str
    """By any of its names."""
    reason: str
    expires: dt.date
    """The last day on which it holds."""
    origin: SourceSpan
    package: str | None = None
    """Only in this package, by its own name or that of its source; in every one where `None`."""
    service: str | None = None
    """Only in the image of this service; in every one where `None`."""
    owner: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanSettings:
    """How vulnerabilities are looked for and when they matter."""

    scanner: str = "embedded"
    """`embedded`, `trivy`, `grype`, `osv-scanner`, or `all` of those that are there."""
    fail_on: str = "never"
    """The least severity that fails: `low`, `medium`, `high`, `critical`, or `never`."""
    reports: str = "trivy-reports"
    """Directory for the scanner's own reports, relative to the project."""
    ignore_file: str = ".trivyignore"
    db_url: str | None = None
    """Where the records of vulnerabilities come from; `None` stands for the public bucket."""
    db_max_age: float = 7 * 86400.0
    """Seconds after which stored records are too old to rely on."""
    fixable: bool = True
    """Whether only what has a fix counts as a finding."""
    grace: float = 0.0
    """Seconds since its disclosure for which a vulnerability is a note."""
    kernel_headers: bool = False
    """Whether vulnerabilities of the kernel count, of which an image has headers alone."""
    vex: tuple[str, ...] = ()
    """Documents that say which vulnerabilities do not affect the images, relative to the project."""
    ignores: tuple[VulnerabilityIgnore, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineSettings:
    """What a run is compared with, and what of that makes it fail."""

    against: str | None = None
    """A file, a revision of git or an image; nothing where `None`."""
    file: str = "hullmark-baseline.jsonl"
    """The file that a project keeps in git, relative to the project."""
    kept: str = "artifact"
    """Where a CI system keeps the baseline of a branch: `artifact`, `registry:REFERENCE` or `none`."""
    branches: tuple[str, ...] = ("main",)
    """The branches whose runs keep one."""
    new_only: bool = False
    """Whether only what the baseline does not have makes the verdict fail."""
    required: bool = False
    """Whether a run without one is not to begin."""
    introduced: str | None = None
    """The least severity of a vulnerability that fails, of those that came with the change; as in `ScanSettings`."""
    disclosed: str | None = None
    known: str | None = None
    growth: Budget | None = None
    """By how much an image may grow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CiSettings:
    """What the files of a CI system are called, and what their jobs show."""

    name: str | None = None
    """What tells them from those of other projects of the repository; the directory says so where `None`."""
    annotations: bool = True
    """Whether the lines of a change are annotated in a job of GitHub."""
    code_scanning: bool = True
    """Whether the report is handed to code scanning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HistorySettings:
    """Where what was measured is kept, and what is made of it."""

    url: str | None = field(default=None, repr=False)
    """Of a database; it may hold a password. `None` stands for a file of the user's."""
    branch: str | None = None
    """Whose records are looked at; all of them where `None`."""
    trend: float = 0.05
    """By which share of its size an image may creep."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that can be configured, with defaults filled in."""

    compose: tuple[str, ...] = ()
    env_file: str | None = None
    profiles: tuple[str, ...] = ()
    policy: Policy = field(default_factory=Policy)
    labels: tuple[str, ...] = ("org.opencontainers.image.version",)
    previous: str | None = None
    """See `ServiceSettings.previous`; of the services that have none of their own."""
    hadolint: str = "auto"
    """Whether hadolint is run: `auto` where it is installed, `always`, or `never`."""
    dev_compose: tuple[str, ...] = ()
    """The Compose files of the development stack; none stands for the convention."""
    smoke_timeout: float = 300.0
    smoke_shared: tuple[str, ...] = ()
    """What the isolated copy of the stack shares with the world outside: external networks and volumes, and paths."""
    smoke_drills: tuple[Drill, ...] = ()
    """What the stack is put to once it works."""
    drill_timeout: float = 60.0
    """Seconds within which a service must be well again after a drill."""
    upgrade_from: tuple[str, ...] = ()
    """The images that hosts have before these: JSON reports, and `SERVICE=REFERENCE`."""
    forbidden_logs: tuple[LogRule, ...] = ()
    """What no service's log may hold."""
    variables: tuple[Variable, ...] = ()
    """What probes refer to of the environment, as far as it is set."""
    smoke_derive_links: bool = True
    """Whether links that are not declared are taken from what services wait for, and have the addresses of."""
    secrets: SecretPolicy = field(default_factory=SecretPolicy)
    scan: ScanSettings = field(default_factory=ScanSettings)
    baseline: BaselineSettings = field(default_factory=BaselineSettings)
    history: HistorySettings = field(default_factory=HistorySettings)
    ci: CiSettings = field(default_factory=CiSettings)
    release: ReleaseSettings = field(default_factory=ReleaseSettings)
    services: tuple[tuple[str, ServiceSettings], ...] = ()
    links: tuple[Link, ...] = ()
    ignores: tuple[Ignore, ...] = ()
    origins: tuple[tuple[str, str], ...] = ()
    """For every option that is not at its default: its key, and where the value came from."""

    def service(self, name: str) -> ServiceSettings:
        """The settings of the service called `name`; the defaults when it is not mentioned."""
        return dict(self.services).get(name, ServiceSettings())

    def fail_on(self, standing: Standing | None) -> str:
        """The least severity that fails of a vulnerability that stands so to the baseline; as in `ScanSettings`."""
        own = None if standing is None else getattr(self.baseline, str(standing))
        return own or self.scan.fail_on


@dataclass(frozen=True, slots=True, kw_only=True)
class Inline:
    """A Dockerfile that is written in a Compose file."""

    text: str
    span: SourceSpan
    """Where its first character stands; the key, where its lines cannot be told apart in the Compose file."""
    exact: bool
    """Whether line after line of it stands below `span`, as behind `|`."""
    lines: tuple[int, ...] = ()
    """Behind `>`, where several lines of the file become one: the first line there of each of its lines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """How Compose builds a service's image."""

    context: str
    """Absolute path or URL of the build context."""
    dockerfile: str
    """Absolute path of the Dockerfile, or its path within a context that is not a directory."""
    target: str | None = None
    unreadable: str | None = None
    """Why there is no Dockerfile to be read here, if there is none: it is inline, or in a remote context."""
    inline: Inline | None = None
    """The Dockerfile, where it is written in a Compose file."""
    args: tuple[tuple[str, str], ...] = ()
    """Build arguments that Compose sets."""
    labels: tuple[str, ...] = ()
    """Names of the labels that Compose has the builder set."""
    contexts: tuple[str, ...] = ()
    """Names of the contexts besides its own; one takes the place of an image that is called the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UserOverride:
    """The user that a Compose file starts a service as, whatever its image says."""

    user: str
    """As written, with or without a group."""
    span: SourceSpan


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One service of the resolved Compose project."""

    name: str
    image: str
    """The image that is run: given, or the name that Compose derives for one it builds."""
    build: Build | None
    span: SourceSpan
    """Where the Compose file declares it."""
    ports: tuple[int, ...] = ()
    """Container ports that are published."""
    volumes: tuple[str, ...] = ()
    """Container paths at which volumes are mounted; those of directories of the host are not among them."""
    depends_on: tuple[tuple[str, str], ...] = ()
    """Service and the condition that is waited for."""
    user: UserOverride | None = None
    restarts: bool = False
    """Whether its restart policy starts it again after it fails."""
    restarts_when_done: bool = False
    """Whether that starts it again also after exit code 0."""
    restart_limit: int | None = None
    """How often that starts it again; `None` stands for ever."""
    memory_limit: tuple[str, int] | None = None
    """The key that limits its memory, and the bytes that it allows; `None` without a limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A Compose project, resolved, and its settings."""

    name: str
    root: Path
    services: tuple[Service, ...]
    """Sorted by name."""
    settings: Settings
    resolved: str = field(repr=False)
    """`docker compose config` as JSON. It holds secrets: never log or report it."""
    compose_arguments: tuple[str, ...] = ()
    """What `docker compose` needs to be told to find this project again."""
    files: tuple[Path, ...] = ()
    """The Compose files, absolute, in the order in which they are merged."""
    warnings: tuple[str, ...] = ()
    """What Compose thought worth a warning, such as a variable that is not set, a line each with its place."""
    given: tuple[str, ...] = ()
    """The services that run an image that somebody named, instead of that of the project."""

    def service(self, name: str) -> Service:
        """The service called `name`; raises `KeyError` when there is none."""
        return next((s for s in self.services if s.name == name), None) or _missing(name)

    def needed(self, names: Iterable[str]) -> tuple[str, ...]:
        """The services that come up with `names`, sorted: they and what they depend on; all of them when it is empty."""
        found: set[str] = set()
        todo = [*names] or [service.name for service in self.services]
        while todo:
            name = todo.pop()
            if name not in found:
                found.add(name)
                todo += [other for other, _ in self.service(name).depends_on]
        return tuple(sorted(found))

    def own_images(self, service: Service) -> frozenset[str]:
        """What a Dockerfile of `service` can call by a name although no registry has it: its contexts, and images built here."""
        contexts = () if service.build is None else service.build.contexts
        return frozenset({*contexts, *(each.image for each in self.built)})

    @property
    def built(self) -> tuple[Service, ...]:
        """The services whose images this project builds."""
        return tuple(s for s in self.services if s.build is not None)

    @property
    def one_shots(self) -> frozenset[str]:
        """Services that others wait for to complete, and which therefore are expected to exit."""
        return frozenset(
            name
            for service in self.services
            for name, condition in service.depends_on
            if condition == "service_completed_successfully"
        )


def _missing(name: str) -> Service:
    raise KeyError(name)
