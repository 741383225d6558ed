"""How long `hullmark smoke` takes beside a script that does the same with `docker compose up --wait`, curl and `exec`.

The reference stack, its images built. The script starts it in a project of its own, sends the same requests, runs the
same flow and the same connections between services, and removes it with `docker compose down -v -t 0`. Whole processes
are measured, in turns. Further: how long after a service exits at once that is told, and how long a stack that is up
takes to be removed, beside `docker compose down -v` with the same grace. Ends with exit status 1 when something takes
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
from pathlib import Path

from hullmark._compose import resolve
from hullmark._engines import connect
from hullmark._process import SystemCommands
from hullmark._smoke.reap import remove_run
from hullmark._smoke.stack import running
from hullmark.model.project import Settings

ROUNDS = 3
OVERHEAD = 1.15
TEARDOWN = 1.2
TOLD_WITHIN = 2.0
TALE = Path(__file__).resolve().parents[1] / "examples" / "tale"
HULLMARK = (sys.executable, "-m", "hullmark")
NAME = f"hullmark-benchmark-{os.getpid()}"
# Beside the developer's own copy and hullmark's, so on other ports.
PORTS = """\
services:
  db: {ports: !override ["127.0.0.1::5432"]}
  crawler: {ports: !override ["127.0.0.1::8002"]}
  rag: {ports: !override ["127.0.0.1::8001"]}
  platform: {ports: !override ["127.0.0.1::3000"]}
  proxy: {ports: !override ["127.0.0.1::80", "127.0.0.1::443", "127.0.0.1::2020"]}
"""
SCRIPT = """\
set -e
compose() { docker compose -p "$NAME" --env-file .env.test -f compose.yml -f compose.test.yml -f "$PORTS" "$@"; }
trap 'compose down -v -t 0 >/dev/null 2>&1' EXIT
compose up -d --no-build --wait >/dev/null 2>&1
at() { compose port "$1" "$2"; }
curl -fsS -o /dev/null "http://$(at rag 8001)/health"
curl -fsS -o /dev/null "http://$(at crawler 8002)/health"
curl -fsS -o /dev/null "http://$(at platform 3000)/api/health"
address=$(at proxy 443)
curl -fsSk -o /dev/null --connect-to "localhost:443:$address" https://localhost/
curl -fsS -o /dev/null "http://$(at proxy 2020)/health"
(exec 3<>"/dev/tcp/127.0.0.1/$(at db 5432 | cut -d: -f2)")
compose exec -T site python3 /srv/tests/flow.py >/dev/null
for pair in rag crawler; do
  compose exec -T $pair python3 -c 'import socket; socket.create_connection(("db", 5432), 5).close()'
done
"""
EXITS = """\
services:
  web: {image: "debian:bookworm-slim", command: [sh, -c, "exit 3"]}
  idle: {image: "debian:bookworm-slim", init: true, command: [sleep, "600"]}
"""


def main() -> int:
    """Measures and prints; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="of each (default: %(default)s)")
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory(prefix="hullmark-benchmark-") as name:
        fast = _overhead(Path(name), rounds)
        soon = _exits(Path(name), rounds)
        clean = _teardown(rounds)
    return int(not (fast and soon and clean))


def _overhead(directory: Path, rounds: int) -> bool:
    """The whole of a smoke test beside the script."""
    ports = directory / "ports.yml"
    ports.write_text(PORTS, encoding="utf-8")
    environ = {**os.environ, "NAME": NAME, "PORTS": str(ports)}
    script = ("bash", "-c", SCRIPT)
    ours = (*HULLMARK, "-q", "smoke", "--no-build")
    times: dict[tuple[str, ...], list[float]] = {script: [], ours: []}
    for _ in range(rounds):
        for argv, taken in times.items():
            taken.append(_timed(argv, environ))
    theirs, own = (statistics.median(taken) for taken in times.values())
    return _say("smoke test of the reference stack", own, "up --wait, curl, exec, down", theirs, OVERHEAD)


def _exits(directory: Path, rounds: int) -> bool:
    """From the end of a service that exits at once to the report."""
    (directory / "compose.yml").write_text(EXITS, encoding="utf-8")
    waits: list[tuple[float, float]] = []
    for _ in range(rounds):
        artifacts = directory / f"artifacts-{len(waits)}"
        argv = (*HULLMARK, "-C", str(directory), "smoke", "--no-build", "--artifacts", str(artifacts))
        process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        seen = 0.0
        assert process.stderr is not None
        for line in process.stderr:
            if "exited with code 3" in line:
                seen = time.time()
        process.communicate()
        ended_at = time.time()
        (inspect,) = artifacts.glob("*/inspect/web-1.json")
        finished = json.loads(inspect.read_text("utf-8"))["State"]["FinishedAt"]
        ended = dt.datetime.fromisoformat(finished[:26] + "+00:00").timestamp()
        waits.append((seen - ended, ended_at - ended))
    told = statistics.median(wait[0] for wait in waits)
    reported = statistics.median(wait[1] for wait in waits)
    print(
        f"a service that exits at once: told after {told:.2f} s, reported and removed after {reported:.2f} s "
        f"(goal: {TOLD_WITHIN:g} s)"
    )
    return reported <= TOLD_WITHIN


def _teardown(rounds: int) -> bool:
    """Removing the reference stack when it is up, with and without Compose."""
    cancelled = threading.Event()
    commands = SystemCommands(os.environ, cancelled)
    engine = connect(commands, os.environ, cancelled)
    settings = Settings(compose=("compose.yml", "compose.test.yml"), env_file=".env.test")
    project = resolve(TALE, settings, commands)
    ours: list[float] = []
    theirs: list[float] = []
    for _ in range(rounds):
        for taken, with_compose in ((theirs, True), (ours, False)):
            with running(project, engine, commands, timeout=300) as stack:
                if not stack.timeline.is_ready():
                    print("the reference stack does not come up", file=sys.stderr)
                    raise SystemExit(2)
                started = time.monotonic()
                if with_compose:
                    argv = ("docker", "compose", "-p", stack.name, "down", "-v", "-t", "0")
                    subprocess.run(argv, check=True, capture_output=True)
                else:
                    remove_run(engine, stack.name, settled=True)
                taken.append(time.monotonic() - started)
    own, other = statistics.median(ours), statistics.median(theirs)
    return _say("removing the stack", own, "docker compose down -v -t 0", other, TEARDOWN)


def _say(ours: str, own: float, theirs: str, other: float, goal: float) -> bool:
    print(f"{ours}: {own:.2f} s, {theirs}: {other:.2f} s, ratio {own / other:.2f} (goal: {goal:g})")
    return own <= goal * other


def _timed(argv: tuple[str, ...], environ: dict[str, str]) -> float:
    started = time.monotonic()
    done = subprocess.run(argv, cwd=TALE, env=environ, capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"{argv[0]} failed: {done.stdout[-2000:]}{done.stderr[-2000:]}", file=sys.stderr)
        raise SystemExit(2)
    return time.monotonic() - started


if __name__ == "__main__":
    sys.exit(main())
