"""Which image of a file or a directory is meant: the path, and the tag that may stand behind it."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from hullmark.errors import Unavailable, UsageError, nearest
from hullmark.model.reference import parse_reference

if TYPE_CHECKING:
    from collections.abc import Iterable

HEX = re.compile(r"(?:^|/)([0-9a-f]{64})(?:\.json|\.tar)?$").search
"""The digits of the digest that a file is named by."""
_MOST_LISTED = 20


def existing(reference: str) -> tuple[Path, str | None] | None:
    """Path and tag of `PATH[:TAG]`; both may have colons, so the longest path that is there counts."""
    end = len(reference)
    while end > 0:
        if os.path.lexists(reference[:end]):
            return Path(reference[:end]), reference[end + 1 :] or None
        end = reference.rfind(":", 0, end)
    return None


def split(reference: str) -> tuple[Path, str | None]:
    """As `existing`; raises `Unavailable` where there is no such path."""
    found = existing(reference)
    if found is None:
        path = Path(reference.partition(":")[0] or reference)
        raise Unavailable(f"{path} does not exist", hint=_beside(path))
    return found


def _beside(path: Path) -> str | None:
    """The name in the same directory that was most likely meant."""
    try:
        meant = nearest(path.name, (each.name for each in path.parent.iterdir()))
    except OSError:
        return None
    return None if meant is None else f"did you mean {path.parent / meant}?"


def means(asked: str, tag: str) -> bool:
    """Whether `asked` is `tag`, in full, shortened as Docker does it, or the part behind the colon."""
    if asked in {tag, tag.rpartition(":")[2]}:
        return True
    try:
        return str(parse_reference(asked)) == str(parse_reference(tag))
    except ValueError:
        return False


def is_id(asked: str, config: str) -> bool:
    """Whether `asked` is the ID of the image whose configuration is the file `config`, or begins as it does."""
    digits = asked.removeprefix("sha256:")
    found = HEX(config)
    return (
        found is not None and bool(re.fullmatch(r"[0-9a-f]{12,64}", digits)) and found[1].startswith(digits)
    )


def ambiguous(path: str, tags: Iterable[str], count: int) -> UsageError:
    """That `path` holds several images, of which one has to be named."""
    tags = sorted(set(tags))
    example = f"{path}:{tags[0]}" if tags else f"{path}:ID"
    return UsageError(
        f"{path} holds {count} images; {listed(tags)}",
        hint=f"name one of them behind the path, as in `{example}`",
    )


def listed(tags: Iterable[str]) -> str:
    """What images are called, in a sentence."""
    found = sorted(set(tags))
    if not found:
        return "none of its images has a tag"
    more = f" and {len(found) - _MOST_LISTED} more" if len(found) > _MOST_LISTED else ""
    return f"there is {', '.join(f'`{each}`' for each in found[:_MOST_LISTED])}{more}"
