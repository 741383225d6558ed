"""Shared libraries that an ELF file needs and the image does not have, found the way the dynamic loader looks.

glibc looks in RPATH (of the file and of what loaded it, unless it has a RUNPATH), `LD_LIBRARY_PATH`, RUNPATH, the
directories of `ld.so.conf`, and the default ones; musl in `LD_LIBRARY_PATH`, RPATH or RUNPATH of the file and of what
loaded it, and the directories of its own path file. A library that is already loaded under the name is found without
looking, which is how packages bring private libraries along.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from hullmark._contents.elf import ElfCapture, kept
from hullmark.model.dependency import Certainty, Missing, Problem
from hullmark.model.table import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from hullmark._contents.elf import Elf
    from hullmark.model.filesystem import FileSystem

_CONFIGURATION = re.compile(r"/etc/(?:ld\.so\.conf(?:\.d/[^/]+)?|ld-musl-[\w-]+\.path)")
_LARGEST_CONFIGURATION = 1 << 16
_DEEPEST = 8
_DEFAULT = ("/lib64", "/usr/lib64", "/lib", "/usr/lib", "/lib32", "/usr/lib32", "/libx32", "/usr/libx32")
_MUSL_DEFAULT = ("/lib", "/usr/local/lib", "/usr/lib")
# By machine of the ELF header and whether it has 64 bits: the names of Debian's directories.
_MULTIARCH = {
    (62, 64): ("x86_64-linux-gnu",),
    (62, 32): ("x86_64-linux-gnux32",),
    (3, 32): ("i386-linux-gnu", "i686-linux-gnu"),
    (183, 64): ("aarch64-linux-gnu",),
    (40, 32): ("arm-linux-gnueabihf", "arm-linux-gnueabi"),
    (21, 64): ("powerpc64le-linux-gnu", "powerpc64-linux-gnu"),
    (22, 64): ("s390x-linux-gnu",),
    (243, 64): ("riscv64-linux-gnu",),
    (258, 64): ("loongarch64-linux-gnu",),
    (8, 64): ("mips64el-linux-gnuabi64",),
}
_TOKEN = re.compile(r"\$(?:\{(ORIGIN|LIB|PLATFORM)\}|(ORIGIN|LIB|PLATFORM)\b)")
_PYTHON_MODULE = re.compile(r"/(?:site-packages|dist-packages|lib-dynload)/")
_ET_EXEC_OR_DYN = frozenset({2, 3})


class ConfigurationCapture:
    """Keeps where the dynamic loaders of an image are told to look."""

    name = "loader/1"

    def wants(self, path: str, size: int, mode: int) -> bool:  # noqa: ARG002  # the protocol's
        """Whether the file at `path` configures a loader."""
        return (
            path.startswith("/etc/ld")
            and size <= _LARGEST_CONFIGURATION
            and bool(_CONFIGURATION.fullmatch(path))
        )

    def take(self, path: str, content: memoryview) -> bytes | None:
        """All of it, and nothing of the files that others want."""
        return bytes(content) if self.wants(path, len(content), 0) else None


def missing_libraries(files: FileSystem, environment: Mapping[str, str] | None = None) -> tuple[Missing, ...]:
    """Every library that an ELF file in `files` needs and that is not found, the surest first.

    The layers have to be read with an `ElfCapture` and a `ConfigurationCapture`; `environment` is the image's.
    """
    return _Loader(files, environment or {}).missing()


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    path: str
    """Without symbolic links."""
    elf: Elf
    musl: bool = False


@dataclass(slots=True)
class _Loader:
    files: FileSystem
    environment: Mapping[str, str]
    elves: dict[str, _File] = field(default_factory=dict)
    provided: dict[tuple[int, bool, int], dict[str, list[_File]]] = field(default_factory=dict)
    """By architecture and by the name of a file or its SONAME: every library of the image."""
    needing: dict[str, list[_File]] = field(default_factory=dict)
    """By library: what needs it."""
    handed_down: bool = False
    """Whether any file has directories that hold for what it loads as well."""
    configured: tuple[str, ...] = ()
    musl_configured: tuple[str, ...] | None = None
    resolved: dict[tuple[str, tuple[int, bool, int]], str | None] = field(default_factory=dict)

    def missing(self) -> tuple[Missing, ...]:
        self._read()
        self.configured = tuple(self._glibc_configuration("/etc/ld.so.conf", set()))
        found = []
        for file in self.elves.values():
            if file.elf.kind not in _ET_EXEC_OR_DYN:
                continue
            interpreter = file.elf.interpreter
            if interpreter and self.files.resolve(interpreter) is None:
                found.append(
                    Missing(
                        problem=Problem.LOADER_MISSING,
                        kind="elf",
                        path=file.path,
                        name=interpreter,
                        certainty=Certainty.CERTAIN if self._native(file) else Certainty.POSSIBLE,
                    )
                )
                continue
            directories = tuple(dict.fromkeys(self._directories(file)))
            found += [
                Missing(
                    problem=Problem.LIBRARY_MISSING,
                    kind="elf",
                    path=file.path,
                    name=name,
                    certainty=self._certainty(file),
                )
                for name in dict.fromkeys(file.elf.needed)
                if not self._finds(file, name, directories)
            ]
        return tuple(sorted(found, key=lambda each: each.sort_key))

    def _read(self) -> None:
        kinds, inodes = self.files.kinds, self.files.inodes
        for path, number in self.files.visible.items():
            if kinds[inodes.get(number, number)] != Kind.FILE:
                continue
            elf = kept(self.files.content(number))
            if elf is None:
                continue
            file = _File(path=path, elf=elf, musl=_is_musl(elf))
            self.elves[path] = file
            self.handed_down = self.handed_down or bool(elf.rpath) or (file.musl and bool(elf.runpath))
            names = self.provided.setdefault(elf.architecture, {})
            for name in {posixpath.basename(path), elf.soname} - {""}:
                names.setdefault(name, []).append(file)
            for name in elf.needed:
                self.needing.setdefault(name, []).append(file)

    def _glibc_configuration(self, path: str, seen: set[str]) -> Iterator[str]:
        """The directories that a file of `ld.so.conf` names, those of the files that it includes in their place."""
        real = self.files.resolve(path)
        content = None if real is None else self.files.captured(real)
        if content is None or path in seen:
            return
        seen.add(path)
        for raw in content.decode("utf-8", "replace").splitlines():
            line = raw.partition("#")[0].strip()
            if line.startswith("include"):
                for pattern in line.split()[1:]:
                    pattern = posixpath.join(posixpath.dirname(path), pattern)  # noqa: PLW2901  # from its place
                    for included in self._matching(pattern):
                        yield from self._glibc_configuration(included, seen)
            elif line and not line.startswith("hwcap"):
                yield from (
                    part for part in re.split(r"[\s:,]+", line.partition("=")[0]) if part.startswith("/")
                )

    def _matching(self, pattern: str) -> list[str]:
        directory, name = posixpath.split(pattern)
        expression = re.compile(re.escape(name).replace(r"\*", "[^/]*").replace(r"\?", "[^/]"))
        return sorted(
            path
            for path in self.files.listing(self.files.resolve(directory) or directory)
            if expression.fullmatch(posixpath.basename(path))
        )

    def _musl_configuration(self) -> tuple[str, ...]:
        if self.musl_configured is None:
            found = [
                self.files.captured(path) or b""
                for path in self.files.listing("/etc")
                if re.fullmatch(r"/etc/ld-musl-[\w-]+\.path", path)
            ]
            lines = b"\n".join(found).decode("utf-8", "replace")
            self.musl_configured = tuple(part for part in re.split(r"[\n:]+", lines) if part) or _MUSL_DEFAULT
        return self.musl_configured

    def _native(self, file: _File) -> bool:
        """Whether a library that every program needs is there for the file's architecture."""
        others = self.provided.get(file.elf.architecture, {})
        return any(
            name.startswith(("libc.so", "libc.musl-", "ld-musl-", "ld-linux")) for name in others
        ) or not any(other.elf.architecture != file.elf.architecture for other in self.elves.values())

    def _finds(self, file: _File, name: str, directories: tuple[str, ...]) -> bool:
        if "/" in name:
            base = name if name.startswith("/") else posixpath.join(posixpath.dirname(file.path), name)
            return self.files.resolve(base) is not None
        if name.startswith(("linux-vdso.so", "linux-gate.so")):
            return True
        return any(self._opens(directory, name, file.elf) for directory in directories) or (
            self._loaded_before(file, name)
        )

    def _opens(self, directory: str, name: str, elf: Elf) -> bool:
        """Whether the loader takes the library at this place: an ELF file of the same architecture."""
        key = (posixpath.join(directory, name), elf.architecture)
        if key not in self.resolved:
            real = self.files.resolve(key[0])
            # Hardware-specific variants lie below.
            if real is None:
                for below in ("glibc-hwcaps/x86-64-v2", "glibc-hwcaps/x86-64-v3", "tls", "haswell"):
                    real = real or self.files.resolve(posixpath.join(directory, below, name))
            self.resolved[key] = real
        real = self.resolved[key]
        if real is None:
            return False
        other = self.elves.get(real)
        if other is not None:
            return other.elf.architecture == elf.architecture
        # A file whose summary is not there, too large for one for example: that it is there has to be enough.
        return self.files.kind(real) is Kind.FILE and not self._summarised(real)

    def _summarised(self, path: str) -> bool:
        """Whether a look at the file has shown that it is no ELF file."""
        number = self.files.inode(self.files.visible[path])
        layer, row = self.files.place(number)
        mode = self.files.layers[layer].table.modes[row]
        return ElfCapture().wants(self.files.paths[number], self.files.sizes[number], mode)

    def _directories(self, file: _File) -> Iterator[str]:
        """Where the loader looks for what the file needs."""
        elf = file.elf
        own = elf.runpath or elf.rpath
        yield from self._expanded(own, file)
        yield from self._inherited(file)
        yield from (part for part in re.split("[:;]", self.environment.get("LD_LIBRARY_PATH", "")) if part)
        if file.musl or (not elf.interpreter and self._only_musl()):
            yield from self._musl_configuration()
            return
        yield from self.configured
        for triplet in _MULTIARCH.get((elf.machine, elf.bits), ()):
            yield from (f"/lib/{triplet}", f"/usr/lib/{triplet}", f"/usr/local/lib/{triplet}")
        yield from _DEFAULT

    def _only_musl(self) -> bool:
        return any(file.musl for file in self.elves.values()) and not any(
            name == "libc.so.6" for names in self.provided.values() for name in names
        )

    def _inherited(self, file: _File) -> Iterator[str]:
        """Directories from the RPATH of what loads the file; musl hands a RUNPATH down as well."""
        if not self.handed_down:
            return
        names = {posixpath.basename(file.path), file.elf.soname} - {""}
        seen = {file.path}
        pending = [(user, 1) for name in names for user in self.needing.get(name, ())]
        while pending:
            user, depth = pending.pop()
            if user.path in seen or user.elf.architecture != file.elf.architecture:
                continue
            seen.add(user.path)
            if user.elf.rpath and not user.elf.runpath:
                yield from self._expanded(user.elf.rpath, user)
            elif user.musl or file.musl:
                yield from self._expanded(user.elf.runpath, user)
            if depth < _DEEPEST:
                above = {posixpath.basename(user.path), user.elf.soname} - {""}
                pending += [(each, depth + 1) for name in above for each in self.needing.get(name, ())]

    def _expanded(self, directories: Iterable[str], file: _File) -> Iterator[str]:
        """The directories with what stands for the place of the file, the platform and the library directory."""
        triplets = _MULTIARCH.get((file.elf.machine, file.elf.bits), ())
        libraries = (*(f"lib/{triplet}" for triplet in triplets), "lib64", "lib")
        for directory in directories:
            for library in libraries if "LIB" in directory else ("",):
                values = {"ORIGIN": posixpath.dirname(file.path), "PLATFORM": "x86_64", "LIB": library}
                yield posixpath.normpath(_TOKEN.sub(partial(_value, values), directory))

    def _loaded_before(self, file: _File, name: str) -> bool:
        """Whether the library is there at a place of which whoever loads the file takes care.

        A file that nothing else links to is loaded by a program as a plugin, and the program has its own libraries by
        then. Packages load private libraries by path before the modules that need them.
        """
        candidates = [
            other
            for other in self.provided.get(file.elf.architecture, {}).get(name, ())
            if other.path != file.path
        ]
        if not candidates:
            return False
        if file.elf.interpreter and file.elf.kind in _ET_EXEC_OR_DYN and not _is_library(file):
            # A program has to find it itself, or be started by something that sets LD_LIBRARY_PATH.
            return any(_together(file.path, other.path) for other in candidates)
        return True

    def _certainty(self, file: _File) -> Certainty:
        if not self._native(file):
            return Certainty.POSSIBLE
        users = self._users(file)
        if file.elf.interpreter or any(user.elf.interpreter for user in users):
            return Certainty.CERTAIN
        if users or _PYTHON_MODULE.search(file.path) or file.path.endswith(".node"):
            return Certainty.LIKELY
        # A plugin: whoever loads it may have the library already, or never load it.
        return Certainty.POSSIBLE

    def _users(self, file: _File) -> list[_File]:
        names = {posixpath.basename(file.path), file.elf.soname} - {""}
        return [user for name in names for user in self.needing.get(name, ()) if user is not file]


def _value(values: Mapping[str, str], token: re.Match[str]) -> str:
    return values[token[1] or token[2]]


def _is_musl(elf: Elf) -> bool:
    return "ld-musl" in elf.interpreter or any(name.startswith("libc.musl-") for name in elf.needed)


def _is_library(file: _File) -> bool:
    return ".so" in posixpath.basename(file.path)


def _together(program: str, library: str) -> bool:
    """Whether both belong to one thing that was installed under a directory of its own, such as /opt/NAME."""
    shared = posixpath.commonpath([program, library])
    return shared.count("/") > 1 and not shared.startswith(("/usr/", "/lib", "/bin", "/sbin"))
