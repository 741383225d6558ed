"""Socket of the container engine is mounted.

What it checks
    Mounts of the socket of Docker, containerd or Podman into a service, and of `/run` or `/var/run` of the host, where
    the sockets are.

Why it matters
    Whoever can talk to the engine can start a container with the root directory of the host in it: read-only mounts do
    not help, because the socket is still written to.

How to fix
    Do without, or put a proxy between that lets through the few requests the service makes.

    Bad:

        volumes: ["/var/run/docker.sock:/var/run/docker.sock"]

    Good:

        environment: {DOCKER_HOST: "tcp://socket-proxy:2375"}
"""

from __future__ import annotations

from collections.abc import Iterator
from posixpath import basename

from hullmark.model.composition import Composition
from hullmark.model.finding import Observation, Severity
from hullmark.model.rule import rule

_SOCKETS = frozenset({"docker.sock", "containerd.sock", "podman.sock", "crio.sock"})
_DIRECTORIES = frozenset({"/run", "/var/run"})


@rule(summary="the engine's socket is mounted", severity=Severity.WARNING, since="0.1")
def engine_socket_mounted(composition: Composition) -> Iterator[Observation]:
    for bound in composition.bound:
        named = _SOCKETS & {basename(bound.source), basename(bound.target)}
        if named or bound.source.rstrip("/") in _DIRECTORIES:
            yield Observation(
                location=bound.span,
                seen=f"`{bound.source}` is mounted at `{bound.target}`",
                expected="no access to the engine of the host",
                remedy="remove the mount, or reach the engine through a proxy that filters requests",
                key=bound.target,
            )
