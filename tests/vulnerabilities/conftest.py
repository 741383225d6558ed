"""Records to store, ways to make more of them, and inventories to look them up for."""

from __future__ import annotations

import io
import json
import threading
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hullmark._vulnerabilities.ecosystems import ECOSYSTEMS
from hullmark._vulnerabilities.feed import Directory
from hullmark._vulnerabilities.store import Store
from hullmark._vulnerabilities.update import Outcome, Updating
from hullmark.model.inventory import Distribution, Inventory
from hullmark.model.owner import Owner, OwnerKind, Package

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

DATA = Path(__file__).resolve().parents[1] / "data"
DEBIAN = Distribution(id="debian", version_id="12")


def archive(records: Mapping[str, object] | list[dict[str, Any]]) -> bytes:
    """A zip archive as OSV has it, of records, or of any content by name."""
    files = {f"{each['id']}.json": each for each in records} if isinstance(records, list) else records
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as made:
        for name, value in files.items():
            made.writestr(name, value if isinstance(value, str | bytes) else json.dumps(value))
    return content.getvalue()


def record(
    name: str,
    package: str = "shop",
    *,
    ecosystem: str = "PyPI",
    fixed: str | None = "2.0",
    modified: str = "2026-01-01T00:00:00Z",
    **more: Any,
) -> dict[str, Any]:
    """A record about every version of a package before `fixed`, with anything else that it is to have."""
    events = [{"introduced": "0"}, *([{"fixed": fixed}] if fixed is not None else [])]
    affected = {
        "package": {"ecosystem": ecosystem, "name": package},
        "ranges": [{"type": "ECOSYSTEM", "events": events}],
    }
    return {"id": name, "modified": modified, "affected": [affected], **more}


def python(name: str, version: str, location: str = "/usr/lib/python3/dist-packages") -> Package:
    """A Python package."""
    return Package(owner=Owner(kind=OwnerKind.PYTHON, name=name, version=version), location=location)


def debian(
    name: str, version: str, source: str = "", source_version: str = "", maintainer: str = ""
) -> Package:
    """A package of Debian."""
    return Package(
        owner=Owner(kind=OwnerKind.DPKG, name=name, version=version),
        location="/var/lib/dpkg/status",
        source=source or name,
        source_version=source_version or version,
        maintainer=maintainer,
    )


def inventory(*packages: Package, distribution: Distribution | None = DEBIAN) -> Inventory:
    """An image with these packages, of Debian 12 unless said otherwise."""
    return Inventory(packages=packages, distribution=distribution)


@pytest.fixture
def stored(tmp_path: Path) -> Iterator[Callable[..., Store]]:
    """A store of records, which are those of PyPI unless it is said of which ecosystem."""
    opened = list[Store]()

    def store(*records: dict[str, Any], ecosystem: str = "PyPI") -> Store:
        feed, directory = tmp_path / "feed", tmp_path / "stored"
        (feed / ecosystem).mkdir(parents=True, exist_ok=True)
        (feed / ecosystem / "all.zip").write_bytes(archive(list(records)))
        updating = Updating(directory=directory, feed=Directory(path=feed), cancelled=threading.Event())
        (done,) = updating.update([ECOSYSTEMS[ecosystem]], whole=True)
        assert done.outcome is Outcome.NEW, done.error
        opened.append(Store(directory))
        return opened[-1]

    yield store
    for each in opened:
        each.close()


@pytest.fixture(scope="session")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A store of real records of six ecosystems, as they were published, of some packages each."""
    directory = tmp_path_factory.mktemp("real")
    updating = Updating(directory=directory, feed=Directory(path=DATA / "osv"), cancelled=threading.Event())
    names = ("Alpine", "Debian", "Go", "Maven", "PyPI", "npm")
    for done in updating.update(ECOSYSTEMS[name] for name in names):
        assert done.outcome is Outcome.NEW, done.error
    with Store(directory) as store:
        yield store
