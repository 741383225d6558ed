"""The HTTP face of rag."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import psycopg
from fastapi import FastAPI, HTTPException, Query, Request
from pydantic import AfterValidator, BaseModel, Field

from rag import embedding
from rag.index import Index
from rag.settings import Settings
from rag.store import Store, new_pool

logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("must not contain a NUL character")  # PostgreSQL keeps none
    return text


Text = Annotated[str, AfterValidator(_without_nul)]


class Document(BaseModel):
    """A text to be found again under its address."""

    url: Annotated[Text, Field(min_length=1, max_length=2000)]
    title: Annotated[Text, Field(max_length=1000)] = ""
    text: Annotated[Text, Field(min_length=1, max_length=5_000_000)]


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Hold the pool, and follow the crawler, for as long as the service runs."""
    settings = Settings()
    async with new_pool() as pool:
        app.state.index = index = Index(Store(pool), embedding.load(settings.embedder), settings)
        following = asyncio.create_task(index.follow_crawler())
        yield
        following.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await following


app = FastAPI(title="tale rag", lifespan=lifespan)


@app.post("/documents", status_code=201)
async def add_document(document: Document, request: Request) -> dict[str, int]:
    """Index a document, replacing one of the same address."""
    index: Index = request.app.state.index
    number, chunks = await index.add(url=document.url, title=document.title, text=document.text)
    return {"id": number, "chunks": chunks}


@app.get("/search")
async def search(
    request: Request,
    q: Annotated[Text, Query(min_length=1, max_length=500)],
    limit: Annotated[int, Query(ge=1, le=50)] = 10,
) -> dict[str, Any]:
    """Find chunks by word and by vector."""
    return {"query": q, "results": await request.app.state.index.search(q, limit)}


@app.get("/health")
async def health(request: Request) -> dict[str, str]:
    """Whether rag can do its work."""
    try:
        await request.app.state.index.store.ping()
    except psycopg.Error as error:
        raise HTTPException(503, "the database does not answer") from error
    return {"status": "ok"}
