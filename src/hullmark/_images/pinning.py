"""The digests that images have in their registries today."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullmark._images.interface import Limits
from hullmark._images.registry import Registry
from hullmark.errors import DamagedImage, Unavailable, UsageError

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterable, Mapping

    from hullmark._process import Commands


def digests_of_today(
    references: Iterable[str], commands: Commands, environ: Mapping[str, str], cancelled: threading.Event
) -> dict[str, str]:
    """By reference, the digest that its registry has for it; nothing where that does not answer or does not have it.

    Each is asked once, and not waited for long: who asks can do without.
    """
    from hullmark._images.transport import Patience  # noqa: PLC0415  # with what registries are spoken to

    patience = Patience(attempts=1, connect=3.0, answer=10.0, piece=10.0)
    registry = Registry(commands=commands, environ=environ, patience=patience)
    found = {}
    for reference in sorted(set(references)):
        try:
            found[reference] = str(registry.digest(reference, Limits(), cancelled))
        except (DamagedImage, Unavailable, UsageError):
            continue
    return found
