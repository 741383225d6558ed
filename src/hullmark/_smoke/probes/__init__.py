"""Probes of a running stack: one module per kind, all of them tried until they pass or their time is over."""

from __future__ import annotations

from hullmark._smoke.probes.answers import status_fits
from hullmark._smoke.probes.attempt import ATTEMPT, PAUSE, shorten
from hullmark._smoke.probes.command import run_inside
from hullmark._smoke.probes.log import forbidden, split
from hullmark._smoke.probes.trying import run_probe

__all__ = ["ATTEMPT", "PAUSE", "forbidden", "run_inside", "run_probe", "shorten", "split", "status_fits"]
