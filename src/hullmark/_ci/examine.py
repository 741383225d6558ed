"""From a base and a head to what is affected between them."""

from __future__ import annotations

import contextlib
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from hullmark._ci.affected import Assembly
from hullmark._ci.before import Before, Configured, files_of
from hullmark._ci.changes import changes
from hullmark._ci.repository import find_repository
from hullmark._ci.revision import revision
from hullmark._compose import resolve
from hullmark._dockerfile import load
from hullmark._dockerfile.inputs import build_inputs
from hullmark._project import root_and_settings
from hullmark.errors import ConfigurationError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hullmark._ci.repository import Repository
    from hullmark._process import Commands
    from hullmark.model.affected import Affected
    from hullmark.model.inputs import BuildInputs
    from hullmark.model.location import SourceSpan
    from hullmark.model.project import Project


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """What is needed to find and resolve a project."""

    directory: Path
    """Where the command was started."""
    commands: Commands = field(repr=False)
    environ: Mapping[str, str] = field(repr=False)
    flags: Mapping[str, str]
    """What the command line says of the configuration."""


def examine(where: Where, base: str, head: str | None = None) -> Affected:
    """What is affected by all that happened between the point where `base` and `head` part and `head`.

    Without `head`, by what happened until now, in the work tree. Raises `UsageError` outside of a repository and for
    unknown revisions, `Unavailable` for a history that was cut off, `ConfigurationError` for a project that cannot be
    resolved.
    """
    root, settings = root_and_settings(where.directory, where.environ, where.flags)
    with ThreadPoolExecutor(max_workers=1) as pool:
        # Compose takes longer than git; neither needs the other.
        resolving = pool.submit(resolve, root, settings, where.commands)
        repository = find_repository(root, where.commands)
        found = changes(repository, base, head)
        if found.head is None or _is_checked_out(repository, found.head):
            return _examined(where, resolving.result(), repository, repository.top, found)
    with revision(repository, found.head) as then:
        then.write_all()
        return _examined(where, _project_at(where, root, repository, then), repository, then.top, found)


def _is_checked_out(repository: Repository, commit: str) -> bool:
    """Whether the work tree is what `commit` holds, so that it can be read there."""
    if repository.ask("rev-parse", "HEAD").strip() != commit:
        return False
    return not repository.records("status", "--porcelain", "-z", "--untracked-files=normal")


def _project_at(where: Where, root: Path, repository: Repository, then: Revision) -> Project:
    """The project as it is at a commit of which all files are written."""
    below = repository.below(root)
    there = then.top / below
    if not there.is_dir():
        raise UsageError(f"there is no `{below}` at {then.commit[:12]}")
    flags = dict(where.flags)
    if named := flags.get("project.compose"):
        files = (Path(os.path.realpath(where.directory / name)) for name in named.split(","))
        flags["project.compose"] = ",".join(
            str(then.top / file.relative_to(repository.top))
            if file.is_relative_to(repository.top)
            else str(file)
            for file in files
        )
    _take_along(root, there, repository)
    found, settings = root_and_settings(there, where.environ, flags)
    return resolve(found, settings, where.commands)


def _take_along(root: Path, there: Path, repository: Repository) -> None:
    """Copies the `.env` that git is told to ignore: it holds what is not to be committed, and is needed all the same."""
    source = root / ".env"
    ignored = repository.run("check-ignore", "--quiet", "--", str(source)).returncode == 0
    if ignored and source.is_file() and not (there / ".env").exists():
        shutil.copyfile(source, there / ".env")


def _examined(where: Where, project: Project, repository: Repository, top: Path, found: Changes) -> Affected:
    inputs = inputs_of(project)
    configured = Configured()
    if found.everything is None:
        configured = Before(
            project=project,
            repository=repository,
            top=top,
            changes=found,
            commands=where.commands,
            environ=where.environ,
            flags=where.flags,
        ).configured()
    assembly = Assembly(project=project, changes=found, top=str(top), inputs=inputs, place=_places(project))
    return assembly.assemble(configured)


def _places(project: Project) -> Callable[..., SourceSpan | None]:
    """Where something stands in the Compose files, which are read for that when it is asked for the first time."""
    read: list[Declarations] = []

    def place(*path: str) -> SourceSpan | None:
        if not read:
            from hullmark._compose.positions import declarations  # noqa: PLC0415  # mostly not needed

            read.append(declarations(project.files, project.root))
        return read[0].place(*path)

    return place


def inputs_of(project: Project) -> dict[str, BuildInputs]:
    """What the image of each service is built from, by service.

    Raises `ConfigurationError` with everything that is wrong in the Dockerfiles.
    """
    found: dict[str, BuildInputs] = {}
    problems: list[str] = []
    for service in project.built:
        assert service.build is not None
        try:
            found[service.name] = _inputs(project, service)
        except ConfigurationError as error:
            problems += [problem for problem in error.problems if problem not in problems]
        except UsageError as error:
            problems.append(f"{service.span}: service `{service.name}`: {error.message}")
    if problems:
        raise ConfigurationError(problems)
    return found
