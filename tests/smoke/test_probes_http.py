"""What a request sends, what is expected of its answer, where redirections lead, and what is never shown."""

from __future__ import annotations

import base64
import datetime as dt
import json
import ssl
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from tests.smoke.probing import answering, http, project, saying, served

from hullmark._smoke.probes import run_probe
from hullmark._smoke.probes.redirect import Place, next_place
from hullmark.model.probe import JsonExpectation

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.smoke.probing import Request

SECRET = "s3cr3t+of/the=house &co"


def _replying(
    body: str = "ok",
    status: int = 200,
    heard: list[Request] | None = None,
    headers: dict[str, str] | None = None,
) -> Callable[[socket.socket], object]:
    return answering(lambda _: (status, headers or {}, body), heard)


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_every_method_is_sent_as_it_is_called(method: str) -> None:
    heard: list[Request] = []
    with served(_replying(heard=heard)) as stack:
        assert run_probe(stack, "web", http(method=method)).passed
    assert [each.method for each in heard] == [method]


def test_headers_bodies_and_paths_are_sent_with_what_variables_stand_for() -> None:
    heard: list[Request] = []
    probe = http(
        path="/find?q=${Q}",
        method="POST",
        host="shop.example",
        headers=(("Authorization", "Bearer ${TOKEN}"), ("X-Kept", "$${TOKEN}"), ("user-agent", "me")),
        json='{"a": ["${Q}", 1.5, true], "b": "x-${Q}"}',
    )
    with served(_replying(heard=heard), project=project(("Q", "a b&c"), ("TOKEN", "t1"))) as stack:
        assert run_probe(stack, "web", probe).passed
    (request,) = heard
    assert request.path == "/find?q=a%20b%26c"
    assert request.headers["host"] == "shop.example"
    assert request.headers["authorization"] == "Bearer t1"
    assert request.headers["x-kept"] == "${TOKEN}"
    assert request.headers["user-agent"] == "me"
    assert request.headers["content-type"] == "application/json"
    assert json.loads(request.body) == {"a": ["a b&c", 1.5, True], "b": "x-a b&c"}


def test_a_text_is_sent_as_it_is_and_the_loopback_address_is_asked_for_by_its_port() -> None:
    heard: list[Request] = []
    with served(_replying(heard=heard)) as stack:
        assert run_probe(stack, "web", http(method="PUT", body="grün\n", port=8001)).passed
    (request,) = heard
    assert request.body == "grün\n"
    assert request.headers["host"] == "localhost:8001"
    assert "content-type" not in request.headers


@pytest.mark.parametrize(
    ("probe", "seen"),
    [
        (
            http(path="/${UNSET}"),
            "variable `UNSET` is neither set in the environment nor captured by an earlier step",
        ),
        (
            http(headers=(("X", "${BROKEN}"),)),
            "header `X` cannot be sent: its value is not printable ASCII",
        ),
    ],
)
def test_what_cannot_be_sent_is_told_without_its_value(probe: Any, seen: str) -> None:
    with served(_replying(), project=project(("BROKEN", "a\nb"))) as stack:
        run = run_probe(stack, "web", probe)
    assert (run.passed, run.seen) == (False, seen)


DOCUMENT = json.dumps(
    {
        "status": "ok",
        "count": 1,
        "ready": True,
        "none": None,
        "items": [{"id": 7, "name": "lamp"}, {"id": 8, "name": "lantern\nof copper"}],
    }
)


def _json(path: str, **more: Any) -> dict[str, Any]:
    return {"json_holds": (JsonExpectation(path=path, **more),)}


@pytest.mark.parametrize(
    "expected",
    [
        {"status": (range(204, 205), range(200, 300))},
        {"body_matches": r'"count":\s*1\b'},
        {"header_is": (("X-Served", "by me"), ("x-other", "1"))},
        _json("$.status", equals='"ok"'),
        _json("$.items[*].id", equals="8"),
        _json("$.items[0]", equals='{"name": "lamp", "id": 7}'),
        _json("$.none", equals="null"),
        _json("$.none", exists=True),
        _json("$.missing", exists=False),
        _json("$.items[*].name", matches=r"of\s+copper$"),
        _json("$.count", matches="^1$"),
        _json("$.items[?search(@.name, 'lant')]", exists=True),
        _json("$.items[?search(@.name, 'bulb')]", exists=False),
        _json("$.status", equals='"${WORD}"'),
        {"body_contains": '"${WORD}"'},
    ],
    ids=str,
)
def test_an_answer_that_is_as_expected_passes(expected: dict[str, Any]) -> None:
    reply = _replying(DOCUMENT, headers={"X-Served": "by me", "X-Other": "1"})
    with served(reply, project=project(("WORD", "ok"))) as stack:
        run = run_probe(stack, "web", http(**expected))
    assert (run.passed, run.seen) == (True, "status 200")


@pytest.mark.parametrize(
    ("expected", "seen"),
    [
        ({"status": (range(201, 202), range(400, 500))}, "status 200: {"),
        ({"body_matches": "^x"}, "status 200 and a body that does not match `^x`: {"),
        ({"header_is": (("X-None", "1"),)}, "status 200 and no header `X-None`"),
        ({"header_is": (("x-served", "by you"),)}, "status 200 and header `x-served` is `by me`"),
        (_json("$.status", equals='"no"'), 'status 200 and `$.status` is "ok"'),
        (_json("$.ready", equals="1"), "status 200 and `$.ready` is true"),
        (_json("$.count", equals="true"), "status 200 and `$.count` is 1"),
        (_json("$.items[*].id", equals="9"), "status 200 and `$.items[*].id` is 7, 8"),
        (_json("$.x", matches="a"), "status 200 and nothing at `$.x`: {"),
        (_json("$.count", exists=False), "status 200 and `$.count` is 1"),
        (_json("$.x", exists=True), "status 200 and nothing at `$.x`: {"),
    ],
    ids=str,
)
def test_an_answer_that_is_not_as_expected_says_what_it_is(expected: dict[str, Any], seen: str) -> None:
    with served(_replying(DOCUMENT, headers={"X-Served": "by me"})) as stack:
        run = run_probe(stack, "web", http(timeout=0.6, **expected))
    assert not run.passed
    assert run.seen.startswith(seen)


def test_what_is_no_json_is_told() -> None:
    with served(_replying("<html>")) as stack:
        run = run_probe(stack, "web", http(timeout=0.6, **_json("$.a", exists=True)))
    assert (run.passed, run.seen) == (False, "status 200 and a body that is no JSON: <html>")


def test_json_that_does_not_come_to_its_end_in_time_is_told() -> None:
    def slowly(connection: socket.socket) -> None:
        saying('HTTP/1.1 200 OK\n\n{"a": ')(connection)
        for _ in range(20):
            time.sleep(0.1)
            connection.sendall(b" ")

    with served(slowly) as stack:
        run = run_probe(stack, "web", http(timeout=0.5, **_json("$.a", exists=True)))
    assert not run.passed
    assert (
        run.seen.startswith("status 200 and a body that does not end in time")
        or run.seen == "no answer in time"
    )


def test_a_stream_that_is_silent_is_there() -> None:
    silent = saying(
        "HTTP/1.1 200 OK\nContent-Type: text/event-stream\n\n", lambda connection: connection.recv(1)
    )
    started = time.monotonic()
    with served(silent) as stack:
        assert run_probe(stack, "web", http(timeout=900.0)).passed
    assert time.monotonic() - started < 600


def test_an_answer_that_breaks_off_is_told() -> None:
    with served(saying("HTTP/1.1 200 OK\nContent-Length: 10\n\nabc")) as stack:
        run = run_probe(stack, "web", http(timeout=0.6, body_contains="z"))
    assert (run.passed, run.seen) == (False, "connection closed in the middle of the answer")


def test_an_answer_that_takes_too_long_is_asked_for_again() -> None:
    waits = [1.5, 0.0]

    def later(_: Request) -> tuple[int, dict[str, str], str]:
        time.sleep(waits.pop(0) if waits else 0.0)
        return 200, {}, "ok"

    with served(answering(later)) as stack:
        assert run_probe(stack, "web", http(within=1.0, timeout=120.0)).passed
    assert not waits
    waits[:] = [0.5] * 9
    with served(answering(later)) as stack:
        run = run_probe(stack, "web", http(within=0.2, timeout=0.4))
    assert (run.passed, run.seen) == (False, "no answer within 0.2 s")


def _redirecting(heard: list[Request]) -> Callable[[socket.socket], object]:
    def respond(request: Request) -> tuple[int, dict[str, str], str]:
        match request.path:
            case "/form":
                return 303, {"Location": "/done?x=1"}, ""
            case "/keep":
                return 307, {"Location": "http://web/kept"}, ""
            case "/other":
                return 302, {"Location": "http://db:5000/x"}, ""
            case "/host":
                return 302, {"Location": "http://localhost:18080/at-home"}, ""
            case "/out":
                return 302, {"Location": "https://elsewhere.example/?key=${KEY}"}, ""
            case "/round":
                return 301, {"Location": "/round"}, ""
            case _:
                return 200, {}, f"{request.method} {request.path}"

    return answering(respond, heard)


@pytest.mark.parametrize(
    ("path", "said", "asked"),
    [
        ("/form", "GET /done?x=1", [("web", 80), ("web", 80)]),
        ("/keep", "POST /kept", [("web", 80), ("web", 80)]),
        ("/other", "GET /x", [("web", 80), ("db", 5000)]),
        ("/host", "GET /at-home", [("web", 80), ("web", 8080)]),
    ],
)
def test_redirections_are_followed_within_the_stack(
    path: str, said: str, asked: list[tuple[str, int]]
) -> None:
    heard: list[Request] = []
    stack_of = project(services=("web", "db"), published=(18080, 8080))
    probe = http(
        path=path,
        method="POST",
        body="b",
        headers=(("Authorization", "x"), ("Content-Type", "a/b")),
        follow=True,
        body_contains=said,
    )
    with served(_redirecting(heard), project=stack_of) as stack:
        run = run_probe(stack, "web", probe)
        assert (run.passed, run.seen) == (True, "status 200")
        assert stack.asked == asked
    last = heard[-1]
    assert ("authorization" in last.headers) == (asked[-1][0] == "web")
    assert (last.body == "b") == (last.method == "POST") == ("content-type" in last.headers)


@pytest.mark.parametrize(
    ("path", "seen"),
    [
        (
            "/out",
            "status 302: redirected to `https://elsewhere.example/?key=${KEY}`, which is outside of the stack",
        ),
        ("/round", "more than 10 redirections, the last one to /round"),
    ],
)
def test_a_redirection_that_leads_nowhere_fails(path: str, seen: str) -> None:
    with served(_redirecting([])) as stack:
        run = run_probe(stack, "web", http(path=path, follow=True, timeout=0.6))
    assert (run.passed, run.seen) == (False, seen)


def test_a_redirection_passes_where_it_is_not_to_be_followed() -> None:
    with served(_redirecting([])) as stack:
        assert run_probe(stack, "web", http(path="/out")).seen == "status 302"


@pytest.mark.parametrize(
    ("host", "location", "expected"),
    [
        ("", "https://localhost/a", ("web", 443, True, "/a", "")),
        ("", "?b=1", ("web", 80, False, "/x?b=1", "")),
        ("shop.example", "/a", ("web", 80, False, "/a", "shop.example")),
        ("shop.example", "https://shop.example/a", ("web", 443, True, "/a", "shop.example")),
        ("shop.example", "https://shop.example:10443/a", ("web", 443, True, "/a", "shop.example:10443")),
        ("", "//web:81/a#part", ("web", 81, False, "/a", "web:81")),
    ],
)
def test_a_redirection_leads_to_the_port_inside_of_the_container(
    host: str, location: str, expected: tuple[Any, ...]
) -> None:
    place = Place(service="web", port=80, secure=False, path="/x", host=host)
    service, port, secure, path, name = expected
    assert next_place(place, location, project(published=(10443, 443))) == Place(
        service=service, port=port, secure=secure, path=path, host=name
    )


@pytest.mark.parametrize(
    "location", ["http://web:99999/", "ftp://web/", "http://[", "http://[zz]/", "//\N{ACCOUNT OF}.com/"]
)
def test_what_is_no_address_is_not_followed(location: str) -> None:
    place = Place(service="web", port=80, secure=False, path="/x")
    assert next_place(place, location, project()) == f"redirected to `{location}`, which is no address"


FORMS = [
    SECRET,
    "s3cr3t%2Bof%2Fthe%3Dhouse%20%26co",
    "s3cr3t%2Bof%2Fthe%3Dhouse+%26co",
    json.dumps(SECRET),
    base64.b64encode(SECRET.encode()).decode(),
]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("status", [200, 500])
def test_a_secret_that_is_sent_back_is_not_shown(form: str, status: int) -> None:
    probe = http(
        headers=(("X-Key", "${KEY}"),), header_is=(("X-Echo", "no"),), body_contains="never", timeout=0.6
    )
    body = f"{'x' * 150} you said {form} {form}"
    with served(_replying(body, status, headers={"X-Echo": form}), project=project(("KEY", SECRET))) as stack:
        run = run_probe(stack, "web", probe)
    assert not run.passed
    assert "***" in run.seen
    assert "s3cr3t" not in run.seen
    assert form[:20] not in run.seen
    assert SECRET not in repr(run)


def test_an_answer_cannot_move_the_cursor() -> None:
    with served(_replying("\x1b[2Jgone\x07\nafter", 500)) as stack:
        run = run_probe(stack, "web", http(timeout=0.6))
    assert run.seen == "status 500: \N{REPLACEMENT CHARACTER}[2Jgone\N{REPLACEMENT CHARACTER} after"


# TLS


def _certificate(name: str) -> tuple[bytes, bytes]:
    """A certificate for `name` that signs itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return made.public_bytes(serialization.Encoding.PEM), private


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The certificate of `shop.example`, with its key in another file beside it."""
    directory = tmp_path_factory.mktemp("tls")
    certificate, key = _certificate("shop.example")
    (directory / "ca.pem").write_bytes(certificate)
    (directory / "key.pem").write_bytes(key)
    return directory / "ca.pem"


@pytest.fixture
def secured(authority: Path) -> Iterator[Any]:
    """A stack whose port speaks TLS as `shop.example`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority, authority.with_name("key.pem"))
    lock = threading.Lock()

    def answer(connection: socket.socket) -> None:
        with lock, context.wrap_socket(connection.dup(), server_side=True) as wrapped:
            _replying()(wrapped)

    with served(answer) as stack:
        yield stack


@pytest.mark.parametrize(
    ("more", "passed", "seen"),
    [
        ({"tls": "insecure"}, True, "status 200"),
        ({"tls": "insecure", "host": "any.example"}, True, "status 200"),
        ({"tls": "verify", "host": "shop.example", "ca": "ca.pem"}, True, "status 200"),
        (
            {"tls": "verify", "host": "shop.example"},
            False,
            'the certificate is not trusted (`ca`, or `tls = "insecure"` for any)',
        ),
        (
            {"tls": "verify", "host": "other.example", "ca": "ca.pem"},
            False,
            "the certificate is for another name (`host` says for which one is asked)",
        ),
    ],
)
def test_a_certificate_counts_as_far_as_it_is_asked_for(
    secured: Any,
    authority: Path,
    more: dict[str, Any],
    passed: bool,  # noqa: FBT001
    seen: str,
) -> None:
    given = {**more, "ca": str(authority)} if "ca" in more else more
    run = run_probe(secured, "web", http(timeout=5.0 if passed else 0.5, **given))
    assert (run.passed, run.seen) == (passed, seen)


def test_certificates_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    (tmp_path / "none.pem").write_text("no certificate", encoding="utf-8")
    with served(_replying()) as stack:
        for name, why in (("none.pem", "[X509"), ("missing.pem", "No such file")):
            file = str(tmp_path / name)
            run = run_probe(stack, "web", http(tls="verify", ca=file, timeout=0.6))
            assert not run.passed
            assert run.seen.startswith(f"the certificates in `{file}` cannot be read: {why}")
