"""What changed between two images, and what pulling the change costs."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from hullmark.model.owner import required
from hullmark.model.size import format_change, format_size
from hullmark.model.text import shortened

if TYPE_CHECKING:
    from hullmark.model.attribution import Attribution
    from hullmark.model.filesystem import FileSystem
    from hullmark.model.image import ImageConfiguration
    from hullmark.model.owner import OwnerKind, Ownership

_NAMED = 3
"""Growers that a sentence names."""
_LONGEST = 60
"""Characters of an instruction that it quotes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerSize:
    """One layer, as far as a comparison needs it."""

    diff_id: str
    unpacked: int
    text: str = ""
    """The instruction that made it, where that is known."""
    digest: str | None = None
    """Of its blob, where there is one."""
    transfer: int | None = None
    """Bytes of that blob."""
    estimated: bool = False
    """Whether there is no such blob yet, and `transfer` is what compressing the layer has shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """What one owner has of the final file system, and through which instruction."""

    kind: OwnerKind
    name: str
    version: str = ""
    text: str = ""
    """The instruction that wrote it, empty where that is not known."""
    bytes: int
    files: int
    why: tuple[str, ...] = ()
    """See `Package.why`."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Contents:
    """An image as one side of a comparison: all of it, or what a saved report still tells."""

    reference: str
    unpacked: int
    visible: int | None = None
    transfer: int | None = None
    configuration: ImageConfiguration | None = None
    settings: tuple[tuple[str, str], ...] | None = None
    """What is known of the configuration where it is not there itself: by name, without secrets."""
    layers: tuple[LayerSize, ...] = ()
    files: FileSystem | None = None
    ownership: Ownership | None = None
    attribution: Attribution | None = None
    holdings: tuple[Holding, ...] | None = None
    """They sum up to `visible`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """One of the sizes of an image; `None` where a side does not tell."""

    name: str
    """`transfer`, `unpacked`, `visible` or `masked`."""
    before: int | None
    after: int | None

    @property
    def delta(self) -> int | None:
        """By how much it grew."""
        return None if self.before is None or self.after is None else self.after - self.before


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingChange:
    """One setting of the configuration that changed; `None` where it was not set."""

    name: str
    """For example `User`, `Env.PATH` or `Labels.org.opencontainers.image.version`."""
    before: str | None
    after: str | None


class Aspect(enum.StrEnum):
    """What of a file changed."""

    KIND = "kind"
    SIZE = "size"
    MODE = "mode"
    OWNER = "owner"
    TARGET = "target"
    CONTENT = "content"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileChange:
    """One path that is not the same in both; a side where it does not exist has `None`."""

    path: str
    before: int | None
    """Bytes."""
    after: int | None
    aspects: frozenset[Aspect] = frozenset()
    """What changed of a file that both have."""

    @property
    def delta(self) -> int:
        """By how much it grew."""
        return (self.after or 0) - (self.before or 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerChange:
    """A package, or a directory that no package owns, whose version or size changed."""

    kind: OwnerKind
    name: str
    before: tuple[str, ...]
    """Versions, sorted; none where it was not there."""
    after: tuple[str, ...]
    bytes_before: int
    bytes_after: int
    text: str = ""
    """The instruction through which most of it came, or comes no more."""
    why: tuple[str, ...] = ()
    """Why it is there, or was where it is no more: see `Package.why`."""

    @property
    def delta(self) -> int:
        """By how much it grew."""
        return self.bytes_after - self.bytes_before

    @property
    def upgraded(self) -> bool:
        """Whether both have it, in other versions."""
        return bool(self.before and self.after) and self.before != self.after

    def __str__(self) -> str:
        versions = " -> ".join(", ".join(each) for each in (self.before, self.after) if any(each))
        if self.before == self.after:
            versions = ", ".join(self.after)
        return f"{self.name} {versions}".strip()


class Plan(enum.StrEnum):
    """Another way to lay out what a squash holds."""

    UNSQUASHED = "unsquashed"
    """The layers of the stage that it is a copy of, as they are."""
    PER_INSTRUCTION = "per-instruction"
    """The layers of the base image as they are, and a layer for what each instruction has left, whatever lies below."""
    PER_OWNER = "per-owner"
    """A layer for each kind of owner, where the stage is not at hand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What the same update would take, were the image laid out otherwise."""

    plan: Plan
    bytes: int
    """Compressed or not, as in `Update`."""
    pulled: int
    """Layers that a host would pull."""
    layers: int
    """Layers that there would be."""
    estimated: bool
    """Whether which layers changed was concluded from the files, or sizes from those of others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """What a host that has one image must pull for the next; manifest and configuration, some kB, not counted."""

    previous: str
    """The image that the host has."""
    bytes: int
    compressed: bool
    """Whether `bytes` are those of compressed blobs; where these are not known, unpacked sizes stand in for them."""
    pulled: tuple[str, ...]
    """Diff IDs of the layers that it lacks, from the bottom up."""
    kept: tuple[str, ...]
    """Diff IDs of those that it has."""
    estimated: bool = False
    """Whether some of the blobs are not there yet: their layers were compressed to measure them."""
    squashed: bool = False
    """Whether a layer that it lacks is a copy of a whole stage."""
    layouts: tuple[Layout, ...] = ()
    """Of a squashed image, what other layouts would take, as far as both images are at hand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerDifference:
    """The layers of two images, told by their diff IDs."""

    shared: tuple[LayerSize, ...]
    removed: tuple[LayerSize, ...]
    added: tuple[LayerSize, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What changed between two images. Of what one side does not tell there is `None`."""

    before: str
    after: str
    totals: tuple[Total, ...]
    settings: tuple[SettingChange, ...] | None
    layers: LayerDifference
    update: Update
    files: tuple[FileChange, ...] | None
    """By path."""
    owners: tuple[OwnerChange, ...] | None
    """The one that grew or shrank most first; their deltas sum up to that of `visible`."""
    unconfigured: tuple[Literal["left", "right"], ...] = ()
    """The sides that do not tell their configuration, for which `settings` is `None`."""

    @property
    def empty(self) -> bool:
        """Whether nothing changed that both sides tell of."""
        return not (
            self.settings
            or self.files
            or self.owners
            or self.layers.removed
            or self.layers.added
            or any(total.delta for total in self.totals)
        )

    @property
    def told(self) -> bool:
        """Whether both sides tell everything: of a report that was kept, not all is known."""
        known = (self.files, self.owners, self.settings, self.total("unpacked").delta)
        return all(each is not None for each in known)

    def total(self, name: str) -> Total:
        """The size called `name`."""
        return next(total for total in self.totals if total.name == name)

    @property
    def why(self) -> str:
        """Why it grew or shrank, in one sentence whose figures add up to the change."""
        visible = self.total("visible")
        if visible.delta is None or self.owners is None:
            unpacked = self.total("unpacked").delta or 0
            return f"{_direction(unpacked, 'unpacked')}; whose bytes these are is not known on both sides."
        delta = visible.delta
        movers = [owner for owner in self.owners if owner.delta]
        whole = self.total("unpacked").delta
        also = "" if whole is None or whole == delta else f" ({format_change(whole)} unpacked)"
        if not movers:
            return f"Its visible files take as much space as before{also}."
        named = [owner for owner in movers if delta == 0 or (owner.delta > 0) == (delta > 0)][:_NAMED]
        parts = [
            f"{owner} ({owner.kind}{required(owner.why)}) {format_change(owner.delta)}"
            + (f" through `{shortened(owner.text, _LONGEST)}`" if owner.text else "")
            for owner in named
        ]
        others = len(movers) - len(named)
        if others:
            rest = delta - sum(owner.delta for owner in named)
            parts.append(f"{others} {'other' if others == 1 else 'others'} {format_change(rest)}")
        return f"{_direction(delta, 'visible')}{also}: {', '.join(parts)}."


def _direction(delta: int, total: str) -> str:
    """Which way the size called `total` went."""
    if delta == 0:
        return f"Its {total} size is as before"
    return f"Its {total} size {'grew' if delta > 0 else 'shrank'} by {format_size(abs(delta))}"
