"""Where the program of a scanner is: on PATH, or in an image that the engine has; and which version it is."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hullmark._scanners.interface import Available, Missing
from hullmark.errors import Unavailable

if TYPE_CHECKING:
    import re
    from collections.abc import Mapping

    from hullmark._process import Commands, Completed

_SECONDS = 60.0
_SOCKET = "/var/run/docker.sock"
_LIST = ("docker", "image", "ls", "--no-trunc", "--format", "{{.Repository}}:{{.Tag}} {{.ID}}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """How one scanner is found."""

    name: str
    """Of the program."""
    ask: tuple[str, ...]
    """The arguments that make it tell its version."""
    version: re.Pattern[str]
    """Where the version stands in what it prints."""
    images: tuple[str, ...]
    """How the repositories end whose images hold it."""
    refused: Mapping[str, str]
    """Versions that must not be run, and why."""
    install: str
    """How to get it."""
    cache: str = ""
    """Where it keeps its database inside of a container."""


class Program:
    """One scanner's program; what it is asked is the same wherever it is."""

    def __init__(
        self, kind: Kind, commands: Commands, cwd: Path, environ: Mapping[str, str], cache: Path | None
    ) -> None:
        self._kind = kind
        self._commands = commands
        self._cwd = cwd
        self._environ = environ
        self._cache = cache
        self._before: tuple[str, ...] = (kind.name,)

    def probe(self) -> Available | Missing:
        """Which version is there, and what it is by its digest; looks on PATH first."""
        kind = self._kind
        digest = ""
        try:
            completed = self._commands.run((kind.name, *kind.ask), cwd=self._cwd, timeout=_SECONDS)
            digest = self._digest()
        except Unavailable as error:
            if self._where() is not None:
                # It is there, and does not start, or does not end.
                return Missing(reason=f"{error.message}; {kind.install}")
            held = self._image()
            if held is None:
                return Missing(
                    reason=f"{kind.name} is not on PATH, and the engine has no image of it; {kind.install}",
                    absent=True,
                )
            # By its ID: what the name stands for may change until it runs.
            digest = held
            self._before = self._contained(held)
            try:
                completed = self.run(kind.ask, timeout=_SECONDS)
            except Unavailable as error:
                return Missing(reason=error.message)
        version = kind.version.search(completed.stdout)
        if completed.returncode != 0 or version is None:
            asked = " ".join((kind.name, *kind.ask))
            return Missing(reason=f"`{asked}` does not say which version it is; {kind.install}")
        if why := kind.refused.get(version[1]):
            return Missing(reason=f"{kind.name} {version[1]} {why}; remove it and install another")
        return Available(version=version[1], digest=digest)

    def run(
        self,
        arguments: tuple[str, ...],
        *,
        timeout: float,
        env: Mapping[str, str] | None = None,
        mount: str = "",
    ) -> Completed:
        """The program with `arguments`, to its end; `env` is added to its environment.

        A container gets the directory `mount` at the same place, to be read.
        """
        before = self._before
        if before[0] == "docker":
            named = [word for key in sorted(env or {}) for word in ("--env", key)]
            mounted = ["--volume", f"{mount}:{mount}:ro"] if mount else []
            before = (*before[:-1], *named, *mounted, before[-1])
        return self._commands.run((*before, *arguments), cwd=self._cwd, timeout=timeout, env=env)

    def _where(self) -> str | None:
        return shutil.which(self._kind.name, path=self._environ.get("PATH", ""))

    def _digest(self) -> str:
        where = self._where()
        if where is None:
            return ""
        found = hashlib.sha256()
        try:
            with Path(where).open("rb") as file:
                while chunk := file.read(1 << 20):
                    found.update(chunk)
        except OSError:
            # What may be run and not be read has no digest.
            return ""
        return f"sha256:{found.hexdigest()}"

    def _image(self) -> str | None:
        """The ID of an image that holds the program, `None` without one or without an engine."""
        try:
            listed = self._commands.run(_LIST, cwd=self._cwd, timeout=_SECONDS)
        except Unavailable:
            return None
        for line in listed.stdout.splitlines() if listed.returncode == 0 else ():
            name, _, digest = line.partition(" ")
            repository = name.rpartition(":")[0]
            if any(repository == each or repository.endswith(f"/{each}") for each in self._kind.images):
                return digest
        return None

    def _contained(self, image: str) -> tuple[str, ...]:
        socket = self._environ.get("DOCKER_HOST", "").removeprefix("unix://") or _SOCKET
        mounts = ["--volume", f"{socket}:{_SOCKET}"]
        if self._cache is not None and self._kind.cache:
            self._cache.mkdir(parents=True, exist_ok=True)
            mounts += ["--volume", f"{self._cache}:{self._kind.cache}"]
        return ("docker", "run", "--rm", "--pull=never", *mounts, f"--entrypoint={self._kind.name}", image)
