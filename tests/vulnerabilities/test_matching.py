"""What is found in an image is what the records say: no more, no less, as a reader of the bare records confirms."""

from __future__ import annotations

import random
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import pytest
from tests.vulnerabilities import oracle
from tests.vulnerabilities.conftest import DATA, DEBIAN, debian, inventory, python
from univers.versions import InvalidVersion

from hullmark._vulnerabilities.match import match
from hullmark.model.inventory import Distribution
from hullmark.model.owner import Owner, OwnerKind, Package

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hullmark._vulnerabilities.store import Store
    from hullmark.model.vulnerability import Matches

ALPINE = Distribution(id="alpine", version_id="3.20.3")
_KINDS = {"PyPI": OwnerKind.PYTHON, "npm": OwnerKind.NPM, "Go": OwnerKind.GO}
Found = dict[tuple[str, str], set[str]]
"""IDs of records by source package and its version."""


def _records_of(matches: Matches) -> Found:
    found: Found = defaultdict(set)
    for each in matches.matches:
        for evidence in each.evidence:
            found[each.package, each.version].add(evidence.record)
    return found


def _installed() -> tuple[Package, ...]:
    lines = (DATA / "osv/debian-12-installed.txt").read_text("utf-8").splitlines()
    return tuple(debian(*line.split()) for line in lines if not line.startswith("#"))


def _interesting(ecosystem: str, every: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """Every package and version at which a record says that something changes."""
    for record in every:
        for part in record["affected"]:
            name = part.get("package", {}).get("ecosystem", "").partition(":")[0]
            if name != ecosystem:
                continue
            for each in part.get("ranges", ()):
                if each["type"] != "GIT":
                    yield from (
                        (part["package"]["name"], version)
                        for event in each["events"]
                        for version in event.values()
                        if version != "0"
                    )
            yield from ((part["package"]["name"], version) for version in part.get("versions", ())[-2:])


def test_every_package_of_a_machine_with_debian_has_what_the_records_say(real: Store) -> None:
    packages = _installed()
    every = oracle.records(DATA / "osv/Debian/all.zip")
    sources = sorted({(each.source, each.source_version) for each in packages})
    expected = {
        source: ids for source in sources if (ids := set(oracle.affected("Debian:12", *source, every)))
    }
    found = match(inventory(*packages), real)
    assert _records_of(found) == expected
    assert len(expected) > 10
    assert not found.undecided
    for (source, version), records in expected.items():
        groups = {
            frozenset(evidence.record for evidence in each.evidence)
            for each in found.matches
            if (each.package, each.version) == (source, version)
        }
        assert groups == oracle.vulnerabilities(records, every), source


@pytest.mark.parametrize(
    ("ecosystem", "distribution"),
    [("Debian:12", DEBIAN), ("Alpine:v3.20", ALPINE), ("PyPI", None), ("npm", None), ("Go", None)],
)
def test_versions_at_which_something_changes_have_what_the_records_say(
    real: Store, ecosystem: str, distribution: Distribution | None
) -> None:
    family = ecosystem.partition(":")[0]
    every = oracle.records(DATA / f"osv/{family}/all.zip")
    pairs = sorted(set(_interesting(family, every)))
    chosen = random.Random(7).sample(pairs, min(len(pairs), 160))  # noqa: S311  # always the same ones
    expected: Found = {}
    packages = []
    for name, version in chosen:
        try:
            found = set(oracle.affected(ecosystem, name, version, every))
        except (InvalidVersion, ValueError):
            # The library cannot compare what that package has; how hullmark does is told by the fixtures.
            continue
        if found:
            expected[_called(family, name), version] = found
        packages.append(_package(family, name, version))
    assert len(packages) > 100
    result = match(inventory(*packages, distribution=distribution), real)
    assert {
        (_called(family, name), version): ids for (name, version), ids in _records_of(result).items()
    } == expected
    assert len(expected) > 30
    assert not result.undecided


def _called(family: str, name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-") if family == "PyPI" else name


def _package(family: str, name: str, version: str) -> Package:
    if family == "Debian":
        return debian(f"lib{name}", "9:9", name, version)
    if family == "Alpine":
        return Package(
            owner=Owner(kind=OwnerKind.APK, name=f"{name}-libs", version=version),
            location="/lib/apk/db/installed",
            source=name,
            source_version=version,
        )
    return Package(owner=Owner(kind=_KINDS[family], name=name, version=version), location="/app")


def test_old_packages_of_python_have_what_is_known_of_them(real: Store) -> None:
    found = match(
        inventory(python("Jinja2", "2.10"), python("Pillow", "8.0.0"), python("requests", "2.19.0")), real
    )
    names = {each.id for each in found.matches if each.package == "Jinja2"}
    assert {"CVE-2019-10906", "CVE-2020-28493", "CVE-2024-22195"} <= names
    assert "CVE-2018-18074" in {each.id for each in found.matches if each.package == "requests"}
    assert all(each.id.startswith("CVE-") for each in found.matches if each.package == "requests")


def test_what_was_fixed_is_gone_with_the_version_that_fixed_it(real: Store) -> None:
    before = match(inventory(python("jinja2", "2.10")), real).matches
    fixed = next(each for each in before if each.id == "CVE-2019-10906").fixed
    assert fixed == ("2.10.1",)
    after = match(inventory(python("jinja2", "2.10.1")), real).matches
    assert "CVE-2019-10906" not in {each.id for each in after}
    assert {each.id for each in after} < {each.id for each in before}
