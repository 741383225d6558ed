"""Node.js packages that are required and do not resolve, by the rules by which Node.js itself looks for them."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from hullmark._contents.packages.npm import installed
from hullmark.model.dependency import Certainty, Missing, Problem
from hullmark.model.owner import OwnerKind
from hullmark.model.table import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hullmark.model.filesystem import FileSystem
    from hullmark.model.owner import Ownership

_FILE = "/package.json"
_INSIDE = "/node_modules"
_CONDITIONS = frozenset({"node", "require", "import", "default", "module", "module-sync", "production"})
# Where Debian's Node.js looks besides.
_GLOBAL = ("/usr/share/nodejs", "/usr/lib/nodejs", "/usr/local/lib/node_modules", "/usr/lib/node_modules")
_ENDINGS = ("", ".js", ".json", ".node", "/index.js", "/index.json", "/index.node")
_INDEXES = ("index.js", "index.json", "index.node")
_DEEPEST = 256
"""Directories upwards in which a package is looked for, and conditions of `exports` that are followed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Manifest:
    path: str
    directory: str
    document: Mapping[str, Any]
    application: bool
    """Whether it is nobody's package, and so the application's own."""

    @property
    def name(self) -> str:
        name = self.document.get("name")
        return name if isinstance(name, str) and name else self.directory

    def table(self, key: str) -> Mapping[str, Any]:
        value = self.document.get(key)
        return value if isinstance(value, dict) else {}


def missing_modules(
    files: FileSystem, ownership: Ownership, environment: Mapping[str, str]
) -> Iterator[Missing]:
    """What packages and applications require and Node.js would not find."""
    manifests = {each.directory: each for each in _manifests(files, ownership)}
    resolver = _Resolver(files, environment)
    applications = [each.directory for each in manifests.values() if each.application]
    for manifest in manifests.values():
        optional = manifest.table("optionalDependencies")
        certainty = (
            _of_application(manifest, applications, resolver) if manifest.application else Certainty.LIKELY
        )
        needs = {name: certainty for name in manifest.table("dependencies") if name not in optional}
        if not manifest.application:
            needs |= {
                name: Certainty.POSSIBLE
                for name in manifest.table("peerDependencies")
                if name not in needs and name not in optional and not _is_optional(manifest, name)
            }
        for name, sure in needs.items():
            place = resolver.find(name, manifest.directory)
            wanted = {**manifest.table("peerDependencies"), **manifest.table("dependencies")}
            if place is None:
                yield Missing(
                    problem=Problem.NOT_INSTALLED,
                    kind="npm",
                    path=manifest.path,
                    name=name,
                    by=manifest.name,
                    expected=str(wanted.get(name, "")),
                    certainty=sure,
                )
                continue
            entry = _lost_entry(files, place, manifests.get(place))
            if entry is not None:
                yield Missing(
                    problem=Problem.UNRESOLVED,
                    kind="npm",
                    path=f"{place}{_FILE}",
                    name=name,
                    by=manifest.name,
                    expected=entry,
                    certainty=sure,
                )


def _manifests(files: FileSystem, ownership: Ownership) -> Iterator[_Manifest]:
    for path, number in files.visible.items():
        if not path.endswith(_FILE):
            continue
        content = files.content(number)
        directory = path.removesuffix(_FILE)
        inside = f"{_INSIDE}/" in path
        owner = ownership.of(files.inode(number))
        if content is None or (inside and not installed(directory)) or (owner and owner.kind.distribution):
            continue
        try:
            document = msgspec.json.decode(content.removeprefix(b"\xef\xbb\xbf"))
        except (msgspec.MsgspecError, ValueError, RecursionError):
            continue  # whoever reads packages has said so
        if isinstance(document, dict) and (inside or owner is None or owner.kind is OwnerKind.DIRECTORY):
            yield _Manifest(path=path, directory=directory, document=document, application=not inside)


def _is_optional(manifest: _Manifest, name: str) -> bool:
    entry = manifest.table("peerDependenciesMeta").get(name)
    return isinstance(entry, dict) and entry.get("optional") is True


def _of_application(manifest: _Manifest, applications: list[str], resolver: _Resolver) -> Certainty:
    """How sure it is that an application runs from where its packages should be."""
    if resolver.is_directory(f"{manifest.directory}{_INSIDE}"):
        return Certainty.CERTAIN
    above = any(
        other != manifest.directory and manifest.directory.startswith(f"{other}/") for other in applications
    )
    # A part or an example of another application; or one that was bundled into one file and needs nothing.
    return Certainty.POSSIBLE if above or not resolver.any_above(manifest.directory) else Certainty.CERTAIN


class _Resolver:
    """Looks for packages in the `node_modules` of every directory upwards, as `require` does."""

    def __init__(self, files: FileSystem, environment: Mapping[str, str]) -> None:
        self._files = files
        self._places: dict[str, str | None] = {}
        named = [part for part in environment.get("NODE_PATH", "").split(":") if part.startswith("/")]
        self._global = (*named, *_GLOBAL)

    def find(self, name: str, directory: str) -> str | None:
        """The directory of the package, without symbolic links."""
        if not name or name.startswith((".", "/")) or ".." in name.split("/"):
            return directory  # no name of a package: nobody can look for it
        for above in _upwards(directory):
            place = self._directory(f"{above}{_INSIDE}/{name}")
            if place is not None:
                return place
        return next(
            (place for base in self._global if (place := self._directory(f"{base}/{name}")) is not None), None
        )

    def is_directory(self, path: str) -> bool:
        """Whether there is a directory, through symbolic links."""
        return self._directory(path) is not None

    def any_above(self, directory: str) -> bool:
        """Whether a `node_modules` is anywhere above."""
        return any(self.is_directory(f"{above}{_INSIDE}") for above in _upwards(directory))

    def _directory(self, path: str) -> str | None:
        if path not in self._places:
            real = self._files.resolve(path)
            self._places[path] = (
                real if real is not None and self._files.kind(real) is Kind.DIRECTORY else None
            )
        return self._places[path]


def _upwards(directory: str) -> Iterator[str]:
    for _ in range(_DEEPEST):
        if not directory.endswith(_INSIDE):
            yield directory
        if not directory:
            return
        directory = directory[: directory.rfind("/")]


def _lost_entry(files: FileSystem, place: str, manifest: _Manifest | None) -> str | None:
    """The file by which the package says that it is entered, where that file is not there; else `None`."""
    if manifest is None:
        # Without a description, or one that was not kept, the index is the entry; data needs none.
        gone = f"{place}{_FILE}" not in files.visible and not any(
            _exists(files, f"{place}/{index}") for index in _INDEXES
        )
        return f"{place}{_FILE}" if gone and not any(files.listing(place)) else None
    exports = manifest.document.get("exports")
    if exports is not None:
        targets = list(_targets(_main_export(exports), 0))
        if not targets or any(_exists(files, _inside(place, target)) for target in targets):
            return None
        return _inside(place, targets[0])
    main = manifest.document.get("main")
    if not isinstance(main, str) or not main.strip("./"):
        return None  # a package without an entry: types, data or a program
    path = _inside(place, main)
    if any(_exists(files, f"{path.rstrip('/')}{ending}") for ending in _ENDINGS) or any(
        _exists(files, f"{place}/{index}") for index in _INDEXES
    ):
        return None
    types = manifest.document.get("types") or manifest.document.get("typings")
    return None if isinstance(types, str) and _exists(files, _inside(place, types)) else path


def _main_export(exports: object) -> object:
    """What `exports` says of the package itself; the short form says only that."""
    if isinstance(exports, dict) and any(str(key).startswith(".") for key in exports):
        return exports.get(".")
    return exports


def _targets(value: object, depth: int) -> Iterator[str]:
    """Every file that a condition of Node.js leads to."""
    if depth > _DEEPEST:
        return
    match value:
        case str():
            yield value
        case list():
            for each in value:
                yield from _targets(each, depth + 1)
        case dict():
            for condition, each in value.items():
                if condition in _CONDITIONS:
                    yield from _targets(each, depth + 1)
        case _:
            pass


def _inside(place: str, path: str) -> str:
    return posixpath.normpath(f"{place}/{path}")


def _exists(files: FileSystem, path: str) -> bool:
    real = files.resolve(path)
    return real is not None and files.kind(real) is Kind.FILE
