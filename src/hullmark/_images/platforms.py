"""Platforms, and which of several images serves the one that was asked for."""

from __future__ import annotations

import platform as machine
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from hullmark.errors import UsageError, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable

# How machines call themselves, and how images call the same.
_ARCHITECTURES = {
    "x86_64": ("amd64", ""),
    "x86-64": ("amd64", ""),
    "aarch64": ("arm64", ""),
    "i386": ("386", ""),
    "i486": ("386", ""),
    "i586": ("386", ""),
    "i686": ("386", ""),
    "armhf": ("arm", "v7"),
    "armel": ("arm", "v6"),
    "armv5l": ("arm", "v5"),
    "armv6l": ("arm", "v6"),
    "armv7l": ("arm", "v7"),
    "armv8l": ("arm", "v7"),
}
# What is meant where no variant is written; a machine of a later variant runs what is made for an earlier one.
_FIRST_VARIANT = {"amd64": "v1", "arm64": "v8", "arm": "v7"}
_SYSTEMS = frozenset(
    [
        "aix",
        "android",
        "darwin",
        "dragonfly",
        "freebsd",
        "illumos",
        "ios",
        "js",
        "linux",
        "netbsd",
        "openbsd",
        "plan9",
        "solaris",
        "wasip1",
        "windows",
    ]
)
_KNOWN = frozenset(
    [
        "386",
        "amd64",
        "arm",
        "arm64",
        "loong64",
        "mips",
        "mips64",
        "mips64le",
        "mipsle",
        "ppc64",
        "ppc64le",
        "riscv64",
        "s390x",
        "sparc64",
        "wasm",
    ]
)
"""What images call systems and architectures: the names that the language Go has for them."""
_WRITTEN = re.compile(r"[A-Za-z0-9._-]+")
_SPELLINGS = _KNOWN | {"x86_64", "aarch64"}
"""Those that people mean."""
_NONE = "neither a system nor an architecture of images"
_USUAL = "linux/amd64, linux/arm64, linux/arm/v7"


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """Where the programs of an image run."""

    os: str
    architecture: str
    variant: str = ""
    """Empty where it is the architecture's usual one."""

    @classmethod
    def of(cls, os: str, architecture: str, variant: str = "") -> Self:
        """The platform of these names, whatever their spelling."""
        variant = variant.lower()
        name, implied = _canonical(architecture)
        variant = variant or implied
        if variant.isdecimal():
            variant = f"v{variant}"
        if variant == _FIRST_VARIANT.get(name) and name != "arm":
            variant = ""
        elif name == "arm" and not variant:
            variant = _FIRST_VARIANT[name]
        return cls(os=os.lower(), architecture=name, variant=variant)

    @classmethod
    def parse(cls, text: str) -> Self:
        """The platform that `text` names: `OS[/ARCHITECTURE[/VARIANT]]`, or what comes after the system, then of Linux.

        Raises `UsageError` for anything else, names that no image has included.
        """
        system, *rest = text.split("/")
        if not rest and system in _SYSTEMS:
            rest = [host_platform().architecture]
        elif len(rest) < 2 and _canonical(system)[0] in _KNOWN:  # noqa: PLR2004  # without a system
            system, rest = "linux", [system, *rest]
        elif not rest:
            raise _no_platform(text, _NONE, nearest(system.lower(), _SYSTEMS | _SPELLINGS))
        if len(rest) > 2 or not all(_WRITTEN.fullmatch(part) for part in (system, *rest)):  # noqa: PLR2004  # and a variant
            raise _no_platform(text, "expected `OS[/ARCHITECTURE[/VARIANT]]`")
        found = cls.of(system, *rest)
        if found.os not in _SYSTEMS:
            raise _no_platform(text, f"`{system}` is no system of images", nearest(found.os, _SYSTEMS))
        if found.architecture not in _KNOWN:
            known = nearest(found.architecture, _SPELLINGS)
            raise _no_platform(text, f"`{rest[0]}` is no architecture of images", known)
        if found.architecture in _FIRST_VARIANT and found.variant and found.generation() is None:
            usual = f"`{found.architecture}` has variants such as `{_FIRST_VARIANT[found.architecture]}`"
            raise _no_platform(text, f"`{rest[-1]}` is no variant: {usual}")
        return found

    def __str__(self) -> str:
        return "/".join(part for part in (self.os, self.architecture, self.variant) if part)

    def rank(self, other: Platform) -> int | None:
        """How well an image for `other` runs here: 0 is best, `None` is not at all."""
        if (self.os, self.architecture) != (other.os, other.architecture):
            return None
        if self.variant == other.variant:
            return 0
        mine, theirs = self.generation(), other.generation()
        return mine - theirs if mine is not None and theirs is not None and theirs < mine else None

    def generation(self) -> int | None:
        """What variants are ordered by; `None` for one that is not known."""
        variant = self.variant or _FIRST_VARIANT.get(self.architecture, "")
        # 64-bit ARM counts v8, v8.1 ... v9, v9.1, and the others v1, v2, v3.
        found = re.fullmatch(r"v([0-9]{1,3})(?:\.([0-9]{1,2}))?", variant)
        return int(found[1]) * 100 + int(found[2] or 0) if found else None


def _canonical(architecture: str) -> tuple[str, str]:
    """What images call an architecture, and the variant that this spelling implies."""
    architecture = architecture.lower()
    return _ARCHITECTURES.get(architecture, (architecture, ""))


def _no_platform(text: str, why: str, meant: str | None = None) -> UsageError:
    question = f"; did you mean `{meant}`?" if meant else ""
    return UsageError(f"`{text[:80]}` is no platform: {why}{question}", hint=f"write one such as {_USUAL}")


def asked_for(text: str | None) -> Platform | None:
    """The platform that was asked for as `text`, where any was; raises as `Platform.parse`."""
    return None if text is None else Platform.parse(text)


def host_platform() -> Platform:
    """The platform whose images this machine runs: Linux, on the machine's own architecture."""
    return Platform.of("linux", machine.machine() or "amd64")


def best(wanted: Platform, offered: Iterable[Platform | None]) -> int | None:
    """The index of the one of `offered` that serves `wanted` best, the first of equals; `None` when none does."""
    ranked = [
        (rank, index)
        for index, each in enumerate(offered)
        if each is not None and (rank := wanted.rank(each)) is not None
    ]
    return min(ranked)[1] if ranked else None
