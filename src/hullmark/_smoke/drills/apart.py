"""What drills need that start stacks of their own, once the first one is gone."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hullmark._smoke.stack import running
from hullmark.model.outcome import Check

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hullmark._engines import Engine
    from hullmark._process import Commands
    from hullmark._smoke.drills.written import Written
    from hullmark._smoke.stack import Stack
    from hullmark.model.drill import Drill
    from hullmark.model.progress import Progress
    from hullmark.model.project import Link, Project


@dataclass(kw_only=True)
class Apart:
    """A project that has been up and is started again, otherwise."""

    project: Project
    engine: Engine
    commands: Commands
    progress: Progress
    services: tuple[str, ...]
    """Those that have containers, sorted."""
    links: tuple[Link, ...] = ()
    """The links that held."""
    written: dict[str, Written] = field(default_factory=dict)
    """What each service did to its own root."""
    on_begin: Callable[[Stack, Drill], None] = lambda *_: None
    """Is told of each stack that has been started."""
    on_end: Callable[[Stack, Drill], None] = lambda *_: None
    """Is told of each, however it ends, before it is removed."""
    left: list[str] = field(default_factory=list)
    """What could not be removed of the stacks that were started."""

    def skips(self, service: str, drill: Drill) -> bool:
        """Whether the project leaves `service` out of `drill`."""
        return drill in self.project.settings.service(service).drills.skip

    def begin(self, text: str) -> None:
        """Tells that something starts which concerns all services."""
        self.progress.begin(Check.SMOKE, None, text)

    @contextlib.contextmanager
    def running(self, drill: Drill, project: Project) -> Iterator[Stack]:
        """A copy of `project`, which is this one otherwise, that has come up for `drill` or has failed to."""
        with running(
            project,
            self.engine,
            self.commands,
            timeout=project.settings.smoke_timeout,
            on_end=lambda stack: self.on_end(stack, drill),
        ) as stack:
            self.on_begin(stack, drill)
            yield stack
        if stack.teardown_error:
            self.left.append(stack.teardown_error)
