"""Private keys: parsed as far as it takes to know that there is one, since headers alone are in every program."""

from __future__ import annotations

import re

from hullmark._secrets.checksums import decoded64

PEM = re.compile(
    rb"-----BEGIN (?P<kind>[A-Z0-9 ]{0,20})PRIVATE KEY(?: BLOCK)?-----(?P<value>[^-]{64,12000})"
    rb"(?:-----END [A-Z0-9 ]{0,20}PRIVATE KEY(?: BLOCK)?-----)?"
)
_LINE_ENDS = re.compile(rb"[\"'][ \t\r\n]*\+[ \t\r\n]*[\"']|\\[nrt]|[\s\"',\\>|]+")
_HEADER = re.compile(rb"(?:Proc-Type|DEK-Info|Version|Comment|Hash|Charset): ?[^\r\n\\]*(?:\\[rn]|[\r\n])+")
_LEGACY_ENCRYPTION = b"Proc-Type: 4,ENCRYPTED"
_BODY = re.compile(rb"[A-Za-z0-9+/]{40,}={0,2}")
_OPENSSH = b"openssh-key-v1\0"
_OPENSSH_CIPHER = slice(len(_OPENSSH) + 4, len(_OPENSSH) + 8)
_INTEGER, _SEQUENCE, _OCTETS = 0x02, 0x30, 0x04
_PACKET, _NEW_PACKET, _SECRET_TAG = 0x80, 0x40, 5
_ARMOUR_CHECKSUM = re.compile(rb"=[A-Za-z0-9+/]{4}$")
_SMALLEST = 32
"""Bytes of the smallest key that anybody uses, with what is around it."""

PUTTY = re.compile(rb"PuTTY-User-Key-File-\d:")
_GNUPG = re.compile(rb"\(\d+:(?:protected-|shadowed-)?private-key|\((?:protected-)?private-key")
# PKCS #8 and the older forms of RSA and elliptic curves, as they are without PEM around them.
_DER = re.compile(
    rb"\x30(?:[\x02-\x7f]|\x81.|\x82..)\x02\x01(?:\x00\x30|\x00\x02(?:\x81|\x82)|\x01\x04[\x14-\x48])",
    re.DOTALL,
)
_PKCS12 = bytes.fromhex("060b2a864886f70d010c0a01")
"""What bags of a PKCS #12 file are called that hold something; the next byte says what."""


def pem_key(match: re.Match[bytes]) -> str | None:
    """What the key in `match`, which is one of `PEM`, is; `None` where it is none."""
    text = match["value"]
    if _LEGACY_ENCRYPTION in text:
        # What is in it is only known with the password: it is as long as a key, and whole.
        body = decoded64(body_of(match))
        return "an encrypted private key" if body is not None and len(body) >= _SMALLEST else None
    raw = body_of(match)
    if match["kind"] == b"PGP ":
        raw = _ARMOUR_CHECKSUM.sub(b"", raw)
    body = decoded64(raw)
    if body is None or len(body) < _SMALLEST:
        return None
    if match["kind"] == b"PGP ":
        return "a private key of OpenPGP" if _is_pgp(body) else None
    if body.startswith(_OPENSSH):
        plain = body[_OPENSSH_CIPHER] == b"none"
        return "a private key" if plain else "an encrypted private key"
    return _der(body)


def body_of(match: re.Match[bytes]) -> bytes:
    """The text in base 64 between the lines of a key, wherever it was quoted."""
    return _LINE_ENDS.sub(b"", _HEADER.sub(b"", match["value"]))


def _is_pgp(body: bytes) -> bool:
    """Whether the first packet is a secret key."""
    first = body[0]
    if not first & _PACKET:
        return False
    return (first & 0x3F if first & _NEW_PACKET else (first & 0x3C) >> 2) == _SECRET_TAG


def _der(body: bytes) -> str | None:
    """What the structure is; the length that it says must be the one that it has."""
    outer = _item(body, 0)
    if outer is None or outer[0] != _SEQUENCE or outer[2] != len(body):
        return None
    first = _item(body, outer[1])
    if first is None:
        return None
    if first[0] == _SEQUENCE:
        # Which cipher, and what it made of the key.
        second = _item(body, first[2])
        return "an encrypted private key" if second is not None and second[0] == _OCTETS else None
    second = _item(body, first[2])
    if first[0] != _INTEGER or second is None:
        return None
    return "a private key" if second[0] in {_INTEGER, _SEQUENCE, _OCTETS} else None


def _item(body: bytes, at: int) -> tuple[int, int, int] | None:
    """Tag, begin of the content and end of the item at `at`; `None` where it goes beyond."""
    if at + 2 > len(body):
        return None
    size, begin = body[at + 1], at + 2
    if size & 0x80:
        count = size & 0x7F
        size = int.from_bytes(body[begin : begin + count], "big")
        begin += count
    end = begin + size
    return (body[at], begin, end) if end <= len(body) else None


def key_file(path: str, content: bytes) -> str | None:
    """What key the file at `path`, which is called like one, holds; `None` where it holds none."""
    for found in PEM.finditer(content):
        if (what := pem_key(found)) is not None:
            return what
    if PUTTY.match(content) or _GNUPG.search(content[:4096]):
        return "a private key"
    if path.endswith((".p12", ".pfx")) and any(_PKCS12 + bag in content for bag in (b"\x01", b"\x02")):
        return "a private key with its certificate"
    if path.endswith((".der", ".key", ".p8", ".pk8")) and _DER.match(content):
        return "a private key"
    return None
