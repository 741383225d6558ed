"""What services mount from this host, and what a copy of the stack mounts instead, so that it writes nothing there."""

from __future__ import annotations

import enum
import os
import stat
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hullmark.model.stack_copy import CopiedDirectory, CopiedFile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hullmark.model.project import Project

_SYSTEM = ("/dev", "/proc", "/sys", "/run", "/var/run")
"""What the kernel and the system's own services answer in: a copy of it would not."""
_KEY = "hullmark-copy"


class _Kind(enum.Enum):
    """What a path of this host is."""

    DIRECTORY = enum.auto()
    FILE = enum.auto()
    MISSING = enum.auto()
    OTHER = enum.auto()
    """A socket, a device, or a part of the running system."""


@dataclass(kw_only=True)
class Mounts:
    """Replaces what services mount from this host and may write to.

    A directory becomes a volume, one for each directory, whoever mounts it and however; it has to be filled before
    anything starts. A file is copied into the container, or mounted read-only where that cannot be. A directory
    that is not there becomes an empty volume where Compose would have created it. What is only read stays, unless
    another service writes to the same directory; so do sockets, devices and what `smoke.shared` lists.
    """

    project: Project
    name: str
    """Of the copy."""
    directories: list[CopiedDirectory] = field(default_factory=list)
    files: list[CopiedFile] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @staticmethod
    def path(project: Project, name: str) -> str:
        """The path of this host that `name`, written relative to the project, stands for."""
        # Symbolic links are what the engine follows, too.
        return os.path.realpath(project.root / name)

    def sources(self, raw: dict[str, Any]) -> frozenset[str]:
        """The paths of this host that the services mount."""
        self._bind_volumes(raw.get("services") or {}, raw)
        return frozenset(
            self.path(self.project, mount["source"])
            for value in (raw.get("services") or {}).values()
            for mount in value.get("volumes") or ()
            if mount.get("type") == "bind"
        )

    def replace(self, services: dict[str, dict[str, Any]], raw: dict[str, Any]) -> None:
        """Rewrites the mounts of `services`, and the volumes of `raw` that stand for directories of this host."""
        self._bind_volumes(services, raw)
        shared = {self.path(self.project, name) for name in self.project.settings.smoke_shared}
        by_source: dict[str, list[tuple[str, dict[str, Any]]]] = {}
        for name, mount in self._binds(services):
            by_source.setdefault(self.path(self.project, mount["source"]), []).append((name, mount))
        for source, mounts in sorted(by_source.items()):
            kind = _Kind.OTHER if source in shared else _kind(source)
            if kind is _Kind.OTHER and source not in shared:
                names = ", ".join(f"`{name}`" for name in dict.fromkeys(name for name, _ in mounts))
                self.notes.append(f"`{source}` of this machine is mounted in {names} as it is")
            written = any(not mount.get("read_only") for _, mount in mounts)
            created = any((mount.get("bind") or {}).get("create_host_path") for _, mount in mounts)
            if kind is _Kind.DIRECTORY and written:
                self._volume(source, mounts, raw, filled=True)
            elif kind is _Kind.MISSING and created:
                self._volume(source, mounts, raw, filled=False)
            else:
                for name, mount in mounts:
                    if kind is _Kind.FILE and not mount.get("read_only"):
                        self._file(source, name, services[name], mount)
                    elif not (mount.get("bind") or {}).get("selinux"):
                        # Where the engine has to relabel it Compose must ask in the way that also creates.
                        mount["bind"] = {**(mount.get("bind") or {}), "create_host_path": False}
        for _, mount in self._binds(services):
            mount.pop("x-volume", None)

    @staticmethod
    def _binds(services: dict[str, dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
        for name, value in sorted(services.items()):
            for mount in value.get("volumes") or ():
                if mount.get("type") == "bind":
                    yield name, mount

    @staticmethod
    def _bind_volumes(services: dict[str, dict[str, Any]], raw: dict[str, Any]) -> None:
        """Turns volumes that stand for directories of this host into mounts of those."""
        for key, value in list((raw.get("volumes") or {}).items()):
            options = (value or {}).get("driver_opts") or {}
            words = str(options.get("o") or "").split(",")
            device = str(options.get("device") or "")
            if not {"bind", "rbind"} & set(words) or not device.startswith("/") or value.get("external"):
                continue
            for service in services.values():
                for mount in service.get("volumes") or ():
                    if mount.get("type") == "volume" and mount.get("source") == key:
                        mount["type"], mount["source"] = "bind", device
                        mount["bind"] = {"create_host_path": True}
                        mount["x-volume"] = mount.pop("volume", None) or {}
                        if "ro" in words:
                            mount["read_only"] = True
            del raw["volumes"][key]

    def _volume(
        self, source: str, mounts: list[tuple[str, dict[str, Any]]], raw: dict[str, Any], *, filled: bool
    ) -> None:
        """Has `mounts` of `source` mount one volume of the copy."""
        key = f"{_KEY}-{sum(str(each).startswith(_KEY) for each in raw.get('volumes') or ())}"
        volume = f"{self.name}_{key}"
        raw.setdefault("volumes", {})[key] = {}
        # A volume, unlike a directory, starts with what the image has there, as long as it is empty.
        is_empty = not filled or not _has_entries(source)
        for _, mount in mounts:
            asked = mount.pop("x-volume", None)
            options = {"nocopy": True} if asked is None or not is_empty else asked
            mount.pop("bind", None)
            mount.update({"type": "volume", "source": key, "volume": options})
        shown = self._shown(source)
        if not filled:
            self.notes.append(f"`{shown}` does not exist and is replaced by an empty volume")
            return
        self.directories.append(
            CopiedDirectory(
                source=source,
                shown=shown,
                volume=volume,
                mounts=tuple((name, str(mount["target"])) for name, mount in mounts),
            )
        )

    def _file(self, source: str, name: str, service: dict[str, Any], mount: dict[str, Any]) -> None:
        """Has the containers of service `name` get a copy of the file, or mount it read-only."""
        target = os.path.normpath(str(mount["target"]))
        others = [str(each["target"]) for each in service.get("volumes") or () if each is not mount]
        others += [str(each).partition(":")[0] for each in service.get("tmpfs") or ()]
        beneath = any(target.startswith(f"{os.path.normpath(other).rstrip('/')}/") for other in others)
        if service.get("read_only") or beneath:
            # What is copied into a container lies in its own file system, and must not be hidden there.
            mount["read_only"] = True
            mount["bind"] = {**(mount.get("bind") or {}), "create_host_path": False}
            self.notes.append(f"`{self._shown(source)}` is mounted read-only in `{name}`")
            return
        service["volumes"] = [each for each in service["volumes"] if each is not mount]
        self.files.append(CopiedFile(source=source, shown=self._shown(source), service=name, target=target))

    def _shown(self, source: str) -> str:
        """`source` as the Compose file would write it."""
        root = os.path.realpath(self.project.root)
        if source == root:
            return "."
        return f"./{os.path.relpath(source, root)}" if source.startswith(f"{root}/") else source


def _kind(source: str) -> _Kind:
    if any(source == system or source.startswith(f"{system}/") for system in _SYSTEM):
        return _Kind.OTHER
    try:
        mode = os.stat(source).st_mode  # noqa: PTH116  # one question, one answer
    except (FileNotFoundError, NotADirectoryError):
        return _Kind.MISSING
    except OSError:
        # It is behind a door that is closed to us; the engine is asked to copy it, and says what it is.
        return _Kind.DIRECTORY
    if stat.S_ISDIR(mode):
        return _Kind.DIRECTORY
    return _Kind.FILE if stat.S_ISREG(mode) else _Kind.OTHER


def _has_entries(directory: str) -> bool:
    try:
        with os.scandir(directory) as entries:
            return any(True for _ in entries)
    except OSError:
        return True
