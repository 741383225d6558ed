"""The repository's own scripts as modules, and its documents."""

from __future__ import annotations

from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]


def _script(name: str) -> ModuleType:
    loader = SourceFileLoader(name.replace("-", "_"), str(ROOT / "scripts" / name))
    spec = spec_from_loader(loader.name, loader)
    assert spec is not None
    module = module_from_spec(spec)
    loader.exec_module(module)
    return module


@pytest.fixture
def generate() -> ModuleType:
    """`scripts/generate` as a module."""
    return _script("generate")


@pytest.fixture
def new_rule() -> ModuleType:
    """`scripts/new-rule` as a module."""
    return _script("new-rule")
