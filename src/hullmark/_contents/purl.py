"""Package URLs: one name for a package that every tool knows (see https://github.com/package-url/purl-spec)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote

from hullmark.model.owner import OwnerKind

if TYPE_CHECKING:
    from hullmark.model.inventory import Distribution
    from hullmark.model.owner import Package

_SAFE = ":"
"""What may stand in every part, besides letters, digits and `-._~`."""
_VENDORS = {"rhel": "redhat", "sles": "suse", "opensuse-leap": "opensuse", "opensuse-tumbleweed": "opensuse"}
"""Whose packages those of a distribution are, where that is not its ID."""
_OF_DISTRIBUTIONS = {OwnerKind.DPKG: "deb", OwnerKind.APK: "apk", OwnerKind.RPM: "rpm"}
_OF_LANGUAGES = {
    OwnerKind.PYTHON: ("pypi", ""),
    OwnerKind.NPM: ("npm", "/"),
    OwnerKind.GO: ("golang", "/"),
    OwnerKind.JAVA: ("maven", ":"),
    OwnerKind.RUST: ("cargo", ""),
    OwnerKind.RUNTIME: ("generic", ""),
}
"""What a package URL calls them, and what stands between namespace and name."""
_EPOCH = re.compile(r"(\d+):(.+)", re.DOTALL)


def purl_of(package: Package, distribution: Distribution | None) -> str:
    """The package URL of `package` in an image of `distribution`; empty for what has no name."""
    owner = package.owner
    if not owner.name.strip("/@"):
        return ""
    if owner.kind in _OF_DISTRIBUTIONS:
        return _of_distribution(_OF_DISTRIBUTIONS[owner.kind], package, distribution)
    if owner.kind not in _OF_LANGUAGES:
        return ""
    kind, separator = _OF_LANGUAGES[owner.kind]
    name = owner.name
    if owner.kind is OwnerKind.PYTHON:
        name = re.sub(r"[-_.]+", "-", name).lower()
    elif owner.kind is OwnerKind.NPM:
        name = name.lower()
    namespace, _, name = name.rpartition(separator) if separator else ("", "", name)
    return _url(kind, namespace, name, owner.version)


def _of_distribution(kind: str, package: Package, distribution: Distribution | None) -> str:
    owner, version = package.owner, package.owner.version
    qualifiers: dict[str, str] = {}
    epoch = _EPOCH.fullmatch(version) if kind == "rpm" else None
    if epoch is not None:
        qualifiers["epoch"], version = epoch[1], epoch[2]
    if package.architecture:
        qualifiers["arch"] = package.architecture
    vendor = ""
    if distribution is not None:
        vendor = _VENDORS.get(distribution.id, distribution.id)
        release = distribution.version_id or distribution.codename
        qualifiers["distro"] = f"{distribution.id}-{release}" if release else distribution.id
    if package.source and (package.source, package.source_version) != (owner.name, owner.version):
        same = not package.source_version or package.source_version == owner.version
        qualifiers["upstream"] = package.source if same else f"{package.source}@{package.source_version}"
    name = owner.name if kind == "rpm" else owner.name.lower()
    return _url(kind, vendor, name, version, qualifiers)


def _url(kind: str, namespace: str, name: str, version: str, qualifiers: dict[str, str] | None = None) -> str:
    parts = [*filter(None, namespace.split("/")), name]
    url = f"pkg:{kind}/" + "/".join(map(_quoted, parts))
    if version:
        url += f"@{_quoted(version)}"
    if qualifiers:
        url += "?" + "&".join(f"{key}={_quoted(value)}" for key, value in sorted(qualifiers.items()))
    return url


def _quoted(text: str) -> str:
    # What is no UTF-8 is held as surrogates: its bytes are what is meant.
    return quote(text, safe=_SAFE, errors="surrogateescape")
