"""What is set off by a release, against a real server: signed, tried again, and never twice."""

from __future__ import annotations

import hashlib
import hmac
import io
import json
import os
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from tests.release.conftest import SETTINGS, stage

from hullmark._cli import main
from hullmark._images.transport import Patience
from hullmark._release import state as states
from hullmark._release.publish import publish, roll_back
from hullmark._release.triggers import DELIVERY, SIGNATURE, follow_up, waiting
from hullmark.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.release.conftest import Shop

KEY, TOKEN = "of the webhook", "of the robot"


@dataclass(frozen=True, kw_only=True)
class Heard:
    """A request that came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(kw_only=True)
class Listener:
    """A server on a free port; answers by path, each answer once and the last one for ever."""

    answers: dict[str, list[int]] = field(default_factory=dict)
    heard: list[Heard] = field(default_factory=list)
    server: ThreadingHTTPServer | None = None
    waiting: threading.Event | None = None
    """Until when nothing is answered, where it is given."""

    @property
    def url(self) -> str:
        """Where it is."""
        assert self.server is not None
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def paths(self) -> list[str]:
        """What was asked for, in order."""
        return [f"{each.method} {each.path}" for each in self.heard]


@pytest.fixture
def listener() -> Iterator[Listener]:
    """The server, running."""
    made = Listener()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base class's name
            """Say nothing."""

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            made.heard.append(Heard(method=self.command, path=self.path, headers=headers, body=body))
            if made.waiting is not None:
                made.waiting.wait(60)
            waiting = made.answers.get(f"{self.command} {self.path}", [204])
            self.send_response(waiting.pop(0) if len(waiting) > 1 else waiting[0])
            self.send_header("Content-Length", "0")
            self.end_headers()

        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

    made.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.server.daemon_threads = True
    thread = threading.Thread(target=made.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    made.server.shutdown()
    made.server.server_close()
    thread.join()


@pytest.fixture
def triggered(shop: Shop, listener: Listener, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """The shop, of which everything is told to the server."""
    for name, value in (("HOOK", KEY), ("GITHUB_TOKEN", TOKEN), ("GITHUB_API_URL", listener.url)):
        monkeypatch.setenv(name, value)
    shop.write(
        "hullmark.toml",
        f"""{SETTINGS}github-release = "acme/shop"

[[release.triggers]]
command = ["sh", "-c", "cat >>$HULLMARK_RELEASE.told; test ! -e no"]

[[release.triggers]]
webhook = "{listener.url}/hook"
secret = "HOOK"

[[release.triggers]]
workflow = "acme/cli/build.yml"
ref = "stable"
""",
    )
    return shop


def _follow(shop: Shop, listener: Listener, attempts: int = 3) -> tuple[str, ...]:
    del listener
    with shop.release("1.4.0") as release:
        release.patience = Patience(attempts=attempts, first_delay=0.01, longest_delay=0.02)
        if release.kept is None:
            stage(release, "first")
            publish(release, lambda _: None)
        else:
            release.take_up()
        return follow_up(release, lambda: "what is new", lambda _: None)


def test_everybody_is_told_once_and_signed_where_that_is_asked_for(
    triggered: Shop, listener: Listener
) -> None:
    listener.answers = {
        "POST /hook": [503, 200],
        "GET /repos/acme/shop/releases/tags/v1.4.0": [404],
        "POST /repos/acme/shop/releases": [201],
    }
    assert _follow(triggered, listener) == ()
    assert listener.paths() == [
        "POST /hook",
        "POST /hook",
        "POST /repos/acme/cli/actions/workflows/build.yml/dispatches",
        "GET /repos/acme/shop/releases/tags/v1.4.0",
        "POST /repos/acme/shop/releases",
    ]
    first, second, dispatch, _, release = listener.heard
    assert first.body == second.body
    assert first.headers[DELIVERY.lower()] == second.headers[DELIVERY.lower()]
    digits = hmac.new(KEY.encode(), first.body, hashlib.sha256).hexdigest()
    assert first.headers[SIGNATURE.lower()] == f"sha256={digits}"
    told = json.loads(first.body)
    assert (told["version"], told["tags"]) == ("1.4.0", ["1.4.0", "1.4", "1", "latest"])
    assert [each["name"] for each in told["services"]] == ["api", "web"]
    assert json.loads((triggered.root / "1.4.0.told").read_text("utf-8")) == told
    assert json.loads(dispatch.body) == {"ref": "stable", "inputs": {"version": "1.4.0"}}
    assert dispatch.headers["authorization"] == f"Bearer {TOKEN}"
    created = json.loads(release.body)
    assert (created["tag_name"], created["body"], created["prerelease"]) == ("v1.4.0", "what is new", False)
    assert created["target_commitish"] == triggered.git("rev-parse", "HEAD")
    assert _follow(triggered, listener) == ()
    assert len(listener.heard) == 5


def test_one_that_fails_keeps_no_other_from_being_tried_and_is_tried_again_later(
    triggered: Shop, listener: Listener
) -> None:
    (triggered.root / "no").touch()
    triggered.write("no", "")
    listener.answers = {
        "POST /hook": [500],
        "POST /repos/acme/cli/actions/workflows/build.yml/dispatches": [422],
        "GET /repos/acme/shop/releases/tags/v1.4.0": [200],
    }
    failed = _follow(triggered, listener)
    assert len(failed) == 3
    assert "failed with exit status 1" in failed[0]
    assert failed[1].startswith(f"tell {listener.url}: ")
    assert "/hook" not in failed[1]
    assert "answered 500" in failed[1]
    assert failed[2].startswith("dispatch acme/cli/build.yml at stable: ")
    assert TOKEN not in "".join(failed)
    assert listener.paths().count("POST /hook") == 3
    code, _, stderr = _hullmark(triggered, "release", "1.4.0")
    assert code == 3
    assert "nothing is left to do" not in stderr
    assert stderr.count("has not been set off") == 3
    listener.heard.clear()
    listener.answers = {}
    (triggered.root / "no").unlink()
    assert _follow(triggered, listener) == ()
    assert listener.paths() == ["POST /hook", "POST /repos/acme/cli/actions/workflows/build.yml/dispatches"]
    code, stdout, stderr = _hullmark(triggered, "release", "1.4.0")
    assert code == 0
    assert "nothing is left to do" in stderr
    assert "/hook" not in stdout + stderr + (triggered.root / ".hullmark/release/1.4.0.json").read_text(
        "utf-8"
    )
    with triggered.release("1.4.0") as release:
        release.take_up()
        roll_back(release, lambda _: None)
        assert release.state.triggered == ()


def _hullmark(shop: Shop, *argv: str) -> tuple[int, str, str]:
    stdout, stderr = io.StringIO(), io.StringIO()
    environ = {
        **shop.environ,
        **{name: os.environ[name] for name in ("HOOK", "GITHUB_TOKEN") if name in os.environ},
    }
    code = main(["-C", str(shop.root), *argv], stdout=stdout, stderr=stderr, environ=environ)
    return code, stdout.getvalue(), stderr.getvalue()


def test_triggers_that_read_the_same_are_each_set_off(triggered: Shop, listener: Listener) -> None:
    hooks = [f'[[release.triggers]]\nwebhook = "{listener.url}/{name}"\n' for name in ("one", "two", "two")]
    triggered.write("hullmark.toml", SETTINGS + "\n".join(hooks))
    listener.answers = {"POST /two": [422, 204]}
    assert len(_follow(triggered, listener)) == 1
    assert listener.paths() == ["POST /one", "POST /two", "POST /two"]
    assert len({each.headers[DELIVERY.lower()] for each in listener.heard}) == 3
    assert _follow(triggered, listener) == ()
    assert listener.paths()[3:] == ["POST /two"]


def test_what_takes_longer_than_it_may_has_failed(triggered: Shop, listener: Listener) -> None:
    listener.waiting = threading.Event()
    triggered.write(
        "hullmark.toml",
        f"""{SETTINGS}
[[release.triggers]]
command = ["sleep", "60"]
timeout = "1 s"

[[release.triggers]]
webhook = "{listener.url}/services/T0/B0/secret-of-the-hook"
timeout = "1 s"
""",
    )
    failed = _follow(triggered, listener, attempts=1)
    listener.waiting.set()
    assert len(failed) == 2, failed
    assert "secret-of-the-hook" not in failed[1]


def test_a_registry_that_takes_no_note_keeps_no_trigger_from_being_set_off(
    triggered: Shop, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: object) -> None:
        raise Unavailable("the registry is full")

    listener.answers = {"GET /repos/acme/shop/releases/tags/v1.4.0": [200]}
    with triggered.release("1.4.0") as release:
        stage(release, "first")
        publish(release, lambda _: None)
        monkeypatch.setattr(states, "publish", refuse)
        failed = follow_up(release, lambda: "what is new", lambda _: None)
        assert len(failed) == 4
        assert all("could not be noted in the registry: the registry is full" in each for each in failed)
        assert waiting(release.project.settings.release, release.state) == ()


def test_what_triggers_need_is_asked_for_before_anything_is_done(
    triggered: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HOOK")
    monkeypatch.delenv("GITHUB_TOKEN")
    with triggered.release("1.4.0") as release:
        found = [each.text for each in release.problems if each.check == "triggers"]
    assert [each.rpartition("variable ")[2] for each in found] == [
        "HOOK is not set",
        "GITHUB_TOKEN is not set",
        "GITHUB_TOKEN is not set",
    ]
    assert found[0].startswith("hullmark.toml:")
    # A machine that only builds, or looks, has no use for the keys.
    with triggered.release("1.4.0", following=False) as release:
        assert not [each for each in release.problems if each.check == "triggers"]
