"""Probe is not answered as expected.

What it checks
    Every probe of `hullmark.toml` against the running stack: an HTTP request or a TCP connection from outside, or
    a command inside the container, repeated until it passes or its `timeout` is over.

Why it matters
    A service can be healthy in its own opinion and still not answer anybody.

How to fix
    Compare what was seen with the probe: is the port the one that the service listens on inside the container,
    does it listen on all interfaces and not only on `127.0.0.1`, is the path right?
"""

from __future__ import annotations

from collections.abc import Iterator

from hullmark.model.finding import Observation, Severity
from hullmark.model.project import ExecProbe, HttpProbe
from hullmark.model.rule import rule
from hullmark.model.stack import ProbeRun


@rule(summary="probe fails", severity=Severity.ERROR, since="0.1")
def failed_probe(run: ProbeRun) -> Iterator[Observation]:
    if not run.passed:
        yield Observation(
            location=run.probe.origin,
            seen=f"{run.probe}: {run.seen}",
            expected=_expected(run),
            remedy=_remedy(run),
            key=str(run.probe),
        )


def _expected(run: ProbeRun) -> str:
    match run.probe:
        case HttpProbe(status=status, body_contains=text):
            body = f" and a body with `{text}`" if text else ""
            return f"status {status or '200-399'}{body}"
        case ExecProbe():
            return "exit code 0"
        case _:
            return "an accepted connection"


def _remedy(run: ProbeRun) -> str:
    match run.probe:
        case ExecProbe(command=command):
            return (
                f"let `docker compose exec {run.service} {' '.join(command)}` succeed, or correct this probe"
            )
        case HttpProbe(path=path) if run.seen.startswith("status "):
            return f"let `{run.service}` answer {path} as expected, or correct this probe"
        case probe:
            return f"let `{run.service}` listen on 0.0.0.0:{probe.port}, or correct `port` of this probe"
