"""What the kernel shows of the same layers, and what an engine makes of them."""

from __future__ import annotations

import hashlib
import io
import json
import os
import random
import secrets
import stat
import subprocess
import tarfile
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hullmark._contents.filesystem import overlay
from hullmark.model.digest import DiffId
from hullmark.model.image import Layer
from hullmark.model.table import Entry, FileTable, Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hullmark.model.filesystem import FileSystem

Shown = dict[str, tuple[str, str]]
"""By path: what it is, and of a file its content, of a symbolic link its text."""

_PATHS = st.lists(st.sampled_from("abc"), min_size=1, max_size=3).map(lambda names: "/" + "/".join(names))
_KINDS = st.sampled_from([Kind.FILE, Kind.DIRECTORY, Kind.WHITEOUT, Kind.OPAQUE, Kind.SYMLINK, Kind.HARDLINK])


@st.composite
def _entries(draw: st.DrawFn) -> Entry:
    kind = draw(_KINDS)
    # What links lead to is never a link itself, and it is below no link.
    link = {Kind.SYMLINK: "/z", Kind.HARDLINK: draw(_PATHS)}.get(kind, "")
    return Entry(path=draw(_PATHS), kind=kind, link=link, size=kind is Kind.FILE)


def _shown(system: FileSystem) -> Shown:
    """What the overlay says, in the words of a listing; the content of a file is its number."""
    found: Shown = dict.fromkeys(system.implied, ("directory", ""))
    for path, number in system.visible.items():
        match system.kind(path):
            case Kind.DIRECTORY:
                found[path] = ("directory", "")
            case Kind.SYMLINK:
                found[path] = ("symlink", system.link(path) or "")
            case _:
                found[path] = ("file", str(system.inode(number)))
    return found


def _overlaid(layers: list[list[Entry]]) -> FileSystem:
    return overlay(
        [
            Layer(diff_id=DiffId.parse(f"sha256:{at:064x}"), table=FileTable.of(entries))
            for at, entries in enumerate(layers)
        ]
    )


def _resolvable(layers: list[list[Entry]]) -> list[list[Entry]]:
    """The layers without hard links that no program could extract: to lower layers, to directories, to nothing."""
    kept = []
    for entries in layers:
        system_so_far: list[Entry] = []
        for entry in entries:
            if entry.kind is Kind.HARDLINK:
                there = _overlaid([system_so_far])
                if entry.link == entry.path or there.kind(entry.link) is not Kind.FILE:
                    continue
                # Taking the place of a directory that holds the other name would lose it first.
                if entry.link.startswith(entry.path + "/") or entry.path.startswith(entry.link + "/"):
                    continue
            system_so_far.append(entry)
        kept.append(system_so_far)
    return kept


def _lay_out(root: Path, entries: list[Entry], first: int) -> None:  # noqa: C901, PLR0912  # one case per kind
    """A layer as overlayfs wants it: extracted in order, then whiteouts where the layer itself has nothing."""

    def at(path: str) -> Path:
        parent, _, name = path.rpartition("/")
        steps = Path(root)
        for step in parent.split("/"):
            steps /= step
            if steps.is_symlink():
                steps = root / str(steps.readlink()).lstrip("/")
            if steps.is_file():
                steps.unlink()
            steps.mkdir(exist_ok=True)
        return steps / name

    def clear(path: Path) -> None:
        if path.is_dir() and not path.is_symlink():
            subprocess.run(["rm", "-r", str(path)], check=True)
        else:
            path.unlink(missing_ok=True)

    for row, entry in enumerate(entries):
        path = at(entry.path)
        match entry.kind:
            case Kind.DIRECTORY:
                if path.is_symlink() or not path.is_dir():
                    clear(path)
                    path.mkdir()
            case Kind.SYMLINK:
                clear(path)
                path.symlink_to(entry.link)
            case Kind.HARDLINK:
                other = at(entry.link)
                clear(path)
                os.link(other, path)
            case Kind.FILE:
                clear(path)
                path.write_text(str(first + row), encoding="ascii")
            case Kind.OPAQUE:
                at(f"{entry.path}/x")
            case _:
                pass
    for entry in entries:
        if entry.kind not in {Kind.WHITEOUT, Kind.OPAQUE}:
            continue
        path = root / entry.path.lstrip("/")
        if any(step.is_symlink() for step in path.parents if step != root) or path.is_symlink():
            continue
        if path.is_dir():
            os.setxattr(path, "trusted.overlay.opaque", b"y")
        elif entry.kind is Kind.WHITEOUT and path.parent.is_dir() and not path.exists():
            os.mknod(path, stat.S_IFCHR, os.makedev(0, 0))


def _walk(root: Path) -> Shown:
    found: Shown = {}
    for directory, names, files in os.walk(root):
        for name in [*names, *files]:
            path = Path(directory, name)
            where = "/" + path.relative_to(root).as_posix()
            if path.is_symlink():
                found[where] = ("symlink", str(path.readlink()))
            elif path.is_dir():
                found[where] = ("directory", "")
            # The kernel lists a whiteout in a directory that is in one layer only, and denies that it is there.
            elif path.exists():
                found[where] = ("file", path.read_text(encoding="ascii"))
    return found


@contextmanager
def _mounted(directories: list[Path], root: Path) -> Iterator[Path]:
    """An overlay of the directories, the lowest first; the kernel wants two at least."""
    target = root / "merged"
    target.mkdir()
    empty = root / "empty"
    empty.mkdir()
    lower = ":".join(str(each) for each in [*reversed(directories), empty])
    subprocess.run(
        ["mount", "-t", "overlay", "overlay", "-o", f"lowerdir={lower}", str(target)],
        check=True,
        capture_output=True,
    )
    try:
        yield target
    finally:
        subprocess.run(["umount", str(target)], check=True)


def _by_kernel(layers: list[list[Entry]]) -> Shown:
    with tempfile.TemporaryDirectory(prefix="hullmark-overlay-") as temporary:
        root, directories, first = Path(temporary), [], 0
        for number, entries in enumerate(layers):
            directory = root / str(number)
            directory.mkdir()
            _lay_out(directory, entries, first)
            directories.append(directory)
            first += len(entries)
        with _mounted(directories, root) as target:
            return _walk(target)


def _archive(entries: list[Entry], first: int) -> bytes:
    kinds = {
        Kind.DIRECTORY: tarfile.DIRTYPE,
        Kind.SYMLINK: tarfile.SYMTYPE,
        Kind.HARDLINK: tarfile.LNKTYPE,
    }
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for row, entry in enumerate(entries):
            parent, _, name = entry.path.lstrip("/").rpartition("/")
            content = b""
            match entry.kind:
                case Kind.WHITEOUT:
                    stored = os.path.join(parent, f".wh.{name}")  # noqa: PTH118  # a name in the archive
                case Kind.OPAQUE:
                    stored = f"{entry.path.lstrip('/')}/.wh..wh..opq"
                case _:
                    stored = entry.path.lstrip("/")
                    content = str(first + row).encode() if entry.kind is Kind.FILE else b""
            member = tarfile.TarInfo(stored)
            member.type = kinds.get(entry.kind, tarfile.REGTYPE)
            member.linkname = entry.link.lstrip("/") if entry.kind is Kind.HARDLINK else entry.link
            member.size = len(content)
            member.mode = 0o755
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def _run(*arguments: str, stdin: bytes = b"") -> bytes:
    done = subprocess.run(["docker", *arguments], input=stdin, capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def _by_engine(layers: list[list[Entry]]) -> Shown:
    """What is in a container of an image with these layers."""
    name = f"contents-overlay:{secrets.token_hex(6)}"
    archives, first = [], 0
    for entries in layers:
        archives.append(_archive(entries, first))
        first += len(entries)
    config = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Cmd": ["/none"], "Labels": {"name": name}},
        "rootfs": {
            "type": "layers",
            "diff_ids": [f"sha256:{hashlib.sha256(each).hexdigest()}" for each in archives],
        },
    }
    members = {"config.json": json.dumps(config).encode()}
    members |= {f"{number}/layer.tar": content for number, content in enumerate(archives)}
    manifest = [{"Config": "config.json", "RepoTags": [name], "Layers": list(members)[1:]}]
    members["manifest.json"] = json.dumps(manifest).encode()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for path, content in members.items():
            member = tarfile.TarInfo(path)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    _run("image", "load", stdin=buffer.getvalue())
    try:
        container = _run("container", "create", name).decode().strip()
        try:
            exported = _run("container", "export", container)
        finally:
            _run("container", "rm", "--volumes", container)
    finally:
        _run("image", "rm", name)
    return _exported(exported)


_OF_THE_ENGINE = {"/dev", "/etc", "/proc", "/sys", "/.dockerenv"}


def _exported(archive: bytes) -> Shown:
    found: Shown = {}
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        for member in tar:
            path = "/" + member.name.strip("/")
            if any(path == each or path.startswith(f"{each}/") for each in _OF_THE_ENGINE):
                continue
            if member.isdir():
                found[path] = ("directory", "")
            elif member.issym():
                found[path] = ("symlink", member.linkname)
            else:
                content = tar.extractfile(member)  # follows hard links
                assert content is not None
                found[path] = ("file", content.read().decode())
    return found


def _can_mount() -> bool:
    return os.geteuid() == 0 and b"overlay" in Path("/proc/filesystems").read_bytes()


@settings(max_examples=40 if _can_mount() else 5, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.lists(_entries(), max_size=7), min_size=1, max_size=4))
@pytest.mark.docker
def test_the_kernel_shows_the_same(layers: list[list[Entry]]) -> None:
    # What lies below a file of its own archive has no meaning that two programs agree on.
    layers = _resolvable(_as_docker_writes(layers))
    expected = _shown(_overlaid(layers))
    assert expected == (_by_kernel(layers) if _can_mount() else _by_engine(layers))


def _as_docker_writes(layers: list[list[Entry]]) -> list[list[Entry]]:
    """The layers without what no engine writes: two entries for one path, and things below what is no directory."""
    kept = []
    for entries in layers:
        solid, directories, layer = set[str](), set[str](), []
        taken = set[str]()
        for entry in entries:
            steps = {entry.path[:cut] for cut, char in enumerate(entry.path) if char == "/" and cut}
            if entry.kind is Kind.OPAQUE:
                steps.add(entry.path)
                stored = f"{entry.path}/.wh..wh..opq"
            else:
                stored = entry.path
            if stored in taken | solid or steps & solid:
                continue
            if entry.kind is Kind.DIRECTORY:
                directories.add(entry.path)
            elif entry.kind is not Kind.OPAQUE:
                if entry.path in directories:
                    continue
                solid.add(entry.path)
            directories |= steps
            taken.add(stored)
            layer.append(entry)
        kept.append(layer)
    return kept


def _e(path: str, kind: Kind = Kind.FILE, link: str = "") -> Entry:
    return Entry(path=path, kind=kind, link=link, size=kind is Kind.FILE)


_D, _S, _H, _W, _O = Kind.DIRECTORY, Kind.SYMLINK, Kind.HARDLINK, Kind.WHITEOUT, Kind.OPAQUE
_TREE = [
    _e("/d", _D),
    _e("/d/a"),
    _e("/d/e", _D),
    _e("/d/e/b"),
    _e("/f"),
    _e("/g", _H, "/f"),
    _e("/s", _S, "d"),
]


@pytest.mark.docker
@pytest.mark.parametrize(
    "upper",
    [
        pytest.param([_e("/d", _W)], id="a directory whited out"),
        pytest.param([_e("/d", _D), _e("/d", _O), _e("/d/n")], id="an opaque directory"),
        pytest.param([_e("/d")], id="a file for a directory"),
        pytest.param([_e("/d/a", _D), _e("/d/a/x")], id="a directory for a file"),
        pytest.param([_e("/d/a/x")], id="a directory for a file, not described"),
        pytest.param([_e("/f", _W)], id="the first name of a file whited out"),
        pytest.param([_e("/s/x")], id="a file below a link of a lower layer"),
        pytest.param(
            [_e("/t", _S, "u"), _e("/u", _D), _e("/t/x")], id="a file below a link of its own layer"
        ),
        pytest.param([_e("/n"), _e("/m", _H, "/n"), _e("/f", _H, "/n")], id="links to a new file"),
        pytest.param([_e("/d/n"), _e("/d/a", _W), _e("/d/e/b", _W)], id="whiteouts after the files"),
    ],
)
def test_the_engine_shows_the_same(upper: list[Entry]) -> None:
    layers = [_TREE, upper]
    assert _shown(_overlaid(layers)) == _by_engine(layers)


@pytest.mark.docker
@pytest.mark.parametrize("seed", range(3))
def test_the_engine_shows_the_same_of_layers_thrown_together(seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311  # examples, no secrets
    kinds = [Kind.FILE, Kind.FILE, Kind.DIRECTORY, Kind.WHITEOUT, Kind.OPAQUE, Kind.HARDLINK]

    def path() -> str:
        return "/" + "/".join(dice.choice("abc") for _ in range(dice.randint(1, 3)))

    layers = [
        [_e(path(), kind, path() if kind is Kind.HARDLINK else "") for kind in dice.choices(kinds, k=10)]
        for _ in range(5)
    ]
    layers = _resolvable(_as_docker_writes(layers))
    assert _shown(_overlaid(layers)) == _by_engine(layers)
