"""Dockerfile text -> stages, instructions and shell commands, each with its place; and the rules applied to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hullmark._dockerfile.context import measure
    from hullmark._dockerfile.fix import fix_project, fix_text
    from hullmark._dockerfile.lint import ignores, review
    from hullmark._dockerfile.parser import load, parse
    from hullmark._dockerfile.service import context_of, dockerfile_of, recipe_of

_PLACES = {
    "context_of": "service",
    "dockerfile_of": "service",
    "fix_project": "fix",
    "fix_text": "fix",
    "ignores": "lint",
    "load": "parser",
    "measure": "context",
    "parse": "parser",
    "recipe_of": "service",
    "review": "lint",
}

__all__ = [
    "context_of",
    "dockerfile_of",
    "fix_project",
    "fix_text",
    "ignores",
    "load",
    "measure",
    "parse",
    "recipe_of",
    "review",
]


def __getattr__(name: str) -> Any:
    """Loads what is asked for, when it is asked for: who holds a path against an ignore file needs no parser."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib  # noqa: PLC0415

    return getattr(importlib.import_module(f"{__name__}.{_PLACES[name]}"), name)
