r"""Packages are installed by apt together with what they recommend.

What it checks
    Each `apt-get install` and `apt install` of a RUN, also inside of `sh -c`, here-documents and behind `sudo`. It is
    fine with `--no-install-recommends` anywhere in the call, with `-o APT::Install-Recommends=false`, or when a file
    in `/etc/apt/apt.conf.d` said so before: one that a RUN or a COPY of the same stage, or of a stage it is built on,
    has written.

Why it matters
    Recommended packages are what a person at a desk would like to have as well. In an image they are space, transfer
    time and vulnerabilities that nobody asked for; often they are most of what is installed.

How to fix
    Say that they are not wanted, and name what the service needs of them: the certificates that curl recommends, for
    example. The fix adds the option, and is unsafe because it cannot know the rest.

    Bad:

        RUN apt-get update && apt-get install -y curl \
            && rm -rf /var/lib/apt/lists/*

    Good:

        RUN apt-get update && apt-get install -y --no-install-recommends curl \
            && rm -rf /var/lib/apt/lists/*
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from hullmark.model.dockerfile import Stage
from hullmark.model.finding import Observation, Severity
from hullmark.model.fix import Applicability, Fix
from hullmark.model.rule import rule
from hullmark.rules._edits import with_option
from hullmark.rules._package_managers import calls

if TYPE_CHECKING:
    from hullmark.model.dockerfile import Command, Instruction
    from hullmark.rules._package_managers import Call

_SETTING = re.compile(
    r"""apt::install-recommends["'\s=]*(?:false|no|off|0|without|disable)\b""", re.IGNORECASE
)
_FILE = re.compile(r"/etc/apt/apt\.conf\b")


@rule(summary="apt installs recommended packages", severity=Severity.WARNING, since="0.1", fixes="unsafe")
def apt_recommends(stage: Stage) -> Iterator[Observation]:
    if any(_configures(instruction) for parent in stage.lineage[:-1] for instruction in parent.instructions):
        return
    for written in stage.instructions:
        instruction = written.trigger or written
        variables = stage.variables(instruction) if instruction.keyword == "RUN" else {}
        for position, call in calls(instruction, variables):
            if call.family != "apt" or call.verb != "install" or _declines(call):
                continue
            if any(_writes_setting(command) for command in instruction.commands[:position]):
                return
            yield Observation(
                location=call.verb_word.span,
                seen=f"`{call.command}`",
                expected="--no-install-recommends",
                remedy=f"write `{call.program} install --no-install-recommends ...`",
                key=f"{stage.label}: {call.command}",
                fix=Fix(
                    message="add --no-install-recommends",
                    edits=(with_option(instruction, position, call, "--no-install-recommends"),),
                    applicability=Applicability.UNSAFE,
                ),
            )
        if _configures(instruction):
            return


def _declines(call: Call) -> bool:
    if call.has("--no-install-recommends", "-s", "--simulate", "--dry-run"):
        return True
    if any(value.lower() in ("false", "no", "0") for value in call.values("--install-recommends")):
        return True
    return any(_SETTING.search(value) for value in call.values("-o", "--option"))


def _configures(instruction: Instruction) -> bool:
    """Whether the instruction writes a setting of apt that may turn recommendations off."""
    if instruction.keyword == "RUN":
        return any(_writes_setting(command) for command in instruction.commands)
    if instruction.keyword not in ("COPY", "ADD") or not instruction.words:
        return False
    if not _FILE.search(instruction.words[-1].text):
        return False
    # What a copied file says is not known here; it stands where such settings stand.
    documents = instruction.heredocs
    return not documents or any(_SETTING.search(document.content) for document in documents)


def _writes_setting(command: Command) -> bool:
    texts = [word.text for word in command.words]
    files = [redirect.target.text for redirect in command.redirects if redirect.target is not None]
    if command.piped or any(_FILE.search(text) for text in [*files, *texts]):
        texts += [redirect.content for redirect in command.redirects if redirect.content is not None]
        return any(_SETTING.search(text) for text in texts)
    return False
