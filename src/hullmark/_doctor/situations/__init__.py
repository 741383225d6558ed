"""What the doctor recognises in logs: one situation per module, found because it is here."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from hullmark._doctor.situation import Situation


@cache
def catalogue() -> tuple[Situation, ...]:
    """Every situation, sorted by id.

    Raises `TypeError` when a module does not hold exactly one, when the name of one differs from its module's, or when
    one gives way to another that is not there.
    """
    found: dict[str, Situation] = {}
    for module in pkgutil.iter_modules(__path__, f"{__name__}."):
        held = [v for v in vars(importlib.import_module(module.name)).values() if isinstance(v, Situation)]
        if len(held) != 1:
            raise TypeError(f"{module.name} holds {len(held)} situations, expected exactly one")
        if held[0].id.replace("-", "_") != module.name.rpartition(".")[2]:
            raise TypeError(f"{module.name} holds the situation {held[0].id}; the names must agree")
        found[held[0].id] = held[0]
    for each in found.values():
        if unknown := set(each.gives_way_to) - set(found):
            raise TypeError(f"{each.id} gives way to {', '.join(sorted(unknown))}, which is not there")
    return tuple(found[id_] for id_ in sorted(found))
