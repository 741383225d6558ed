"""What a pull request is told when it touches no service: it takes the place of an earlier report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullmark._reporters.markdown import MARKER

if TYPE_CHECKING:
    from hullmark.model.affected import Affected


def markdown(affected: Affected) -> str:
    """The comment; `affected` touches nothing."""
    number = len(affected.changes.changes)
    changes = f"{number:,} changed file{'' if number == 1 else 's'}"
    return f"{MARKER}\n## ✅ no image is affected\n\nNo service takes anything from {changes}: nothing was built or tried.\n"
