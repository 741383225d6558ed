"""What stands between this machine and the network: proxies, and authorities that sign in the place of others."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from hullmark.model.diagnosis import Looked, Trouble
from hullmark.model.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hullmark._doctor.machine import Machine
    from hullmark.model.diagnosis import Sight

_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
_OF_CLIENT = {"httpProxy": "http_proxy", "httpsProxy": "https_proxy", "noProxy": "no_proxy"}
_OF_ENGINE = {"HttpProxy": "http_proxy", "HttpsProxy": "https_proxy", "NoProxy": "no_proxy"}
_PASSWORD = re.compile(r"//[^/@]*@")
_LOCAL = {"localhost", "127.0.0.1", "::1", "0.0.0.0"}  # noqa: S104  # what somebody may have configured
_BUNDLES = (
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "PIP_CERT", "NODE_EXTRA_CA_CERTS"),
    *("CURL_CA_BUNDLE", "GIT_SSL_CAINFO"),
)
_ADDED = (
    "/usr/local/share/ca-certificates",
    "/etc/pki/ca-trust/source/anchors",
    "/etc/ca-certificates/trust-source/anchors",
)
"""Where Debian, Fedora and Arch keep the authorities that an administrator has added."""
_CERTIFICATES = (".crt", ".pem", ".cer")


def proxies(machine: Machine) -> Sight:
    """Which proxies programs here, builds and containers, and the engine are given, and whether those fit together."""
    here = {
        name: value
        for name in _PROXIES
        if (value := machine.environ.get(name) or machine.environ.get(name.upper()))
    }
    given = _given(machine)
    engine = {}
    if machine.engine is not None:
        engine = {name: str(machine.info[key]) for key, name in _OF_ENGINE.items() if machine.info.get(key)}
    facts = [
        (f"{where} {name}", _PASSWORD.sub("//***@", value))
        for where, found in (("this host", here), ("builds and containers", given), ("engine", engine))
        for name, value in found.items()
    ]
    if not facts:
        return Looked(facts=(("proxies", "none"),))
    return Looked(facts=tuple(facts), troubles=tuple(_mismatches(here, given, engine, machine)))


def _given(machine: Machine) -> dict[str, str]:
    """What the client hands to builds and containers."""
    configured = machine.client.get("proxies") or {}
    default = configured.get("default") if isinstance(configured, dict) else None
    if not isinstance(default, dict):
        return {}
    return {name: str(default[key]) for key, name in _OF_CLIENT.items() if default.get(key)}


def _mismatches(
    here: Mapping[str, str], given: Mapping[str, str], engine: Mapping[str, str], machine: Machine
) -> Iterator[Trouble]:
    for name, value in given.items():
        if name != "no_proxy" and (_host(value) in _LOCAL or _host(value).startswith("127.")):
            yield Trouble(
                severity=Severity.WARNING,
                seen=f"builds and containers are given {_PASSWORD.sub('//***@', value)} as {name}: for them that is themselves",
                remedy=f"name an address in {machine.client_file} that containers reach, such as host.docker.internal",
            )
    outward = [name for name in here if name != "no_proxy"]
    if outward and not given:
        yield Trouble(
            severity=Severity.WARNING,
            seen=f"this host reaches out through a proxy ({', '.join(outward)}), and builds are given none",
            remedy=f"add `proxies` to {machine.client_file}, or `args` to the build",
        )
    if outward and machine.engine is not None and machine.is_local and not engine:
        yield Trouble(
            severity=Severity.WARNING,
            seen="this host reaches out through a proxy, and the engine, which pulls, has none",
            remedy="set it in the environment of the engine, and restart that",
        )


def _host(address: str) -> str:
    return urlsplit(address if "//" in address else f"//{address}").hostname or ""


def certificates(machine: Machine) -> Sight:
    """Signs that TLS is intercepted: authorities that were added here, and variables that name bundles."""
    named = {name: value for name in _BUNDLES if (value := machine.environ.get(name))}
    added = [
        file.name
        for place in _ADDED
        if Path(place).is_dir()
        for file in sorted(Path(place).rglob("*"))
        if file.suffix in _CERTIFICATES
    ]
    if not named and not added:
        return Looked(facts=(("interception", "no sign of it"),))
    facts = (
        ("variables", ", ".join(f"{name}={value}" for name, value in named.items()) or "none"),
        ("added authorities", ", ".join(added) or "none"),
    )
    missing = [f"{name}={value}" for name, value in named.items() if not Path(value).exists()]
    troubles = [
        Trouble(
            severity=Severity.ERROR,
            seen=f"{each} names what is not there",
            remedy="unset it, or name a bundle that is there: programs that read it trust nobody",
        )
        for each in missing
    ]
    if added or len(named) > len(missing):
        troubles.append(
            Trouble(
                severity=Severity.NOTE,
                seen="programs here trust authorities that base images do not know: TLS is likely intercepted",
                remedy="hand the bundle to builds as a secret (`secrets` of `build`), never with COPY",
            )
        )
    return Looked(facts=facts, troubles=tuple(troubles))
