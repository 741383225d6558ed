"""Private keys and credentials in the layers of an image, told by what the files hold; the secrets are kept nowhere."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hullmark.model.credential import Credential
from hullmark.model.owner import OwnerKind
from hullmark.model.table import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hullmark.model.filesystem import FileSystem
    from hullmark.model.owner import Owner, Ownership

_LARGEST = 1 << 20
_KEPT = b"\0credential\0"
"""Begins what is kept of a file: no file that others keep whole begins like this."""

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
_SSH = "/.ssh/"

# A header alone is what documentation and programs that look for keys have; a key has a body.
_PEM = re.compile(rb"-----BEGIN (?P<kind>[A-Z0-9 ]{0,20})PRIVATE KEY(?: BLOCK)?-----[\r\n -~]{64}")
_BASE64 = re.compile(rb"[A-Za-z0-9+/=]{40,}")
_LEGACY_ENCRYPTION = b"Proc-Type: 4,ENCRYPTED"
_PUTTY = re.compile(rb"PuTTY-User-Key-File-\d:")
_GNUPG = re.compile(rb"\(\d+:(?:protected-|shadowed-)?private-key|\((?:protected-)?private-key")
# PKCS #8 and the older forms of RSA and elliptic curves, as they are without PEM around them.
_DER = re.compile(
    rb"\x30(?:[\x02-\x7f]|\x81.|\x82..)\x02\x01(?:\x00\x30|\x00\x02(?:\x81|\x82)|\x01\x04[\x14-\x48])",
    re.DOTALL,
)
_PKCS12 = bytes.fromhex("060b2a864886f70d010c0a01")
"""What bags of a PKCS #12 file are called that hold something; the next byte says what."""
_VALUE = rb"[\"']?(?!\$|%|<|[\"'\s]|\*)[^\s\"'#]{3,}"
_SECRETS = {
    "npm": re.compile(rb"(?:_authToken|_auth|_password|npmAuthToken|npmAuthIdent)[\"']?\s*[=:]\s*" + _VALUE),
    "PyPI": re.compile(rb"(?m)^[ \t]*password\s*[=:]\s*" + _VALUE),
    "a server": re.compile(rb"(?:^|\s)password\s+" + _VALUE),
    "a package index": re.compile(rb"://[^/\s:@]*:(?!\$)[^/\s@]+@"),
    "a Git server": re.compile(rb"://[^/\s:@]*:(?!\$)[^/\s@]+@"),
    "a container registry": re.compile(rb"\"(?:auth|identitytoken|registrytoken|password)\"\s*:\s*" + _VALUE),
    "AWS": re.compile(rb"(?m)^[ \t]*aws_(?:secret_access_key|session_token)\s*=\s*" + _VALUE),
    "PostgreSQL": re.compile(rb"(?m)^[^#:\n][^:\n]*(?::[^:\n]+){3}:[^:\s]+[ \t\r]*$"),
    "MySQL": re.compile(rb"(?m)^[ \t]*password\s*=\s*" + _VALUE),
    "Kubernetes": re.compile(rb"(?m)^[ \t]*[\"']?(?:client-key-data|token|password)[\"']?\s*:\s*" + _VALUE),
    "Google Cloud": re.compile(rb"\"(?:refresh_token|private_key)\"\s*:\s*" + _VALUE),
}


class CredentialCapture:
    """Keeps of files that hold private keys or credentials what kind that is, and nothing of the secret."""

    name = "credentials/1"

    def wants(self, path: str, size: int, mode: int) -> bool:  # noqa: ARG002  # the protocol's
        """Whether files of that name are where keys and credentials are put."""
        if not path.endswith(_ENDS) and _SSH not in path:
            return False
        return size <= _LARGEST and _may_hold(path)

    def take(self, path: str, content: memoryview) -> bytes | None:
        """What the file is in words, `None` when there is no secret in it."""
        # Others offer their files here as well.
        what = _credential(path, bytes(content)) if _may_hold(path) and len(content) <= _LARGEST else None
        return None if what is None else _KEPT + what.encode()


def find_credentials(files: FileSystem, ownership: Ownership) -> tuple[Credential, ...]:
    """Every file of every layer, also of what later layers hide, that holds a key or a credential.

    The layers have to be read with a `CredentialCapture`.
    """
    return tuple(_found(files, ownership))


def _found(files: FileSystem, ownership: Ownership) -> Iterator[Credential]:
    alive: set[int] | None = None
    for index, layer in enumerate(files.layers):
        kept = {
            path: data[len(_KEPT) :].decode()
            for path, data in layer.captured.items()
            if data.startswith(_KEPT)
        }
        if not kept:
            continue
        table = layer.table
        # Where an archive has a path twice the later one counts.
        rows = {
            path: row
            for row, path in enumerate(table.paths)
            if path in kept and table.kinds[row] == Kind.FILE
        }
        if alive is None:
            alive = {files.inode(number) for number in files.visible.values()}
        for path, row in rows.items():
            number = files.starts[index] + row
            yield Credential(
                layer=index,
                row=row,
                path=path,
                what=kept[path],
                visible=number in alive,
                package=_package(path, ownership.of(number)),
            )


def _package(path: str, owner: Owner | None) -> Owner | None:
    """The package that brought the file, unless that is the application itself."""
    if owner is None or owner.kind is OwnerKind.DIRECTORY:
        return None
    if owner.kind is OwnerKind.NPM and "/node_modules/" not in path:
        return None
    if owner.kind is OwnerKind.PYTHON and not re.search("/(?:site|dist)-packages/", path):
        return None
    return owner


def _may_hold(path: str) -> bool:
    return (
        path.endswith((*_KEY_ENDS, *_KEY_NAMES, *_SETTINGS))
        or _SSH in path
        or "/private-keys-v1.d/" in path
        or _ACCOUNT.fullmatch(path) is not None
    )


def _credential(path: str, content: bytes) -> str | None:
    key = _private_key(path, content)
    if key is not None:
        return key
    for end, where in _SETTINGS.items():
        if path.endswith(end) and _SECRETS[where].search(content):
            return f"credentials for {where}"
    return None


def _private_key(path: str, content: bytes) -> str | None:
    for found in _PEM.finditer(content):
        body = content[found.end("kind") : found.end() + 512]
        if not _BASE64.search(body.replace(b"\\n", b"\n")):
            continue
        if found["kind"].startswith(b"ENCRYPTED") or _LEGACY_ENCRYPTION in body:
            return "an encrypted private key"
        return "a private key"
    if _PUTTY.match(content) or _GNUPG.search(content[:4096]):
        return "a private key"
    if path.endswith((".p12", ".pfx")) and any(_PKCS12 + bag in content for bag in (b"\x01", b"\x02")):
        return "a private key with its certificate"
    if path.endswith((".der", ".key", ".p8", ".pk8")) and _DER.match(content):
        return "a private key"
    return None
