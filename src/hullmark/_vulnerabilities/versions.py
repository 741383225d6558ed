"""Which of two versions is the later one: an order for each family of packages.

A key is made of each version once. Libraries that know an order are loaded when the first version of its family is
compared. Versions of no family's grammar raise `ValueError`.
"""

from __future__ import annotations

import enum
import re
from functools import lru_cache
from typing import Any, Protocol, Self

FIRST = "0"
"""Stands before every version: what was always affected was introduced here."""
_DEBIAN = re.compile(r"(?:([0-9]+):)?([0-9][0-9A-Za-z.+~-]*?)(?:-([0-9A-Za-z.+~]+))?")
_ALTERNATING = re.compile(r"([^0-9]*)([0-9]*)")
_NUMBERS = re.compile(r"[0-9]+")
_SEMVER = re.compile(
    r"[vV=\s]*([0-9]+)(?:\.([0-9]+|[xX*]))?(?:\.([0-9]+|[xX*]))?((?:\.[0-9A-Za-z-]+)*)(?:-?([0-9A-Za-z][0-9A-Za-z.-]*))?(?:\+.*)?\s*"
)
_COMPOSER = re.compile(
    r"v?([0-9]+(?:\.[0-9]+)*)(?:[._-]?(stable|beta|b|rc|alpha|a|patch|pl|p|dev)?[.-]?([0-9]*))?([.-]?dev)?(?:\+.*)?"
)
_STABILITIES = ("dev", "alpha", "beta", "rc", "", "patch")
_ABBREVIATED = {"a": "alpha", "b": "beta", "stable": "", "pl": "patch", "p": "patch"}
_KEPT = 1 << 16


class Key(Protocol):
    """What versions are compared by."""

    def __lt__(self, other: Self, /) -> bool: ...


class Order(enum.Enum):
    """How versions of one family of packages are ordered."""

    DEBIAN = "Debian"
    ALPINE = "Alpine"
    RPM = "RPM"
    PYTHON = "PEP 440"
    SEMVER = "Semantic Versioning"
    MAVEN = "Maven"
    NUGET = "NuGet"
    RUBY = "RubyGems"
    COMPOSER = "Composer"

    # That of Enum is written in Python, and every comparison of versions asks for it.
    __hash__ = object.__hash__

    def key(self, version: str) -> Key:
        """What `version` is compared by; raises `ValueError` when it is none of this family."""
        return _key(self, version)


@lru_cache(maxsize=_KEPT)
def _key(order: Order, version: str) -> Key:
    made: Key
    match order:
        case Order.DEBIAN:
            made = _debian(version)
        case Order.ALPINE:
            from hullmark._vulnerabilities.alpine import AlpineVersion  # noqa: PLC0415  # for images that need it

            made = AlpineVersion(version)
        case Order.RPM:
            made = _rpm(version)
        case Order.PYTHON:
            made = _python(version)
        case Order.SEMVER:
            made = _semver(version)
        case Order.MAVEN:
            made = _maven(version)
        case Order.NUGET:
            made = _nuget(version)
        case Order.RUBY:
            made = _ruby(version)
        case Order.COMPOSER:
            made = _composer(version)
    return made


def _debian(version: str) -> Any:
    # Not the library's: there are thousands to compare in an image, and a tuple is compared at once.
    found = _DEBIAN.fullmatch(version)
    if found is None:
        raise ValueError(f"`{version}` is no version")
    # No revision is the same as revision 0.
    return int(found[1] or 0), _debian_part(found[2]), _debian_part(found[3] or "0")


def _debian_part(text: str) -> list[Any]:
    """What is no digit and what is, in turn: `~` is before the end, the end before letters, those before other signs."""
    return [
        part
        for word, digits in _ALTERNATING.findall(text)
        for part in (
            [*(-1 if sign == "~" else ord(sign) + (0 if sign.isalpha() else 256) for sign in word), 0],
            int(digits or 0),
        )
    ]


def _rpm(version: str) -> Any:
    from univers.rpm import RpmVersion  # noqa: PLC0415  # loaded for the first such version

    return RpmVersion.from_string(version.strip())  # type: ignore[no-untyped-call]


def _python(version: str) -> Any:
    from packaging.version import InvalidVersion, Version  # noqa: PLC0415  # loaded for the first such version

    try:
        return 1, Version(version)
    except InvalidVersion:
        # From before PEP 440; they come before all that follow it, and have an order of their own.
        words = re.findall(r"[0-9]+|[a-z]+", version.lower())
        if not words:
            raise ValueError(f"`{version}` is no version") from None
        return 0, [(1, int(word), "") if word.isdecimal() else (0, 0, word) for word in words]


def _semver(version: str) -> Any:
    found = _SEMVER.fullmatch(version)
    if found is None:
        raise ValueError(f"`{version}` is no version")
    numbers = tuple(int(part) if part and part.isdecimal() else 0 for part in found.group(1, 2, 3))
    # A version without a suffix comes after all that have one; numbers before words, few parts before many.
    before = [
        (0, int(part), "") if part.isdecimal() else (1, 0, part)
        for part in (found[5] or "").split(".")
        if part
    ]
    return numbers, (0, before) if before else (1, [])


def _maven(version: str) -> Any:
    from univers.maven import Version  # noqa: PLC0415  # loaded for the first such version

    # Maven takes `release` for the same as no qualifier at all, which the library does not.
    plain = re.sub(r"(?i)(?<![a-z])[.-]?release(?![a-z])", "-ga", version)
    return Version(plain)  # type: ignore[no-untyped-call]


def _nuget(version: str) -> Any:
    from univers.nuget import InvalidNuGetVersion, Version  # noqa: PLC0415  # loaded for the first such version

    try:
        return Version.from_string(version)  # type: ignore[no-untyped-call]
    except (InvalidNuGetVersion, TypeError) as error:
        raise ValueError(str(error)) from error


def _ruby(version: str) -> Any:
    from univers.gem import GemVersion, InvalidVersionError  # noqa: PLC0415  # loaded for the first such version

    try:
        return GemVersion(version)  # type: ignore[no-untyped-call]
    except InvalidVersionError as error:
        raise ValueError(str(error)) from error


def _composer(version: str) -> Any:
    found = _COMPOSER.fullmatch(version.strip().lower())
    if found is None:
        raise ValueError(f"`{version}` is no version")
    numbers = [int(number) for number in _NUMBERS.findall(found[1])]
    while numbers and not numbers[-1]:
        numbers.pop()
    word = found[2] or ""
    stability = _STABILITIES.index("dev" if found[4] and not word else _ABBREVIATED.get(word, word))
    return numbers, stability, int(found[3] or 0), not found[4]
