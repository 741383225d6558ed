"""Another scanner with the same records finds the same in the same packages: what osv-scanner said of a real image."""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from pathlib import Path
from typing import Any

from tests.vulnerabilities.conftest import DATA

from hullmark._vulnerabilities.ecosystems import ECOSYSTEMS
from hullmark._vulnerabilities.feed import Directory
from hullmark._vulnerabilities.match import match
from hullmark._vulnerabilities.store import Store
from hullmark._vulnerabilities.update import Updating
from hullmark.model.inventory import Distribution, Inventory
from hullmark.model.owner import Owner, OwnerKind, Package

REPORT = Path(__file__).parent / "data/osv-scanner/v2.5.1-debian12-python-npm.json"
KINDS = {"PyPI": OwnerKind.PYTHON, "npm": OwnerKind.NPM, "Debian": OwnerKind.DPKG}
Found = dict[tuple[str, str], set[str]]


def _package(told: dict[str, Any]) -> Package:
    kind = KINDS[told["ecosystem"].partition(":")[0]]
    name, version = told.get("os_package_name") or told["name"], told["version"]
    source = told["name"] if kind is OwnerKind.DPKG else ""
    return Package(
        owner=Owner(kind=kind, name=name, version=version),
        location="/app",
        source=source,
        source_version=version if source else "",
    )


def test_osv_scanner_and_the_embedded_scanner_agree_on_every_record(tmp_path: Path) -> None:
    listed = [
        each
        for result in json.loads(REPORT.read_text(encoding="utf-8"))["results"]
        for each in result["packages"]
    ]
    theirs: Found = {}
    for each in listed:
        told = each["package"]
        theirs[told["name"], told["version"]] = {one["id"] for one in each["vulnerabilities"]}
    updating = Updating(directory=tmp_path, feed=Directory(path=DATA / "osv"), cancelled=threading.Event())
    assert [each.error for each in updating.update(ECOSYSTEMS[name] for name in KINDS)] == [None] * 3
    inventory = Inventory(
        packages=tuple(_package(each["package"]) for each in listed),
        distribution=Distribution(id="debian", version_id="12"),
    )
    with Store(tmp_path) as store:
        found = match(inventory, store)
    ours: Found = defaultdict(set)
    for matched in found.matches:
        ours[matched.package, matched.version] |= {evidence.record for evidence in matched.evidence}
    assert ours == theirs
    assert sum(map(len, theirs.values())) == 33
