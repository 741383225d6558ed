"""With the development pair an edit of the source shows without a build and without a restart."""

from __future__ import annotations

import secrets
import shutil
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.stack.conftest import Ask, Eventually, Stack, Start

pytestmark = [pytest.mark.docker, pytest.mark.stack, pytest.mark.xdist_group("stack")]

# The same ports inside; outside whatever is free, so that nobody's development stack is in the way. Health is looked
# at more often, because the services wait for one another, and with more patience.
OVERRIDE = """
services:
  db: {healthcheck: &patient {interval: 1s, timeout: 20s, start_period: 120s}, ports: !override []}
  crawler: {healthcheck: *patient, ports: !override ["127.0.0.1::8002"]}
  rag: {healthcheck: *patient, ports: !override ["127.0.0.1::8001"]}
  platform: {healthcheck: *patient, ports: !override ["127.0.0.1::3000"]}
  proxy: {healthcheck: *patient, ports: !override ["127.0.0.1::80", "127.0.0.1::443"]}
"""


@pytest.fixture(scope="module")
def development(start: Start, tale: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The development pair of the quick reference, on a copy of the directory."""
    root = shutil.copytree(tale, tmp_path_factory.mktemp("development") / "tale")
    (root / "override.yml").write_text(OVERRIDE, encoding="utf-8")
    files = ("-f", "compose.yml", "-f", "compose.dev.yml", "-f", "override.yml")
    with start("--build", "--detach", "--wait", files=files, root=root) as stack:
        yield stack


def written_in_place(file: Path, text: str) -> None:
    """As `echo` does it, and some editors."""
    file.write_text(text, encoding="utf-8")


def replaced(file: Path, text: str) -> None:
    """As most editors do it: a new file takes the name of the old one."""
    new = file.with_name(f".{file.name}.new")
    new.write_text(text, encoding="utf-8")
    new.replace(file)


@pytest.fixture
def edit(development: Stack) -> Iterator[Callable[[str, str, str, Callable[[Path, str], None]], None]]:
    """Edits a file of the copy, and undoes that in the end."""
    before: dict[Path, str] = {}

    def edited(path: str, old: str, new: str, save: Callable[[Path, str], None]) -> None:
        file = development.root / path
        text = before.setdefault(file, file.read_text(encoding="utf-8"))
        assert text.count(old) == 1
        save(file, text.replace(old, new))

    yield edited
    for file, text in before.items():
        file.write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    ("service", "port", "file", "old", "new", "path"),
    [
        pytest.param(
            "crawler",
            8002,
            "services/crawler/crawler/main.py",
            '{"status": "ok"}',
            '{"status": "ok", "edited": "TOKEN"}',
            "/health",
            id="the crawler",
        ),
        pytest.param(
            "rag",
            8001,
            "services/rag/rag/main.py",
            '{"status": "ok"}',
            '{"status": "ok", "edited": "TOKEN"}',
            "/health",
            id="rag",
        ),
        pytest.param(
            "platform",
            3000,
            "services/platform/src/app.js",
            '"no such place"',
            '"TOKEN"',
            "/api/nowhere",
            id="the server of the platform",
        ),
        pytest.param(
            "platform",
            3000,
            "services/platform/public/index.html",
            "<h1>Tale</h1>",
            "<h1>TOKEN</h1>",
            "/",
            id="the page of the platform",
        ),
        pytest.param(
            "proxy",
            443,
            "services/proxy/Caddyfile",
            "\theader -Server\n",
            "\theader -Server\n\theader X-Edited TOKEN\n",
            "/",
            id="the proxy",
        ),
    ],
)
def test_an_edit_shows_in(  # one column per argument
    service: str,
    port: int,
    file: str,
    old: str,
    new: str,
    path: str,
    development: Stack,
    edit: Callable[[str, str, str, Callable[[Path, str], None]], None],
    ask: Ask,
    eventually: Eventually,
) -> None:
    scheme = "https" if port == 443 else "http"
    url = f"{scheme}://localhost:{development.address(service, port).rpartition(':')[2]}{path}"
    image = development.container(service)["Image"]
    started = development.container(service)["State"]["StartedAt"]
    for save in (replaced, written_in_place, replaced):
        token = f"edited-{secrets.token_hex(4)}"
        edit(file, old, new.replace("TOKEN", token), save)

        def shown(token: str = token) -> bool:
            answer = ask(url)
            return token in answer.text or token in answer.headers.values()

        eventually(shown, f"{token} shows at {url} after {save.__name__}", seconds=180)
    assert development.container(service)["Image"] == image
    assert development.container(service)["State"]["StartedAt"] == started


def test_the_development_stack_does_its_work(development: Stack, ask: Ask, eventually: Eventually) -> None:
    proxy = development.address("proxy", 443).rpartition(":")[2]

    def works() -> bool:
        # What was edited before may be loaded just now.
        return bool(ask(f"https://localhost:{proxy}/api/health").json["status"] == "ok")

    eventually(works, "the platform is well, and says so through the proxy")


def test_a_mistake_in_the_server_of_the_platform_is_mended_by_an_edit(
    development: Stack,
    edit: Callable[[str, str, str, Callable[[Path, str], None]], None],
    ask: Ask,
    eventually: Eventually,
) -> None:
    url = f"http://{development.address('platform', 3000)}/api/nowhere"
    eventually(lambda: ask(url).status == 404, "the platform answers")
    edit("services/platform/src/app.js", "const app = express();", "const app = ;", replaced)
    eventually(lambda: "waiting for an edit" in development.compose("logs", "platform"), "the server fails")
    edit(
        "services/platform/src/app.js", "const app = express();", "const app = express(); // mended", replaced
    )
    eventually(lambda: ask(url).status == 404, "the platform answers again")
