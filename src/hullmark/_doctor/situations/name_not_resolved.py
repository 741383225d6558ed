"""A name is not resolved.

What it looks like
    `lookup registry.example.com on 10.0.0.2:53: no such host`, `server misbehaving`, `Temporary failure resolving
    'mirror.example.com'`, `Could not resolve host`, `getaddrinfo ENOTFOUND` or `EAI_AGAIN`, `Name or service not
    known`.

Why it happens
    Of a host on the network: this machine is offline, its resolver is not reachable from containers (a resolver on
    127.0.0.1, a VPN that was started after the engine), or a firewall lets only a proxy out. Of another service: it
    is not in the same network, is not running yet, or its name is misspelt.

What to do
    Ask for the name on the host and in a container. If only the container fails, give the engine a resolver that it
    can reach (`dns` in `/etc/docker/daemon.json`), then restart it. For a service, use the name that it has in the
    Compose file, and wait for it with `depends_on`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullmark._doctor.situation import situation
from hullmark.errors import nearest
from hullmark.model.diagnosis import Advice, Remedy, operand

if TYPE_CHECKING:
    from hullmark._doctor.situation import Symptom


@situation(
    summary="a name is not resolved",
    patterns=(
        r"lookup (?P<host>[\w.-]+)(?: on (?P<resolver>\S+?:\d+))?: (?:no such host|server misbehaving|[^\n]*i/o timeout|[Tt]emporary failure)",
        r"Temporary failure resolving '(?P<host>[\w.-]+)'",
        r"Could not resolve host: (?P<host>[\w.-]+)",
        r"getaddrinfo (?:ENOTFOUND|EAI_AGAIN) (?P<host>[\w.-]+)",
        r"host='(?P<host>[\w.-]+)'[^\n]*(?:Temporary failure in name resolution|Name or service not known)",
        r"could not translate host name \"(?P<host>[\w.-]+)\"",
        r"(?:ping|ssh|psql|wget): (?:bad address|unable to resolve host address) '?(?P<host>[\w.-]+)",
        r"Temporary failure in name resolution|Name or service not known|Could not resolve proxy",
    ),
    gives_way_to=("proxy-refused",),
    since="0.1",
)
def name_not_resolved(symptom: Symptom) -> Advice | None:
    host = symptom.get("host")
    if not host:
        return Advice(
            cause="a name could not be resolved; the log does not say which",
            remedies=(
                Remedy(
                    text="see whether containers resolve names",
                    command=(
                        "docker",
                        "run",
                        "--rm",
                        "--network",
                        "bridge",
                        "IMAGE",
                        "getent",
                        "hosts",
                        "NAME",
                    ),
                ),
            ),
        )
    project = symptom.patient.project
    names = [each.name for each in project.services] if project else []
    near = nearest(host, names)
    if host in names or (near and "." not in host):
        right = host if host in names else near
        return Advice(
            cause=f"`{host}` is {'a service of the project' if host in names else f'no service of the project; `{near}` is'}, and names of services are resolved in the networks of the project only",
            remedies=(
                Remedy(
                    text=f"call it `{right}`, put both services into one network, and wait for it with `depends_on`"
                ),
                Remedy(
                    text="see whether it runs", command=("docker", "compose", "ps", *operand(right or host))
                ),
            ),
        )
    resolver = symptom.get("resolver")
    return Advice(
        cause=f"nobody says what the address of `{host}` is{f'; {resolver} was asked' if resolver else ''}",
        remedies=(
            Remedy(text="ask for it on this host", command=("getent", "hosts", *operand(host))),
            Remedy(
                text="if that works, containers are given a resolver that they cannot reach: set `dns` in /etc/docker/daemon.json, and restart the engine"
            ),
            Remedy(
                text="behind a proxy, hand its address to builds and to the engine",
                command=("hullmark", "doctor"),
            ),
        ),
    )
