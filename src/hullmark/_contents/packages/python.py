"""Python distributions: wheels (`.dist-info`) and the older eggs, wherever modules lie, and why each is there."""

from __future__ import annotations

import csv
import posixpath
import re
from functools import lru_cache
from typing import TYPE_CHECKING

from hullmark._contents.packages.evidence import Claim, overlapping
from hullmark._contents.packages.python_markers import ASSUMED, marker_environment, normal
from hullmark._contents.packages.requirements import reach
from hullmark.model.owner import Owner, OwnerKind, Package

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from hullmark._contents.packages.evidence import Evidence, Found
    from hullmark._contents.packages.requirements import Reached
    from hullmark.model.filesystem import FileSystem

_PLACE = re.compile(r"((.*)/([^/]+)\.(dist|egg)-info)(?:/([^/]+))?", re.DOTALL)
_NAME_OF_DIRECTORY = re.compile(r"(.+?)-(\d[^-]*)(?:-.*)?")
_SIMPLE = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[([^\]]*)\])?[^;@\[]*")
_EXTRA_ONLY = re.compile(r"""\s*extra\s*==\s*["']([^"']+)["']\s*""")
_VERSION = re.compile(r"/(?:python|pypy)(\d+\.\d+)(?:/|$)")
_INSTALLERS = frozenset({"pip", "setuptools", "wheel", "uv"})


def read(found: Found, system: FileSystem) -> Iterator[Claim]:
    """What every distribution claims, those that lie deeper later: they may have come in another one."""
    places: dict[str, dict[str, list[Evidence]]] = {}
    for each in found.evidence:
        match = _PLACE.fullmatch(each.path)
        if match:
            places.setdefault(match[1], {}).setdefault(match[5] or "", []).append(each)
    for place in sorted(places, key=lambda path: (path.count("/"), path)):
        files = places[place]
        for name in ("METADATA", "PKG-INFO", ""):
            for each in files.get(name, ()):
                yield _distribution(place, each, files, found.notes, system)
        if not files.keys() & {"METADATA", "PKG-INFO", ""} and any(
            each.span.visible for each in files.get("RECORD", ())
        ):
            found.notes.append(f"{place} has a RECORD and no METADATA")


def _distribution(
    place: str,
    description: Evidence,
    files: Mapping[str, list[Evidence]],
    notes: list[str],
    system: FileSystem,
) -> Claim:
    fields = _fields(description.text)
    stem = posixpath.basename(place).rpartition(".")[0]
    named = _NAME_OF_DIRECTORY.fullmatch(stem)
    name = (fields.get("name") or [named[1] if named else stem])[0]
    version = (fields.get("version") or [named[2] if named else ""])[0]
    if description.span.visible and not (fields.get("name") and fields.get("version")):
        notes.append(f"{description.path} does not say the name and version of its distribution")
    site = posixpath.dirname(place)
    owner = Owner(kind=OwnerKind.PYTHON, name=name, version=version)
    requires = fields.get("requires-dist", [])
    older = overlapping(description.span, files.get("requires.txt", ()))
    if not requires and older is not None:
        requires = list(_sections(older.text))
    listed, trees = list[str](), tuple[str, ...]()
    record = overlapping(description.span, files.get("RECORD", ()))
    installed = overlapping(description.span, files.get("installed-files.txt", ()))
    if record is not None:
        listed = list(_recorded(record, site, notes))
    elif installed is not None:
        listed = [_joined(place, line.strip()) for line in installed.text.split("\n") if line.strip()]
    else:
        tops = overlapping(description.span, files.get("top_level.txt", ()))
        modules = tops.text.split() if tops is not None else [normal(name).replace("-", "_")]
        modules = [module for module in modules if "/" not in module and module not in {".", ".."}]
        trees = (place, *(f"{site}/{module}" for module in modules))
        listed = [place, *(f"{site}/{module}.py" for module in modules)]
    package = Package(
        owner=owner,
        location=description.path,
        directory=site or "/",
        requires=tuple(requires),
        maintainer=(
            fields.get("maintainer-email") or fields.get("author-email") or fields.get("author") or [""]
        )[0],
        declared=f"{place}/REQUESTED" in system.visible,
    )
    return Claim(
        owner=owner,
        span=description.span,
        package=package if description.span.visible else None,
        described=description.number,
        files=listed,
        trees=trees,
    )


def _fields(text: str) -> dict[str, list[str]]:
    """The head of a description, by name in lower case."""
    fields: dict[str, list[str]] = {}
    last: list[str] | None = None
    for line in text.split("\n"):
        line = line.rstrip("\r")  # noqa: PLW2901  # as on Windows
        if not line:
            break
        if line[0] in " \t":
            if last:
                last[-1] += f" {line.strip()}"
            continue
        name, colon, value = line.partition(":")
        if colon:
            last = fields.setdefault(name.strip().lower(), [])
            last.append(value.strip())
    return fields


def _sections(text: str) -> Iterator[str]:
    """The requirements of an egg, whose extras and markers are section titles, as those of a wheel."""
    condition = ""
    for line in text.split("\n"):
        stripped = line.strip()
        if stripped.startswith("["):
            extra, _, marker = stripped.strip("[]").partition(":")
            parts = [f'extra == "{extra}"'] if extra else []
            condition = " and ".join([*(f"({each})" for each in [marker] if each), *parts])
        elif stripped and not stripped.startswith("#"):
            yield f"{stripped}; {condition}" if condition else stripped


def _recorded(record: Evidence, site: str, notes: list[str]) -> Iterator[str]:
    """The paths that a RECORD lists; lines without quotes, which are nearly all, are not worth a CSV reader."""
    broken = 0
    for line in record.text.split("\n"):
        if not line or line == "\r":
            continue
        if line[0] == '"':
            try:
                path = next(csv.reader([line]))[0]
            except (csv.Error, StopIteration, IndexError):
                broken += 1
                continue
        else:
            path, comma, _ = line.partition(",")
            if not comma:
                broken += 1
                continue
        yield _joined(site, path)
    if broken and record.span.visible:
        notes.append(f"{record.path} has {broken} lines that name no file")


def _joined(directory: str, path: str) -> str:
    if path.startswith("/"):
        return posixpath.normpath(path)
    joined = f"{directory}/{path}"
    return posixpath.normpath(joined) if "./" in path or "//" in path else joined


class Environment:
    """The distributions that see each other, and the Python that runs them."""

    def __init__(self, root: str, packages: list[Package], version: str, machine: str) -> None:
        self.root = root
        self.packages = packages
        self._version = version
        self._machine = machine
        self._by_name = dict[str, int]()
        for index, package in enumerate(packages):
            self._by_name.setdefault(normal(package.owner.name), index)
        self._holds = lru_cache(maxsize=None)(self._evaluate)
        self._requirements = [[*map(_split, package.requires)] for package in packages]

    def find(self, name: str) -> int | None:
        """The position of the distribution called `name`, however it is written."""
        return self._by_name.get(normal(name))

    def requirements(self, index: int, extra: str) -> Iterator[tuple[int, frozenset[str]]]:
        """What a distribution requires when it is wanted with `extra`, as far as it is there, each with its extras.

        With an empty `extra`: what it requires anyway.
        """
        for name, extras, marker in self._requirements[index]:
            there = self.find(name) if name else None
            if (
                there is not None
                and self._holds(marker, extra)
                and (not extra or not self._holds(marker, ""))
            ):
                yield there, extras

    def extras(self, index: int) -> list[str]:
        """The extras that a distribution's requirements speak of."""
        found = {match for _, _, marker in self._requirements[index] for match in _extras_in(marker)}
        return sorted(found)

    def _evaluate(self, marker: str, extra: str) -> bool:
        if not marker:
            return True
        only = _EXTRA_ONLY.fullmatch(marker)
        if only:
            return normal(only[1]) == extra
        from packaging.markers import InvalidMarker, Marker, UndefinedComparison, UndefinedEnvironmentName  # noqa: PLC0415  # costs time to import

        try:
            return Marker(marker).evaluate(marker_environment(self._version, self._machine, extra))
        except (InvalidMarker, UndefinedComparison, UndefinedEnvironmentName, RecursionError):
            return False


def _extras_in(marker: str) -> list[str]:
    return [normal(name) for name in re.findall(r"""extra\s*==\s*["']([^"']+)["']""", marker)]


def _split(text: str) -> tuple[str, frozenset[str], str]:
    """Name, extras and marker of a requirement; an empty name for what is none."""
    requirement, _, marker = text.partition(";")
    if "@" in requirement and " ;" in text:
        requirement, _, marker = text.partition(" ;")  # an address may hold a semicolon
    match = _SIMPLE.match(requirement)
    if match is None:
        return "", frozenset(), ""
    extras = frozenset(normal(extra.strip()) for extra in (match[2] or "").split(",") if extra.strip())
    return match[1], extras, marker.strip()


def explain(
    packages: list[Package], found: Found, owned: set[str], system: FileSystem, machine: str
) -> dict[str, tuple[bool, tuple[str, ...]]]:
    """By location of a distribution: whether it is declared, and the way of requirements to it."""
    declared = list(_declarations(found, owned))
    explained: dict[str, tuple[bool, tuple[str, ...]]] = {}
    for environment in _environments(packages, found.notes, system, machine):
        for index, reached in enumerate(_reach(environment, declared)):
            package = environment.packages[index]
            explained[package.location] = (reached.declared, reached.way)
    return explained


def _environments(
    packages: list[Package], notes: list[str], system: FileSystem, machine: str
) -> Iterator[Environment]:
    groups: dict[str, list[Package]] = {}
    for package in packages:
        groups.setdefault(_root(package.directory, system), []).append(package)
    lib = sorted(system.listing("/usr/lib")) + sorted(system.listing("/usr/local/lib"))
    versions = [match[1] for path in lib if (match := _VERSION.search(f"{path}/"))]
    for root, members in sorted(groups.items()):
        own = [match[1] for package in members if (match := _VERSION.search(package.directory))]
        version = (own or versions or [""])[0]
        if not version and any(";" in each for package in members for each in package.requires):
            notes.append(
                f"which Python runs what lies in {root} is not known; markers were read for {ASSUMED}"
            )
        yield Environment(root, members, version or ASSUMED, machine)


def _root(site: str, system: FileSystem) -> str:
    """What names the environment: of a virtual one its directory; all of `/usr` is one; else the directory itself."""
    for above in (posixpath.dirname(posixpath.dirname(posixpath.dirname(site))),):
        if f"{above.rstrip('/')}/pyvenv.cfg" in system.visible:
            return above
    return "/usr" if site.startswith("/usr/") and ("-packages" in site or _VERSION.search(site)) else site


def _reach(environment: Environment, declarations: list[str]) -> list[Reached]:
    """The way to each distribution; nodes are distributions without extra and with one."""
    count = len(environment.packages)
    declared = dict[int, set[str]]()
    for text in declarations:
        name, extras, _ = _split(text)
        index = environment.find(name) if name else None
        if index is not None:
            declared.setdefault(index, set()).update(extras)
    requested = {index for index, package in enumerate(environment.packages) if package.declared}

    def onwards(node: tuple[int, str]) -> Iterator[tuple[int, str]]:
        index, extra = node
        for there, extras in environment.requirements(index, extra):
            yield there, ""
            for each in sorted(extras):
                yield there, each

    def label(node: tuple[int, str]) -> str:
        name = environment.packages[node[0]].owner.name
        return f"{name}[{node[1]}]" if node[1] else name

    named = {*declared, *requested}
    # A list that was locked names everything, and so says nothing of why.
    if all(
        index in named or package.part_of is not None or normal(package.owner.name) in _INSTALLERS
        for index, package in enumerate(environment.packages)
    ):
        requested = set()
        roots = list[tuple[int, str]]()
    else:
        roots = [(index, "") for index in sorted(named)]
    roots += [(index, extra) for index in sorted(declared) for extra in sorted(declared[index])]
    # Where the installer wrote down what was asked for, whatever else is there came with an extra, if one fits.
    options = (
        [(index, extra) for index in range(count) for extra in environment.extras(index)] if requested else []
    )
    return reach(
        count,
        roots=roots,
        everything=[(index, "") for index in range(count)],
        onwards=onwards,
        options=options,
        label=label,
        declared=named,
    )


def _declarations(found: Found, owned: set[str]) -> Iterator[str]:
    """What the application's own files ask for."""
    for each in found.evidence:
        if not each.span.visible or each.path in owned:
            continue
        if each.path.endswith("/pyproject.toml"):
            yield from _project(each, found.notes)
        elif each.path.endswith(".txt") and "requirements" in each.path and "-info/" not in each.path:
            for line in each.text.replace("\\\n", " ").split("\n"):
                stripped = line.split(" #")[0].strip()
                if stripped and stripped[0] not in "#-":
                    yield stripped


def _project(file: Evidence, notes: list[str]) -> Iterator[str]:
    import tomllib  # noqa: PLC0415  # few images need it

    try:
        document = tomllib.loads(file.content.decode())
    except (ValueError, RecursionError) as error:
        notes.append(f"{file.path} is no TOML: {str(error)[:100]}")
        return
    project = document.get("project")
    if isinstance(project, dict):
        yield from _texts(project.get("dependencies"))
        optional = project.get("optional-dependencies")
        for each in optional.values() if isinstance(optional, dict) else ():
            yield from _texts(each)
    groups = document.get("dependency-groups")
    for each in groups.values() if isinstance(groups, dict) else ():
        yield from _texts(each)
    tool = document.get("tool")
    poetry = tool.get("poetry") if isinstance(tool, dict) else None
    dependencies = poetry.get("dependencies") if isinstance(poetry, dict) else None
    yield from (name for name in dependencies or () if isinstance(dependencies, dict) and name != "python")


def _texts(value: object) -> Iterable[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []
