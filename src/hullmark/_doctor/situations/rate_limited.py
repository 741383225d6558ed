"""A registry limits how much may be pulled.

What it looks like
    `toomanyrequests: You have reached your pull rate limit`, or `429 Too Many Requests`.

Why it happens
    Registries count pulls by address or account. Everybody behind one address, such as the runners of continuous
    integration, shares what is allowed without a login.

What to do
    Log in, wait, or pull through a mirror. Pin bases by digest and keep them: what is there is not pulled.

        docker login

    A mirror for the whole engine is `registry-mirrors` in `/etc/docker/daemon.json`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullmark._doctor.situation import situation
from hullmark.model.diagnosis import Advice, Remedy

if TYPE_CHECKING:
    from hullmark._doctor.situation import Symptom


@situation(
    summary="a registry limits how much may be pulled",
    patterns=(
        r"toomanyrequests: (?P<reason>[^\n\"]{0,120})",
        r"\b429 [Tt]oo [Mm]any [Rr]equests",
        r"unexpected status code 429",
        r"[Yy]ou have reached your (?:unauthenticated )?pull rate limit",
    ),
    since="0.1",
)
def rate_limited(symptom: Symptom) -> Advice | None:
    return Advice(
        cause="the registry counts pulls by address or account, and this one has had its share",
        remedies=(
            Remedy(text="log in: accounts have a share of their own", command=("docker", "login")),
            Remedy(text="pull through a mirror: `registry-mirrors` in /etc/docker/daemon.json"),
            Remedy(text="or wait; what is pinned by digest and here already is not pulled again"),
        ),
    )
