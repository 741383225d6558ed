"""Tiny services that stand a drill, and such that do not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from tests.smoke.stacks import Place, own_directory

from hullmark.model.drill import DrillSettings
from hullmark.model.location import SourceSpan
from hullmark.model.project import Link, ServiceSettings, Settings

if TYPE_CHECKING:
    from pathlib import Path

    from hullmark._engines import Engine
    from hullmark._process import Commands
    from hullmark.model.drill import Drill, DrillRun
    from hullmark.model.project import Project
    from hullmark.model.stack import StackRun

HERE = SourceSpan(path="hullmark.toml", line=7)
IMAGE = "debian:bookworm-slim"
"""What all of them run: a shell, a perl, and nothing to be built."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Yard(Place):
    """Puts stacks of tiny services to drills."""

    def project(
        self,
        compose: str,
        *drills: Drill,
        services: dict[str, ServiceSettings] | None = None,
        links: tuple[Link, ...] = (),
        drill_timeout: float = 60.0,
        **settings: Any,
    ) -> Project:
        """The project that `compose` describes, IMAGE standing for the image, and the drills that it asks for.

        All may take their time on a machine that is busy; what fails for certain gets little of its own (`soon`).
        """
        return self.resolved(
            compose.replace("IMAGE", IMAGE),
            Settings(
                smoke_timeout=120.0,
                smoke_drills=drills,
                drill_timeout=drill_timeout,
                services=tuple((services or {}).items()),
                links=links,
                **settings,
            ),
        )

    @staticmethod
    def of(run: StackRun, drill: Drill, service: str) -> DrillRun:
        """What became of `drill` of `service`."""
        (found,) = (each for each in run.drills if each.drill is drill and each.service == service)
        return found

    @staticmethod
    def link(source: str, to: str, **more: Any) -> Link:
        """A link that holds."""
        return Link(from_service=source, to=to, origin=HERE, timeout=120.0, **more)

    @staticmethod
    def soon(seconds: float = 3.0) -> ServiceSettings:
        """What is said of a service of which it is certain that it does not get well again."""
        return ServiceSettings(drills=DrillSettings(timeout=seconds))


@pytest.fixture
def yard(tmp_path: Path, engine: Engine, commands: Commands) -> Yard:
    return Yard(root=own_directory(tmp_path), engine=engine, commands=commands)
