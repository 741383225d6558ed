"""Platforms are the same however they are spelled, and the best of what there is gets chosen."""

from __future__ import annotations

import platform

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hullmark._images.platforms import Platform, best, host_platform
from hullmark.errors import UsageError

PARTS = st.tuples(
    st.sampled_from(["", "linux/", "windows/", "FreeBSD/"]),
    st.sampled_from(["amd64", "arm64", "arm", "386", "x86_64", "AARCH64", "s390x", "riscv64"]),
    st.sampled_from(["", "/v8", "/7", "/v6", "/v8.1"]),
)


@given(parts=PARTS)
def test_parsing_and_writing_are_inverse(parts: tuple[str, ...]) -> None:
    parsed = Platform.parse("".join(parts))
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
        ("x86_64", "linux/amd64"),
        ("arm/v6", "linux/arm/v6"),
        ("windows/amd64", "windows/amd64"),
        ("linux/riscv64/rva20u64", "linux/riscv64/rva20u64"),
    ],
)
def test_spellings_of_one_platform_are_the_same(text: str, expected: str) -> None:
    assert str(Platform.parse(text)) == expected


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "neither a system nor an architecture"),
        ("foo", "neither a system nor an architecture of images$"),
        ("amd46", "neither a system nor an architecture of images; did you mean `amd64`"),
        ("linux/", "expected"),
        ("/amd64", "expected"),
        ("linux/arm/v7/x", "expected"),
        ("linux amd64", "neither"),
        ("linux/amd64\n", "expected"),
        ("foo/amd64", "`foo` is no system of images"),
        ("linux/foo", "`foo` is no architecture of images"),
        ("linux/x86_46", "`x86_46` is no architecture of images; did you mean `x86_64`"),
        ("linux/arm/x", "`x` is no variant: `arm` has variants such as `v7`"),
    ],
)
def test_what_is_no_platform_is_refused(text: str, why: str) -> None:
    with pytest.raises(UsageError, match=f"is no platform: .*{why}") as caught:
        Platform.parse(text)
    assert "linux/arm64" in (caught.value.hint or "")
    assert caught.value.exit_code == 2


def test_a_system_alone_is_meant_on_the_architecture_of_this_host() -> None:
    assert Platform.parse("linux") == host_platform()


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
