"""Isolated copies of the stack: started, watched, probed and removed."""

from __future__ import annotations

from hullmark._smoke.owner import labels_of_run
from hullmark._smoke.preflight import missing_images
from hullmark._smoke.privileges import observe_privileges
from hullmark._smoke.reap import Remains, clear, reap, remains
from hullmark._smoke.run import smoke

__all__ = [
    "Remains",
    "clear",
    "labels_of_run",
    "missing_images",
    "observe_privileges",
    "reap",
    "remains",
    "smoke",
]
