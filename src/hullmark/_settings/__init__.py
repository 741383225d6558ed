"""hullmark.toml, environment and flags: each option declared once, each value with its origin."""

from __future__ import annotations

from hullmark._settings.load import UnsoundSettings, load_settings

__all__ = ["UnsoundSettings", "load_settings"]
