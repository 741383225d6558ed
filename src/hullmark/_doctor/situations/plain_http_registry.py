"""A registry does not speak TLS.

What it looks like
    `http: server gave HTTP response to HTTPS client`, or `tls: first record does not look like a TLS handshake`.

Why it happens
    The engine and the builder ask registries over TLS, and this one answers in plain HTTP; or the port is that of
    something else.

What to do
    Give the registry a certificate. For one that only tests use, name it in `insecure-registries` of
    `/etc/docker/daemon.json` and restart the engine; a builder in a container has a configuration of its own (`http =
    true` in buildkitd.toml).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from hullmark._doctor.situation import situation
from hullmark.model.diagnosis import Advice, Remedy

if TYPE_CHECKING:
    from hullmark._doctor.situation import Symptom


@situation(
    summary="a registry does not speak TLS",
    patterns=(
        r"(?:Get|Head|Put|Post) \"https?://(?P<host>[^/\"]+)[^\"]*\": (?:http: server gave HTTP response to HTTPS client|tls: first record does not look like a TLS handshake)",
        r"server gave HTTP response to HTTPS client|tls: first record does not look like a TLS handshake",
    ),
    since="0.1",
)
def plain_http_registry(symptom: Symptom) -> Advice | None:
    host = symptom.get("host", "HOST:PORT")
    return Advice(
        cause=f"`{host}` answers in plain HTTP where TLS is expected",
        remedies=(
            Remedy(text="give it a certificate"),
            Remedy(
                text="or, for tests only, allow it in /etc/docker/daemon.json, and restart the engine",
                line=f'"insecure-registries": {json.dumps([host])}',
            ),
        ),
    )
