"""Secret in a Compose file.

What it checks
    Values in `environment` that are written into the file as they are: variables whose name says that they hold a
    secret (`*_PASSWORD`, `*_TOKEN`, ...), values in the format of a well-known credential, and URLs with a password.
    The same in arguments of builds, labels, contents of `configs` and fragments (`x-...`); options and logins
    (`--password`, `curl -u`) in `command`, `entrypoint` and health checks; and the formats in everything else.
    A value that comes from a variable (`${DB_PASSWORD}`) is fine. Its default (`${DB_PASSWORD:-...}`) is a value that
    stands in the file, anywhere in the service; one of plain words (`postgres`, `change-me`) counts as a stand-in for
    development, and one that only the name of its variable speaks for is a warning.

Why it matters
    The Compose file is in the repository, and the repository is read by more people than the database.

How to fix
    Take the value from the environment or an env file that is not committed, or from a Compose secret.

    Bad:

        environment:
          DB_PASSWORD: hunter2

    Good:

        environment:
          DB_PASSWORD: ${DB_PASSWORD:?}
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hullmark._secrets.variables import format_in, secret_default, secret_in
from hullmark.model.composition import Composition
from hullmark.model.finding import Observation, Severity
from hullmark.model.rule import rule

if TYPE_CHECKING:
    from hullmark.model.composition import Literal


@rule(summary="secret in a Compose file", severity=Severity.ERROR, since="0.1")
def inline_secret(composition: Composition) -> Iterator[Observation]:
    for literal in composition.literals:
        if literal.variable is not None:
            if seen := secret_default(literal.name, literal.variable, literal.value):
                yield Observation(
                    location=literal.span,
                    seen=seen,
                    expected="no secrets in files of the repository",
                    remedy=f"write `${{{literal.variable}:?}}` and set it outside of the repository, or use `secrets`",
                    severity=None if format_in(literal.variable, literal.value) else Severity.WARNING,
                    key=f"default of {literal.variable} for {literal.name}",
                )
        elif seen := secret_in(literal.name, literal.value):
            yield Observation(
                location=literal.span,
                seen=seen,
                expected="no secrets in files of the repository",
                remedy=f"write `${{{literal.name}:?}}` and set it outside of the repository, or use `secrets`",
                key=literal.name,
            )
    yield from _besides(composition)


def _besides(composition: Composition) -> Iterator[Observation]:
    """What is secret in commands, arguments, labels and whatever else is no variable."""
    told = set()
    for literal in composition.texts:
        seen = _in(literal)
        if seen is not None and (literal.span, literal.value) not in told:
            told.add((literal.span, literal.value))
            yield Observation(
                location=literal.span,
                seen=f"`{literal.key}`: {seen}",
                expected="no secrets in files of the repository",
                remedy=f"take it out of `{literal.key}`, and hand it over by a variable of the environment or by `secrets`",
                key=f"{literal.key} {literal.name}",
            )


def _in(literal: Literal) -> str | None:
    if literal.told:
        return f"`{literal.name}` has a value of {len(literal.value)} characters"
    # A single dollar stands for a variable, Compose doubles all others.
    if "$" in literal.value.replace("$$", ""):
        return format_in(literal.name or literal.key, literal.value)
    if literal.name:
        return secret_in(literal.name, literal.value)
    return format_in(literal.key, literal.value)
