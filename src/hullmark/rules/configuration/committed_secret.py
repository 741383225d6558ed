"""Secret in an environment file that is in the repository.

What it checks
    The files that services name in `env_file`, and the one that Compose takes variables from (`.env`, or what
    `env-file` names), where git tracks them: values in the format of a well-known credential, URLs with a password, and
    variables whose name says that they hold a secret (`*_PASSWORD`, `*_TOKEN`, ...). A file that git ignores is where
    secrets belong, and none of this. What is no secret of anybody (`changeme`, `postgres`) is
    none, and in files for tests and in examples (`.env.test`, `.env.example`) only formats count.

Why it matters
    Whoever can read the repository has the secret, also when a later commit removes it.

How to fix
    Take the secret out of use: it has to be considered lost. List the file in `.gitignore`, take it out of the index
    (`git rm --cached`), and keep one with names and no values beside it (`.env.example`). What is no secret is allowed
    by its hash in `allow` of `[secrets]`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from hullmark._secrets.engine import find, plain
from hullmark._secrets.plausible import is_own
from hullmark._secrets.redaction import likeness
from hullmark._secrets.variables import hidden_in
from hullmark.model.composition import EnvironmentFile
from hullmark.model.finding import Observation, Severity
from hullmark.model.rule import rule

if TYPE_CHECKING:
    from hullmark.model.secret import Likeness

_HARMLESS = re.compile(
    r"(?:^|[._-])(?:tests?|testing|ci|examples?|sample|template|dist|defaults?)(?=[._-]|$)"
)


@rule(summary="secret in an environment file of the repository", severity=Severity.ERROR, since="0.1")
def committed_secret(file: EnvironmentFile) -> Iterator[Observation]:
    harmless = _HARMLESS.search(file.path.rpartition("/")[2]) is not None
    for literal in file.variables:
        found = _secret(literal.name, literal.value, named=not harmless)
        if found is not None:
            yield Observation(
                location=literal.span,
                seen=f"`{literal.name}` holds {found}, and git tracks the file",
                expected="no secrets in files of the repository",
                remedy=f"take it out of use, list `{file.path}` in `.gitignore`, and set `{literal.name}` elsewhere",
                key=f"{literal.name} {found.hash}",
                likeness=found,
            )


def _secret(name: str, value: str, *, named: bool) -> Likeness | None:
    """What is secret about the variable; with `named` also by its name alone."""
    raw = value.encode("utf-8", "surrogateescape")
    for match in find(raw, plain()):
        if named or not match.detector.generic:
            return likeness(match.detector.id, match.detector.what, match.secret)
    secret = hidden_in(name, value) if named else None
    if secret is None or not is_own(secret):
        return None
    return likeness("named-secret", "a value of its own", secret)
