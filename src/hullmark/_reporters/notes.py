"""What is new in a release, as Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullmark.model.size import format_change, format_size
from hullmark.model.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hullmark.model.release import News

_MOST = 20
"""Packages of one service that are listed."""


def notes(version: str, news: Sequence[News]) -> Iterator[str]:
    """The lines of the notes: a table of sizes, then the packages that changed of each service."""
    yield f"## {version}\n\n"
    yield "| service | size | change | since |\n"
    yield "| --- | ---: | ---: | --- |\n"
    for each in news:
        delta = None if each.difference is None else each.difference.total("unpacked").delta
        change = "new" if each.difference is None else format_change(delta or 0)
        yield f"| {each.service} | {format_size(each.unpacked)} | {change} | {each.before or '-'} |\n"
    for each in news:
        owners = () if each.difference is None else each.difference.owners or ()
        changed = [
            owner for owner in owners if owner.before != owner.after and any((*owner.before, *owner.after))
        ]
        if not changed:
            continue
        yield f"\n### {each.service}\n\n"
        for owner in changed[:_MOST]:
            how = "" if owner.upgraded else " added" if owner.after else " removed"
            yield f"- {printable(str(owner))} ({owner.kind}){how}, {format_change(owner.delta)}\n"
        if len(changed) > _MOST:
            yield f"- and {len(changed) - _MOST} more\n"
