"""What a change touches, for a person and for the next job of a workflow; `affected_v1` is for other programs."""

from __future__ import annotations

from json import dumps
from typing import TYPE_CHECKING

from hullmark.model.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hullmark.model.affected import Affected, Explanation

FORMATS = ("text", "json", "github")
_MOST = 5
"""Reasons of a service that are shown one by one."""
_SHORT = 12


def text(affected: Affected) -> Iterator[str]:
    """The lines of the report; of many reasons for one service the first ones."""
    yield f"{compared(affected)}\n"
    for title, names in (("build", affected.to_build), ("smoke-test", affected.to_smoke)):
        yield f"\n{title}\n" if names else f"\n{title}: nothing\n"
        for service in affected.services:
            if service.name not in names:
                continue
            reasons = service.build if title == "build" else service.smoke
            if title == "smoke-test" and not reasons:
                yield f"  {service.name}: its image is built\n"
            for reason in reasons[:_MOST]:
                yield f"  {service.name}: {printable(str(reason))}\n"
            if len(reasons) > _MOST:
                yield f"  {service.name}: and {len(reasons) - _MOST:,} more reasons\n"
    for explanation in affected.explanations:
        yield from _explained(explanation)
    untouched = [each.name for each in affected.services if not each.reasons]
    if untouched:
        yield f"\nnot affected: {', '.join(untouched)}\n"
    for note in affected.notes:
        yield f"note: {printable(note)}\n"


def compared(affected: Affected) -> str:
    """What was compared with what, or why everything counts as changed."""
    changes = affected.changes
    if changes.everything:
        return f"everything counts as changed: {printable(changes.everything)}"
    head = "the work tree" if changes.head is None else changes.head[:_SHORT]
    number = len(changes.changes)
    return f"{number:,} change{'' if number == 1 else 's'} between {(changes.base or '')[:_SHORT]} and {head}"


def _explained(explanation: Explanation) -> Iterator[str]:
    today = explanation.today
    yield f"\ninputs of {today.service}\n"
    if today.digest is None:
        yield f"  no digest: {printable(today.unknown or '')}\n"
        return
    yield f"  {today.digest}\n"
    if explanation.recorded is None:
        yield "  nothing is recorded to compare it with\n"
    elif explanation.recorded == today.digest:
        yield "  as recorded\n"
    for each in explanation.differs:
        what = "new" if each.was is None else "gone" if each.now is None else f"{each.was} -> {each.now}"
        yield f"  {printable(each.name)}: {printable(what)}\n"


def github(affected: Affected) -> str:
    """The lines for the file that GITHUB_OUTPUT names.

    `any` says whether the matrix has anything in it: a job with an empty matrix is an error there.
    """
    return (
        f"matrix={_compact({'service': affected.to_build})}\n"
        f"smoke={_compact(affected.to_smoke)}\n"
        f"any={'true' if affected.to_build else 'false'}\n"
    )


def _compact(value: dict[str, Sequence[str]] | Sequence[str]) -> str:
    return dumps(value, separators=(",", ":"))
