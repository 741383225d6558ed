"""Everything that a release will do, worked out before anything is done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from hullmark._images.platforms import Platform
from hullmark.errors import UsageError, nearest
from hullmark.model.reference import parse_reference
from hullmark.model.release import (
    CommandTrigger,
    Plan,
    PlannedService,
    Problem,
    Step,
    WebhookTrigger,
    WorkflowTrigger,
)
from hullmark.model.version import held_back, moving_tags

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from hullmark._release.builder import Builder
    from hullmark.model.project import Project, Service
    from hullmark.model.release import Commit, Trigger
    from hullmark.model.version import Version

_HOSTS = frozenset(".:")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is asked for, and known before any registry is asked."""

    project: Project
    version: Version
    commit: Commit
    platforms: tuple[str, ...]
    native: str
    services: tuple[PlannedService, ...]


def wanted(
    project: Project, version: Version, commit: Commit, native: str
) -> tuple[Wanted, tuple[Problem, ...]]:
    """What a release of `project` is made of, for the platforms that are configured, and what is wrong with it."""
    settings = project.settings.release
    names = [service.name for service in project.built]
    problems: list[Problem] = []
    for name in settings.services:
        if name not in names:
            meant = nearest(name, names)
            question = (
                f"did you mean `{meant}`?" if meant else f"the services that are built are {', '.join(names)}"
            )
            problems.append(
                Problem(
                    check="names", text=f"`services` of `[release]`: no service `{name}` is built; {question}"
                )
            )
    services = []
    for service in project.built:
        if settings.services and service.name not in settings.services:
            continue
        try:
            services.append(PlannedService(name=service.name, repository=_repository(project, service)))
        except ValueError as error:
            problems.append(Problem(check="names", text=str(error), hint=_WHERE))
    if not services and not problems:
        problems.append(Problem(check="names", text="the project builds no image that could be released"))
    problems += _clashes(services)
    chosen = tuple(dict.fromkeys(str(Platform.parse(each)) for each in settings.platforms))
    made = Wanted(
        project=project,
        version=version,
        commit=commit,
        platforms=chosen or (native,),
        native=native,
        services=tuple(services),
    )
    return made, tuple(problems)


_WHERE = 'set `registry = "HOST/PATH"` in `[release]`, or give `--registry`'


def _repository(project: Project, service: Service) -> str:
    """Where the image of `service` is published; raises `ValueError` where nothing says that."""
    name = service.image.partition("@")[0]
    host, slash, _ = name.partition("/")
    prefix = project.settings.release.registry
    if slash and (host == "localhost" or _HOSTS & set(host)):
        parsed = parse_reference(name)
    elif prefix is None:
        raise ValueError(f"service `{service.name}`: its image, `{name}`, is in no registry")
    else:
        parsed = parse_reference(f"{prefix.rstrip('/')}/{name}")
    return f"{parsed.registry}/{parsed.repository}"


def _clashes(services: Iterable[PlannedService]) -> Iterator[Problem]:
    taken: dict[str, str] = {}
    for service in services:
        if (other := taken.setdefault(service.repository, service.name)) != service.name:
            yield Problem(
                check="names",
                text=f"`{other}` and `{service.name}` would both be published as `{service.repository}`",
            )


def plan(
    made: Wanted, existing: Sequence[str], *, signing: bool = False, builder: Builder | None = None
) -> Plan:
    """The steps of the release, where the repositories have the tags `existing` already; with `signing` it is signed.

    What `builder` puts with the images is among the rules, where one is known.
    """
    version, settings = made.version, made.project.settings.release
    moving = moving_tags(version, existing, settings.tags)
    return Plan(
        project=made.project.name,
        version=version,
        commit=made.commit,
        platforms=made.platforms,
        native=made.native,
        services=made.services,
        moving=moving,
        steps=tuple(_steps(made, moving, signing=signing)),
        rules=(*_rules(made), *attached(builder), *_held_back(made, existing)),
    )


def _steps(made: Wanted, moving: tuple[str, ...], *, signing: bool) -> Iterator[Step]:
    version, settings = made.version, made.project.settings.release
    yield Step(phase="prepare", what=f"release {version} of {made.commit.revision[:12]}")
    for platform in made.platforms:
        for service in made.services:
            yield Step(
                phase="build",
                what="build and push",
                service=service.name,
                platform=platform,
                reference=service.staging(version, platform),
            )
    for platform in made.platforms:
        yield Step(phase="gate", what="validate, look for secrets, scan", platform=platform)
        if settings.smoke and (platform == made.native or settings.smoke_platforms == "all"):
            yield Step(phase="gate", what="start the stack with exactly these images", platform=platform)
    yield from _publishing(made, moving, signing=signing)
    for trigger in settings.triggers:
        yield Step(phase="follow up", what=told(trigger))
    if settings.github_release:
        yield Step(phase="follow up", what=f"create the release on GitHub in {settings.github_release}")


def _publishing(made: Wanted, moving: tuple[str, ...], *, signing: bool) -> Iterator[Step]:
    version, settings = made.version, made.project.settings.release
    for service in made.services:
        yield Step(
            phase="publish",
            what=f"join {len(made.platforms)} image{'s' * (len(made.platforms) > 1)} in an index",
            service=service.name,
            reference=f"{service.repository}@sha256:...",
        )
    if settings.sbom:
        yield Step(phase="publish", what="list the software of each image beside it")
    if signing:
        yield Step(phase="publish", what="sign each index and its images by cosign")
    for tag in (version.tag, *moving):
        for service in made.services:
            yield Step(
                phase="publish", what="move the tag", service=service.name, reference=service.named(tag)
            )


def told(trigger: Trigger) -> str:
    """What `trigger` does, in a few words."""
    match trigger:
        case CommandTrigger(command=command):
            return f"run `{' '.join(command)}`"
        case WebhookTrigger(url=url):
            # In many services whoever knows the whole of it may use it.
            parts = urlsplit(url)
            return f"tell {parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        case WorkflowTrigger(workflow=workflow, ref=ref):
            return f"dispatch {workflow} at {ref}"


def _rules(made: Wanted) -> Iterator[str]:
    settings = made.project.settings
    fail_on = settings.release.fail_on or settings.policy.fail_on
    scan = settings.release.scan_fail_on or settings.scan.fail_on
    yield f"a finding of severity {fail_on} or worse stops it"
    if scan == "never":
        yield "vulnerabilities are reported and do not stop it"
    else:
        yield f"a vulnerability of severity {scan} or worse stops it"
    if settings.release.scan_fail_on == "never":
        yield "what could not be checked stops it, except a scan, as `scan-fail-on` of `[release]` says"
    else:
        yield "what could not be checked stops it"
    yield f"the tag {made.version.tag} is never moved once it is there"
    if made.version.pre:
        yield "no other tag moves to a pre-release"
    foreign = [each for each in made.platforms if each != made.native]
    if foreign and settings.release.smoke_platforms != "all":
        yield f"images for {', '.join(foreign)} are looked at and not started here"
    if not settings.release.smoke:
        yield "the stack is not started, as `smoke` of `[release]` says"


def attached(builder: Builder | None) -> Iterator[str]:
    """What comes with the images, which is for the driver of the builder to do."""
    if builder is None:
        return
    if builder.in_engine:
        yield (
            f"no provenance is attached and no manifest of an image is annotated: the builder `{builder.name}` has the "
            f"driver {builder.driver}, which does neither; docker-container, kubernetes and remote do both"
        )
    else:
        yield (
            f"provenance is attached and the manifest of each image is annotated, by the builder `{builder.name}` of the "
            f"driver {builder.driver}"
        )


def _held_back(made: Wanted, existing: Sequence[str]) -> Iterator[str]:
    """Which tags do not move, and because of which."""
    for tag, holder in held_back(made.version, existing, made.project.settings.release.tags):
        yield f"{tag} stays where it is: the tag {holder} is of a later version"


def platform_of(made: Wanted, asked: Iterable[str]) -> tuple[str, ...]:
    """Those of the release's platforms that are `asked` for, all where none is; raises `UsageError` for others."""
    chosen = tuple(str(Platform.parse(each)) for each in asked)
    for each in chosen:
        if each not in made.platforms:
            raise UsageError(f"the release has no images for {each}; it is for {', '.join(made.platforms)}")
    return chosen or made.platforms
