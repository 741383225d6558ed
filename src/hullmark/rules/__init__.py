"""The conventions that hullmark holds a project to: one rule per module, found because it is here."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from typing import Any

from hullmark.model.rule import Rule

TOLD_BY = {"squash-loses-healthcheck": "missing-healthcheck"}
"""Names that one looks for beside those of its kind, and the rule that has the matter."""


@cache
def catalogue() -> tuple[Rule[Any], ...]:
    """Every rule, sorted by id.

    Raises `TypeError` when a module does not hold exactly one rule, when the rule's name differs from the
    module's, or when two rules share an id.
    """
    found: dict[str, Rule[Any]] = {}
    for package in pkgutil.iter_modules(__path__, f"{__name__}."):
        if not package.ispkg:
            continue
        for module in pkgutil.iter_modules(
            importlib.import_module(package.name).__path__, f"{package.name}."
        ):
            rules = [v for v in vars(importlib.import_module(module.name)).values() if isinstance(v, Rule)]
            if len(rules) != 1:
                raise TypeError(f"{module.name} holds {len(rules)} rules, expected exactly one")
            rule = rules[0]
            if rule.id.replace("-", "_") != module.name.rpartition(".")[2]:
                raise TypeError(f"{module.name} holds the rule {rule.id}; the names must agree")
            if rule.id in found:
                raise TypeError(f"two rules are called {rule.id}")
            found[rule.id] = rule
    return tuple(found[id_] for id_ in sorted(found))


def rules_for(target: type[Any]) -> tuple[Rule[Any], ...]:
    """The rules that look at `target`, sorted by id."""
    return tuple(rule for rule in catalogue() if rule.target is target)
