"""Service cannot reach another.

What it checks
    Every link of `hullmark.toml`, from inside the calling container's network: whether the name resolves, the
    connection is accepted, TLS is agreed upon and the answer has the right status.

Why it matters
    Each service can be healthy alone while the one that needs it looks for it under a wrong name, on a wrong port,
    or on a network that it is not part of.

How to fix
    Compare what was seen with the link: a name that does not resolve means that the two share no network, a refused
    connection that nothing listens on the port inside the other container (published ports do not count here).
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from hullmark.model.finding import Observation, Severity
from hullmark.model.rule import rule
from hullmark.model.stack import LinkRun


@rule(summary="link between services fails", severity=Severity.ERROR, since="0.1")
def failed_link(run: LinkRun) -> Iterator[Observation]:
    if not run.passed and not run.link.derived:
        connects = run.link.to.startswith("tcp:")
        yield Observation(
            location=run.link.origin,
            seen=f"{run.link}: {run.seen}",
            expected="an accepted connection" if connects else f"status {run.link.status or '200-399'}",
            remedy=_remedy(run),
            key=str(run.link),
        )


def _remedy(run: LinkRun) -> str:
    target = urlsplit(run.link.to)
    port = target.port or (443 if target.scheme == "https" else 80)
    if run.status is not None:
        return (
            f"let `{target.hostname}` answer {target.path or '/'} as expected, or set `status` of this link"
        )
    if run.resolved is False:
        return (
            f"let `{run.link.from_service}` and `{target.hostname}` share a network, or correct the name in `to` of "
            "this link"
        )
    if run.secured is False:
        return f"let `{run.link.from_service}` trust the certificate of `{target.hostname}`, or set `tls` of this link"
    if run.connected:
        return (
            f"see in the log of `{target.hostname}` why it accepts the connection and does not answer {target.path or '/'}, "
            "or raise `timeout` of this link where it only is slow"
        )
    return (
        f"let `{target.hostname}` listen on 0.0.0.0:{port} and share a network with `{run.link.from_service}`, "
        "or correct `to` of this link"
    )
