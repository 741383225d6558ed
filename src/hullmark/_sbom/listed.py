"""From what a document lists of one package to the package: by its package URL, and by what tools add to it."""

from __future__ import annotations

import contextlib
import re
from collections import Counter
from typing import TYPE_CHECKING

from packageurl import PackageURL

from hullmark._sbom.facts import PREFIX
from hullmark.model.attribution import Origin, Told
from hullmark.model.digest import DiffId
from hullmark.model.inventory import Distribution
from hullmark.model.location import SourceSpan
from hullmark.model.owner import Owner, OwnerKind, Package

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_KINDS = {
    "deb": OwnerKind.DPKG,
    "apk": OwnerKind.APK,
    "rpm": OwnerKind.RPM,
    "pypi": OwnerKind.PYTHON,
    "npm": OwnerKind.NPM,
    "golang": OwnerKind.GO,
    "maven": OwnerKind.JAVA,
    "cargo": OwnerKind.RUST,
}
_RUNTIMES = frozenset({"node", "python"})
IMAGES = frozenset({"oci", "docker"})
"""Package URLs of these kinds are of images, and not of packages in one."""
_SEPARATORS = {OwnerKind.NPM: "/", OwnerKind.GO: "/", OwnerKind.JAVA: ":"}
_SOURCE_RPM = re.compile(r"(.+)-([^-]+-[^-]+)\.(?:no)?src\.rpm")
_TRIVY = "aquasecurity:trivy:"
_LAYERS = (f"{PREFIX}layer", f"{_TRIVY}LayerDiffID", "syft:location:0:layerID")
_LOCATIONS = (f"{PREFIX}location", f"{_TRIVY}FilePath", "syft:location:0:path")


class Unlisted(ValueError):
    """It is no package that can be looked for; the text says why, for people."""


def listed(name: str, version: str, url: str, facts: Mapping[str, str], location: str = "") -> Package:
    """The package that a document calls `name`; `facts` are what it says of it beside. Raises `Unlisted`."""
    owner, qualifiers = _owner(name, version, url, facts)
    source, source_version = _source(owner, qualifiers, facts)
    layer = next((facts[key] for key in _LAYERS if key in facts), "")
    place = next((facts[key] for key in _LOCATIONS if key in facts), location)
    return Package(
        owner=owner,
        location=place,
        architecture=facts.get(f"{PREFIX}architecture", "") or qualifiers.get("arch", ""),
        source=source,
        source_version=source_version,
        maintainer=facts.get(f"{PREFIX}maintainer", ""),
        declared=facts.get(f"{PREFIX}declared") == "true",
        part_of=_named(facts.get(f"{PREFIX}part-of", "")),
        layer=_diff_id(layer),
        origin=_origin(facts),
        purl=url,
    )


def distribution_of(urls: Iterable[str]) -> Distribution | None:
    """The distribution that most package URLs name; `None` where none does."""
    named = Counter[str]()
    for url in urls:
        with contextlib.suppress(ValueError):
            qualifiers = PackageURL.from_string(url).qualifiers
            if "distro" in qualifiers:
                named[qualifiers["distro"]] += 1
    if not named:
        return None
    text = max(sorted(named), key=named.__getitem__)
    name, hyphen, release = text.rpartition("-")
    if not hyphen:
        return Distribution(id=text.lower())
    if release[0:1].isdigit():
        return Distribution(id=name.lower(), version_id=release)
    return Distribution(id=name.lower(), codename=release)


def _owner(name: str, version: str, url: str, facts: Mapping[str, str]) -> tuple[Owner, Mapping[str, str]]:
    try:
        parsed = PackageURL.from_string(url) if url else None
    except ValueError:
        raise Unlisted("its package URL cannot be read") from None
    qualifiers = parsed.qualifiers if parsed is not None and isinstance(parsed.qualifiers, dict) else {}
    said = facts.get(f"{PREFIX}kind", "")
    if said in set(OwnerKind) - {OwnerKind.DIRECTORY}:
        # Written by this tool: names and versions are as the image has them.
        return Owner(kind=OwnerKind(said), name=name, version=version), qualifiers
    if parsed is None:
        raise Unlisted("it has no package URL")
    kind = _KINDS.get(parsed.type)
    if parsed.type == "generic" and parsed.name in _RUNTIMES:
        kind = OwnerKind.RUNTIME
    if kind is None:
        raise Unlisted(f"packages of the kind `{parsed.type}` are not known")
    own = parsed.version or version
    epoch = qualifiers.get("epoch", "")
    if kind in {OwnerKind.DPKG, OwnerKind.RPM} and epoch.isdecimal() and int(epoch) and ":" not in own:
        own = f"{epoch}:{own}"
    separator = _SEPARATORS.get(kind, "")
    prefix = f"{parsed.namespace}{separator}" if parsed.namespace and separator else ""
    return Owner(kind=kind, name=f"{prefix}{parsed.name}", version=own), qualifiers


def _source(owner: Owner, qualifiers: Mapping[str, str], facts: Mapping[str, str]) -> tuple[str, str]:
    """Name and version of the source package, for packages of distributions."""
    if not owner.kind.distribution:
        return facts.get(f"{PREFIX}source", ""), facts.get(f"{PREFIX}source-version", "")
    if f"{PREFIX}source" in facts:
        return facts[f"{PREFIX}source"], facts.get(f"{PREFIX}source-version", "")
    if f"{_TRIVY}SrcName" in facts:
        version = facts.get(f"{_TRIVY}SrcVersion", "")
        release, epoch = facts.get(f"{_TRIVY}SrcRelease", ""), facts.get(f"{_TRIVY}SrcEpoch", "0")
        version += f"-{release}" if release else ""
        version = f"{epoch}:{version}" if epoch not in {"", "0"} else version
        return facts[f"{_TRIVY}SrcName"], version or owner.version
    upstream = qualifiers.get("upstream", "")
    package = _SOURCE_RPM.fullmatch(upstream) if owner.kind is OwnerKind.RPM else None
    if package is not None:
        epoch = owner.version.partition(":")[0] + ":" if ":" in owner.version else ""
        return package[1], f"{epoch}{package[2]}"
    name, _, version = upstream.partition("@")
    return name or owner.name, version or owner.version


def _origin(facts: Mapping[str, str]) -> Origin | None:
    told = facts.get(f"{PREFIX}origin", "")
    if told not in set(Told):
        return None
    path, _, line = facts.get(f"{PREFIX}dockerfile", "").rpartition(":")
    origin = Origin(
        told=Told(told),
        text=facts.get(f"{PREFIX}instruction", "") or facts.get(f"{PREFIX}step", ""),
        stage=facts.get(f"{PREFIX}stage", ""),
        base=facts.get(f"{PREFIX}base", ""),
        span=SourceSpan(path=path, line=int(line)) if path and line.isdecimal() and len(line) < 10 else None,  # noqa: PLR2004  # no file is longer
    )
    copied = facts.get(f"{PREFIX}copied-by", "")
    return Origin(told=Told.COPY, text=copied, source=origin) if copied else origin


def _named(text: str) -> Owner | None:
    kind, colon, rest = text.partition(":")
    name, at, version = rest.rpartition("@")
    if not colon or not at or kind not in set(OwnerKind):
        return None
    return Owner(kind=OwnerKind(kind), name=name, version=version)


def _diff_id(text: str) -> DiffId | None:
    try:
        return DiffId.parse(text)
    except ValueError:
        return None
