"""Secrets in the files of an image that are there to hold some: found however short and simple they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hullmark._secrets.redaction import fingerprint
from hullmark._secrets.variables import is_environment_file
from hullmark.model.secret import Whereabouts

if TYPE_CHECKING:
    from tests.secrets.conftest import Laboratory

PASSWORD = "kw8-Rtz!4q"
FILES = {
    "/app/.env": "# ours\nMODE=fast\nexport DB_PASSWORD={}  # of the shop\n",
    "/app/d/.env": "API_KEY='{}'\n",
    "/app/prod.env": 'SMTP_PASS="{}"\r\n',
    "/root/.pgpass": "db.shop.dev:5432:*:shop:{}\n",
    "/root/.my.cnf": "[client]\nuser=shop\npassword={}\n",
    "/root/.netrc": "machine git.shop.dev login robot password {}\n",
    "/root/.git-credentials": "https://robot:{}@git.shop.dev\n",
}


@pytest.mark.parametrize("path", FILES)
def test_a_password_is_found_with_its_class_place_and_hash_and_shown_to_nobody(
    laboratory: Laboratory, path: str
) -> None:
    content = FILES[path].format(PASSWORD).encode()
    scan = laboratory.scan([{path: content}, {path: None, "/other": b"x"}])
    (found,) = scan.secrets
    assert (found.path, found.layer, found.whereabouts) == (path, 0, Whereabouts.BURIED)
    assert found.likeness.hash == fingerprint(PASSWORD.encode())
    assert found.offset == content.index(PASSWORD.encode())
    assert PASSWORD not in repr(scan)


def test_what_is_an_example_or_comes_from_elsewhere_is_none(laboratory: Laboratory) -> None:
    lines = b"DB_PASSWORD=changeme\nTOKEN=${TOKEN}\nSECRET=\nAPI_KEY=your-key-here\nAUTH=true\n#PASS=kw8Rtz\n"
    assert not laboratory.scan([{"/app/.env": lines, "/app/.env.example": b"DB_PASSWORD=kw8Rtz4q\n"}]).secrets


def test_a_secret_that_its_form_tells_is_told_once(laboratory: Laboratory) -> None:
    content = b"DATABASE_PASSWORD=aQ3xZ9kL2mN8pR5tV7wY\nAUTH=https://a:kw8Rtz4q@db.shop.dev/\n"
    found = laboratory.scan([{"/app/.env": content}]).secrets
    assert [each.likeness.format for each in found] == ["assigned-secret", "url-password"]


@pytest.mark.parametrize("name", [".env", ".env.local", "prod.env", "d/.env", "web-prod.env"])
def test_environment_files_are_known_by_their_name(name: str) -> None:
    assert is_environment_file(name)


@pytest.mark.parametrize(
    "name", [".env.example", "example.env", ".environment", "env", "prod.env.py", "web.sample.env"]
)
def test_other_files_are_not(name: str) -> None:
    assert not is_environment_file(name)
