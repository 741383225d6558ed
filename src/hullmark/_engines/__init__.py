"""Docker engines: what they are, what they build, and what they run."""

from __future__ import annotations

from hullmark._engines.build import build_service
from hullmark._engines.docker import Engine, connect

__all__ = ["Engine", "build_service", "connect"]
