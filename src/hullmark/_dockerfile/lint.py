"""The rules about Dockerfiles, applied to what one image is made from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hullmark.model.deployment import Deployment
from hullmark.model.dockerfile import Dockerfile, Recipe, Stage
from hullmark.model.location import SourceSpan
from hullmark.rules import catalogue

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hullmark.model.finding import Finding
    from hullmark.model.rule import Rule


def lint(
    dockerfile: Dockerfile,
    *,
    target: str | None = None,
    service: str | None = None,
    volumes: tuple[str, ...] = (),
    rules: Iterable[Rule[Any]] | None = None,
) -> tuple[Finding, ...]:
    """What `rules` (all of them when not given) find in the image that `target` (the last stage when not given) makes.

    `volumes` are the container paths at which Compose mounts volumes. Rules about a `Dockerfile`, a `Recipe` and a
    `Deployment` run once, those about a `Stage` once for each stage that a build of the image runs; rules about
    anything else are passed over. Findings that a comment accepts with a reason
    (`# hullmark: ignore=rule-id reason`, above the instruction or inside of it) are left out. The result is in the
    order of `Finding.sort_key`. Raises `UsageError` when there is no such stage.
    """
    recipe = dockerfile.recipe(target)
    accepted = _accepted(dockerfile)
    found = [
        finding
        for finding in _findings(
            Deployment(recipe=recipe, volumes=volumes), catalogue() if rules is None else rules, service
        )
        if not _is_accepted(finding, accepted)
    ]
    return tuple(sorted(found, key=lambda finding: finding.sort_key))


def _findings(deployment: Deployment, rules: Iterable[Rule[Any]], service: str | None) -> Iterator[Finding]:
    recipe = deployment.recipe
    for rule in rules:
        if rule.target is Dockerfile:
            yield from rule.check(recipe.dockerfile, service=service)
        elif rule.target is Recipe:
            yield from rule.check(recipe, service=service)
        elif rule.target is Deployment:
            yield from rule.check(deployment, service=service)
        elif rule.target is Stage:
            for stage in recipe.stages:
                yield from rule.check(stage, service=service)


def _accepted(dockerfile: Dockerfile) -> list[tuple[SourceSpan, frozenset[str]]]:
    """The lines of each instruction that a comment speaks about, and the rules it accepts there."""
    return [
        (instruction.span, frozenset(ignore.rules))
        for instruction in dockerfile.instructions
        for ignore in instruction.ignores
        if ignore.reason
    ]


def _is_accepted(finding: Finding, accepted: list[tuple[SourceSpan, frozenset[str]]]) -> bool:
    place = finding.location
    return isinstance(place, SourceSpan) and any(
        finding.rule in rules and span.line <= place.line <= span.end_line for span, rules in accepted
    )
