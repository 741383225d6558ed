"""What is new in a release, as Markdown."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hullmark._reporters.markdown import prose
from hullmark.model.release import NotScanned
from hullmark.model.size import format_change, format_size

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hullmark.model.release import News
    from hullmark.model.staging import Known

_MOST = 20
"""Packages or vulnerabilities of one service that are listed."""


def notes(version: str, news: Sequence[News]) -> Iterator[str]:
    """The lines of the notes: a table of sizes, the packages that changed of each service, and vulnerabilities."""
    yield f"## {version}\n\n"
    yield "| service | size | change | since |\n"
    yield "| --- | ---: | ---: | --- |\n"
    for each in news:
        delta = None if each.difference is None else each.difference.total("unpacked").delta
        change = "new" if each.difference is None else format_change(delta or 0)
        since = _cell(each.before) if each.before else "-"
        yield f"| {_cell(each.service)} | {format_size(each.unpacked)} | {change} | {since} |\n"
    for each in news:
        owners = () if each.difference is None else each.difference.owners or ()
        changed = [
            owner for owner in owners if owner.before != owner.after and any((*owner.before, *owner.after))
        ]
        if not changed:
            continue
        yield f"\n### {prose(each.service)}\n\n"
        for owner in changed[:_MOST]:
            how = "" if owner.upgraded else " added" if owner.after else " removed"
            yield f"- {prose(str(owner))} ({prose(owner.kind)}){how}, {format_change(owner.delta)}\n"
        if len(changed) > _MOST:
            yield f"- and {len(changed) - _MOST} more\n"
    yield from _vulnerabilities(news)


def _vulnerabilities(news: Sequence[News]) -> Iterator[str]:
    """A table of what is known of each service, then what is new and what is fixed."""
    yield "\n### Vulnerabilities\n\n"
    yield "| service | known | new | fixed | by |\n"
    yield "| --- | ---: | ---: | ---: | --- |\n"
    for each in news:
        found = each.vulnerabilities
        if isinstance(found, NotScanned):
            yield f"| {_cell(each.service)} | not scanned | - | - | {_cell(found.reason)} |\n"
            continue
        new, fixed = ("-" if these is None else str(len(these)) for these in (found.new, found.fixed))
        missing = "".join(f"; {number} {name} packages not scanned" for name, number in found.unknown)
        yield f"| {_cell(each.service)} | {found.known} | {new} | {fixed} | {_cell(found.by + missing)} |\n"
    for each in news:
        found = each.vulnerabilities
        if isinstance(found, NotScanned) or not (found.new or found.fixed):
            continue
        yield "\n"
        yield from _listed(f"new in {each.service}", found.new or ())
        yield from _listed(f"fixed in {each.service}", found.fixed or ())


def _listed(about: str, these: Sequence[Known]) -> Iterator[str]:
    for each in these[:_MOST]:
        way_out = f", fixed in {each.fixed}" if each.fixed and about.startswith("new") else ""
        text = f"{each.id} of {each.package} {each.installed} ({each.severity}){way_out}"
        yield f"- {prose(about)}: {prose(text)}\n"
    if len(these) > _MOST:
        yield f"- {prose(about)}: {len(these) - _MOST} more\n"


def _cell(text: str) -> str:
    # A pipe ends the cell also in a code span.
    return re.sub(r"(?<!\\)\|", r"\\|", prose(text))
