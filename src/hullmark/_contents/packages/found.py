"""The software in an image that no list of packages names, and the files that should say what they are and do not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullmark._contents import elf
from hullmark._contents.elf_file import ET_REL
from hullmark._contents.packages import go, java, runtimes, rust
from hullmark._contents.packages.embedded import holders
from hullmark.model.inventory import Unrecognised
from hullmark.model.owner import OwnerKind
from hullmark.model.table import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hullmark._contents.elf import Elf
    from hullmark._contents.packages.embedded import Holder
    from hullmark.model.filesystem import FileSystem
    from hullmark.model.owner import Ownership, Package

_BEGINNINGS = (elf.KEPT, java.KEPT, runtimes.KEPT)
_FILES = {int(Kind.FILE), int(Kind.HARDLINK)}


def find_embedded(system: FileSystem, ownership: Ownership) -> tuple[list[Package], list[Unrecognised]]:
    """The packages in programs and archives that can be seen, and the files of which nothing is known.

    The layers have to be read with `ElfCapture`, `JavaCapture` and `RuntimeCapture`.
    """
    search = _Search(system)
    for holder in holders(system, ownership, _BEGINNINGS):
        search.look(holder)
    search.unrecognised += _too_large(system, ownership)
    return search.finished()


class _Search:
    def __init__(self, system: FileSystem) -> None:
        self.unrecognised: list[Unrecognised] = []
        self._packages: list[Package] = []
        self._runtimes = runtimes.Runtimes(system)
        self._silent: list[str] = []

    def look(self, holder: Holder) -> None:
        """Notes what is in one file."""
        program = elf.kept(holder.content)
        archive = None if program is not None else java.kept(holder.content)
        if program is not None:
            self._look_at_program(holder, program)
        elif archive is not None:
            for each in archive.artifacts:
                name = f"{each.group}:{each.name}" if each.group else each.name
                self._packages.append(holder.package(OwnerKind.JAVA, name, each.version, inside=each.inside))
            for inside, reason in archive.failed:
                self._miss(holder, reason, inside)
        elif holder.content.startswith(runtimes.KEPT):
            self._runtimes.add_header(holder)

    def _look_at_program(self, holder: Holder, program: Elf) -> None:
        if program.runtime:
            self._runtimes.add(holder, program.runtime)
        if program.go:
            self._packages += go.modules(holder, program.go, program.modules)
            if "mod\t" not in program.modules:
                self._miss(holder, "a program of Go that does not list its modules")
        if program.crates:
            try:
                self._packages += rust.crates(holder, program.crates)
            except rust.NoList as error:
                self._miss(holder, str(error))
        told = program.runtime or program.go or program.crates or holder.part_of is not None
        if not told and program.kind != ET_REL:
            self._silent.append(holder.path)

    def _miss(self, holder: Holder, reason: str, inside: str = "") -> None:
        # What the distribution brought is known by its package.
        if holder.part_of is None or not holder.part_of.kind.distribution:
            path = f"{holder.path}!/{inside}" if inside else holder.path
            self.unrecognised.append(Unrecognised(path=path, reason=reason))

    def finished(self) -> tuple[list[Package], list[Unrecognised]]:
        """All that was found."""
        # What a runtime brings besides its program needs no name of its own.
        self.unrecognised += [
            Unrecognised(path=path, reason="no package has it, and it does not say what it was built from")
            for path in self._silent
            if not self._runtimes.belongs(path)
        ]
        return [*self._packages, *self._runtimes.packages()], self.unrecognised


def _too_large(system: FileSystem, ownership: Ownership) -> Iterator[Unrecognised]:
    """Programs and archives that were not read, since nothing as large is."""
    smallest = min(elf.LARGEST, java.LARGEST)
    for position, layer in enumerate(system.layers):
        table = layer.table
        if not len(table) or max(table.sizes) <= smallest:
            continue
        for row, size in enumerate(table.sizes):
            number = system.starts[position] + row
            if size <= smallest or system.hidden_by[number] >= 0 or table.kinds[row] not in _FILES:
                continue
            path, owner = system.path(number), ownership.of(number)
            executable = table.modes[row] & elf.EXECUTABLE and size > elf.LARGEST
            archive = path.lower().endswith(java.SUFFIXES) and size > java.LARGEST
            if (executable or archive) and (owner is None or owner.kind is OwnerKind.DIRECTORY):
                yield Unrecognised(path=path, reason=f"its {size} bytes are more than are looked at")
