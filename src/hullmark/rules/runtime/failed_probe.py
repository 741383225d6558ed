"""Probe is not answered as expected.

What it checks
    Every probe of `hullmark.toml` against the running stack: an HTTP request or a TCP connection from outside, a
    command inside the container, a statement in a database, a line of the log, all GETs of an OpenAPI document, or
    a flow of several steps; repeated until it passes or its `timeout` is over.

Why it matters
    A service can be healthy in its own opinion and still not answer anybody.

How to fix
    Compare what was seen with the probe: is the port the one that the service listens on inside the container,
    does it listen on all interfaces and not only on `127.0.0.1`, is the path right? Of a flow the finding names the
    step, and the JSON report has what came of the ones before it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hullmark.model.finding import Observation, Severity
from hullmark.model.probe import (
    ExecProbe,
    FlowProbe,
    HttpProbe,
    LogProbe,
    OpenApiProbe,
    SqlProbe,
    TcpProbe,
)
from hullmark.model.rule import rule
from hullmark.model.stack import ProbeRun

if TYPE_CHECKING:
    from hullmark.model.probe import Probe, Step


@rule(summary="probe fails", severity=Severity.ERROR, since="0.1")
def failed_probe(run: ProbeRun) -> Iterator[Observation]:
    if not run.passed:
        yield Observation(
            location=run.probe.origin,
            seen=f"{run.probe}: {run.seen}",
            expected=_expected(run.probe, _failed_step(run)),
            remedy=_remedy(run.service, run.probe, run.seen, _failed_step(run)),
            key=str(run.probe),
        )


def _failed_step(run: ProbeRun) -> Step | None:
    """The step that a flow came to an end with."""
    if not isinstance(run.probe, FlowProbe) or not run.steps or run.steps[-1].passed:
        return None
    return run.probe.steps[len(run.steps) - 1]


def _expected(probe: Probe, step: Step | None) -> str:
    match probe:
        case HttpProbe():
            return probe.expected
        case ExecProbe(text=text):
            return "exit code 0" + (f" and `{text}` in the output" if text else "")
        case SqlProbe(rows=rows, text=text):
            wanted = [] if rows is None else [f"{rows} row{'' if rows == 1 else 's'}"]
            wanted += [f"`{text}` in the rows"] if text else []
            return " and ".join(wanted) or "a statement without an error"
        case LogProbe(absent=absent):
            return f"{'no' if absent else 'a'} line with `{probe.pattern}`"
        case OpenApiProbe():
            return "a status below 500 from every path"
        case FlowProbe():
            return "every step in time" if step is None else _expected(step.action, None)
        case TcpProbe():
            return "an accepted connection"


def _remedy(service: str, probe: Probe, seen: str, step: Step | None) -> str:  # noqa: C901  # one case per kind
    if step is not None:
        return _remedy(step.service or service, step.action, seen.partition(f"{step}: ")[2], None)
    if seen.startswith("variable `"):
        return "set the variable in the environment of hullmark, or have an earlier step capture it"
    logs = f"`docker compose logs {service}`"
    match probe:
        case ExecProbe(text=text) if text and seen.startswith("exit code 0"):
            return f"let the command print `{text}`, or correct `expect.text` of this probe"
        case ExecProbe(command=command):
            return f"let `docker compose exec {service} {' '.join(command)}` succeed, or correct this probe"
        case HttpProbe(path=path) if seen.startswith("status "):
            return f"let `{service}` answer {path} as expected, or correct this probe"
        case SqlProbe():
            return (
                f"let the database of `{service}` execute the statement, or correct `client`, `user` or `database` "
                "of this probe"
            )
        case LogProbe(absent=absent):
            what = "this" if absent else "nothing of the kind"
            return f"see why `{service}` writes {what} ({logs}), or correct this probe"
        case OpenApiProbe():
            return f"correct what breaks `{service}` there ({logs}), or name the path in `skip` of this probe"
        case FlowProbe():
            return "raise `timeout` of this probe, or make its steps faster"
        case HttpProbe(path=path) if seen.startswith("no answer"):
            return f"see why `{service}` does not answer {path} in time ({logs}), or raise `within` of this probe"
        case HttpProbe(port=port) | TcpProbe(port=port):
            return f"let `{service}` listen on 0.0.0.0:{port}, or correct `port` of this probe"
