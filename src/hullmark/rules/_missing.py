"""How needs that are not met are told; three rules share this."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from hullmark.model.dependency import Certainty, Problem
from hullmark.model.finding import Severity

if TYPE_CHECKING:
    from hullmark.model.dependency import Missing


def severity(missing: Missing) -> Severity:
    """An error where it is certain that something fails."""
    match missing.certainty:
        case Certainty.CERTAIN:
            return Severity.ERROR
        case Certainty.LIKELY:
            return Severity.WARNING
        case Certainty.POSSIBLE:
            return Severity.NOTE
        case _:
            assert_never(missing.certainty)


def seen(missing: Missing) -> str:
    """What is there instead, and who needs it."""
    by = f", required by `{missing.by or missing.path}`" if missing.by != missing.name else ""
    match missing.problem:
        case Problem.WRONG_VERSION:
            return f"`{missing.name}` {missing.seen}{by}"
        case Problem.INCOMPLETE:
            return f"`{missing.name}` lacks {missing.expected}" + (by if missing.by else "")
        case Problem.UNRESOLVED:
            return f"`{missing.name}` lacks the file that it is entered by, {missing.expected}{by}"
        case _:
            return f"no `{missing.name}`{by}"


def expected(missing: Missing) -> str:
    """What should be there."""
    match missing.problem:
        case Problem.LOADER_MISSING:
            return f"the loader at `{missing.name}`"
        case Problem.LIBRARY_MISSING:
            return f"`{missing.name}` where the loader looks for it"
        case Problem.INCOMPLETE | Problem.UNRESOLVED:
            return f"all files that `{missing.name}` was installed with"
        case _:
            return f"`{missing.name} {missing.expected}`".replace(" `", "`")
