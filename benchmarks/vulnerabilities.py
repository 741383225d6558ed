"""How long it takes to store records of vulnerabilities and to hold an image against them, and how large the store is.

Records are made up, or taken from a directory with archives as OSV publishes them (`--osv`). Each figure is that of a
process of its own, from the start of Python, in seconds of the processor, which other programs do not lengthen much;
beside the building stands the least that it must do, which is to unpack the archives and to compare their checksums.
The best of the rounds counts. The exit status is 1 when a goal is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from hullmark._vulnerabilities.store import Store, stored

BUILD_AIM, MEMORY_AIM, SHARE_AIM, OPEN_AIM, SCAN_AIM = 20.0, 400, 0.25, 0.05, 1.0
ECOSYSTEMS = ("PyPI", "Debian", "Alpine", "npm", "Go")
KINDS = {"PyPI": "python", "Debian": "dpkg", "npm": "npm", "Go": "go"}
_MEASURED = """\
import json, resource, sys, threading, time
from pathlib import Path
began = time.perf_counter()
{body}
told = {{"seconds": time.perf_counter() - began, "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1000}}
print(json.dumps(told | extra))
"""
_BUILD = _MEASURED.format(
    body="""\
from hullmark._vulnerabilities.ecosystems import ECOSYSTEMS
from hullmark._vulnerabilities.feed import Directory
from hullmark._vulnerabilities.update import Outcome, Updating
feed, stored, *names = sys.argv[1:]
updating = Updating(directory=Path(stored), feed=Directory(path=Path(feed)), cancelled=threading.Event())
records = 0
for done in updating.update([ECOSYSTEMS[name] for name in names], whole=True):
    assert done.outcome is Outcome.NEW, done.error
    records += done.about.records
extra = {"records": records}"""
)
_UNPACK = _MEASURED.format(
    body="""\
import zipfile
for path in sys.argv[1:]:
    with zipfile.ZipFile(path) as archive:
        for each in archive.infolist():
            archive.read(each)
extra = {}"""
)
_OPEN = _MEASURED.format(
    body="""\
from hullmark._vulnerabilities.store import Store
loaded = time.perf_counter()
store = Store(Path(sys.argv[1]))
for name in sys.argv[2:]:
    assert store.about(name) is not None
extra = {"open": time.perf_counter() - loaded}"""
)
_SCAN = _MEASURED.format(
    body="""\
from hullmark._vulnerabilities.match import match
from hullmark._vulnerabilities.store import Store
from hullmark.model.inventory import Distribution, Inventory
from hullmark.model.owner import Owner, OwnerKind, Package
packages = tuple(
    Package(owner=Owner(kind=OwnerKind(kind), name=name, version=version), location="/", source=name, source_version=version)
    for kind, name, version in json.loads(Path(sys.argv[2]).read_bytes())
)
inventory = Inventory(packages=packages, distribution=Distribution(id="debian", version_id="12"))
with Store(Path(sys.argv[1])) as store:
    found = match(inventory, store)
extra = {"packages": len(packages), "found": len(found.matches), "undecided": len(found.undecided)}"""
)


def main() -> int:
    """Measures and prints; 1 when a goal is missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--osv", type=Path, help="a directory with ECOSYSTEM/all.zip or ECOSYSTEM-all.zip")
    parser.add_argument("--records", type=int, default=36_000, help="to make up (default: %(default)s)")
    parser.add_argument("--packages", type=int, default=1000, help="of the image (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="(default: %(default)s)")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hullmark-") as name:
        root = Path(name)
        feed = chosen.osv or _made(root / "feed", chosen.records)
        return _measure(root, feed, chosen.packages, chosen.rounds)


def _measure(root: Path, feed: Path, packages: int, rounds: int) -> int:
    archives = [_archive(feed, name) for name in ECOSYSTEMS]
    packed = sum(path.stat().st_size for path in archives)
    directory = root / "stored"
    building = _best(rounds, _BUILD, feed, directory, *ECOSYSTEMS)
    floor = _best(rounds, _UNPACK, *archives)
    kept = sum(each.size for each in stored(directory))
    opening = _best(rounds, _OPEN, directory, *ECOSYSTEMS)
    image = root / "image.json"
    image.write_text(json.dumps(_image(directory, packages)), encoding="utf-8")
    scan = _best(rounds, _SCAN, directory, image)
    print(f"{building['records']:,} records of {', '.join(ECOSYSTEMS)}, {packed / 1e6:.1f} MB of archives\n")
    print(f"{'':<24}{'hullmark':>10}{'aim':>10}   beside it")
    ratio = building["whole"] / floor["whole"]
    _row("store them all", f"{building['whole']:.2f} s", f"{BUILD_AIM:g} s", f"{ratio:.2f} times unpacking")
    _row(
        "memory meanwhile", f"{building['peak']} MB", f"{MEMORY_AIM} MB", f"{floor['peak']} MB for unpacking"
    )
    _row(
        "the store",
        f"{kept / 1e6:.2f} MB",
        f"{packed * SHARE_AIM / 1e6:.2f} MB",
        f"{kept / packed:.1%} of archives",
    )
    _row(
        "open it",
        f"{opening['open'] * 1000:.1f} ms",
        f"{OPEN_AIM * 1000:g} ms",
        "without the start of Python",
    )
    found = f"{scan['found']:,} found in {scan['packages']:,} packages"
    _row("hold an image against it", f"{scan['whole']:.2f} s", f"{SCAN_AIM:g} s", found)
    if not scan["found"] or scan["undecided"]:
        print("nothing was found, or something could not be compared", file=sys.stderr)
        return 1
    reached = (
        building["whole"] <= BUILD_AIM,
        building["peak"] <= MEMORY_AIM,
        kept <= packed * SHARE_AIM or opening["open"] <= OPEN_AIM,
        scan["whole"] <= SCAN_AIM,
    )
    return 0 if all(reached) else 1


def _row(*cells: str) -> None:
    title, ours, aim, beside = cells
    print(f"{title:<24}{ours:>10}{aim:>10}   {beside}")


def _best(rounds: int, code: str, *arguments: object) -> dict[str, Any]:
    """What the quickest of some processes has printed; `whole` is how long it took with the start of Python."""
    return min((_once(code, *arguments) for _ in range(rounds)), key=lambda told: told["whole"])


def _once(code: str, *arguments: object) -> dict[str, Any]:
    began = os.times()
    run = subprocess.run(
        (sys.executable, "-c", code, *map(str, arguments)), capture_output=True, text=True, check=False
    )
    if run.returncode:
        raise SystemExit(run.stderr)
    ended = os.times()
    used = ended.children_user + ended.children_system - began.children_user - began.children_system
    return {**json.loads(run.stdout), "whole": used}


def _archive(feed: Path, name: str) -> Path:
    nested = feed / name / "all.zip"
    return nested if nested.exists() else feed / f"{name}-all.zip"


def _image(directory: Path, packages: int) -> list[tuple[str, str, str]]:
    """Packages of all kinds of an image of Debian: every second one is in the records, in a version before a fix."""
    made = list[tuple[str, str, str]]()
    chance = random.Random(1)  # noqa: S311  # the same image every time
    with Store(directory) as store:
        for ecosystem, kind in KINDS.items():
            release = "12" if kind == "dpkg" else ""
            _, affected = store.everything(ecosystem)
            known = sorted(
                name for name, entries in affected.items() if any(e.release == release for e in entries)
            )
            for number in range(packages // len(KINDS)):
                if number % 2:
                    made.append((kind, f"nobody-knows-{number}", "1.0"))
                    continue
                name = known[chance.randrange(len(known))]
                versions = [
                    v
                    for e in affected[name]
                    for _, events in e.ranges
                    for _, v in events
                    if v[:1].isdecimal()
                ]
                made.append((kind, name, chance.choice(versions or ["1.0"])))
    return made


def _made(feed: Path, records: int) -> Path:
    """Archives of records that look like those of OSV, about so many packages as they are about."""
    chance = random.Random(2)  # noqa: S311  # the same records every time
    for ecosystem in ECOSYSTEMS:
        (feed / ecosystem).mkdir(parents=True)
        with zipfile.ZipFile(feed / ecosystem / "all.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            for number in range(records // len(ECOSYSTEMS)):
                made = _record(ecosystem, number, chance)
                archive.writestr(f"{made['id']}.json", json.dumps(made))
    return feed


def _record(ecosystem: str, number: int, chance: random.Random) -> dict[str, Any]:
    releases = {
        "Debian": ("Debian:12", "Debian:13"),
        "Alpine": tuple(f"Alpine:v3.{each}" for each in range(18, 23)),
    }
    fixed = f"{chance.randrange(1, 9)}.{chance.randrange(30)}.{chance.randrange(9)}"
    end = {"Debian": "-1+deb12u1", "Alpine": "-r0"}.get(ecosystem, "")
    kind = "SEMVER" if ecosystem in {"npm", "Go"} else "ECOSYSTEM"
    part = {
        "ranges": [{"type": kind, "events": [{"introduced": "0"}, {"fixed": f"{fixed}{end}"}]}],
        **({"versions": [f"{each // 20}.{each % 20}" for each in range(80)]} if ecosystem == "PyPI" else {}),
    }
    name = f"package-{chance.randrange(700)}"
    return {
        "id": f"{ecosystem.upper()}-CVE-2026-{number + 10000}",
        "modified": f"2026-0{number % 9 + 1}-01T00:00:00Z",
        "published": "2026-01-01T00:00:00Z",
        "upstream": [f"CVE-2026-{number + 10000}"],
        "summary": f"A request of {chance.randbytes(12).hex()} may do what it should not",
        "details": " ".join(
            chance.choice(("an", "attacker", "may", "read", "the", "memory")) for _ in range(90)
        ),
        "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N"}],
        "affected": [
            {"package": {"ecosystem": each, "name": name}, **part}
            for each in releases.get(ecosystem, (ecosystem,))
        ],
    }


if __name__ == "__main__":
    sys.exit(main())
