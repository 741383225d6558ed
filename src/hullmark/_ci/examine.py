"""From a base and a head to what is affected between them."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from hullmark._ci.among import SETTINGS, changed_among
from hullmark._ci.changes import changes
from hullmark._ci.meanwhile import Meanwhile
from hullmark._ci.repository import find_repository
from hullmark._ci.worktree import listed
from hullmark._project import from_the_root, root_of
from hullmark.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hullmark._ci.configuration import Configured
    from hullmark._ci.objects import Objects
    from hullmark._ci.plan import Plan
    from hullmark._ci.repository import Repository
    from hullmark._ci.revision import Revision
    from hullmark._ci.unseen import LastBuild
    from hullmark._compose.positions import Declarations
    from hullmark._process import Commands
    from hullmark.model.affected import Affected, Changes, Reason
    from hullmark.model.location import SourceSpan
    from hullmark.model.project import Project, Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """What is needed to find and resolve a project."""

    directory: Path
    """Where the command was started."""
    commands: Commands = field(repr=False)
    environ: Mapping[str, str] = field(repr=False)
    flags: Mapping[str, str]
    """What the command line says of the configuration."""


def examine(
    where: Where, base: str, head: str | None = None, *, explain: bool = False, against: Path | None = None
) -> Affected:
    """What is affected by all that happened between the point where `base` and `head` part and `head`.

    Without `head`, by what happened until now, in the work tree. With `explain`, the inputs of each image are compared
    with those that were recorded when it was built last, or with those in the report `against`. Raises `UsageError`
    outside of a repository and for unknown revisions, `Unavailable` for a history that was cut off, and
    `ConfigurationError` for a project that cannot be resolved.
    """
    with Meanwhile(lambda: _ask_git(where, base, head)) as asking:
        # git takes as long as it takes to load what its answer is needed for; none waits for the other.
        from hullmark._ci import affected  # noqa: F401, PLC0415  # is needed when git has answered
        from hullmark._ci.plans import plans  # noqa: PLC0415

        where = replace(where, flags=from_the_root(where.directory, where.flags))
        root = root_of(where.directory, where.flags)
        kept = plans(where.environ, where.flags).get(root)
        if kept is not None:
            repository, found, checked_out = asking.result()
            files = (*kept.configuration, *(str(root / name) for name in SETTINGS))
            if checked_out and not changed_among(files, found, str(repository.top)):
                known = _known(repository) if explain else None
                return _assembled(kept.plan, found, repository, repository.top, where, known, against)
        return _examined_anew(where, root, asking, explain=explain, against=against)


def _examined_anew(
    where: Where,
    root: Path,
    asking: Meanwhile[tuple[Repository, Changes, bool]],
    *,
    explain: bool,
    against: Path | None,
) -> Affected:
    """What is affected, of a project of which no plan is at hand, or whose configuration has changed."""
    from hullmark._compose import resolve  # noqa: PLC0415  # as all of this, of no use to who has a plan
    from hullmark._settings import load_settings  # noqa: PLC0415

    started = time.time()
    settings = load_settings(root, where.environ, where.flags)
    with Meanwhile(lambda: resolve(root, settings, where.commands)) as resolving:
        import hullmark._ci.affected  # noqa: PLC0415
        import hullmark._ci.before  # noqa: PLC0415
        import hullmark._ci.inputs  # noqa: F401, PLC0415

        repository, found, checked_out = asking.result()
        if checked_out:
            known = _known(repository) if explain else None
            project = resolving.result()
            look = _Look(
                where=where, project=project, repository=repository, top=repository.top, started=started
            )
            return look.at(found, known, against)
    from hullmark._ci.objects import Objects  # noqa: PLC0415
    from hullmark._ci.revision import revision  # noqa: PLC0415

    assert found.head is not None
    with revision(repository, found.head) as then:
        then.write_all()
        there = replace(
            where, directory=then.top / repository.below(root), flags=_flags_at(where, repository, then)
        )
        project = _project_at(there, repository, then)
        look = _Look(where=there, project=project, repository=repository, top=then.top)
        objects = (lambda: Objects(algorithm=repository.object_format)) if explain else None
        return _renamed(look.at(found, objects, against), str(then.top), str(repository.top))


def _known(repository: Repository) -> Callable[[], Objects]:
    """What git knows of files, which it is asked for from here on."""
    from hullmark._ci.objects import objects_of  # noqa: PLC0415  # mostly not needed

    return Meanwhile(lambda: objects_of(repository)).result


def _renamed(affected: Affected, written: str, top: str) -> Affected:
    """`affected` without the directory that a commit was written to, which is gone when it is read."""

    def reason(each: Reason) -> Reason:
        span = each.span and replace(each.span, path=each.span.path.replace(written, top))
        return replace(
            each, path=each.path.replace(written, top), text=each.text.replace(written, top), span=span
        )

    return replace(
        affected,
        services=tuple(
            replace(
                each,
                build=tuple(reason(one) for one in each.build),
                smoke=tuple(reason(one) for one in each.smoke),
            )
            for each in affected.services
        ),
        notes=tuple(note.replace(written, top) for note in affected.notes),
        warnings=tuple(warning.replace(written, top) for warning in affected.warnings),
    )


def _ask_git(where: Where, base: str, head: str | None) -> tuple[Repository, Changes, bool]:
    """The repository, what changed in it, and whether the work tree is what has to be looked at."""
    named = where.flags.get("project.compose", "").partition(",")[0]
    directory = (where.directory / named).parent if named else where.directory
    repository = find_repository(directory if directory.is_dir() else where.directory, where.commands)
    found = changes(repository, base, head)
    return repository, found, found.head is None or _is_checked_out(repository, found.head)


def _is_checked_out(repository: Repository, commit: str) -> bool:
    """Whether the work tree is what `commit` holds, so that it can be read there."""
    if repository.ask("rev-parse", "HEAD").strip() != commit:
        return False
    if repository.records("status", "--porcelain", "-z", "--untracked-files=normal"):
        return False
    tree = listed(repository)
    return not (tree.hidden or tree.absent)


def _flags_at(where: Where, repository: Repository, then: Revision) -> dict[str, str]:
    """The flags, with the Compose files that they name where they are written of a commit."""
    flags = dict(where.flags)
    if named := flags.get("project.compose"):
        files = (Path(os.path.realpath(name)) for name in named.split(","))
        flags["project.compose"] = ",".join(
            str(then.top / file.relative_to(repository.top))
            if file.is_relative_to(repository.top)
            else str(file)
            for file in files
        )
    return flags


def _project_at(there: Where, repository: Repository, then: Revision) -> Project:
    """The project as it is at a commit of which all files are written."""
    from hullmark._compose import resolve  # noqa: PLC0415
    from hullmark._project import root_and_settings  # noqa: PLC0415

    if not there.directory.is_dir():
        below = there.directory.relative_to(then.top)
        raise UsageError(f"there is no `{below}` at {then.commit[:12]}")
    found, settings = root_and_settings(there.directory, there.environ, there.flags)
    _take_along(found, settings, repository, then)
    return resolve(found, settings, there.commands)


def _take_along(root: Path, settings: Settings, repository: Repository, then: Revision) -> None:
    """Copies what Compose reads and git is told to ignore, such as a `.env`.

    That holds what is not to be committed, and is needed all the same.
    """
    import shutil  # noqa: PLC0415

    from hullmark._ci.compose_files import compose_files  # noqa: PLC0415
    from hullmark._root import COMPOSE_FILES, OVERRIDES  # noqa: PLC0415

    files = [root / name for name in settings.compose or (*COMPOSE_FILES, *OVERRIDES)]
    env_files = [root / settings.env_file] if settings.env_file else []
    read = compose_files([file for file in files if file.is_file()], root, env_files).paths
    missing = {
        path.relative_to(then.top).as_posix(): path
        for path in read
        if path.is_relative_to(then.top) and not path.exists()
    }
    asked = "".join(f"{path}\0" for path in missing)
    ignored = repository.run("check-ignore", "-z", "--stdin", stdin=asked).stdout.split("\0")
    for path in ignored:
        source = repository.top / path
        if path in missing and source.is_file():
            missing[path].parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, missing[path])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """A project as it is to be looked at."""

    where: Where
    project: Project
    repository: Repository
    top: Path
    """What stands for the top of the repository."""
    started: float | None = None
    """When the project began to be resolved; `None` for one whose plan is of no use to anybody else."""

    def at(self, found: Changes, objects: Callable[[], Objects] | None, against: Path | None) -> Affected:
        """What `found` affects; with `objects` the inputs of each image are explained."""
        from hullmark._ci.before import Before  # noqa: PLC0415
        from hullmark._ci.inputs import inputs_of  # noqa: PLC0415
        from hullmark._ci.planning import plan_of, sources_of  # noqa: PLC0415
        from hullmark._ci.plans import plans  # noqa: PLC0415
        from hullmark._engines.handed_on import LocalImages  # noqa: PLC0415

        here = LocalImages(commands=self.where.commands)
        inputs = inputs_of(self.project, handed_on=here.handed_on)
        plan = plan_of(self.project, inputs, self.where.environ)
        if self.started is not None and (sources := sources_of(self.project, plan)) is not None:
            plans(self.where.environ, self.where.flags).keep(plan, sources, self.started)
        configured = None
        if found.everything is None:
            configured = Before(
                project=self.project,
                repository=self.repository,
                top=self.top,
                changes=found,
                commands=self.where.commands,
                environ=self.where.environ,
                flags=self.where.flags,
            ).configured()
        return _assembled(
            plan,
            found,
            self.repository,
            self.top,
            self.where,
            objects,
            against,
            configured,
            _places(self.project),
        )


def _assembled(
    plan: Plan,
    found: Changes,
    repository: Repository,
    top: Path,
    where: Where,
    objects: Callable[[], Objects] | None,
    against: Path | None,
    configured: Configured | None = None,
    place: Callable[..., SourceSpan | None] = lambda *_: None,
) -> Affected:
    """What `found` affects of what was planned; without `configured`, nothing of the configuration has changed."""
    from hullmark._ci.affected import Assembly  # noqa: PLC0415

    affected = Assembly(
        plan=plan, changes=found, top=str(top), last=_last_build(plan, repository, where), place=place
    ).assemble(configured)
    if objects is None:
        return affected
    from hullmark._ci.explain import explanations  # noqa: PLC0415  # mostly not needed

    return replace(affected, explanations=explanations(plan, objects(), where.environ, against))


def _last_build(plan: Plan, repository: Repository, where: Where) -> LastBuild:
    """What images were last built from, which is looked up when it is asked for the first time."""
    from hullmark._ci.unseen import LastBuild  # noqa: PLC0415

    opened: list[Objects] = []

    def entries(service: str) -> Mapping[str, str] | None:
        from hullmark._ci.records import Records  # noqa: PLC0415  # mostly not needed

        recorded = Records.at(where.environ).latest(plan, service)
        return None if recorded is None else recorded.entries

    def value(path: str) -> str | None:
        if not opened:
            from hullmark._ci.objects import Objects  # noqa: PLC0415  # mostly not needed

            opened.append(Objects(algorithm=repository.object_format))
        return opened[0].value(path)

    return LastBuild(entries=entries, value=value)


def _places(project: Project) -> Callable[..., SourceSpan | None]:
    """Where something stands in the Compose files, which are read for that when it is asked for the first time."""
    read: list[Declarations] = []

    def place(*path: str) -> SourceSpan | None:
        if not read:
            from hullmark._compose.positions import declarations  # noqa: PLC0415  # mostly not needed

            read.append(declarations(project.files, project.root))
        return read[0].place(*path)

    return place
