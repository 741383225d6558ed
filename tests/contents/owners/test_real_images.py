"""Real images: what their own programs say of who has which file, and of what is installed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hullmark._contents.filesystem import overlay
from hullmark._contents.owners import find_owners
from hullmark._contents.packages.capture import PackageCapture
from hullmark._contents.summary import by_owner, by_top
from hullmark.model.owner import OwnerKind
from hullmark.model.table import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.contents.conftest import Build, Docker, Open

    from hullmark.model.filesystem import FileSystem
    from hullmark.model.owner import Ownership

_CA_BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")
_SECRET = ("--secret", f"id=ca,src={_CA_BUNDLE}") if _CA_BUNDLE.exists() else ()
_CA = (
    "if [ -s /run/secrets/ca ]; then export PIP_CERT=/run/secrets/ca NODE_EXTRA_CA_CERTS=/run/secrets/ca; fi"
)

_PYTHON = f"""
FROM debian:bookworm-slim
RUN apt-get update \\
    && apt-get install -y --no-install-recommends python3-venv python3-yaml binutils \\
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/*
RUN --mount=type=secret,id=ca {_CA} \\
    && python3 -m venv /opt/venv \\
    && /opt/venv/bin/pip install --no-cache-dir "uvicorn[standard]" rich
RUN apt-get purge -y binutils && apt-get autoremove -y && rm -rf /usr/share/doc/python3-yaml
RUN ln /usr/bin/python3.11 /usr/local/bin/another-name
"""

_NODE = f"""
FROM debian:trixie-slim
RUN apt-get update \\
    && apt-get install -y --no-install-recommends nodejs node-corepack \\
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/* \\
    && corepack enable npm
WORKDIR /app
COPY package.json /app/
RUN --mount=type=secret,id=ca {_CA} \\
    && npm install --no-audit --no-fund --cache /tmp/npm \\
    && rm -rf /tmp/npm \\
    && npm ls --all --json > /listed.json
"""


_FIELDS = "${Package} ${Version} ${source:Package} ${source:Version} ${Architecture} ${db:Status-Status}"


def _owned(opened: Open, reference: str) -> tuple[FileSystem, Ownership]:
    image = opened(reference, PackageCapture())
    system = overlay(image.layers)
    return system, find_owners(system, image.platform)


def _by_dpkg(docker: Docker, reference: str, system: FileSystem) -> dict[str, set[str]]:
    """By the real path of every file that dpkg knows and that is there: its packages."""
    known: dict[str, set[str]] = {}
    for line in docker(
        "container", "run", "--rm", "--network=none", reference, "dpkg", "-S", "*"
    ).splitlines():
        names, _, path = line.partition(": ")
        if names.startswith("diversion by"):
            continue
        parent, _, name = path.rpartition("/")
        place = system.resolve(parent or "/")
        real = f"{(place or parent).rstrip('/')}/{name}"
        if system.kind(real) not in {None, Kind.DIRECTORY}:
            known.setdefault(real, set()).update(each.partition(":")[0] for each in names.split(", "))
    return known


def _check_dpkg(docker: Docker, reference: str, system: FileSystem, ownership: Ownership) -> None:
    known = _by_dpkg(docker, reference, system)
    assert len(known) > 2000
    found = {
        path: owner.name
        for path, number in system.visible.items()
        if (owner := ownership.of(number)) is not None and owner.kind is OwnerKind.DPKG
    }
    # What was compiled from a module of a package is that package's, and dpkg does not know it.
    wrong = {
        path: (found.get(path), known.get(path))
        for path in found.keys() | known.keys()
        if found.get(path) not in known.get(path, set()) and not path.endswith(".pyc")
    }
    assert wrong == {}
    printed = docker(
        *("container", "run", "--rm", "--network=none", reference),
        *("dpkg-query", "-W", "-f", f"{_FIELDS}\n"),
    )
    lines = [line.removesuffix(" installed") for line in printed.splitlines() if line.endswith(" installed")]
    assert sorted(lines) == sorted(
        f"{each.owner.name} {each.owner.version} {each.source} {each.source_version} {each.architecture}"
        for each in ownership.packages
        if each.owner.kind is OwnerKind.DPKG
    )


def _check_sizes(docker: Docker, reference: str, system: FileSystem, ownership: Ownership) -> None:
    """The bytes of the files that a container shows, a hard link once."""
    # dev, proc, sys and three files of etc are the engine's, made when a container is.
    printed = docker(
        *("container", "run", "--rm", "--network=none", reference, "find", "/", "-xdev", "-type", "f"),
        *(
            "-not",
            "-path",
            "/etc/hosts",
            "-not",
            "-path",
            "/etc/hostname",
            "-not",
            "-path",
            "/etc/resolv.conf",
        ),
        *("-not", "-path", "/.dockerenv", "-printf", "%i %s\n"),
    )
    shown = sum(int(size) for _, size in {tuple(line.split()) for line in printed.splitlines()})
    ours = system.visible_bytes - sum(
        system.size(path) for path in ("/etc/hosts", "/etc/hostname", "/etc/resolv.conf", "/.dockerenv")
    )
    assert ours == shown
    spaces = by_owner(system, ownership)
    assert sum(each.bytes for each in spaces) == system.visible_bytes
    assert sum(each.masked_bytes for each in spaces) == system.masked_bytes
    assert sum(each.bytes for each in by_top(system)) == system.visible_bytes


@pytest.mark.docker
def test_debian_and_python_say_the_same(build: Build, opened: Open, docker: Docker) -> None:
    reference = build(_PYTHON, *_SECRET)
    system, ownership = _owned(opened, reference)
    assert ownership.notes == ()
    _check_dpkg(docker, reference, system, ownership)
    _check_sizes(docker, reference, system, ownership)
    script = (
        "import importlib.metadata as m, json; print(json.dumps({d.name: [d.version, "
        "[str(f.locate().resolve()) for f in d.files or ()]] for d in m.distributions()}))"
    )
    printed = docker(
        "container", "run", "--rm", "--network=none", reference, "/opt/venv/bin/python", "-c", script
    )
    installed: dict[str, tuple[str, list[str]]] = json.loads(printed)
    ours = {
        each.owner.name: each.owner.version
        for each in ownership.packages
        if each.owner.kind is OwnerKind.PYTHON
        and each.directory.startswith("/opt/venv/")
        and each.part_of is None
    }
    assert ours == {name: version for name, (version, _) in installed.items()}
    for name, (version, files) in installed.items():
        for path in files:
            if path in system.visible:
                owner = ownership.of(system.visible[path])
                assert owner is not None
                assert (owner.kind, owner.name, owner.version) == (OwnerKind.PYTHON, name, version), path
    packages = {each.owner.name: each for each in ownership.packages if each.owner.kind is OwnerKind.PYTHON}
    assert packages["httptools"].why == ("uvicorn[standard]", "httptools")
    assert packages["h11"].why == ("uvicorn", "h11")
    assert packages["rich"].declared
    # Debian's own is counted for its package.
    yaml = [each for each in ownership.packages if each.owner.name == "PyYAML" and each.part_of is not None]
    assert [each.part_of.name for each in yaml if each.part_of is not None] == ["python3-yaml"]


@pytest.mark.docker
def test_what_was_removed_in_a_later_layer_belongs_to_its_package(build: Build, opened: Open) -> None:
    system, ownership = _owned(opened, build(_PYTHON, *_SECRET))
    masked = {
        system.path(each.number): ownership.of(each.number)
        for each in system.masked()
        if each.size and system.path(each.number).startswith("/usr/bin/")
    }
    # Another name for a file of a lower layer copies it.
    copied = masked.pop("/usr/bin/python3.11")
    assert copied is not None
    assert copied.name == "python3.11-minimal"
    assert len(masked) > 10
    for path, owner in masked.items():
        assert owner is not None
        assert owner.kind is OwnerKind.DPKG, path
        assert "binutils" in owner.name, path


@pytest.mark.docker
def test_debian_and_npm_say_the_same(build: Build, opened: Open, docker: Docker, tmp_path: Path) -> None:
    pinned = json.loads(
        (Path(__file__).parents[3] / "examples/tale/services/platform/package.json").read_text("utf-8")
    )
    application = {
        "name": "application",
        "version": "1.0.0",
        "packageManager": pinned["packageManager"],
        "dependencies": {"express": "^5", "@babel/code-frame": "^7", "old-debug": "npm:debug@2"},
    }
    (tmp_path / "package.json").write_text(json.dumps(application), encoding="utf-8")
    reference = build(_NODE, *_SECRET, context=tmp_path)
    system, ownership = _owned(opened, reference)
    _check_dpkg(docker, reference, system, ownership)
    _check_sizes(docker, reference, system, ownership)
    tree = json.loads(docker("container", "run", "--rm", "--network=none", reference, "cat", "/listed.json"))
    ours = {
        (each.owner.name, each.owner.version)
        for each in ownership.packages
        if each.owner.kind is OwnerKind.NPM and each.directory.startswith("/app/")
    }
    shortest: dict[tuple[str, str], int] = {}
    for way, version in _ways(tree, ()):
        key = (way[-1], version)
        shortest[key] = min(shortest.get(key, len(way)), len(way))
    # npm calls a package as it was asked for; it calls itself `debug`.
    assert {("debug" if name == "old-debug" else name, version) for name, version in shortest} == ours
    for package in ownership.packages:
        key = (package.owner.name, package.owner.version)
        if key in shortest and package.directory.startswith("/app/"):
            assert len(package.why) >= shortest[key]
            assert package.why[0] in {"express", "@babel/code-frame", "debug"}
            named = key[0] in {"express", "@babel/code-frame"} or (key[0] == "debug" and key[1][0] == "2")
            assert package.declared == named


def _ways(tree: dict[str, Any], above: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    for name, inner in tree.get("dependencies", {}).items():
        if "version" in inner:  # an optional one may be missing
            way = (*above, name)
            yield way, inner["version"]
            yield from _ways(inner, way)


_RPM = r"""
FROM debian:bookworm-slim AS made
RUN apt-get update \
    && apt-get install -y --no-install-recommends rpm \
    && rm -rf /var/lib/apt/lists/*
COPY <<'SPEC' /one.spec
Name: one
Epoch: 3
Version: 1.2
Release: 4
Summary: x
License: x
Source: one.tar
%description
x
%package tools
Summary: tools
%description tools
x
%prep
%build
%install
mkdir -p %{buildroot}/opt/one/bin %{buildroot}/opt/one/share
echo one > %{buildroot}/opt/one/share/data
echo tool > %{buildroot}/opt/one/bin/tool
ln -s tool %{buildroot}/opt/one/bin/alias
%files
/opt/one/share/data
%files tools
%dir /opt/one/bin
/opt/one/bin/tool
/opt/one/bin/alias
SPEC
RUN mkdir -p /root/rpmbuild/SOURCES && touch /root/rpmbuild/SOURCES/one.tar && rpmbuild -bb /one.spec \
    && mkdir -p /var/lib/rpm \
    && rpm --dbpath /var/lib/rpm --define '_db_backend sqlite' --nodeps -i /root/rpmbuild/RPMS/*/*.rpm
"""


@pytest.mark.docker
def test_rpm_says_the_same(build: Build, opened: Open, docker: Docker) -> None:
    reference = build(_RPM)
    system, ownership = _owned(opened, reference)
    assert ownership.notes == ()
    query = ("rpm", "--dbpath", "/var/lib/rpm", "-qa", "--queryformat")
    run = ("container", "run", "--rm", "--network=none", reference)
    packages = docker(
        *run, *query, "%{NAME} %{EPOCH}:%{VERSION}-%{RELEASE} %{ARCH} %{SOURCERPM}\n"
    ).splitlines()
    assert len(packages) == 2
    assert sorted(packages) == sorted(
        f"{each.owner.name} {each.owner.version} {each.architecture} one-{each.source_version.partition(':')[2]}.src.rpm"
        for each in ownership.packages
        if each.owner.kind is OwnerKind.RPM
    )
    listed = docker(*run, *query, "[%{=NAME} %{FILENAMES}\n]").splitlines()
    files = {path: name for name, path in map(str.split, listed) if system.kind(path) is not Kind.DIRECTORY}
    assert len(files) == 3
    for path, name in files.items():
        owner = ownership.of(system.visible[path])
        assert owner is not None
        assert (owner.kind, owner.name) == (OwnerKind.RPM, name)
