"""The engine's socket may not be used by this user.

What it looks like
    `permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock`.

Why it happens
    The socket belongs to root and the group `docker`, and this user is not in it, or was added after logging in.
    Whoever may use the socket is root on this machine in effect.

What to do
    Join the group and log in again, or use a rootless engine.

        sudo usermod -aG docker $USER
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullmark._doctor.situation import situation
from hullmark.model.diagnosis import Advice, Remedy, Shell

if TYPE_CHECKING:
    from hullmark._doctor.situation import Symptom


@situation(
    summary="the engine's socket may not be used by this user",
    patterns=(
        r"permission denied while trying to connect to the (?:Docker daemon socket|docker API) at (?P<host>\S+?):? ",
    ),
    since="0.1",
)
def engine_not_permitted(symptom: Symptom) -> Advice | None:
    return Advice(
        cause=f"this user is not in the group that may use `{symptom.get('host')}`",
        remedies=(
            Remedy(
                text="join the group, and log in again",
                command=("sudo", "usermod", "-aG", "docker", Shell.USER),
            ),
            Remedy(text="or use a rootless engine, which needs no rights"),
        ),
    )
