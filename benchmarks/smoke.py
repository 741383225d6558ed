"""How long `hullmark smoke` takes beside a script that does the same with `docker compose up --wait`, curl and `exec`.

Of the reference stack, its images built, or of a small one that needs none. The script starts the stack in a project of
its own, sends the same requests, runs the same flow and the same connections between services, and removes it with
`docker compose down -v -t 0`. Whole processes are measured, in turns, and each has to end well. Further: how long after
a service has exited, as the engine noted it, that is told and reported, and how long a stack that is up takes to be
removed, beside `docker compose down -v` with the same grace, which is none. Ends with exit status 1 when something takes
longer than is aimed at, and 2 when something does not work.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from hullmark._compose import resolve
from hullmark._engines import connect
from hullmark._process import SystemCommands
from hullmark._smoke.reap import remove_run
from hullmark._smoke.stack import running
from hullmark.model.project import Settings

Side = TypeVar("Side")
ROUNDS = 3
OVERHEAD = 1.15
TEARDOWN = 1.2
TOLD_WITHIN = 2.0
FAILED = 1
"""The exit status of a smoke test that found something."""
TALE = Path(__file__).resolve().parents[1] / "examples" / "tale"
HULLMARK = (sys.executable, "-m", "hullmark")
NAME = f"hullmark-benchmark-{os.getpid()}"
PROJECT = "com.docker.compose.project"
# Beside the developer's own copy and hullmark's, so on other ports.
TALE_PORTS = """\
services:
  db: {ports: !override ["127.0.0.1::5432"]}
  crawler: {ports: !override ["127.0.0.1::8002"]}
  rag: {ports: !override ["127.0.0.1::8001"]}
  platform: {ports: !override ["127.0.0.1::3000"]}
  proxy: {ports: !override ["127.0.0.1::80", "127.0.0.1::443", "127.0.0.1::2020"]}
"""
SCRIPT = """\
set -eu -o pipefail
compose() { docker compose -p "$NAME" $FILES "$@"; }
trap 'compose down -v -t 0 >/dev/null 2>&1' EXIT
compose up -d --no-build --wait >/dev/null 2>&1
at() { compose port "$1" "$2"; }
get() { address=$(at "$1" "$2"); curl -fsS -o /dev/null "http://$address$3"; }
"""
TALE_SCRIPT = """\
get rag 8001 /health
get rag 8001 /openapi.json
get crawler 8002 /health
get crawler 8002 /openapi.json
get platform 3000 /api/health
get proxy 2020 /health
address=$(at proxy 443)
curl -fsSk -o /dev/null --connect-to "localhost:443:$address" https://localhost/
address=$(at db 5432)
(exec 3<>"/dev/tcp/127.0.0.1/${address##*:}")
compose logs db | grep -c "opening for clients" >/dev/null
compose exec -T site python3 /srv/tests/flow.py >/dev/null
for service in rag crawler; do
  compose exec -T $service python3 -c 'import socket; socket.create_connection(("db", 5432), 5).close()'
done
for address in rag:8001 crawler:8002; do
  compose exec -T platform node -e "fetch('http://$address/health').then(it => process.exit(it.ok ? 0 : 1))"
done
! compose logs | grep -E "Traceback|UnhandledPromiseRejection"
"""
SMALL = """\
name: small
services:
  web:
    image: debian:bookworm-slim
    init: true
    command:
      - perl
      - -MIO::Socket::INET
      - -e
      - |
        my $$s = IO::Socket::INET->new(LocalPort => 8080, Listen => 9, ReuseAddr => 1) or die;
        while (my $$c = $$s->accept) {
          while (<$$c>) { last if /^\\r?$$/ }
          print $$c "HTTP/1.0 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok";
          close $$c;
        }
    ports: ["127.0.0.1::8080"]
    volumes: ["kept:/kept"]
    healthcheck: {test: [CMD, bash, -c, "exec 3<>/dev/tcp/127.0.0.1/8080"], interval: 1s, start_period: 60s}
  worker:
    image: debian:bookworm-slim
    init: true
    command: [sleep, "600"]
    depends_on: {web: {condition: service_healthy}}
    healthcheck: {test: [CMD, "true"], interval: 1s}
volumes: {kept: {}}
"""
SMALL_SETTINGS = """\
[[services.web.probes]]
http = "/"
port = 8080
expect.status = 200

[[links]]
from = "worker"
to = "tcp://web:8080"
"""
SMALL_SCRIPT = """\
get web 8080 /
compose exec -T worker bash -c 'exec 3<>/dev/tcp/web/8080'
"""
EXITS = """\
services:
  web: {image: "debian:bookworm-slim", command: [sh, -c, "exit 3"]}
  idle: {image: "debian:bookworm-slim", init: true, command: [sleep, "600"]}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """A stack, and the script that tests it."""

    name: str
    root: Path
    settings: Settings
    files: str
    """What the script tells Compose to read."""
    script: str


def main() -> int:
    """Measures and prints; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="of each (default: %(default)s)")
    parser.add_argument("--stack", choices=["tale", "small"], default="tale", help="(default: %(default)s)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hullmark-benchmark-") as name:
        directory = Path(name)
        bench = _tale(directory) if arguments.stack == "tale" else _small(directory / "small")
        fast = _overhead(bench, arguments.rounds)
        soon = _exits(directory / "exits", arguments.rounds)
        clean = _teardown(bench, arguments.rounds)
    return int(not (fast and soon and clean))


def _tale(directory: Path) -> Bench:
    ports = directory / "ports.yml"
    ports.write_text(TALE_PORTS, encoding="utf-8")
    return Bench(
        name="the reference stack",
        root=TALE,
        settings=Settings(compose=("compose.yml", "compose.test.yml"), env_file=".env.test"),
        files=f"--env-file .env.test -f compose.yml -f compose.test.yml -f {ports}",
        script=SCRIPT + TALE_SCRIPT,
    )


def _small(root: Path) -> Bench:
    root.mkdir()
    (root / "compose.yml").write_text(SMALL, encoding="utf-8")
    (root / "hullmark.toml").write_text(SMALL_SETTINGS, encoding="utf-8")
    return Bench(
        name="a small stack",
        root=root,
        settings=Settings(compose=("compose.yml",)),
        files="-f compose.yml",
        script=SCRIPT + SMALL_SCRIPT,
    )


def _overhead(bench: Bench, rounds: int) -> bool:
    """The whole of a smoke test beside the script."""
    environ = {**os.environ, "NAME": NAME, "FILES": bench.files}
    script = ("bash", "-c", bench.script)
    ours = (*HULLMARK, "-q", "smoke", "--no-build")
    times: dict[tuple[str, ...], list[float]] = {script: [], ours: []}
    for number in range(rounds):
        for argv in _in_turns((script, ours), number):
            times[argv].append(_timed(argv, bench.root, environ))
    _expect(not _left(NAME), "the script leaves something behind")
    theirs, own = (statistics.median(times[argv]) for argv in (script, ours))
    return _say(f"smoke test of {bench.name}", own, "up --wait, curl, exec, down", theirs, OVERHEAD)


def _exits(directory: Path, rounds: int) -> bool:
    """From the end of a service that exits at once to the report, and to the end of the program."""
    directory.mkdir()
    (directory / "compose.yml").write_text(EXITS, encoding="utf-8")
    told, reported, done = [], [], []
    for number in range(rounds):
        artifacts = directory / f"artifacts-{number}"
        argv = (*HULLMARK, "-C", str(directory), "smoke", "--no-build", "--artifacts", str(artifacts))
        with (
            (directory / "told").open("w+", encoding="utf-8") as errors,
            subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=errors, text=True) as process,
        ):
            assert process.stdout is not None
            seen = None
            # A pipe that nobody reads would hold the program up, and one that is waited for would hide the other.
            while seen is None and process.poll() is None:
                seen = time.time() if "exited with code 3" in Path(errors.name).read_text("utf-8") else None
                time.sleep(0.02)
            report = process.stdout.readline()
            at = time.time()
            report += process.stdout.read()
        _expect(process.returncode == FAILED, f"it ends with {process.returncode}, not {FAILED}: {report}")
        _expect("service-exited" in report and seen is not None, f"it does not tell of the exit: {report}")
        assert seen is not None
        (inspect,) = artifacts.glob("*/inspect/web-1.json")
        finished = json.loads(inspect.read_text("utf-8"))["State"]["FinishedAt"]
        ended = dt.datetime.fromisoformat(finished).timestamp()
        told.append(seen - ended)
        reported.append(at - ended)
        done.append(time.time() - ended)
    after = [statistics.median(each) for each in (told, reported, done)]
    print(
        f"a service that exits at once: told after {after[0]:.2f} s, reported after {after[1]:.2f} s, the program ends "
        f"after {after[2]:.2f} s (goal: {TOLD_WITHIN:g} s for the report)"
    )
    return after[1] <= TOLD_WITHIN


def _teardown(bench: Bench, rounds: int) -> bool:
    """Removing the stack when it is up, with and without Compose; both kill at once."""
    cancelled = threading.Event()
    commands = SystemCommands(os.environ, cancelled)
    engine = connect(commands, os.environ, cancelled)
    project = resolve(bench.root, bench.settings, commands)
    ours: list[float] = []
    theirs: list[float] = []
    for number in range(rounds):
        for taken in _in_turns((theirs, ours), number):
            with running(project, engine, commands, timeout=300) as stack:
                _expect(stack.timeline.is_ready(), f"{bench.name} does not come up")
                started = time.monotonic()
                if taken is theirs:
                    argv = ("docker", "compose", "-p", stack.name, "down", "-v", "-t", "0")
                    down = subprocess.run(argv, check=False, capture_output=True, text=True)
                    taken.append(time.monotonic() - started)
                    _expect(down.returncode == 0, down.stderr)
                else:
                    failed = remove_run(engine, stack.name, settled=True)
                    taken.append(time.monotonic() - started)
                    _expect(failed is None, str(failed))
                _expect(not _left(stack.name), "what was up is not gone")
    own, other = statistics.median(ours), statistics.median(theirs)
    return _say(f"removing {bench.name}", own, "docker compose down -v -t 0", other, TEARDOWN)


def _in_turns(sides: tuple[Side, Side], number: int) -> tuple[Side, Side]:
    """Each side goes first every other time."""
    return sides if number % 2 == 0 else (sides[1], sides[0])


def _left(project: str) -> str:
    """What the engine still has of `project`."""
    mine = ("--filter", f"label={PROJECT}={project}")
    asked = (("ps", "-aq"), ("network", "ls", "-q"), ("volume", "ls", "-q"))
    return "".join(
        subprocess.run(("docker", *words, *mine), check=True, capture_output=True, text=True).stdout
        for words in asked
    )


def _expect(what: object, otherwise: str) -> None:
    if not what:
        print(otherwise, file=sys.stderr)
        raise SystemExit(2)


def _say(ours: str, own: float, theirs: str, other: float, goal: float) -> bool:
    print(f"{ours}: {own:.2f} s, {theirs}: {other:.2f} s, ratio {own / other:.2f} (goal: {goal:g})")
    return own <= goal * other


def _timed(argv: tuple[str, ...], directory: Path, environ: dict[str, str]) -> float:
    started = time.monotonic()
    done = subprocess.run(argv, cwd=directory, env=environ, capture_output=True, text=True, check=False)
    taken = time.monotonic() - started
    _expect(done.returncode == 0, f"{argv[0]} failed: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return taken


if __name__ == "__main__":
    sys.exit(main())
