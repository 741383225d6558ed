"""Secrets that only their names tell, of all alphabets and lengths, and what is no secret whatever it is called."""

from __future__ import annotations

import base64
import hmac
import json
from typing import TYPE_CHECKING

import pytest

from hullmark._secrets.chance import is_chance
from hullmark._secrets.engine import find, plain
from hullmark._secrets.names import is_named_like_secret
from hullmark.testing._named_secrets import PLAIN_FORMS, QUOTED, QUOTED_FORMS, VALUES

if TYPE_CHECKING:
    import random

ROUNDS = 12
NOT_CHANCE = (
    *(
        "getDatabasePasswordFromTheVault1",
        "settings.providers.default_api_key2",
        "myDatabasePasswordForTests",
    ),
    *(
        "sha256WithRSAEncryption",
        "correct-horse-battery-staple",
        "aaaaaaaaaaaaaaaaaaaa1b2c",
        "1234567890123456",
    ),
    *("123e4567-e89b-12d3-a456-426614174000", "ENABLE_TOKEN_VALIDATION_V2"),
)


def _found(text: str) -> list[str]:
    return [each.secret.decode() for each in find(f"{text}\n".encode(), plain())]


@pytest.mark.parametrize("form", [*PLAIN_FORMS, *QUOTED_FORMS])
def test_values_of_every_alphabet_are_found_in_every_way_of_writing(form: str, chance: random.Random) -> None:
    made = {**VALUES, **(QUOTED if form in QUOTED_FORMS else {})}
    secrets = [value(chance) for value in made.values() for _ in range(ROUNDS)]
    missed = [secret for secret in secrets if _found(form.format(secret)) != [secret]]
    assert len(missed) <= 2, missed


@pytest.mark.parametrize("kind", [*VALUES, *QUOTED])
def test_nearly_every_value_of_an_alphabet_is_told_to_be_chance(kind: str, chance: random.Random) -> None:
    make = {**VALUES, **QUOTED}[kind]
    missed = [value for value in (make(chance) for _ in range(2000)) if not is_chance(value.encode())]
    assert len(missed) <= 20, missed


@pytest.mark.parametrize("value", NOT_CHANCE)
def test_words_and_sequences_are_no_chance(value: str) -> None:
    assert not is_chance(value.encode())
    assert not _found(f"password={value}")


@pytest.mark.parametrize(
    "text",
    [
        "token = get_token_by_name(request.user2)",
        'password: "${DB_PASSWORD_OF_THE_SHOP}"',
        'secret: "{{ vault.shop.secret.of.the.day }}"',
        "token=%(token_of_the_shop_1)s",
        'password = "/run/secrets/shop-db-password-2"',
        '"token": "https://auth.shop.dev/v2/token9"',
        "bypass=aQ3xZ9kL2mN8pR5tV7wY",
    ],
)
def test_what_stands_for_a_value_is_none(text: str) -> None:
    assert not _found(text)


@pytest.mark.parametrize(
    "host",
    [
        "github.com",
        "gitlab.com",
        "db.corp",
        "db.internal",
        "company.com",
        "server",
        "proxy",
        "acme.com",
        "10.0.0.7",
    ],
)
def test_a_password_in_a_url_counts_whatever_host_it_is_for(host: str, chance: random.Random) -> None:
    secret = VALUES["letters and digits"](chance)
    assert _found(f"git clone https://oauth2:{secret}@{host}/shop/app.git") == [secret]


@pytest.mark.parametrize("secret", ["aB3%40xY9kLm", "pa$xB3Yk9Lm2", "aB3x*Y9kLm", "aB3x(Y9kLm", "!aB3xY9kLm"])
def test_a_password_in_a_url_may_have_signs_in_it(secret: str) -> None:
    assert _found(f"postgres://shop:{secret}@db.shop.dev/shop") == [secret]


@pytest.mark.parametrize(
    "host", ["example.com", "git.example.org", "db.test", "localhost", "a.invalid", "db.example"]
)
def test_hosts_that_are_nobody_s_are_examples(host: str) -> None:
    assert not _found(f"https://shop:aB3xY9kLmQ7w@{host}/")


@pytest.mark.parametrize(
    "secret",
    ["$PASSWORD", "${PASSWORD}", "%(password)s", "{{password}}", "%s", "password", "my-secret-token", "***"],
)
def test_references_and_stand_ins_in_a_url_are_no_passwords(secret: str) -> None:
    assert not _found(f"https://shop:{secret}@git.shop.dev/")


def _token(claims: dict[str, str], secret: bytes) -> str:
    parts = [
        base64.urlsafe_b64encode(json.dumps(each).encode()).rstrip(b"=")
        for each in ({"alg": "HS256"}, claims)
    ]
    seal = base64.urlsafe_b64encode(hmac.digest(secret, b".".join(parts), "sha256")).rstrip(b"=")
    return b".".join([*parts, seal]).decode()


def test_a_web_token_is_that_of_an_explanation_by_its_signature_and_not_by_its_claims(
    chance: random.Random,
) -> None:
    claims = {"sub": "1234567890", "name": "John Doe"}
    real = _token(claims, chance.randbytes(32))
    assert _found(real) == [real]
    assert not _found(_token(claims, b"your-256-bit-secret"))


@pytest.mark.parametrize(
    "name",
    [
        *(
            "DB_PASS",
            "MYSQL_PWD",
            "PGPASSWORD",
            "SECRET_KEY",
            "STRIPE_KEY",
            "APP_KEY",
            "secretKey",
            "client-secret",
        ),
        *("com.shop.api-key", "api_key", "GITHUB_PAT", "requirepass"),
    ],
)
def test_a_name_is_that_of_a_secret_in_variables_and_in_files(name: str) -> None:
    assert is_named_like_secret(name)
    assert _found(f" {name}=aQ3xZ9kL2mN8pR5tV7wY") == ["aQ3xZ9kL2mN8pR5tV7wY"]


@pytest.mark.parametrize(
    "name", ["PWD", "OLDPWD", "BYPASS", "PRIMARY_KEY", "PUBLIC_KEY", "PASSWORD_FILE", "AUTHOR"]
)
def test_other_names_are_not(name: str) -> None:
    assert not is_named_like_secret(name)
    assert not _found(f" {name}=aQ3xZ9kL2mN8pR5tV7wY")
