"""Software in archives of Java: what their builds wrote into them, their manifests, and what they are called.

An archive is looked into once, while its layer is read, and so are the archives in it, as those of web applications and
of programs that bring all they need have them.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from hullmark._contents.packages.zips import Allowance, BadArchive, members, unpacked

if TYPE_CHECKING:
    from collections.abc import Mapping

LARGEST = 1 << 28
"""Bytes of the largest archive that is looked into."""
KEPT = b"\0java/1\0"
"""Begins what is kept of an archive: no file that others keep whole begins like this."""
SUFFIXES = (".jar", ".war", ".ear", ".par", ".sar", ".nar", ".jpi", ".hpi")
_EVERYTHING = 1 << 28
"""Bytes that are unpacked of one archive and of all in it."""
_SMALL = 1 << 18
"""Bytes of the largest description."""
_MOST = 1 << 14
"""Archives and descriptions in one file of the image."""
_DEEPEST = 4
"""Archives in each other."""
_LONGEST = 256
"""Characters of a name or a version that are believed."""
_MANIFEST = "META-INF/MANIFEST.MF"
_POM = re.compile(r"META-INF/maven/[^/]+/[^/]+/pom\.properties")
_CALLED = re.compile(r"(?P<name>.+?)-(?P<version>\d[\w.+~-]*)")
_PLAIN = re.compile(r"[A-Za-z0-9][\w.-]*")
_VERSIONS = ("Implementation-Version", "Bundle-Version", "Specification-Version", "Plugin-Version")
_GROUPS = ("Group-Id", "Implementation-Vendor-Id")
_NAMES = (
    "Extension-Name",
    "Short-Name",
    "Implementation-Title",
    "Bundle-SymbolicName",
    "Automatic-Module-Name",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """What an archive says of itself, or of one that was put into it."""

    group: str
    name: str
    version: str
    inside: str = ""
    """Where the archive lies in the file of the image, for example `WEB-INF/lib/a.jar`, with `!/` between several."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What is kept of one archive in an image."""

    artifacts: tuple[Artifact, ...] = ()
    failed: tuple[tuple[str, str], ...] = ()
    """Archives that could not be looked into or say nothing of themselves, as `Artifact.inside`, and why."""


# Made once: msgspec crashes when several threads make the first decoder of a type at the same time.
_DECODER = msgspec.msgpack.Decoder(Contents)


class JavaCapture:
    """Keeps what is said of the software in each archive of Java."""

    name = "java/1"

    def wants(self, path: str, size: int, mode: int) -> bool:  # noqa: ARG002  # the protocol's
        """Whether the file is called like an archive of Java."""
        return size <= LARGEST and path.lower().endswith(SUFFIXES)

    def take(self, path: str, content: memoryview) -> bytes | None:
        """What is in it; nothing of files that others want."""
        if not self.wants(path, len(content), 0):
            return None
        return KEPT + msgspec.msgpack.encode(read(path, content))


def kept(data: bytes) -> Contents | None:
    """What `JavaCapture` made of a file; `None` when `data` is something else."""
    if not data.startswith(KEPT):
        return None
    try:
        return _DECODER.decode(memoryview(data)[len(KEPT) :])
    except msgspec.MsgspecError:
        return None


def read(path: str, content: memoryview) -> Contents:
    """The software in the archive at `path`, and in those in it."""
    reading = _Reading()
    reading.archive(path, content, "", 0)
    return Contents(
        artifacts=tuple(dict.fromkeys(reading.artifacts)), failed=tuple(dict.fromkeys(reading.failed))
    )


class _Reading:
    """One file of the image, with what is allowed for it and everything in it."""

    def __init__(self) -> None:
        self.artifacts: list[Artifact] = []
        self.failed: list[tuple[str, str]] = []
        self._allowance = Allowance(left=_EVERYTHING)
        self._left = _MOST

    def archive(self, name: str, content: memoryview, inside: str, depth: int) -> None:
        """Notes what is in one archive."""
        before = len(self.artifacts) + len(self.failed)
        try:
            poms, manifest = self._look(content, inside, depth)
        except BadArchive as error:
            self.failed.append((inside, str(error)))
            return
        for group, artifact, version in poms:
            self.artifacts.append(Artifact(group=group, name=artifact, version=version, inside=inside))
        own = _own(name, manifest)
        # One description is the archive's own, whatever it is called. With several in one, others were put into it.
        if own is not None and (not poms or (len(poms) > 1 and all(own[1] != pom[1] for pom in poms))):
            self.artifacts.append(Artifact(group=own[0], name=own[1], version=own[2], inside=inside))
        if len(self.artifacts) + len(self.failed) == before:
            self.failed.append((inside, "nothing in it says what it is, and in which version"))

    def _look(
        self, content: memoryview, inside: str, depth: int
    ) -> tuple[list[tuple[str, str, str]], Mapping[str, str]]:
        poms: list[tuple[str, str, str]] = []
        manifest: Mapping[str, str] = {}
        for member in members(content):
            nested = member.name.lower().endswith(SUFFIXES)
            described = member.name == _MANIFEST or _POM.fullmatch(member.name) is not None
            if not nested and not described:
                continue
            self._left -= 1
            if self._left < 0:
                raise BadArchive("more in it than is looked at")
            place = f"{inside}!/{member.name}" if inside else member.name
            try:
                largest = LARGEST if nested else _SMALL
                if nested and depth + 1 >= _DEEPEST:
                    raise BadArchive("too many archives in each other")
                plain = unpacked(content, member, self._allowance, largest)
            except BadArchive as error:
                self.failed.append((place, str(error)))
                continue
            if nested:
                self.archive(member.name, memoryview(plain), place, depth + 1)
            elif member.name == _MANIFEST:
                manifest = _attributes(plain)
            elif (pom := _coordinates(plain)) is not None:
                poms.append(pom)
        return poms, manifest


def _own(path: str, manifest: Mapping[str, str]) -> tuple[str, str, str] | None:
    """Group, name and version of an archive without a description by Maven; `None` where they cannot be told."""
    stem = posixpath.basename(path).rpartition(".")[0]
    called = _CALLED.fullmatch(stem)
    names = (manifest.get(key, "").partition(";")[0].strip() for key in _NAMES)
    said = next((name for name in names if _PLAIN.fullmatch(name)), "")
    name = called["name"] if called else stem if said.endswith(stem) else said or stem
    versions = (manifest.get(key, "").strip() for key in _VERSIONS)
    version = called["version"] if called else next(filter(None, versions), "")
    if not _PLAIN.fullmatch(name) or not version or max(len(name), len(version)) > _LONGEST:
        return None
    groups = (manifest.get(key, "").strip() for key in _GROUPS)
    group = next((group for group in groups if "." in group and _PLAIN.fullmatch(group)), "")
    return group[:_LONGEST], name, version


def _attributes(content: bytes) -> dict[str, str]:
    """The attributes of a manifest that are about all of it."""
    found: dict[str, str] = {}
    last = ""
    for line in content.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        if not line:
            break
        if line[0] == " ":
            if last:
                found[last] += line[1:]
            continue
        last, colon, value = line.partition(":")
        if colon:
            found[last] = value.strip()
        else:
            last = ""
    return found


def _coordinates(content: bytes) -> tuple[str, str, str] | None:
    """Group, name and version as Maven writes them."""
    values: dict[str, str] = {}
    for line in content.decode("utf-8", "replace").splitlines():
        key, separator, value = line.partition("=")
        if separator and not line.startswith(("#", "!")):
            values[key.strip()] = value.strip()
    group, name, version = (values.get(key, "") for key in ("groupId", "artifactId", "version"))
    fitting = all(_PLAIN.fullmatch(each) and len(each) <= _LONGEST for each in (group, name))
    return (group, name, version) if fitting and 0 < len(version) <= _LONGEST else None
