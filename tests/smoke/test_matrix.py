"""Stacks that are broken in one way each, end to end on a real engine: exactly the right finding, and nothing left."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.docker

HUNGRY = "perl -e '$$x = q(x) x 200_000_000; print length $$x'"
LISTENS = (
    "[perl, -e, 'use IO::Socket::INET; $$s = IO::Socket::INET->new(LocalPort => 9000, Listen => 5) or die; "
    "while ($$c = $$s->accept) { sleep 1; close $$c }']"
)
CHECKED = "healthcheck: {{test: [CMD-SHELL, {}], interval: 200ms, retries: 1, start_period: {}}}"
TINY = "mem_limit: 16m, memswap_limit: 16m"


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """A stack, and what is found of it."""

    name: str
    services: tuple[str, ...]
    """Each as YAML in one line; `BARE` stands for an image that holds one program."""
    settings: str = ""
    found: tuple[tuple[str, str, str], ...] = ()
    """Rule, service, and a part of what was seen."""
    told: tuple[str, ...] = ()
    """Parts of what is said otherwise."""
    exit_code: int = 1


def _sh(script: str, more: str = "") -> str:
    quoted = json.dumps(script)
    return f"{{image: 'debian:bookworm-slim', init: true, command: [sh, -c, {quoted}]{f', {more}' if more else ''}}}"


def _check(test: str, start_period: str = "0s") -> str:
    return CHECKED.format(json.dumps(test), start_period)


SLEEP = _sh("exec sleep 600")
READY = _check("test -e /ready", "60s")
LATE = LISTENS.replace("use IO", "sleep 2; use IO")
CASES = (
    Broken(
        name="exit-0",
        services=(f"web: {_sh('exit 0', 'ports: [8080]')}",),
        found=(("service-exited", "web", "exited with code 0 (it was done)"),),
    ),
    Broken(
        name="exit-1",
        services=(f"web: {_sh('echo no license >&2; exit 1')}", f"idle: {SLEEP}"),
        found=(("service-exited", "web", "exited with code 1"),),
        told=("no license",),
    ),
    Broken(
        name="exit-137",
        services=(f"web: {_sh('kill -KILL $$$$')}",),
        found=(("service-exited", "web", "exited with code 137 (SIGKILL: it was killed)"),),
        told=("it exited with 137 itself",),
    ),
    Broken(
        name="exit-139",
        services=(f"web: {_sh('kill -SEGV $$$$')}",),
        found=(("service-exited", "web", "exited with code 139 (SIGSEGV: it crashed"),),
    ),
    Broken(
        name="out-of-memory",
        services=(f"web: {_sh(f'exec {HUNGRY}', TINY)}",),
        found=(("service-exited", "web", "out of memory"),),
    ),
    Broken(
        name="out-of-memory-and-up",
        services=(f"web: {_sh(f'{HUNGRY}; touch /ready; exec sleep 600', f'{TINY}, {READY}')}",),
        found=(
            ("killed-for-memory", "web", "is healthy, and one of its processes was killed: out of memory"),
        ),
    ),
    Broken(
        name="never-healthy",
        services=(
            f"db: {_sh('exec sleep 600', _check('echo the cellar is flooded; exit 1'))}",
            f"rag: {_sh('exec sleep 600', 'depends_on: {db: {condition: service_healthy}}')}",
            f"platform: {_sh('exec sleep 600', 'depends_on: [rag]')}",
        ),
        found=(("unhealthy-service", "db", "the cellar is flooded"),),
        told=("waits for rag, which waits for db: unhealthy",),
    ),
    Broken(
        name="flapping",
        services=(
            # Its first check passes, and none after it.
            f"web: {_sh('exec sleep 600', _check('if test -e /was; then echo away; exit 1; fi; touch /was', '60s'))}",
            f"slow: {_sh('exec sleep 600', _check('exit 1', '60s'))}",
        ),
        found=(("unsteady-service", "web", "away"),),
    ),
    Broken(
        name="slow-start",
        services=(f"web: {_sh('sleep 2; touch /ok; exec sleep 600', _check('test -e /ok', '60s'))}",),
        settings='[services.web]\nstart-budget = "1 s"\n',
        found=(("over-start-budget", "web", " after its start, "),),
    ),
    Broken(
        name="too-slow-start",
        services=(
            f"web: {_sh('exec sleep 600', _check('exit 1', '60s'))}",
            f"job: {_sh('exec sleep 600', 'depends_on: {web: {condition: service_healthy}}')}",
        ),
        settings='[services.web]\ntimeout = "2 s"\n',
        found=(("start-timeout", "web", "still running after "),),
        told=("waits for web: not healthy yet",),
    ),
    Broken(
        name="restart-loop",
        services=(f"web: {_sh('exit 3', 'restart: always')}",),
        settings="[services.web]\nrestarts = 2\n",
        found=(("restart-loop", "web", "last with code 3"),),
    ),
    Broken(
        name="exit-after-a-while",
        services=(f"flap: {_sh('sleep 2; exit 3', 'restart: always')}",),
        found=(("service-exited", "flap", "exited with code 3"),),
    ),
    Broken(
        name="up-at-the-second-try",
        services=(
            f"web: {_sh('test -e /x && exec sleep 600; touch /x; echo no database; exit 3', 'restart: always')}",
        ),
        found=(("service-exited", "web", "exited with code 3; its restart policy is off in the test"),),
        told=("no database", "`restarts = 5` under `[services.web]`"),
    ),
    Broken(
        name="one-shots-that-complete",
        services=(
            f"migrate: {_sh('exit 0')}",
            f"warm: {_sh('exit 0')}",
            f"web: {_sh('exec sleep 600', 'depends_on: {migrate: {condition: service_completed_successfully}}')}",
        ),
        exit_code=0,
    ),
    Broken(
        name="one-shot-that-fails",
        services=(
            f"migrate: {_sh('echo no table; exit 4')}",
            f"web: {_sh('exec sleep 600', 'depends_on: {migrate: {condition: service_completed_successfully}}')}",
        ),
        found=(("service-exited", "migrate", "exited with code 4"),),
        told=("waits for migrate: exited with code 4", "no table"),
    ),
    Broken(
        name="missing-variables",
        services=(
            "web: {image: 'debian:bookworm-slim', environment: {A: '${NO_SUCH_A:?}', B: '${NO_SUCH_B:?}'}}",
        ),
        told=("NO_SUCH_A", "NO_SUCH_B"),
        exit_code=2,
    ),
    Broken(
        name="cycle",
        services=(f"a: {_sh('true', 'depends_on: [b]')}", f"b: {_sh('true', 'depends_on: [a]')}"),
        told=("cycle",),
        exit_code=2,
    ),
    Broken(
        name="wrong-port",
        services=(f"web: {{image: 'debian:bookworm-slim', init: true, command: {LISTENS}}}",),
        settings='[[services.web.probes]]\ntcp = 9001\ntimeout = "1 s"\n',
        found=(("failed-probe", "web", "refused"),),
    ),
    Broken(
        name="dead-dependency",
        services=(f"web: {SLEEP}", f"db: {SLEEP}"),
        settings='[[links]]\nfrom = "web"\nto = "tcp://db:5432"\ntimeout = "5 s"\n',
        found=(("failed-link", "web", "refused"),),
    ),
    Broken(
        name="no-health-check-and-late",
        services=(f"web: {{image: 'debian:bookworm-slim', init: true, command: {LATE}}}",),
        settings='[services.web]\nstart-budget = "1 s"\n[[services.web.probes]]\ntcp = 9000\n',
        found=(("over-start-budget", "web", " after its start, "),),
    ),
    Broken(
        name="no-health-check-and-nothing-else",
        services=(f"web: {SLEEP}",),
        settings='[services.web]\nstart-budget = "1 s"\n',
        found=(("over-start-budget", "web", "nothing says when it is up"),),
    ),
    Broken(
        name="no-health-check-and-gone-meanwhile",
        services=(f"web: {_sh('until test -e /asked; do sleep 0.1; done; exit 5', 'ports: [9000]')}",),
        settings='[[services.web.probes]]\ntcp = 9000\ntimeout = "60 s"\n'
        '[[services.web.probes]]\nexec = ["touch", "/asked"]\n',
        found=(("service-exited", "web", "exited with code 5"),),
        told=("meanwhile `web` exited with code 5",),
    ),
    Broken(
        name="no-shell",
        services=("web: {image: BARE, command: [/sleep, '600'], " + _check("true") + "}",),
        found=(("unhealthy-service", "web", "/bin/sh"),),
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_broken_stack_has_exactly_its_finding(case: Broken, bench: Any) -> None:
    root: Path = bench.root
    services = "".join(f"  {each.replace('BARE', bench.images.bare)}\n" for each in case.services)
    (root / "compose.yml").write_text(f"services:\n{services}", encoding="utf-8")
    (root / "hullmark.toml").write_text(case.settings, encoding="utf-8")
    argv = (sys.executable, "-m", "hullmark", "-C", str(root), "smoke", "--format", "json")
    done = subprocess.run(
        argv,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env={**os.environ, "HULLMARK_HADOLINT": "never"},
    )
    assert done.returncode == case.exit_code, done.stderr
    said = done.stdout + done.stderr
    assert [part for part in case.told if part not in said] == []
    if case.exit_code == 2:
        return
    report = json.loads(done.stdout)
    found = [(each["rule"], each["service"], each["seen"]) for each in report["findings"]]
    assert [each[:2] for each in found] == [each[:2] for each in case.found]
    assert all(part in seen for (_, _, seen), (_, _, part) in zip(found, case.found, strict=True)), found
    assert report["smoke"]["teardown_error"] is None
    assert bench.left(report["smoke"]["project"]) == []
