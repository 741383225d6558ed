"""The rules about Dockerfiles, applied to what one image is made from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING, Any

from hullmark.model.deployment import REQUIRED_LABELS, Deployment
from hullmark.model.dockerfile import Dockerfile, Recipe, Stage
from hullmark.model.finding import Observation, fingerprint
from hullmark.model.location import SourceSpan
from hullmark.rules import catalogue

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from hullmark.model.context import Context
    from hullmark.model.dockerfile import Instruction
    from hullmark.model.finding import Finding
    from hullmark.model.rule import Rule

_NONE: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """What was found in the Dockerfile of one image."""

    findings: tuple[Finding, ...]
    """In the order of `Finding.sort_key`; those that a comment accepts are not among them."""
    used: frozenset[tuple[int, str]]
    """Line of the instruction and name of the rule of each ignore in a comment that something was found for."""


def lint(
    dockerfile: Dockerfile,
    *,
    target: str | None = None,
    service: str | None = None,
    volumes: tuple[str, ...] = (),
    labels: tuple[str, ...] = (),
    required: tuple[str, ...] = REQUIRED_LABELS,
    digests: Mapping[str, str] = _NONE,
    own: frozenset[str] = frozenset(),
    non_root: bool = False,
    context: Context | None = None,
    rules: Iterable[Rule[Any]] | None = None,
) -> tuple[Finding, ...]:
    """The findings of `review`, without what other linters say."""
    return review(
        dockerfile,
        target=target,
        service=service,
        volumes=volumes,
        labels=labels,
        required=required,
        digests=digests,
        own=own,
        non_root=non_root,
        context=context,
        rules=rules,
    ).findings


def review(
    dockerfile: Dockerfile,
    *,
    target: str | None = None,
    service: str | None = None,
    volumes: tuple[str, ...] = (),
    labels: tuple[str, ...] = (),
    required: tuple[str, ...] = REQUIRED_LABELS,
    digests: Mapping[str, str] = _NONE,
    own: frozenset[str] = frozenset(),
    non_root: bool = False,
    context: Context | None = None,
    rules: Iterable[Rule[Any]] | None = None,
    others: Iterable[Finding] = (),
    equivalent: Mapping[str, str] = _NONE,
    shared: bool = False,
) -> Review:
    """What `rules` (all of them when not given) find in the image that `target` (the last stage when not given) makes.

    `volumes`, `labels`, `required`, `digests`, `own`, `non_root` and `context` are those of the `Deployment`. Rules
    about a `Dockerfile`, a `Recipe` and a `Deployment` run once, those about a `Stage` once for each stage that a build
    of the image runs; rules about anything else are passed over. What other linters found in the file (`others`) is in
    the result as well, but where a rule of ours that is `equivalent` to theirs finds the same: that is said once, and
    keeps their name for it. Of a file that other services may build from as well (`shared`) the rest of theirs has the
    same fingerprint whichever service it is told for.
    Findings that a comment accepts with a reason (`# hullmark: ignore=rule-id reason`, above the instruction or inside
    of it) are left out. Raises `UsageError` when there is no such stage.
    """
    recipe = dockerfile.recipe(target)
    found = list(
        _findings(
            Deployment(
                recipe=recipe,
                volumes=volumes,
                labels=labels,
                required=required,
                digests=tuple(sorted(digests.items())),
                own=own,
                non_root=non_root,
                context=context,
            ),
            catalogue() if rules is None else rules,
            service,
        )
    )
    for other in others:
        _merge(_about(other, dockerfile, service, shared=shared), found, dockerfile, equivalent)
    kept = []
    used: set[tuple[int, str]] = set()
    for finding in found:
        accepting = list(_accepting(finding, dockerfile, equivalent))
        used.update(accepting)
        if not accepting:
            kept.append(finding)
    return Review(findings=tuple(sorted(kept, key=lambda finding: finding.sort_key)), used=frozenset(used))


def ignores(
    dockerfile: Dockerfile, target: str | None = None
) -> Iterator[tuple[Instruction, str, SourceSpan]]:
    """Each rule that a comment ignores with a reason, in the stages that a build of `target` runs, and where."""
    stages = dockerfile.recipe(target).stages
    built = (each for stage in stages for each in (stage.opening, *stage.instructions))
    for instruction in chain(dockerfile.arguments, built):
        for ignore in instruction.ignores:
            if ignore.reason:
                for rule in ignore.rules:
                    yield instruction, rule, ignore.span


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


def _about(other: Finding, dockerfile: Dockerfile, service: str | None, *, shared: bool) -> Finding:
    """The finding of another linter as one of `service`, with a name that stays when lines move."""
    instruction = _instruction(dockerfile, other)
    text = "" if instruction is None else dockerfile.excerpt(instruction.span)
    seen = Observation(
        location=other.location,
        seen=other.seen,
        expected=other.expected,
        remedy=other.remedy,
        key=f"{other.seen}\0{text}",
    )
    name = fingerprint(other.rule, None if shared else service, seen)
    return replace(other, service=service, fingerprint=name)


def _merge(
    other: Finding, found: list[Finding], dockerfile: Dockerfile, equivalent: Mapping[str, str]
) -> None:
    """Adds `other` to `found`, or its name to the finding there that says the same of the same instruction."""
    ours = equivalent.get(other.rule)
    instruction = _instruction(dockerfile, other)
    same = [
        index
        for index, finding in enumerate(found)
        if finding.rule == ours and _instruction(dockerfile, finding) is instruction
    ]
    if not same:
        found.append(other)
    for index in same:
        if other.rule not in found[index].aliases:
            found[index] = replace(found[index], aliases=(*found[index].aliases, other.rule))


def _instruction(dockerfile: Dockerfile, finding: Finding) -> Instruction | None:
    """The instruction that the finding lies in."""
    place = finding.location
    if not isinstance(place, SourceSpan):
        return None
    return next((i for i in dockerfile.instructions if i.span.line <= place.line <= i.span.end_line), None)


def _accepting(
    finding: Finding, dockerfile: Dockerfile, equivalent: Mapping[str, str]
) -> Iterator[tuple[int, str]]:
    """The ignores in comments that cover the finding, by whatever name."""
    names = {finding.rule, *finding.aliases, equivalent.get(finding.rule, finding.rule)}
    instruction = _instruction(dockerfile, finding)
    if instruction is not None:
        for ignore in instruction.ignores:
            if ignore.reason:
                yield from ((instruction.span.line, rule) for rule in ignore.rules if rule in names)
