"""The files that tell of packages, with the layers between which each could be seen."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from hullmark._contents.packages.capture import largest_kept
from hullmark.model.table import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hullmark.model.filesystem import FileSystem
    from hullmark.model.owner import Owner, Package

FOREVER = 1 << 30
"""The layer that hides what is visible: none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """The layers between which something could be seen."""

    born: int
    died: int = FOREVER
    """The layer that hid it."""

    @property
    def visible(self) -> bool:
        """Whether it still can."""
        return self.died == FOREVER

    def overlaps(self, other: Span) -> bool:
        """Whether both could be seen at one time."""
        return self.born < other.died and other.born < self.died


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One state of one file that tells of packages."""

    path: str
    number: int
    span: Span
    content: bytes

    @property
    def text(self) -> str:
        """The content; bytes that are not UTF-8 as in `Entry.path`."""
        return self.content.decode("utf-8", "surrogateescape")


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What a package says is its own."""

    owner: Owner
    span: Span
    package: Package | None = None
    """`None` for one that was removed and has left files, and for what is not visible."""
    described: int = -1
    """The number of the entry that describes it, where that is a file of its own."""
    files: Iterable[str] = ()
    trees: tuple[str, ...] = ()
    """Directories of which everything is the package's that nobody else claims."""


@dataclass(slots=True, kw_only=True)
class Found:
    """What all readers fill together."""

    evidence: list[Evidence] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def span_of(system: FileSystem, number: int) -> Span:
    """The layers between which an entry could be seen."""
    born, by = system.layer_of(number), system.hidden_by[number]
    return Span(born=born, died=FOREVER if by < 0 else max(system.layer_of(by), born + 1))


def collect(system: FileSystem) -> Found:
    """Everything that was kept, and a note for each file that tells of packages and was not."""
    found = Found()
    for number in _numbers(system):
        path = system.path(number)
        largest = largest_kept(path)
        if largest is None:
            continue
        inode = system.inode(number)
        span = span_of(system, number)
        content = system.content(number)
        if content is not None:
            found.evidence.append(Evidence(path=path, number=number, span=span, content=content))
        elif span.visible and system.kinds[inode] == Kind.FILE:
            size = system.sizes[inode]
            reason = f"more than {largest} bytes" if size > largest else "its content was not kept"
            guess = _from_pnpm(path) if number != inode else None
            if guess is None:
                found.notes.append(f"{path} was not read: {reason}")
            else:
                found.evidence.append(Evidence(path=path, number=number, span=span, content=guess))
    found.evidence.sort(key=lambda each: (each.path, each.number))
    return found


def _numbers(system: FileSystem) -> Iterator[int]:
    """The entries that may tell of packages: what was kept, other names, what is too large, and known databases."""
    numbers = set(system.inodes)
    for path in ("/var/lib/dpkg/status", "/lib/apk/db/installed", "/usr/lib/apk/db/installed"):
        numbers.update({system.visible[path]} if path in system.visible else ())
    for path in ("/var/lib/rpm/rpmdb.sqlite", "/usr/lib/sysimage/rpm/rpmdb.sqlite"):
        numbers.update({system.visible[path]} if path in system.visible else ())
    for position, layer in enumerate(system.layers):
        wanted = set[str]()
        start = system.starts[position]
        end = start + len(layer.table)
        for path in layer.captured:
            number = system.visible.get(path, -1)
            if start <= number < end:
                numbers.add(number)
            else:
                wanted.add(path)
        if wanted:
            numbers.update(number for number, path in enumerate(layer.table.paths, start) if path in wanted)
        if len(layer.table) and max(layer.table.sizes) > _LARGE:
            numbers.update(number for number, size in enumerate(layer.table.sizes, start) if size > _LARGE)
    return iter(sorted(number for number in numbers if system.kinds[number] in _FILES))


_LARGE = 1 << 24
_FILES = {int(Kind.FILE), int(Kind.HARDLINK)}


def _from_pnpm(path: str) -> bytes | None:
    """A description made of where pnpm puts a package, whose files are other names of those in its store."""
    _, inside, rest = path.rpartition("/node_modules/.pnpm/")
    place, _, tail = rest.partition("/node_modules/")
    name = tail.removesuffix("/package.json")
    at = place.split("(")[0].split("_")[0]
    before, version = at.rpartition("@")[::2]
    if not inside or before.replace("+", "/") != name or not version or not _plain(version):
        return None
    return b'{"name":"%s","version":"%s"}' % (name.encode(errors="replace"), version.encode(errors="replace"))


def _plain(version: str) -> bool:
    return all(char.isalnum() or char in ".-+" for char in version)


def overlapping(span: Span, candidates: Iterable[Evidence]) -> Evidence | None:
    """The newest of the candidates that could be seen at the same time."""
    fitting = [each for each in candidates if each.span.overlaps(span)]
    return max(fitting, key=lambda each: (each.span.died, each.span.born, each.number), default=None)


def joined(claim: Claim, part_of: Owner) -> Claim:
    """The claim of a package that came in another one: its files are that one's."""
    package = None if claim.package is None else replace(claim.package, part_of=part_of)
    return replace(claim, owner=part_of, package=package, files=(), trees=())
