"""Python packages are installed with their download cache.

What it checks
    Each `pip install`, `python -m pip install`, `uv pip install`, `uv pip sync` and `uv sync` of a RUN, in every stage.
    It is fine with `--no-cache-dir` (pip, uv) or `--no-cache` (uv), with `PIP_NO_CACHE_DIR` or `UV_NO_CACHE` in the
    environment, with a cache or tmpfs mount on the cache's directory, or when the same RUN removes the cache.

Why it matters
    The cache holds a second copy of everything that was installed. In a layer it is never used again, and it is
    carried along to every host.

How to fix
    Install without it, or keep it in a cache mount.

    Bad:

        RUN pip install -r requirements.txt

    Good:

        RUN pip install --no-cache-dir -r requirements.txt
        RUN --mount=type=cache,target=/root/.cache/uv uv sync --frozen
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from hullmark.model.dockerfile import Stage
from hullmark.model.finding import Observation, Severity
from hullmark.model.fix import Fix
from hullmark.model.rule import rule
from hullmark.rules._edits import with_option
from hullmark.rules._package_managers import calls

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from hullmark.model.dockerfile import Command, Instruction
    from hullmark.rules._package_managers import Call

_VERBS = frozenset({("pip", "install"), ("uv", "pip install"), ("uv", "pip sync"), ("uv", "sync")})
_OFF = frozenset({"", "0", "f", "false", "n", "no", "off"})
_CACHE = re.compile(r"(^|/)\.cache(/|$)")


@rule(
    summary="Python packages are installed with their cache",
    severity=Severity.WARNING,
    since="0.1",
    fixes="safe",
)
def pip_cache_kept(stage: Stage) -> Iterator[Observation]:
    for instruction in stage.runs:
        variables = stage.variables(instruction)
        for position, call in calls(instruction, variables):
            if (call.family, call.verb) not in _VERBS:
                continue
            before = instruction.commands[:position]
            environment = {**variables, **_exported(before), **_assigned(call.command)}
            if (
                _declines(call)
                or _is_off(call, environment)
                or _is_mounted(instruction, call, environment)
                or _is_removed(instruction.commands[position + 1 :], call)
            ):
                continue
            option = "--no-cache-dir" if "pip" in call.verb or call.family == "pip" else "--no-cache"
            yield Observation(
                location=call.verb_word.span,
                seen=f"`{call.command}`",
                expected="no download cache in the layer",
                remedy=f"write `{call.program} {call.verb} {option} ...`",
                key=f"{stage.label}: {call.command}",
                fix=Fix(message=f"add {option}", edits=(with_option(instruction, position, call, option),)),
            )


def _declines(call: Call) -> bool:
    if call.family == "uv" and call.has("--no-cache", "-n"):
        return True
    return call.has("--no-cache-dir", "--dry-run", "--help", "-h")


def _is_off(call: Call, environment: Mapping[str, str]) -> bool:
    if call.family == "pip":
        # pip takes every value it can read as yes or no for yes.
        return bool(environment.get("PIP_NO_CACHE_DIR"))
    return environment.get("UV_NO_CACHE", "").lower() not in _OFF


def _is_mounted(instruction: Instruction, call: Call, environment: Mapping[str, str]) -> bool:
    named = [
        *call.values("--cache-dir"),
        environment.get("PIP_CACHE_DIR" if call.family == "pip" else "UV_CACHE_DIR", ""),
        environment.get("XDG_CACHE_HOME", ""),
    ]
    directories = [directory.rstrip("/") for directory in named if directory]
    for mount in instruction.mounts:
        if mount.type not in ("cache", "tmpfs"):
            continue
        target = (mount.target or "").rstrip("/")
        if _CACHE.search(target) and _fits(target, call):
            return True
        if any(f"{directory}/".startswith(f"{target}/") for directory in directories):
            return True
        if any(target == f"{directory}/{call.family}" for directory in directories):
            return True
    return False


def _fits(target: str, call: Call) -> bool:
    """Whether a directory below `.cache` is the program's own and not, say, npm's."""
    tail = _CACHE.split(target)[-1]
    return not tail or tail.split("/")[0] == call.family


def _is_removed(commands: Iterable[Command], call: Call) -> bool:
    for command in commands:
        texts = [word.text for word in command.arguments]
        if command.program == "rm" and any(
            _CACHE.search(text) and _fits(text.rstrip("/*"), call) for text in texts
        ):
            return True
        if texts[-2:] == ["cache", "purge"] or (command.program == "uv" and texts[:2] == ["cache", "clean"]):
            return True
    return False


def _assigned(command: Command) -> dict[str, str]:
    return {pair.name: pair.value or "" for pair in command.assignments}


def _exported(commands: Iterable[Command]) -> dict[str, str]:
    """What `export NAME=value` has set."""
    found = {}
    for command in commands:
        if command.program == "export":
            for word in command.arguments:
                name, equals, value = word.text.partition("=")
                if equals:
                    found[name] = value
    return found
