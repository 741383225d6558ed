"""Drills: what a stack that works is put to, so that it is known what it does when something fails."""

from __future__ import annotations

from hullmark._smoke.drills.apart import Apart
from hullmark._smoke.drills.carry_out import Drilled, drill_apart, drill_stack, undrilled, wanted
from hullmark._smoke.drills.upgrade import old_images

__all__ = ["Apart", "Drilled", "drill_apart", "drill_stack", "old_images", "undrilled", "wanted"]
