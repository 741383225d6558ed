"""`[baseline]`: what a run is compared with, and what of that makes it fail."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from hullmark._settings.kinds import FLAG, SIZE, TEXT, Kind, Option, Table, choice, describe
from hullmark.model.project import BaselineSettings, Budget
from hullmark.model.vulnerability import SEVERITIES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hullmark._settings.positions import Path as KeyPath
    from hullmark.model.location import SourceSpan

_SEVERITY = choice("never", *SEVERITIES[1:])
_PLACE = r"(?:artifact|none|registry:[A-Za-z0-9][A-Za-z0-9._:/{}-]*)"
# What means something to a shell, or is a pattern for a CI system, is in no name here.
_BRANCH = r"[A-Za-z0-9_][A-Za-z0-9._/-]*"


def _place(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(_PLACE, value):
        raise ValueError(f"expected `artifact`, `registry:REFERENCE` or `none`, got {describe(value)}")
    return value


def _branches(value: Any) -> tuple[str, ...]:
    if (
        not isinstance(value, list | tuple)
        or not value
        or not all(isinstance(each, str) and re.fullmatch(_BRANCH, each) for each in value)
    ):
        raise ValueError(f'expected a list of branches such as ["main"], got {describe(value)}')
    return tuple(dict.fromkeys(value))


_KEPT = Kind(
    name="artifact, registry:REFERENCE or none",
    read=_place,
    schema={"type": "string", "pattern": f"^{_PLACE}$"},
)
_BRANCHES = Kind(
    name="list of branches",
    read=_branches,
    schema={"type": "array", "minItems": 1, "items": {"type": "string", "pattern": f"^{_BRANCH}$"}},
    scalar=False,
)

BASELINE = Table(
    key="baseline",
    help="What a run is compared with, and what of that makes it fail. See [baseline.md](baseline.md).",
    options=(
        Option(
            key="against",
            kind=TEXT,
            help="What it is compared with: a file of `hullmark baseline save`, a JSON report, a revision of git that "
            "has such a file, an image such as `registry:REFERENCE`, or `github:BRANCH`.",
            environment="HULLMARK_BASELINE",
            flag="--baseline",
            example='"origin/main"',
        ),
        Option(
            key="file",
            kind=TEXT,
            help="The file that `hullmark baseline save` writes, and that a revision of git is asked for.",
            default="hullmark-baseline.jsonl",
        ),
        Option(
            key="kept",
            kind=_KEPT,
            help="Where the pipelines of `hullmark ci` keep the baseline of a branch and take it from, unless `against` "
            "says what to compare with: with the CI system, in a registry, or nowhere. See [ci.md](ci.md).",
            default="artifact",
            example='"registry:registry.example.com/acme/baseline:main"',
        ),
        Option(
            key="branches",
            kind=_BRANCHES,
            help="The branches whose runs keep one.",
            default='["main"]',
            example='["main", "stable"]',
        ),
        Option(
            key="new-only",
            kind=FLAG,
            help="Whether only what the baseline does not have makes it fail.",
            default="false",
            environment="HULLMARK_NEW_ONLY",
            flag="--new-only",
        ),
        Option(
            key="required",
            kind=FLAG,
            help="Whether there has to be a baseline: where there is none yet, nothing is checked and the exit code is 3.",
            default="false",
            environment="HULLMARK_REQUIRE_BASELINE",
            flag="--require-baseline",
        ),
        Option(
            key="introduced",
            kind=_SEVERITY,
            help="The least severe vulnerability that fails of those that came with the change.",
            default="`fail-on` of `[scan]`",
        ),
        Option(
            key="disclosed",
            kind=_SEVERITY,
            help="The same of those that were there, and have become known since.",
            default="`fail-on` of `[scan]`",
        ),
        Option(
            key="known",
            kind=_SEVERITY,
            help="The same of those that the baseline tells of.",
            default="`fail-on` of `[scan]`",
        ),
        Option(
            key="budget-growth",
            kind=SIZE,
            help="The most bytes by which an image may grow, unpacked; for services without one of their own.",
            example='"20 MB"',
        ),
    ),
)


def baseline_settings(values: Mapping[str, Any], span: Callable[[KeyPath], SourceSpan]) -> BaselineSettings:
    """What the table `[baseline]` says; `span` tells where a key of the configuration stands."""
    defaults = BaselineSettings()
    growth = values.get("budget-growth")
    return BaselineSettings(
        against=values.get("against"),
        file=values.get("file", defaults.file),
        kept=values.get("kept", defaults.kept),
        branches=values.get("branches", defaults.branches),
        new_only=values.get("new-only", defaults.new_only),
        required=values.get("required", defaults.required),
        introduced=values.get("introduced"),
        disclosed=values.get("disclosed"),
        known=values.get("known"),
        growth=None if growth is None else Budget(size=growth, origin=span(("baseline", "budget-growth"))),
    )
