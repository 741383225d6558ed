"""Files that are there to hold credentials, by their names, and the commands that write secrets into them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hullmark._secrets.names import is_named_like_secret
from hullmark._secrets.variables import format_in, is_environment_file
from hullmark.rules._known_bases import is_below
from hullmark.rules._variables import variables_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hullmark.model.dockerfile import Command, Instruction, Word

_FILES = re.compile(
    r"(?:.*/)?(?:"
    r"\.npmrc|\.pypirc|pip\.conf|\.netrc|_netrc|\.git-credentials|\.pgpass|\.my\.cnf|\.dockercfg|\.htpasswd"
    r"|\.docker/config\.json|\.aws(?:/credentials)?|\.ssh(?:/.*)?|\.gnupg|\.kube(?:/config)?"
    r"|kubeconfig(?:\.ya?ml)?|id_(?:rsa|dsa|ecdsa|ed25519)[*?]*"
    r"|(?:[\w.-]*[-_.])?(?:private|privkey|priv|tls|ssl|server|client)[-_.]?key\.pem|privkey\.pem|private\.pem"
    r"|(?:[\w.-]*[-_.])?(?:private|privkey|priv|tls|ssl|server|client|signing)(?:[-_.]?key)?\.key"
    r"|[\w.-]+\.(?:p12|pfx|ppk|jks|keystore)"
    r"|[\w.-]*service[-_]?account(?:[-_.]?(?:key|credentials|prod(?:uction)?|staging))?\.json|(?:application_default_)?credentials\.json"
    r")/?",
    re.IGNORECASE,
)
_MOUNTED = re.compile(r"/run/secrets/")
_HOME = re.compile(r"^(?:~|\$HOME|\$\{HOME\})(?=/)")
_OF_ROOT = "/root"
"""Where a home directory is as long as nothing else is said; a mount there is meant for it."""


def is_credential_file(path: str) -> bool:
    """Whether the file at `path` is called like one that holds credentials."""
    return _FILES.fullmatch(path) is not None or is_environment_file(path)


def written_by(instruction: Instruction) -> Iterator[tuple[Word, str]]:
    """The files with credentials that a RUN writes secrets into and leaves, each with how it is called."""
    told = set()
    for position, command in enumerate(instruction.commands):
        for word in _written(instruction.commands, position):
            path = _HOME.sub(_OF_ROOT, word.text)
            mounted = any(is_below(path, mount.target) for mount in instruction.mounts)
            # A command in the words of another has the redirections of that one.
            if (
                is_credential_file(path)
                and not mounted
                and word.span not in told
                and not _is_removed(word, instruction.commands[position:])
                # What is looked for there takes the longest, and most commands write no such file.
                and puts_out_secret(command)
            ):
                told.add(word.span)
                yield word, word.text


def _written(commands: tuple[Command, ...], position: int) -> Iterator[Word]:
    """The files that the command at `position` writes what it puts out into."""
    command = commands[position]
    yield from _targets(command)
    following = commands[position + 1 : position + 2]
    if command.piped and following and following[0].program == "tee":
        yield from (word for word in following[0].arguments if not word.text.startswith("-"))


def _targets(command: Command) -> Iterator[Word]:
    for redirect in command.redirects:
        if redirect.operator in {">", ">>", ">|"} and redirect.target is not None:
            yield redirect.target


def puts_out_secret(command: Command) -> bool:
    """Whether what the command puts out has something secret in it."""
    texts = [word.text for word in command.arguments]
    texts += [redirect.content or "" for redirect in command.redirects]
    return any(
        _MOUNTED.search(text)
        or format_in("", text)
        or any(is_named_like_secret(name) for name in variables_of(text))
        for text in texts
    )


def _is_removed(written: Word, later: tuple[Command, ...]) -> bool:
    return any(
        command.program in {"rm", "shred"} and any(word.text == written.text for word in command.arguments)
        for command in later
    )
