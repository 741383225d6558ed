"""Dockerfile text -> stages, instructions and shell commands, each with its place; and the rules applied to them."""

from __future__ import annotations

from hullmark._dockerfile.context import measure
from hullmark._dockerfile.fix import fix_project, fix_text
from hullmark._dockerfile.lint import ignores, lint, review
from hullmark._dockerfile.parser import load, parse
from hullmark._dockerfile.service import context_of, dockerfile_of, recipe_of

__all__ = [
    "context_of",
    "dockerfile_of",
    "fix_project",
    "fix_text",
    "ignores",
    "lint",
    "load",
    "measure",
    "parse",
    "recipe_of",
    "review",
]
