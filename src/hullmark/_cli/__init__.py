"""The command line: one module per command, and the only place that knows arguments, environment, terminal and exit."""

from __future__ import annotations

from hullmark._cli.main import main, run

__all__ = ["main", "run"]
