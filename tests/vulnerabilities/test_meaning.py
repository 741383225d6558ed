"""What a match says: which records are one vulnerability, why they match, what fixes it, and how severe it is."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.vulnerabilities.conftest import debian, inventory, python, record

from hullmark._vulnerabilities.match import match
from hullmark._vulnerabilities.merge import groups
from hullmark._vulnerabilities.severity import in_order
from hullmark.model.inventory import Distribution
from hullmark.model.owner import Owner, OwnerKind, Package
from hullmark.model.vulnerability import NO_DATA, Rating, Scale

if TYPE_CHECKING:
    from collections.abc import Callable

    from hullmark._vulnerabilities.store import Store
    from hullmark.model.vulnerability import Match

    Stored = Callable[..., Store]

V2, V3 = "AV:N/AC:L/Au:N/C:P/I:P/A:P", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
V4 = "CVSS:4.0/AV:L/AC:H/AT:P/PR:H/UI:A/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N"


def found(store: Store, *packages: Package, **more: Any) -> tuple[Match, ...]:
    """What is found in packages, which are `shop 1.0` of Python where none are given."""
    return match(inventory(*(packages or (python("shop", "1.0"),)), **more), store).matches


def deb(name: str, fixed: str | None = "2.0-1", **more: Any) -> dict[str, Any]:
    """A record of Debian 12."""
    return record(name, "shop", ecosystem="Debian:12", fixed=fixed, **more)


def test_aliases_are_one_vulnerability_over_any_number_of_steps(stored: Stored) -> None:
    store = stored(
        record("PYSEC-1", aliases=["CVE-2026-0001"], published="2026-03-02T00:00:00Z", summary="of the one"),
        record("GHSA-aaaa", aliases=["CVE-2026-0001"], published="2026-03-01T00:00:00Z", fixed="3.0"),
        record("GHSA-bbbb", aliases=["GHSA-aaaa"], modified="2026-05-01T00:00:00Z"),
        record("GHSA-cccc", aliases=["CVE-2026-0002"]),
    )
    one, other = sorted(found(store), key=lambda each: each.id)
    assert (one.id, one.aliases) == ("CVE-2026-0001", ("GHSA-aaaa", "GHSA-bbbb", "PYSEC-1"))
    assert (other.id, other.aliases) == ("CVE-2026-0002", ("GHSA-cccc",))
    assert one.fixed == ("2.0", "3.0")
    assert (one.published, one.modified) == ("2026-03-01T00:00:00Z", "2026-05-01T00:00:00Z")
    assert one.summary == "of the one"


def test_an_advisory_on_several_vulnerabilities_does_not_make_them_one(stored: Stored) -> None:
    store = stored(
        deb("DEBIAN-CVE-2026-0001", upstream=["CVE-2026-0001"]),
        deb("DEBIAN-CVE-2026-0002", upstream=["CVE-2026-0002"]),
        deb("DSA-1-1", upstream=["DEBIAN-CVE-2026-0001", "CVE-2026-0001", "CVE-2026-0002", "CVE-2026-0003"]),
        ecosystem="Debian",
    )
    matches = {each.id: each for each in found(store, debian("shop", "1.0-1"))}
    assert sorted(matches) == ["CVE-2026-0001", "CVE-2026-0002", "CVE-2026-0003"]
    assert matches["CVE-2026-0001"].aliases == ("DEBIAN-CVE-2026-0001", "DSA-1-1")
    assert matches["CVE-2026-0003"].aliases == ("DSA-1-1",)


def test_a_source_package_has_each_vulnerability_once_with_all_its_binary_packages(stored: Stored) -> None:
    store = stored(deb("DEBIAN-CVE-2026-0001", upstream=["CVE-2026-0001"]), ecosystem="Debian")
    (one,) = found(
        store,
        # The number of a binary package may be far above that of its source.
        debian("libshop1", "1:9.9-1", "shop", "1.0-1"),
        debian("shop-data", "1.0-1", "shop", "1.0-1"),
        debian("shop", "1.0-1+b2", "shop", "1.0-1"),
    )
    assert [each.owner.name for each in one.installed] == ["libshop1", "shop", "shop-data"]
    assert (one.package, one.version, one.ecosystem) == ("shop", "1.0-1", "Debian:12")
    (evidence,) = one.evidence
    assert (evidence.record, evidence.ecosystem) == ("DEBIAN-CVE-2026-0001", "Debian:12")
    assert (evidence.name, evidence.version) == ("shop", "1.0-1")
    assert (evidence.because, evidence.fixed) == ("from 0 before 2.0-1", "2.0-1")


def test_the_same_package_at_two_places_is_one_match_and_in_two_versions_are_two(stored: Stored) -> None:
    store = stored(record("PYSEC-1"))
    here, there = python("shop", "1.0", "/a"), python("Shop", "1.0", "/b")
    one, other = found(store, here, there, python("shop", "1.1", "/c"))
    assert (one.version, set(one.installed)) == ("1.0", {here, there})
    assert other.version == "1.1"


def _with(**part: Any) -> dict[str, Any]:
    return {**record("PYSEC-1"), "affected": [{"package": {"ecosystem": "PyPI", "name": "shop"}, **part}]}


def _range(*events: tuple[str, str], kind: str = "ECOSYSTEM") -> dict[str, Any]:
    return {"type": kind, "events": [{name: version} for name, version in events]}


@pytest.mark.parametrize(
    ("part", "because"),
    [
        ({"ranges": [_range(("introduced", "0"), ("fixed", "2.0"))]}, "from 0 before 2.0"),
        ({"ranges": [_range(("introduced", "0"))]}, "all versions"),
        ({"ranges": [_range(("introduced", "0.5"))]}, "from 0.5 on"),
        ({"ranges": [_range(("introduced", "1.0.0"), ("last_affected", "1"))]}, "from 1.0.0 to 1"),
        ({"ranges": [_range(("fixed", "2.0"), ("introduced", "0"))]}, "from 0 before 2.0"),
        ({"ranges": [_range(("introduced", "0"), ("fixed", "0.5"), ("introduced", "0.9"))]}, "from 0.9 on"),
        ({"ranges": [_range(("introduced", "0"), ("limit", "1.5"))]}, "all versions"),
        ({"ranges": [_range(("introduced", "0"), ("limit", "*"))]}, "all versions"),
        ({"versions": ["0.9", "1.0.0"]}, "1.0 is listed"),
        (
            {"ranges": [_range(("introduced", "0"), ("fixed", "abcdef"), kind="GIT")], "versions": ["1.0"]},
            "1.0 is listed",
        ),
        (
            {
                "ranges": [
                    _range(("introduced", "0"), ("fixed", "abcdef"), kind="GIT"),
                    _range(("introduced", "3")),
                    _range(("introduced", "1"), ("fixed", "1.1")),
                ]
            },
            "from 1 before 1.1",
        ),
        ({"ranges": [_range(("introduced", "0"), ("fixed", "1.0"))]}, None),
        ({"ranges": [_range(("introduced", "0"), ("fixed", "0"))]}, None),
        ({"ranges": [_range(("fixed", "0"), ("introduced", "0"))]}, None),
        ({"ranges": [_range(("introduced", "1.0.1"))]}, None),
        ({"ranges": [_range(("introduced", "0"), ("last_affected", "0.9.9"))]}, None),
        ({"ranges": [_range(("introduced", "0"), ("limit", "1.0"))]}, None),
        ({"versions": ["0.9", "1.0.1"]}, None),
        ({"ranges": [_range(("introduced", "0"), kind="GIT")]}, None),
    ],
)
def test_every_range_and_every_listed_version_counts(
    stored: Stored, part: dict[str, Any], because: str | None
) -> None:
    store = stored(_with(**part), record("PYSEC-2", "other"))
    assert [each.evidence[0].because for each in found(store)] == ([] if because is None else [because])


def test_what_was_withdrawn_is_gone(stored: Stored) -> None:
    store = stored(record("PYSEC-1", withdrawn="2026-02-02T00:00:00Z"), record("PYSEC-2"))
    assert [each.id for each in found(store)] == ["PYSEC-2"]


def test_a_version_that_cannot_be_compared_is_neither_affected_nor_safe(stored: Stored) -> None:
    store = stored(
        record("GO-1", "example.com/shop", ecosystem="Go", fixed="2.0.0"),
        {
            **record("GO-2", "example.com/shop", ecosystem="Go"),
            "affected": [
                {"package": {"ecosystem": "Go", "name": "example.com/shop"}, "versions": ["(devel)"]}
            ],
        },
        ecosystem="Go",
    )
    package = Package(
        owner=Owner(kind=OwnerKind.GO, name="example.com/shop", version="(devel)"), location="/app"
    )
    result = match(inventory(package), store)
    assert [each.id for each in result.matches] == ["GO-2"]
    (undecided,) = result.undecided
    assert (undecided.package, undecided.record) == (package, "GO-1")
    assert undecided.reason == "`(devel)` is no version that Semantic Versioning can compare"


def test_packages_that_others_made_for_a_distribution_are_not_held_against_its_records(
    stored: Stored,
) -> None:
    store = stored(deb("DEBIAN-CVE-2026-0001"), ecosystem="Debian")
    strange = debian("shop", "1.0-1nodesource1", maintainer="Ivan <ivan@nodesource.com>")
    result = match(inventory(strange), store)
    assert not result.matches
    assert [each.package for each in result.undecided] == [strange]


def test_software_that_a_package_of_the_distribution_brought_is_judged_by_the_distribution(
    stored: Stored,
) -> None:
    store = stored(record("PYSEC-1"))
    owner = Owner(kind=OwnerKind.DPKG, name="python3-shop", version="1.0-3")
    mine = replace(python("shop", "1.0"), part_of=owner)
    assert not found(store, mine)
    vendored = replace(mine, part_of=Owner(kind=OwnerKind.PYTHON, name="pip", version="26.0"))
    assert len(found(store, vendored)) == 1
    # Where nothing is known of the distribution, nobody else would say anything of it.
    assert len(found(store, mine, distribution=None)) == 1


def test_coverage_says_of_which_packages_nothing_is_known(stored: Stored) -> None:
    store = stored(record("PYSEC-1"))
    runtime = Package(
        owner=Owner(kind=OwnerKind.RUNTIME, name="node", version="22.1.0"), location="/usr/bin/node"
    )
    result = match(
        inventory(python("shop", "1.0"), debian("bash", "5.2"), debian("dash", "0.5"), runtime), store
    )
    told = {each.ecosystem: (each.packages, each.records, each.reason) for each in result.coverage}
    assert told == {
        "Debian:12": (2, 0, NO_DATA),
        "PyPI": (1, 1, ""),
        "runtime": (1, 0, "no records are kept of this kind of software"),
    }
    assert result.missing == ("Debian",)
    strange = Distribution(id="arch", name="Arch Linux")
    result = match(inventory(debian("bash", "5.2"), distribution=strange), store)
    assert [each.reason for each in result.coverage] == ["no records are kept of Arch Linux"]
    result = match(inventory(debian("bash", "5.2"), distribution=None), store)
    assert [each.reason for each in result.coverage] == ["nothing says which distribution it is"]


def test_what_lacks_a_version_or_a_group_is_undecided(stored: Stored) -> None:
    store = stored(record("PYSEC-1"))
    jar = Package(
        owner=Owner(kind=OwnerKind.JAVA, name="log4j-core", version="2.14"), location="/app/log4j.jar"
    )
    result = match(inventory(python("shop", ""), jar), store)
    assert [each.reason for each in result.undecided] == [
        "its version is not known",
        "its group is not known, by which Maven tells artifacts apart",
    ]


def _severity(*scores: tuple[str, str]) -> list[dict[str, str]]:
    return [{"type": kind, "score": score} for kind, score in scores]


def test_every_rating_is_shown_and_the_newest_cvss_decides(stored: Stored) -> None:
    store = stored(
        record(
            "GHSA-1",
            severity=_severity(("CVSS_V3", V3), ("CVSS_V4", V4)),
            database_specific={"severity": "CRITICAL"},
        ),
        record("PYSEC-1", aliases=["GHSA-1"], severity=_severity(("CVSS_V2", V2), ("CVSS_V3", "rubbish"))),
    )
    (one,) = found(store)
    assert [(each.source, each.record, each.score, each.severity) for each in one.ratings] == [
        ("CVSS 4.0", "GHSA-1", 1.0, "low"),
        ("CVSS 3.1", "GHSA-1", 9.8, "critical"),
        ("CVSS 2.0", "PYSEC-1", 7.5, "high"),
        ("GHSA severity", "GHSA-1", None, "critical"),
    ]
    assert one.severity == "low"
    order = (Scale.CVSS_3, Scale.CVSS_4, Scale.CVSS_2, Scale.DISTRIBUTION, Scale.MALICIOUS, Scale.DATABASE)
    assert in_order(one.ratings, order)[0].severity == "critical"


def test_the_word_of_a_distribution_decides_before_any_vector(stored: Stored) -> None:
    with_word = deb("DEBIAN-CVE-2026-0001", severity=_severity(("CVSS_V3", V3)))
    with_word["affected"][0]["ecosystem_specific"] = {"urgency": "unimportant"}
    without = deb("DEBIAN-CVE-2026-0002", severity=_severity(("CVSS_V3", V3)))
    without["affected"][0]["ecosystem_specific"] = {"urgency": "not yet assigned"}
    store = stored(with_word, without, deb("DEBIAN-CVE-2026-0003"), ecosystem="Debian")
    matches = {each.id: each for each in found(store, debian("shop", "1.0-1"))}
    assert matches["CVE-2026-0001"].severity == "low"
    assert matches["CVE-2026-0001"].ratings[0].source == "Debian urgency"
    assert matches["CVE-2026-0002"].severity == "critical"
    # Nobody said anything, which is not the same as low.
    assert matches["CVE-2026-0003"].severity == "unknown"
    assert matches["CVE-2026-0003"].ratings == ()


def test_the_rating_of_an_advisory_on_several_decides_only_where_there_is_no_other(stored: Stored) -> None:
    store = stored(
        deb(
            "DEBIAN-CVE-2026-0001", severity=_severity(("CVSS_V3", V3.replace("C:H/I:H/A:H", "C:L/I:N/A:N")))
        ),
        deb("DSA-1", upstream=["CVE-2026-0001", "CVE-2026-0002"], severity=_severity(("CVSS_V3", V3))),
        ecosystem="Debian",
    )
    matches = {each.id: each.severity for each in found(store, debian("shop", "1.0-1"))}
    assert matches == {"CVE-2026-0001": "medium", "CVE-2026-0002": "critical"}


def test_malicious_packages_are_critical(stored: Stored) -> None:
    (one,) = found(stored(record("MAL-2026-1", fixed=None)))
    assert (one.severity, one.ratings[0].scale) == ("critical", Scale.MALICIOUS)


def test_what_is_known_of_exploits_is_told_and_nothing_is_not_no(stored: Stored) -> None:
    store = stored(
        record("PYSEC-1", database_specific={"known_exploited": True, "epss": {"score": 0.97}}),
        record("PYSEC-2", database_specific={"kev": False}),
        record("PYSEC-3"),
    )
    told = {each.id: (each.exploited, each.likelihood) for each in found(store)}
    assert told == {"PYSEC-1": (True, 0.97), "PYSEC-2": (False, None), "PYSEC-3": (None, None)}


_NAMES = st.sampled_from(
    [
        "CVE-2026-0001",
        "CVE-2026-0002",
        "DEBIAN-CVE-2026-0001",
        "GHSA-a",
        "GHSA-b",
        "PYSEC-1",
        "DSA-1",
        "CGA-1",
    ]
)
_RECORDS = st.dictionaries(
    _NAMES, st.tuples(st.lists(_NAMES, max_size=2), st.lists(_NAMES, max_size=3)), min_size=1
)


@given(_RECORDS, st.randoms())
def test_no_record_is_lost_in_merging_whatever_the_order(
    names: dict[str, tuple[list[str], list[str]]], random: Any
) -> None:
    merged = groups(names)
    assert {each for records in merged.values() for each in records} == set(names)
    shuffled = list(names.items())
    random.shuffle(shuffled)
    assert groups(dict(shuffled)) == merged


_RATING = st.builds(
    Rating,
    severity=st.sampled_from(["low", "high"]),
    scale=st.sampled_from(Scale),
    source=st.sampled_from("ab"),
    record=st.sampled_from("xy"),
    score=st.sampled_from([None, 1.0, 9.0]),
)


@given(st.lists(_RATING))
def test_which_rating_decides_does_not_depend_on_their_order(ratings: list[Rating]) -> None:
    assert in_order(ratings) == in_order(reversed(ratings))
    assert [each.scale for each in in_order(ratings)] == sorted(
        (each.scale for each in in_order(ratings)), key=tuple(Scale).index
    )
