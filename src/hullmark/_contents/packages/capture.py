"""What is kept of a layer to know its packages: the databases, and what describes and lists each package."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hullmark._contents.distribution import LARGEST as LARGEST_RELEASE
from hullmark._contents.distribution import PLACES

if TYPE_CHECKING:
    from hullmark.model.image import Capture

LARGEST = 1 << 24
"""Bytes of the largest file that is kept; larger ones are named in `Ownership.notes`."""
LARGEST_DATABASE = 1 << 27
"""The same for databases that hold all packages of a distribution."""

_ENDS = (
    *("/package.json", "/RECORD", "/METADATA", "/PKG-INFO", ".egg-info", ".txt", "/pyproject.toml"),
    *(".list", ".md5sums", "/status", "/diversions", "/installed", "/rpmdb.sqlite", "/os-release"),
)
_DISTROLESS = "/var/lib/dpkg/status.d/"
_DATABASES = re.compile(
    r"/var/lib/dpkg/(?:status|diversions|status\.d/[^/]+)"
    r"|/(?:usr/)?lib/apk/db/installed"
    r"|/(?:var/lib|usr/lib/sysimage)/rpm/rpmdb\.sqlite"
)
_OTHERS = re.compile(
    r".*(?:"
    r"/package\.json"
    r"|\.dist-info/(?:RECORD|METADATA|top_level\.txt)"
    r"|\.egg-info(?:/(?:PKG-INFO|requires\.txt|top_level\.txt|installed-files\.txt))?"
    r"|/pyproject\.toml|/[^/]*requirements[^/]*\.txt|/requirements/[^/]+\.txt"
    r")|/var/lib/dpkg/info/[^/]+\.(?:list|md5sums)",
    re.DOTALL,
)
_DESCRIPTIONS = ("/METADATA", "/PKG-INFO", ".egg-info")


class PackageCapture:
    """Keeps what `hullmark._contents.owners` reads, and what names the distribution."""

    name = "packages/2"

    def wants(self, path: str, size: int, mode: int) -> bool:  # noqa: ARG002  # the protocol's
        """Whether the file describes or lists packages, and is not larger than such files are."""
        # Nearly all files are none, and are told by their end at once.
        if not path.endswith(_ENDS) and _DISTROLESS not in path:
            return False
        if path in PLACES:
            return size <= LARGEST_RELEASE
        largest = largest_kept(path)
        return largest is not None and size <= largest

    def take(self, path: str, content: memoryview) -> bytes | None:
        """The whole file; of a description of Python software only its head, without the text that follows."""
        if path in PLACES:
            return bytes(content) if len(content) <= LARGEST_RELEASE else None
        if largest_kept(path) is None:
            return None
        kept = bytes(content)
        if path.endswith(_DESCRIPTIONS):
            kept = re.split(rb"\r?\n\r?\n", kept, maxsplit=1)[0]
        return kept


def largest_kept(path: str) -> int | None:
    """Bytes up to which the file at `path` is kept; `None` for a file that tells nothing of packages."""
    if _DATABASES.fullmatch(path):
        return LARGEST_DATABASE
    return LARGEST if _OTHERS.fullmatch(path) else None


class Combined:
    """Several captures as one: a file is offered to each in turn, and the first that keeps something has it."""

    def __init__(self, *captures: Capture) -> None:
        self._captures = captures
        self.name = " ".join(capture.name for capture in captures)

    def wants(self, path: str, size: int, mode: int) -> bool:
        """Whether one of them wants the file."""
        return any(capture.wants(path, size, mode) for capture in self._captures)

    def take(self, path: str, content: memoryview) -> bytes | None:
        """What the first of them keeps that keeps something."""
        for capture in self._captures:
            kept = capture.take(path, content)
            if kept is not None:
                return kept
        return None
