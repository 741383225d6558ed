"""Docker engines: what they are, what they build, and what they run."""

from __future__ import annotations

from hullmark._engines.build import build_service
from hullmark._engines.docker import Engine, connect, too_old_to_watch

__all__ = ["Engine", "build_service", "connect", "too_old_to_watch"]
