"""Where links are tried from when the calling container has no client: its network, entered by somebody else."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from hullmark._compose import carrier
from hullmark._smoke.archive import first_file
from hullmark._smoke.ends import MOST, Ends
from hullmark._smoke.links.answers import NOT_THERE, judge
from hullmark._smoke.links.caller import Caller, call
from hullmark._smoke.links.clients import commands
from hullmark._smoke.links.names import Names
from hullmark._smoke.links.namespace import inside
from hullmark._smoke.owner import labels_of_run
from hullmark._smoke.probes import ATTEMPT, run_inside
from hullmark.errors import Interrupted, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from docker.models.containers import Container

    from hullmark._smoke.stack import Stack
    from hullmark.model.project import Link
    from hullmark.model.stack import LinkRun

ITSELF = "hullmark, in the network of `{}`"
AUTHORITIES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
"""Where images keep the authorities that they trust."""
_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----")
_LARGEST_BUNDLE = 16 << 20
"""Bytes; the authorities that the world agrees on take a hundredth of it."""
_COMPOSE = ("project", "service", "oneoff", "container-number", "config-hash")
# What can be asked of each client to see whether it is there; what it answers does not matter.
_LOOK = {"busybox": ("/bin/busybox",), "nc": ("nc", "-h")}


def from_this_process(stack: Stack, link: Link) -> LinkRun | None:
    """`link` tried by this process inside of the caller's network namespace; `None` where it may not enter it.

    It may as root on the machine of the engine. Names are looked up, and certificates trusted, as the files of the
    container say.
    """
    if not stack.engine.host.startswith("unix:"):
        return None
    container = stack.container(link.from_service)
    namespace = _namespace(stack, link.from_service)
    try:
        names = Names.parse(
            Path(container.attrs["HostsPath"]).read_text("utf-8", "replace"),
            Path(container.attrs["ResolvConfPath"]).read_text("utf-8", "replace"),
        )
    except (OSError, KeyError):
        return None
    verifies = link.to.startswith("https:") and link.tls == "verify"
    caller = Caller(
        names=names,
        certificates=authorities(container) if verifies else None,
        by=ITSELF.format(link.from_service),
    )
    seconds = max(1.0, min(ATTEMPT, link.timeout))
    try:
        result = inside(
            namespace,
            partial(call, link, caller, seconds),
            timeout=seconds + 2,
            cancelled=stack.engine.cancelled,
        )
    except TimeoutError:
        return judge(link, caller.by, None, "")
    return None if result is None else result[0]


def _namespace(stack: Stack, service: str) -> str:
    """The file that stands for the network namespace of `service` where the engine is; empty where there is none."""
    container = stack.container(carrier(stack.project, service))
    return str((container.attrs.get("NetworkSettings") or {}).get("SandboxKey") or "")


def authorities(container: Container) -> str | None:
    """The certificates of authorities that the container trusts, as PEM; `None` where it holds none.

    Raises `Unavailable` for a file of them that is none.
    """
    from docker.errors import APIError  # noqa: PLC0415  # loaded with the engine

    environment = dict(
        entry.partition("=")[::2] for entry in container.attrs["Config"].get("Env") or () if "=" in entry
    )
    for path in (environment.get("SSL_CERT_FILE"), *AUTHORITIES):
        if not path:
            continue
        try:
            data = first_file(container, path, most=_LARGEST_BUNDLE)
        except APIError:
            continue
        text = (data or b"").decode("ascii", "replace")
        if found := _CERTIFICATE.findall(text):
            return "\n".join(found)
    return None


def from_a_companion(stack: Stack, link: Link) -> LinkRun | None:
    """`link` tried by a container of another service's image that shares the caller's network.

    The image is one that runs in the stack anyway. `None` when none of them holds a client.
    """
    for other, name, command in _clients(stack, link):
        run = _lend(stack, link, stack.container(other).attrs["Image"], other, name, command)
        if run is not None:
            return run
    return None


def _clients(stack: Stack, link: Link) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Services whose images hold a client for `link`, the client, and what it is called with."""
    seen = {stack.container(link.from_service).attrs["Image"]}
    for run in stack.timeline.services():
        try:
            image = stack.container(run.service).attrs["Image"]
            if image in seen:
                continue
            seen.add(image)
            for name, command in commands(link):
                look = _LOOK.get(name, (name, "--version"))
                code, _ = run_inside(stack, run.service, look, ATTEMPT)
                if code is not None and code not in NOT_THERE:
                    yield run.service, name, command
        except Unavailable:
            continue  # it has completed, or is being started again


def _lend(
    stack: Stack, link: Link, image: str, other: str, name: str, command: tuple[str, ...]
) -> LinkRun | None:
    """What the program `name` of `image` says of `link` in the caller's network."""
    from docker.errors import APIError, DockerException  # noqa: PLC0415  # loaded with the engine
    from urllib3.exceptions import HTTPError  # noqa: PLC0415

    by = f"{name} of `{other}`, in the network of `{link.from_service}`"
    caller = stack.container(carrier(stack.project, link.from_service))
    if stack.engine.cancelled.is_set():
        raise Interrupted
    companion: Container | None = None
    try:
        companion = stack.engine.client.containers.create(
            image,
            entrypoint=list(command[:1]),
            command=list(command[1:]),
            network_mode=f"container:{caller.id}",
            labels={
                # What Compose wrote into an image that it built must not make this one of its containers.
                **{f"com.docker.compose.{key}": "" for key in _COMPOSE},
                **labels_of_run(stack.name),
            },
            read_only=True,
            cap_drop=["ALL"],
            security_opt=["no-new-privileges"],
            healthcheck={"test": ["NONE"]},
            pids_limit=64,
            mem_limit="256m",
        )
        companion.start()
        code = int(companion.wait(timeout=ATTEMPT + 2)["StatusCode"])
        return judge(link, by, code, _said(companion))
    except APIError as error:
        if companion is None or error.is_client_error():
            return None  # the program is not there, or the network is gone
        raise Unavailable(f"no container can be put beside `{link.from_service}`: {error}") from error
    except (DockerException, HTTPError, OSError):
        return judge(link, by, None, "")
    finally:
        if companion is not None:
            remove(companion)


def _said(companion: Container) -> str:
    """What it printed: its client may print what the service answers, and that may be any amount."""
    said = Ends(most=MOST)
    for chunk in companion.logs(stream=True, follow=False):
        said.add(chunk)
    return said.text


def remove(companion: Container) -> None:
    """Has the engine remove the container that lent its client."""
    from docker.errors import APIError  # noqa: PLC0415

    try:
        companion.remove(force=True, v=True)
    except APIError:
        return  # what stays is removed with the stack, by its labels
