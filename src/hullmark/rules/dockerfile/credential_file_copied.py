r"""File with credentials gets into a layer.

What it checks
    The files that COPY and ADD take out of the build context by name: environment files (`.env`, `.env.production`;
    not `.env.example`), private keys, and the files in which npm, pip, Git, Docker, AWS, PostgreSQL and others keep
    credentials. And RUN commands that write a secret (a variable with the name of one, a mounted secret, a value with
    the format of one) into such a file with `>`, `>>` or `tee`, when the same RUN does not remove it and nothing is
    mounted there. In a stage whose files do not reach the image it is a note: there they stay in the build cache.

Why it matters
    A file that was in a layer can be read by whoever pulls the image, also when a later instruction removes it.

How to fix
    Mount it for the one RUN that needs it, or hand it to the container when it starts; and list it in `.dockerignore`.

    Bad:

        COPY .npmrc package.json ./
        RUN npm ci

    Good:

        COPY package.json ./
        RUN --mount=type=secret,id=npmrc,target=/root/.npmrc npm ci
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from hullmark.model.dockerfile import Recipe
from hullmark.model.finding import Observation, Severity
from hullmark.model.rule import rule
from hullmark.rules._credential_files import is_credential_file, written_by

if TYPE_CHECKING:
    from hullmark.model.dockerfile import Instruction, Word

_DEFAULT = re.compile(r"\$\{\w+:?-([^}]*)\}")


@rule(summary="file with credentials gets into a layer", severity=Severity.ERROR, since="0.1")
def credential_file_copied(recipe: Recipe) -> Iterator[Observation]:
    shipped = {part.stage.index for part in recipe.shipped}
    for stage in recipe.stages:
        reaches = stage.index in shipped
        for instruction in stage.instructions:
            for word, name in _found(instruction):
                yield Observation(
                    location=word.span,
                    seen=f"`{name}` "
                    + ("goes into a layer of the image" if reaches else "stays in the build cache"),
                    expected="no credentials in layers",
                    remedy="mount it for the RUN that needs it (`--mount=type=secret`), and list it in .dockerignore"
                    if instruction.keyword != "RUN"
                    else "mount the whole file for the RUN that needs it (`--mount=type=secret,target=...`), or remove it there",
                    severity=None if reaches else Severity.NOTE,
                    key=name,
                )


def _found(instruction: Instruction) -> Iterator[tuple[Word, str]]:
    """Where an instruction names a file with credentials, and how."""
    if instruction.keyword == "RUN":
        yield from written_by(instruction)
    elif instruction.keyword in {"COPY", "ADD"} and instruction.source is None:
        for word in instruction.words[:-1]:
            name = _DEFAULT.sub(r"\1", word.text)
            if "://" not in name and is_credential_file(name):
                yield word, name
