"""How needs that are not met are told; three rules share this."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from hullmark.model.dependency import Certainty, Problem
from hullmark.model.finding import Observation, Severity
from hullmark.model.location import ImagePath
from hullmark.rules._layers import told

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hullmark.model.attribution import Origin
    from hullmark.model.dependency import Missing
    from hullmark.model.image import ShippedImage
    from hullmark.model.location import SourceSpan


def missing_packages(
    shipped: ShippedImage, *, kind: str, remedy: Callable[[str], str]
) -> Iterator[Observation]:
    """What is missing of packages of that `kind`; `remedy` says what to do about the one of that name."""
    for missing in shipped.missing:
        if missing.kind == kind:
            yield Observation(
                location=ImagePath(image=shipped.image.reference, path=missing.path),
                seen=f"{_seen(missing)}{lost(missing)}",
                expected=expected(missing),
                remedy=kept(missing) or remedy(missing.name),
                severity=severity(missing),
                key=f"{missing.problem} {missing.name} {missing.by}",
                origin=loser(missing),
            )


def lost(missing: Missing) -> str:
    """The end of a sentence that says where it went, empty where that is not known."""
    if missing.lost is None:
        return ""
    return f"; {told(missing.lost)} {'leaves it behind' if _copies(missing.lost) else 'took it away'}"


def kept(missing: Missing) -> str:
    """What to do so that it is not lost, empty where it is not known how it is."""
    if missing.lost is None:
        return ""
    if _copies(missing.lost):
        return f"copy what `{missing.name}` consists of as well, or install it in the stage that is shipped"
    return f"keep `{missing.name}` out of what that {missing.lost.first.keyword} takes away"


def loser(missing: Missing) -> SourceSpan | None:
    """The instruction that lost it, where that is known."""
    return None if missing.lost is None else missing.lost.first.span


def _copies(origin: Origin) -> bool:
    return origin.first.keyword == "COPY"


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


def _seen(missing: Missing) -> str:
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
