"""Flows and OpenAPI documents against servers of this process, and what steps hand on."""

from __future__ import annotations

import json
import re
import time
from typing import TYPE_CHECKING, Any

import pytest
from tests.smoke.probing import HERE, answering, http, project, served

from hullmark._smoke.probes import command, run_probe
from hullmark._smoke.probes.filling import Filling
from hullmark._smoke.probes.flow import MISSING, captured
from hullmark._smoke.probes.openapi import paths
from hullmark.errors import Interrupted
from hullmark.model.probe import Capture, ExecProbe, FlowProbe, OpenApiProbe, Step

if TYPE_CHECKING:
    from tests.smoke.probing import Request

Reply = tuple[int, dict[str, str], str]


def _flow(*steps: Step, timeout: float = 5.0) -> FlowProbe:
    return FlowProbe(steps=steps, origin=HERE, timeout=timeout)


def _step(path: str, until: float | None = None, capture: dict[str, str] | None = None, **more: Any) -> Step:
    captures = tuple(Capture(name=name, pattern=pattern) for name, pattern in (capture or {}).items())
    return Step(action=http(path=path, **more), until=until, captures=captures)


class _Shop:
    """A server at which what is ordered is done after it has been asked for three times."""

    def __init__(self) -> None:
        self.heard: list[Request] = []
        self.left = 3

    def __call__(self, request: Request) -> Reply:
        self.heard.append(request)
        match request.method, request.path:
            case "POST", "/orders":
                return 201, {}, json.dumps({"id": 17, "token": "a/b c", "pad": "x" * 100_000})
            case "GET", "/orders/17":
                self.left -= 1
                return 200, {}, json.dumps({"state": "done" if self.left <= 0 else "open"})
            case "PUT", "/seen":
                return 200, {}, request.body
            case _:
                return 404, {}, "no such place"


def test_a_flow_hands_on_what_it_was_answered() -> None:
    shop = _Shop()
    probe = _flow(
        _step("/orders", method="POST", capture={"ID": "$.id", "TOKEN": "$.token", "WORD": '"(to)ken"'}),
        _step("/orders/${ID}", until=5.0, body_contains='"done"'),
        _step(
            "/seen",
            method="PUT",
            json='{"id": "${ID}", "text": "order ${ID}", "word": "${WORD}"}',
            headers=(("X-Token", "${TOKEN}"),),
            body_contains='"id": 17',
        ),
    )
    with served(answering(shop)) as stack:
        run = run_probe(stack, "web", probe)
    assert (run.passed, run.seen) == (True, "3 steps passed")
    assert [(step.step, step.passed, step.seen) for step in run.steps] == [
        ("POST /orders at port 80", True, "status 201"),
        ("GET /orders/${ID} at port 80", True, "status 200"),
        ("PUT /seen at port 80", True, "status 200"),
    ]
    assert shop.left == 0
    assert json.loads(shop.heard[-1].body) == {"id": 17, "text": "order 17", "word": "to"}
    assert shop.heard[-1].headers["x-token"] == "a/b c"


def test_a_captured_value_is_encoded_in_a_path() -> None:
    shop = _Shop()
    probe = _flow(
        _step("/orders", method="POST", capture={"TOKEN": "$.token"}),
        _step("/x?t=${TOKEN}", status=(range(404, 405),)),
    )
    with served(answering(shop)) as stack:
        assert run_probe(stack, "web", probe).passed
    assert shop.heard[-1].path == "/x?t=a%2Fb%20c"


def test_a_flow_ends_with_the_step_that_fails_and_tries_it_once() -> None:
    shop = _Shop()
    probe = _flow(_step("/orders", method="POST"), _step("/nowhere", method="DELETE"), _step("/orders/17"))
    with served(answering(shop)) as stack:
        run = run_probe(stack, "web", probe)
    assert (run.passed, run.seen) == (
        False,
        "step 2 of 3, DELETE /nowhere at port 80: status 404: no such place",
    )
    assert [step.passed for step in run.steps] == [True, False]
    assert [request.method for request in shop.heard] == ["POST", "DELETE"]


def test_a_step_that_is_repeated_is_given_up_in_time() -> None:
    shop = _Shop()
    shop.left = 10**6
    probe = _flow(_step("/orders/17", until=3.0, body_contains="done"), timeout=900.0)
    started = time.monotonic()
    with served(answering(shop)) as stack:
        run = run_probe(stack, "web", probe)
    assert run.seen.startswith(
        "step 1 of 1, GET /orders/17 at port 80: status 200 and a body without `done`: "
    )
    assert len(shop.heard) > 1
    assert time.monotonic() - started < 600


def test_a_flow_that_has_no_time_left_names_the_step_that_it_did_not_come_to() -> None:
    def slowly(_: Request) -> Reply:
        time.sleep(0.4)
        return 200, {}, "ok"

    with served(answering(slowly)) as stack:
        run = run_probe(stack, "web", _flow(_step("/a"), _step("/b"), _step("/c"), timeout=0.5))
    assert not run.passed
    # How far it comes depends on the machine.
    over = r"the 0\.5 s were over before step [23] of 3: GET /[bc] at port 80"
    assert re.fullmatch(rf"{over}|step [123] of 3, GET /[abc] at port 80: no answer in time", run.seen)


def test_what_cannot_be_captured_fails_the_step() -> None:
    with served(answering(_Shop())) as stack:
        run = run_probe(stack, "web", _flow(_step("/orders/17", capture={"ID": "$.id"})))
    assert run.seen == (
        "step 1 of 1, GET /orders/17 at port 80: status 200 and nothing to capture as `ID` (`$.id`): "
        '{"state": "open"}'
    )


def test_asked_to_stop_a_flow_stops() -> None:
    with served(answering(_Shop())) as stack:
        stack.engine.cancelled.set()
        with pytest.raises(Interrupted):
            run_probe(stack, "web", _flow(_step("/orders/17")))


def test_commands_of_a_flow_get_what_was_captured_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[tuple[str, tuple[str, ...]]] = []

    def run_inside(_: Any, service: str, argv: tuple[str, ...], __: float) -> tuple[int, str]:
        ran.append((service, argv))
        return 0, "job 17 is at t1\n"

    monkeypatch.setattr(command, "run_inside", run_inside)
    words = ("sh", "-c", "echo ${ID} ${HOME} $${ID} ${TOKEN}")
    probe = _flow(
        _step("/orders", method="POST", capture={"ID": "$.id"}),
        Step(action=ExecProbe(command=words, origin=HERE, text="job ${ID}"), service="worker"),
    )
    with served(answering(_Shop()), project=project(("TOKEN", "t1"))) as stack:
        run = run_probe(stack, "web", probe)
    assert run.passed
    assert ran == [("worker", ("sh", "-c", "echo 17 ${HOME} $${ID} ${TOKEN}"))]
    assert run.steps[1].seen == "exit code 0: job 17 is at ***"
    assert run.steps[1].step == "worker: exec sh -c echo ${ID} ${HOME} $${ID} ${TOKEN}"


@pytest.mark.parametrize(
    ("body", "pattern", "expected"),
    [
        ('{"a": [1, {"b": null}]}', "$.a[1].b", None),
        ('{"a": [1, 2]}', "$.a[*]", 1),
        ('{"a": 1}', "$.b", MISSING),
        ("no json", "$.a", MISSING),
        pytest.param("[" * 200_000, "$.a", MISSING, id="deeper-than-can-be-read"),
        pytest.param('{"a":' * 900 + "1" + "}" * 900, "$..b", MISSING, id="deeper-than-can-be-searched"),
        ("id=17;", r"id=(\d+)", "17"),
        ("id=17;", r"id=\d+", "id=17"),
        ("id=;", r"id=(\d+)?", ""),
        ("", "x", MISSING),
    ],
)
def test_a_value_is_captured_as_it_stands(body: str, pattern: str, expected: Any) -> None:
    assert captured(body, Capture(name="A", pattern=pattern)) == expected


def test_what_was_captured_comes_before_the_environment() -> None:
    filling = Filling(secrets={"A": "secret"}, captured={"A": 1, "B": ["x"]})
    assert filling.text("${A} ${B} $${A} $A ${a-b}") == '1 ["x"] ${A} $A ${a-b}'
    assert filling.json('["${A}", "${B}", "<${B}>", "$${A}"]') == [1, ["x"], '<["x"]>', "${A}"]


# OpenAPI


def _document(**more: Any) -> dict[str, Any]:
    return {
        "openapi": "3.1.0",
        "paths": {
            "/ok": {"get": {}},
            "/items/{id}": {"get": {"parameters": [{"name": "id", "in": "path", "required": True}]}},
            "/search": {"get": {"parameters": [{"name": "q", "in": "query", "required": True}]}},
            "/page": {"get": {"parameters": [{"name": "n", "in": "query"}]}},
            "/shared": {"parameters": [{"$ref": "#/components/parameters/key"}], "get": {}},
            "/free": {
                "parameters": [{"$ref": "#/components/parameters/key"}],
                "get": {"parameters": [{"name": "key", "in": "header", "required": False}]},
            },
            "/referred": {"$ref": "#/components/pathItems/referred"},
            "/post": {"post": {}},
            "/odd": None,
        },
        "components": {
            "parameters": {"key": {"name": "key", "in": "header", "required": True}},
            "pathItems": {"referred": {"get": {}}},
        },
        **more,
    }


@pytest.mark.parametrize(
    ("more", "base"),
    [
        ({}, ""),
        ({"servers": [{"url": "/"}]}, ""),
        ({"servers": [{"url": "https://shop.example/api/v1/"}]}, "/api/v1"),
        ({"servers": [{"url": "/{version}"}]}, ""),
        ({"basePath": "/v2"}, "/v2"),
    ],
)
def test_the_paths_of_a_document_are_those_that_need_no_parameter(more: dict[str, Any], base: str) -> None:
    assert paths(_document(**more)) == [f"{base}{each}" for each in ("/ok", "/page", "/free", "/referred")]


@pytest.mark.parametrize("document", [[], {}, {"paths": []}, "a", None])
def test_what_is_no_openapi_document_is_told(document: Any) -> None:
    with pytest.raises(ValueError, match="it is no OpenAPI document, which has `paths`"):
        paths(document)


def test_references_that_go_round_in_circles_end() -> None:
    assert paths({"paths": {"/a": {"$ref": "#/paths/~1a"}}}) == []


def _openapi(timeout: float = 0.4, **more: Any) -> OpenApiProbe:
    return OpenApiProbe(document=http(path="/openapi.json"), origin=HERE, timeout=timeout, **more)


def _service(statuses: dict[str, int], wait: dict[str, float] | None = None) -> Any:
    document: dict[str, Any] = {"paths": {path: {"get": {}} for path in statuses}}

    def respond(request: Request) -> Reply:
        if request.path == "/openapi.json":
            return 200, {}, json.dumps(document)
        if statuses[request.path] == 0:
            raise OSError  # hangs up
        time.sleep((wait or {}).get(request.path, 0.0))
        return statuses[request.path], {}, f"at {request.path}"

    return answering(respond)


def test_every_path_is_asked_for_and_refusals_are_fine() -> None:
    with served(_service({"/a": 200, "/b": 401, "/c": 403, "/d": 404, "/e": 302})) as stack:
        run = run_probe(stack, "web", _openapi(timeout=120.0))
    assert (run.passed, run.seen) == (True, "5 paths answered below 500")
    assert [(step.step, step.seen) for step in run.steps] == [
        ("GET /a", "status 200"),
        ("GET /b", "status 401"),
        ("GET /c", "status 403"),
        ("GET /d", "status 404"),
        ("GET /e", "status 302"),
    ]


@pytest.mark.parametrize(
    ("statuses", "seen"),
    [
        ({"/a": 200, "/b": 500}, "GET /b: status 500: at /b"),
        ({"/a": 0}, "GET /a: connection closed without an answer"),
        ({"/a": 503, "/b": 500, "/c": 200}, "GET /a: status 503: at /a (and 1 more of 3)"),
        ({}, "the document has no GET without required parameters"),
    ],
)
def test_a_server_that_breaks_is_told_with_the_path(statuses: dict[str, int], seen: str) -> None:
    with served(_service(statuses)) as stack:
        run = run_probe(stack, "web", _openapi())
    assert (run.passed, run.seen) == (False, seen)


def test_a_path_that_is_left_out_is_not_asked_for() -> None:
    with served(_service({"/a": 200, "/b": 500})) as stack:
        run = run_probe(stack, "web", _openapi(timeout=120.0, skip=("/b",)))
    assert (run.passed, run.seen) == (True, "1 path answered below 500, 1 left out")


def test_a_path_that_breaks_at_first_is_asked_for_again() -> None:
    statuses = {"/a": 502}

    def respond(request: Request) -> Reply:
        if request.path == "/openapi.json":
            return 200, {}, json.dumps({"paths": {"/a": {"get": {}}}})
        return statuses.pop("/a", 200), {}, ""

    with served(answering(respond)) as stack:
        assert run_probe(stack, "web", _openapi(timeout=120.0)).passed


def test_paths_that_there_was_no_time_for_are_no_success() -> None:
    slow = dict.fromkeys(("/a", "/b", "/c"), 0.3)
    with served(_service(dict.fromkeys(slow, 200), slow)) as stack:
        run = run_probe(stack, "web", _openapi(timeout=0.35))
    assert not run.passed
    assert len(run.steps) < 3


@pytest.mark.parametrize(
    ("status", "body", "seen"),
    [
        (404, "none", "the document: status 404: none"),
        (200, "<html>", "the document: Expecting value: line 1 column 1 (char 0): <html>"),
        (200, "{}", "the document: it is no OpenAPI document, which has `paths`: {}"),
    ],
)
def test_a_document_that_is_none_is_told(status: int, body: str, seen: str) -> None:
    with served(answering(lambda _: (status, {}, body))) as stack:
        run = run_probe(stack, "web", _openapi())
    assert (run.passed, run.seen, run.steps) == (False, seen, ())
