"""Where packages come from, as OSV calls it: how their names are written, and how their versions are ordered."""

from __future__ import annotations

import operator
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hullmark._vulnerabilities.versions import Order
from hullmark.errors import UsageError, nearest
from hullmark.model.owner import OwnerKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from hullmark.model.inventory import Distribution
    from hullmark.model.owner import Package

_SEPARATORS = re.compile(r"[-_.]+")
_PURL = re.compile(r"pkg:([a-z]+)/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ecosystem:
    """One ecosystem of OSV, all releases of a distribution together."""

    name: str
    order: Order
    spelled: Callable[[str], str] = str
    """How a name is written so that it can be compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A release of a distribution, or a whole ecosystem that has none."""

    ecosystem: Ecosystem
    release: str = ""
    """As OSV writes the usual one, for example `12` or `v3.22`."""
    fits: Callable[[str], bool] = operator.not_
    """Whether the release that a record names is this one."""

    def __str__(self) -> str:
        return f"{self.ecosystem.name}:{self.release}" if self.release else self.ecosystem.name


def _python(name: str) -> str:
    return _SEPARATORS.sub("-", name).lower()


_ALL = (
    Ecosystem(name="Debian", order=Order.DEBIAN),
    Ecosystem(name="Ubuntu", order=Order.DEBIAN),
    Ecosystem(name="Echo", order=Order.DEBIAN),
    Ecosystem(name="Alpine", order=Order.ALPINE),
    Ecosystem(name="Alpaquita", order=Order.ALPINE),
    Ecosystem(name="Wolfi", order=Order.ALPINE),
    Ecosystem(name="Chainguard", order=Order.ALPINE),
    Ecosystem(name="MinimOS", order=Order.ALPINE),
    Ecosystem(name="Red Hat", order=Order.RPM),
    Ecosystem(name="Rocky Linux", order=Order.RPM),
    Ecosystem(name="AlmaLinux", order=Order.RPM),
    Ecosystem(name="SUSE", order=Order.RPM),
    Ecosystem(name="openSUSE", order=Order.RPM),
    Ecosystem(name="Mageia", order=Order.RPM),
    Ecosystem(name="openEuler", order=Order.RPM),
    Ecosystem(name="Photon OS", order=Order.RPM),
    Ecosystem(name="Azure Linux", order=Order.RPM),
    Ecosystem(name="PyPI", order=Order.PYTHON, spelled=_python),
    Ecosystem(name="npm", order=Order.SEMVER),
    Ecosystem(name="Go", order=Order.SEMVER),
    Ecosystem(name="crates.io", order=Order.SEMVER),
    Ecosystem(name="Maven", order=Order.MAVEN),
    Ecosystem(name="NuGet", order=Order.NUGET, spelled=str.lower),
    Ecosystem(name="RubyGems", order=Order.RUBY),
    Ecosystem(name="Packagist", order=Order.COMPOSER, spelled=str.lower),
)
ECOSYSTEMS = {each.name: each for each in _ALL}
"""Those that can be matched, by name."""
USUAL = ("Alpine", "Debian", "Go", "PyPI", "npm")
"""What is fetched where nothing tells what is needed."""
_KINDS = {
    OwnerKind.PYTHON: "PyPI",
    OwnerKind.NPM: "npm",
    OwnerKind.GO: "Go",
    OwnerKind.RUST: "crates.io",
    OwnerKind.JAVA: "Maven",
}
_PURLS = {
    "pypi": "PyPI",
    "npm": "npm",
    "golang": "Go",
    "cargo": "crates.io",
    "maven": "Maven",
    "nuget": "NuGet",
    "gem": "RubyGems",
    "composer": "Packagist",
}


def ecosystem(name: str) -> Ecosystem:
    """The ecosystem of that name in any case; raises `UsageError` where there is none."""
    for each in _ALL:
        if each.name.lower() == name.lower():
            return each
    meant = nearest(name, ECOSYSTEMS)
    question = f"did you mean `{meant}`?" if meant else f"known are {', '.join(sorted(ECOSYSTEMS))}"
    raise UsageError(f"no ecosystem `{name}`; {question}")


def of_language(package: Package) -> Release | None:
    """The ecosystem of a package that is none of the distribution; `None` where OSV has none for its kind."""
    found = _PURL.match(package.purl)
    name = _PURLS.get(found[1]) if found else None
    name = name or _KINDS.get(package.owner.kind)
    return None if name is None else Release(ecosystem=ECOSYSTEMS[name])


# Which releases a derivative is built from is told by the code name, since its own versions count differently.
_CODENAMES = {
    "debian": {
        "buster": "10",
        "bullseye": "11",
        "bookworm": "12",
        "trixie": "13",
        "forky": "14",
        "duke": "15",
    },
    "ubuntu": {
        "trusty": "14.04",
        "xenial": "16.04",
        "bionic": "18.04",
        "focal": "20.04",
        "jammy": "22.04",
        "noble": "24.04",
        "resolute": "26.04",
    },
}


def of_distribution(distribution: Distribution) -> Release | None:
    """The release whose records are about the packages of `distribution`; `None` where OSV has none."""
    made = _RELEASES.get(distribution.id)
    if made is not None and (distribution.version_id or distribution.id in _ROLLING):
        return made(distribution.version_id)
    for family in distribution.families:
        version = _CODENAMES.get(family, {}).get(distribution.codename)
        if version is not None:
            return _RELEASES[family](version)
    return None


def _exactly(name: str, release: str) -> Release:
    return Release(ecosystem=ECOSYSTEMS[name], release=release, fits=lambda other: other == release)


def _whole(name: str) -> Callable[[str], Release]:
    return lambda _: Release(ecosystem=ECOSYSTEMS[name])


def _major(name: str) -> Callable[[str], Release]:
    return lambda version: _exactly(name, version.partition(".")[0])


def _same(name: str) -> Callable[[str], Release]:
    return lambda version: _exactly(name, version)


def _ubuntu(version: str) -> Release:
    # What is fixed for those alone who pay is of no use to the others: `Pro:22.04:LTS` is another release.
    return Release(
        ecosystem=ECOSYSTEMS["Ubuntu"],
        release=version,
        fits=lambda other: other.removesuffix(":LTS") == version,
    )


def _alpine(name: str) -> Callable[[str], Release]:
    def release(version: str) -> Release:
        # Edge calls itself after the release that it will become, as in 3.23_alpha20250612.
        number = "edge" if "_" in version else f"v{'.'.join(version.split('.')[:2])}"
        return _exactly(name, number)

    return release


def _red_hat(version: str) -> Release:
    major = version.partition(".")[0]
    # As in `enterprise_linux:9::appstream`; those of extended support are other releases.
    return Release(
        ecosystem=ECOSYSTEMS["Red Hat"],
        release=f"enterprise_linux:{major}",
        fits=lambda other: (
            other.split(":")[0] == "enterprise_linux"
            and other.split(":")[1:2] != []
            and other.split(":")[1].partition(".")[0] == major
        ),
    )


def _suse(version: str) -> Release:
    number, _, pack = version.partition(".")
    ending = (
        f"{number} SP{pack}"
        if pack and pack != "0" and number.isdecimal() and int(number) < _WITHOUT_PACKS
        else version
    )
    # The same package is part of several products, as in `Linux Enterprise Module for Basesystem 15 SP6`.
    return Release(
        ecosystem=ECOSYSTEMS["SUSE"],
        release=f"Linux Enterprise Server {ending}",
        fits=lambda other: (
            other.endswith(f" {ending}") and other.startswith("Linux Enterprise ") and "LTSS" not in other
        ),
    )


_WITHOUT_PACKS = 16
"""From this version on, SUSE has no service packs any more."""
_RELEASES: dict[str, Callable[[str], Release]] = {
    "debian": _major("Debian"),
    "raspbian": _major("Debian"),
    "ubuntu": _ubuntu,
    "echo": _whole("Echo"),
    "alpine": _alpine("Alpine"),
    "alpaquita": _same("Alpaquita"),
    "wolfi": _whole("Wolfi"),
    "chainguard": _whole("Chainguard"),
    "minimos": _whole("MinimOS"),
    "rhel": _red_hat,
    "rocky": _major("Rocky Linux"),
    "almalinux": _major("AlmaLinux"),
    "sles": _suse,
    "opensuse-leap": lambda version: _exactly("openSUSE", f"Leap {version}"),
    "opensuse-tumbleweed": lambda _: _exactly("openSUSE", "Tumbleweed"),
    "mageia": _same("Mageia"),
    "openeuler": _same("openEuler"),
    "photon": _same("Photon OS"),
    "azurelinux": _major("Azure Linux"),
}
_ROLLING = frozenset({"echo", "wolfi", "chainguard", "minimos", "opensuse-tumbleweed"})
"""Distributions without releases."""
