"""Vulnerabilities that were set aside, in whatever file, and which of these decisions still hold."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from hullmark.model.glob import fits
from hullmark.model.ignore import Stale, StaleIgnore

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Iterator, Mapping

    from packageurl import PackageURL

    from hullmark.model.location import SourceSpan
    from hullmark.model.vulnerability import Vulnerability

_OF_DISTRIBUTIONS = frozenset({"deb", "apk", "rpm"})
_OF_IMAGES = frozenset({"oci", "docker"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppression:
    """One decision to set a vulnerability aside."""

    names: frozenset[str]
    """Any name of the vulnerability will do."""
    span: SourceSpan
    """Where it stands."""
    reason: str = ""
    expires: dt.date | None = None
    """The last day on which it holds."""
    package: str | None = None
    service: str | None = None
    paths: tuple[str, ...] = ()
    """Patterns of the paths of which one must fit, unless there are none."""
    purls: tuple[str, ...] = ()
    """Package URLs of which one must fit, unless there are none."""
    product: str = ""
    """The package URL of the image that it is about, if it says one."""
    statement: bool = False
    """Whether it stands in a VEX document."""

    @property
    def id(self) -> str:
        """The name to tell it by."""
        return min(self.names)

    def covers(self, found: Vulnerability, image: str = "") -> bool:
        """Whether it is about `found`, in the image that is called so, whatever the day."""
        if self.names.isdisjoint(found.names):
            return False
        if self.service is not None and self.service != found.service:
            return False
        if self.package is not None and self.package not in _names(found):
            return False
        if self.paths and not any(fits(pattern, path) for pattern in self.paths for path in _paths(found)):
            return False
        if self.purls and not any(_same(one, other) for one in self.purls for other in _purls(found)):
            return False
        return not self.product or _is_image(self.product, image)

    def told(self) -> str:
        """Who sets it aside and why, in a few words."""
        return f"ignored by {self.span.path}:{self.span.line}" + (f": {self.reason}" if self.reason else "")


class Suppressions:
    """All decisions of a project, and which of them have covered something."""

    def __init__(self, every: Iterable[Suppression], today: dt.date) -> None:
        self._every = tuple(every)
        self._today = today
        self._covered: dict[Suppression, list[Vulnerability]] = {}

    def of(self, found: Vulnerability, image: str) -> Suppression | None:
        """What sets `found` aside today, in the image that is called so."""
        holding = None
        for each in self._every:
            if each.covers(found, image):
                # What has expired is noted all the same: it is not unused.
                self._covered.setdefault(each, []).append(found)
                if holding is None and not self._expired(each):
                    holding = each
        return holding

    def stale(self, remedies: Mapping[str, str], *, whole: bool) -> Iterator[StaleIgnore]:
        """What has to be looked at again; what is unused only when the `whole` project was looked at.

        `remedies` are what fixes vulnerabilities, by their ID.
        """
        for each in self._every:
            covered = self._covered.get(each, ())
            fixes = [remedies[found.id] for found in covered if remedies.get(found.id)]
            if self._expired(each):
                yield self._stale(each, Stale.EXPIRED, str(each.expires))
            elif not covered:
                if whole:
                    yield self._stale(each, Stale.UNUSED)
            elif fixes and not each.statement:
                yield self._stale(each, Stale.FIXABLE, fixes[0])

    def _expired(self, each: Suppression) -> bool:
        return each.expires is not None and each.expires < self._today

    @staticmethod
    def _stale(each: Suppression, why: Stale, detail: str = "") -> StaleIgnore:
        return StaleIgnore(id=each.id, why=why, span=each.span, detail=detail, statement=each.statement)


def _names(found: Vulnerability) -> set[str]:
    return {found.package, *(holder.owner.name for holder in found.holders)}


def _paths(found: Vulnerability) -> set[str]:
    paths = {found.path, *(holder.location for holder in found.holders)}
    return {path.lstrip("/") for path in paths if path}


def _purls(found: Vulnerability) -> set[str]:
    return {holder.purl for holder in found.holders if holder.purl}


@lru_cache(maxsize=1 << 12)
def parsed(purl: str) -> PackageURL | None:
    """A package URL in its parts; `None` for what is none."""
    from packageurl import PackageURL  # noqa: PLC0415  # costs a tenth of a second to load

    try:
        return PackageURL.from_string(purl)
    except ValueError:
        return None


def _same(one: str, other: str) -> bool:
    """Whether the package URL `one` means the package that `other` is the one of: type, name and version count.

    Qualifiers do not: everybody writes those of distributions differently, and a statement that matches nothing for that
    is worse than one about another architecture.
    """
    wanted, there = parsed(one), parsed(other)
    if wanted is None or there is None or wanted.type != there.type:
        return False
    # Who makes the packages of a distribution is told by the image itself.
    spaces = wanted.type in _OF_DISTRIBUTIONS or (wanted.namespace or "") == (there.namespace or "")
    names = {there.name}
    versions = {there.version}
    upstream = dict(there.qualifiers).get("upstream")
    if upstream:
        name, _, version = str(upstream).partition("@")
        names.add(name)
        versions.add(version or there.version)
    return spaces and wanted.name in names and (not wanted.version or wanted.version in versions)


def is_of_image(purl: str) -> bool:
    """Whether it names an image and no package."""
    found = parsed(purl)
    return found is not None and found.type in _OF_IMAGES


def image_name(image: str) -> str:
    """The last part of what an image is called, without tag and digest."""
    return re.sub(r"[:@][^/]*$", "", image).rpartition("/")[2]


def _is_image(purl: str, image: str) -> bool:
    found = parsed(purl)
    return found is not None and found.name == image_name(image)
