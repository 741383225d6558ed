"""What becomes of the package lists that `apt-get update` fetches; three rules share this."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hullmark.rules._package_managers import calls

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hullmark.model.dockerfile import Command, Instruction, Recipe, Shipped, Stage
    from hullmark.rules._package_managers import Call

LISTS = "/var/lib/apt/lists"
_BRACES = re.compile(r"^([^{}]*)\{([^{}]*)\}([^{}]*)$")
_INSTALLS = frozenset({"install", "build-dep", "satisfy"})


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftLists:
    """An update whose lists are in the image."""

    part: Shipped
    instruction: Instruction
    call: Call
    installs: bool
    """Whether the same RUN goes on to install something."""
    removal: tuple[Instruction, Command] | None
    """What removes them in a later layer, where they stay."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoneUpdate:
    """An update whose lists are used by another RUN."""

    stage: Stage
    instruction: Instruction
    call: Call
    user: Instruction
    """The first RUN that installs from them."""


def left_lists(recipe: Recipe) -> Iterator[LeftLists]:
    """The updates whose lists end up in the image, without those that `lone_updates` tells."""
    shipped = recipe.shipped
    for part in shipped:
        if not part.squashed:
            yield from _left_later(part)
    alone = [each.instruction for each in lone_updates(recipe)]
    for part in shipped:
        for index, instruction in enumerate(part.stage.instructions):
            if is_mounted(instruction) or any(each is instruction for each in alone):
                continue
            same = [(each, part.squashed) for each in part.stage.instructions[index + 1 :]]
            below = [
                (each, other.squashed)
                for other in shipped
                if part.stage in other.stage.lineage[:-1] or (part.squashed and not other.squashed)
                for each in other.stage.instructions
            ]
            later = [*same, *below]
            if any(gone and _removal(each.commands) for each, gone in later):
                continue
            found = list(calls(instruction))
            for position, call in found:
                if call.family != "apt" or call.verb != "update":
                    continue
                if _removal(instruction.commands[position + 1 :]):
                    continue
                removals = ((each, _removal(each.commands)) for each, _ in later)
                yield LeftLists(
                    part=part,
                    instruction=instruction,
                    call=call,
                    installs=any(
                        after.family == "apt" and after.verb in _INSTALLS
                        for place, after in found
                        if place > position
                    ),
                    removal=next(((each, found) for each, found in removals if found), None),
                )
                break


def _left_later(part: Shipped) -> Iterator[LeftLists]:
    """Those of the RUNs that are put off until an image is built upon this one, where these install as well."""
    for instruction in (each.trigger for each in part.stage.instructions):
        if instruction is None or is_mounted(instruction):
            continue
        found = [(position, call) for position, call in calls(instruction) if call.family == "apt"]
        update = next(((position, call) for position, call in found if call.verb == "update"), None)
        if update is None or _removal(instruction.commands[update[0] + 1 :]):
            continue
        if any(call.verb in _INSTALLS and position > update[0] for position, call in found):
            yield LeftLists(part=part, instruction=instruction, call=update[1], installs=True, removal=None)


def lone_updates(recipe: Recipe) -> Iterator[LoneUpdate]:
    """The updates in a RUN that installs nothing, which a later RUN without an update of its own relies on."""
    for stage in recipe.stages:
        for index, instruction in enumerate(stage.instructions):
            if is_mounted(instruction):
                continue
            verbs = [call for _, call in calls(instruction) if call.family == "apt"]
            update = next((call for call in verbs if call.verb == "update"), None)
            if update is None or any(call.verb in _INSTALLS for call in verbs):
                continue
            users = _users(stage.instructions[index + 1 :])
            for other in recipe.stages:
                if stage in other.lineage[:-1]:
                    users += _users(other.instructions)
            if users:
                yield LoneUpdate(stage=stage, instruction=instruction, call=update, user=users[0])


def relied_on(recipe: Recipe, update: LeftLists) -> bool:
    """Whether a later RUN installs from the lists of `update`, so that they may not be removed before."""
    stage = update.part.stage
    position = next(
        index
        for index, each in enumerate(stage.instructions)
        if each is update.instruction or each.trigger is update.instruction
    )
    after = stage.instructions[position + 1 :]
    users = _users(each.trigger or each for each in after)
    for other in recipe.dockerfile.stages:
        if stage in other.lineage[:-1]:
            users += _users(other.instructions)
    return bool(users)


def _users(instructions: Iterable[Instruction]) -> list[Instruction]:
    """Those of `instructions` that install without an update, up to the first that has one."""
    found = []
    for instruction in instructions:
        verbs = [call.verb for _, call in calls(instruction) if call.family == "apt"]
        if "update" in verbs:
            break
        if any(verb in _INSTALLS for verb in verbs):
            found.append(instruction)
    return found


def is_mounted(instruction: Instruction) -> bool:
    """Whether the lists are none of the image's while the RUN lasts."""
    return any(
        mount.type in ("cache", "tmpfs") and _holds_lists(mount.target or "") for mount in instruction.mounts
    )


def _removal(commands: Iterable[Command]) -> Command | None:
    """The one of `commands` that removes the lists."""
    for command in commands:
        texts = [text for word in command.arguments for text in _spread(word.text)]
        if command.program == "rm" and any(_holds_lists(text) for text in texts):
            return command
        if command.program == "find" and _deletes(texts) and any(_holds_lists(text) for text in texts):
            return command
        if (command.program in ("apt", "apt-get") and "dist-clean" in texts) or "distclean" in texts:
            return command
    return None


def _deletes(words: list[str]) -> bool:
    return "-delete" in words or ("-exec" in words and "rm" in words)


def _holds_lists(path: str) -> bool:
    """Whether `path`, possibly ending in a pattern, is the directory of the lists or one above it."""
    directory = re.sub(r"(/\*+|/)+$", "", path)
    return directory.startswith("/var") and f"{LISTS}/".startswith(f"{directory}/")


def _spread(text: str) -> list[str]:
    """`/var/{a,b}` as the shell would spread it."""
    match = _BRACES.match(text)
    return [text] if match is None else [f"{match[1]}{part}{match[3]}" for part in match[2].split(",")]
