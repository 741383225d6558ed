"""Dockerfile text -> stages, instructions and shell commands, each with its place; and the rules applied to them."""

from __future__ import annotations

from hullmark._dockerfile.fix import fix_project, fix_text
from hullmark._dockerfile.lint import ignores, lint, review
from hullmark._dockerfile.parser import load, parse

__all__ = ["fix_project", "fix_text", "ignores", "lint", "load", "parse", "review"]
