"""The test pair of the guide's quick reference comes up on its ports and does its work."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.stack.conftest import Ask, Eventually, Stack

pytestmark = [pytest.mark.docker, pytest.mark.stack, pytest.mark.xdist_group("stack")]

CRAWLER = "http://127.0.0.1:18002"
RAG = "http://127.0.0.1:18001"
PLATFORM = "http://127.0.0.1:13000"
PROXY = "https://localhost:10443"

SITE = "http://site:8080/"


@pytest.fixture
def crawl(test_stack: Stack, ask: Ask, eventually: Eventually) -> Any:
    """Has an address crawled; gives how that ended."""
    del test_stack

    def crawled(url: str, **limits: int) -> dict[str, Any]:
        begun = ask(f"{CRAWLER}/crawl", {"url": url, **limits})
        assert begun.status == 202, begun.text

        def ended() -> dict[str, Any] | None:
            state: dict[str, Any] = ask(f"{CRAWLER}/crawl/{begun.json['id']}").json
            return state if state["status"] != "running" else None

        return eventually(ended, f"the crawl of {url} ends")

    return crawled


def visits(stack: Stack) -> list[str]:
    """Paths that the site was asked for."""
    return [
        line.split()[6]
        for line in stack.compose("logs", "--no-log-prefix", "site").splitlines()
        if "GET" in line
    ]


def test_every_service_is_healthy(test_stack: Stack) -> None:
    services = test_stack.compose("config", "--services").split()
    assert {service: test_stack.health(service) for service in services} == dict.fromkeys(
        ["crawler", "db", "platform", "proxy", "rag", "site"], "healthy"
    )


def test_the_ports_are_those_of_the_guide(test_stack: Stack) -> None:
    published = {
        int(binding["HostPort"]): f"{service}:{port.removesuffix('/tcp')}"
        for service in test_stack.compose("config", "--services").split()
        for port, bindings in test_stack.container(service)["NetworkSettings"]["Ports"].items()
        for binding in bindings or ()
    }
    assert published == {
        15432: "db:5432",
        18001: "rag:8001",
        18002: "crawler:8002",
        13000: "platform:3000",
        10080: "proxy:80",
        10443: "proxy:443",
    }


@pytest.mark.parametrize("url", [f"{CRAWLER}/health", f"{RAG}/health", f"{PLATFORM}/api/health"])
def test_a_service_answers_that_all_is_well(url: str, test_stack: Stack, ask: Ask) -> None:
    del test_stack
    answer = ask(url)
    assert answer.status == 200
    assert answer.json["status"] == "ok"


def test_a_site_is_crawled_indexed_and_found_through_the_proxy(test_stack: Stack) -> None:
    told = test_stack.compose("exec", "-T", "site", "python3", "/srv/tests/flow.py")
    assert "found at http://site:8080/storm.html" in told
    assert told.endswith("what robots.txt forbids was not read\n")


def test_the_page_comes_through_the_proxy_over_tls(test_stack: Stack, ask: Ask) -> None:
    del test_stack
    page = ask(f"{PROXY}/")
    assert page.status == 200
    assert "<title>Tale</title>" in page.text
    assert "server" not in page.headers


def test_plain_http_is_sent_to_the_published_port_of_tls(test_stack: Stack, ask: Ask) -> None:
    del test_stack
    answer = ask("http://localhost:10080/somewhere?with=this")
    assert answer.status == 308
    assert answer.headers["location"] == "https://localhost:10443/somewhere?with=this"


def test_a_crawl_leaves_alone_what_robots_txt_forbids(test_stack: Stack, crawl: Any, ask: Ask) -> None:
    assert crawl(SITE, depth=3, max_pages=20)["pages"] == 3
    assert crawl(f"{SITE}private/cellar.html")["pages"] == 0
    assert not any(path.startswith("/private/") for path in visits(test_stack))
    pages = ask(f"{CRAWLER}/pages?limit=100").json["items"]
    assert {page["url"] for page in pages if page["url"].startswith(SITE)} == {
        SITE,
        f"{SITE}keepers.html",
        f"{SITE}storm.html",
    }


def test_a_crawl_goes_as_far_as_it_was_told(crawl: Any) -> None:
    assert crawl(SITE, depth=0)["pages"] == 1
    assert crawl(SITE, depth=3, max_pages=2)["pages"] == 2


def test_a_document_is_found_by_its_words(test_stack: Stack, ask: Ask) -> None:
    del test_stack
    document = {
        "url": "urn:tale:ferry",
        "title": "Ferry",
        "text": "The ferryman counts every otter on the jetty.",
    }
    assert ask(f"{RAG}/documents", document).json["chunks"] == 1
    found = ask(f"{PLATFORM}/api/search?q=otters").json["results"]  # the stem, so by full text
    assert [result["url"] for result in found] == ["urn:tale:ferry"]
    found = ask(f"{RAG}/search?q=ferryman%20counts%20gulls").json["results"]  # not all words, so by vector
    assert found[0]["url"] == "urn:tale:ferry"


@pytest.mark.parametrize("service", ["crawler", "platform", "proxy", "rag"])
def test_a_service_runs_without_privileges_on_a_read_only_file_system(
    service: str, test_stack: Stack
) -> None:
    container = test_stack.container(service)
    assert container["Config"]["User"] == "10001:10001"
    assert container["HostConfig"]["ReadonlyRootfs"]
    assert container["HostConfig"]["CapDrop"] == ["ALL"]
    assert "no-new-privileges:true" in container["HostConfig"]["SecurityOpt"]


PRIVATE = [
    f"{SITE}refused/",
    "http://localhost:8002/health",
    "http://127.0.0.1:8002/health",
    "http://127.1:8002/health",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0.0.0.0:8002/health",
    "http://[::1]:8002/health",
    "http://[::ffff:127.0.0.1]:8002/health",
    "http://[64:ff9b::7f00:1]/",
    "http://10.1.2.3/",
    "http://192.168.1.1/",
    "http://169.254.169.254/latest/meta-data/",
    "http://[fd00::1]/",
]

HEALTHY = "import urllib.request as r; r.urlopen('http://127.0.0.1:8002/health', timeout=20)"

# Runs beside a crawler of default settings: its answer for each address, and whether its client, which every
# redirect goes through as well, gets any further.
KNOCK = """
import asyncio, json, sys, urllib.error, urllib.request
from crawler.crawl import client
from crawler.guard import ForbiddenAddressError
from crawler.settings import Settings

def status(url):
    data = json.dumps({"url": url}).encode()
    request = urllib.request.Request("http://127.0.0.1:8002/crawl", data, {"Content-Type": "application/json"})
    try:
        return urllib.request.urlopen(request, timeout=60).status, ""
    except urllib.error.HTTPError as error:
        return error.code, str(json.load(error)["detail"])

async def reaches(url):
    async with client(Settings()) as http:
        try:
            await http.get(url)
        except ForbiddenAddressError:
            return False
    return True

print(json.dumps({url: [*status(url), asyncio.run(reaches(url))] for url in sys.argv[1:]}))
"""


def test_a_crawler_refuses_private_addresses_unless_the_setting_allows_them(
    test_stack: Stack, eventually: Eventually, crawl: Any
) -> None:
    assert crawl(SITE, depth=0)["status"] == "done"  # the test pair allows them
    crawls = test_stack.sql("SELECT count(*) FROM crawls")
    with test_stack.beside("crawler", CRAWLER_ALLOW_PRIVATE="false") as run:
        eventually(lambda: run("python3", "-c", HEALTHY) or "ok", "the strict crawler answers")
        answers = json.loads(run("env", "PYTHONPATH=/app", "python3", "-c", KNOCK, *PRIVATE))
    assert {url: answer for url, answer in answers.items() if answer[0] != 422 or answer[2]} == {}
    assert all("leads to a private address" in detail for _, detail, _ in answers.values())
    assert test_stack.sql("SELECT count(*) FROM crawls") == crawls
    # Of a path that nobody else asks for: the log may still be told of the crawls before.
    assert not any(path.startswith("/refused/") for path in visits(test_stack))
