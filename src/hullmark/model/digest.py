"""Digests of content, per the OCI image specification; a blob's and a layer's are different types."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

_SHA256 = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, order=True)
class _Sha256:
    text: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """The digest that `text` spells; raises `ValueError` unless it is `sha256:` and 64 hexadecimal digits."""
        if not _SHA256.fullmatch(text):
            raise ValueError(
                f"`{text[:80]}` is not a digest; expected `sha256:` and 64 lower-case hexadecimal digits"
            )
        return cls(text)

    def __str__(self) -> str:
        return self.text

    @property
    def short(self) -> str:
        """The first 12 hexadecimal digits, for people."""
        return self.text.removeprefix("sha256:")[:12]


class Digest(_Sha256):
    """The digest of a blob as it is stored or transferred: a manifest, a configuration, a compressed layer."""

    __slots__ = ()


class DiffId(_Sha256):
    """The digest of a layer's uncompressed tar."""

    __slots__ = ()
