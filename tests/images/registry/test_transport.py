"""TLS proves who answers, proxies are gone through, and without TLS goes only what may."""

from __future__ import annotations

import email.utils
import json
import ssl
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from hullmark._images.transport import Origin, Patience, Trust, proxy_for
from hullmark.errors import Unavailable
from hullmark.testing import Fault, FaultyRegistry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

LAYER = b"a layer" * 1000
NAME = "registry.example/app:1"


@pytest.fixture
def secure(authority: Any) -> Iterator[FaultyRegistry]:
    """A registry with TLS, whose certificate says that it is registry.example."""
    with FaultyRegistry(tls=authority.server("registry.example")) as registry:
        registry.image("app", "1", layers=[LAYER])
        yield registry


@pytest.fixture
def through(pull: Any, secure: FaultyRegistry, proxy: Any) -> Any:
    """Pulls through a proxy that takes every host of TLS for that registry, so that no name has to be resolved."""
    proxy.targets[443] = secure.host
    pull.environ |= {"HTTPS_PROXY": proxy.url, "HTTP_PROXY": proxy.url}
    return pull


def test_a_certificate_of_an_authority_that_the_environment_names_is_trusted(
    through: Any, proxy: Any, authority: Any
) -> None:
    through.environ["SSL_CERT_FILE"] = str(authority.file)
    assert through(NAME).layers == (LAYER,)
    assert set(proxy.asked) == {"CONNECT registry.example:443"}


def test_a_certificate_of_a_stranger_is_not_trusted(through: Any, secure: FaultyRegistry) -> None:
    with pytest.raises(
        Unavailable, match=r"the certificate of registry\.example cannot be trusted"
    ) as caught:
        through(NAME)
    assert "/etc/docker/certs.d/registry.example/ca.crt" in str(caught.value.hint)
    assert "SSL_CERT_FILE" in str(caught.value.hint)
    assert not secure.seen


def test_a_certificate_for_another_name_is_not_trusted(through: Any, authority: Any) -> None:
    through.environ["SSL_CERT_FILE"] = str(authority.file)
    with pytest.raises(Unavailable, match=r"cannot be trusted: .*other\.example"):
        through("other.example/app:1")


@pytest.mark.parametrize("listed", ["registry.example", "a.example, REGISTRY.example:443 ,"])
def test_a_host_that_is_listed_as_insecure_need_prove_nothing(through: Any, listed: str) -> None:
    through.environ["HULLMARK_INSECURE_REGISTRIES"] = listed
    name = NAME.replace("/", ":443/", 1) if ":" in listed else NAME
    assert through(name).layers == (LAYER,)


def test_what_is_asked_for_as_insecure_is_so_without_the_variable(through: Any) -> None:
    through.options = {"insecure": ("registry.example",)}
    assert through(NAME).layers == (LAYER,)


def test_the_authority_of_one_registry_is_where_docker_has_it(
    through: Any, authority: Any, tmp_path: Path
) -> None:
    directory = tmp_path / "certs.d" / "registry.example"
    directory.mkdir(parents=True)
    (directory / "ca.crt").write_bytes(authority.file.read_bytes())
    through.options = {"certificates": tmp_path / "certs.d"}
    assert through(NAME).layers == (LAYER,)
    (directory / "ca.crt").write_text("no certificate", encoding="utf-8")
    with pytest.raises(Unavailable, match="its certificates cannot be used"):
        through(NAME)


def test_a_registry_that_wants_a_certificate_is_shown_the_one_that_docker_has(
    pull: Any, proxy: Any, authority: Any, tmp_path: Path
) -> None:
    context = authority.server("registry.example")
    context.load_verify_locations(cafile=authority.file)
    context.verify_mode = ssl.CERT_REQUIRED
    directory = tmp_path / "certs.d" / "registry.example"
    directory.mkdir(parents=True)
    certificate, key = authority.pair("client")
    (directory / "client.cert").write_bytes(certificate)
    (directory / "client.key").write_bytes(key)
    pull.environ |= {"HTTPS_PROXY": proxy.url, "SSL_CERT_FILE": str(authority.file)}
    with FaultyRegistry(tls=context) as registry:
        registry.image("app", "1", layers=[LAYER])
        proxy.targets[443] = registry.host
        pull.options = {"certificates": tmp_path / "certs.d"}
        assert pull(NAME).layers == (LAYER,)
        pull.options = {}
        with pytest.raises(Unavailable, match=r"registry\.example"):
            pull(NAME)


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_certificates_that_are_not_there_are_named(through: Any, variable: str, tmp_path: Path) -> None:
    through.environ[variable] = str(tmp_path / "none.pem")
    with pytest.raises(Unavailable) as caught:
        through(NAME)
    if variable == "SSL_CERT_FILE":
        assert "none.pem: no certificates can be read from it" in caught.value.message
        assert "SSL_CERT_FILE" in str(caught.value.hint)
    else:
        assert "cannot be trusted" in caught.value.message


def test_this_machine_may_speak_tls_and_need_prove_nothing(pull: Any, secure: FaultyRegistry) -> None:
    assert pull(f"{secure.host}/app:1").layers == (LAYER,)


def test_a_registry_without_tls_is_told_from_one_that_cannot_be_reached(
    pull: Any, proxy: Any, faulty: FaultyRegistry
) -> None:
    proxy.targets[443] = faulty.host
    pull.environ |= {"HTTPS_PROXY": proxy.url}
    with pytest.raises(Unavailable, match=r"no TLS can be spoken with registry\.example") as caught:
        pull(NAME)
    assert "HULLMARK_INSECURE_REGISTRIES=registry.example" in str(caught.value.hint)


def test_an_insecure_registry_is_tried_with_tls_first(pull: Any, proxy: Any, faulty: FaultyRegistry) -> None:
    faulty.image("app", "1", layers=[LAYER])
    proxy.targets |= {443: faulty.host, 80: faulty.host}
    pull.environ |= {
        "HTTPS_PROXY": proxy.url,
        "http_proxy": proxy.url,
        "HULLMARK_INSECURE_REGISTRIES": "registry.example",
    }
    assert pull(NAME).layers == (LAYER,)
    assert proxy.asked[0] == "CONNECT registry.example:443"
    assert any(asked.startswith("GET http://registry.example/v2/app/blobs/") for asked in proxy.asked)


def test_a_proxy_that_wants_a_password_gets_it_and_nobody_else_does(
    through: Any, proxy: Any, authority: Any
) -> None:
    proxy.wanted = "Basic YWRhOmVuZ2luZSM3"
    through.patience = replace(through.patience, attempts=2)
    through.environ |= {"SSL_CERT_FILE": str(authority.file)}
    with pytest.raises(Unavailable, match=r"registry\.example cannot be reached through the proxy 127.*407"):
        through(NAME)
    through.environ["HTTPS_PROXY"] = proxy.url.replace("://", "://ada:engine%237@")
    assert through(NAME).layers == (LAYER,)
    proxy.wanted = "something else"
    with pytest.raises(Unavailable) as caught:
        through(NAME)
    assert "engine" not in caught.value.message + str(caught.value.hint)


def test_the_way_to_the_proxy_may_be_tls_as_well(
    pull: Any, secure: FaultyRegistry, authority: Any, secure_proxy: Any
) -> None:
    secure_proxy.targets[443] = secure.host
    pull.environ |= {"HTTPS_PROXY": secure_proxy.url, "SSL_CERT_FILE": str(authority.file)}
    assert pull(NAME).layers == (LAYER,)
    assert set(secure_proxy.asked) == {"CONNECT registry.example:443"}
    secure.fault("/blobs/", Fault(status=503), times=2)
    assert pull(NAME).layers == (LAYER,)
    pull.environ.pop("SSL_CERT_FILE")
    with pytest.raises(Unavailable, match=r"registry\.example|127\.0\.0\.1"):
        pull(NAME)


def test_a_proxy_that_is_not_there_is_named(through: Any, proxy: Any) -> None:
    proxy.close()
    through.patience = replace(through.patience, attempts=1)
    with pytest.raises(
        Unavailable, match=r"through the proxy 127\.0\.0\.1:\d+: connection refused"
    ) as caught:
        through(NAME)
    assert "HTTPS_PROXY" in str(caught.value.hint)


def test_a_redirect_away_from_tls_is_not_followed(
    through: Any, secure: FaultyRegistry, authority: Any
) -> None:
    through.environ["SSL_CERT_FILE"] = str(authority.file)
    secure.fault("/blobs/", Fault(status=307, headers=(("Location", "http://blobs.example/x"),)))
    with pytest.raises(Unavailable, match=r"redirects to blobs\.example without TLS; not followed"):
        through(NAME)


@pytest.mark.parametrize("realm", ["http://tokens.example/token", "http://127.0.0.1:1/token"])
def test_credentials_are_not_sent_without_tls(
    through: Any, secure: FaultyRegistry, authority: Any, log_in: Callable[..., None], realm: str
) -> None:
    log_in("registry.example")
    through.environ["SSL_CERT_FILE"] = str(authority.file)
    secure.fault("", Fault(status=401, headers=(("WWW-Authenticate", f'Bearer realm="{realm}"'),)))
    with pytest.raises(Unavailable, match="nothing was sent"):
        through(NAME)


def test_a_greeting_that_leads_to_tls_leads_everything_there(
    pull: Any, proxy: Any, secure: FaultyRegistry, faulty: FaultyRegistry, log_in: Callable[..., None]
) -> None:
    log_in("registry.example")
    to = (("Location", "https://registry.example/v2/"),)
    faulty.fault("", Fault(status=301, headers=to))
    proxy.targets |= {80: faulty.host, 443: secure.host}
    secure.fault("/v2/$", Fault(status=503), times=1)
    pull.environ |= {
        "HTTPS_PROXY": proxy.url,
        "HTTP_PROXY": proxy.url,
        "HULLMARK_INSECURE_REGISTRIES": "registry.example",
    }
    assert pull(NAME).layers == (LAYER,)
    assert not any("blobs" in seen.path or "authorization" in seen.headers for seen in faulty.seen)


def test_a_date_may_say_how_long_to_wait(pull: Any, faulty: FaultyRegistry) -> None:
    faulty.image("app", "1", layers=[LAYER])
    # Dates have whole seconds.
    date = email.utils.formatdate(time.time() + 2, usegmt=True)
    faulty.fault("/manifests/", Fault(status=503, headers=(("Retry-After", date),)), times=1)
    started = time.monotonic()
    assert pull(f"{faulty.host}/app:1").layers == (LAYER,)
    assert time.monotonic() - started >= 0.9


@pytest.mark.parametrize("after", ["soon", "", "-1", "Thu, 01 Jan 1970 00:00:00 GMT", "99 Foo 99999"])
def test_a_wish_that_cannot_be_understood_is_no_wish(pull: Any, faulty: FaultyRegistry, after: str) -> None:
    faulty.image("app", "1", layers=[LAYER])
    faulty.fault("/manifests/", Fault(status=503, headers=(("Retry-After", after),)), times=1)
    assert pull(f"{faulty.host}/app:1").layers == (LAYER,)


@pytest.mark.parametrize("failures", range(1, 40))
def test_delays_grow_to_an_end_and_differ(failures: int) -> None:
    patience = Patience(first_delay=0.5, longest_delay=8)
    delays = [patience.delay(failures) for _ in range(20)]
    most = min(8, 0.5 * 2 ** (failures - 1))
    assert most / 2 <= min(delays) < max(delays) <= most


@pytest.mark.parametrize(
    ("url", "environ", "proxy"),
    [
        ("https://r.example/", {}, None),
        ("https://r.example/", {"HTTP_PROXY": "http://p.example:3128"}, None),
        ("http://r.example/", {"HTTP_PROXY": "http://p.example:3128"}, "http://p.example:3128"),
        ("https://r.example/", {"HTTPS_PROXY": "p.example:3128"}, "http://p.example:3128"),
        ("https://r.example/", {"https_proxy": "http://a", "HTTPS_PROXY": "http://b"}, "http://a"),
        ("https://r.example/", {"NO_PROXY": "r.example"}, None),
        ("https://r.example/", {"NO_PROXY": "example"}, None),
        ("https://r.example/", {"NO_PROXY": ".example"}, None),
        ("https://r.example/", {"NO_PROXY": "*.example"}, None),
        ("https://r.example/", {"NO_PROXY": "a,  R.Example , b"}, None),
        ("https://r.example/", {"NO_PROXY": "*"}, None),
        ("https://r.example/", {"NO_PROXY": "r.example:443"}, None),
        ("https://r.example/", {"NO_PROXY": "r.example:444"}, "http://p.example"),
        ("https://r.example/", {"NO_PROXY": "other.example,xample,"}, "http://p.example"),
        ("https://10.1.2.3/", {"NO_PROXY": "10.0.0.0/8"}, None),
        ("https://10.1.2.3/", {"NO_PROXY": "10.1.2.3"}, None),
        ("https://11.1.2.3/", {"NO_PROXY": "10.0.0.0/8"}, "http://p.example"),
        ("https://127.0.0.1:5000/", {}, None),
        ("https://localhost:5000/", {}, None),
        ("https://[::1]:5000/", {}, None),
    ],
)
def test_the_proxy_is_the_one_that_docker_would_take(
    url: str, environ: dict[str, str], proxy: str | None
) -> None:
    if "NO_PROXY" in environ or "127" in url or "localhost" in url or "::1" in url:
        environ = {"HTTPS_PROXY": "http://p.example", **environ}
    assert proxy_for(Origin.of(url), environ) == proxy


def test_a_proxy_that_cannot_be_used_is_a_clear_error() -> None:
    with pytest.raises(Unavailable, match="is none that can be used"):
        proxy_for(Origin.of("https://r.example"), {"HTTPS_PROXY": "socks5://ada:hunter2@p.example"})


@pytest.mark.parametrize(
    ("listed", "host", "allowed"),
    [
        ("", "r.example", False),
        ("", "localhost", True),
        ("", "app.localhost:5000", True),
        ("", "127.0.0.1:5000", True),
        ("", "127.8.8.8", True),
        ("", "[::1]:5000", True),
        ("", "127.0.0.1.example", False),
        ("", "localhost.example", False),
        ("", "128.0.0.1", False),
        ("r.example", "r.example:5000", True),
        ("r.example:5000", "r.example:5000", True),
        ("r.example:5000", "r.example", False),
        ("r.example:443", "r.example", True),
        ("r.example:5000", "r.example:5001", False),
        ("r.example", "a.r.example", False),
        ("[fd00::1]:5000", "[fd00::1]:5000", True),
        ("fd00::1", "[fd00::1]:5000", True),
    ],
)
def test_only_this_machine_and_what_is_listed_may_do_without_tls(
    listed: str, host: str, *, allowed: bool
) -> None:
    environ = {"HULLMARK_INSECURE_REGISTRIES": listed}
    origin = Origin.of(f"https://{host}/v2/")
    assert Trust.of(environ).allows(origin) is allowed
    assert Trust.of({}, [listed]).allows(origin) is allowed


def test_nothing_of_the_environment_is_in_a_repr(pull: Any, faulty: FaultyRegistry) -> None:
    faulty.image("app", "1", layers=[LAYER])
    pull.environ["SECRET"] = "hunter2"
    with pull.open(f"{faulty.host}/app:1") as core:
        assert "hunter2" not in repr(core)
        assert json.loads(core.config)["os"] == "linux"
