"""Which version is meant, which is the later one, and which tags move to it."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version as Pep440

from hullmark.model.reference import parse_reference
from hullmark.model.version import MOVING, Version, held_back, moving_tags

# By the specification of Semantic Versioning, and by that of PEP 440, from the oldest to the newest.
SEMVER = (
    *("1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11"),
    *("1.0.0-rc.1", "1.0.0", "1.0.1", "1.2.0", "1.10.0", "2.0.0-0", "2.0.0"),
)
PEP_440 = (
    *("1.0.dev1", "1.0a1.dev1", "1.0a1", "1.0a2", "1.0b1", "1.0rc1.dev2", "1.0rc1", "1.0"),
    *("1.0.post1.dev1", "1.0.post1", "1.0.1.dev1", "1.0.1", "1.1rc1", "1.1", "2026.11"),
)


@pytest.mark.parametrize("order", [SEMVER, PEP_440])
def test_versions_are_ordered_as_their_specification_says(order: tuple[str, ...]) -> None:
    for earlier, later in itertools.combinations(order, 2):
        assert Version.parse(later).later(Version.parse(earlier)), (earlier, later)
        assert not Version.parse(earlier).later(Version.parse(later)), (earlier, later)


@pytest.mark.parametrize(
    ("written", "meant", "tag", "pre"),
    [
        ("v1.4.2", "1.4.2", "1.4.2", False),
        ("refs/tags/v1.4.2", "1.4.2", "1.4.2", False),
        ("1.4.2-rc.1", "1.4.2-rc.1", "1.4.2-rc.1", True),
        ("1.4.2rc1", "1.4.2rc1", "1.4.2rc1", True),
        ("V1.4.2.RC1", "1.4.2rc1", "1.4.2rc1", True),
        ("1.4.2.dev3", "1.4.2.dev3", "1.4.2.dev3", True),
        ("1.4.2.post1", "1.4.2.post1", "1.4.2.post1", False),
        ("1.4.2+build.7", "1.4.2+build.7", "1.4.2_build.7", False),
        ("2026.11", "2026.11", "2026.11", False),
    ],
)
def test_a_version_is_read_and_tagged(written: str, meant: str, tag: str, pre: bool) -> None:  # noqa: FBT001
    version = Version.parse(written)
    assert (str(version), version.tag, version.pre) == (meant, tag, pre)
    assert str(parse_reference(f"localhost:5000/shop:{version.tag}")).endswith(f":{tag}")


@pytest.mark.parametrize("text", ["", "v", "latest", "main", "1.x", "1!2.0", "01.2.3-", "1" * 200])
def test_what_is_no_version_is_refused_and_told_what_one_is(text: str) -> None:
    with pytest.raises(ValueError, match=r"version|epoch"):
        Version.parse(text)


@pytest.mark.parametrize(
    ("version", "existing", "moves"),
    [
        ("1.4.2", (), ("1.4", "1", "latest")),
        ("1.4.2", ("1.4.1", "1.4", "1", "latest"), ("1.4", "1", "latest")),
        ("1.4.2", ("1.4.3",), ()),
        ("1.4.2", ("1.5.0", "1.5"), ("1.4",)),
        ("1.4.2", ("2.0.0", "2", "2.0"), ("1.4", "1")),
        ("1.4.2", ("2.0.0-rc.1",), ("1.4", "1", "latest")),
        ("1.4.2", ("1.4.2", "1.4.2-amd64", "junk"), ("1.4", "1", "latest")),
        ("1.4.2", ("1.4.3_b.1", "1.4", "1", "latest"), ()),
        ("1.4.2", ("1.4.3_b.1-amd64", "1.4.3_b.1-arm-v7"), ("1.4", "1", "latest")),
        ("1.4.3+b.2", ("1.4.3_b.1",), ("1.4", "1", "latest")),
        ("1.4.2", ("1.5.0-rc.1_b.1",), ("1.4", "1", "latest")),
        ("1.5.0-rc.1", (), ()),
        ("0.3.0", ("0.2.9",), ("0.3", "0", "latest")),
        ("2026.11", (), ("2026", "latest")),
    ],
)
def test_tags_move_forward_only_and_never_to_a_pre_release(
    version: str, existing: tuple[str, ...], moves: tuple[str, ...]
) -> None:
    assert moving_tags(Version.parse(version), existing, MOVING) == moves


def test_what_holds_a_tag_back_is_named() -> None:
    version = Version.parse("1.4.2")
    assert held_back(version, ("20240101", "1.4.3_b.1"), MOVING) == (
        ("1.4", "1.4.3_b.1"),
        ("1", "1.4.3_b.1"),
        ("latest", "20240101"),
    )
    assert held_back(version, ("20240101",), ("minor",)) == ()


def test_only_the_wanted_tags_move() -> None:
    assert moving_tags(Version.parse("1.4.2"), (), ("minor",)) == ("1.4",)
    assert moving_tags(Version.parse("1.4.2"), (), ()) == ()


numbers = st.integers(min_value=0, max_value=30)
finals = st.builds("{}.{}.{}".format, numbers, numbers, numbers)


@given(st.lists(finals, min_size=1, max_size=8))
def test_whatever_the_order_of_releases_latest_ends_at_the_newest(releases: list[str]) -> None:
    tags: dict[str, str] = {}
    for release in releases:
        version = Version.parse(release)
        for tag in (*moving_tags(version, [*tags], MOVING), version.tag):
            tags[tag] = release
    newest = max(releases, key=Pep440)
    assert tags["latest"] == newest
    for release in releases:
        first, second, _ = release.split(".")
        line = [each for each in releases if each.startswith(f"{first}.{second}.")]
        assert tags[f"{first}.{second}"] == max(line, key=Pep440)
