"""Interpreters of Python and Node.js that no package brought, as official images have them.

The program says its version, or the library that it is made of, or the headers beside it, for those who compile.
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from hullmark.model.owner import OwnerKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hullmark._contents.packages.embedded import Holder
    from hullmark.model.filesystem import FileSystem
    from hullmark.model.owner import Package

KEPT = b"\0runtime/1\0"
"""Begins what is kept of a header: no file that others keep whole begins like this."""
_LARGEST = 1 << 16
_HEADER = re.compile(
    r"(?P<prefix>.*)/include/(?:(?P<python>python3\.\d+t?)/patchlevel\.h|node/node_version\.h)", re.DOTALL
)
_ENDS = ("/patchlevel.h", "/node_version.h")
_PYTHON = re.compile(rb"#\s*define\s+PY_VERSION\s+\"(3\.\d{1,3}\.\d{1,4}(?:(?:a|b|rc)\d{1,3})?)\+?\"")
_NODE = tuple(
    re.compile(rb"#\s*define\s+NODE_%s_VERSION\s+(\d{1,4})\b" % part)
    for part in (b"MAJOR", b"MINOR", b"PATCH")
)


class RuntimeCapture:
    """Keeps the versions that headers of runtimes tell."""

    name = "runtimes/1"

    def wants(self, path: str, size: int, mode: int) -> bool:  # noqa: ARG002  # the protocol's
        """Whether it is such a header."""
        return path.endswith(_ENDS) and size <= _LARGEST and _HEADER.fullmatch(path) is not None

    def take(self, path: str, content: memoryview) -> bytes | None:
        """The version in it; nothing of files that others want."""
        if not self.wants(path, len(content), 0):
            return None
        if path.endswith(_ENDS[0]):
            found = _PYTHON.search(content)
            return KEPT + found[1] if found else None
        parts = [found[1] for each in _NODE if (found := each.search(content))]
        return KEPT + b".".join(parts) if len(parts) == len(_NODE) else None


class Runtimes:
    """The runtimes of one image: each once, though a program, a library and headers may tell of it."""

    def __init__(self, system: FileSystem) -> None:
        self._system = system
        self._found: dict[tuple[str, str, str], tuple[int, Holder]] = {}

    def add(self, holder: Holder, version: str) -> None:
        """A program or a library of the runtime, and the version that is in it."""
        name = posixpath.basename(holder.path)
        self._note(
            _prefix(holder.path), "node" if name == "node" else "python", version, holder, "lib" in name
        )

    def add_header(self, holder: Holder) -> None:
        """A header of a runtime, which counts where its program is there."""
        match = _HEADER.fullmatch(holder.path)
        if match is None:
            return
        prefix, program = match["prefix"], match["python"] or "node"
        there = [f"{prefix}/bin/{program}", f"{prefix}/lib/lib{program}.so.1.0"]
        if any(self._system.resolve(path) in self._system.visible for path in there):
            version = holder.content[len(KEPT) :].decode("ascii", "replace")
            self._note(prefix, "python" if match["python"] else "node", version, holder, 2)

    def _note(self, prefix: str, name: str, version: str, holder: Holder, rank: int) -> None:
        if holder.part_of is not None and holder.part_of.kind.distribution:
            return
        known = self._found.get((prefix, name, version))
        if known is None or (rank, holder.path) < (known[0], known[1].path):
            self._found[prefix, name, version] = rank, holder

    def packages(self) -> Iterator[Package]:
        """Every runtime, told of by its program where that can."""
        for (_, name, version), (_, holder) in sorted(self._found.items(), key=lambda item: item[0]):
            yield holder.package(OwnerKind.RUNTIME, name, version, declared=True)

    def belongs(self, path: str) -> bool:
        """Whether a program or a library at `path` is a part of one of them, or came with it."""
        for prefix, name, version in self._found:
            full = name if name == "node" else f"{name}{'.'.join(version.split('.')[:2])}"
            modules = "node_modules" if name == "node" else full
            beginnings = (
                f"{prefix}/lib/{modules}/",
                f"{prefix}/lib64/{modules}/",
                f"{prefix}/lib/libpython3.",
            )
            if path == f"{prefix}/bin/{full}" or path.startswith(beginnings):
                return True
        return False


def _prefix(path: str) -> str:
    """Where a runtime is installed whose program or library is at `path`."""
    directory, _, name = posixpath.dirname(path).rpartition("/")
    return directory if name in {"bin", "lib", "lib64"} else posixpath.dirname(path)
