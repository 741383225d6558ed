"""What an update of a squashed image would take, were the image laid out otherwise.

A squash is one layer, so any change has all of it pulled. Where the stages of both images are at hand, their layers are
compared as they are. Otherwise it is concluded from the files which of them changed: a layer did when one of the files
that it wrote is not in the previous image as it is now, or when it was run again on top of one that did.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hullmark._contents.pulled import layer_sizes, pulled
from hullmark.model.attribution import Told
from hullmark.model.difference import Layout, Plan
from hullmark.model.owner import OwnerKind
from hullmark.model.table import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from hullmark.model.attribution import Squash
    from hullmark.model.difference import Contents, LayerSize
    from hullmark.model.filesystem import FileSystem
    from hullmark.model.owner import Ownership

_KEPT_UPON_CHANGES = frozenset({"ADD", "COPY"})
"""What makes the same layer again on top of other ones, from the same sources."""
_NOWHERE = -1


def layouts(before: Contents, after: Contents, *, compressed: bool) -> tuple[Layout, ...]:
    """What other layouts of `after` would take, of which a squash has to be pulled; nothing where files are not known.

    With `compressed`, in bytes of compressed blobs.
    """
    if before.files is None or after.files is None or after.attribution is None:
        return ()
    measure = _Measure.of(after.layers, compressed=compressed)
    found = (
        _unsquashed(before, after, after.files, before.files, measure),
        _split(before, after, after.files, before.files, measure),
    )
    return tuple(layout for layout in found if layout is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Piece:
    """One layer of a layout."""

    unpacked: int
    transfer: int | None = None
    estimated: bool = False
    lacking: bool

    @classmethod
    def of(cls, layer: LayerSize, *, lacking: bool) -> _Piece:
        return cls(
            unpacked=layer.unpacked, transfer=layer.transfer, estimated=layer.estimated, lacking=lacking
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Measure:
    """How large layers are that do not exist."""

    ratio: float | None
    """Compressed bytes for each byte of the image; `None` where sizes are not those of compressed blobs."""

    @classmethod
    def of(cls, layers: Iterable[LayerSize], *, compressed: bool) -> _Measure:
        if not compressed:
            return cls(ratio=None)
        known = [(layer.transfer, layer.unpacked) for layer in layers if layer.transfer is not None]
        unpacked = sum(size for _, size in known)
        return cls(ratio=sum(transfer for transfer, _ in known) / unpacked if unpacked else 1.0)

    def layout(self, plan: Plan, pieces: Sequence[_Piece], *, estimated: bool) -> Layout:
        lacking = [piece for piece in pieces if piece.lacking]
        scaled = self.ratio is not None and any(
            piece.transfer is None or piece.estimated for piece in lacking
        )
        return Layout(
            plan=plan,
            bytes=sum(map(self._size, lacking)),
            pulled=len(lacking),
            layers=len(pieces),
            estimated=estimated or scaled,
        )

    def _size(self, piece: _Piece) -> int:
        if self.ratio is None:
            return piece.unpacked
        return round(piece.unpacked * self.ratio) if piece.transfer is None else piece.transfer


def _unsquashed(
    before: Contents, after: Contents, files: FileSystem, previous: FileSystem, measure: _Measure
) -> Layout | None:
    """With the layers of the stages, where those of `after` are at hand."""
    own, there = _expanded(after), _expanded(before)
    if own is None or after.attribution is None:
        return None
    if there is not None:
        kept, lacking = pulled(there, own)
        pieces = [_Piece.of(layer, lacking=True) for layer in lacking]
        pieces += [_Piece.of(layer, lacking=False) for layer in kept]
        return measure.layout(Plan.UNSQUASHED, pieces, estimated=False)
    pieces = list(_others(before, after))
    for squash in after.attribution.squashes:
        changed = _changed(squash, files, previous)
        below = False
        for number, (layer, step) in enumerate(zip(layer_sizes(squash.stage), squash.steps, strict=True)):
            lacks = number in changed or (below and step.keyword not in _KEPT_UPON_CHANGES)
            below = below or lacks
            pieces.append(_Piece.of(layer, lacking=lacks))
    return measure.layout(Plan.UNSQUASHED, pieces, estimated=True)


def _split(
    before: Contents, after: Contents, files: FileSystem, previous: FileSystem, measure: _Measure
) -> Layout | None:
    """With a layer for each instruction, or where a stage is not at hand, for each kind of owner."""
    attribution = after.attribution
    assert attribution is not None
    pieces = list(_others(before, after))
    at_hand = {squash.layer: squash for squash in attribution.squashes}
    for layer in attribution.whole:
        squash = at_hand.get(layer)
        if squash is not None:
            pieces += _by_instruction(squash, files, previous)
        elif after.ownership is not None:
            pieces += _by_owner(layer, files, previous, after.ownership)
        else:
            return None
    followed = len(at_hand) == len(attribution.whole)
    return measure.layout(Plan.PER_INSTRUCTION if followed else Plan.PER_OWNER, pieces, estimated=True)


def _others(before: Contents, after: Contents) -> Iterator[_Piece]:
    """The layers that are no squash."""
    assert after.attribution is not None
    whole = {after.layers[index].diff_id for index in after.attribution.whole}
    for lacking, layers in enumerate(pulled(before.layers, after.layers)):
        for layer in layers:
            if layer.diff_id not in whole:
                yield _Piece.of(layer, lacking=bool(lacking))


def _expanded(contents: Contents) -> tuple[LayerSize, ...] | None:
    """The layers, those of the stages in place of their squashes; `None` where one of these is not at hand."""
    attribution = contents.attribution
    if attribution is None or len(attribution.squashes) != len(attribution.whole):
        return None
    stages = {squash.layer: squash.stage for squash in attribution.squashes}
    found: list[LayerSize] = []
    for index, layer in enumerate(contents.layers):
        found += layer_sizes(stages[index]) if index in stages else (layer,)
    return tuple(found)


def _by_instruction(squash: Squash, files: FileSystem, previous: FileSystem) -> Iterator[_Piece]:
    changed = _changed(squash, files, previous)
    table = files.layers[squash.layer].table
    sizes: dict[int, int] = {}
    for row, writer in enumerate(squash.writers):
        sizes[writer] = sizes.get(writer, 0) + table.sizes[row]
    for number, (layer, step) in enumerate(zip(layer_sizes(squash.stage), squash.steps, strict=True)):
        if step.told is Told.BASE:
            yield _Piece.of(layer, lacking=number in changed)
        elif number in sizes:
            yield _Piece(unpacked=sizes[number], lacking=number in changed)
    if sizes.get(_NOWHERE):
        yield _Piece(unpacked=sizes[_NOWHERE], lacking=_NOWHERE in changed)


def _by_owner(layer: int, files: FileSystem, previous: FileSystem, ownership: Ownership) -> Iterator[_Piece]:
    table, start = files.layers[layer].table, files.starts[layer]
    sizes: dict[tuple[OwnerKind, str], int] = {}
    changed: set[tuple[OwnerKind, str]] = set()
    for row in range(len(table)):
        owner = ownership.of(start + row)
        if owner is not None:
            group = (owner.kind, owner.name if owner.kind is OwnerKind.DIRECTORY else "")
            sizes[group] = sizes.get(group, 0) + table.sizes[row]
            if group not in changed and not _same(files, start + row, previous):
                changed.add(group)
    for group, size in sizes.items():
        yield _Piece(unpacked=size, lacking=group in changed)


def _changed(squash: Squash, files: FileSystem, previous: FileSystem) -> set[int]:
    """The layers of the stage that wrote what is not in `previous` as it is now, or something beside what is gone."""
    table, start = files.layers[squash.layer].table, files.starts[squash.layer]
    changed: set[int] = set()
    topmost: dict[str, int] = {}
    for row, writer in enumerate(squash.writers):
        if table.kinds[row] == Kind.DIRECTORY:
            continue
        directory = posixpath.dirname(table.paths[row])
        topmost[directory] = max(topmost.get(directory, _NOWHERE), writer)
        if writer not in changed and not _same(files, start + row, previous):
            changed.add(writer)
    for path, number in previous.visible.items():
        if path not in files.visible and previous.kinds[previous.inode(number)] != Kind.DIRECTORY:
            # What wrote it is known no more; most likely it wrote what lies beside it as well.
            nearest = _nearest(path, topmost)
            if nearest is not None:
                changed.add(nearest)
    return changed


def _nearest(path: str, topmost: Mapping[str, int]) -> int | None:
    directory = posixpath.dirname(path)
    while directory not in topmost and directory != "/":
        directory = posixpath.dirname(directory)
    return topmost.get(directory)


def _same(files: FileSystem, number: int, previous: FileSystem) -> bool:
    """Whether `previous` has the entry as it is, so that a layer with it would be the same."""
    other = previous.visible.get(files.path(number))
    if other is None:
        return False
    number, other = files.inode(number), previous.inode(other)
    kind = files.kinds[number]
    if kind != previous.kinds[other]:
        return False
    (layer, row), (its_layer, its_row) = files.place(number), previous.place(other)
    table, its = files.layers[layer].table, previous.layers[its_layer].table
    if (table.uids[row], table.gids[row]) != (its.uids[its_row], its.gids[its_row]):
        return False
    if kind == Kind.SYMLINK:
        return table.links.get(row) == its.links.get(its_row)
    if table.modes[row] != its.modes[its_row]:
        return False
    if kind != Kind.FILE:
        return True
    digest, its_digest = table.digest(row), its.digest(its_row)
    return (
        table.sizes[row] == its.sizes[its_row]
        and table.mtimes[row] == its.mtimes[its_row]
        and (digest is None or its_digest is None or digest == its_digest)
    )
