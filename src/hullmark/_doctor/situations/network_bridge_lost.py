"""A network of the engine has lost its bridge.

What it looks like
    `failed to create endpoint web on network bridge: adding interface veth0 to bridge docker0 failed: Device does not
    exist`, or `could not find bridge docker0: route ip+net: no such network interface`.

Why it happens
    The engine remembers a network whose interface is gone from the host: a second engine, a VPN, a network manager or
    a firewall script removed it, or the machine woke up without it.

What to do
    Restart the engine, which makes its bridges again; for a network of a project it is enough to take that down and
    up.

        sudo systemctl restart docker

        docker compose down && docker compose up -d
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullmark._doctor.situation import situation
from hullmark.model.diagnosis import Advice, Remedy, Shell

if TYPE_CHECKING:
    from hullmark._doctor.situation import Symptom


@situation(
    summary="a network of the engine has lost its bridge",
    patterns=(
        r"failed to create endpoint (?P<endpoint>\S+) on network (?P<network>\S+): adding interface \S+ to bridge (?P<bridge>\S+) failed: (?:[Dd]evice|[Nn]o such|[Ll]ink)[^\n]*",
        r"(?:could not|cannot) find (?:a )?bridge (?P<bridge>\S+): [^\n]*no such network interface",
        r"network (?P<network>\w{12})\w* not found$",
    ),
    since="0.1",
)
def network_bridge_lost(symptom: Symptom) -> Advice | None:
    network = symptom.get("network")
    bridge = symptom.get("bridge")
    return Advice(
        cause=f"the engine remembers {f'the network `{network}`' if network else 'a network'}, and {f'its interface `{bridge}`' if bridge else 'the network'} is gone",
        remedies=(
            Remedy(
                text="restart the engine, which makes its bridges again",
                command=("sudo", "systemctl", "restart", "docker"),
            ),
            *(
                ()
                if network in {"", "bridge"}
                else (
                    Remedy(
                        text="or only the stack whose network it is",
                        command=("docker", "compose", "down", Shell.AND, "docker", "compose", "up", "-d"),
                    ),
                )
            ),
        ),
    )
