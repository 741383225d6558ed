"""Health check calls a program that the image has not got.

What it checks
    The program that HEALTHCHECK CMD starts, where it can be known that nothing brings it: the image is made from nothing
    (`scratch`) or from a base whose programs are known (`debian`, `ubuntu`, `alpine`, and the slim and alpine variants of
    `python` and `node`), the program is one of those that health checks like to call (`curl`, `wget`, `nc`, ...), and no
    instruction installs it, copies into a directory of programs, or runs something that might. Whatever is not sure is
    left alone.

Why it matters
    The check fails from the first time on. The service works, is unhealthy for ever, and what waits for it never starts.

How to fix
    Install the program, or ask with one that is there: the language that the service is written in can open a URL.

    Bad:

        FROM debian:bookworm-slim
        RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates
        HEALTHCHECK --timeout=5s CMD curl -f http://localhost:8001/health || exit 1

    Good:

        FROM debian:bookworm-slim
        RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates curl
        HEALTHCHECK --timeout=5s CMD curl -f http://localhost:8001/health || exit 1
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from typing import TYPE_CHECKING

from hullmark.model.dockerfile import Recipe
from hullmark.model.finding import Observation, Severity
from hullmark.model.rule import rule
from hullmark.rules._known_bases import (
    ALPINE,
    DEBIAN,
    IDLE,
    Directory,
    additions,
    base_images,
    is_below,
    managed,
)

if TYPE_CHECKING:
    from hullmark.model.dockerfile import Instruction, Stage
    from hullmark.rules._package_managers import Call

_ASKED = frozenset(
    {"curl", "wget", "nc", "netcat", "ncat", "telnet", "jq", "http", "ping", "dig", "nslookup"}
)
_BUSYBOX = frozenset({"nc", "nslookup", "ping", "telnet", "wget"})
_SHELLS = frozenset({"/bin/bash", "/bin/sh", "bash", "sh"})
_PLACES = ("/bin", "/sbin", "/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin")
_HARMLESS = re.compile(
    r"""
      (?:lib.+?|ca-certificates|tzdata|locales|openssl|gnupg|procps|tini|dumb-init|python3?[\d.]*|nodejs|fonts-.+?)
      (?:[=:/].*)?
    """,
    re.VERBOSE,
)
"""Packages that bring none of the programs, and need none that does."""
_RECOMMENDS_NOTHING = frozenset({"ca-certificates", "tzdata"})
_QUIET = frozenset({"autoclean", "autoremove", "clean", "del", "purge", "remove", "update"})
_PYTHON = frozenset({("pip", "install"), ("uv", "pip install"), ("uv", "sync"), ("uv", "venv")})


@rule(summary="HEALTHCHECK calls a program that is not there", severity=Severity.ERROR, since="0.1")
def healthcheck_program_missing(recipe: Recipe) -> Iterator[Observation]:
    check = recipe.final.last("HEALTHCHECK")
    program = None if check is None else _program(check)
    if check is None or program is None or not _is_missing(program, recipe):
        return
    stage = recipe.shipped[0].stage
    yield Observation(
        location=check.span,
        seen=f"HEALTHCHECK calls `{program}`, which nothing brings into an image made from {stage.root}",
        expected="a program that is in the image",
        remedy=f"install `{program}` in stage {stage.label}, or ask with a program that is there",
        key=program,
    )


def _program(check: Instruction) -> str | None:
    """The program that the health check starts first, if it is one of those that are asked for."""
    try:
        words = list(check.json) if check.json is not None else shlex.split(check.value.partition(" ")[2])
        if words[1:2] == ["-c"] and words[0] in _SHELLS:
            words = shlex.split(" ".join(words[2:3]))
    except ValueError:
        return None
    directory, _, name = words[0].rpartition("/") if words else ("", "", "")
    return name if name in _ASKED and (not directory or directory in _PLACES) else None


def _is_missing(program: str, recipe: Recipe) -> bool:
    """Whether it is certain that the image has no `program`."""
    images = base_images(recipe)
    if images is None or not all(
        DEBIAN.fullmatch(image) or (ALPINE.fullmatch(image) and program not in _BUSYBOX) for image in images
    ):
        return False
    return not any(_may_bring(instruction, stage, program) for stage, instruction in additions(recipe))


def _may_bring(instruction: Instruction, stage: Stage, program: str) -> bool:
    if instruction.keyword == "RUN":
        return instruction.unread is not None or not all(
            command.program in IDLE if call is None else _brings_nothing(call, program)
            for command, call in managed(stage, instruction)
        )
    if instruction.keyword == "COPY":
        path = Directory(stage, instruction).path(instruction.words[-1].text)
        search = [*_PLACES, *stage.environment.get("PATH", "").split(":")]
        return path is None or any(
            is_below(path, place) or is_below(place, path) for place in search if place.startswith("/")
        )
    return instruction.keyword == "ADD"


def _brings_nothing(call: Call, program: str) -> bool:
    if (call.family, call.verb) in _PYTHON:
        return program != "http"
    if call.family not in ("apk", "apt"):
        return False
    if call.verb in _QUIET:
        return True
    names = [word.text for word in call.operands]
    alone = (
        call.family == "apk" or call.has("--no-install-recommends") or _RECOMMENDS_NOTHING.issuperset(names)
    )
    return (
        call.verb in ("add", "install")
        and alone
        and all(word.static and _HARMLESS.fullmatch(word.text) for word in call.operands)
    )
