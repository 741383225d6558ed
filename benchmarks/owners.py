"""How long it takes to say whose 120,000 files are, with what dpkg, Python and npm say of them.

A quarter of a second is aimed at. What is measured is `find_owners` alone: the files have been read and overlaid
before. The median of the rounds counts, in seconds of the processor, which other programs do not lengthen much.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from dataclasses import dataclass, field

from hullmark._contents.filesystem import overlay
from hullmark._contents.owners import find_owners
from hullmark.model.digest import DiffId
from hullmark.model.image import Layer
from hullmark.model.owner import OwnerKind
from hullmark.model.table import Entry, FileTable, Kind

AIM = 0.25
SITE = "/opt/venv/lib/python3.11/site-packages"
MODULES = "/app/node_modules"


@dataclass(kw_only=True)
class Files:
    """A layer in the making."""

    entries: list[Entry] = field(default_factory=list)
    captured: dict[str, bytes] = field(default_factory=dict)

    def add(self, path: str, content: str | None = None) -> None:
        """Adds a file, and keeps its content where there is one."""
        size = 1000 if content is None else len(content)
        self.entries.append(Entry(path=path, kind=Kind.FILE, size=size, mode=0o644))
        if content is not None:
            self.captured[path] = content.encode()


def main() -> int:
    """Measures and prints; 1 when a file has another owner than the one it was made for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--files", type=int, default=120_000, help="in the image (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=7, help="(default: %(default)s)")
    chosen = parser.parse_args()
    layer, packages = _layer(chosen.files)
    system = overlay((layer,))
    # The first one only warms.
    ownership = find_owners(system)
    times = []
    for _ in range(chosen.rounds):
        started = time.process_time()
        find_owners(system)
        times.append(time.process_time() - started)
    print(
        f"owners of {len(layer.table):,} files, {len(ownership.packages):,} packages"
        f"{statistics.median(times):>10.3f} s, aim {AIM} s"
    )
    kinds = dict.fromkeys((OwnerKind.DPKG, OwnerKind.PYTHON, OwnerKind.NPM), 0)
    for package in ownership.packages:
        kinds[package.owner.kind] += 1
    return 0 if tuple(kinds.values()) == packages else 1


def _layer(files: int) -> tuple[Layer, tuple[int, int, int]]:
    """Half of the files are of packages of the distribution, a quarter of Python's and a quarter of npm's."""
    made = Files()
    counts = files // 2 // 150, files // 4 // 300, files // 4 // 100
    status = []
    for number in range(counts[0]):
        paths = [f"/usr/lib/package-{number}/part-{each // 20}/file-{each}.so" for each in range(150)]
        for path in paths:
            made.add(path)
        made.add(f"/var/lib/dpkg/info/package-{number}.list", "\n".join(("/.", *paths, "")))
        status.append(
            f"Package: package-{number}\nStatus: install ok installed\nArchitecture: all\nVersion: 1.{number}\n"
        )
    made.add("/var/lib/dpkg/status", "\n".join(status))
    for number in range(counts[1]):
        paths = [f"dist_{number}/part_{each // 30}/module_{each}.py" for each in range(300)]
        for path in paths:
            made.add(f"{SITE}/{path}")
        described = f"{SITE}/dist_{number}-1.0.dist-info"
        needs = f"Requires-Dist: dist_{number + 1}\n"
        made.add(
            f"{described}/METADATA", f"Metadata-Version: 2.1\nName: dist_{number}\nVersion: 1.0\n{needs}"
        )
        made.add(f"{described}/RECORD", "".join(f"{path},,\n" for path in paths))
    made.add("/app/package.json", json.dumps({"name": "app", "dependencies": {"module-0": "^1"}}))
    for number in range(counts[2]):
        for each in range(100):
            made.add(f"{MODULES}/module-{number}/lib/file-{each}.js")
        needed = {f"module-{number + 1}": "^1"}
        described = json.dumps({"name": f"module-{number}", "version": "1.0.0", "dependencies": needed})
        made.add(f"{MODULES}/module-{number}/package.json", described)
    layer = Layer(
        diff_id=DiffId.parse(f"sha256:{1:064x}"), table=FileTable.of(made.entries), captured=made.captured
    )
    return layer, counts


if __name__ == "__main__":
    sys.exit(main())
