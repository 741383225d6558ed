"""How long `hullmark affected` takes beside `git diff --name-only`, and digests of inputs beside what git does for them.

A repository with 20,000 files in 20 services is made in a temporary directory; a file of each of three services, one of
them new, is not committed. Both sides are measured in turns, whole processes, after a first one that does not count. No
engine is used. Ends with exit status 1 when `hullmark affected` says something else than the three services, or when
one of the two takes longer than is aimed at.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SERVICES = 20
FILES = 1000
ROUNDS = 11
HULLMARK = str(Path(sys.executable).with_name("hullmark"))
EXPECTED = ["s03", "s07", "s11"]
IDENTITY = ("-c", "user.name=A. Author", "-c", "user.email=author@example.org")


def main() -> int:
    """Measures and prints; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="of each (default: %(default)s)")
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory(prefix="hullmark-benchmark-") as name:
        top = Path(name) / "work"
        generate(top)
        environ = {
            **os.environ,
            "HULLMARK_CACHE_DIR": str(Path(name) / "cache"),
            # What was compiled is kept, as it is wherever nobody forbids it.
            "PYTHONPYCACHEPREFIX": str(Path(name) / "compiled"),
        }
        environ.pop("PYTHONDONTWRITEBYTECODE", None)
        affected = (HULLMARK, "affected", "--format", "json")
        found = json.loads(_run(affected, top, environ))
        if found["build"] != EXPECTED:
            print(f"affected are {found['build']}, expected {EXPECTED}", file=sys.stderr)
            return 1
        without, fast = _compare(
            "hullmark affected",
            (affected,),
            "git diff --name-only",
            (("git", "diff", "--name-only", "HEAD"),),
            top,
            environ,
            rounds,
            goal=3.0,
        )
        explained, fast_explained = _compare(
            "hullmark affected --explain",
            ((*affected, "--explain"),),
            "git ls-files -s, hash-object",
            (
                ("git", "ls-files", "-s", "-z"),
                ("git", "diff-files", "--name-only", "-z"),
                ("git", "ls-files", "--others", "-z"),
                ("git", "hash-object", "services/s03/src/d00/f00.py", "services/s11/src/new.py"),
            ),
            top,
            environ,
            rounds,
            goal=2.0,
        )
        print(f"the digests of {SERVICES * FILES:,} files take {explained - without:.0f} ms of that")
    return int(not (fast and fast_explained))


def generate(top: Path) -> None:
    """Writes and commits the repository, and changes it."""
    compose = ["name: benchmark", "services:"]
    for number in range(SERVICES):
        service = f"s{number:02}"
        directory = top / "services" / service
        compose += [
            f"  {service}:",
            f"    image: benchmark-{service}",
            "    build:",
            "      context: .",
            f"      dockerfile: services/{service}/Dockerfile",
            *(["    depends_on: [s00]"] if number else []),
        ]
        for index in range(FILES - 1):
            path = directory / "src" / f"d{index // 50:02}" / f"f{index % 50:02}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"value = {number * index}\n" * 20, encoding="utf-8")
        (directory / "Dockerfile").write_text(
            "FROM debian:bookworm-slim AS build\n"
            "WORKDIR /app\n"
            f"COPY services/{service}/src /app/src\n"
            "RUN find /app -name '*.py' | wc -l > /app/count\n"
            "FROM debian:bookworm-slim\n"
            "COPY --from=build /app /app\n"
            'CMD ["cat", "/app/count"]\n',
            encoding="utf-8",
        )
    (top / "compose.yml").write_text("\n".join(compose) + "\n", encoding="utf-8")
    (top / ".dockerignore").write_text("**/__pycache__\n**/*.pyc\n.git\n", encoding="utf-8")
    for arguments in (("init", "-q"), ("add", "--all"), (*IDENTITY, "commit", "-q", "-m", "all")):
        subprocess.run(("git", *arguments), cwd=top, check=True)
    (top / "services/s03/src/d00/f00.py").write_text("value = 0\n", encoding="utf-8")
    (top / "services/s07/src/d01/f01.py").unlink()
    (top / "services/s11/src/new.py").write_text("value = 1\n", encoding="utf-8")


def _compare(
    our_name: str,
    ours: tuple[tuple[str, ...], ...],
    their_name: str,
    theirs: tuple[tuple[str, ...], ...],
    top: Path,
    environ: dict[str, str],
    rounds: int,
    *,
    goal: float,
) -> tuple[float, bool]:
    """Prints both and their ratio; milliseconds of ours, and whether they are as few as is aimed at."""
    times: dict[str, list[float]] = {our_name: [], their_name: []}
    for number in range(rounds + 1):
        for name, commands in ((our_name, ours), (their_name, theirs)):
            started = time.perf_counter()
            for command in commands:
                _run(command, top, environ)
            if number:
                times[name].append((time.perf_counter() - started) * 1000)
    for name, found in times.items():
        print(f"{name:30} {statistics.median(found):7.1f} ms   (fastest {min(found):.1f} ms, of {rounds})")
    own, other = statistics.median(times[our_name]), statistics.median(times[their_name])
    print(f"{'':30} {own / other:7.2f} times   (aimed at: at most {goal:g})\n")
    return own, own <= goal * other


def _run(command: tuple[str, ...], top: Path, environ: dict[str, str]) -> bytes:
    return subprocess.run(command, cwd=top, env=environ, check=True, capture_output=True).stdout


if __name__ == "__main__":
    sys.exit(main())
