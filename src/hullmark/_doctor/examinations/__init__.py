"""What the doctor looks at on a machine, each by itself, in the order in which it is told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hullmark._doctor.examinations import client, disk, engine, network, project

if TYPE_CHECKING:
    from collections.abc import Callable

    from hullmark._doctor.machine import Machine
    from hullmark.model.diagnosis import Sight


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """One thing that is looked at."""

    about: str
    """What it is, in a few words."""
    look: Callable[[Machine], Sight]
    """What there is to see; raises `HullmarkError` or `OSError` where that is not possible."""


EXAMINATIONS = {
    "engine": Examination(about="the Docker engine", look=engine.look),
    "compose": Examination(about="the Compose plugin", look=client.compose),
    "buildx": Examination(about="buildx and the BuildKit behind it", look=client.buildx),
    "storage": Examination(about="how the engine stores layers and limits containers", look=engine.storage),
    "disk": Examination(about="space where the engine and hullmark keep things", look=disk.space),
    "build-cache": Examination(about="what the builder keeps", look=disk.build_cache),
    "proxies": Examination(about="proxies of this host, of builds and of the engine", look=network.proxies),
    "certificates": Examination(
        about="certificate authorities that base images do not know", look=network.certificates
    ),
    "credentials": Examination(
        about="logins at registries and the programs that keep them", look=client.credentials
    ),
    "clock": Examination(about="the engine's clock beside that of this host", look=engine.clock),
    "ports": Examination(about="the ports that the project publishes", look=project.ports),
}
"""Every examination, by name."""
