"""Indexes documents: those it is given, and the pages the crawler leaves in the database."""

import asyncio
import hashlib
import logging

from rag.chunking import chunks_of
from rag.embedding import Embedder
from rag.settings import Settings
from rag.store import Store

log = logging.getLogger(__name__)

_BATCH = 20


class Index:
    """Writes documents into the store and searches them there."""

    def __init__(self, store: Store, embedder: Embedder, settings: Settings) -> None:
        self.store = store
        self._embedder = embedder
        self._settings = settings

    async def add(self, *, url: str, title: str, text: str, content_hash: str | None = None) -> tuple[int, int]:
        """Index one document; gives its number and how many chunks it has."""
        pieces = chunks_of(text, words=self._settings.chunk_words, overlap=self._settings.overlap_words)
        # The title takes part in what a chunk is about, without being repeated in its text.
        vectors = await asyncio.to_thread(self._embedder.embed, [f"{title}\n{piece}" for piece in pieces])
        document = await self.store.save_document(
            url=url,
            title=title,
            content_hash=content_hash or hashlib.sha256(f"{title}\0{text}".encode()).hexdigest(),
            chunks=list(zip(pieces, vectors, strict=True)),
        )
        return document, len(pieces)

    async def search(self, query: str, limit: int) -> list[dict[str, object]]:
        """Find the best chunks for a query."""
        [vector] = await asyncio.to_thread(self._embedder.embed, [query])
        return await self.store.search(query, vector, limit)

    async def follow_crawler(self) -> None:
        """Index new pages for as long as the service runs; what fails is tried again."""
        while True:
            try:
                pages = await self.store.unindexed_pages(_BATCH)
                for page in pages:
                    _, chunks = await self.add(**page)
                    log.info("indexed %s in %d chunks", page["url"], chunks)
            except Exception:  # a database or an embedder may fail and come back; this task must not end
                log.warning("cannot index new pages now", exc_info=True)
                pages = []
            if len(pages) < _BATCH:
                await asyncio.sleep(self._settings.poll_seconds)
