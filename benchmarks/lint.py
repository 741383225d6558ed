"""How long `hullmark lint` takes beside hadolint, on 100 Dockerfiles of 200 lines.

A Compose project of 100 services is made in a temporary directory, each with a Dockerfile of its own: four stages, long
chains of shell commands, here-documents, labels and variables. hullmark reads all of it as one project and asks
`docker compose config` for it, without hadolint; hadolint gets the same files in one call. Both are measured in turns,
whole processes, after a first one of each that does not count. No engine is used. Ends with exit status 1 when hullmark
takes longer, or when one of the two finds nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

FILES = 100
LINES = 200
ROUNDS = 3
GOAL = 1.0
UNREAD = "DL1000"
"""What hadolint says of a file that it cannot parse, and then nothing else."""
HULLMARK = str(Path(sys.executable).with_name("hullmark"))
BARE = (sys.executable, "-c", "pass")


def main() -> int:
    """Measures and prints; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="of each (default: %(default)s)")
    parser.add_argument("--files", type=int, default=FILES, help="Dockerfiles (default: %(default)s)")
    options = parser.parse_args()
    hadolint = shutil.which("hadolint", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    if hadolint is None:
        print("no hadolint to compare with: install hullmark[hadolint]", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(prefix="hullmark-benchmark-") as name:
        top = Path(name)
        paths = generate(top, options.files)
        environ = {**os.environ, "HULLMARK_HADOLINT": "never", "HULLMARK_CACHE_DIR": str(top / "cache")}
        lint = (HULLMARK, "--quiet", "lint", "--format", "json")
        found = len(json.loads(_run(lint, top, environ))["findings"])
        seen = json.loads(_run((hadolint, "--format", "json", *paths), top, environ))
        if any(each["code"] == UNREAD for each in seen):
            print("hadolint cannot read what was made for it", file=sys.stderr)
            return 1
        theirs = len(seen)
        print(
            f"{len(paths)} Dockerfiles of {LINES} lines: {found} findings of hullmark, {theirs} of hadolint\n"
        )
        if not found or not theirs:
            return 1
        commands = {
            "hullmark lint": lint,
            "hadolint": (hadolint, *paths),
            "docker compose config": ("docker", "compose", "config", "--format", "json"),
            "python -c pass": BARE,
        }
        times = _measure(commands, top, environ, options.rounds)
    for title, each in times.items():
        print(
            f"{title:24} {statistics.median(each):7.1f} ms   (fastest {min(each):.1f} ms, of {options.rounds})"
        )
    ratio = statistics.median(times["hullmark lint"]) / statistics.median(times["hadolint"])
    print(f"{'':24} {ratio:7.2f} times hadolint   (aimed at: at most {GOAL:g})")
    return int(ratio > GOAL)


def generate(top: Path, files: int) -> tuple[str, ...]:
    """Writes the project; the paths of its Dockerfiles."""
    compose = ["name: benchmark", "services:"]
    paths = []
    for number in range(files):
        service = f"s{number:03}"
        compose += [f"  {service}:", f"    image: benchmark-{service}:1", f"    build: {service}"]
        path = top / service / "Dockerfile"
        path.parent.mkdir(parents=True)
        path.write_text(_dockerfile(service, number), encoding="utf-8")
        paths.append(f"{service}/Dockerfile")
    (top / "compose.yml").write_text("\n".join(compose) + "\n", encoding="utf-8")
    return tuple(paths)


def _dockerfile(service: str, number: int) -> str:
    """Two stages that build, one that has what both share, and one that ships; `LINES` lines, no two files the same."""
    lines = [
        "# syntax=docker/dockerfile:1",
        f"ARG PYTHON=3.{number % 4 + 10}",
        "ARG DEBIAN=bookworm",
        "",
        "# What every stage below needs",
        "FROM debian:${DEBIAN}-slim AS shared",
        *_setting(service, 10),
        *_packages(["ca-certificates", "curl", "gnupg", "libpq5", f"libssl{number % 3 + 1}"], "tini"),
        'SHELL ["/bin/bash", "-o", "pipefail", "-c"]',
        "",
        "FROM shared AS assets",
        "WORKDIR /assets",
        *_packages([f"node-{service}-{each}" for each in range(8)], "nodejs"),
        "COPY package.json package-lock.json ./",
        "RUN --mount=type=cache,target=/root/.npm npm ci --no-audit",
        "COPY web ./web",
        *_chain(service, 22),
        "",
        "FROM shared AS build",
        "ARG PYTHON",
        "ARG TARGETARCH",
        "WORKDIR /build",
        *_packages(["build-essential", "libpq-dev", "pkg-config", "python${PYTHON}-dev"], "git"),
        "COPY requirements.txt .",
        f"RUN python3 -m venv /opt/{service} && /opt/{service}/bin/pip install -r requirements.txt",
        "COPY . .",
        *_chain(f"{service}-core", 26),
        *_document(service, 18),
        "",
        "FROM shared AS final",
        f'LABEL org.opencontainers.image.title="{service}" \\',
        f'      org.opencontainers.image.description="The {service} of $PYTHON" \\',
        '      org.opencontainers.image.licenses="Apache-2.0"',
        *_setting(f"{service}_run", 8),
        f"COPY --from=build --chown=1000:1000 /opt/{service} /opt/{service}",
        "COPY --from=assets /assets/dist /srv/static",
        f"RUN groupadd -g 1000 app && useradd -u 1000 -g app -d /srv app && chown -R app:app /srv/{service}",
    ]
    ending = [
        "VOLUME /srv/data",
        f"EXPOSE {8000 + number}",
        "USER app",
        "HEALTHCHECK --interval=30s --timeout=3s --retries=3 \\",
        f'    CMD curl -fsS "http://localhost:{8000 + number}/health" || exit 1',
        f'ENTRYPOINT ["tini", "--", "/opt/{service}/bin/serve"]',
        'CMD ["--workers", "2"]',
    ]
    lines += _chain(f"{service}-last", LINES - len(lines) - len(ending))
    assert len(lines) + len(ending) == LINES
    return "\n".join([*lines, *ending]) + "\n"


def _setting(name: str, count: int) -> list[str]:
    variables = [f'{name.upper()}_{each}="/srv/{name}/{each}:$PATH"' for each in range(count)]
    return ["ENV LANG=C.UTF-8 \\", *(f"    {each} \\" for each in variables[:-1]), f"    {variables[-1]}"]


def _packages(names: list[str], last: str) -> list[str]:
    return [
        "RUN apt-get update \\",
        "    && apt-get install -y --no-install-recommends \\",
        *(f"        {each} \\" for each in names),
        f"        {last} \\",
        "    # What was unpacked is enough",
        "    && rm -rf /var/lib/apt/lists/*",
    ]


def _chain(name: str, count: int) -> list[str]:
    """A RUN of `count` lines: loops, conditions, pipes, substitutions and quotes."""
    steps = [
        f'mkdir -p "/srv/{name}/cache" /var/log/{name}',
        f'for each in one two three; do install -d -m 0755 "/srv/{name}/$each"; done',
        f'if [ "$(uname -m)" = "x86_64" ]; then echo amd64 > /srv/{name}/arch; else echo other; fi',
        f"curl -fsSL https://example.org/{name}.tar.gz | tar -xz -C /srv/{name} --strip-components=1",
        f"sed -i -e 's/^#listen .*/listen = 0.0.0.0/' -e \"s|@NAME@|{name}|g\" /srv/{name}/app.conf",
        f'find /srv/{name} -type f -name "*.pyc" -delete',
        f"echo \"$(sha256sum /srv/{name}/app.conf | cut -d' ' -f1)  {name}\" >> /srv/sums.txt",
        f"( cd /srv/{name} && make -j\"$(nproc)\" && make install DESTDIR='/out dir' )",
    ]
    body = [f"    && {steps[each % len(steps)]} \\" for each in range(count - 2)]
    return ["RUN set -eux \\", *body, f"    && rm -rf /tmp/{name}"]


def _document(name: str, count: int) -> list[str]:
    """A RUN whose script is a here-document of `count` lines, and a COPY of another one."""
    script = [
        'case "$TARGETARCH" in',
        f"    amd64) flags=-march=x86-64-v2; name={name} ;;",
        "    *) flags=; name=plain ;;",
        "esac",
        'echo "${flags:-none} $name" | tee -a /build/flags',
        f'while read -r line; do echo "$line"; done < /srv/{name}/list',
    ]
    body = [script[each % len(script)] for each in range((count - 7) // len(script) * len(script))]
    padding = [f"echo {name} {each}" for each in range(count - 7 - len(body))]
    return [
        "RUN <<EOF",
        *body,
        *padding,
        "EOF",
        "",  # hadolint takes an instruction right behind a here-document for an error
        f"COPY <<CONF /etc/{name}.conf",
        f"name = {name}",
        "colour = blue",
        "CONF",
    ]


def _measure(
    commands: dict[str, tuple[str, ...]], top: Path, environ: dict[str, str], rounds: int
) -> dict[str, list[float]]:
    """Milliseconds of each command in each round."""
    times: dict[str, list[float]] = {title: [] for title in commands}
    for number in range(rounds + 1):
        for title, command in commands.items():
            started = time.perf_counter()
            _run(command, top, environ)
            if number:
                times[title].append((time.perf_counter() - started) * 1000)
    return times


def _run(command: tuple[str, ...], top: Path, environ: dict[str, str]) -> bytes:
    """What it writes; both linters end with 1 when there are findings."""
    done = subprocess.run(command, cwd=top, env=environ, check=False, capture_output=True)
    if done.returncode not in (0, 1):
        raise SystemExit(f"{command[0]} ends with {done.returncode}: {done.stderr.decode()}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
