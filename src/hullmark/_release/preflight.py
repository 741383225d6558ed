"""What has to be right before a release begins; everything is looked at, and everything that is wrong told at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hullmark._release.builder import inspect
from hullmark._release.commit import tagged_commit
from hullmark.errors import ConfigurationError, HullmarkError, Interrupted, UsageError
from hullmark.model.release import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from hullmark._process import Commands
    from hullmark._release.builder import Builder
    from hullmark._release.plan import Wanted
    from hullmark._release.registries import Registries
    from hullmark.model.project import Service

_AT_ONCE = 8
_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What the checks found."""

    problems: tuple[Problem, ...]
    tags: tuple[str, ...]
    """Every tag that any of the repositories has."""
    builder: Builder | None


def preflight(
    made: Wanted,
    registries: Registries,
    commands: Commands,
    *,
    known: frozenset[str] = frozenset(),
    building: tuple[str, ...],
    writing: bool = True,
) -> Found:
    """What stands in the way of the release `made`.

    `known` are digests that this very release has published, which its tag may lead to. The builder has to be one for
    the platforms `building`, and is not looked at where there are none. Without `writing` nothing asks for the right to
    write, and no builder is started.
    """
    problems = [*_tree(made), *_tag(made, commands)]
    builder: Builder | None = None
    if building:
        try:
            builder = inspect(commands, made.project.settings.release.builder, starting=writing)
        except HullmarkError as error:
            problems.append(_problem("builder", error))
        else:
            problems += _platforms(made, builder, building)
    tags: dict[str, None] = {}
    looks: list[Callable[[], tuple[tuple[str, ...], list[Problem]]]] = [
        lambda repository=each.repository: _repository(made, registries, repository, known, writing=writing)  # type: ignore[misc]  # its own
        for each in made.services
    ]
    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        for found, wrong in pool.map(lambda look: look(), looks):
            tags |= dict.fromkeys(found)
            problems += [each for each in wrong if each not in problems]
    return Found(problems=tuple(problems), tags=tuple(tags), builder=builder)


def refused(problems: Iterable[Problem]) -> UsageError:
    """The error for a release that cannot begin."""
    lines = []
    for each in problems:
        lines.append(f"  {each.check}: {each.text}")
        if each.hint:
            lines.append(f"    help: {each.hint}")
    return UsageError("\n".join(("the release cannot begin:", *lines)))


def _problem(check: str, error: HullmarkError) -> Problem:
    if isinstance(error, Interrupted | ConfigurationError):
        raise error
    return Problem(check=check, text=error.message, hint=error.hint)


def _tree(made: Wanted) -> Iterator[Problem]:
    changed = made.commit.changed
    if changed:
        shown = ", ".join(f"`{each}`" for each in changed[:_SHOWN])
        more = f" and {len(changed) - _SHOWN} more" if len(changed) > _SHOWN else ""
        yield Problem(
            check="tree",
            text=f"the work tree is not as {made.commit.revision[:12]} has it: {shown}{more}",
            hint="commit or stash it: what is released must be what the commit holds",
        )


def _tag(made: Wanted, commands: Commands) -> Iterator[Problem]:
    for tag in (f"v{made.version}", str(made.version)):
        commit = tagged_commit(made.project.root, commands, tag)
        if commit is not None and commit != made.commit.revision:
            yield Problem(
                check="tag",
                text=f"the tag `{tag}` leads to {commit[:12]}, and {made.commit.revision[:12]} is checked out",
                hint=f"`git checkout {tag}`",
            )


def _platforms(made: Wanted, builder: Builder, platforms: tuple[str, ...]) -> Iterator[Problem]:
    from hullmark._dockerfile import dockerfile_of  # noqa: PLC0415  # its parsers take a while to load

    missing = [each for each in platforms if not builder.builds(each)]
    if not missing:
        return
    names = {service.name for service in made.services}
    running = []
    for service in made.project.built:
        if service.name in names:
            try:
                if _runs(service, dockerfile_of(service, made.project.root)):
                    running.append(service.name)
            except HullmarkError as error:
                yield _problem("platform", error)
    if running:
        there = ", ".join(sorted(builder.platforms))
        yield Problem(
            check="platform",
            text=f"the builder `{builder.name}` runs nothing for {', '.join(missing)}, as the images of "
            f"{', '.join(running)} need; it is for {there}",
            hint="install qemu-user-static with binfmt-support, take a builder with a node for it, or build each platform "
            "on a machine of its own with `hullmark release build --platform`",
        )


def _runs(service: Service, dockerfile: object) -> bool:
    """Whether a build of it starts programs of the platform that it is for."""
    from hullmark.model.dockerfile import Dockerfile  # noqa: PLC0415

    if not isinstance(dockerfile, Dockerfile) or service.build is None:
        return True  # nobody knows
    stages = dockerfile.recipe(service.build.target).stages
    return any(
        instruction.keyword == "RUN"
        for stage in stages
        if not any(
            flag.name == "platform" and "BUILDPLATFORM" in (flag.value or "") for flag in stage.opening.flags
        )
        for instruction in stage.instructions
    )


def _repository(
    made: Wanted, registries: Registries, repository: str, known: frozenset[str], *, writing: bool
) -> tuple[tuple[str, ...], list[Problem]]:
    """The tags of one repository, and what is wrong with it."""
    try:
        tags = registries.tags(repository)
        if writing:
            registries.check_writable(repository)
        taken = registries.digest(repository, made.version.tag)
    except HullmarkError as error:
        return (), [_problem("registry", error)]
    if taken is None or taken in known:
        return tags, []
    problem = Problem(
        check="taken",
        text=f"{repository}:{made.version.tag} is there already, as {taken}",
        hint="a version is published once: release the next one",
    )
    return tags, [problem]
