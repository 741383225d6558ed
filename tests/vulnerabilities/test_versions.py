"""Versions are ordered as the programs order them that install them."""

from __future__ import annotations

import subprocess
from itertools import pairwise
from shutil import which
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.vulnerabilities.conftest import DATA

from hullmark._vulnerabilities.versions import Order

if TYPE_CHECKING:
    from collections.abc import Iterator

FILES = (
    ("debian-versions.txt", Order.DEBIAN),
    ("debian-versions-generated.txt", Order.DEBIAN),
    ("alpine-versions.txt", Order.ALPINE),
    ("alpine-versions-generated.txt", Order.ALPINE),
    ("redhat-versions.txt", Order.RPM),
    ("pypi-versions.txt", Order.PYTHON),
    ("pypi-versions-generated.txt", Order.PYTHON),
    ("semver-versions.txt", Order.SEMVER),
    ("maven-versions.txt", Order.MAVEN),
)
OTHERWISE = {
    # No package has such a version: apk and Maven refuse or never write them.
    *("0.r1 < 0r2", "0.8.21.r2 < 0.8.21r2", "1 > 1-ruff", "1-ruff2 = 1--ruff1"),
    "1-1 = 1-ga-1",
    # Nothing after the dash is no release for the library, and an empty one for the fixtures.
    "1 < 1-",
}


def _lines(name: str) -> Iterator[tuple[str, str, str]]:
    """Two versions and what stands between them."""
    for line in (DATA / "versions" / name).read_text("utf-8").splitlines():
        parts = line.partition(" #")[0].split()
        if len(parts) == 3 and parts[1] in "<=>" and not line.startswith(("#", "//")):
            yield parts[0], parts[1], parts[2]


def _relation(order: Order, one: str, other: str) -> str:
    ours, theirs = order.key(one), order.key(other)
    assert not (ours < theirs < ours)
    return "<" if ours < theirs else ">" if theirs < ours else "="


def _is_epoch(version: str) -> bool:
    """Whether what stands before the colon of an RPM version, if it has one, is the number that it must be."""
    return ":" not in version or version.partition(":")[0].isdecimal()


@pytest.mark.parametrize(("name", "order"), FILES, ids=[name for name, _ in FILES])
def test_two_versions_stand_as_the_fixtures_say(name: str, order: Order) -> None:
    checked = 0
    for one, sign, other in _lines(name):
        if f"{one} {sign} {other}" in OTHERWISE:
            continue
        if order is Order.RPM and not (_is_epoch(one) and _is_epoch(other)):
            continue
        assert _relation(order, one, other) == sign, f"{one} {sign} {other}"
        assert _relation(order, other, one) == {"<": ">", ">": "<", "=": "="}[sign]
        checked += 1
    assert checked >= 30


def test_every_exception_stands_in_the_fixtures_and_is_one() -> None:
    found = {
        f"{one} {sign} {other}"
        for name, order in FILES
        for one, sign, other in _lines(name)
        if f"{one} {sign} {other}" in OTHERWISE and _relation(order, one, other) != sign
    }
    assert found == OTHERWISE


@pytest.mark.parametrize(
    ("order", "versions"),
    [
        (Order.ALPINE, ("1.2.3_git20230716-r9", "1.2.4_git20230717-r4", "1.2.4_git20230717-r5", "1.2.5-r0")),
        (
            Order.ALPINE,
            ("1.0_alpha1", "1.0_beta1", "1.0_pre1", "1.0_rc1", "1.0", "1.0_cvs1", "1.0_svn1", "1.0_p1"),
        ),
        (Order.ALPINE, ("9.3_p1-r0", "9.3_p2-r0", "9.3_p2-r1", "9.4-r0")),
        (Order.NUGET, ("1.0.0-alpha", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0", "1.0.0.1", "1.0.1", "2.0")),
        (Order.RUBY, ("1.0.a", "1.0.rc1", "1.0", "1.0.1", "1.2", "1.10")),
        (
            Order.COMPOSER,
            (
                *("1.0-dev", "1.0-alpha1", "1.0.0-alpha2", "1.0-beta", "1.0-RC1", "v1.0", "1.0-p1", "1.0.1"),
                *("1.2.3.4", "1.2.3.5", "v2.0"),
            ),
        ),
        (Order.PYTHON, ("0.9-doduo", "2004d", "0.1.dev1", "0.1a1", "0.1", "0.1.post1", "1!0.1")),
        (Order.SEMVER, ("0.0.0-20190101000000-abcdefabcdef", "v0.1.0", "1.2", "1.2.3+incompatible", "1.2.4")),
        (Order.SEMVER, ("0.9.9", "1.0.0.beta.3", "1.0.1")),
        (Order.RPM, ("1.0~rc1-1", "1.0-1", "1.0^git1-1", "1.0.1-1", "1:0.1-1")),
    ],
)
def test_a_row_of_versions_goes_up(order: Order, versions: tuple[str, ...]) -> None:
    for one, other in pairwise(versions):
        assert _relation(order, one, other) == "<", (one, other)


@pytest.mark.parametrize("order", [Order.DEBIAN, Order.SEMVER, Order.NUGET, Order.RUBY, Order.COMPOSER])
@pytest.mark.parametrize("version", ["latest", "(devel)", "${project.version}", "1:2:3-4"])
def test_what_is_no_version_is_refused(order: Order, version: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        order.key(version)


_SOUND = st.from_regex(
    r"[0-9]{1,3}(\.[0-9]{1,2}){0,3}(_(alpha|rc|git|p)[0-9]{0,4})?(-r[0-9]{1,2})?", fullmatch=True
)


@given(st.lists(_SOUND, min_size=3, max_size=3))
def test_the_order_of_alpine_has_no_circles(versions: list[str]) -> None:
    one, two, three = sorted(map(Order.ALPINE.key, versions))
    assert not two < one
    assert not three < two
    assert not three < one


_DEBIAN = st.from_regex(r"([0-9]:)?[0-9][0-9a-z.+~]{0,6}(-[0-9a-z+.~]{1,5})?", fullmatch=True)


@settings(max_examples=60)
@given(_DEBIAN, _DEBIAN)
def test_dpkg_agrees_about_any_two_versions(one: str, other: str) -> None:
    relation = _relation(Order.DEBIAN, one, other)
    program = which("dpkg")
    # Elsewhere than on Debian the fixtures alone say what dpkg does.
    if program is not None:
        sign = {"<": "lt", ">": "gt", "=": "eq"}[relation]
        assert subprocess.run((program, "--compare-versions", one, sign, other), check=False).returncode == 0


@pytest.mark.parametrize(
    ("order", "one", "other"),
    [
        (Order.DEBIAN, "0:1.0-0", "1.0"),
        (Order.ALPINE, "1.01-r0", "1.01-r00"),
        (Order.RPM, "0:1.0-1", "1.0-1"),
        (Order.PYTHON, "1.0", "v1.0.0"),
        (Order.SEMVER, "v1.2", "1.2.0+build"),
        (Order.MAVEN, "1.0.RELEASE", "1"),
        (Order.NUGET, "1.0.0.0", "1.0"),
        (Order.RUBY, "1.0.0", "1"),
        (Order.COMPOSER, "v1.0.0", "1.0"),
    ],
)
def test_two_ways_of_writing_a_version_are_equal(order: Order, one: str, other: str) -> None:
    assert order.key(one) == order.key(other)
    assert _relation(order, one, other) == "="
