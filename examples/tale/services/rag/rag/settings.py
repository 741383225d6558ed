"""What the environment decides. The database is named by libpq's own variables (PGHOST, PGUSER, ...)."""

import os
from dataclasses import dataclass, field


def _number(name: str, default: float) -> float:
    return float(os.environ.get(name) or default)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Read once, at start; a value that makes no sense stops the service there."""

    embedder: str = field(default_factory=lambda: os.environ.get("RAG_EMBEDDER") or "rag.embedding:HashingEmbedder")
    chunk_words: int = field(default_factory=lambda: int(_number("RAG_CHUNK_WORDS", 180)))
    overlap_words: int = field(default_factory=lambda: int(_number("RAG_OVERLAP_WORDS", 30)))
    poll_seconds: float = field(default_factory=lambda: _number("RAG_POLL_SECONDS", 2))

    def __post_init__(self) -> None:
        if not 0 <= self.overlap_words < self.chunk_words:
            raise ValueError("RAG_OVERLAP_WORDS must be smaller than RAG_CHUNK_WORDS")
