"""Proves that the stack does its work: a site is crawled, indexed and found, all through the proxy.

Runs inside the network of the stack, with nothing but the standard library:

    docker compose -f compose.yml -f compose.test.yml --env-file .env.test -p tale-test \
        exec site python3 /srv/tests/flow.py
"""

import json
import ssl
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

PROXY = "https://proxy"
SITE = "http://site:8080/"
PHRASE = "hung a copper lantern in the window of the fog-horn house"  # stands one link away from the first page
QUERY = "copper lantern"
FORBIDDEN = "smuggled marmalade"  # stands where robots.txt lets nobody in
DEADLINE = 80.0  # seconds


class Failure(Exception):
    """The stack does not do its work."""


def call(path: str, body: object = None) -> Any:
    """Ask the proxy, whose certificate nobody has signed."""
    request = urllib.request.Request(
        PROXY + path,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    unverified = ssl._create_unverified_context()
    try:
        with urllib.request.urlopen(request, timeout=10, context=unverified) as response:
            return json.load(response)
    except urllib.error.HTTPError as error:
        raise Failure(f"{path} answered {error.code}: {error.read(500).decode(errors='replace')}") from error
    except (OSError, ValueError) as error:
        raise Failure(f"{path} failed: {error}") from error


def search(query: str) -> list[dict[str, Any]]:
    """Search through the proxy."""
    return list(call("/api/search?" + urllib.parse.urlencode({"q": query}))["results"])


def crawl(deadline: float) -> int:
    """Have the site crawled; gives the number of pages."""
    state = call("/api/crawl", {"url": SITE, "depth": 2, "max_pages": 20})
    print(f"crawl {state['id']} of {SITE} has begun")
    while state["status"] == "running":
        if time.monotonic() > deadline:
            raise Failure("the crawl did not end in time")
        time.sleep(0.25)
        state = call(f"/api/crawl/{state['id']}")
    if state["status"] != "done":
        raise Failure(f"the crawl failed: {state['detail']}")
    return int(state["pages"])


def find(deadline: float) -> dict[str, Any]:
    """Wait until the phrase can be found."""
    while True:
        results = search(QUERY)
        for result in results:
            if PHRASE in " ".join(result["text"].split()):
                return result
        if time.monotonic() > deadline:
            seen = ", ".join(result["url"] for result in results) or "nothing"
            raise Failure(f"{PHRASE!r} was not found in time; a search for {QUERY!r} finds {seen}")
        time.sleep(0.25)


def main() -> int:
    """Prove it, or say what is missing."""
    begin = time.monotonic()
    deadline = begin + DEADLINE
    try:
        pages = crawl(deadline)
        print(f"{pages} pages read after {time.monotonic() - begin:.1f} s")
        found = find(deadline)
        print(f"{PHRASE!r} found at {found['url']} after {time.monotonic() - begin:.1f} s")
        if any(FORBIDDEN in result["text"] for result in search(FORBIDDEN)):
            raise Failure("the crawler has read what robots.txt forbids")
        print("what robots.txt forbids was not read")
    except Failure as failure:
        print(f"flow: {failure}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
