"""Platforms are the same however they are spelled, and the best of what there is gets chosen."""

from __future__ import annotations

import platform

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hullmark._images.platforms import Platform, best, host_platform
from hullmark.errors import UsageError

WORDS = st.sampled_from(
    ["linux", "windows", "amd64", "arm64", "arm", "v8", "v7", "v6", "386", "x86_64", "s390x"]
)


@given(parts=st.lists(WORDS, min_size=1, max_size=3))
def test_parsing_and_writing_are_inverse(parts: list[str]) -> None:
    parsed = Platform.parse("/".join(parts))
    assert Platform.parse(str(parsed)) == parsed


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("linux/amd64", "linux/amd64"),
        ("linux/x86_64", "linux/amd64"),
        ("amd64", "linux/amd64"),
        ("arm64", "linux/arm64"),
        ("linux/aarch64", "linux/arm64"),
        ("linux/arm64/v8", "linux/arm64"),
        ("linux/arm64/8", "linux/arm64"),
        ("linux/arm", "linux/arm/v7"),
        ("linux/armhf", "linux/arm/v7"),
        ("linux/armel", "linux/arm/v6"),
        ("Linux/AMD64/v2", "linux/amd64/v2"),
        ("linux/i686", "linux/386"),
    ],
)
def test_spellings_of_one_platform_are_the_same(text: str, expected: str) -> None:
    assert str(Platform.parse(text)) == expected


@pytest.mark.parametrize("text", ["", "linux/", "/amd64", "linux/arm/v7/x", "linux amd64", "linux/amd64\n"])
def test_what_is_no_platform_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is no platform"):
        Platform.parse(text)


@pytest.mark.parametrize(
    ("wanted", "offered", "chosen"),
    [
        ("linux/amd64", ["linux/arm64", "linux/amd64"], 1),
        ("linux/amd64", ["windows/amd64", "linux/arm64"], None),
        ("linux/arm64", ["linux/arm/v7", "linux/arm64/v8"], 1),
        ("linux/arm/v7", ["linux/arm/v5", "linux/arm/v6"], 1),
        ("linux/arm/v7", ["linux/arm/v6", "linux/arm/v7"], 1),
        ("linux/arm/v6", ["linux/arm/v7"], None),
        ("linux/amd64", ["linux/amd64/v3"], None),
        ("linux/amd64/v3", ["linux/amd64", "linux/amd64/v2", "linux/amd64/v4"], 1),
        ("linux/amd64", ["linux/amd64", "linux/amd64"], 0),
        ("linux/amd64", [], None),
    ],
)
def test_the_nearest_that_runs_there_is_chosen(wanted: str, offered: list[str], chosen: int | None) -> None:
    assert best(Platform.parse(wanted), [Platform.parse(each) for each in offered]) == chosen


def test_what_names_no_platform_is_never_chosen() -> None:
    assert best(Platform.parse("linux/amd64"), [None]) is None


@pytest.mark.parametrize(
    ("machine", "expected"),
    [("x86_64", "linux/amd64"), ("aarch64", "linux/arm64"), ("armv7l", "linux/arm/v7")],
)
def test_this_host_is_linux_on_its_own_architecture(
    machine: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: machine)
    assert str(host_platform()) == expected
