"""The Docker client on this machine: its plugins, and how it logs in."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

from hullmark._doctor.machine import QUICK
from hullmark._engines.docker import check_compose
from hullmark.errors import Unavailable
from hullmark.model.diagnosis import Looked, Trouble
from hullmark.model.finding import Severity
from hullmark.model.outcome import Skipped

if TYPE_CHECKING:
    from hullmark._doctor.machine import Machine
    from hullmark.model.diagnosis import Sight

_FIELD = re.compile(r"^\s*(?P<name>[\w ]+?):\s+(?P<value>\S.*)$", re.MULTILINE)
_VERSION = re.compile(r"\bv?(\d+\.\d+\.\d+\S*)")


def compose(machine: Machine) -> Sight:
    """Whether the client has Compose, and one that is new enough."""
    try:
        version = check_compose(machine.commands)
    except Unavailable as error:
        return Looked(
            troubles=(
                Trouble(
                    severity=Severity.ERROR,
                    seen=error.message,
                    remedy=error.hint or "install the Docker Compose plugin",
                ),
            )
        )
    return Looked(facts=(("version", version),))


def buildx(machine: Machine) -> Sight:
    """Whether the client has buildx, and which BuildKit the builder that is chosen has."""
    said = machine.commands.run(("docker", "buildx", "version"), timeout=QUICK)
    found = _VERSION.search(said.stdout)
    if said.returncode != 0 or found is None:
        return Looked(
            troubles=(
                Trouble(
                    severity=Severity.ERROR,
                    seen="the Docker CLI has no buildx plugin",
                    remedy="install docker-buildx: builds with several platforms, secrets and caches need it",
                ),
            )
        )
    facts = [("version", found[1])]
    troubles = []
    if machine.environ.get("DOCKER_BUILDKIT") == "0":
        troubles.append(
            Trouble(
                severity=Severity.WARNING,
                seen="DOCKER_BUILDKIT=0 chooses the old builder",
                remedy="unset it: mounts, secrets and here-documents need BuildKit",
            )
        )
    if machine.engine is not None:
        inspected = machine.commands.run(("docker", "buildx", "inspect"), timeout=QUICK)
        fields: dict[str, str] = {}
        for field in _FIELD.finditer(inspected.stdout):
            fields.setdefault(field["name"].lower(), field["value"].strip())
        if inspected.returncode != 0 or fields.get("status", "running") != "running":
            why = fields.get("error") or inspected.stderr.strip() or fields.get("status", "")
            troubles.append(
                Trouble(
                    severity=Severity.ERROR,
                    seen=f"the builder `{fields.get('name', 'default')}` does not run: {why}",
                    remedy="`docker buildx ls`; `docker buildx use default` takes that of the engine",
                )
            )
        facts += [
            (label, fields[key])
            for label, key in (("builder", "name"), ("driver", "driver"), ("platforms", "platforms"))
            if fields.get(key)
        ]
        # The name of this line differs between versions of buildx.
        kit = fields.get("buildkit version") or fields.get("buildkit")
        facts += [("BuildKit", kit)] if kit else []
    return Looked(facts=tuple(facts), troubles=tuple(troubles))


def credentials(machine: Machine) -> Sight:
    """Whether the programs that keep logins are there, and which logins are kept in the open."""
    client = machine.client
    if not client:
        return Skipped(reason=f"there is no {machine.client_file}", moot=True)
    helpers = {"every registry": client["credsStore"]} if client.get("credsStore") else {}
    helpers |= {str(host): helper for host, helper in (client.get("credHelpers") or {}).items()}
    path = machine.environ.get("PATH", "")
    troubles = [
        Trouble(
            severity=Severity.ERROR,
            seen=f"`docker-credential-{helper}`, which keeps the login at {host}, is not on PATH",
            remedy=f"install it, or take it out of {machine.client_file}: pulls of public images fail as well",
        )
        for host, helper in sorted(helpers.items())
        if shutil.which(f"docker-credential-{helper}", path=path) is None
    ]
    logins = client.get("auths") or {}
    plain = sorted(host for host, login in logins.items() if isinstance(login, dict) and login.get("auth"))
    if plain:
        troubles.append(
            Trouble(
                severity=Severity.NOTE,
                seen=f"{machine.client_file} holds the password for {', '.join(plain)}",
                remedy="have a credential helper keep it (`credsStore`)",
            )
        )
    facts = (
        ("helpers", ", ".join(f"{helper} for {host}" for host, helper in sorted(helpers.items())) or "none"),
        ("logins", ", ".join(sorted(logins)) or "none"),
    )
    return Looked(facts=facts, troubles=tuple(troubles))
