"""How long reading a whole image takes, beside the least that any program must do with the same bytes.

Makes its own image (about 2.5 GB in 100,000 files unless told otherwise, with `--large` 8 GB in 300,000) as an archive
of an engine and as OCI layouts with gzip and zstd, pushes it to a registry and has the engine load it, where there are
such. Whole processes are measured, in turns with their floor, with the page cache warm and hullmark's own cache cold;
the best of the rounds counts. How fast a registry's blobs are fetched, with nothing else done, is measured in
`registry.py`.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import os
import random
import secrets
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import registry  # type: ignore[import-not-found]  # beside this file, which is run as a script

from hullmark.model.table import Entry, Kind
from hullmark.testing import compress, layer_tar

if TYPE_CHECKING:
    from collections.abc import Iterator

LAYERS = 12
COMPRESSIONS = ("gzip", "zstd")
OCI = "application/vnd.oci.image"
READ, WALKED = 1.3, 3.0
"""How many times the floor is aimed at, where contents are read and where they are not."""
WARM = 0.4
"""Seconds that are aimed at with hullmark's own cache warm."""
USUAL, LARGE = (2500, 100_000), (8000, 300_000)
"""Megabytes and files."""
MEMORY = ((2_500_000_000, 250), (8_000_000_000, 500))
"""Megabytes of memory that are aimed at, for images up to so many bytes."""
NAME = f"hullmark-benchmark-{secrets.token_hex(6)}:images"
"""Its own, so that several benchmarks can run at once."""
OPEN = """
import os, sys
from hullmark._images.interface import Request
from hullmark._images.reference import open_image
image = open_image(sys.argv[1], environ=os.environ, request=Request(verify=sys.argv[2] == "verify"))
print(sum(len(layer.table) for layer in image.layers), image.unpacked)
"""
SHA = """
import hashlib, os, sys
from concurrent.futures import ThreadPoolExecutor
def one(part):
    begin, size = part
    buffer = memoryview(bytearray(1 << 20)); h = hashlib.sha256()
    while size:
        n = os.preadv(fd, [buffer[:size]], begin)
        h.update(buffer[:n]); begin += n; size -= n
fd = os.open(sys.argv[1], os.O_RDONLY)
total = os.fstat(fd).st_size; step = -(-total // 12)
parts = [(at, min(step, total - at)) for at in range(0, total, step)]
with ThreadPoolExecutor(os.cpu_count()) as pool: list(pool.map(one, parts))
"""
INFLATE = """
import hashlib, os, sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
def new():
    if sys.argv[2] == "gzip":
        from isal import isal_zlib
        return isal_zlib.decompressobj(31)
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    return zstd.ZstdDecompressor()
def one(path):
    d, stored, plain = new(), hashlib.sha256(), hashlib.sha256()
    with open(path, "rb") as f:
        while piece := f.read(1 << 18):
            stored.update(piece); plain.update(d.decompress(piece))
blobs = sorted(Path(sys.argv[1]).glob("blobs/sha256/*"), key=lambda p: -p.stat().st_size)[:12]
with ThreadPoolExecutor(os.cpu_count()) as pool: list(pool.map(one, blobs))
"""
FETCH = """
import hashlib, http.client, os, sys
from concurrent.futures import ThreadPoolExecutor
from isal import isal_zlib
host, *paths = sys.argv[1:]
def one(path):
    d, stored, plain = isal_zlib.decompressobj(31), hashlib.sha256(), hashlib.sha256()
    connection = http.client.HTTPConnection(host)
    connection.request("GET", path)
    answer = connection.getresponse()
    while piece := answer.read(1 << 18):
        stored.update(piece); plain.update(d.decompress(piece))
    connection.close()
    assert path.endswith(stored.hexdigest())
with ThreadPoolExecutor(os.cpu_count()) as pool: list(pool.map(one, paths))
"""

WATCHED = """
import os, subprocess, sys
process = subprocess.Popen(sys.argv[1:])
_, code, used = os.wait4(process.pid, 0)
print("peak", used.ru_maxrss, file=sys.stderr)
sys.exit(os.waitstatus_to_exitcode(code))
"""


@dataclass(frozen=True, kw_only=True)
class Timed:
    """The best of several rounds of one command."""

    seconds: float
    memory: int
    """Bytes, the most that was resident, of the largest of its processes."""
    printed: str


def main() -> int:
    """Measures and prints; 1 when the two did not see the same image."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--large", action="store_true", help="an image of {} MB in {:,} files".format(*LARGE))
    parser.add_argument("--megabytes", type=int, help=f"of the image (default: {USUAL[0]})")
    parser.add_argument("--files", type=int, help=f"in the image (default: {USUAL[1]:,})")
    parser.add_argument("--rounds", type=int, default=3, help="of each (default: %(default)s)")
    chosen = parser.parse_args()
    megabytes, files = LARGE if chosen.large else USUAL
    size = (chosen.megabytes or megabytes) * 1_000_000
    with tempfile.TemporaryDirectory(prefix="hullmark-benchmark-") as directory:
        return _measure(Path(directory), size, chosen.files or files, chosen.rounds)


def _measure(directory: Path, size: int, files: int, rounds: int) -> int:
    archive = _make(directory, size, files)
    layouts = {each: directory / each for each in COMPRESSIONS}
    print(f"{size / 1e9:.2f} GB in {files:,} files and {LAYERS} layers, {os.cpu_count()} threads\n")
    print(f"{'input':<28}{'hullmark':>10}{'floor':>10}{'ratio':>7}{'aim':>6}{'memory':>10}  floor is")
    environ = _environment(directory)
    none = environ | {"HULLMARK_NO_CACHE": "1"}
    seen = set()
    read: list[Timed] = []
    cases = [
        ("docker-archive, verified", f"docker-archive:{archive}", (SHA, str(archive)), "SHA-256 of it"),
        *(
            (
                f"oci-dir, {each}, verified",
                f"oci-dir:{path}",
                (INFLATE, str(path), each),
                f"{each} and two SHA-256",
            )
            for each, path in layouts.items()
        ),
    ]
    for title, reference, floor, what in cases:
        ours, theirs = _turns(_python(OPEN, reference, "verify"), _python(*floor), rounds, none)
        seen.add(ours.printed)
        read.append(ours)
        _row(title, ours, theirs, READ, what)
    references = [reference for _, reference, *_ in cases]
    loaded = _loaded(archive)
    with ExitStack() as stack:
        stack.callback(_forget, loaded)
        host = _registry(directory, stack)
        if host is None:
            print("registry, gzip: not measured, as none can be started here")
        else:
            references.append(f"registry:{host}/{registry.REPOSITORY}:1")
            floor = (FETCH, host, *_pushed(host, layouts["gzip"]))
            ours, theirs = _turns(_python(OPEN, references[-1], "verify"), _python(*floor), rounds, none)
            seen.add(ours.printed)
            read.append(ours)
            _row("registry, gzip, verified", ours, theirs, READ, "fetching, gzip, two SHA-256")
        if loaded is None:
            print(
                "engine, overlay2: not measured, as there is no engine whose overlay2 layers can be read here"
            )
        else:
            references.append(f"docker:{NAME}")
            ours, theirs = _turns(_python(OPEN, references[-1], "trust"), ("du", "-s", *loaded), rounds, none)
            seen.add(ours.printed)
            read.append(ours)
            _row("engine, overlay2", ours, theirs, WALKED, "du -s of its layers")
        again = _warm(references, rounds, environ | {"HULLMARK_CACHE_DIR": str(directory / "cache")})
    seen.add(again.printed)
    print(
        f"{'the slowest, cache warm':<28}{again.seconds:>8.2f} s{'-':>10}{'-':>7}{f'{WARM} s':>6}{again.memory / 1e6:>7.0f} MB"
    )
    aim = next((aim for most, aim in MEMORY if size <= most), MEMORY[-1][1])
    print(f"{'the most memory':<28}{max(each.memory for each in read) / 1e6:>7.0f} MB{'':>18}{aim:>4} MB")
    _peers(directory, archive, rounds, read[0], environ)
    return 0 if len(seen) == 1 else 1


def _warm(references: list[str], rounds: int, environ: dict[str, str]) -> Timed:
    """The slowest of `references`, all layers of which are in hullmark's own cache."""
    slowest = None
    for reference in references:
        command = _python(OPEN, reference, "verify")
        _run(command, environ)
        best = min((_run(command, environ) for _ in range(rounds)), key=lambda each: each.seconds)
        if slowest is None or best.seconds > slowest.seconds:
            slowest = best
    assert slowest is not None
    return slowest


def _make(directory: Path, size: int, files: int) -> Path:
    """An engine's archive and the layouts beside it, written one layer at a time, as all of them would not fit."""
    archive = directory / "image.tar"
    diff_ids: list[str] = []
    described: dict[str, list[dict[str, Any]]] = {each: [] for each in COMPRESSIONS}
    with tarfile.open(archive, "w") as saved, ThreadPoolExecutor(len(COMPRESSIONS)) as pool:
        for layer in _layers(size, files):
            diff_ids.append(hashlib.sha256(layer).hexdigest())
            _add(saved, f"{diff_ids[-1][:40]}/layer.tar", layer)
            packed = pool.map(compress, (layer, layer), COMPRESSIONS)
            for each, content in zip(COMPRESSIONS, packed, strict=True):
                described[each].append(_blob(directory / each, content, f"layer.v1.tar+{each}"))
        config = json.dumps(
            {
                "architecture": "amd64",
                "os": "linux",
                "config": {},
                "rootfs": {"type": "layers", "diff_ids": [f"sha256:{each}" for each in diff_ids]},
            }
        ).encode()
        name = f"{hashlib.sha256(config).hexdigest()}.json"
        _add(saved, name, config)
        layers = [f"{each[:40]}/layer.tar" for each in diff_ids]
        listed = [{"Config": name, "RepoTags": [NAME], "Layers": layers}]
        _add(saved, "manifest.json", json.dumps(listed).encode())
    for each in COMPRESSIONS:
        manifest = {
            "schemaVersion": 2,
            "config": _blob(directory / each, config, "config.v1+json"),
            "layers": described[each],
        }
        index = {
            "schemaVersion": 2,
            "manifests": [_blob(directory / each, json.dumps(manifest).encode(), "manifest.v1+json")],
        }
        (directory / each / "index.json").write_text(json.dumps(index), encoding="utf-8")
        (directory / each / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}', encoding="utf-8")
    return archive


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    archive.addfile(member, io.BytesIO(content))


def _blob(layout: Path, content: bytes, kind: str) -> dict[str, Any]:
    """Writes a blob; its descriptor."""
    digest = hashlib.sha256(content).hexdigest()
    path = layout / "blobs" / "sha256" / digest
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return {"mediaType": f"{OCI}.{kind}", "digest": f"sha256:{digest}", "size": len(content)}


def _layers(size: int, files: int) -> Iterator[bytes]:
    """Files of many sizes, half of whose bytes can be compressed."""
    chance = random.Random(7)  # noqa: S311  # the same image every time
    noise = chance.randbytes(1 << 20)
    for layer in range(LAYERS):
        weights = [chance.paretovariate(1.2) for _ in range(files // LAYERS)]
        scale = size / LAYERS / sum(weights)
        entries, contents = [], {}
        for number, weight in enumerate(weights):
            path = f"/usr/lib/part-{layer}/directory-{number // 100}/file-{number % 100}.bin"
            length = int(weight * scale)
            at = chance.randrange(len(noise) // 2)
            block = noise[at : at + 4096] + bytes(4096)
            contents[path] = (block * (length // len(block) + 1))[:length]
            entries.append(Entry(path=path, kind=Kind.FILE, size=length, mode=0o644, mtime=1_700_000_000))
        yield layer_tar(entries, contents)


def _python(script: str, *arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-c", script, *arguments)


def _turns(
    ours: tuple[str, ...], theirs: tuple[str, ...], rounds: int, environ: dict[str, str]
) -> tuple[Timed, Timed]:
    """The best of both, measured in turns; the first of each only warms the page cache."""
    found: tuple[list[Timed], list[Timed]] = ([], [])
    for number in range(rounds + 1):
        for command, times in zip((ours, theirs), found, strict=True):
            timed = _run(command, environ)
            if number:
                times.append(timed)
    best = [min(times, key=lambda each: each.seconds) for times in found]
    return best[0], best[1]


def _environment(directory: Path) -> dict[str, str]:
    """Of this process, but with compiled modules, as every installation has them and a checkout need not."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return kept | {"PYTHONPYCACHEPREFIX": str(directory / "compiled")}


def _run(command: tuple[str, ...], environ: dict[str, str]) -> Timed:
    # The child's own maximum, not one that it inherits.
    wrapped = (sys.executable, "-c", WATCHED, *command)
    started = time.perf_counter()
    run = subprocess.run(wrapped, env=environ, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - started
    if run.returncode != 0:
        raise SystemExit(f"{' '.join(command)[:200]} failed:\n{run.stderr}")
    peak = int(run.stderr.rpartition("peak ")[2])
    return Timed(seconds=seconds, memory=peak * 1024, printed=run.stdout)


def _row(title: str, ours: Timed, theirs: Timed, aim: float, what: str) -> None:
    print(
        f"{title:<28}{ours.seconds:>8.2f} s{theirs.seconds:>8.2f} s{ours.seconds / theirs.seconds:>7.2f}{aim:>6}"
        f"{ours.memory / 1e6:>7.0f} MB  {what}"
    )


def _loaded(archive: Path) -> list[str] | None:
    """The directories of the image's layers in the engine's store, where they can be read."""
    if shutil.which("docker") is None:
        return None
    load = subprocess.run(("docker", "load", "-q", "-i", str(archive)), capture_output=True, check=False)
    if load.returncode != 0:
        return None
    inspected = subprocess.run(
        ("docker", "image", "inspect", NAME), capture_output=True, text=True, check=True
    )
    data = json.loads(inspected.stdout)[0].get("GraphDriver", {}).get("Data") or {}
    directories = [each for key in ("UpperDir", "LowerDir") for each in data.get(key, "").split(":") if each]
    if not directories or not all(os.access(each, os.R_OK) for each in directories):
        subprocess.run(("docker", "image", "rm", NAME), capture_output=True, check=False)
        return None
    return directories


def _forget(loaded: list[str] | None) -> None:
    if loaded is not None:
        subprocess.run(("docker", "image", "rm", NAME), capture_output=True, check=False)


def _registry(directory: Path, stack: ExitStack) -> str | None:
    """The host of a registry until `stack` is closed; `None` where there is none for this machine."""
    blobs = directory / "registry"
    blobs.mkdir()
    try:
        host: str = stack.enter_context(registry.served(str(blobs)))
    except subprocess.CalledProcessError:
        return None
    return host


def _pushed(host: str, layout: Path) -> list[str]:
    """Pushes the image of `layout` with its only manifest; where its layers are then, from the bottom up."""
    (described,) = json.loads((layout / "index.json").read_text("utf-8"))["manifests"]
    content = (layout / "blobs" / "sha256" / described["digest"].removeprefix("sha256:")).read_bytes()
    manifest = json.loads(content)
    for each in (manifest["config"], *manifest["layers"]):
        blob = layout / "blobs" / "sha256" / each["digest"].removeprefix("sha256:")
        assert registry.push_blob(host, blob.read_bytes()) == each["digest"]
    to = f"/v2/{registry.REPOSITORY}/manifests/1"
    answer = registry.ask(host, "PUT", to, content, described["mediaType"])
    assert answer.status == registry.CREATED, answer.status
    return [f"/v2/{registry.REPOSITORY}/blobs/{each['digest']}" for each in manifest["layers"]]


def _peers(directory: Path, archive: Path, rounds: int, ours: Timed, environ: dict[str, str]) -> None:
    """Programs of others that read the same archive, where they are installed, and how `ours` compares with them."""
    copied = directory / "copied"
    peers = {
        "container-diff": ("container-diff", "analyze", str(archive), "--type=size", "--quiet"),
        "dive": ("dive", "--source", "docker-archive", str(archive), "--json", os.devnull),
        "skopeo": ("skopeo", "--insecure-policy", "copy", "-q", f"docker-archive:{archive}", f"dir:{copied}"),
        "syft": ("syft", "scan", f"docker-archive:{archive}", "-q", "-o", "json"),
        "trivy": ("trivy", "image", "--input", str(archive), "-q", "--scanners", "secret", "-f", "json"),
    }
    for name, command in peers.items():
        if shutil.which(name) is None:
            continue
        try:
            best = min((_run(command, environ) for _ in range(rounds)), key=lambda each: each.seconds)
        except SystemExit as error:
            print(f"{name}: {error}")
        else:
            print(
                f"{name + ', the archive':<28}{ours.seconds:>8.2f} s{best.seconds:>8.2f} s"
                f"{ours.seconds / best.seconds:>7.2f}{'-':>6}{best.memory / 1e6:>7.0f} MB  {name}, and its memory"
            )
        shutil.rmtree(copied, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
