"""Measures what a release takes beside building, pushing and starting: plan, reading back, gate, and publishing.

The images are small and already in a registry of this machine, as a builder would have left them there. So nearly all of
the time is hullmark's own. Exit code 1 where that is more than `--limit` seconds.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from socket import create_server
from typing import TYPE_CHECKING

from hullmark._checks import Surroundings
from hullmark._process import SystemCommands
from hullmark._release.build import read_back
from hullmark._release.gate import gate
from hullmark._release.publish import note_tags, publish
from hullmark._release.undertaking import Asked, opened
from hullmark.model.progress import Silent
from hullmark.model.staging import StagedService

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hullmark._release.registries import Registries

ROOT = Path(__file__).resolve().parents[1]
VERSION = "1.4.0"
PLATFORMS = ("linux/amd64", "linux/arm64")
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


def main() -> int:
    """Print how long each part takes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--services", type=int, default=5)
    parser.add_argument("--limit", type=float, default=5.0, help="seconds")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hullmark-") as directory:
        base = Path(directory)
        with _registry(base / "registry") as host:
            parts = _measure(_project(base / "shop", options.services), host, base / "cache")
    for name, seconds in parts.items():
        print(f"{name:<16} {seconds:6.2f} s")
    whole = sum(parts.values())
    print(f"{'hullmark itself':<16} {whole:6.2f} s")
    if whole > options.limit:
        print(f"a release takes hullmark itself longer than {options.limit:g} s", file=sys.stderr)
        return 1
    return 0


def _measure(root: Path, host: str, cache: Path) -> dict[str, float]:
    environ = {
        **os.environ,
        "HULLMARK_REGISTRY": f"{host}/acme",
        "HULLMARK_CACHE_DIR": str(cache),
        "HULLMARK_HADOLINT": "never",
        "HULLMARK_SCANNER": "embedded",
    }
    cancelled = threading.Event()
    around = Surroundings(
        commands=SystemCommands(environ, cancelled), environ=environ, progress=Silent(), cancelled=cancelled
    )
    parts: dict[str, float] = {}
    started = time.perf_counter()
    with opened(Asked(directory=root, version=VERSION, surroundings=around), building=False) as release:
        release.check()
        note_tags(release)
        parts["plan"] = time.perf_counter() - started
        registries = release.registries
        pushed = {
            (service.name, platform): _push(registries, service.repository, platform, service.name)
            for service in release.wanted.services
            for platform in PLATFORMS
        }
        started = time.perf_counter()
        services = tuple(
            StagedService(
                name=service.name,
                repository=service.repository,
                images=tuple(
                    read_back(registries, service, release.version, each, pushed[service.name, each])
                    for each in PLATFORMS
                ),
            )
            for service in release.wanted.services
        )
        release.save(replace(release.state, services=services))
        parts["reading back"] = time.perf_counter() - started
        started = time.perf_counter()
        failed = [each for each in gate(release, PLATFORMS, lambda *_: None) if each.exit_code]
        assert not failed, failed
        release.share(release.state.platforms)
        parts["gate"] = time.perf_counter() - started
        started = time.perf_counter()
        publish(release, lambda _line: None)
        parts["publishing"] = time.perf_counter() - started
    return parts


def _project(root: Path, services: int) -> Path:
    """A project of that many services, in a repository of git."""
    root.mkdir()
    lines = ["name: shop", "services:"]
    for number in range(services):
        lines += [f"  s{number}:", f"    image: shop-{number}", "    build: ."]
    files = {
        "compose.yml": "\n".join(lines) + "\n",
        "Dockerfile": "FROM scratch\nCOPY compose.yml /\n",
        "hullmark.toml": f'[release]\nplatforms = {json.dumps(PLATFORMS)}\nsmoke = false\nsign = "never"\n'
        'scan-fail-on = "never"\n',
        ".gitignore": ".hullmark/\n",
    }
    for name, text in files.items():
        (root / name).write_text(text, encoding="utf-8")
    said = ("-c", "user.name=benchmark", "-c", "user.email=benchmark@localhost", "-c", "commit.gpgSign=false")
    for argv in (("init", "-q"), ("add", "-A"), ("commit", "-qm", "A shop")):
        subprocess.run(("git", *said, *argv), cwd=root, check=True)
    return root


def _push(registries: Registries, repository: str, platform: str, mark: str) -> str:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w") as archive:
        member = tarfile.TarInfo("mark.txt")
        member.size = len(mark)
        archive.addfile(member, io.BytesIO(mark.encode()))
    tar = written.getvalue()
    layer = gzip.compress(tar, mtime=0)
    system, architecture = platform.split("/")
    config = json.dumps(
        {
            "os": system,
            "architecture": architecture,
            "config": {
                "User": "65534",
                "Healthcheck": {"Test": ["CMD", "/bin/true"]},
                "Labels": {"org.opencontainers.image.version": VERSION},
            },
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(tar).hexdigest()}"]},
        }
    ).encode()

    def described(media_type: str, content: bytes) -> dict[str, str | int]:
        digest = str(registries.blob(repository, content))
        return {"mediaType": media_type, "digest": digest, "size": len(content)}

    document = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": described(CONFIG, config),
        "layers": [described(LAYER, layer)],
    }
    return registries.put(repository, json.dumps(document).encode(), MANIFEST)


@contextmanager
def _registry(directory: Path) -> Iterator[str]:
    """A registry of Docker's own program."""
    found = subprocess.run((str(ROOT / "scripts/registry"),), capture_output=True, text=True, check=True)
    directory.mkdir()
    with create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    configuration = {
        "version": "0.1",
        "log": {"level": "error"},
        "storage": {"filesystem": {"rootdirectory": str(directory / "store")}, "delete": {"enabled": True}},
        "http": {"addr": f"127.0.0.1:{port}", "secret": "of the benchmark"},
    }
    (directory / "config.yml").write_text(json.dumps(configuration), encoding="utf-8")
    with (directory / "log").open("wb") as log:
        argv = (found.stdout.strip(), "serve", str(directory / "config.yml"))
        process = subprocess.Popen(argv, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 30
        while subprocess.run(
            ("curl", "-sf", f"http://127.0.0.1:{port}/v2/"), capture_output=True, check=False
        ).returncode:
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit((directory / "log").read_text("utf-8"))
            time.sleep(0.05)
        yield f"127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


if __name__ == "__main__":
    raise SystemExit(main())
