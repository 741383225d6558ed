"""A registry learns who asks, by the way that it wants, and nobody else does."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hullmark._images.authentication import Challenge, join_scopes, parse_challenges
from hullmark.errors import Unavailable
from hullmark.testing import Fault, FaultyRegistry

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LAYER = b"a layer" * 1000
PAIR = base64.b64encode(b"ada:engine#7").decode()


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([], []),
        ([""], []),
        (["Basic"], [("basic", {})]),
        (['Basic realm="a registry"'], [("basic", {"realm": "a registry"})]),
        (
            ['Bearer realm="https://t.example/token",service="r",scope="repository:a/b:pull,push"'],
            [
                (
                    "bearer",
                    {"realm": "https://t.example/token", "service": "r", "scope": "repository:a/b:pull,push"},
                )
            ],
        ),
        (
            ['Negotiate, Basic realm="a, b", Bearer realm=x ,  service = "y"'],
            [("negotiate", {}), ("basic", {"realm": "a, b"}), ("bearer", {"realm": "x", "service": "y"})],
        ),
        (["Basic realm=a", "Bearer realm=b"], [("basic", {"realm": "a"}), ("bearer", {"realm": "b"})]),
        ([r'Bearer realm="a\"b\\c"'], [("bearer", {"realm": r"a\"b\c".replace('\\"', '"')})]),
        (["bearer REALM=a,realm=b"], [("bearer", {"realm": "a"})]),
        (['Bearer realm="never ends'], [("bearer", {})]),
    ],
)
def test_challenges_are_understood(lines: list[str], expected: list[tuple[str, dict[str, str]]]) -> None:
    assert list(parse_challenges(lines)) == [
        Challenge(scheme=scheme, parameters=parameters) for scheme, parameters in expected
    ]


@given(lines=st.lists(st.text(alphabet='aB=", \\\t;:', max_size=40), max_size=3))
def test_no_challenge_is_too_strange_to_be_read(lines: list[str]) -> None:
    assert all(challenge.scheme for challenge in parse_challenges(lines))


def test_a_challenge_of_a_hundred_thousand_characters_is_read_at_once() -> None:
    assert list(parse_challenges(['Bearer realm="' + "\\a" * 50_000, "a" * 100_000, "a, " * 30_000]))


SCOPES = st.lists(
    st.sampled_from(
        ["repository:a:pull", "repository:a:push,pull", "repository:b/c:pull", "registry:catalog:*", ""]
    ),
    max_size=4,
)


@given(first=SCOPES, second=SCOPES)
def test_joined_scopes_ask_for_all_and_for_nothing_twice(first: list[str], second: list[str]) -> None:
    joined = join_scopes((*first, *second))
    assert joined == join_scopes((*second, *first)) == join_scopes(joined)
    names = [scope.rpartition(":")[0] for scope in joined]
    assert len(names) == len(set(names))
    for scope in filter(None, (*first, *second)):
        name, _, actions = scope.rpartition(":")
        found = dict(each.rsplit(":", 1) for each in joined)[name]
        assert set(actions.split(",")) <= set(found.split(","))


@pytest.fixture
def app(faulty: FaultyRegistry) -> str:
    """The name of an image."""
    faulty.image("team/app", "1", layers=[LAYER])
    return f"{faulty.host}/team/app:1"


@pytest.fixture
def tokens(faulty: FaultyRegistry) -> Callable[..., list[Any]]:
    """Makes the registry want tokens, which it gives itself; the requests for them."""

    def want(*given: str, scope: str = "", greeting: str = "") -> list[Any]:
        def challenge(asked: str) -> Fault:
            scoped = f',scope="{asked}"' if asked else ""
            realm = f'Bearer realm="http://{faulty.host}/token?v=2",service="the registry"{scoped}'
            return Fault(status=401, headers=(("WWW-Authenticate", realm),))

        faulty.fault("/v2/$", challenge(greeting), times=1)
        for token in given:
            faulty.fault("/token", Fault(status=200, body=json.dumps({"token": token}).encode()), times=1)
        if scope:
            faulty.fault("/manifests/", challenge(scope), times=1)
        return faulty.seen

    return want


def asked_for(seen: list[Any]) -> list[dict[str, list[str]]]:
    return [parse_qs(urlsplit(each.path).query) for each in seen if each.path.startswith("/token")]


def test_nobody_gets_a_token_as_anybody_can(
    pull: Any, app: str, tokens: Callable[..., list[Any]], faulty: FaultyRegistry
) -> None:
    seen = tokens("first", greeting="repository:user/image:pull")
    assert pull(app).layers == (LAYER,)
    # What a greeting gives as its scope is no more than an example.
    assert asked_for(seen) == [
        {"v": ["2"], "service": ["the registry"], "scope": ["repository:team/app:pull"]}
    ]
    assert {each.headers.get("authorization") for each in faulty.seen[2:]} == {"Bearer first"}
    assert "authorization" not in faulty.seen[1].headers


def test_a_password_is_shown_for_a_token_and_not_to_the_registry(
    pull: Any, app: str, tokens: Callable[..., list[Any]], log_in: Callable[..., None], faulty: FaultyRegistry
) -> None:
    log_in(faulty.host)
    seen = tokens("first")
    assert pull(app).layers == (LAYER,)
    assert asked_for(seen)[0]["account"] == ["ada"]
    for each in seen:
        shown = each.headers.get("authorization")
        if each.path.startswith("/token"):
            assert shown == f"Basic {PAIR}"
        else:
            assert shown in {None, "Bearer first"}


def test_a_broader_scope_is_asked_for_when_the_registry_wants_one(
    pull: Any, app: str, tokens: Callable[..., list[Any]]
) -> None:
    seen = tokens("first", "second", scope="repository:team/app:pull,push")
    assert pull(app).layers == (LAYER,)
    assert [each["scope"] for each in asked_for(seen)] == [
        ["repository:team/app:pull"],
        ["repository:team/app:pull,push"],
    ]
    assert seen[-1].headers["authorization"] == "Bearer second"


def test_a_token_that_runs_out_during_a_pull_is_asked_for_again(
    pull: Any, app: str, tokens: Callable[..., list[Any]], faulty: FaultyRegistry
) -> None:
    tokens("first", "second")
    with pull.open(app) as core:
        realm = f'Bearer realm="http://{faulty.host}/token"'
        faulty.fault("/blobs/", Fault(status=401, headers=(("WWW-Authenticate", realm),)), times=1)
        assert pull.read(core.layers[0]) == LAYER
    assert faulty.seen[-1].headers["authorization"] == "Bearer second"


def test_an_identity_token_is_exchanged(
    pull: Any, app: str, tokens: Callable[..., list[Any]], log_in: Callable[..., None], faulty: FaultyRegistry
) -> None:
    log_in(faulty.host, identitytoken="identity-7")
    seen = tokens("first")
    assert pull(app).layers == (LAYER,)
    (asked,) = [each for each in seen if each.path.startswith("/token")]
    assert asked.method == "POST"
    assert parse_qs(asked.body.decode()) == {
        "grant_type": ["refresh_token"],
        "service": ["the registry"],
        "client_id": ["hullmark"],
        "scope": ["repository:team/app:pull"],
        "refresh_token": ["identity-7"],
    }
    assert seen[-1].headers["authorization"] == "Bearer first"


def test_a_request_that_holds_a_token_is_not_redirected(
    pull: Any, app: str, tokens: Callable[..., list[Any]], log_in: Callable[..., None], faulty: FaultyRegistry
) -> None:
    log_in(faulty.host, identitytoken="identity-7")
    with FaultyRegistry() as elsewhere:
        to = (("Location", f"http://{elsewhere.host}/token"),)
        faulty.fault("/token", Fault(status=307, headers=to))
        tokens()
        with pytest.raises(Unavailable, match="redirects a request that holds credentials"):
            pull(app)
        assert not elsewhere.seen


def test_a_registry_token_is_shown_as_it_is(
    pull: Any, app: str, tokens: Callable[..., list[Any]], log_in: Callable[..., None], faulty: FaultyRegistry
) -> None:
    log_in(faulty.host, registrytoken="registry-7")
    seen = tokens()
    assert pull(app).layers == (LAYER,)
    assert not asked_for(seen)
    assert seen[-1].headers["authorization"] == "Bearer registry-7"


def test_bearer_is_preferred_to_basic(
    pull: Any, app: str, tokens: Callable[..., list[Any]], log_in: Callable[..., None], faulty: FaultyRegistry
) -> None:
    log_in(faulty.host)
    both = f'Basic realm="x", Bearer realm="http://{faulty.host}/token"'
    faulty.fault("/v2/$", Fault(status=401, headers=(("WWW-Authenticate", both),)), times=1)
    tokens("first")
    assert pull(app).layers == (LAYER,)
    assert faulty.seen[-1].headers["authorization"] == "Bearer first"


def test_a_helper_is_asked_once_and_only_when_the_registry_wants_to_know(
    pull: Any, app: str, faulty: FaultyRegistry, tmp_path: Path
) -> None:
    (tmp_path / "docker").mkdir()
    (tmp_path / "docker" / "config.json").write_text('{"credsStore": "none"}', encoding="utf-8")
    assert pull(app).layers == (LAYER,)
    faulty.fault("/manifests/", Fault(status=401, headers=(("WWW-Authenticate", "Basic realm=x"),)))
    with pytest.raises(Unavailable) as caught:
        pull(app)
    assert "`docker-credential-none` is not on PATH" in caught.value.message
    assert caught.value.hint == f"`docker login {faulty.host}`"


@pytest.mark.parametrize(
    ("status", "who", "said", "hint"),
    [
        (401, None, "wants to know who asks for", "`docker login HOST`"),
        (401, "ada", "as `ada`", "`docker login HOST` again, or as a user who may pull it"),
        (403, None, "denies", "`docker login HOST`"),
        (403, "ada", "as `ada`", "`docker login HOST` again, or as a user who may pull it"),
    ],
)
def test_whoever_may_not_pull_is_told_what_to_do(
    pull: Any,
    app: str,
    faulty: FaultyRegistry,
    log_in: Callable[..., None],
    status: int,
    who: str | None,
    said: str,
    hint: str,
) -> None:
    if who:
        log_in(faulty.host)
    faulty.fault("/manifests/", Fault(status=status, headers=(("WWW-Authenticate", "Basic realm=x"),)))
    with pytest.raises(Unavailable) as caught:
        pull(app)
    assert said in caught.value.message
    assert app in caught.value.message
    assert caught.value.hint == hint.replace("HOST", faulty.host)
    assert len([seen for seen in faulty.seen if "/manifests/" in seen.path]) <= 2


def test_a_registry_that_is_never_content_is_asked_three_times(
    pull: Any, app: str, tokens: Callable[..., list[Any]], faulty: FaultyRegistry
) -> None:
    realm = f'Bearer realm="http://{faulty.host}/token"'
    tokens("first", "second", "third")
    faulty.fault("/manifests/", Fault(status=401, headers=(("WWW-Authenticate", realm),)))
    with pytest.raises(Unavailable, match="wants to know who asks for"):
        pull(app)
    assert len([seen for seen in faulty.seen if "/manifests/" in seen.path]) == 3


def test_the_refusal_of_a_token_is_told(pull: Any, app: str, faulty: FaultyRegistry, tokens: Any) -> None:
    tokens()
    faulty.fault("/token", Fault(status=401))
    with pytest.raises(Unavailable, match="answered 401 when asked for a token; nobody is logged in there"):
        pull(app)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "sent none that can be used"),
        (b"{}", "sent none that can be used"),
        (b'{"token": "a b"}', "sent none that can be used"),
        (b'{"token": "a\\r\\nX: y"}', "sent none that can be used"),
        (b'{"token": 7}', "sent none that can be used"),
        (b" " * 2_000_000, "sent none that can be used"),
    ],
)
def test_a_token_that_is_none_is_not_used(
    pull: Any, app: str, faulty: FaultyRegistry, tokens: Any, body: bytes, said: str
) -> None:
    tokens()
    faulty.fault("/token", Fault(status=200, body=body))
    with pytest.raises(Unavailable, match=said):
        pull(app)


def test_the_other_name_of_a_token_is_understood(
    pull: Any, app: str, faulty: FaultyRegistry, tokens: Any
) -> None:
    tokens()
    faulty.fault("/token", Fault(status=503), times=2)
    faulty.fault("/token", Fault(status=200, body=b'{"token": null, "access_token": "other"}'))
    assert pull(app).layers == (LAYER,)
    assert faulty.seen[-1].headers["authorization"] == "Bearer other"


@pytest.mark.parametrize(("status", "said"), [(503, "answered 503"), (418, "answered 418")])
def test_an_endpoint_that_gives_no_tokens_is_named(
    pull: Any, app: str, faulty: FaultyRegistry, tokens: Any, status: int, said: str
) -> None:
    tokens()
    faulty.fault("/token", Fault(status=status))
    with pytest.raises(Unavailable, match=f"no token for {faulty.host}: .*{said}"):
        pull(app)


@pytest.mark.parametrize("realm", ["", "nowhere", "file:///etc/passwd", "https://"])
def test_a_challenge_that_leads_nowhere_is_said_to(
    pull: Any, app: str, faulty: FaultyRegistry, realm: str
) -> None:
    faulty.fault("", Fault(status=401, headers=(("WWW-Authenticate", f'Bearer realm="{realm}"'),)))
    with pytest.raises(Unavailable, match="names no endpoint"):
        pull(app)


@pytest.mark.parametrize("entry", [{}, {"identitytoken": "engine#7"}, {"registrytoken": "engine#7"}])
def test_a_secret_that_a_registry_repeats_is_not_told(
    pull: Any,
    app: str,
    faulty: FaultyRegistry,
    tokens: Any,
    log_in: Callable[..., None],
    entry: dict[str, str],
) -> None:
    log_in(faulty.host, **entry)
    tokens("token-of-today")
    said = f"engine#7 Bearer token-of-today Basic {PAIR}"
    body = json.dumps({"errors": [{"code": "DENIED", "message": said}]}).encode()
    faulty.fault("/manifests/", Fault(status=403, body=body))
    with pytest.raises(Unavailable) as caught:
        pull(app)
    told = caught.value.message + str(caught.value.hint)
    assert "***" in told
    for secret in ("engine", "token-of-today" if "registrytoken" not in entry else "engine"):
        assert secret not in told
    assert entry or PAIR not in told
