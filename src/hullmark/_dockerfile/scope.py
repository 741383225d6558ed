"""What variables stand for at each place of a stage, given what Compose hands over."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hullmark._dockerfile.expansion import BadWord, expand

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from hullmark.model.dockerfile import Dockerfile, Instruction, Pair, Recipe, Stage

_NAMED = re.compile(r"\$\{?(\w+)")


@dataclass(kw_only=True)
class Scope:
    """The variables at one place; what is not among them is not known here, as it may come from a base image."""

    given: Mapping[str, str]
    """The build arguments that Compose sets."""
    globals: Mapping[str, str]
    """Of before the first FROM; a stage has only those that it asks for."""
    escape: str
    arguments: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str | None] = field(default_factory=dict)
    """`None` stands for a value that is not known, which hides an argument of the same name all the same."""

    def follow(self, instruction: Instruction) -> None:
        """Goes past an instruction."""
        if instruction.keyword == "ENV":
            # All of one ENV see what was before it.
            self.environment.update({pair.name: self._value(pair) for pair in instruction.pairs})
        elif instruction.keyword == "ARG":
            for pair in instruction.pairs:
                self._declare(pair)

    def resolve(self, word: str) -> str | None:
        """`word` with its quotes and variables resolved; `None` where that needs something that is not known."""
        known = {**self.arguments, **self.environment}
        variables = {name: value for name, value in known.items() if value is not None}
        # A default would stand for a variable that is not known as well as for one that is not set.
        if any(name not in variables for name in _variables(word)):
            return None
        try:
            found = expand(word, variables, escape=self.escape)
        except BadWord:
            return None
        return None if found.unresolved else found.text

    def _declare(self, pair: Pair) -> None:
        value = self.given.get(pair.name)
        if value is None:
            value = self._value(pair) if pair.raw is not None else self.globals.get(pair.name)
        if value is None:
            self.arguments.pop(pair.name, None)
        else:
            self.arguments[pair.name] = value

    def _value(self, pair: Pair) -> str | None:
        return self.resolve(pair.raw or "")


def before_the_first(dockerfile: Dockerfile, given: Mapping[str, str]) -> dict[str, str]:
    """The arguments that are declared before the first FROM, as far as they are known."""
    scope = Scope(given=given, globals={}, escape=dockerfile.escape)
    for instruction in dockerfile.arguments:
        scope.follow(instruction)
    return scope.arguments


def opened(
    stage: Stage,
    dockerfile: Dockerfile,
    given: Mapping[str, str],
    inherited: Iterable[tuple[str, str]] = (),
) -> Scope:
    """The scope at the top of a stage: that at the end of the one it continues.

    `inherited` are the variables of the image that the first of them is built upon.
    """
    scope = Scope(given=given, globals=before_the_first(dockerfile, given), escape=dockerfile.escape)
    scope.environment.update(inherited)
    for ancestor in stage.lineage[:-1]:
        for instruction in (*ancestor.triggered, *ancestor.instructions):
            scope.follow(instruction)
    return scope


def needed(stage: Stage) -> set[str]:
    """The names of the variables by which a stage, or one that it continues, names what it takes of contexts."""
    words = [word for each in stage.history for word in _words(each)]
    found: set[str] = set()
    pending = {name for word in words for name in _variables(word)}
    set_from = [
        (pair.name, _variables(pair.raw or ""))
        for each in stage.history
        if each.keyword in {"ARG", "ENV"}
        for pair in each.pairs
    ]
    while pending:
        found |= pending
        pending = {name for set_name, names in set_from if set_name in found for name in names} - found
    return found


def _words(instruction: Instruction) -> tuple[str, ...]:
    """What an instruction names of a context."""
    if instruction.keyword in {"COPY", "ADD"}:
        return sources(instruction)
    return tuple(value for mount in instruction.mounts for _, value in mount.options)


def sources(instruction: Instruction) -> tuple[str, ...]:
    """The sources of COPY and ADD, as they are written."""
    if instruction.json is not None:
        return instruction.json[:-1]
    return tuple(word.text for word in instruction.words[:-1])


def _variables(word: str) -> list[str]:
    return _NAMED.findall(word)


def stages(recipe: Recipe) -> tuple[Stage, ...]:
    """The stages of which an image is made, with those from which ONBUILD takes something where it comes to run.

    Which stage it means is looked up in the file that builds upon it; not every builder lets it name one.
    """
    found = {stage.index: stage for stage in recipe.stages}
    pending = list(found.values())
    while pending:
        for instruction in pending.pop().triggered:
            for name in (
                instruction.flag("from"),
                *(dict(each.options).get("from") for each in instruction.mounts),
            ):
                if not name or (named := recipe.dockerfile.find(name)) is None:
                    continue
                for stage in recipe.dockerfile.recipe(str(named.index)).stages:
                    if stage.index not in found:
                        found[stage.index] = stage
                        pending.append(stage)
    return tuple(found[index] for index in sorted(found))
