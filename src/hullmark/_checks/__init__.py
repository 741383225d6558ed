"""The checks of one run, each of them a step that ends with an outcome for every service."""

from __future__ import annotations

from hullmark._checks.run import Run, Surroundings

__all__ = ["Run", "Surroundings"]
