"""Platforms, and which of several images serves the one that was asked for."""

from __future__ import annotations

import platform as machine
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from hullmark.errors import UsageError

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
_WRITTEN = re.compile(r"[A-Za-z0-9._-]+")


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
        architecture = architecture.lower()
        variant = variant.lower()
        name, implied = _ARCHITECTURES.get(architecture, (architecture, ""))
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
        """The platform that `text` names, such as `linux/arm64`, `linux/arm/v7` or `arm64`, which is Linux.

        Raises `UsageError` for anything else.
        """
        parts = text.split("/")
        if not 1 <= len(parts) <= 3 or not all(_WRITTEN.fullmatch(part) for part in parts):  # noqa: PLR2004  # OS/ARCH/VARIANT
            raise UsageError(
                f"`{text[:80]}` is no platform", hint="write one such as `linux/amd64` or `linux/arm/v7`"
            )
        return cls.of("linux", parts[0]) if len(parts) == 1 else cls.of(*parts)

    def __str__(self) -> str:
        return "/".join(part for part in (self.os, self.architecture, self.variant) if part)

    def rank(self, other: Platform) -> int | None:
        """How well an image for `other` runs here: 0 is best, `None` is not at all."""
        if (self.os, self.architecture) != (other.os, other.architecture):
            return None
        if self.variant == other.variant:
            return 0
        mine, theirs = self._generation(), other._generation()
        return mine - theirs if mine is not None and theirs is not None and theirs < mine else None

    def _generation(self) -> int | None:
        variant = self.variant or _FIRST_VARIANT.get(self.architecture, "")
        # 64-bit ARM counts v8, v8.1 ... v9, v9.1, and the others v1, v2, v3.
        found = re.fullmatch(r"v([0-9]{1,3})(?:\.([0-9]{1,2}))?", variant)
        return int(found[1]) * 100 + int(found[2] or 0) if found else None


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
