"""The HTTP face of the crawler."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import httpx
import psycopg
from fastapi import FastAPI, HTTPException, Query, Request
from pydantic import BaseModel, Field, HttpUrl

from crawler.crawl import Crawl, client
from crawler.guard import addresses_of
from crawler.settings import Settings
from crawler.store import Store, new_pool

logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
logging.getLogger("httpx").setLevel(logging.WARNING)
log = logging.getLogger(__name__)


class CrawlRequest(BaseModel):
    """Where to start and how far to go."""

    url: HttpUrl
    depth: int = Field(default=1, ge=0, le=10)
    max_pages: int = Field(default=20, ge=1, le=1000)


class Crawler:
    """Runs crawls in the background, a few at a time."""

    def __init__(self, store: Store, http: httpx.AsyncClient, settings: Settings) -> None:
        self.store = store
        self.settings = settings
        self._http = http
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def busy(self) -> bool:
        """Whether another crawl would be one too many."""
        return len(self._tasks) >= self.settings.max_crawls

    async def start(self, wanted: CrawlRequest) -> int:
        """Begin a crawl and return its number at once."""
        crawl = await self.store.begin_crawl(str(wanted.url))
        task = asyncio.create_task(self._run(crawl, wanted))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return crawl

    async def stop(self) -> None:
        """Give up what is still running."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _run(self, crawl: int, wanted: CrawlRequest) -> None:
        failure: str | None = None
        try:
            async with asyncio.timeout(self.settings.crawl_seconds):
                pages = Crawl(self._http, self.settings).pages(
                    str(wanted.url), depth=wanted.depth, max_pages=wanted.max_pages
                )
                async for page in pages:
                    await self.store.save_page(crawl, page)
        except TimeoutError:
            failure = f"stopped after {self.settings.crawl_seconds:g} s"
        except Exception as error:  # whatever it was, the crawl must not stay open
            log.warning("crawl %d of %s failed", crawl, wanted.url, exc_info=True)
            failure = str(error) or type(error).__name__
        await self.store.end_crawl(crawl, failure=failure)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Hold the pool and the client for as long as the service runs."""
    settings = Settings()
    async with new_pool() as pool, client(settings) as http:
        app.state.crawler = crawler = Crawler(Store(pool), http, settings)
        await crawler.store.fail_interrupted_crawls()
        yield
        await crawler.stop()


app = FastAPI(title="tale crawler", lifespan=lifespan)


@app.post("/crawl", status_code=202)
async def begin_crawl(wanted: CrawlRequest, request: Request) -> dict[str, Any]:
    """Begin a crawl; `GET /crawl/{id}` tells how it goes."""
    crawler: Crawler = request.app.state.crawler
    try:
        await addresses_of(httpx.URL(str(wanted.url)).host, allow_private=crawler.settings.allow_private)
    except (httpx.TransportError, httpx.InvalidURL) as error:
        raise HTTPException(422, str(error)) from error
    if crawler.busy:
        raise HTTPException(429, "too many crawls at once, try again later")
    return {"id": await crawler.start(wanted), "status": "running"}


@app.get("/crawl/{crawl}")
async def show_crawl(crawl: int, request: Request) -> dict[str, Any]:
    """How a crawl goes, or went."""
    found = await request.app.state.crawler.store.crawl(crawl)
    if found is None:
        raise HTTPException(404, "no such crawl")
    return dict(found)


@app.get("/pages")
async def list_pages(
    request: Request,
    after: Annotated[int, Query(ge=0)] = 0,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> dict[str, Any]:
    """Crawled pages; `next`, if any, is the `after` of the following ones."""
    items = await request.app.state.crawler.store.pages(after=after, limit=limit)
    return {"items": items, "next": items[-1]["id"] if len(items) == limit else None}


@app.get("/health")
async def health(request: Request) -> dict[str, str]:
    """Whether the crawler can do its work."""
    try:
        await request.app.state.crawler.store.ping()
    except psycopg.Error as error:
        raise HTTPException(503, "the database does not answer") from error
    return {"status": "ok"}
