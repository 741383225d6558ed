"""How long an image takes to come from a registry on this machine, beside the same bytes fetched with nothing around.

Both verify every blob, on the same number of threads, in turns, so that what else the machine does slows both. Ends
with exit status 1 when hullmark takes more than 1.3 times as long.
"""

from __future__ import annotations

import argparse
import hashlib
import http.client
import json
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from hullmark._images.interface import Blob, Request
from hullmark._images.registry import Registry
from hullmark._process import SystemCommands

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ALLOWED = 1.3
MEGABYTE = 1_000_000
PIECE = 256 << 10
REPOSITORY = "benchmark"
START_WITHIN = 30
CREATED = 201


def main() -> int:
    """Measures and prints; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=1000, help="of all blobs (default: %(default)s)")
    parser.add_argument("--blobs", type=int, default=12, help="how many (default: %(default)s)")
    parser.add_argument("--threads", type=int, default=4, help="at once (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="of each (default: %(default)s)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hullmark-benchmark-") as directory, served(directory) as host:
        size = arguments.megabytes * MEGABYTE // arguments.blobs
        digests = _push(host, arguments.blobs, size)
        gigabytes = size * arguments.blobs / 1e9
        bare, ours = [], []
        for _ in range(arguments.rounds):
            bare.append(_seconds(lambda: _bare(host, digests, arguments.threads)))
            ours.append(_seconds(lambda: _hullmark(host, digests, arguments.threads)))
    ratio = statistics.median(ours) / statistics.median(bare)
    print(f"{gigabytes:.2f} GB in {arguments.blobs} blobs, {arguments.threads} at once, every blob verified")
    for name, seconds in (("bare", bare), ("hullmark", ours)):
        print(
            f"{name:9} {statistics.median(seconds):6.2f} s   {statistics.median(seconds) / gigabytes:5.2f} s/GB"
            f"   (median of {arguments.rounds}, fastest {min(seconds):.2f} s)"
        )
    print(f"ratio     {ratio:6.2f}     (allowed: {ALLOWED})")
    return int(ratio > ALLOWED)


@contextmanager
def served(directory: str) -> Iterator[str]:
    """The host of a registry that keeps its blobs in `directory`."""
    scripts = Path(__file__).resolve().parents[1] / "scripts"
    program = subprocess.run(
        [scripts / "registry"], stdout=subprocess.PIPE, text=True, check=True
    ).stdout.strip()
    with socket.create_server(("127.0.0.1", 0)) as free:
        host = f"127.0.0.1:{free.getsockname()[1]}"
    configuration = {
        "version": "0.1",
        "log": {"level": "error", "accesslog": {"disabled": True}},
        "storage": {"filesystem": {"rootdirectory": directory}},
        "http": {"addr": host},
    }
    file = Path(directory) / "config.yml"
    file.write_text(json.dumps(configuration), encoding="utf-8")
    process = subprocess.Popen([program, "serve", file], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait(host)
        yield host
    finally:
        process.terminate()
        process.wait()


def _wait(host: str) -> None:
    deadline = time.monotonic() + START_WITHIN
    while True:
        try:
            ask(host, "GET", "/v2/")
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


def ask(host: str, method: str, path: str, body: bytes = b"", media_type: str = "") -> Any:
    """The answer of the registry at `host`."""
    connection = http.client.HTTPConnection(host)
    try:
        connection.request(method, path, body, {"Content-Type": media_type or "application/octet-stream"})
        answer = connection.getresponse()
        answer.read()
        return answer
    finally:
        connection.close()


def _push(host: str, blobs: int, size: int) -> list[str]:
    """Pushes an image of blobs that cannot be compressed; their digests."""
    generator = random.Random(blobs)  # noqa: S311  # the same bytes in every run
    digests = [push_blob(host, generator.randbytes(size)) for _ in range(blobs)]
    config = json.dumps(
        {"os": "linux", "architecture": "amd64", "rootfs": {"type": "layers", "diff_ids": digests}}
    ).encode()
    media_type = "application/vnd.oci.image.manifest.v1+json"
    layers = [
        {"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": digest, "size": size}
        for digest in digests
    ]
    described = {
        "mediaType": "application/vnd.oci.image.config.v1+json",
        "digest": push_blob(host, config),
        "size": len(config),
    }
    manifest = {"schemaVersion": 2, "mediaType": media_type, "config": described, "layers": layers}
    answer = ask(host, "PUT", f"/v2/{REPOSITORY}/manifests/1", json.dumps(manifest).encode(), media_type)
    assert answer.status == CREATED, answer.status
    return digests


def push_blob(host: str, content: bytes) -> str:
    """Pushes a blob; its digest."""
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    place = urlsplit(ask(host, "POST", f"/v2/{REPOSITORY}/blobs/uploads/").headers["Location"])
    path = place._replace(scheme="", netloc="", query=f"{place.query}&digest={digest}").geturl()
    answer = ask(host, "PUT", path, content)
    assert answer.status == CREATED, answer.status
    return digest


def _bare(host: str, digests: list[str], threads: int) -> None:
    """Every blob over a connection of its own thread, into one buffer, with its digest."""
    kept = threading.local()
    connections = []

    def fetch(digest: str) -> None:
        if not hasattr(kept, "connection"):
            kept.connection, kept.buffer = http.client.HTTPConnection(host), memoryview(bytearray(PIECE))
            connections.append(kept.connection)
        kept.connection.request("GET", f"/v2/{REPOSITORY}/blobs/{digest}")
        answer, computed = kept.connection.getresponse(), hashlib.sha256()
        while size := answer.readinto(kept.buffer):
            computed.update(kept.buffer[:size])
        assert digest == f"sha256:{computed.hexdigest()}"

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(fetch, digests))
    for connection in connections:
        connection.close()


def _hullmark(host: str, digests: list[str], threads: int) -> None:
    """The same through the source that reads registries."""
    cancelled = threading.Event()
    source = Registry(commands=SystemCommands(os.environ, cancelled), environ={})

    def fetch(layer: object) -> str:
        assert isinstance(layer, Blob)
        computed = hashlib.sha256()
        with layer.open() as pieces:
            for piece in pieces:
                computed.update(piece)
        return f"sha256:{computed.hexdigest()}"

    with (
        source.open(f"{host}/{REPOSITORY}:1", "linux/amd64", Request(), cancelled) as core,
        ThreadPoolExecutor(threads) as pool,
    ):
        assert list(pool.map(fetch, core.layers)) == digests


def _seconds(work: Callable[[], None]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    sys.exit(main())
