"""Calls of package managers, taken apart: what is installed or removed, and with which options.

Rules about installing share this reading; a module of the rules package itself holds no rule.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hullmark.model.finding import Observation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from hullmark.model.dockerfile import Command, Instruction, Stage, Word

_VALUED: dict[str, frozenset[str]] = {
    "apk": frozenset(
        [
            "-p",
            "--root",
            "-t",
            "--virtual",
            "-X",
            "--repository",
            "--arch",
            "--cache-dir",
            "--keys-dir",
            "--repositories-file",
            "--timeout",
            "--wait",
        ]
    ),
    "apt": frozenset(
        [
            "-o",
            "--option",
            "-t",
            "--target-release",
            "--default-release",
            "-c",
            "--config-file",
            "-a",
            "--host-architecture",
        ]
    ),
    "dnf": frozenset(
        [
            "-c",
            "--config",
            "--setopt",
            "--releasever",
            "-x",
            "--exclude",
            "--enablerepo",
            "--disablerepo",
            "--repo",
            "--repoid",
            "--installroot",
            "--forcearch",
            "-d",
            "-e",
            "-R",
            "--comment",
        ]
    ),
    "pip": frozenset(
        [
            "-r",
            "--requirement",
            "-c",
            "--constraint",
            "-e",
            "--editable",
            "-i",
            "--index-url",
            "--extra-index-url",
            "-f",
            "--find-links",
            "-t",
            "--target",
            "--prefix",
            "--root",
            "--src",
            "--platform",
            "--python-version",
            "--implementation",
            "--abi",
            "--cache-dir",
            "--timeout",
            "--retries",
            "--proxy",
            "--trusted-host",
            "--cert",
            "--client-cert",
            "--log",
            "--no-binary",
            "--only-binary",
            "--config-settings",
            "--progress-bar",
            "--python",
            "--report",
            "--upgrade-strategy",
            "--root-user-action",
        ]
    ),
    "uv": frozenset(
        [
            "-r",
            "--requirement",
            "--requirements",
            "-c",
            "--constraint",
            "--constraints",
            "-e",
            "--editable",
            "-i",
            "--index-url",
            "--index",
            "--default-index",
            "--extra-index-url",
            "-f",
            "--find-links",
            "-t",
            "--target",
            "--prefix",
            "--python",
            "-p",
            "--cache-dir",
            "--directory",
            "--project",
            "--config-file",
            "--extra",
            "--group",
            "--no-group",
            "--only-group",
            "--package",
            "--override",
            "--overrides",
            "--no-extra",
            "--no-install-package",
            "--color",
            "--link-mode",
            "--index-strategy",
            "--resolution",
            "--python-preference",
            "--torch-backend",
            "-P",
            "--upgrade-package",
            "--no-binary",
            "--only-binary",
            "--no-build-package",
            "--no-binary-package",
        ]
    ),
    "zypper": frozenset(
        [
            "-c",
            "--config",
            "-R",
            "--root",
            "--installroot",
            "--releasever",
            "-C",
            "--cache-dir",
            "-r",
            "--repo",
            "-p",
            "--plus-repo",
            "--from",
            "-t",
            "--type",
            "-b",
            "--bugzilla",
            "--cve",
            "-g",
            "--category",
            "--severity",
            "--date",
        ]
    ),
}
"""Options that take the next word as their value."""

_FAMILIES = {
    "apk": "apk",
    "apt": "apt",
    "apt-get": "apt",
    "dnf": "dnf",
    "dnf5": "dnf",
    "microdnf": "dnf",
    "uv": "uv",
    "yum": "dnf",
    "zypper": "zypper",
}
_PIP = re.compile(r"pip[0-9]*(\.[0-9]+)?")
_PYTHON = re.compile(r"(python|pypy)[0-9]*(\.[0-9]+)?")
_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """An option of a call; `--name=value`, `--name value` and `-nvalue` of short ones look alike."""

    name: str
    value: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of a package manager."""

    family: str
    """`apt`, `apk`, `dnf`, `pip`, `uv` or `zypper`."""
    program: str
    """How it was called, for example `apt-get` or `python3 -m pip`."""
    command: Command
    verb: str
    """What it is told to do, for example `install`, `add` or `pip install`; empty when that is not known."""
    verb_word: Word
    """The word to point at: the verb, or the program when there is none."""
    options: tuple[Option, ...]
    operands: tuple[Word, ...]
    """Packages, requirements and paths."""

    def has(self, *names: str) -> bool:
        """Whether one of the options `names` is given."""
        return any(option.name in names for option in self.options)

    def values(self, *names: str) -> list[str]:
        """The values given to the options `names`."""
        return [option.value or "" for option in self.options if option.name in names]


def calls(instruction: Instruction, variables: Mapping[str, str] | None = None) -> Iterator[tuple[int, Call]]:
    """The package-manager calls of a RUN, each with its position among the commands.

    Words that are nothing but one of `variables` count as what it holds.
    """
    for position, command in enumerate(instruction.commands):
        call = _call(command, variables or {})
        if call is not None:
            yield position, call


def upgrades(
    stage: Stage,
    verbs: Mapping[str, frozenset[str]],
    harmless: Callable[[Call], bool],
    *,
    instead: Callable[[Call], str],
) -> Iterator[Observation]:
    """The calls of `stage` that upgrade whatever is installed: by `verbs` of each family, unless they are `harmless`.

    The remedy names what to write `instead` for single packages.
    """
    for instruction in stage.runs:
        for _, call in calls(instruction, stage.variables(instruction)):
            if call.verb in verbs.get(call.family, ()) and not harmless(call):
                yield Observation(
                    location=call.verb_word.span,
                    seen=f"`{call.command}`",
                    expected="a base image that is up to date, or packages by name",
                    remedy=f"leave it out; for what cannot wait, write `{instead(call)}`",
                    key=f"{stage.label}: {call.command}",
                )


def _call(command: Command, variables: Mapping[str, str]) -> Call | None:
    program = command.program
    words = list(command.words)
    family = _FAMILIES.get(program)
    name = program
    rest = words[1:]
    if family is None and _PIP.fullmatch(program):
        family = "pip"
    elif family is None and _PYTHON.fullmatch(program):
        position = next((index for index, word in enumerate(rest) if word.text == "-m"), None)
        if position is None or position + 1 >= len(rest) or rest[position + 1].text not in ("pip", "uv"):
            return None
        family = rest[position + 1].text
        name = f"{program} -m {family}"
        rest = rest[position + 2 :]
    if family is None:
        return None
    options, operands = _taken_apart(family, rest, variables)
    verbs = operands[: 2 if family == "uv" and operands and operands[0].text in ("pip", "tool") else 1]
    return Call(
        family=family,
        program=name,
        command=command,
        verb=" ".join(word.text for word in verbs),
        verb_word=verbs[-1] if verbs else words[0],
        options=tuple(options),
        operands=tuple(operands[len(verbs) :]),
    )


def _taken_apart(
    family: str, words: list[Word], variables: Mapping[str, str]
) -> tuple[list[Option], list[Word]]:
    options: list[Option] = []
    operands: list[Word] = []
    pending = [(word, word.text) for each in words for word in _resolved(each, variables)]
    valued = _VALUED[family]
    position = 0
    while position < len(pending):
        word, text = pending[position]
        position += 1
        if text == "--":
            operands += [each for each, _ in pending[position:]]
            break
        if not text.startswith("-") or text == "-":
            operands.append(word)
            continue
        name, equals, value = text.partition("=")
        if not equals and name in valued and position < len(pending):
            options.append(Option(name=name, value=pending[position][1]))
            position += 1
        elif not text.startswith("--") and text[:2] in valued and len(text) > 2:  # noqa: PLR2004  # `-oKEY=VALUE`
            options.append(Option(name=text[:2], value=text[2:].removeprefix("=")))
        else:
            options.append(Option(name=name, value=value if equals else None))
    return options, operands


def _resolved(word: Word, variables: Mapping[str, str]) -> list[Word]:
    """The words that `word` becomes: itself, unless it is an unquoted variable whose value is known."""
    variable = None if word.static else _VARIABLE.fullmatch(word.text)
    value = None if variable is None else variables.get(variable[1] or variable[2])
    return [word] if value is None else [replace(word, text=text, static=True) for text in value.split()]
