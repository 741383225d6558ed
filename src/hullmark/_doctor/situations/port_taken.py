"""A port that is to be published is taken.

What it looks like
    `Bind for 0.0.0.0:8001 failed: port is already allocated` when a container has it, `listen tcp4 0.0.0.0:8001:
    bind: address already in use` when another process has it. A server inside of a container says `Address already in
    use` as well: then two processes of one container want the same port.

Why it happens
    One address and port belongs to one listener at a time: the stack is up already, another project publishes the
    same port, or a database or a server runs on the host itself.

What to do
    The doctor names who holds the port now. Stop that one, or publish another port: the smoke test and `hullmark dev`
    take free ports by themselves, and a test stack of your own can map to others.

        docker compose -f compose.yml -f compose.test.yml --env-file .env.test up -d
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullmark._doctor.situation import situation
from hullmark.model.diagnosis import Advice, Remedy, operand

if TYPE_CHECKING:
    from hullmark._doctor.situation import Symptom


LAST_PORT = 65535


@situation(
    summary="a port that is to be published is taken",
    patterns=(
        r"Bind for (?P<address>\S+):(?P<port>\d+) failed: port is already allocated",
        r"listen (?:tcp|udp)[46]? (?P<address>\S*):(?P<port>\d+): bind: address already in use",
        r"(?:failed to bind|cannot expose|failed to set up container networking)[^\n]*?(?P<address>\d+\.\d+\.\d+\.\d+|\[::\]):(?P<port>\d+)[^\n]*(?:address already in use|already allocated)",
        r"[Pp]orts are not available: exposing port \w+ (?P<address>\S+):(?P<port>\d+) ",
        r"EADDRINUSE: address already in use (?P<address>\S*):(?P<port>\d+)",
        r"\[Errno 98\] [^\n]*?(?:\('(?P<address>[^']*)', (?P<port>\d+)\))?[^\n]*[Aa]ddress already in use",
    ),
    since="0.1",
)
def port_taken(symptom: Symptom) -> Advice | None:
    port = symptom.get("port")
    if not port or not 0 < int(port) <= LAST_PORT:
        return Advice(
            cause="something in the same container, or on a host whose network it shares, listens there already",
            remedies=(Remedy(text="start one server in the container, or give one of them another port"),),
        )
    held = symptom.patient.holder(int(port))
    if held:
        found = f"port {port} is held by {held}"
    elif symptom.patient.is_taken(int(port)):
        found = f"port {port} is taken; who holds it cannot be seen from here"
    else:
        found = f"port {port} is free now"
    name = held.partition("`")[2].partition("`")[0] if held.startswith("container") else ""
    stop = (
        (Remedy(text="stop the container that has it", command=("docker", "stop", *operand(name))),)
        if name
        else ()
    )
    return Advice(
        cause=f"somebody listens at port {port} of this host already",
        found=(found,),
        remedies=(
            *stop,
            *(
                ()
                if name
                else (Remedy(text="see who listens there", command=("ss", "-ltnp", f"sport = :{port}")),)
            ),
            _elsewhere(symptom.patient.test_stack, port),
        ),
    )


def _elsewhere(test_stack: tuple[str, ...], port: str) -> Remedy:
    """How to take another port: as the test stack does, where the project has one."""
    if test_stack:
        return Remedy(
            text="or publish other ports, as the test stack does",
            command=("docker", "compose", *test_stack, "up", "-d"),
        )
    return Remedy(
        text=f"or publish another port under `ports`, such as `127.0.0.1:{int(port) % LAST_PORT + 1}:{port}`; "
        "the smoke test and `hullmark dev` take free ones by themselves"
    )
