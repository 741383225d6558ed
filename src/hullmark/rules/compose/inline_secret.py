"""Secret in a Compose file.

What it checks
    Values in `environment` that are written into the file as they are: variables whose name says that they hold a
    secret (`*_PASSWORD`, `*_TOKEN`, ...), values in the format of a well-known credential, and URLs with a password.
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

from hullmark._secrets.variables import format_in, secret_default, secret_in
from hullmark.model.composition import Composition
from hullmark.model.finding import Observation, Severity
from hullmark.model.rule import rule


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
