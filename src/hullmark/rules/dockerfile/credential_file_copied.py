r"""File with credentials is copied into the image.

What it checks
    The files that COPY and ADD take out of the build context by name: environment files (`.env`, `.env.production`;
    not `.env.example`), private keys, and the files in which npm, pip, Git, Docker, AWS, PostgreSQL and others keep
    credentials. In a stage whose files do not reach the image it is a note: there they stay in the build cache.

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

from hullmark.model.dockerfile import Recipe
from hullmark.model.finding import Observation, Severity
from hullmark.model.rule import rule
from hullmark.rules._secrets import is_environment_file

_FILES = re.compile(
    r"(?:.*/)?(?:"
    r"\.npmrc|\.pypirc|pip\.conf|\.netrc|_netrc|\.git-credentials|\.pgpass|\.my\.cnf|\.dockercfg|\.htpasswd"
    r"|\.docker/config\.json|\.aws(?:/credentials)?|\.ssh(?:/.*)?|\.gnupg|\.kube(?:/config)?"
    r"|kubeconfig(?:\.ya?ml)?|id_(?:rsa|dsa|ecdsa|ed25519)[*?]*"
    r"|(?:[\w.-]*[-_.])?(?:private|privkey|priv|tls|ssl|server|client)[-_.]?key\.pem|privkey\.pem|private\.pem"
    r"|(?:[\w.-]*[-_.])?(?:private|privkey|priv|tls|ssl|server|client|signing)(?:[-_.]?key)?\.key"
    r"|[\w.-]+\.(?:p12|pfx|ppk|jks|keystore)"
    r"|[\w.-]*service[-_]?account(?:[-_.]?(?:key|credentials))?\.json|application_default_credentials\.json"
    r")/?",
    re.IGNORECASE,
)
_DEFAULT = re.compile(r"\$\{\w+:?-([^}]*)\}")


@rule(summary="file with credentials is copied", severity=Severity.ERROR, since="0.1")
def credential_file_copied(recipe: Recipe) -> Iterator[Observation]:
    shipped = {part.stage.index for part in recipe.shipped}
    for stage in recipe.stages:
        for instruction in stage.instructions:
            if instruction.keyword not in {"COPY", "ADD"} or instruction.source is not None:
                continue
            for word in instruction.words[:-1]:
                name = _DEFAULT.sub(r"\1", word.text)
                if "://" not in name and (_FILES.fullmatch(name) or is_environment_file(name)):
                    reaches = stage.index in shipped
                    yield Observation(
                        location=word.span,
                        seen=f"`{name}` "
                        + ("goes into a layer of the image" if reaches else "stays in the build cache"),
                        expected="no credentials in layers",
                        remedy="mount it for the RUN that needs it (`--mount=type=secret`), and list it in .dockerignore",
                        severity=None if reaches else Severity.NOTE,
                        key=name,
                    )
