"""What changed between two images, for a person and for a program."""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from hullmark import __version__
from hullmark._reporters.document import schema_of, written
from hullmark._reporters.update import (
    UpdateU1,  # noqa: TC001  # msgspec reads the annotations
    update_described,
    update_lines,
)
from hullmark.model.owner import required
from hullmark.model.size import format_change, format_size
from hullmark.model.text import printable, shortened, shortened_within

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from hullmark._reporters.interface import Style
    from hullmark.model.difference import Difference, FileChange, LayerSize, OwnerChange, SettingChange

_DELTA = 12
_NARROWEST = 20
_LED_BY = 12
"""Characters that are shown of what two long values begin with alike."""


def text(difference: Difference, style: Style, *, top: int) -> Iterator[str]:
    """The lines of the report, why it grew first; `top` rows of each table."""
    yield f"{printable(difference.why)}\n"
    yield f"\n{printable(difference.before)} -> {printable(difference.after)}\n"
    for total in difference.totals:
        if total.before is None or total.after is None:
            known = total.before if total.before is not None else total.after
            if known is not None:
                side = "before" if total.after is None else "after"
                yield f"{'?':>{_DELTA}}  {total.name}: {format_size(known)} {side}, the other side does not tell\n"
            continue
        yield (
            f"{format_change(total.delta or 0):>{_DELTA}}  {total.name}: {format_size(total.before)} -> "
            f"{format_size(total.after)}\n"
        )
    if difference.empty:
        yield from _unconfigured(difference)
        yield "\nnothing changed\n" if difference.told else "\nnothing changed that both sides tell of\n"
        return
    yield from _layers(difference, style)
    yield "\n"
    yield from update_lines(difference.update, style)
    yield from _unconfigured(difference)
    if difference.settings:
        yield "\nconfiguration\n"
        for change in difference.settings:
            yield from _setting(change, style)
    if difference.owners:
        yield "\npackages and directories\n"
        yield from _table([(each.delta, _owner(each)) for each in difference.owners], style, top)
    if difference.files:
        yield "\nfiles\n"
        files = sorted(difference.files, key=lambda each: (-abs(each.delta), each.path))
        yield from _table([(each.delta, _file(each)) for each in files], style, top, shortened_within)


def _unconfigured(difference: Difference) -> Iterator[str]:
    sides = difference.unconfigured
    if sides:
        where = f"the {sides[0]} side" if len(sides) == 1 else "either side"
        yield f"\nconfiguration: not known on {where}\n"


def _setting(change: SettingChange, style: Style) -> Iterator[str]:
    """What it was and is: on one line where that fits, else on two, each with what differs of a long value."""
    before, after = (
        "(not set)" if each is None else printable(each) for each in (change.before, change.after)
    )
    name = f"  {printable(change.name)}: "
    room = max(style.width, _NARROWEST)
    whole = f"{name}{before} -> {after}"
    if len(whole) <= room:
        yield f"{whole}\n"
        return
    # Where the values differ only beyond the width, what they begin with alike is left out.
    hidden = len(name) + max(len(before), len(after)) > room
    alike = (one == two for one, two in zip(before, after, strict=False))
    same = sum(takewhile(bool, alike))
    skipped = same - _LED_BY if hidden and len(name) + same + _LED_BY > room else 0
    for start, value in ((name, before), ("    -> ", after)):
        yield _fitted(f"{start}...{value[skipped:]}" if skipped > 0 else f"{start}{value}", style)


def _layers(difference: Difference, style: Style) -> Iterator[str]:
    layers = difference.layers
    yield (
        f"\nlayers: {len(layers.shared)} shared, {len(layers.removed)} removed, {len(layers.added)} added\n"
    )
    for sign, some in (("-", layers.removed), ("+", layers.added)):
        for layer in some:
            yield _fitted(
                f"{sign + format_size(layer.unpacked):>{_DELTA}}  {layer.text or layer.diff_id[:19]}", style
            )


def _owner(change: OwnerChange) -> str:
    what = "" if change.before and change.after else " added" if change.after else " removed"
    return f"{change} ({change.kind}){what}{required(change.why)}"


def _file(change: FileChange) -> str:
    if change.before is None:
        return f"{change.path} added"
    if change.after is None:
        return f"{change.path} removed"
    return f"{change.path} {', '.join(sorted(change.aspects))}"


def _table(
    rows: Sequence[tuple[int, str]],
    style: Style,
    top: int,
    cut: Callable[[str, int], str] = shortened,
) -> Iterator[str]:
    room = max(style.width, _NARROWEST) - _DELTA - 2
    for delta, label in rows[:top]:
        yield f"{format_change(delta):>{_DELTA}}  {cut(printable(label), room)}\n"
    if len(rows) > top:
        rest = sum(delta for delta, _ in rows[top:])
        yield f"{format_change(rest):>{_DELTA}}  {len(rows) - top:,} more\n"


def _fitted(line: str, style: Style) -> str:
    room = max(style.width, _NARROWEST)
    return f"{shortened(printable(line), room)}\n"


# --- for programs ----------------------------------------------------------------------------------------------------


class ToolD1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What wrote it."""

    name: Literal["hullmark"]
    version: str


class TotalD1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One of the sizes of an image in bytes, null where a side does not tell."""

    before: int | None
    after: int | None


class SettingD1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One setting of the configuration; null where it was not set."""

    name: str
    before: str | None
    after: str | None


class LayerD1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One layer."""

    diff_id: str
    unpacked: int
    instruction: str | None


class LayersD1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The layers of both sides."""

    shared: list[LayerD1]
    removed: list[LayerD1]
    added: list[LayerD1]


class OwnerD1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A package, or a directory without one; versions are empty where it was not there.

    `why` leads from a package that somebody asked for, or that nobody requires, to this one, by name: in the later image,
    or in the earlier one where the later has it no more. It is empty where that is not known.
    """

    kind: str
    name: str
    versions_before: list[str]
    versions_after: list[str]
    bytes_before: int
    bytes_after: int
    instruction: str | None
    why: list[str]


class FileD1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One path; the size is null where it does not exist."""

    path: str
    before: int | None
    after: int | None
    aspects: list[str]


class DiffReportD1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What changed between two images; null for what one side does not tell."""

    schema: Literal["hullmark/diff/1"]
    tool: ToolD1
    before: str
    after: str
    why: str
    size: dict[str, TotalD1]
    settings: list[SettingD1] | None
    layers: LayersD1
    update: UpdateU1
    owners: list[OwnerD1] | None
    files: list[FileD1] | None


def json(difference: Difference) -> str:
    """The report as JSON."""
    described = DiffReportD1(
        schema="hullmark/diff/1",
        tool=ToolD1(name="hullmark", version=__version__),
        before=difference.before,
        after=difference.after,
        why=difference.why,
        size={each.name: TotalD1(before=each.before, after=each.after) for each in difference.totals},
        settings=None
        if difference.settings is None
        else [
            SettingD1(
                name=each.name,
                before=each.before,
                after=each.after,
            )
            for each in difference.settings
        ],
        layers=LayersD1(
            shared=_described(difference.layers.shared),
            removed=_described(difference.layers.removed),
            added=_described(difference.layers.added),
        ),
        update=update_described(difference.update),
        owners=None
        if difference.owners is None
        else [
            OwnerD1(
                kind=str(each.kind),
                name=each.name,
                versions_before=list(each.before),
                versions_after=list(each.after),
                bytes_before=each.bytes_before,
                bytes_after=each.bytes_after,
                instruction=each.text or None,
                why=list(each.why),
            )
            for each in difference.owners
        ],
        files=None
        if difference.files is None
        else [
            FileD1(
                path=each.path,
                before=each.before,
                after=each.after,
                aspects=sorted(str(aspect) for aspect in each.aspects),
            )
            for each in difference.files
        ],
    )
    return written(described)


def schema() -> dict[str, Any]:
    """The JSON Schema of what `json` writes."""
    return schema_of(DiffReportD1, "hullmark/diff/1")


def _described(layers: Sequence[LayerSize]) -> list[LayerD1]:
    return [
        LayerD1(diff_id=each.diff_id, unpacked=each.unpacked, instruction=each.text or None)
        for each in layers
    ]
