"""What `docker login` left is found where Docker looks for it, and told to nobody else."""

from __future__ import annotations

import base64
import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from hullmark._images.credentials import IdentityToken, Login, Password, RegistryToken, find_login
from hullmark._process import SystemCommands
from hullmark.errors import Interrupted

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable
    from pathlib import Path

ADA = Password(username="ada", password="engine")


def pair(text: str) -> dict[str, str]:
    return {"auth": base64.b64encode(text.encode()).decode()}


@pytest.fixture
def find(tmp_path: Path, cancelled: threading.Event) -> Callable[..., Login]:
    """Looks a registry up in a configuration, with the helpers in `tmp_path / "bin"` on PATH."""

    def look(configuration: Any, registry: str = "r.example") -> Login:
        content = configuration if isinstance(configuration, bytes) else json.dumps(configuration).encode()
        (tmp_path / "config.json").write_bytes(content)
        environ = {"PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}", "DOCKER_CONFIG": str(tmp_path)}
        return find_login(registry, SystemCommands(environ, cancelled), environ)

    return look


@pytest.fixture
def helper(tmp_path: Path) -> Callable[[str, str], None]:
    """Puts a credential helper on PATH."""

    def put(name: str, body: str) -> None:
        path = tmp_path / "bin" / f"docker-credential-{name}"
        path.parent.mkdir(exist_ok=True)
        path.write_text(
            f'#!/bin/sh\nread -r asked\necho "$1 $asked" >>"{tmp_path}/asked"\n{body}\n', encoding="utf-8"
        )
        path.chmod(0o755)

    return put


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (pair("ada:engine"), ADA),
        (pair("ada:with:colon"), Password(username="ada", password="with:colon")),
        (pair("ada:engine\0\0"), ADA),
        ({"username": "ada", "password": "engine"}, ADA),
        ({**pair("ada:engine"), "identitytoken": "id"}, IdentityToken(token="id")),
        ({"registrytoken": "rt"}, RegistryToken(token="rt")),
        ({}, None),
        (None, None),
        ({"auth": ""}, None),
    ],
)
def test_the_entry_of_a_registry_is_understood(find: Callable[..., Login], entry: Any, expected: Any) -> None:
    assert find({"auths": {"r.example": entry}}) == Login(credentials=expected)


@pytest.mark.parametrize(
    ("key", "registry"),
    [
        ("r.example", "r.example"),
        ("https://r.example", "r.example"),
        ("https://r.example/v1/", "r.example"),
        ("http://r.example:5000/v2/", "r.example:5000"),
        ("https://index.docker.io/v1/", "docker.io"),
        ("index.docker.io", "docker.io"),
    ],
)
def test_older_spellings_of_a_registry_are_the_same_registry(
    find: Callable[..., Login], key: str, registry: str
) -> None:
    assert find({"auths": {key: pair("ada:engine")}}, registry).credentials == ADA


def test_another_registry_s_entry_is_not_taken(find: Callable[..., Login]) -> None:
    auths = {"r.example:5000": pair("ada:engine"), "other.example": pair("ada:engine")}
    assert find({"auths": auths}) == Login()


@pytest.mark.parametrize("entry", [{"auth": "%%%"}, {"auth": "YWRh"}, {"auth": "//79"}])
def test_an_entry_that_cannot_be_understood_is_a_problem_for_later(
    find: Callable[..., Login], entry: Any
) -> None:
    found = find({"auths": {"r.example": entry}})
    assert found.credentials is None
    assert "`auth`" in str(found.problem)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b"[" * 100_000, b" " * ((1 << 20) + 1)])
def test_a_configuration_that_is_none_is_a_problem_for_later(
    find: Callable[..., Login], content: bytes
) -> None:
    found = find(content)
    assert found.credentials is None
    assert "is no configuration of Docker" in str(found.problem)


def test_without_a_configuration_nobody_is_logged_in(tmp_path: Path, cancelled: threading.Event) -> None:
    for environ in ({}, {"DOCKER_CONFIG": str(tmp_path / "none")}, {"HOME": str(tmp_path)}):
        assert find_login("r.example", SystemCommands(environ, cancelled), environ) == Login()


def test_a_configuration_that_cannot_be_read_is_a_problem_for_later(
    tmp_path: Path, cancelled: threading.Event
) -> None:
    (tmp_path / "config.json").mkdir()
    environ = {"DOCKER_CONFIG": str(tmp_path)}
    found = find_login("r.example", SystemCommands(environ, cancelled), environ)
    assert "cannot be read: Is a directory" in str(found.problem)


def test_the_configuration_is_below_home_where_no_variable_says_otherwise(
    tmp_path: Path, cancelled: threading.Event
) -> None:
    (tmp_path / ".docker").mkdir()
    content = json.dumps({"auths": {"r.example": pair("ada:engine")}})
    (tmp_path / ".docker" / "config.json").write_text(content, encoding="utf-8")
    environ = {"HOME": str(tmp_path)}
    assert find_login("r.example", SystemCommands(environ, cancelled), environ).credentials == ADA


def test_a_helper_is_asked_by_the_name_that_docker_uses(
    find: Callable[..., Login], helper: Callable[[str, str], None], tmp_path: Path
) -> None:
    helper("safe", """echo '{"ServerURL": "x", "Username": "ada", "Secret": "engine"}'""")
    assert find({"credsStore": "safe"}).credentials == ADA
    assert find({"credsStore": "safe"}, "docker.io").credentials == ADA
    asked = (tmp_path / "asked").read_text(encoding="utf-8").splitlines()
    assert asked == ["get r.example", "get https://index.docker.io/v1/"]


def test_the_helper_of_one_registry_comes_before_that_of_all(
    find: Callable[..., Login], helper: Callable[[str, str], None]
) -> None:
    helper("own", """echo '{"Username": "<token>", "Secret": "id"}'""")
    helper("all", """echo '{"Username": "ada", "Secret": "engine"}'""")
    configuration = {"credHelpers": {"r.example": "own"}, "credsStore": "all"}
    assert find(configuration).credentials == IdentityToken(token="id")
    assert find(configuration, "other.example").credentials == ADA


def test_what_a_helper_does_not_have_may_stand_in_the_file(
    find: Callable[..., Login], helper: Callable[[str, str], None]
) -> None:
    helper("safe", "echo 'credentials not found in native keychain'; exit 1")
    assert find({"credsStore": "safe"}) == Login()
    assert find({"credsStore": "safe", "auths": {"r.example": pair("ada:engine")}}).credentials == ADA


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("echo hunter2; echo hunter2 >&2; exit 3", "`docker-credential-safe get` ended with exit status 3"),
        ("echo hunter2", "something else than a name and a secret"),
        ("""echo '{"Username": 1, "Secret": "hunter2"}'""", "something else than a name and a secret"),
        ("""echo '["hunter2"]'""", "something else than a name and a secret"),
    ],
)
def test_a_helper_that_fails_is_a_problem_for_later_and_its_output_a_secret(
    find: Callable[..., Login], helper: Callable[[str, str], None], body: str, said: str
) -> None:
    helper("safe", body)
    found = find({"credsStore": "safe"})
    assert found.credentials is None
    assert said in str(found.problem)
    assert "hunter2" not in str(found)


def test_a_helper_that_is_missing_is_a_problem_for_later(find: Callable[..., Login]) -> None:
    assert find({"credsStore": "nowhere"}) == Login(problem="`docker-credential-nowhere` is not on PATH")
    assert "is no name of a credential helper" in str(find({"credsStore": "../evil"}).problem)


def test_asking_a_helper_ends_when_the_user_asks_to_stop(
    find: Callable[..., Login], helper: Callable[[str, str], None], cancelled: threading.Event
) -> None:
    helper("safe", "exit 1")
    cancelled.set()
    with pytest.raises(Interrupted):
        find({"credsStore": "safe"})


@pytest.mark.parametrize("secret", [ADA, IdentityToken(token="engine"), RegistryToken(token="engine")])
def test_no_repr_shows_a_secret(secret: Any) -> None:
    assert "engine" not in repr(secret) + repr(Login(credentials=secret))
