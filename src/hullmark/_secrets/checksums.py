"""What tokens are sealed with: checksums, and encodings that only what is real decodes from."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import re
import zlib
from typing import Any

_BASE_62 = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_BECH32 = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATORS = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_LARGEST_ACCOUNT = 999_999_999_999
_ACCOUNT_SINCE = b"Q"
"""The first letter after the prefix from which on a key of AWS says which account it is of."""

_EXAMPLE_SECRETS = (b"your-256-bit-secret", b"a-string-secret-at-least-256-bits-long", b"secret")
"""What the JSON web tokens of explanations are signed with."""


def base62(number: int, length: int) -> bytes:
    """`number` in digits and letters, filled up with zeros."""
    digits = bytearray()
    while number:
        number, rest = divmod(number, 62)
        digits.append(_BASE_62[rest])
    return bytes(digits[::-1]).rjust(length, b"0")


def ends_with_crc32(value: bytes) -> bool:
    """Whether what follows the first underscore ends with six characters that are the CRC-32 of the rest."""
    body = value.partition(b"_")[2]
    return base62(zlib.crc32(body[:-6]), 6) == body[-6:]


def ends_with_hex_crc32(value: bytes) -> bool:
    """Whether what follows the last underscore is the CRC-32 of what stands before it, its last byte first."""
    body, _, seal = value.rpartition(b"_")
    return zlib.crc32(body).to_bytes(4, "little").hex().encode() == seal.lower()


def names_an_account(value: bytes) -> bool:
    """Whether an ID of an AWS key, of the kind that says so, is of an account that there can be."""
    body = value[4:]
    if body[:1] < _ACCOUNT_SINCE or body[:1].isdigit():
        return True
    try:
        number = int.from_bytes(base64.b32decode(body)[:6], "big")
    except binascii.Error:
        return False
    return (number & 0x7FFFFFFFFF80) >> 7 <= _LARGEST_ACCOUNT


def is_bech32(value: bytes) -> bool:
    """Whether `value` has the checksum of bech32, as keys of age have."""
    name, _, data = value.lower().rpartition(b"1")
    numbers = [_BECH32.find(each) for each in data]
    if -1 in numbers:
        return False
    check = 1
    for number in (*(each >> 5 for each in name), 0, *(each & 31 for each in name), *numbers):
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ number
        for position, generator in enumerate(_GENERATORS):
            check ^= generator if (top >> position) & 1 else 0
    return check == 1


def ends_with_crc16(value: bytes) -> bool:
    """Whether `value`, in base 32, ends with the CRC-16 of the rest, as keys of NATS do."""
    raw = _decoded32(value)
    return raw is not None and binascii.crc_hqx(raw[:-2], 0) == int.from_bytes(raw[-2:], "little")


def _decoded32(value: bytes) -> bytes | None:
    try:
        return base64.b32decode(value + b"=" * (-len(value) % 8))
    except binascii.Error:
        return None


def decoded64(value: bytes) -> bytes | None:
    """What `value` is in base 64, of either alphabet and with or without what fills it up; `None` where it is not."""
    plain = value.rstrip(b"=").translate(bytes.maketrans(b"-_", b"+/"))
    try:
        return base64.b64decode(plain + b"=" * (-len(plain) % 4), validate=True)
    except binascii.Error:
        return None


def json_in(value: bytes) -> Any:
    """What `value` is in base 64, as JSON; `None` where it is none."""
    raw = decoded64(value)
    try:
        return None if raw is None else json.loads(raw)
    except ValueError:
        return None


def is_json_web_token(value: bytes) -> bool:
    """Whether `value` is a signed token: a header with an algorithm, claims, and a signature; not that of examples."""
    head, claims, signature = value.split(b".")[:3]
    header, body = json_in(head), json_in(claims)
    if not isinstance(header, dict) or not isinstance(body, dict):
        return False
    algorithm = header.get("alg")
    seal = decoded64(signature)
    if not isinstance(algorithm, str) or algorithm.lower() == "none" or seal is None:
        return False
    # What is signed with what everybody explains them with is nobody's, whatever it claims.
    signed = value.rpartition(b".")[0]
    return all(hmac.digest(secret, signed, "sha256") != seal for secret in _EXAMPLE_SECRETS)


def is_pypi_token(value: bytes) -> bool:
    """Whether `value` is a macaroon of PyPI."""
    raw = decoded64(value.partition(b"-")[2])
    return raw is not None and re.match(rb"\x02\x01.(?:test\.)?pypi\.org\x02", raw, re.DOTALL) is not None


def has_length(*lengths: int) -> Any:
    """What says whether a value in base 64 is as long as one of `lengths`, in bytes."""

    def check(value: bytes) -> bool:
        raw = decoded64(value)
        return raw is not None and len(raw) in lengths

    return check


def is_discord_token(value: bytes) -> bool:
    """Whether the first part of `value` is the number of a user."""
    raw = decoded64(value.partition(b".")[0])
    return raw is not None and raw.isdigit() and len(raw) >= 17  # noqa: PLR2004  # since 2015 they have so many
