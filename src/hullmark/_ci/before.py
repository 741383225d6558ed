"""What a project was configured like at an earlier commit, compared with what it is like now."""

from __future__ import annotations

import json
import os
import shutil
import tomllib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hullmark._ci.among import SETTINGS, changed_among, own_place
from hullmark._ci.compose_files import compose_files
from hullmark._ci.configuration import Configured, differences, settings_difference
from hullmark._ci.revision import revision
from hullmark._compose import resolve
from hullmark._root import COMPOSE_FILES, OVERRIDES
from hullmark._settings import load_settings
from hullmark.errors import HullmarkError, Interrupted
from hullmark.model.affected import ChangeKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hullmark._ci.compose_files import ComposeFiles
    from hullmark._ci.configuration import Difference
    from hullmark._ci.repository import Repository
    from hullmark._ci.revision import Revision
    from hullmark._process import Commands
    from hullmark.model.affected import Changes
    from hullmark.model.project import Project, Settings

_ROUNDS = 50
"""How deep Compose files may include each other before something else must be the matter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """Compares a project with what it was at the base of `changes`."""

    project: Project
    repository: Repository
    top: Path
    """Where the top of the repository is, or what was written of it."""
    changes: Changes
    commands: Commands
    environ: Mapping[str, str]
    flags: Mapping[str, str]

    def configured(self) -> Configured:
        """How the configuration differs; asks Compose only where a file that it reads has changed."""
        now = files_of(self.project)
        changed = self._changed(now)
        settings_file = next(
            (name for name in SETTINGS if self._path(self.project.root / name) in self._paths()), ""
        )
        # A file whose name has variables in it may be any of those that changed.
        compare = bool(changed or (now.unknown and self.changes.changes))
        if not compare and not settings_file:
            return Configured()
        assert self.changes.base is not None
        with revision(self.repository, self.changes.base) as then:
            root = then.top / self._path(self.project.root)
            settings = None
            if settings_file:
                then.write(self._path(self.project.root / name) for name in SETTINGS)
                try:
                    settings = settings_difference(_table(root), _table(self.project.root))
                except (OSError, ValueError) as error:
                    return Configured(everything=f"{settings_file} cannot be compared: {error}")
                if settings.everything:
                    return Configured(everything=f"{settings_file} differs in what is about all services")
            found: tuple[Difference, ...] = ()
            if compare:
                try:
                    found = self._compose(then, root, now)
                except Interrupted:
                    raise
                except (HullmarkError, OSError) as error:
                    told = str(error).replace(str(then.top), str(self.top)).splitlines()[0]
                    return Configured(everything=f"the project cannot be resolved as it was: {told}")
        return Configured(differences=found, files=changed, settings=settings, settings_file=settings_file)

    def _paths(self) -> frozenset[str]:
        return frozenset(path for change in self.changes.changes for path in change.paths)

    def _path(self, path: Path) -> str:
        """`path` as the repository calls it; what is outside of it begins with two dots."""
        found = os.path.relpath(own_place(str(path)), self.top)
        return "" if found == os.curdir else found

    def _changed(self, now: ComposeFiles) -> tuple[str, ...]:
        """The changes of files that Compose reads."""
        return changed_among(map(str, now.paths), self.changes, str(self.top))

    def _compose(self, then: Revision, root: Path, now: ComposeFiles) -> tuple[Difference, ...]:
        settings = self._settings(then, root)
        if now.unknown:
            then.write_all()
            self._keep(then, now)
        else:
            wanted = now
            for _ in range(_ROUNDS):
                written = then.write(self._path(self._here(then, path)) for path in wanted.paths)
                self._keep(then, wanted)
                if not written:
                    break
                # What was read then need not be called as it is called now.
                named = settings.compose or (*COMPOSE_FILES, *OVERRIDES)
                files = [self._there(then, path) for path in self.project.files]
                files += [root / name for name in named if (root / name).is_file()]
                directory = self._there(then, self.project.files[0].parent)
                wanted = compose_files(files, directory, _env_files(root, settings))
                if wanted.unknown:
                    then.write_all()
                    break
        before = resolve(root, settings, self.commands)
        old = json.dumps(str(then.top))[1:-1]
        new = json.dumps(str(self.top))[1:-1]
        return differences(before.resolved.replace(old, new), self._resolved())

    def _resolved(self) -> str:
        """The project's own answer, its directories called by their real names."""
        root = os.path.realpath(self.project.root)
        if root == str(self.project.root):
            return self.project.resolved
        return self.project.resolved.replace(json.dumps(str(self.project.root))[1:-1], json.dumps(root)[1:-1])

    def _settings(self, then: Revision, root: Path) -> Settings:
        then.write(self._path(self.project.root / name) for name in SETTINGS)
        root.mkdir(parents=True, exist_ok=True)
        settings = load_settings(root, self.environ, self.flags)
        # What is named from the root of the file system on is meant as it was then, too.
        return replace(
            settings,
            ignores=(),
            compose=tuple(self._named(then, name) for name in settings.compose),
            env_file=settings.env_file and self._named(then, settings.env_file),
        )

    def _named(self, then: Revision, name: str) -> str:
        return str(self._there(then, Path(name))) if Path(name).is_absolute() else name

    def _there(self, then: Revision, path: Path) -> Path:
        """Where the file of the work tree would be in what was written of the commit."""
        found = self._path(path)
        return path if found.startswith("..") else then.top / found

    def _here(self, then: Revision, path: Path) -> Path:
        return self.top / path.relative_to(then.top) if path.is_relative_to(then.top) else path

    def _keep(self, then: Revision, wanted: ComposeFiles) -> None:
        """Takes along what git is told to ignore, such as a `.env` with secrets: of it there is only what is here."""
        changed = {change.path for change in self.changes.changes if change.kind is ChangeKind.UNTRACKED}
        for path in wanted.paths:
            source = self._here(then, path)
            name = self._path(source)
            if name.startswith("..") or name in then.paths or name in changed | self._paths():
                continue
            target = then.top / name
            if source.is_file() and not target.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, target)


def files_of(project: Project) -> ComposeFiles:
    """What Compose reads for `project`."""
    return compose_files(project.files, project.files[0].parent, _env_files(project.root, project.settings))


def _env_files(root: Path, settings: Settings) -> list[Path]:
    return [root / settings.env_file] if settings.env_file else []


def _table(root: Path) -> dict[str, Any]:
    """The settings of the project in `root`, as TOML has them; empty where there are none."""
    for name, keys in (("hullmark.toml", ()), ("pyproject.toml", ("tool", "hullmark"))):
        path = root / name
        if not path.is_file():
            continue
        table: Any = tomllib.loads(path.read_text(encoding="utf-8"))
        for key in keys:
            table = table.get(key) or {}
        if table or not keys:
            return dict(table)
    return {}
