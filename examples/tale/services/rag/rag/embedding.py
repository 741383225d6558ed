"""Turns text into vectors."""

import hashlib
import math
import re
from collections import Counter
from collections.abc import Sequence
from importlib import import_module
from itertools import pairwise
from typing import Protocol

DIMENSIONS = 384  # of the column chunks.embedding

Vector = list[float]

_WORD = re.compile(r"\w+")


class Embedder(Protocol):
    """Anything that turns texts into vectors of `DIMENSIONS` numbers; no vector for a text without content."""

    def embed(self, texts: Sequence[str]) -> list[Vector | None]:
        """Embed texts, in their order. May block: it is called in a thread."""
        ...


class HashingEmbedder:
    """Counts words and pairs of words in hashed places: needs no model, no download and no training."""

    def embed(self, texts: Sequence[str]) -> list[Vector | None]:
        """Embed texts as unit vectors, so that their cosine tells the share of words in common."""
        return [self._embed(text) for text in texts]

    def _embed(self, text: str) -> Vector | None:
        words = _WORD.findall(text.casefold())
        vector = [0.0] * DIMENSIONS
        for feature, count in Counter([*words, *map(" ".join, pairwise(words))]).items():
            digest = int.from_bytes(hashlib.blake2b(feature.encode(), digest_size=8).digest(), "big")
            sign = 1 if digest & 1 else -1  # lets collisions cancel out instead of adding up
            vector[(digest >> 1) % DIMENSIONS] += sign * (1 + math.log(count))
        length = math.hypot(*vector)
        return [value / length for value in vector] if length else None


def load(name: str) -> Embedder:
    """Build the embedder that a setting names as `module:Class`."""
    module, _, cls = name.partition(":")
    embedder: Embedder = getattr(import_module(module), cls)()
    for vector in embedder.embed(["probe"]):
        if vector is None or len(vector) != DIMENSIONS:
            raise ValueError(f"{name} must give vectors of {DIMENSIONS} numbers")
    return embedder
