"""What the crawler keeps, in PostgreSQL."""

from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool

from crawler.content import Page

Pool = AsyncConnectionPool[AsyncConnection[DictRow]]


def new_pool() -> Pool:
    """Build a pool that replaces connections a restarted database has dropped."""
    return AsyncConnectionPool(
        connection_class=AsyncConnection[DictRow],
        kwargs={"row_factory": dict_row, "connect_timeout": 5, "application_name": "crawler"},
        min_size=1,
        max_size=6,
        check=AsyncConnectionPool.check_connection,
        open=False,
    )


class Store:
    """Crawls and pages."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def ping(self) -> None:
        """Fail unless the database answers soon."""
        async with self._pool.connection(timeout=3) as connection:
            await connection.execute("SELECT 1")

    async def begin_crawl(self, url: str) -> int:
        """Record a crawl and name it."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute("INSERT INTO crawls (url) VALUES (%s) RETURNING id", [url])
            row = await cursor.fetchone()
        assert row is not None
        return int(row["id"])

    async def end_crawl(self, crawl: int, *, failure: str | None) -> None:
        """Record how a crawl ended."""
        async with self._pool.connection() as connection:
            await connection.execute(
                "UPDATE crawls SET status = %s, detail = %s, finished_at = now() WHERE id = %s",
                ["failed" if failure else "done", failure, crawl],
            )

    async def fail_interrupted_crawls(self) -> None:
        """Close the crawls that a stopped crawler left open."""
        async with self._pool.connection() as connection:
            await connection.execute(
                "UPDATE crawls SET status = 'failed', detail = 'interrupted', finished_at = now() "
                "WHERE status = 'running'"
            )

    async def crawl(self, crawl: int) -> dict[str, Any] | None:
        """Look a crawl up."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute("SELECT * FROM crawls WHERE id = %s", [crawl])
            return await cursor.fetchone()

    async def save_page(self, crawl: int, page: Page) -> None:
        """Keep a page, replacing what was known of its address."""
        async with self._pool.connection() as connection:
            await connection.execute(
                """
                INSERT INTO pages (url, title, text, content_hash) VALUES (%s, %s, %s, %s)
                ON CONFLICT (url) DO UPDATE SET
                    title = excluded.title, text = excluded.text,
                    content_hash = excluded.content_hash, fetched_at = now()
                """,
                [page.url, page.title, page.text, page.content_hash],
            )
            await connection.execute("UPDATE crawls SET pages = pages + 1 WHERE id = %s", [crawl])

    async def pages(self, *, after: int, limit: int) -> list[dict[str, Any]]:
        """List pages in the order they were first seen."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "SELECT id, url, title, text, fetched_at FROM pages WHERE id > %s ORDER BY id LIMIT %s",
                [after, limit],
            )
            return await cursor.fetchall()
