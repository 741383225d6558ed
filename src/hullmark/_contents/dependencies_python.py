"""Python distributions that are required and not there, there in another version, or there without their files."""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from hullmark._contents.packages.python_markers import ASSUMED, marker_environment, normal
from hullmark._contents.reclaim import waste_of
from hullmark.model.dependency import Certainty, Missing, Problem
from hullmark.model.owner import OwnerKind
from hullmark.model.table import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from packaging.requirements import Requirement

    from hullmark.model.filesystem import FileSystem
    from hullmark.model.owner import Ownership, Package

_VERSION = re.compile(r"/(?:python|pypy)(\d+\.\d+)/")
_DEVELOPMENT = re.compile(r"(?:^|[-_./])(?:dev|develop|test|tests|testing|docs?|lint|build|ci)(?:[-_./]|$)")
_OPTION = re.compile(r"\s--?[a-z].*$")
_MACHINES = {"amd64": "x86_64", "arm64": "aarch64", "386": "i686", "arm": "armv7l"}
_SYSTEM = ("/usr/lib/", "/usr/local/lib/")
_INSTALLERS = frozenset({"pip", "setuptools", "wheel", "distribute"})
_RUN_BY_NOBODY = (".pyi", ".c", ".cpp", ".cc", ".pyx", ".f90", ".md", ".rst", ".txt", ".typed", ".html")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Environment:
    """Distributions that see each other."""

    root: str
    packages: dict[str, Package] = field(default_factory=dict)
    """By normalised name."""
    sites: set[str] = field(default_factory=set)
    """Directories that modules lie in."""
    version: str = ASSUMED


def missing_distributions(
    files: FileSystem,
    ownership: Ownership,
    *,
    declared: Iterable[tuple[str, str]] = (),
    platform: str = "linux/amd64",
) -> Iterator[Missing]:
    """What distributions and the application require and do not find, and what lost its files."""
    packages = [
        package
        for package in ownership.packages
        # What a distribution has vendored is its own business.
        if package.owner.kind is OwnerKind.PYTHON
        and (package.part_of is None or package.part_of.kind.distribution)
    ]
    environments = list(_environments(files, packages))
    machine = _MACHINES.get(platform.partition("/")[2].partition("/")[0], "x86_64")
    for environment in environments:
        for package in environment.packages.values():
            yield from _incomplete(files, package)
            if package.part_of is None:
                yield from _unmet(files, package, environment, environments, machine)
    for path, text in (*_declarations(files, ownership), *declared):
        found = _undeclared(path, text, environments, machine)
        if found is not None:
            yield found


def _environments(files: FileSystem, packages: list[Package]) -> Iterator[_Environment]:
    groups: dict[str, list[Package]] = defaultdict(list)
    for package in packages:
        groups[_root(files, package.directory)].append(package)
    system = groups.get("/usr", [])
    for root, members in sorted(groups.items()):
        seen = [*members, *system] if _sees_the_system(files, root) else members
        found = [match[1] for package in members if (match := _VERSION.search(f"{package.directory}/"))]
        environment = _Environment(root=root, version=found[0] if found else _python(files))
        for package in seen:
            environment.packages.setdefault(normal(package.owner.name), package)
            environment.sites.add(package.directory)
        yield environment


def _python(files: FileSystem) -> str:
    """The version of the Python of the image."""
    for directory in _SYSTEM:
        for path in sorted(files.listing(directory)):
            match = _VERSION.search(f"{path}/")
            if match:
                return match[1]
    return ASSUMED


def _root(files: FileSystem, site: str) -> str:
    above = site
    for _ in range(4):
        above = posixpath.dirname(above)
        if f"{above.rstrip('/')}/pyvenv.cfg" in files.visible:
            return above
    return "/usr" if site.startswith(_SYSTEM) else site


def _sees_the_system(files: FileSystem, root: str) -> bool:
    """Whether a virtual environment was made with the packages of the system; no other place is known to."""
    content = files.captured(f"{root}/pyvenv.cfg") or b""
    return bool(re.search(rb"(?im)^include-system-site-packages\s*=\s*true", content))


def _incomplete(files: FileSystem, package: Package) -> Iterator[Missing]:
    """What a distribution was installed with and no longer has."""
    record = files.captured(posixpath.join(posixpath.dirname(package.location), "RECORD"))
    if record is None or not package.location.endswith(".dist-info/METADATA"):
        return
    there: dict[str, bool] = {}
    gone: dict[Certainty, list[str]] = defaultdict(list)
    for line in record.decode("utf-8", "surrogateescape").splitlines():
        name = line[1:].partition('"')[0] if line.startswith('"') else line.partition(",")[0]
        path = posixpath.normpath(posixpath.join(package.directory, name))
        if not _is_needed(name, path):
            continue
        top = name.partition("/")[0]
        exists = _exists(files, path)
        there[top] = there.get(top, False) or exists
        if not exists:
            gone[_weight(name)].append(path)
    lost = [top for top, some in there.items() if not some]
    for top in lost:
        yield Missing(
            problem=Problem.INCOMPLETE,
            kind="python",
            path=package.location,
            name=package.owner.name,
            expected=posixpath.join(package.directory, top),
            certainty=Certainty.CERTAIN if package.part_of is None else Certainty.LIKELY,
        )
    if package.part_of is not None:
        return  # the distribution's packagers move files about
    beginnings = tuple(posixpath.join(package.directory, top) for top in lost)
    for certainty, paths in gone.items():
        others = [path for path in paths if not beginnings or not path.startswith(beginnings)]
        if others:
            yield Missing(
                problem=Problem.INCOMPLETE,
                kind="python",
                path=package.location,
                name=package.owner.name,
                expected=others[0] if len(others) == 1 else f"{others[0]} and {len(others) - 1} more",
                certainty=certainty,
            )


def _is_needed(name: str, path: str) -> bool:
    """Whether a file that a RECORD lists is a part of a module."""
    if not name or name.startswith(("../", "/")) or ".dist-info/" in name or ".data/" in name:
        return False
    return waste_of(path) is None and not name.endswith(_RUN_BY_NOBODY)


def _weight(name: str) -> Certainty:
    """How sure it is that a distribution fails without this file."""
    if re.search(r"\.so(?:\.[\d.]+)?$", name) or (name.count("/") <= 1 and name.endswith("__init__.py")):
        return Certainty.CERTAIN
    return Certainty.LIKELY if name.endswith(".py") else Certainty.POSSIBLE


def _exists(files: FileSystem, path: str) -> bool:
    """Whether a file is there, or what it was compiled to takes its place."""
    if files.kind(path) is Kind.FILE or (path not in files.visible and files.resolve(path) is not None):
        return True
    if files.kind(path) is Kind.SYMLINK:
        return files.resolve(path) is not None
    return path.endswith(".py") and f"{path}c" in files.visible


def _unmet(
    files: FileSystem,
    package: Package,
    environment: _Environment,
    others: list[_Environment],
    machine: str,
) -> Iterator[Missing]:
    """Requirements of a distribution that its environment does not meet; extras are not looked at."""
    for text in package.requires:
        requirement = _requirement(text)
        if requirement is None or not _holds(requirement, environment.version, machine):
            continue
        name = normal(requirement.name)
        there = environment.packages.get(name)
        if there is not None:
            if not _allows(requirement, there.owner.version):
                yield Missing(
                    problem=Problem.WRONG_VERSION,
                    kind="python",
                    path=package.location,
                    name=requirement.name,
                    by=package.owner.name,
                    expected=str(requirement.specifier),
                    seen=there.owner.version,
                    certainty=Certainty.LIKELY,
                )
            continue
        module = _module(files, environment, name)
        yield Missing(
            problem=Problem.NOT_INSTALLED if module is None else Problem.INCOMPLETE,
            kind="python",
            path=package.location,
            name=requirement.name,
            by=package.owner.name,
            expected=str(requirement.specifier) if module is None else f"metadata beside {module}",
            certainty=_sure(name, module, others),
        )


def _sure(name: str, module: str | None, others: list[_Environment]) -> Certainty:
    if name in _INSTALLERS or any(name in other.packages for other in others):
        return Certainty.POSSIBLE  # often required and rarely used; or found by way of PYTHONPATH
    return Certainty.CERTAIN if module is None else Certainty.LIKELY


def _module(files: FileSystem, environment: _Environment, name: str) -> str | None:
    """Where the module of a distribution lies whose metadata is gone, if it is called like it."""
    wanted = name.replace("-", "_")
    for site in sorted(environment.sites):
        for path in (f"{site}/{wanted}", f"{site}/{wanted}.py"):
            if files.kind(path) is not None:
                return path
    return None


def _undeclared(path: str, text: str, environments: list[_Environment], machine: str) -> Missing | None:
    """What the application asks for, where no environment of the image has it."""
    requirement = _requirement(text)
    if requirement is None:
        return None
    name = normal(requirement.name)
    candidates = environments or [_Environment(root="/usr")]
    if not any(_holds(requirement, environment.version, machine) for environment in candidates):
        return None
    seen = [each.packages[name].owner.version for each in candidates if name in each.packages]
    if any(_allows(requirement, version) for version in seen):
        return None
    return Missing(
        problem=Problem.WRONG_VERSION if seen else Problem.NOT_INSTALLED,
        kind="python",
        path=path,
        name=requirement.name,
        expected=str(requirement.specifier),
        seen=", ".join(sorted(set(seen))),
        certainty=Certainty.LIKELY,
    )


def _declarations(files: FileSystem, ownership: Ownership) -> Iterator[tuple[str, str]]:
    """What the application's own files ask for at run time, each with its file."""
    for path, number in files.visible.items():
        name = posixpath.basename(path)
        listed = path.endswith(".txt") and "requirements" in path and "-info/" not in path
        if not (listed or name == "pyproject.toml") or _DEVELOPMENT.search(name):
            continue
        owner = ownership.of(files.inode(number))
        content = files.content(number)
        if content is None or (owner is not None and owner.kind is not OwnerKind.DIRECTORY):
            continue
        text = content.decode("utf-8", "replace")
        for requirement in _listed(text) if listed else _project(text):
            yield path, requirement


def _listed(text: str) -> Iterator[str]:
    for line in text.replace("\\\r\n", " ").replace("\\\n", " ").splitlines():
        stripped = _OPTION.sub("", re.sub(r"(?:^|\s)#.*$", "", line)).strip()
        if stripped and not stripped.startswith("-"):
            yield stripped


def _project(text: str) -> Iterator[str]:
    import tomllib  # noqa: PLC0415  # few images need it

    try:
        project = tomllib.loads(text).get("project")
    except (ValueError, RecursionError):
        return  # whoever reads packages has said so
    dependencies = project.get("dependencies") if isinstance(project, dict) else None
    if isinstance(dependencies, list):
        yield from (each for each in dependencies if isinstance(each, str))


@lru_cache(maxsize=4096)
def _requirement(text: str) -> Requirement | None:
    from packaging.requirements import InvalidRequirement, Requirement  # noqa: PLC0415  # costs time to import

    try:
        return Requirement(text)
    except (InvalidRequirement, RecursionError):
        return None  # a path, an address, or written by hand; nothing can be said of it


def _holds(requirement: Requirement, version: str, machine: str) -> bool:
    """Whether its marker is true for the image's Python, without any extra."""
    if requirement.marker is None:
        return True
    from packaging.markers import UndefinedComparison, UndefinedEnvironmentName  # noqa: PLC0415  # as above

    try:
        return requirement.marker.evaluate(marker_environment(version, machine))
    except (UndefinedComparison, UndefinedEnvironmentName):
        return False


def _allows(requirement: Requirement, version: str) -> bool:
    """Whether the version is one that was asked for; one that cannot be compared is."""
    from packaging.version import InvalidVersion, Version  # noqa: PLC0415  # as above

    try:
        return requirement.specifier.contains(Version(version), prereleases=True)
    except InvalidVersion:
        return True
