"""Everything that is known of what is in one image."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from hullmark.model.space import Counts
from hullmark.model.table import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hullmark.model.attribution import Attribution, Origin, Share
    from hullmark.model.filesystem import FileSystem
    from hullmark.model.image import Image
    from hullmark.model.location import SourceSpan
    from hullmark.model.owner import Ownership
    from hullmark.model.reclaim import Reclaim
    from hullmark.model.space import OwnerSpace, PathSpace

_NO_STAGES: Mapping[int, Image] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Anatomy:
    """One image: its files, whose they are, what wrote them, and what could be done without."""

    image: Image
    files: FileSystem
    ownership: Ownership
    attribution: Attribution
    reclaim: Reclaim
    settings: tuple[tuple[str, str], ...]
    """Its configuration by name, without the secrets in it."""
    shares: tuple[Share, ...]
    """What each instruction has of the final file system, the largest first."""
    owners: tuple[OwnerSpace, ...]
    """What each owner has of it, the largest first."""
    tops: tuple[PathSpace, ...]
    """What lies directly in the root, the largest first."""
    directories: tuple[PathSpace, ...]
    """Every directory with what is below it, the largest first."""
    stages: Mapping[int, Image] = field(default_factory=lambda: _NO_STAGES)
    """Images of the stages that it was copied from, by their index, as far as they are at hand."""
    notes: tuple[str, ...] = ()
    """What could not be told, and why, in a sentence each."""

    @property
    def attributed(self) -> float:
        """The part of the visible bytes whose instruction is known, from 0 to 1."""
        visible = self.files.visible_bytes
        known = sum(share.bytes for share in self.shares if share.origin.told.attributed)
        return known / visible if visible else 1.0

    @property
    def masked(self) -> tuple[int, ...]:
        """Bytes of each layer, from the bottom up, that can no longer be reached."""
        masked = [0] * len(self.image.layers)
        for each in self.files.masked():
            masked[self.files.layer_of(each.number)] += each.size
        return tuple(masked)

    @property
    def counts(self) -> Counts:
        """How many files, directories and links it has."""
        files = self.files
        kinds = Counter(map(files.kinds.__getitem__, files.visible.values()))
        seen = sum(each.files for each in self.owners)
        return Counts(
            files=seen,
            masked_files=sum(each.masked_files for each in self.owners),
            directories=kinds[Kind.DIRECTORY] + len(files.implied) - ("/" in files.visible),
            links=kinds[Kind.SYMLINK] + kinds[Kind.HARDLINK] + kinds[Kind.FILE] - seen,
        )

    def instruction(self, path: str, layer: int | None = None) -> SourceSpan | None:
        """The instruction that wrote the file at `path`, in the layer at that position where one is given.

        Where it was copied from another stage, that is the one that wrote it there, as far as it is known.
        """
        files = self.files
        number = files.visible.get(path)
        if layer is not None and (number is None or files.layer_of(number) != layer):
            end = files.starts[layer + 1] if layer + 1 < len(files.starts) else len(files.paths)
            here = range(files.starts[layer], end)
            number = next((each for each in here if files.path(each) == path), None)
        if number is None:
            return None
        return self.attribution.origin(*files.place(number)).first.span

    def hider(self, layer: int, row: int) -> Origin | None:
        """The step of a later layer that took the name of the entry in `row` of that layer away, where one did."""
        by = self.files.hidden_by[self.files.starts[layer] + row]
        if by < 0 or self.files.layer_of(by) == layer:
            return None
        return self.attribution.steps[self.files.layer_of(by)]
