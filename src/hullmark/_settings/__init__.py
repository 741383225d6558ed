"""hullmark.toml, environment and flags: each option declared once, each value with its origin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hullmark._settings.load import UnsoundSettings, load_settings

__all__ = ["UnsoundSettings", "load_settings"]


def __getattr__(name: str) -> Any:
    """Loads what is asked for, when it is asked for: the options of a command are declared in less."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from hullmark._settings import load  # noqa: PLC0415

    return getattr(load, name)
