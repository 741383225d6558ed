"""Docker engines: what they are, what they build, and what they run."""

from __future__ import annotations

from hullmark._engines.build import BuildFailure, build_service
from hullmark._engines.docker import Engine, connect

__all__ = ["BuildFailure", "Engine", "build_service", "connect"]
