"""Secrets of whole images: who gets to see them, whose they are, and how little is told of them."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any

import pytest

from hullmark._contents.filesystem import overlay
from hullmark._contents.owners import find_owners
from hullmark._contents.secrets import find_secrets
from hullmark._secrets.engine import find
from hullmark._secrets.recorded import recorded
from hullmark._secrets.redaction import fingerprint
from hullmark._secrets.text import redacted
from hullmark.model.finding import Severity
from hullmark.model.location import SourceSpan
from hullmark.model.secret import AllowedSecret, FormatSeverity, Likeness, SecretPolicy, Whereabouts
from hullmark.testing import SECRET_FORMATS, planted

if TYPE_CHECKING:
    import random

    from tests.secrets.conftest import Laboratory

SEALED = (
    *("age-key", "github-token", "grafana-service-token", "json-web-token", "nats-seed", "npm-token"),
    *("private-key", "pypi-token"),
)


@pytest.mark.parametrize("format_", SEALED)
def test_what_only_looks_like_a_secret_is_none(chance: random.Random, format_: str) -> None:
    secret = planted(format_, chance)
    at = secret.text.index(secret.secret[:40]) + 12
    one = secret.text[at]
    other = next(each for each in "3Q7d" if each != one.upper() and each != one)
    if format_ in {"json-web-token", "private-key", "pypi-token"}:
        # What they decode to is none, whatever else of it is right.
        broken = secret.text[: at - 8] + "!" + secret.text[at - 7 :]
    else:
        broken = secret.text[:at] + other + secret.text[at + 1 :]
    assert [each.detector.id for each in find(secret.text.encode())] == [format_]
    assert format_ not in [each.detector.id for each in find(broken.encode())]


@pytest.mark.parametrize(
    "text",
    [
        "ghp_" + "x" * 36,
        "AKIA" + "IOSFODNN7" + "EXAMPLE",
        "sk_live_" + "your_key_here_abcdefghijk",
        "postgres://user:password@localhost:5432/db",
        "https://${USER}:${PASSWORD}@example.com/",
        "password = os.environ['PASSWORD_FOR_THE_SHOP']",
        "token: abcdefghijklmnopqrstuvwxyz",
        "-----BEGIN " + "PRIVATE KEY-----\n...\n-----END " + "PRIVATE KEY-----",
        "api_key = settings.providers.default_api_key",
        "SECRET_KEY=123e4567-e89b-12d3-a456-426614174000",
    ],
)
def test_what_stands_for_a_secret_is_none(text: str) -> None:
    assert not find(text.encode())


def _npm(name: str) -> bytes:
    return json.dumps({"name": name, "version": "1.0.0"}).encode()


def test_keys_of_packages_are_counted_and_are_no_findings(
    laboratory: Laboratory, chance: random.Random
) -> None:
    key = planted("private-key", chance).text.encode()
    module = "/app/node_modules/tls"
    scan = laboratory.scan([{f"{module}/package.json": _npm("tls"), f"{module}/test/a.txt": key}])
    assert scan.secrets == ()
    assert [str(each.package) for each in scan.packaged] == ["tls 1.0.0"]


def test_a_file_that_somebody_else_put_into_a_package_is_a_finding(
    laboratory: Laboratory, chance: random.Random
) -> None:
    key = planted("private-key", chance).text.encode()
    module = "/app/node_modules/tls"
    layers = [{f"{module}/package.json": _npm("tls"), f"{module}/a.txt": b"x"}, {f"{module}/a.txt": key}]
    scan = laboratory.scan(layers)
    assert [(each.path, each.layer) for each in scan.secrets] == [(f"{module}/a.txt", 1)]
    assert scan.packaged == ()


def test_the_application_is_no_package_that_others_have(
    laboratory: Laboratory, chance: random.Random
) -> None:
    key = planted("private-key", chance).text.encode()
    scan = laboratory.scan([{"/app/package.json": _npm("shop"), "/app/test/a.pem": key}])
    assert [each.path for each in scan.secrets] == ["/app/test/a.pem"]


def test_a_setting_of_a_distribution_s_package_is_everybody_s_own(
    laboratory: Laboratory, chance: random.Random
) -> None:
    status = b"Package: shop\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n\n"
    token = f"{planted('npm-token', chance).text}\n".encode()
    files = {
        "/var/lib/dpkg/status": status,
        "/var/lib/dpkg/info/shop.list": b"/etc/shop.conf\n/usr/share/shop/test.key\n",
        "/etc/shop.conf": token,
        "/usr/share/shop/test.key": token,
    }
    scan = laboratory.scan([files])
    assert [each.path for each in scan.secrets] == ["/etc/shop.conf"]
    assert [each.path for each in scan.packaged] == ["/usr/share/shop/test.key"]


def test_a_secret_that_is_replaced_stays_in_the_layer_below(
    laboratory: Laboratory, chance: random.Random
) -> None:
    token = f"{planted('gitlab-token', chance).text}\n".encode()
    scan = laboratory.scan([{"/a": token, "/b": token, "/c": token}, {"/a": None, "/b": b"none\n"}])
    assert [(each.path, each.whereabouts) for each in scan.secrets] == [
        ("/a", Whereabouts.BURIED),
        ("/b", Whereabouts.BURIED),
        ("/c", Whereabouts.VISIBLE),
    ]


def test_configuration_and_history_are_looked_through(laboratory: Laboratory, chance: random.Random) -> None:
    secrets = [planted(each, chance).text for each in ("npm-token", "gitlab-token", "stripe-key", "groq-key")]
    settings: dict[str, Any] = {
        "Env": ["PATH=/bin", f"A={secrets[0]}", "DB_PASSWORD=correct-horse", "MODE=fast"],
        "Labels": {"x": secrets[1]},
        "Entrypoint": ["run", "--key", secrets[2]],
    }
    history = (
        {"created_by": f"RUN |2 BUILD={secrets[3]} DEPLOY_TOKEN=battery staple /bin/sh -c make # buildkit"},
        {"created_by": f"RUN |1 BUILD={secrets[3]} /bin/sh -c true", "empty_layer": True},
    )
    found = tuple(recorded(laboratory.image([{"/a": b"x"}], settings=settings, history=history)))
    assert {each.key: each.likeness.what for each in found if each.key != "history[0]"} == {
        "Env.A": "an npm token",
        "Env.DB_PASSWORD": "the value of `DB_PASSWORD`",
        "Labels.x": "a GitLab token",
        "Entrypoint": "a Stripe key",
    }
    assert [each.likeness.what for each in found if each.key == "history[0]"] == [
        "a Groq key",
        "the value of `DEPLOY_TOKEN`",
    ]
    assert {each.whereabouts for each in found} == {Whereabouts.RECORDED}


@pytest.mark.parametrize(
    ("settings", "secret"),
    [
        ({"Env": ["DATABASE_URL=postgres://app:kw8Rtz@db.corp/app"]}, "kw8Rtz"),
        ({"Labels": {"contact": "https://ann:kw8Rtz@corp.io/"}}, "kw8Rtz"),
        ({"Labels": {"com.shop.api_key": "kw8Rtz"}}, "kw8Rtz"),
        ({"Entrypoint": ["serve", "--password", "kw8Rtz"]}, "kw8Rtz"),
        ({"Cmd": ["/bin/sh", "-c", "exec serve --token=kw8Rtz --port 80"]}, "kw8Rtz"),
        ({"Cmd": ["/bin/sh", "-c", "DB_PASSWORD='kw8 Rtz' serve"]}, "kw8 Rtz"),
        (
            {"Healthcheck": {"Test": ["CMD-SHELL", "curl -fsu ann:x -u ann:kw8Rtz http://localhost/"]}},
            "kw8Rtz",
        ),
        ({"Healthcheck": {"Test": ["CMD", "mysqladmin", "ping", "-pkw8Rtz"]}}, "kw8Rtz"),
    ],
)
def test_all_of_the_configuration_is_looked_at_with_the_same_eyes(
    laboratory: Laboratory, settings: dict[str, Any], secret: str
) -> None:
    (found,) = recorded(laboratory.image([{"/a": b"x"}], settings=settings))
    assert found.likeness.hash == fingerprint(secret.encode())
    assert found.key.partition(".")[0] == next(iter(settings))


@pytest.mark.parametrize(
    "command",
    [
        *(
            "serve --password $DB_PASSWORD",
            "initdb --auth=trust",
            "curl -u $USER:$PASSWORD http://localhost/",
        ),
        *(
            "serve --token /run/secrets/token",
            "run -u 1000:1000",
            "serve --password-file /x --token --verbose",
        ),
        *(
            "build --secret id=npm,src=/x",
            "git clone https://${USER}:${TOKEN}@git.shop.dev/",
            "mysqladmin ping -p$PW",
        ),
    ],
)
def test_what_a_command_takes_from_elsewhere_is_no_secret(laboratory: Laboratory, command: str) -> None:
    settings = {"Cmd": ["/bin/sh", "-c", command]}
    assert not list(recorded(laboratory.image([{"/a": b"x"}], settings=settings)))


@pytest.mark.parametrize("format_", SECRET_FORMATS)
def test_nothing_that_is_told_or_kept_gives_a_secret_away(
    laboratory: Laboratory, chance: random.Random, format_: str
) -> None:
    secret = planted(format_, chance)
    image = laboratory.image([{"/a": f"{secret.text}\n".encode()}])
    files = overlay(image.layers)
    scan = find_secrets(files, find_owners(files))
    told = repr(scan)
    assert fingerprint(secret.secret.encode()) in told
    inner = secret.secret.strip()[5:-5]
    assert inner not in told
    assert inner.encode() not in (image.layers[0].scanned or b"")
    assert inner not in redacted(f"RUN echo {secret.text} && make")


def test_values_of_variables_with_the_name_of_a_secret_are_not_quoted() -> None:
    text = redacted("ENV DB_PASSWORD=correct-horse MODE=fast TOKEN='x' KEY_FILE=/run/secrets/key")
    assert text == "ENV DB_PASSWORD=c...e MODE=fast TOKEN='...' KEY_FILE=/run/secrets/key"


def _like(secret: bytes, format_: str = "github-token") -> Likeness:
    return Likeness(format=format_, what="a token", shown="a...z", hash=fingerprint(secret))


def test_a_hash_allows_a_secret_and_no_other_until_its_last_day() -> None:
    entry = AllowedSecret(hash=fingerprint(b"one"), expires=dt.date(2027, 6, 30))
    policy = SecretPolicy(allow=(entry,))
    assert policy.allows(_like(b"one"), dt.date(2027, 6, 30))
    assert not policy.allows(_like(b"one"), dt.date(2027, 7, 1))
    assert not policy.allows(_like(b"other"), dt.date(2027, 6, 30))


def test_what_says_more_precisely_which_secrets_counts_first() -> None:
    span = SourceSpan(path="hullmark.toml", line=1)
    policy = SecretPolicy(
        severities=((Whereabouts.VISIBLE, None),),
        formats=(
            FormatSeverity(format="jwt", severity=Severity.NOTE, origin=span),
            FormatSeverity(format="jwt", severity=None, whereabouts=Whereabouts.BURIED, origin=span),
        ),
    )
    assert policy.off(Whereabouts.VISIBLE, "github-token")
    assert not policy.off(Whereabouts.VISIBLE, "jwt")
    assert policy.severity(Whereabouts.VISIBLE, "jwt") is Severity.NOTE
    assert policy.off(Whereabouts.BURIED, "jwt")
    assert not policy.off(Whereabouts.BURIED, "github-token")
    assert policy.severity(Whereabouts.BURIED, "github-token") is None
