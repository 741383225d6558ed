"""What the files of a CI system say of baselines: whose runs keep one, and where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hullmark.errors import UsageError
from hullmark.model.reference import parse_reference

if TYPE_CHECKING:
    from hullmark.model.project import BaselineSettings

_REGISTRY = "registry:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping:
    """How the baselines of one project go from the runs of a branch to those of its changes."""

    branches: tuple[str, ...]
    """The branches whose runs keep one."""
    reference: str | None
    """What it is called in a registry, as `--baseline` takes it; `None` where the CI system keeps it."""
    registry: str | None
    """The host of that registry."""


def keeping(settings: BaselineSettings) -> Keeping | None:
    """How they go; `None` where none is kept, or the project says itself what it is compared with.

    Raises `UsageError` for a reference that is none.
    """
    if settings.against is not None or settings.kept == "none":
        return None
    if not settings.kept.startswith(_REGISTRY):
        return Keeping(branches=settings.branches, reference=None, registry=None)
    name = settings.kept.removeprefix(_REGISTRY).replace("{service}", "service")
    try:
        registry = parse_reference(name).registry
    except ValueError as error:
        raise UsageError(f"`kept` of `[baseline]` is no reference: {error}") from error
    return Keeping(branches=settings.branches, reference=settings.kept, registry=registry)
