"""Walks one site, breadth first."""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator
from urllib.robotparser import RobotFileParser

import httpx

from crawler.content import Page, read_page
from crawler.guard import ForbiddenAddressError, GuardedTransport
from crawler.settings import Settings

log = logging.getLogger(__name__)

_REQUESTS_PER_PAGE = 10  # links to files, errors and redirects cost requests too
_LONGEST_DELAY = 10.0  # a robots.txt may ask for patience, but not for ever
_EVERYTHING_FORBIDDEN = ["User-agent: *", "Disallow: /"]


def client(settings: Settings) -> httpx.AsyncClient:
    """Build an HTTP client that goes only where the guard lets it."""
    return httpx.AsyncClient(
        transport=GuardedTransport(httpx.AsyncHTTPTransport(), allow_private=settings.allow_private),
        headers={"User-Agent": settings.user_agent},
        timeout=settings.page_seconds,
        trust_env=False,  # a proxy would connect in our place, past the guard
    )


class Crawl:
    """One walk from a start address; pages come out as they are read."""

    def __init__(self, http: httpx.AsyncClient, settings: Settings) -> None:
        self._http = http
        self._settings = settings
        self._robots: dict[str, RobotFileParser] = {}

    async def pages(self, start: str, *, depth: int, max_pages: int) -> AsyncIterator[Page]:
        """Read up to `max_pages` pages of the host of `start`, at most `depth` links away from it."""
        first = httpx.URL(start).copy_with(fragment=None)
        site, found = first.netloc, 0
        queue, seen = deque([(first, 0)]), {first}
        for _ in range(max_pages * _REQUESTS_PER_PAGE):
            if not queue or found == max_pages:
                return
            url, distance = queue.popleft()
            robots = await self._robots_of(url)
            if not robots.can_fetch(self._settings.user_agent, str(url)):
                log.info("robots.txt keeps us from %s", url)
                continue
            result = await self._fetch(url)
            await asyncio.sleep(min(float(robots.crawl_delay(self._settings.user_agent) or 0), _LONGEST_DELAY))
            if isinstance(result, httpx.URL):  # a redirect is a link at the same distance
                if found == 0 and distance == 0:
                    site = result.netloc  # the site is where its front door leads
                links: tuple[httpx.URL, ...] = (result,)
                distance -= 1
            elif result is not None:
                found += 1
                yield result
                links = result.links
            else:
                continue
            for link in links:
                if link.netloc == site and link not in seen and distance < depth:
                    seen.add(link)
                    queue.append((link, distance + 1))

    async def _fetch(self, url: httpx.URL) -> Page | httpx.URL | None:
        """Read a page, or say where it redirects; what cannot be read is skipped and logged."""
        try:
            async with asyncio.timeout(self._settings.page_seconds), self._http.stream("GET", url) as response:
                if response.has_redirect_location:
                    return url.join(response.headers["location"]).copy_with(fragment=None)
                response.raise_for_status()
                kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
                if kind not in {"text/html", "application/xhtml+xml"}:
                    log.info("%s is %s, not a page", url, kind or "of no kind")
                    return None
                body = await self._body(response)
        except ForbiddenAddressError:
            raise
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            log.info("skipped %s: %r", url, error)
            return None
        return await asyncio.to_thread(read_page, url, body)

    async def _body(self, response: httpx.Response) -> bytes:
        body = bytearray()
        async for part in response.aiter_bytes():
            body += part
            if len(body) > self._settings.max_bytes:
                raise httpx.ReadError(f"larger than {self._settings.max_bytes} bytes")
        return bytes(body)

    async def _robots_of(self, url: httpx.URL) -> RobotFileParser:
        """Read the rules of a site: none if it publishes none, everything forbidden while it cannot say (RFC 9309)."""
        place = url.copy_with(raw_path=b"/robots.txt")
        origin = str(place)
        if origin not in self._robots:
            rules = self._robots[origin] = RobotFileParser(origin)
            try:
                async with (
                    asyncio.timeout(self._settings.page_seconds),
                    self._http.stream("GET", place, follow_redirects=True) as response,
                ):
                    if response.is_server_error or response.status_code == httpx.codes.TOO_MANY_REQUESTS:
                        rules.parse(_EVERYTHING_FORBIDDEN)
                    elif response.is_success:
                        rules.parse((await self._body(response)).decode("utf-8", "replace").splitlines())
                    else:
                        rules.parse([])
            except ForbiddenAddressError:
                raise
            except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
                log.info("no robots.txt from %s: %r", origin, error)
                rules.parse(_EVERYTHING_FORBIDDEN)
        return self._robots[origin]
