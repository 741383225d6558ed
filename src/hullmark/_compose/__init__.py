"""Compose files, resolved by Compose itself, into a `Project`."""

from __future__ import annotations

from hullmark._compose.composition import compositions
from hullmark._compose.isolate import carrier, isolate
from hullmark._compose.resolve import chosen_services, find_root, resolve

__all__ = ["carrier", "chosen_services", "compositions", "find_root", "isolate", "resolve"]
