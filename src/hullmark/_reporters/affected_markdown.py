"""What a pull request is told of what it touches: as a part of its comment, or in the place of one where that is nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullmark._reporters.markdown import code, marker, prose

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hullmark.model.affected import Affected, Reason

LARGEST = 4_000
"""Characters; what the report leaves of a comment."""
_MOST = 3
"""Reasons of a service that are told."""


def nothing(affected: Affected, prefix: str) -> str:
    """The comment on a project in the directory `prefix` of its repository; `affected` touches nothing."""
    number = len(affected.changes.changes)
    changes = f"{number:,} changed file{'' if number == 1 else 's'}"
    return f"{marker(prefix)}\n## ✅ no image is affected\n\nNo service takes anything from {changes}: nothing was built or tried.\n"


def section(affected: Affected) -> str:
    """What is built and tried, and why, to stand behind a report."""
    head = (
        f"<details><summary>What is affected: {len(affected.to_build)} to build, {len(affected.to_smoke)} to try"
        "</summary>\n\n"
    )
    tail = "\n</details>\n"
    room = LARGEST - len(head) - len(tail) - 80
    lines = list(_lines(affected))
    kept: list[str] = []
    for line in lines:
        if len(line) > room:
            break
        kept.append(line)
        room -= len(line)
    if len(kept) < len(lines):
        kept.append(f"- and {len(lines) - len(kept):,} more\n")
    return f"{head}{''.join(kept)}{tail}"


def _lines(affected: Affected) -> Iterator[str]:
    if affected.changes.everything:
        yield f"- all of it: {prose(affected.changes.everything)}\n"
    for service in affected.services:
        for what, reasons in (("built", service.build), ("tried", service.smoke)):
            if not reasons:
                continue
            told = [_reason(each) for each in reasons[:_MOST]]
            told += [f"{len(reasons) - _MOST:,} more reasons"] if len(reasons) > _MOST else []
            yield f"- {code(service.name)} is {what}: {'; '.join(told)}\n"


def _reason(reason: Reason) -> str:
    return f"{code(reason.path)} by {prose(reason.text)}" if reason.path else prose(reason.text)
