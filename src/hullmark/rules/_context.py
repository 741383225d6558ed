"""What a build takes out of its context by accident; two rules share this."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullmark.model.fix import Applicability, Fix, insertion
from hullmark.model.size import format_size

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hullmark.model.context import Context, Stray

_SHOWN = 2
ENVIRONMENT = "**/.env*"
"""What keeps out environment files, which hold credentials."""


def by_pattern(context: Context) -> list[tuple[str, tuple[Stray, ...]]]:
    """What is there by accident, by the line of an ignore file that keeps it out."""
    found: dict[str, list[Stray]] = {}
    for stray in context.strays:
        found.setdefault(stray.pattern, []).append(stray)
    return [(pattern, tuple(strays)) for pattern, strays in sorted(found.items())]


def keeping_out(context: Context, patterns: Iterable[str], message: str) -> Fix:
    """Adds `patterns` at the end of the ignore file, or writes one of them; somebody may need what they keep out."""
    line, column = context.ignore_end
    # A file whose last line is not ended stays such a file.
    text = "".join(f"{pattern}\n" if column == 1 else f"\n{pattern}" for pattern in patterns)
    edit = insertion(context.ignore_file, line, column, text)
    return Fix(message=message, edits=(edit,), applicability=Applicability.UNSAFE)


def measured(strays: tuple[Stray, ...]) -> str:
    """Their names, as far as they are few, with what all of them take: `.git` (812.0 MB in 3,411 files)."""
    names = [f"`{stray.path}`" for stray in strays[:_SHOWN]]
    if len(strays) > _SHOWN:
        names.append(f"{len(strays) - _SHOWN} more")
    size = format_size(sum(stray.bytes for stray in strays))
    count = sum(stray.files for stray in strays)
    return f"{', '.join(names)} ({size} in {count:,} file{'' if count == 1 else 's'})"
