"""All formats."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from typing import TYPE_CHECKING

from hullmark._secrets import formats

if TYPE_CHECKING:
    from hullmark._secrets.detector import Detector

VERSION = 2
"""Of what they find: a result of another version is found again."""


@cache
def catalogue() -> tuple[Detector, ...]:
    """Every format, sorted by id; raises `TypeError` when two share one."""
    found: dict[str, Detector] = {}
    for module in pkgutil.iter_modules(formats.__path__, f"{formats.__name__}."):
        for detector in importlib.import_module(module.name).DETECTORS:
            if detector.id in found:
                raise TypeError(f"two formats are called {detector.id}")
            found[detector.id] = detector
    return tuple(found[each] for each in sorted(found))
