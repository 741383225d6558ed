"""What looking for secrets costs and finds: recall, false positives, and how much longer an image takes to be read.

Plants made-up secrets of every format and counts those that are found; looks through the local images that are named and
prints what is found in them, which should be nothing; and reads an archive of its own (about 2.5 GB in 100,000 files
unless told otherwise) with and without looking for secrets, verified, in whole processes, in turns; the best counts.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import subprocess
import sys
import tarfile
import tempfile
import time
from collections import Counter
from pathlib import Path

import images  # type: ignore[import-not-found]  # beside this file, which is run as a script
from hullmark._contents.credentials import CredentialCapture
from hullmark._contents.filesystem import overlay
from hullmark._contents.owners import find_owners
from hullmark._contents.packages.capture import Combined, PackageCapture
from hullmark._contents.secrets import find_secrets
from hullmark._images.interface import Request
from hullmark._images.reference import open_image
from hullmark._secrets.engine import find
from hullmark._secrets.stream import SecretScanner
from hullmark.testing import SECRET_FORMATS, planted

AIM, RECALL, MOST = 2.5, 0.99, 1
"""Times as long as without; part of what is planted; findings of an image that nobody planted."""
AROUND = ("SHOP={}\n", '{{"shop": "{}"}}', "key: '{}'\n", "\0{}\0")
OPEN = """
import os, sys
from hullmark._images.interface import Request
from hullmark._images.reference import open_image
from hullmark._secrets.stream import SecretScanner
scanner = SecretScanner() if sys.argv[2] == "secrets" else None
image = open_image(sys.argv[1], environ=os.environ, request=Request(scanner=scanner))
print(image.unpacked)
"""


def main() -> int:
    """Measures and prints; 1 when an aim is missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("images", nargs="*", help="local images without secrets")
    parser.add_argument("--each", type=int, default=8, help="secrets of each format (default: %(default)s)")
    parser.add_argument("--megabytes", type=int, default=2500, help="of the archive (default: %(default)s)")
    parser.add_argument("--files", type=int, default=100_000, help="in it (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="of each (default: %(default)s)")
    chosen = parser.parse_args()
    good = _recall(chosen.each)
    for each in chosen.images:
        good = _false(each) and good
    with tempfile.TemporaryDirectory(prefix="hullmark-benchmark-") as directory:
        good = _speed(Path(directory), chosen.megabytes * 1_000_000, chosen.files, chosen.rounds) and good
    return 0 if good else 1


def _recall(each: int) -> bool:
    chance = random.Random(7)  # noqa: S311  # nobody relies on these
    missed: Counter[str] = Counter()
    total = 0
    for format_ in SECRET_FORMATS:
        for number in range(each):
            secret = planted(format_, chance)
            content = AROUND[number % len(AROUND)].format(secret.text).encode()
            total += 1
            missed[format_] += all(match.secret != secret.secret.encode() for match in find(content))
    found = total - missed.total()
    print(f"{'planted':<32}{'found':>8}{'of':>8}{'recall':>9}")
    print(f"{f'{len(SECRET_FORMATS)} formats':<32}{found:>8}{total:>8}{found / total:>9.2%}")
    for format_, count in missed.most_common():
        if count:
            print(f"  missed: {format_} {count}")
    return found / total >= RECALL


def _false(reference: str) -> bool:
    request = Request(
        capture=Combined(PackageCapture(), CredentialCapture()), scanner=SecretScanner(), verify=False
    )
    image = open_image(f"docker:{reference}", request=request, environ=os.environ)
    files = overlay(image.layers)
    scan = find_secrets(files, find_owners(files))
    print(f"{reference:<32}{len(scan.secrets):>8} findings, {len(scan.packaged)} of packages")
    for secret in scan.secrets:
        print(f"  {secret.path} at byte {secret.offset}: {secret.likeness}")
    return len(scan.secrets) <= MOST


def _speed(directory: Path, size: int, files: int, rounds: int) -> bool:
    archive = _archive(directory, size, files)
    environ = dict(os.environ) | {
        "HULLMARK_NO_CACHE": "1",
        "PYTHONPYCACHEPREFIX": str(directory / "compiled"),
    }
    environ.pop("PYTHONDONTWRITEBYTECODE", None)
    best = {"plain": float("inf"), "secrets": float("inf")}
    for number in range(rounds + 1):
        for how, before in tuple(best.items()):
            seconds = _timed(archive, how, environ)
            # The first of each only warms the page cache.
            best[how] = min(before, seconds) if number else before
    ratio = best["secrets"] / best["plain"]
    print(f"{size / 1e9:.2f} GB in {files:,} files, docker-archive, verified, {os.cpu_count()} threads")
    print(
        f"without {best['plain']:.2f} s, with secrets {best['secrets']:.2f} s: {ratio:.2f} times (aim {AIM})"
    )
    return ratio <= AIM


def _timed(archive: Path, how: str, environ: dict[str, str]) -> float:
    command = (sys.executable, "-c", OPEN, f"docker-archive:{archive}", how)
    started = time.perf_counter()
    subprocess.run(command, env=environ, check=True, capture_output=True)
    return time.perf_counter() - started


def _archive(directory: Path, size: int, files: int) -> Path:
    """An engine's archive, written one layer at a time."""
    archive = directory / "image.tar"
    diff_ids: list[str] = []
    with tarfile.open(archive, "w") as saved:
        for layer in images._layers(size, files):  # noqa: SLF001  # the same image as there
            diff_ids.append(hashlib.sha256(layer).hexdigest())
            images._add(saved, f"{diff_ids[-1][:40]}/layer.tar", layer)  # noqa: SLF001
        listed = [f"sha256:{each}" for each in diff_ids]
        said = {"architecture": "amd64", "os": "linux", "config": {}}
        config = json.dumps(said | {"rootfs": {"type": "layers", "diff_ids": listed}}).encode()
        name = f"{hashlib.sha256(config).hexdigest()}.json"
        images._add(saved, name, config)  # noqa: SLF001
        layers = [f"{each[:40]}/layer.tar" for each in diff_ids]
        manifest = [{"Config": name, "RepoTags": ["hullmark-benchmark:secrets"], "Layers": layers}]
        images._add(saved, "manifest.json", json.dumps(manifest).encode())  # noqa: SLF001
    return archive


if __name__ == "__main__":
    sys.exit(main())
