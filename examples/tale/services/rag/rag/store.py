"""Documents and chunks, in PostgreSQL."""

from collections.abc import Sequence
from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool

from rag.embedding import Vector

Pool = AsyncConnectionPool[AsyncConnection[DictRow]]

# Reciprocal-rank fusion: each half contributes 1 / (60 + rank), so neither needs a score comparable to the other's.
# The nearest vectors of anything exist, hence a limit to how far away "near" may be.
_SEARCH = """
WITH by_word AS (
    SELECT chunks.id, row_number() OVER (ORDER BY ts_rank_cd(words, query) DESC, chunks.id) AS rank
    FROM chunks, websearch_to_tsquery('english', %(text)s) AS query
    WHERE words @@ query
    ORDER BY rank LIMIT 50
), nearest AS (
    SELECT id, embedding <=> %(vector)s::vector AS distance
    FROM chunks
    ORDER BY distance LIMIT 50
), by_vector AS (
    SELECT id, row_number() OVER (ORDER BY distance, id) AS rank
    FROM nearest
    WHERE distance < 0.9
), fused AS (
    SELECT id, sum(1.0 / (60 + rank)) AS score
    FROM (TABLE by_word UNION ALL TABLE by_vector) AS halves
    GROUP BY id
)
SELECT url, title, text, score::float8 AS score
FROM fused JOIN chunks USING (id) JOIN documents ON documents.id = document_id
ORDER BY score DESC, chunks.id
LIMIT %(limit)s
"""


def new_pool() -> Pool:
    """Build a pool that replaces connections a restarted database has dropped."""
    return AsyncConnectionPool(
        connection_class=AsyncConnection[DictRow],
        kwargs={"row_factory": dict_row, "connect_timeout": 5, "application_name": "rag"},
        min_size=1,
        max_size=6,
        check=AsyncConnectionPool.check_connection,
        open=False,
    )


class Store:
    """What rag reads and writes."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def ping(self) -> None:
        """Fail unless the database answers soon."""
        async with self._pool.connection(timeout=3) as connection:
            await connection.execute("SELECT 1")

    async def unindexed_pages(self, limit: int) -> list[dict[str, Any]]:
        """Pages of the crawler that are new or have changed since they were indexed."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                """
                SELECT url, pages.title, pages.text, pages.content_hash
                FROM pages LEFT JOIN documents USING (url)
                WHERE documents.content_hash IS DISTINCT FROM pages.content_hash
                ORDER BY pages.id LIMIT %s
                """,
                [limit],
            )
            return await cursor.fetchall()

    async def save_document(
        self, *, url: str, title: str, content_hash: str, chunks: Sequence[tuple[str, Vector | None]]
    ) -> int:
        """Keep a document with its chunks, replacing what was known of its address; all of it or nothing."""
        async with self._pool.connection() as connection, connection.cursor() as cursor:
            await cursor.execute(
                """
                INSERT INTO documents (url, title, content_hash) VALUES (%s, %s, %s)
                ON CONFLICT (url) DO UPDATE SET
                    title = excluded.title, content_hash = excluded.content_hash, indexed_at = now()
                RETURNING id
                """,
                [url, title, content_hash],
            )
            row = await cursor.fetchone()
            assert row is not None
            await cursor.execute("DELETE FROM chunks WHERE document_id = %s", [row["id"]])
            await cursor.executemany(
                "INSERT INTO chunks (document_id, ordinal, text, embedding) VALUES (%s, %s, %s, %s::vector)",
                [(row["id"], number, text, _literal(vector)) for number, (text, vector) in enumerate(chunks)],
            )
        return int(row["id"])

    async def search(self, text: str, vector: Vector | None, limit: int) -> list[dict[str, Any]]:
        """Chunks that match by word, by vector, or best by both."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(_SEARCH, {"text": text, "vector": _literal(vector), "limit": limit})
            return await cursor.fetchall()


def _literal(vector: Vector | None) -> str | None:
    """Write a vector the way pgvector reads it."""
    return None if vector is None else "[" + ",".join(f"{value:.7g}" for value in vector) + "]"
