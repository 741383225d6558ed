"""Tiny images, and Compose projects that run them."""

from __future__ import annotations

import secrets
import subprocess
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest
from tests.smoke.stacks import Place, own_directory

from hullmark.model.location import SourceSpan
from hullmark.model.probe import ExecProbe, HttpProbe, TcpProbe
from hullmark.model.project import Link, ServiceSettings, Settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hullmark._engines import Engine
    from hullmark._process import Commands
    from hullmark.model.probe import Probe
    from hullmark.model.project import Project
    from hullmark.model.service_run import ServiceRun
    from hullmark.model.stack import StackRun

IMAGES = """\
FROM debian:bookworm-slim AS box
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends busybox-static >/dev/null \\
    && for name in httpd wget; do ln -s busybox /bin/$name; done \\
    && useradd app && mkdir /www && echo hello >/www/index.html && rm -rf /var/lib/apt/lists/*
HEALTHCHECK NONE
STOPSIGNAL SIGKILL

FROM scratch AS bare
COPY --from=box /bin/busybox /sleep
"""
HERE = SourceSpan(path="hullmark.toml", line=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Images:
    """The images that the projects of these tests run."""

    box: str
    """Debian with a busybox: a web server, and clients that know few options; runs for ever."""
    bare: str
    """One program, `/sleep`, and nothing else."""


@pytest.fixture(scope="session")
def images() -> Iterator[Images]:
    name = f"hullmark-test-{secrets.token_hex(4)}"
    made = Images(box=f"{name}:box", bare=f"{name}:bare")
    try:
        for target in ("box", "bare"):
            subprocess.run(
                ("docker", "build", "-q", "--target", target, "-t", f"{name}:{target}", "-"),
                input=IMAGES.encode(),
                check=True,
                capture_output=True,
            )
        yield made
    finally:
        subprocess.run(("docker", "rmi", "-f", made.box, made.bare), check=True, capture_output=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench(Place):
    """Makes projects of Compose text and tries them."""

    images: Images

    def project(
        self,
        compose: str,
        *,
        probes: dict[str, tuple[Probe, ...]] | None = None,
        links: tuple[Link, ...] = (),
        timeout: float = 180.0,
        restarts: dict[str, int] | None = None,
        **settings: Any,
    ) -> Project:
        """The project that `compose` describes, with BOX and BARE standing for the images."""
        text = compose.replace("BOX", self.images.box).replace("BARE", self.images.bare)
        known = {name: ServiceSettings(probes=found) for name, found in (probes or {}).items()}
        for name, count in (restarts or {}).items():
            known[name] = replace(known.get(name, ServiceSettings()), restarts=count)
        return self.resolved(
            text, Settings(smoke_timeout=timeout, services=tuple(known.items()), links=links, **settings)
        )

    def smoke(self, compose: str, **options: Any) -> StackRun:
        """One run of such a project, after which nothing of it is left."""
        return self.tried(self.project(compose, **options))

    @staticmethod
    def service(run: StackRun, name: str = "web") -> ServiceRun:
        """The life of the service `name` in `run`."""
        (found,) = (each for each in run.services if each.service == name)
        return found

    @staticmethod
    def http(port: int = 8080, path: str = "/", **more: Any) -> HttpProbe:
        """An HTTP probe that passes, or is given less time."""
        return replace(HttpProbe(port=port, path=path, origin=HERE, timeout=120.0), **more)

    @staticmethod
    def tcp(port: int = 8080, **more: Any) -> TcpProbe:
        """A TCP probe that passes, or is given less time."""
        return replace(TcpProbe(port=port, origin=HERE, timeout=120.0), **more)

    @staticmethod
    def execute(*command: str, **more: Any) -> ExecProbe:
        """An exec probe that passes, or is given less time."""
        return replace(ExecProbe(command=command, origin=HERE, timeout=120.0), **more)

    @staticmethod
    def link(to: str, source: str = "web", **more: Any) -> Link:
        """A link that holds, or is given less time."""
        return replace(Link(from_service=source, to=to, origin=HERE, timeout=120.0), **more)


@pytest.fixture
def bench(tmp_path: Path, engine: Engine, commands: Commands, images: Images) -> Bench:
    return Bench(root=own_directory(tmp_path), engine=engine, commands=commands, images=images)
