"""Which vulnerabilities count, by what the project has decided of all of them."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hullmark.model.project import ScanSettings
    from hullmark.model.vulnerability import Vulnerability

HEADERS = "kernel headers"
NO_FIX = "no fix"
_HEADERS = re.compile(
    r"linux-(?:libc-dev|headers|kbuild|doc|api-headers|compiler)\b.*|kernel-(?:headers|devel)\b.*"
)
_WORDS = {
    "will_not_fix": "the distribution will not fix it",
    "fix_deferred": "its fix was put off",
    "end_of_life": "the release gets no fixes any more",
}
"""What those who maintain a package say of it, where they say more than that there is no fix."""


def decided(found: Vulnerability, settings: ScanSettings) -> Vulnerability:
    """`found`, with why it is held back where it is."""
    names = [holder.owner.name for holder in found.holders] or [found.package]
    if not settings.kernel_headers and all(_HEADERS.fullmatch(name) for name in names):
        return replace(found, held=HEADERS)
    if settings.fixable and found.fixed is None:
        said = _WORDS.get(found.status)
        return replace(found, held=f"{NO_FIX}: {said}" if said else NO_FIX)
    return found


def young(found: Vulnerability, settings: ScanSettings, now: dt.datetime) -> dt.date | None:
    """The last day on which it is too young to fail; `None` where it is not, or nobody says when it was disclosed."""
    if not settings.grace or not found.published:
        return None
    try:
        published = dt.datetime.fromisoformat(found.published)
    except ValueError:
        return None
    if published.tzinfo is None:
        published = published.replace(tzinfo=dt.UTC)
    until = published + dt.timedelta(seconds=settings.grace)
    return until.date() if now < until else None
