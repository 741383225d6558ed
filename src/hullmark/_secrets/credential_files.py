"""Files that are there to hold keys and credentials: which those are by name, and whether they do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hullmark._secrets.keys import key_file

if TYPE_CHECKING:
    from collections.abc import Iterator

_KEY_ENDS = (".pem", ".key", ".p8", ".pk8", ".ppk", ".der", ".p12", ".pfx")
_KEY_NAMES = ("_key", "/id_rsa", "/id_dsa", "/id_ecdsa", "/id_ed25519", "/identity", "/secring.gpg")
_SETTINGS = {
    "/.npmrc": "npm",
    "/.yarnrc.yml": "npm",
    "/.pypirc": "PyPI",
    "/pip.conf": "a package index",
    "/.pip/pip.conf": "a package index",
    "/.netrc": "a server",
    "/_netrc": "a server",
    "/.git-credentials": "a Git server",
    "/.docker/config.json": "a container registry",
    "/.dockercfg": "a container registry",
    "/containers/auth.json": "a container registry",
    "/.aws/credentials": "AWS",
    "/.pgpass": "PostgreSQL",
    "/.my.cnf": "MySQL",
    "/kubeconfig": "Kubernetes",
    ".kubeconfig": "Kubernetes",
    "/.kube/config": "Kubernetes",
    "/application_default_credentials.json": "Google Cloud",
}
_ACCOUNT = re.compile(r".*/[^/]*service[-_]?account[^/]*\.json", re.DOTALL)
_ENDS = (*_KEY_ENDS, *_KEY_NAMES, *_SETTINGS, ".json", ".gpg")
"""Nearly all other files are told by their end at once."""
_SSH = "/.ssh/"
_VALUE = rb"[\"']?(?P<value>(?!\$|%|<|[\"'\s]|\*)[^\s\"'#]{3,})"
_SECRETS = {
    "npm": re.compile(rb"(?:_authToken|_auth|_password|npmAuthToken|npmAuthIdent)[\"']?\s*[=:]\s*" + _VALUE),
    "PyPI": re.compile(rb"(?m)^[ \t]*password\s*[=:]\s*" + _VALUE),
    "a server": re.compile(rb"(?:^|\s)password\s+" + _VALUE),
    "a package index": re.compile(rb"://[^/\s:@]*:(?P<value>(?!\$)[^/\s@]+)@"),
    "a Git server": re.compile(rb"://[^/\s:@]*:(?P<value>(?!\$)[^/\s@]+)@"),
    "a container registry": re.compile(rb"\"(?:auth|identitytoken|registrytoken|password)\"\s*:\s*" + _VALUE),
    "AWS": re.compile(rb"(?m)^[ \t]*aws_(?:secret_access_key|session_token)\s*=\s*" + _VALUE),
    "PostgreSQL": re.compile(rb"(?m)^[^#:\n][^:\n]*(?::[^:\n]+){3}:(?P<value>[^:\s]+)[ \t\r]*$"),
    "MySQL": re.compile(rb"(?m)^[ \t]*password\s*=\s*" + _VALUE),
    "Kubernetes": re.compile(rb"(?m)^[ \t]*[\"']?(?:client-key-data|token|password)[\"']?\s*:\s*" + _VALUE),
    "Google Cloud": re.compile(rb"\"(?:refresh_token|private_key)\"\s*:\s*" + _VALUE),
}


def is_meant_for_credentials(path: str) -> bool:
    """Whether files of that name are where keys and credentials are put."""
    if not path.endswith(_ENDS) and _SSH not in path:
        return False
    return (
        path.endswith((*_KEY_ENDS, *_KEY_NAMES, *_SETTINGS))
        or _SSH in path
        or "/private-keys-v1.d/" in path
        or _ACCOUNT.fullmatch(path) is not None
    )


def credential_in(path: str, content: bytes) -> str | None:
    """What the file at `path`, which is meant for credentials, holds, in words; `None` where it holds none."""
    key = key_file(path, content)
    if key is not None:
        return key
    for end, where in _SETTINGS.items():
        if path.endswith(end) and _SECRETS[where].search(content):
            return f"credentials for {where}"
    return None


def values_in(path: str, content: bytes) -> Iterator[tuple[int, bytes, str]]:
    """Where each password or token in the file at `path`, which is meant for credentials, begins, it, and what for."""
    for end, where in _SETTINGS.items():
        if path.endswith(end):
            for match in _SECRETS[where].finditer(content):
                yield match.start("value"), match["value"], f"credentials for {where}"
