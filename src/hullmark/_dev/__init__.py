"""The development stack: the project with its overlay, watched while its files are edited."""

from __future__ import annotations

from hullmark._dev.lines import LogFilter
from hullmark._dev.overlay import with_overlay
from hullmark._dev.session import Development

__all__ = ["Development", "LogFilter", "with_overlay"]
