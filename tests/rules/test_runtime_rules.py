"""Each rule about builds and running services on literals: what it catches, where, and what it leaves alone."""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass
from typing import Any

import pytest

import hullmark.rules.runtime
from hullmark.model.build import FailedBuild
from hullmark.model.drill import DrillRun
from hullmark.model.finding import Severity
from hullmark.model.location import SourceSpan
from hullmark.model.probe import (
    ExecProbe,
    FlowProbe,
    HttpProbe,
    LogProbe,
    LogRule,
    OpenApiProbe,
    SqlProbe,
    Step,
    TcpProbe,
)
from hullmark.model.project import Allowance, Link
from hullmark.model.rule import HEADINGS, Rule
from hullmark.model.service_run import ServiceRun, State
from hullmark.model.stack import LinkRun, LogRun, Privileges, ProbeRun, ProcessUser, StepRun


def _rules() -> dict[str, Rule[Any]]:
    package = hullmark.rules.runtime
    modules = [
        importlib.import_module(f"{package.__name__}.{each.name}")
        for each in pkgutil.iter_modules(package.__path__)
    ]
    return {
        value.id: value
        for module in modules
        for value in vars(module).values()
        # Those about drills are much alike, and have a file of their own.
        if isinstance(value, Rule) and value.target is not DrillRun
    }


RULES = _rules()
COMPOSE = SourceSpan(path="compose.yml", line=12, column=3)
TOML = SourceSpan(path="hullmark.toml", line=30)
TEN = Allowance(seconds=10.0, origin=TOML)
DOCKERFILE = SourceSpan(path="web/Dockerfile", line=7)


@dataclass(frozen=True, kw_only=True)
class Case:
    """What was observed, and what the rule sees in it; nothing, where it is good."""

    rule: str
    name: str
    target: Any
    seen: str = ""
    remedy: str = ""
    """A part of it."""
    place: SourceSpan = COMPOSE


def _run(state: State, **more: Any) -> ServiceRun:
    checked = {"has_health_check": state in {State.HEALTHY, State.UNHEALTHY}}
    return ServiceRun(service="web", span=COMPOSE, state=state, **(checked | more))


def _http(*, passed: bool = False, seen: str = "status 500", **more: Any) -> ProbeRun:
    probe = HttpProbe(path="/health", port=8001, origin=TOML, **more)
    return ProbeRun(service="web", probe=probe, passed=passed, seen=seen)


def _link(
    to: str, seen: str, *, passed: bool = False, met: dict[str, Any] | None = None, **more: Any
) -> LinkRun:
    link = Link(from_service="web", to=to, origin=TOML, **more)
    return LinkRun(link=link, passed=passed, seen=seen, **(met or {}))


def _privileges(*processes: tuple[int, str, str]) -> Privileges:
    return Privileges(
        service="db",
        expected="postgres",
        span=TOML,
        processes=tuple(ProcessUser(uid=uid, name=name, command=command) for uid, name, command in processes),
    )


def _failure(message: str, step: str = "", output: tuple[str, ...] = ()) -> FailedBuild:
    return FailedBuild(span=DOCKERFILE, message=message, step=step, output=output)


CASES = (
    # failed-build: whoever has a failed build has a finding; there is nothing else to look at
    Case(
        rule="failed-build",
        name="step",
        target=_failure("exit code: 3", "RUN make", ("cc: not found", "make: *** 1")),
        seen="`RUN make`: exit code: 3\ncc: not found\nmake: *** 1",
        remedy="correct line 7 of `web/Dockerfile`; `docker compose build",
        place=DOCKERFILE,
    ),
    Case(
        rule="failed-build",
        name="source",
        target=_failure('failed to compute cache key: "/a.txt": not found', "COPY a.txt /"),
        seen='`COPY a.txt /`: failed to compute cache key: "/a.txt": not found',
        remedy="put `/a.txt` into the build context, take it out of `.dockerignore`, or correct line 7",
        place=DOCKERFILE,
    ),
    Case(
        rule="failed-build",
        name="syntax",
        target=_failure("dockerfile parse error on line 7: unknown instruction: RUNN"),
        seen="dockerfile parse error on line 7: unknown instruction: RUNN",
        remedy="correct line 7 of `web/Dockerfile`",
        place=DOCKERFILE,
    ),
    Case(
        rule="failed-build",
        name="tmpfs",
        target=FailedBuild(
            span=DOCKERFILE, message="exit code: 1", step="RUN x", output=(), no_space=True, has_tmpfs=True
        ),
        seen="`RUN x`: exit code: 1",
        remedy="give the tmpfs of line 7 of `web/Dockerfile` more room (`size=`)",
        place=DOCKERFILE,
    ),
    # forbidden-log-line
    Case(
        rule="forbidden-log-line",
        name="none",
        target=LogRun(service="web", rule=LogRule(pattern="Trace", origin=TOML), count=0, lines=()),
    ),
    Case(
        rule="forbidden-log-line",
        name="unread",
        target=LogRun(service="web", rule=LogRule(pattern="Trace", origin=TOML), count=0, lines=()),
    ),
    Case(
        rule="forbidden-log-line",
        name="one",
        target=LogRun(service="web", rule=LogRule(pattern="Trace", origin=TOML), count=1, lines=("Trace a",)),
        seen="1 line with `Trace`:\nTrace a",
        remedy="correct what makes `web` write it",
        place=TOML,
    ),
    Case(
        rule="forbidden-log-line",
        name="two",
        target=LogRun(service="web", rule=LogRule(pattern="a.b", origin=TOML), count=2, lines=("a-b", "axb")),
        seen="2 lines with `a.b`:\na-b\naxb",
        remedy="correct what makes `web` write it",
        place=TOML,
    ),
    Case(
        rule="forbidden-log-line",
        name="many",
        target=LogRun(service="web", rule=LogRule(pattern="Trace", origin=TOML), count=3, lines=("Trace a",)),
        seen="3 lines with `Trace`:\nTrace a\nand 2 more",
        remedy="correct what makes `web` write it",
        place=TOML,
    ),
    Case(
        rule="forbidden-log-line",
        name="unreadable",
        target=LogRun(
            service="web", rule=LogRule(pattern="x", origin=TOML), count=0, error="the log cannot be read"
        ),
    ),
    # failed-link
    Case(rule="failed-link", name="http", target=_link("http://rag:8001/", "status 200", passed=True)),
    Case(rule="failed-link", name="tcp", target=_link("tcp://db:5432", "connected", passed=True)),
    Case(
        rule="failed-link",
        name="expected-status",
        target=_link("http://rag:8001/x", "status 404 (by curl)", passed=True, status=404),
    ),
    Case(
        rule="failed-link",
        name="refused",
        target=_link("tcp://db:9999", "Connection refused"),
        seen="web -> tcp://db:9999: Connection refused",
        remedy="let `db` listen on 0.0.0.0:9999 and share a network with `web`, or correct `to`",
        place=TOML,
    ),
    Case(
        rule="failed-link",
        name="connected-and-slow",
        target=_link("http://rag:8001/ask", "no answer in time (by curl)", met={"connected": True}),
        seen="web -> http://rag:8001/ask: no answer in time (by curl)",
        remedy="see in the log of `rag` why it accepts the connection and does not answer /ask, or raise `timeout`",
        place=TOML,
    ),
    Case(
        rule="failed-link",
        name="unknown-host",
        target=_link("https://proxi/", "`proxi` does not resolve (by curl)", met={"resolved": False}),
        seen="web -> https://proxi/: `proxi` does not resolve (by curl)",
        remedy="let `web` and `proxi` share a network, or correct the name in `to`",
        place=TOML,
    ),
    Case(
        rule="failed-link",
        name="certificate",
        target=_link("https://proxy/", "TLS: certificate has expired (by node)", met={"secured": False}),
        seen="web -> https://proxy/: TLS: certificate has expired (by node)",
        remedy="let `web` trust the certificate of `proxy`, or set `tls` of this link",
        place=TOML,
    ),
    Case(
        rule="failed-link",
        name="status",
        target=_link(
            "http://rag:8001/health",
            "status 503 (by node)",
            status=200,
            met={"resolved": True, "status": 503},
        ),
        seen="web -> http://rag:8001/health: status 503 (by node)",
        remedy="let `rag` answer /health as expected, or set `status` of this link",
        place=TOML,
    ),
    Case(rule="failed-link", name="derived", target=_link("tcp://db:1", "refused", derived="`depends_on`")),
    # failed-derived-link
    Case(
        rule="failed-derived-link",
        name="refused",
        target=_link("tcp://db:5432", "connection refused", derived="the environment variable `DB`"),
        seen="web -> tcp://db:5432 (derived from the environment variable `DB`): connection refused",
        remedy="let `db` listen on 0.0.0.0:5432 and share a network with `web`, or declare in `[[links]]`",
        place=TOML,
    ),
    Case(
        rule="failed-derived-link",
        name="unknown-host",
        target=_link(
            "tcp://rag:8001", "`rag` does not resolve", derived="the environment variable `RAG_URL`"
        ),
        seen="web -> tcp://rag:8001 (derived from the environment variable `RAG_URL`): `rag` does not resolve",
        remedy="share a network with `web`",
        place=TOML,
    ),
    Case(
        rule="failed-derived-link",
        name="late",
        target=_link("tcp://db:5432", "timed out (by bash)", derived="`depends_on`"),
        seen="web -> tcp://db:5432 (derived from `depends_on`): timed out (by bash)",
        remedy="let `db` listen on 0.0.0.0:5432",
        place=TOML,
    ),
    Case(
        rule="failed-derived-link",
        name="declared-and-holds",
        target=_link("tcp://db:5432", "connected", passed=True),
    ),
    Case(
        rule="failed-derived-link",
        name="holds",
        target=_link("tcp://db:5432", "connected", passed=True, derived="`depends_on`"),
    ),
    Case(rule="failed-derived-link", name="declared", target=_link("tcp://db:5432", "connection refused")),
    # failed-probe
    Case(rule="failed-probe", name="http", target=_http(passed=True, seen="status 200")),
    Case(
        rule="failed-probe",
        name="tcp",
        target=ProbeRun(service="web", probe=TcpProbe(port=5432, origin=TOML), passed=True, seen="accepted"),
    ),
    Case(
        rule="failed-probe",
        name="exec",
        target=ProbeRun(
            service="web", probe=ExecProbe(command=("true",), origin=TOML), passed=True, seen="0"
        ),
    ),
    Case(
        rule="failed-probe",
        name="status",
        target=_http(),
        seen="GET /health at port 8001: status 500",
        remedy="let `web` answer /health as expected",
        place=TOML,
    ),
    Case(
        rule="failed-probe",
        name="no-answer",
        target=_http(seen="connection refused", tls="verify"),
        seen="GET /health at port 8001 over TLS: connection refused",
        remedy="let `web` listen on 0.0.0.0:8001, or correct `port`",
        place=TOML,
    ),
    Case(
        rule="failed-probe",
        name="refused",
        target=ProbeRun(
            service="web", probe=TcpProbe(port=5432, origin=TOML), passed=False, seen="connection refused"
        ),
        seen="TCP connection to port 5432: connection refused",
        remedy="let `web` listen on 0.0.0.0:5432",
        place=TOML,
    ),
    Case(
        rule="failed-probe",
        name="command",
        target=ProbeRun(
            service="web",
            probe=ExecProbe(command=("pg_isready", "-q"), origin=TOML),
            passed=False,
            seen="exit code 2",
        ),
        seen="exec pg_isready -q: exit code 2",
        remedy="let `docker compose exec web pg_isready -q` succeed",
        place=TOML,
    ),
    # privileges-kept
    Case(
        rule="privileges-kept",
        name="all-dropped",
        target=_privileges((999, "postgres", "postgres -D /data"), (999, "postgres", "postgres: writer")),
    ),
    Case(
        rule="privileges-kept",
        name="init-stays",
        target=_privileges((0, "root", "/sbin/docker-init -- run"), (999, "postgres", "postgres")),
    ),
    Case(
        rule="privileges-kept",
        name="user-by-number",
        target=Privileges(
            service="db",
            expected="999",
            span=TOML,
            processes=(ProcessUser(uid=999, name="postgres", command="postgres"),),
        ),
    ),
    Case(
        rule="privileges-kept",
        name="root",
        target=_privileges((0, "root", "postgres -D /data")),
        seen="`postgres -D /data` runs as root",
        remedy="`exec` the service as postgres",
        place=TOML,
    ),
    Case(
        rule="privileges-kept",
        name="shell-that-did-not-exec",
        target=_privileges((0, "root", "/bin/sh /entrypoint"), (999, "postgres", "postgres")),
        seen="`/bin/sh /entrypoint` runs as root",
        remedy="`exec` the service as postgres",
        place=TOML,
    ),
    Case(
        rule="privileges-kept",
        name="somebody-else",
        target=_privileges((33, "www-data", "apache2")),
        seen="`apache2` runs as www-data",
        remedy="`exec` the service as postgres",
        place=TOML,
    ),
    # killed-for-memory
    Case(rule="killed-for-memory", name="enough", target=_run(State.HEALTHY)),
    Case(
        rule="killed-for-memory",
        name="ended-by-it",
        target=_run(State.EXITED, exit_code=137, out_of_memory=True),
    ),
    Case(
        rule="killed-for-memory",
        name="loops-by-it",
        target=_run(State.RESTARTING, exit_code=137, restarts=3, out_of_memory=True),
    ),
    Case(
        rule="killed-for-memory",
        name="healthy",
        target=_run(State.HEALTHY, out_of_memory=True),
        seen="is healthy, and one of its processes was killed: out of memory",
        remedy="raise `mem_limit`",
    ),
    Case(
        rule="killed-for-memory",
        name="running",
        target=_run(State.RUNNING, out_of_memory=True),
        seen="is running, and one of its processes was killed: out of memory",
        remedy="raise `mem_limit`",
    ),
    Case(
        rule="killed-for-memory",
        name="completed",
        target=_run(State.COMPLETED, exit_code=0, out_of_memory=True),
        seen="is completed, and one of its processes was killed: out of memory",
        remedy="raise `mem_limit`",
    ),
    # over-start-budget
    Case(
        rule="over-start-budget",
        name="no-budget",
        target=_run(State.HEALTHY, started=1.0, healthy=99.0),
    ),
    Case(
        rule="over-start-budget",
        name="at-the-limit",
        target=_run(State.HEALTHY, started=1.0, healthy=11.0, start_budget=TEN),
    ),
    Case(rule="over-start-budget", name="failed", target=_run(State.EXITED, started=1.0, start_budget=TEN)),
    Case(
        rule="over-start-budget",
        name="silent-probes",
        target=_run(State.RUNNING, started=1.0, unanswered=True, start_budget=TEN),
    ),
    Case(
        rule="over-start-budget",
        name="healthy",
        target=_run(State.HEALTHY, started=1.0, healthy=13.5, start_budget=TEN),
        seen="up 12.5 s after its start, 2.5 s over",
        remedy="raise `start-budget` here",
        place=TOML,
    ),
    Case(
        rule="over-start-budget",
        name="answers",
        target=_run(State.RUNNING, started=1.0, answered=12.0, start_budget=TEN),
        seen="up 11.0 s after its start, 1.0 s over",
        remedy="raise `start-budget` here",
        place=TOML,
    ),
    Case(
        rule="over-start-budget",
        name="completes",
        target=_run(State.COMPLETED, started=1.0, ended=21.0, exit_code=0, start_budget=TEN),
        seen="up 20.0 s after its start, 10.0 s over",
        remedy="raise `start-budget` here",
        place=TOML,
    ),
    Case(
        rule="over-start-budget",
        name="unknown",
        target=_run(State.RUNNING, started=1.0, start_budget=TEN),
        seen="nothing says when it is up: it has no health check, and no probes",
        remedy="`[[services.web.probes]]`",
        place=TOML,
    ),
    # restart-loop
    Case(rule="restart-loop", name="healthy", target=_run(State.HEALTHY, restarts=2, exit_code=1)),
    Case(rule="restart-loop", name="created", target=_run(State.CREATED, restarts=1, exit_code=1)),
    Case(rule="restart-loop", name="exited", target=_run(State.EXITED, exit_code=1)),
    Case(
        rule="restart-loop",
        name="error",
        target=_run(State.RESTARTING, restarts=3, restarts_allowed=2, exit_code=1),
        seen="exited 3 times, last with code 1",
        remedy="`docker compose up web`",
    ),
    Case(
        rule="restart-loop",
        name="memory",
        target=_run(State.RESTARTING, restarts=4, exit_code=137, out_of_memory=True),
        seen="exited 4 times, last with code 137 (SIGKILL: out of memory)",
        remedy="raise `mem_limit`",
    ),
    Case(
        rule="restart-loop",
        name="success",
        target=_run(State.RESTARTING, restarts=3, exit_code=0),
        seen="exited 3 times, last with code 0 (it was done)",
        remedy="let its program stay in the foreground",
    ),
    # service-exited
    Case(rule="service-exited", name="running", target=_run(State.RUNNING)),
    Case(rule="service-exited", name="completed", target=_run(State.COMPLETED, exit_code=0)),
    Case(rule="service-exited", name="loop", target=_run(State.RESTARTING, restarts=3, exit_code=1)),
    Case(
        rule="service-exited",
        name="error",
        target=_run(State.EXITED, exit_code=3),
        seen="exited with code 3",
        remedy="`docker compose up web`",
    ),
    Case(
        rule="service-exited",
        name="no-program",
        target=_run(State.EXITED, exit_code=127),
        seen="exited with code 127 (its program was not found)",
        remedy="the program that it starts is not in the image",
    ),
    Case(
        rule="service-exited",
        name="no-permission",
        target=_run(State.EXITED, exit_code=126),
        seen="exited with code 126 (its program cannot be executed)",
        remedy="`chmod +x`",
    ),
    Case(
        rule="service-exited",
        name="killed",
        target=_run(State.EXITED, exit_code=137),
        seen="exited with code 137 (SIGKILL: it was killed)",
        remedy="`docker compose up web`",
    ),
    Case(
        rule="service-exited",
        name="memory",
        target=_run(State.EXITED, exit_code=137, out_of_memory=True),
        seen="exited with code 137 (SIGKILL: out of memory)",
        remedy="raise `mem_limit`",
    ),
    Case(
        rule="service-exited",
        name="memory-of-a-child",
        target=_run(State.EXITED, exit_code=1, out_of_memory=True),
        seen="exited with code 1 (a process of it was killed: out of memory)",
        remedy="raise `mem_limit`",
    ),
    Case(
        rule="service-exited",
        name="crashed",
        target=_run(State.EXITED, exit_code=139),
        seen="exited with code 139 (SIGSEGV: it crashed: memory that is not its own)",
        remedy="`docker compose up web`",
    ),
    Case(
        rule="service-exited",
        name="done",
        target=_run(State.EXITED, exit_code=0),
        seen="exited with code 0 (it was done)",
        remedy="let what needs it wait with `condition: service_completed_successfully`",
    ),
    Case(
        rule="service-exited",
        name="never-started",
        target=_run(State.EXITED, exit_code=127, refusal='exec: "srv": executable file not found in $PATH'),
        seen='cannot be started (exit code 127): exec: "srv": executable file not found in $PATH',
        remedy="the program that it starts is not in the image",
    ),
    Case(
        rule="service-exited",
        name="waits-for-no-check",
        target=_run(
            State.EXITED,
            refusal="dependency failed to start: container shop-db-1 has no healthcheck configured",
        ),
        seen="cannot be started: dependency failed to start: container shop-db-1 has no healthcheck configured",
        remedy="give the service that `web` waits for a health check, or let it wait with `condition: service_started`",
    ),
    Case(
        rule="service-exited",
        name="refused",
        target=_run(State.EXITED, exit_code=128, refusal="unable to find user app"),
        seen="cannot be started: unable to find user app",
        remedy="correct what the Compose file says of `web`, so that the engine can start it",
    ),
    # start-timeout
    Case(
        rule="start-timeout",
        name="limited-elsewhere",
        target=_run(
            State.CREATED,
            timed_out=True,
            waited_for=3.0,
            has_health_check=True,
            timeout_origin="environment variable HULLMARK_SMOKE_TIMEOUT",
        ),
        seen="still created after 3.0 s",
        remedy="or allow more time where it is set: environment variable HULLMARK_SMOKE_TIMEOUT",
    ),
    Case(rule="start-timeout", name="healthy", target=_run(State.HEALTHY, timed_out=True)),
    Case(
        rule="start-timeout",
        name="not-over",
        target=_run(State.RUNNING, has_health_check=True, waited_for=9.0),
    ),
    Case(
        rule="start-timeout",
        name="waits-for-another",
        target=_run(State.CREATED, timed_out=True, waits_on=("db",)),
    ),
    Case(rule="start-timeout", name="failed-otherwise", target=_run(State.UNHEALTHY, timed_out=True)),
    Case(
        rule="start-timeout",
        name="running",
        target=_run(State.RUNNING, has_health_check=True, timed_out=True, waited_for=300.0),
        seen="still running after 5 min 00 s",
        remedy="a longer `timeout` under `[smoke]`",
    ),
    Case(
        rule="start-timeout",
        name="created",
        target=_run(State.CREATED, timed_out=True, waited_for=12.34),
        seen="still created after 12.3 s",
        remedy="a longer `timeout` under `[smoke]`",
    ),
    Case(
        rule="start-timeout",
        name="absent",
        target=_run(State.ABSENT, timed_out=True, waited_for=2.0),
        seen="still not created after 2.0 s",
        remedy="a longer `timeout` under `[smoke]`",
    ),
    Case(
        rule="start-timeout",
        name="probes-say-it",
        target=_run(State.RUNNING, timed_out=False, unanswered=True, waited_for=9.0),
    ),
    # unhealthy-service
    Case(rule="unhealthy-service", name="healthy", target=_run(State.HEALTHY)),
    Case(rule="unhealthy-service", name="starting", target=_run(State.RUNNING, has_health_check=True)),
    Case(rule="unhealthy-service", name="exited", target=_run(State.EXITED, exit_code=1)),
    Case(
        rule="unhealthy-service",
        name="silent",
        target=_run(State.UNHEALTHY),
        seen="the health check fails",
        remedy="`docker compose exec web",
    ),
    Case(
        rule="unhealthy-service",
        name="says-why",
        target=_run(State.UNHEALTHY, health_output="curl: (7)\n  refused\n"),
        seen="the health check fails: curl: (7) refused",
        remedy="`docker compose exec web",
    ),
    Case(
        rule="unhealthy-service",
        name="says-much",
        target=_run(State.UNHEALTHY, health_output="x" * 999),
        seen=f"the health check fails: {'x' * 200}",
        remedy="`docker compose exec web",
    ),
    Case(
        rule="unhealthy-service",
        name="says-much-before-why",
        target=_run(
            State.UNHEALTHY, health_output="Traceback:\n" + "  File x\n" * 99 + "OSError: refused\n\n"
        ),
        seen="the health check fails: OSError: refused",
        remedy="`docker compose exec web",
    ),
    *(
        Case(
            rule="unhealthy-service",
            name=f"program-missing-{number}",
            target=_run(State.UNHEALTHY, health_output=output),
            seen=f"the health check fails: {output}",
            remedy="install `curl` in the last stage, or",
        )
        for number, output in enumerate(
            (
                'OCI runtime exec failed: exec: "curl": executable file not found in $PATH: unknown',
                "/bin/sh: 1: curl: not found",
                "bash: line 1: curl: command not found",
            )
        )
    ),
    # unsteady-service
    Case(rule="unsteady-service", name="healthy", target=_run(State.HEALTHY, healthy=2.0)),
    Case(rule="unsteady-service", name="never-healthy", target=_run(State.UNHEALTHY, ended=2.0)),
    Case(
        rule="unsteady-service",
        name="exited",
        target=_run(State.EXITED, has_health_check=True, healthy=2.0, ended=3.0, exit_code=1),
    ),
    Case(
        rule="unsteady-service",
        name="breaks-down",
        target=_run(State.UNHEALTHY, healthy=2.0, ended=5.5),
        seen="healthy after 2.0 s, unhealthy after 5.5 s",
        remedy="see in its log what happened in between",
    ),
    Case(
        rule="unsteady-service",
        name="flaps",
        target=_run(State.UNHEALTHY, healthy=2.0, ended=5.5, recovered=7.0),
        seen="healthy after 2.0 s, unhealthy after 5.5 s, healthy again after 7.0 s",
        remedy="see in its log what happened in between",
    ),
    Case(
        rule="unsteady-service",
        name="says-why",
        target=_run(State.UNHEALTHY, healthy=2.0, ended=5.5, health_output="no\n  memory\n"),
        seen="healthy after 2.0 s, unhealthy after 5.5 s: no memory",
        remedy="a longer `timeout` or more `retries`",
    ),
)
ONLY_BAD = {"failed-build"}
"""Rules about something that exists only when it is bad."""
WARNINGS = {"failed-derived-link"}


def _name(case: Case) -> str:
    return f"{case.rule}/{'bad' if case.seen else 'good'}-{case.name}"


@pytest.mark.parametrize("case", CASES, ids=_name)
def test_a_case_has_the_finding_it_expects(case: Case) -> None:
    findings = list(RULES[case.rule].check(case.target, service="web"))
    assert [finding.seen for finding in findings] == ([case.seen] if case.seen else [])
    for finding in findings:
        assert finding.location == case.place
        assert finding.severity is (Severity.WARNING if case.rule in WARNINGS else Severity.ERROR)
        assert finding.expected
        assert case.remedy
        assert case.remedy in finding.remedy


@pytest.mark.parametrize("name", sorted(RULES))
def test_a_rule_has_cases_of_both_kinds(name: str) -> None:
    cases = [case for case in CASES if case.rule == name]
    assert sum(bool(case.seen) for case in cases) >= 3
    assert sum(not case.seen for case in cases) >= 3 or name in ONLY_BAD
    assert {type(case.target) for case in cases} == {RULES[name].target}


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.id)
def test_a_page_has_a_title_and_the_sections_every_page_has(rule: Rule[Any]) -> None:
    title, blank, *rest = rule.page.splitlines()
    assert title.endswith(".")
    assert not blank
    assert tuple(line for line in rest if line and not line.startswith(" ")) == HEADINGS


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("timed_out", [True, False])
def test_a_service_has_at_most_one_finding_and_none_when_it_is_up(state: State, timed_out: bool) -> None:  # noqa: FBT001
    run = _run(state, timed_out=timed_out, exit_code=1, restarts=3)
    found = [finding for rule in RULES.values() if rule.target is ServiceRun for finding in rule.check(run)]
    assert len(found) == int(state.failed or (timed_out and not run.ready))


def test_a_restart_loop_says_how_many_restarts_are_allowed_and_where_that_is_set() -> None:
    (finding,) = RULES["restart-loop"].check(
        _run(State.RESTARTING, restarts=3, restarts_allowed=2, exit_code=1), service="web"
    )
    assert finding.expected == (
        "a service that is up after 2 restarts at most, which `restarts = 2` under `[services.web]` allows"
    )


def test_what_runs_out_of_memory_is_told_with_the_limit_where_there_is_one() -> None:
    limit = ("deploy.resources.limits.memory", 64 << 20)
    run = _run(State.EXITED, exit_code=137, out_of_memory=True, memory_limit=limit)
    assert run.remedy == (
        "raise `deploy.resources.limits.memory` of the service, which is 64 MiB, or let it use less memory"
    )


def test_a_fingerprint_does_not_depend_on_what_happened_to_be_seen() -> None:
    def of(rule: str, target: Any) -> str:
        (finding,) = RULES[rule].check(target, service="web")
        return finding.fingerprint

    assert of("failed-probe", _http()) == of("failed-probe", _http(seen="no answer in time"))
    assert of("failed-probe", _http()) != of("failed-probe", _http(method="POST"))
    assert of("service-exited", _run(State.EXITED, exit_code=1)) == of(
        "service-exited", _run(State.EXITED, exit_code=2)
    )
    assert of("failed-build", _failure("exit code 1", "RUN x")) == of(
        "failed-build", _failure("exit code 2", "RUN x", ("y",))
    )


def test_what_is_expected_follows_what_was_asked_for() -> None:
    def expected(rule: str, target: Any) -> str:
        (finding,) = RULES[rule].check(target, service="web")
        return finding.expected

    assert expected("failed-probe", _http()) == "status 200-399"
    assert (
        expected("failed-probe", _http(status=(range(204, 205),), body_contains="ok"))
        == "status 204 and a body with `ok`"
    )
    assert expected("failed-link", _link("tcp://db:1", "refused")) == "an accepted connection"
    assert expected("failed-link", _link("http://db:1", "refused", status=301)) == "status 301"
    assert expected("start-timeout", _run(State.CREATED, timed_out=True)) == "running"


def _probe(probe: Any, seen: str, *steps: StepRun) -> ProbeRun:
    return ProbeRun(service="web", probe=probe, passed=False, seen=seen, steps=steps)


FLOW = FlowProbe(
    name="order",
    steps=(
        Step(action=HttpProbe(path="/a", port=80, origin=TOML)),
        Step(action=SqlProbe(statement="select 1", origin=TOML, rows=1, text="x"), service="db"),
    ),
    origin=TOML,
)
DONE = StepRun(step="GET /a at port 80", passed=True, seen="status 200")
STOPPED = StepRun(step="db: sql select 1", passed=False, seen="0 rows")


@pytest.mark.parametrize(
    ("run", "expected", "remedy"),
    [
        (
            _probe(LogProbe(pattern="up", origin=TOML), "0 lines"),
            "a line with `up`",
            "writes nothing of the kind",
        ),
        (
            _probe(LogProbe(pattern="x", absent=True, origin=TOML), "x"),
            "no line with `x`",
            "`web` writes this",
        ),
        (
            _probe(SqlProbe(statement="select 1", origin=TOML), "exit code 1"),
            "a statement without an error",
            "let the database of `web` execute the statement",
        ),
        (
            _probe(
                OpenApiProbe(document=HttpProbe(path="/o", port=80, origin=TOML), origin=TOML), "GET /b: 500"
            ),
            "a status below 500 from every path",
            "name the path in `skip`",
        ),
        (
            _probe(FLOW, "step 2 of 2, db: sql select 1: 0 rows", DONE, STOPPED),
            "1 row and `x` in the rows",
            "let the database of `db` execute the statement",
        ),
        (_probe(FLOW, "the 15.0 s were over", DONE), "every step in time", "raise `timeout` of this probe"),
        (_http(seen="no answer within 0.5 s"), "status 200-399", "raise `within` of this probe"),
        (
            _probe(ExecProbe(command=("cat", "/x"), text="7", origin=TOML), "exit code 0: 8 (without `7`)"),
            "exit code 0 and `7` in the output",
            "let the command print `7`, or correct `expect.text`",
        ),
        (_http(seen="variable `A` is neither set"), "status 200-399", "set the variable in the environment"),
    ],
)
def test_a_failed_probe_of_each_kind_says_what_was_expected_and_what_to_do(
    run: ProbeRun, expected: str, remedy: str
) -> None:
    (finding,) = RULES["failed-probe"].check(run, service="web")
    assert finding.seen == f"{run.probe}: {run.seen}"
    assert finding.expected == expected
    assert remedy in finding.remedy


def test_forbidden_lines_are_quoted_and_counted() -> None:
    rule = LogRule(pattern="Trace", origin=TOML)
    run = LogRun(service="web", rule=rule, count=3, lines=("Trace a", "Trace b"))
    (finding,) = RULES["forbidden-log-line"].check(run, service="web")
    assert finding.seen == "3 lines with `Trace`:\nTrace a\nTrace b\nand 1 more"
    assert finding.location == TOML
    assert not list(
        RULES["forbidden-log-line"].check(LogRun(service="web", rule=rule, count=0), service="web")
    )
