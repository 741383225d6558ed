"""What takes the space in an image, for a person and for a program."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec

from hullmark import __version__
from hullmark._reporters.document import schema_of, written
from hullmark._reporters.update import (
    UpdateU1,  # noqa: TC001  # msgspec reads the annotations
    update_described,
    update_lines,
)
from hullmark.model.owner import OwnerKind, required
from hullmark.model.size import format_size
from hullmark.model.text import printable, shortened

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hullmark._reporters.interface import Style
    from hullmark.model.anatomy import Anatomy
    from hullmark.model.attribution import Origin
    from hullmark.model.difference import Update

SCHEMA = "hullmark/size/1"
_SIZE_COLUMN = 11
_FILES_COLUMN = 8
_NARROWEST = 20
_NAMED = 5
"""Files that are named of those that are equal."""


def text(
    anatomy: Anatomy, style: Style, *, views: Iterable[str], top: int, update: Update | None = None
) -> Iterator[str]:
    """The lines of the report; `top` rows of each of `views`, and what `update` to the image takes."""
    image, files = anatomy.image, anatomy.files
    yield f"{printable(image.reference)}  {image.platform}\n"
    yield f"  {printable(image.how)}\n" if image.how else ""
    transfer = "not known" if image.transfer is None else format_size(image.transfer)
    transfer += " (estimated)" if image.estimated else ""
    yield (
        f"  unpacked {format_size(files.unpacked)}, visible {format_size(files.visible_bytes)}, "
        f"masked {format_size(files.masked_bytes)}, transfer {transfer}\n"
    )
    yield f"  {_counted(anatomy)}\n"
    for view in views:
        yield "\n"
        yield from _view(anatomy, view, style, top)
    yield "\n"
    yield from _savings(anatomy, style)
    yield from _equal(anatomy, style, top)
    if update is not None:
        yield "\n"
        yield from update_lines(update, style)
    for note in (*anatomy.notes, *_unknown(anatomy)):
        yield f"note: {printable(note)}\n"


def _view(anatomy: Anatomy, view: str, style: Style, top: int) -> Iterator[str]:
    rows: list[tuple[int, int | None, str]]
    title = f"by {view}"
    match view:
        case "layer":
            rows = [
                (layer.unpacked, layer.table.files, f"{number} {step.text}")
                for number, (layer, step) in enumerate(
                    zip(anatomy.image.layers, anatomy.attribution.steps, strict=True), 1
                )
            ]
            title = "by layer, from the bottom up"
        case "instruction":
            rows = [(each.bytes, each.files, _told(each.origin)) for each in anatomy.shares]
            title = f"by instruction ({anatomy.attributed:.1%} of the bytes are known)"
        case "owner":
            rows = [
                (each.bytes, each.files, f"{each.owner} ({each.owner.kind}){required(each.why)}")
                for each in anatomy.owners
                # What has nothing but masked files takes no space that anybody sees.
                if each.files
            ]
            title = f"by owner ({_packaged(anatomy):.1%} of the bytes are of packages, the rest goes by directory)"
        case _:
            rows = [(each.bytes, each.files, each.path) for each in anatomy.directories]
    yield f"{title}\n"
    room = max(style.width - _SIZE_COLUMN - _FILES_COLUMN - 2, _NARROWEST)
    for size, count, label in rows[:top]:
        shown = shortened(printable(label), room)
        yield f"{format_size(size):>{_SIZE_COLUMN}}{count or 0:>{_FILES_COLUMN},}  {shown}\n"
    if len(rows) > top:
        rest = sum(size for size, _, _ in rows[top:]) if view != "path" else None
        left = "" if rest is None else f" with {format_size(rest)}"
        yield f"{'':>{_SIZE_COLUMN + _FILES_COLUMN}}  and {len(rows) - top:,} more{left}\n"


def _packaged(anatomy: Anatomy) -> float:
    """The part of what is visible that packages own."""
    whole = sum(each.bytes for each in anatomy.owners)
    packages = sum(each.bytes for each in anatomy.owners if each.owner.kind is not OwnerKind.DIRECTORY)
    return packages / whole if whole else 0.0


def _counted(anatomy: Anatomy) -> str:
    """What else there is: in the tables, files are regular files, and one with several names counts once."""
    counts = anatomy.counts
    masked = f" and {counts.masked_files:,} masked" if counts.masked_files else ""
    files = _number(counts.files, "file", "files")
    directories = _number(counts.directories, "directory", "directories")
    return f"{files}{masked}, {directories}, {_number(counts.links, 'link', 'links')}"


def _number(count: int, one: str, more: str) -> str:
    return f"{count:,} {one if count == 1 else more}"


def _told(origin: Origin) -> str:
    """The place first: it is short, and what one goes to."""
    last = origin.chain[-1]
    place = last if last.span is not None else origin
    where = "" if place.span is None else f"{place.span.path.rpartition('/')[2]}:{place.span.line} "
    through = "" if place is origin else f" (through {origin.keyword})"
    return f"{where}{place.text}{through}"


def _savings(anatomy: Anatomy, style: Style) -> Iterator[str]:
    saved = anatomy.reclaim
    rows = [(saved.squash, "a squash: what later layers hide")] if saved.squash else []
    rows += [
        (each.bytes, f"{each.waste} ({_number(each.files, 'file', 'files')})")
        for each in saved.savings
        if each.bytes
    ]
    if not rows:
        yield "nothing that could be saved was found\n"
        return
    yield "could be saved\n"
    for size, label in rows:
        yield f"{format_size(size):>{_SIZE_COLUMN}}  {label}\n"
    for pair in saved.hidden[:3]:
        room = max(style.width - 4, _NARROWEST)
        for line in (
            f"{format_size(pair.bytes)} of `{printable(str(pair.written))}`",
            f"  hidden by `{printable(str(pair.hidden))}`",
        ):
            yield f"  {shortened(line, room)}\n"


def _unknown(anatomy: Anatomy) -> Iterator[str]:
    if anatomy.image.transfer is None:
        yield "what a host pulls is not known: `--transfer` estimates it"


def _equal(anatomy: Anatomy, style: Style, top: int) -> Iterator[str]:
    """Files of one content, where contents were read."""
    if all(layer.table.digests is None for layer in anatomy.image.layers):
        return
    groups = anatomy.reclaim.duplicates
    if not groups:
        yield "\nno two files are equal\n"
        return
    yield "\nequal files: what all but one of them take, and where they are\n"
    room = max(style.width - _SIZE_COLUMN - _FILES_COLUMN - 2, _NARROWEST)
    for each in groups[:top]:
        figures = f"{format_size(each.wasted):>{_SIZE_COLUMN}}{len(each.paths):>{_FILES_COLUMN}}"
        for path in each.paths[:_NAMED]:
            yield f"{figures}  {shortened(printable(path), room)}\n"
            figures = " " * len(figures)
        if len(each.paths) > _NAMED:
            yield f"{figures}  and {len(each.paths) - _NAMED:,} more\n"
    if len(groups) > top:
        rest = format_size(sum(each.wasted for each in groups[top:]))
        yield f"{'':>{_SIZE_COLUMN + _FILES_COLUMN}}  and {len(groups) - top:,} more with {rest}\n"


# --- for programs ----------------------------------------------------------------------------------------------------


class ToolS1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What wrote it."""

    name: Literal["hullmark"]
    version: str


class SizesS1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The sizes of an image in bytes.

    `transfer` is null where its blobs are not known, and estimated where layers were compressed to measure it.
    """

    transfer: int | None
    transfer_estimated: bool
    unpacked: int
    visible: int
    masked: int


class CountsS1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many things there are; everywhere else `files` are regular files as well, one with several names once.

    `links` are symbolic links, and the further names of files with several.
    """

    files: int
    masked_files: int
    directories: int
    links: int


class OriginS1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What wrote a file: an instruction, with its place where the Dockerfile is known."""

    told: str
    text: str
    stage: str | None
    path: str | None
    line: int | None
    end_line: int | None = None


class LayerS1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One layer, from the bottom up."""

    diff_id: str
    digest: str | None
    transfer: int | None
    unpacked: int
    masked: int
    files: int
    step: OriginS1


class ShareS1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one instruction has of the final file system; `chain` leads from the image to the first writer."""

    bytes: int
    files: int
    chain: list[OriginS1]


class OwnerS1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one owner has of the final file system, and what of it is masked.

    `why` leads from a package that somebody asked for, or that nobody requires, to this one, by name; it is empty where
    that is not known, and for what is no package of Python or npm.
    """

    kind: str
    name: str
    version: str | None
    bytes: int
    files: int
    masked: int
    why: list[str]


class PathS1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A directory with everything below it."""

    path: str
    bytes: int
    files: int


class HiddenS1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Bytes that one step wrote and another hides."""

    bytes: int
    files: int
    written: OriginS1
    hidden: OriginS1


class SavingS1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One kind of bytes that could be done without; no byte is in two of them."""

    waste: str
    bytes: int
    files: int


class DuplicateS1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Files of one content."""

    size: int
    paths: list[str]


class SizeReportS1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is in an image."""

    schema: Literal["hullmark/size/1"]
    tool: ToolS1
    reference: str
    how: str
    digest: str | None
    config_digest: str
    platform: str
    size: SizesS1
    counts: CountsS1
    attributed: float
    layers: list[LayerS1]
    instructions: list[ShareS1]
    owners: list[OwnerS1]
    paths: list[PathS1]
    settings: dict[str, str]
    """Its configuration by name, without the secrets in it."""
    squash: int
    hidden: list[HiddenS1]
    savings: list[SavingS1]
    duplicates: list[DuplicateS1]
    update: UpdateU1 | None
    notes: list[str]


def json(anatomy: Anatomy, update: Update | None = None) -> str:
    """The report as JSON, with what `update` to the image takes."""
    image, files, saved, counts = anatomy.image, anatomy.files, anatomy.reclaim, anatomy.counts
    described = SizeReportS1(
        schema="hullmark/size/1",
        tool=ToolS1(name="hullmark", version=__version__),
        reference=image.reference,
        how=image.how,
        digest=None if image.digest is None else str(image.digest),
        config_digest=str(image.config_digest),
        platform=image.platform,
        size=SizesS1(
            transfer=image.transfer,
            transfer_estimated=image.estimated,
            unpacked=files.unpacked,
            visible=files.visible_bytes,
            masked=files.masked_bytes,
        ),
        counts=CountsS1(
            files=counts.files,
            masked_files=counts.masked_files,
            directories=counts.directories,
            links=counts.links,
        ),
        attributed=round(anatomy.attributed, 6),
        layers=[
            LayerS1(
                diff_id=str(layer.diff_id),
                digest=None if layer.digest is None else str(layer.digest),
                transfer=layer.transfer,
                unpacked=layer.unpacked,
                masked=masked,
                files=layer.table.files,
                step=_origin(step),
            )
            for layer, step, masked in zip(
                image.layers, anatomy.attribution.steps, anatomy.masked, strict=True
            )
        ],
        instructions=[
            ShareS1(bytes=each.bytes, files=each.files, chain=[_origin(one) for one in each.origin.chain])
            for each in anatomy.shares
        ],
        owners=[
            OwnerS1(
                kind=str(each.owner.kind),
                name=each.owner.name,
                version=each.owner.version or None,
                bytes=each.bytes,
                files=each.files,
                masked=each.masked_bytes,
                why=list(each.why),
            )
            for each in anatomy.owners
        ],
        paths=[PathS1(path=each.path, bytes=each.bytes, files=each.files) for each in anatomy.directories],
        settings=dict(anatomy.settings),
        squash=saved.squash,
        hidden=[
            HiddenS1(
                bytes=each.bytes,
                files=each.files,
                written=_origin(each.written),
                hidden=_origin(each.hidden),
            )
            for each in saved.hidden
        ],
        savings=[
            SavingS1(waste=str(each.waste), bytes=each.bytes, files=each.files) for each in saved.savings
        ],
        duplicates=[DuplicateS1(size=each.size, paths=list(each.paths)) for each in saved.duplicates],
        update=None if update is None else update_described(update),
        notes=list(anatomy.notes),
    )
    return written(described)


def schema() -> dict[str, Any]:
    """The JSON Schema of what `json` writes."""
    return schema_of(SizeReportS1, SCHEMA)


def _origin(origin: Origin) -> OriginS1:
    return OriginS1(
        told=str(origin.told),
        text=origin.text,
        stage=origin.stage or None,
        path=None if origin.span is None else origin.span.path,
        line=None if origin.span is None else origin.span.line,
        end_line=None if origin.span is None else origin.span.end_line or origin.span.line,
    )
