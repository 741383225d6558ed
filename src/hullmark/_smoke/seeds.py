"""Filling the copy of a stack with what the original has on this host, before anything of it starts."""

from __future__ import annotations

import contextlib
import os
import stat
import tarfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hullmark._smoke.archive import archived
from hullmark.errors import Interrupted, Unavailable
from hullmark.model.size import format_size

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterable, Iterator

    from docker.models.containers import Container
    from docker.types import Mount

    from hullmark._engines import Engine
    from hullmark.model.stack_copy import CopiedDirectory, CopiedFile

MOST_BYTES = 1_000_000_000
"""How much is copied at most; more would take longer than what it is for."""
MOST_FILES = 100_000
_HINT = (
    "mount it read-only (`:ro`), mount something smaller in a Compose file for tests, "
    "or list it under `shared` of `[smoke]` to let the copy write to it"
)
_CHUNK = 1 << 20
_BLOCK = tarfile.BLOCKSIZE


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """Something to copy."""

    path: str
    name: str
    """Within the archive."""
    status: os.stat_result


@dataclass(kw_only=True)
class Cargo:
    """Everything that is to be copied into one stack."""

    directories: list[tuple[CopiedDirectory, list[_Entry]]] = field(default_factory=list)
    files: list[tuple[CopiedFile, _Entry]] = field(default_factory=list)
    closed: list[CopiedDirectory] = field(default_factory=list)
    """Directories that this process may not read, so that the engine has to."""
    bytes: int = 0
    count: int = 0

    @property
    def notes(self) -> tuple[str, ...]:
        """What is copied, a sentence each."""
        found = [
            f"`{item.shown}` is copied for the run ({_counted(entries)})"
            for item, entries in self.directories
        ]
        found += [f"`{item.shown}` is copied for the run" for item in self.closed]
        found += [f"`{item.shown}` is copied for the run, in `{item.service}`" for item, _ in self.files]
        return tuple(found)

    def __bool__(self) -> bool:
        return bool(self.directories or self.files or self.closed)


def _counted(entries: Iterable[_Entry]) -> str:
    sizes = [each.status.st_size for each in entries if stat.S_ISREG(each.status.st_mode)]
    return f"{len(sizes)} file{'' if len(sizes) == 1 else 's'}, {format_size(sum(sizes))}"


def weigh(
    directories: Iterable[CopiedDirectory], files: Iterable[CopiedFile], cancelled: threading.Event
) -> Cargo:
    """What is to be copied, looked through but not read.

    Raises `Unavailable` naming the mount with which it becomes too much, and `Interrupted` when the user asks to stop.
    """
    cargo = Cargo()
    for file in files:
        if not os.access(file.source, os.R_OK):
            raise Unavailable(f"{file} can be written to, and cannot be read to be copied", hint=_HINT)
        status = os.stat(file.source)  # noqa: PTH116  # the same question as below
        cargo.files.append((file, _Entry(path=file.source, name=file.target.lstrip("/"), status=status)))
        _add(cargo, status.st_size, file)
    for number, directory in enumerate(directories):
        entries: list[_Entry] = []
        before = cargo.bytes, cargo.count
        try:
            for entry in _walk(directory.source, _place(number)):
                if cancelled.is_set():
                    raise Interrupted
                entries.append(entry)
                _add(cargo, entry.status.st_size if stat.S_ISREG(entry.status.st_mode) else 0, directory)
        except PermissionError:
            cargo.bytes, cargo.count = before
            cargo.closed.append(directory)
        else:
            cargo.directories.append((directory, entries))
    return cargo


def _add(cargo: Cargo, size: int, mount: CopiedDirectory | CopiedFile) -> None:
    cargo.bytes += size
    cargo.count += 1
    if cargo.bytes > MOST_BYTES or cargo.count > MOST_FILES:
        raise _too_much(mount)


def _too_much(mount: CopiedDirectory | CopiedFile) -> Unavailable:
    return Unavailable(
        f"{mount} can be written to and is too much to copy: "
        f"the copies of all such mounts hold more than {format_size(MOST_BYTES)} or {MOST_FILES:,} files",
        hint=_HINT,
    )


def _walk(directory: str, name: str) -> Iterator[_Entry]:
    """`directory` and all that is in it; a directory before what it holds, and no sockets."""
    pending = [(directory, name)]
    yield _Entry(path=directory, name=name, status=os.stat(directory))  # noqa: PTH116
    while pending:
        path, prefix = pending.pop()
        with contextlib.suppress(FileNotFoundError), os.scandir(path) as found:
            for each in sorted(found, key=lambda entry: entry.name):
                # Something that goes away meanwhile is as good as gone before.
                with contextlib.suppress(FileNotFoundError):
                    status = each.stat(follow_symlinks=False)
                    inside = f"{prefix}/{each.name}"
                    if stat.S_ISSOCK(status.st_mode):
                        continue
                    if stat.S_ISREG(status.st_mode) and not os.access(each.path, os.R_OK):
                        raise PermissionError(each.path)
                    yield _Entry(path=each.path, name=inside, status=status)
                    if stat.S_ISDIR(status.st_mode):
                        pending.append((each.path, inside))


def _place(number: int) -> str:
    """The directory, in the container that is used for filling them, where a volume is mounted."""
    return f"hullmark-copy-{number}"


def stow(
    cargo: Cargo, engine: Engine, containers: Callable[[str], list[Container]], labels: dict[str, str]
) -> None:
    """Copies `cargo` into the stack whose containers, for each service, have been created and not started.

    Volumes are filled through a container that never starts, with their owners by number. Raises `Unavailable` when
    the engine does not take them.
    """
    from docker.errors import APIError  # noqa: PLC0415  # loaded with the engine

    try:
        _fill(cargo, engine, containers, labels)
        for file, entry in cargo.files:
            for container in containers(file.service):
                container.put_archive("/", _archive([entry], engine))
    except (APIError, OSError) as error:
        why = getattr(error, "explanation", None) or error
        raise Unavailable(f"the stack cannot be given copies of what it mounts: {why}") from error


def _fill(
    cargo: Cargo, engine: Engine, containers: Callable[[str], list[Container]], labels: dict[str, str]
) -> None:
    from docker.types import Mount  # noqa: PLC0415  # loaded with the engine

    volumes = [*(directory for directory, _ in cargo.directories), *cargo.closed]
    if not volumes:
        return
    places = {
        directory.volume: (entries[0].name if entries else "") for directory, entries in cargo.directories
    }
    places |= {item.volume: f"hullmark-closed-{number}" for number, item in enumerate(cargo.closed)}
    image = _image(volumes, containers)
    held = [
        Mount(f"/{places[each.volume]}", each.volume, type="volume", no_copy=True, labels=labels)
        for each in volumes
    ]
    with _vessel(engine, image, labels, held) as hold:
        entries = [entry for _, each in cargo.directories for entry in each]
        if entries:
            hold.put_archive("/", _archive(entries, engine))
        if cargo.closed:
            sources = [
                Mount(f"/{places[each.volume]}", each.source, type="bind", read_only=True)
                for each in cargo.closed
            ]
            with _vessel(engine, image, labels, sources) as reading:
                for each in cargo.closed:
                    with archived(reading, f"/{places[each.volume]}", _CHUNK) as stream:
                        hold.put_archive("/", _limited(stream, each, cargo, engine))


def _image(volumes: Iterable[CopiedDirectory], containers: Callable[[str], list[Container]]) -> str:
    """An image that the engine has: that of a container which is going to mount one of `volumes`."""
    for volume in volumes:
        for service, _ in volume.mounts:
            for container in containers(service):
                return str(container.attrs["Image"])
    raise Unavailable("no container of the stack mounts what was to be copied")


@contextlib.contextmanager
def _vessel(engine: Engine, image: str, labels: dict[str, str], mounts: list[Mount]) -> Iterator[Container]:
    """A container with `mounts` that is never started; gone at the end."""
    container = engine.client.containers.create(
        image,
        ["true"],
        # What Compose wrote into the image is not true of this container.
        labels={**labels, "com.docker.compose.project": "", "com.docker.compose.service": ""},
        network_mode="none",
        mounts=mounts,
    )
    try:
        yield container
    finally:
        container.remove(force=True, v=True)


def _limited(stream: Iterator[bytes], item: CopiedDirectory, cargo: Cargo, engine: Engine) -> Iterator[bytes]:
    """`stream`, as long as it is not too much."""
    for chunk in stream:
        if engine.cancelled.is_set():
            raise Interrupted
        cargo.bytes += len(chunk)
        if cargo.bytes > MOST_BYTES:
            raise _too_much(item)
        yield chunk


def _archive(entries: Iterable[_Entry], engine: Engine) -> Iterator[bytes]:
    """A tar archive of `entries`, with owners by number, modes, links and holes as they are.

    Each file has the size that it had when it was weighed, whatever happens to it meanwhile.
    """
    linked: dict[tuple[int, int], str] = {}
    for entry in entries:
        if engine.cancelled.is_set():
            raise Interrupted
        with contextlib.ExitStack() as cleanup:
            try:
                info = _described(entry, linked)
                file = cleanup.enter_context(open(entry.path, "rb")) if info.isreg() else None  # noqa: PTH123
            except FileNotFoundError:
                continue
            if file is not None:
                linked[entry.status.st_dev, entry.status.st_ino] = entry.name
            yield info.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape")
            left = info.size
            while left and file is not None:
                chunk = file.read(min(left, _CHUNK)) or bytes(min(left, _CHUNK))
                left -= len(chunk)
                yield chunk
            yield bytes(-info.size % _BLOCK)
    yield bytes(2 * _BLOCK)


def _described(entry: _Entry, linked: dict[tuple[int, int], str]) -> tarfile.TarInfo:
    status = entry.status
    info = tarfile.TarInfo(entry.name)
    info.mode, info.uid, info.gid = stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid
    info.mtime = int(status.st_mtime)
    identity = (status.st_dev, status.st_ino)
    match stat.S_IFMT(status.st_mode):
        case stat.S_IFDIR:
            info.type = tarfile.DIRTYPE
        case stat.S_IFLNK:
            info.type, info.linkname = tarfile.SYMTYPE, os.readlink(entry.path)  # noqa: PTH115  # kept as it is
        case stat.S_IFIFO:
            info.type = tarfile.FIFOTYPE
        case stat.S_IFCHR | stat.S_IFBLK as kind:
            info.type = tarfile.CHRTYPE if kind == stat.S_IFCHR else tarfile.BLKTYPE
            info.devmajor, info.devminor = os.major(status.st_rdev), os.minor(status.st_rdev)
        case _ if status.st_nlink > 1 and identity in linked:
            info.type, info.linkname = tarfile.LNKTYPE, linked[identity]
        case _:
            info.size = status.st_size
    return info
