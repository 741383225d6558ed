"""`hullmark ci note`: one note of a merge request, which stays the same one."""

from __future__ import annotations

import http.server
import json
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from hullmark._reporters.markdown import marker

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.ci_files.conftest import Checkout


class _Hub(http.server.ThreadingHTTPServer):
    notes: list[dict[str, Any]]
    written: list[tuple[str, str, str]]


class _Handler(http.server.BaseHTTPRequestHandler):
    server: _Hub

    def do_GET(self) -> None:
        assert self.headers["PRIVATE-TOKEN"] == "t"
        self._answer(200, {"id": 7} if self.path == "/user" else self.server.notes)

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["body"]
        self.server.written.append((self.command, self.path, body))
        self._answer(201, {"id": 1})

    do_PUT = do_POST  # noqa: N815  # as it is called

    def _answer(self, status: int, content: Any) -> None:
        text = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_arguments: object) -> None:
        """Says nothing."""


@pytest.fixture
def hub() -> Iterator[_Hub]:
    """A GitLab without notes."""
    with _Hub(("127.0.0.1", 0), _Handler) as server:
        server.notes, server.written = [], []
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def _at(checkout: Checkout, hub: _Hub) -> Checkout:
    (checkout.project / "report.md").write_text(f"{marker('')}\nnew\n")
    request = {
        "CI_API_V4_URL": f"http://127.0.0.1:{hub.server_port}",
        "CI_PROJECT_ID": "3",
        "CI_MERGE_REQUEST_IID": "4",
        "HULLMARK_GITLAB_TOKEN": "t",
        "NO_PROXY": "127.0.0.1",
    }
    return replace(checkout, environ={**checkout.environ, **request})


def test_the_first_report_becomes_a_note_and_a_later_one_replaces_it(checkout: Checkout, hub: _Hub) -> None:
    here = _at(checkout, hub)
    hub.notes = [{"id": 8, "body": f"{marker('')}\nof a person", "author": {"id": 1}}]
    done = here.hullmark("ci", "note", "report.md")
    assert (done.code, done.stdout) == (0, "merge request 4 has a note\n"), done.stderr
    hub.notes.append({"id": 9, "body": f"{marker('')}\nold", "author": {"id": 7}})
    (here.project / "report.md").unlink()
    assert here.hullmark("ci", "note", "report.md").stdout == "the note of merge request 4 is up to date\n"
    assert [each[:2] for each in hub.written] == [
        ("POST", "/projects/3/merge_requests/4/notes"),
        ("PUT", "/projects/3/merge_requests/4/notes/9"),
    ]
    assert "there is no report" in hub.written[1][2]


def test_without_a_token_that_is_said_and_nothing_fails(checkout: Checkout, hub: _Hub) -> None:
    here = _at(checkout, hub)
    here = replace(here, environ={**here.environ, "HULLMARK_GITLAB_TOKEN": ""})
    done = here.hullmark("ci", "note", "report.md")
    assert (done.code, done.stdout) == (0, "no note is written: HULLMARK_GITLAB_TOKEN is not set\n")
    assert hub.written == []
