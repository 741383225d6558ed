"""What examinations look at: the engine, the client's configuration, the environment and the project."""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hullmark.errors import HullmarkError, Interrupted, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hullmark._engines import Engine
    from hullmark._process import Commands
    from hullmark.model.project import Project

QUICK = 20.0
"""Seconds that a program may take to say what it is."""


class Machine:
    """This machine; each thing is asked for once, when the first examination wants it."""

    def __init__(
        self,
        *,
        commands: Commands,
        environ: Mapping[str, str],
        connect: Callable[[], Engine],
        find_project: Callable[[], Project | None],
    ) -> None:
        self.commands = commands
        self.environ = environ
        self._connect = connect
        self._find_project = find_project

    @cached_property
    def reached(self) -> Engine | HullmarkError:
        """The engine, or why there is none."""
        try:
            return self._connect()
        except Interrupted:
            raise
        except HullmarkError as error:
            return error

    @property
    def engine(self) -> Engine | None:
        """The engine; `None` where none answers."""
        return None if isinstance(self.reached, HullmarkError) else self.reached

    @cached_property
    def info(self) -> Mapping[str, Any]:
        """What the engine says of itself; raises `Unavailable` where it does not answer any more."""
        from docker.errors import DockerException  # noqa: PLC0415  # loaded with the engine

        assert self.engine is not None
        try:
            found: Mapping[str, Any] = self.engine.client.info()
        except (DockerException, OSError) as error:
            raise Unavailable(f"the engine does not say what it is: {error}") from error
        return found

    @cached_property
    def project(self) -> Project | HullmarkError | None:
        """The project here, or why it cannot be used; `None` where there is none."""
        try:
            return self._find_project()
        except Interrupted:
            raise
        except HullmarkError as error:
            return error

    @cached_property
    def client_file(self) -> Path:
        """Where the Docker client keeps its configuration."""
        directory = self.environ.get("DOCKER_CONFIG")
        return Path(directory or f"{self.environ.get('HOME', '/root')}/.docker") / "config.json"

    @cached_property
    def client(self) -> Mapping[str, Any]:
        """The configuration of the Docker client; empty where there is none. Holds secrets: never report it whole.

        Raises `Unavailable` where the file cannot be read as one.
        """
        try:
            text = self.client_file.read_text(encoding="utf-8-sig")
        except (FileNotFoundError, NotADirectoryError):
            return {}
        try:
            found = json.loads(text)
        except ValueError as error:
            raise Unavailable(f"{self.client_file} is not JSON: {error}") from error
        return found if isinstance(found, dict) else {}

    @property
    def is_local(self) -> bool:
        """Whether the engine is on this machine, as far as its address says."""
        return self.engine is not None and "unix://" in self.engine.host.replace("http+unix", "unix")
