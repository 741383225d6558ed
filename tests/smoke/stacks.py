"""Where the tests of stacks make projects of Compose text, run them, and see that nothing is left."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hullmark._compose import resolve
from hullmark._smoke import smoke
from hullmark._smoke.owner import RUN_LABEL
from hullmark.model.progress import Silent

if TYPE_CHECKING:
    from pathlib import Path

    from hullmark._engines import Engine
    from hullmark._process import Commands
    from hullmark.model.project import Project, Settings
    from hullmark.model.stack import StackRun


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A directory with a name that no other test has, and the engine that its projects run on."""

    root: Path
    engine: Engine
    commands: Commands

    def resolved(self, compose: str, settings: Settings) -> Project:
        """The project that `compose` describes."""
        (self.root / "compose.yml").write_text(compose, encoding="utf-8")
        return resolve(self.root, settings, self.commands)

    def tried(self, project: Project) -> StackRun:
        """One run of `project`, after which nothing of it is left."""
        run = smoke(project, self.engine, self.commands, Silent())
        assert run.teardown_error is None
        assert self.left(run.name) == []
        return run

    def left(self, run: str) -> list[str]:
        """The containers, networks and volumes of the run called `run` that exist."""
        client = self.engine.client
        filters: Any = {"label": f"{RUN_LABEL}={run}"}
        found: list[Any] = client.containers.list(all=True, filters=filters, ignore_removed=True)
        found += client.networks.list(filters=filters)
        found += client.volumes.list(filters=filters)
        return [str(item.name) for item in found]


def own_directory(parent: Path) -> Path:
    """A new directory in `parent`, after which projects get a name of their own."""
    root = parent / f"t{secrets.token_hex(4)}"
    root.mkdir()
    return root
