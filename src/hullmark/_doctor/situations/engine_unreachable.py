"""No Docker engine answers.

What it looks like
    `Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?`

Why it happens
    The engine does not run, or the client asks for it elsewhere: `DOCKER_HOST` or the current context names a socket
    or a machine where none is.

What to do
    See where the client looks, and start the engine.

        docker context ls

        sudo systemctl start docker
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullmark._doctor.situation import situation
from hullmark.model.diagnosis import Advice, Remedy

if TYPE_CHECKING:
    from hullmark._doctor.situation import Symptom


@situation(
    summary="no Docker engine answers",
    patterns=(
        r"Cannot connect to the Docker daemon at (?P<host>[^\s?]+?)\.? Is the docker daemon running",
        r"rpc error: code = Unavailable desc = (?P<gone>error reading from server: EOF|closing transport[^\n]*)",
        r"error during connect: [^\n]*(?:dial|open) (?P<host>[^\s:]+)",
        r"failed to connect to the docker API at (?P<host>[^\s;]+)",
    ),
    since="0.1",
)
def engine_unreachable(symptom: Symptom) -> Advice | None:
    host = symptom.get("host")
    return Advice(
        cause=f"nobody listens at `{host}`" if host else "the engine went away in the middle",
        remedies=(
            Remedy(
                text="see where the client looks; DOCKER_HOST takes the place of the context",
                command=("docker", "context", "ls"),
            ),
            Remedy(text="start the engine", command=("sudo", "systemctl", "start", "docker")),
            Remedy(text="see the whole environment", command=("hullmark", "doctor")),
        ),
    )
