"""A small image that keeps what it promises, and the same with one thing broken: exactly the right rule says so."""

from __future__ import annotations

import io
import json
import os
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from hullmark._cli.main import main

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hullmark._engines import Engine

pytestmark = pytest.mark.docker

SITE = "opt/venv/lib/python3.11/site-packages"
FILES = {
    f"{SITE}/idna/__init__.py": "",
    f"{SITE}/idna/core.py": "x = 1\n",
    f"{SITE}/idna-3.7.dist-info/METADATA": "Metadata-Version: 2.1\nName: idna\nVersion: 3.7\n",
    f"{SITE}/idna-3.7.dist-info/RECORD": (
        "idna/__init__.py,,\nidna/core.py,,\nidna-3.7.dist-info/METADATA,,\nidna-3.7.dist-info/RECORD,,\n"
    ),
    f"{SITE}/shop/__init__.py": "import idna\n",
    f"{SITE}/shop-1.0.dist-info/METADATA": (
        "Metadata-Version: 2.1\nName: shop\nVersion: 1.0\nRequires-Dist: idna>=3\n"
    ),
    f"{SITE}/shop-1.0.dist-info/RECORD": "shop/__init__.py,,\nshop-1.0.dist-info/METADATA,,\nshop-1.0.dist-info/RECORD,,\n",
    "app/package.json": '{"name": "shop", "version": "1.0.0", "main": "main.js", "dependencies": {"pg": "^8.0.0"}}',
    "app/main.js": 'require("pg");\n',
    "app/node_modules/pg/package.json": '{"name": "pg", "version": "8.1.0", "main": "lib/index.js"}',
    "app/node_modules/pg/lib/index.js": "module.exports = 1;\n",
}
DOCKERFILE = """\
FROM debian:bookworm-slim
COPY tree/ /
{broken}
LABEL org.opencontainers.image.version="1.0.0"
HEALTHCHECK --timeout=5s CMD true
USER 10001
"""


@dataclass(kw_only=True)
class Shop:
    """A project of one image, under a name that nobody else has."""

    root: Path
    name: str
    tags: list[str] = field(default_factory=list)

    def build(self, broken: str = "", settings: str = "", tag: str = "dev") -> None:
        """Writes the project, with `broken` among its instructions, and builds its image."""
        self.tags.append(tag)
        (self.root / "Dockerfile").write_text(DOCKERFILE.format(broken=broken), encoding="utf-8")
        compose = f"name: {self.name}\nservices:\n  web:\n    image: {self.name}:{tag}\n    build: .\n"
        (self.root / "compose.yml").write_text(compose, encoding="utf-8")
        (self.root / "hullmark.toml").write_text(settings, encoding="utf-8")
        assert self.run("build")[0] == 0

    def run(self, *arguments: str) -> tuple[int, str]:
        """The exit code and the report of `hullmark` here."""
        code, told = self.tell(*arguments, "--format", "json")
        assert told
        return code, told

    def tell(self, *arguments: str) -> tuple[int, str]:
        """The exit code and what `hullmark` writes here for a person."""
        stdout, stderr = io.StringIO(), io.StringIO()
        environ = {**os.environ, "HULLMARK_NO_CACHE": "1", "HULLMARK_HADOLINT": "never"}
        code = main(["-C", str(self.root), *arguments], stdout=stdout, stderr=stderr, environ=environ)
        assert stdout.getvalue() or code, stderr.getvalue()
        return code, stdout.getvalue()

    def validate(self) -> tuple[int, dict[str, Any]]:
        """The exit code and the report of `hullmark validate`."""
        code, text = self.run("validate")
        return code, json.loads(text)


@pytest.fixture
def shop(tmp_path: Path, engine: Engine) -> Iterator[Shop]:
    """The project; its images are removed afterwards."""
    for name, text in FILES.items():
        path = tmp_path / "tree" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    made = Shop(root=tmp_path, name=f"hullmark-shop-{secrets.token_hex(4)}")
    yield made
    for tag in dict.fromkeys(made.tags):
        engine.client.images.remove(f"{made.name}:{tag}", force=True)


def _rules(report: dict[str, Any]) -> list[tuple[str, str]]:
    return [(finding["rule"], finding["severity"]) for finding in report["findings"]]


def _seen(report: dict[str, Any]) -> str:
    return "\n".join(str(finding["seen"]) for finding in report["findings"])


def test_an_image_that_keeps_what_it_promises_is_clean(shop: Shop) -> None:
    shop.build()
    code, report = shop.validate()
    assert (code, _rules(report)) == (0, [])
    assert [outcome["status"] for outcome in report["outcomes"]] == ["ran"]


@pytest.mark.parametrize(
    ("broken", "rule", "severity", "seen"),
    [
        (f"RUN rm -r /{SITE}/idna", "missing-python-package", "error", f"`idna` lacks /{SITE}/idna"),
        (
            f"RUN rm -r /{SITE}/idna /{SITE}/idna-*",
            "missing-python-package",
            "error",
            "no `idna`, required by `shop`",
        ),
        ("RUN rm -r /app/node_modules/pg", "missing-node-package", "error", "no `pg`, required by `shop`"),
        ("RUN rm -r /app/node_modules/pg/lib", "missing-node-package", "error", "lib/index.js"),
        ("RUN rm /usr/lib/*/libtinfo.so.6*", "missing-library", "error", "needs `libtinfo.so.6`"),
        (
            "RUN cp /bin/true /opt/tool && chmod 4755 /opt/tool",
            "setuid-file",
            "warning",
            "`/opt/tool` (mode 4755)",
        ),
        (
            "RUN chmod -R 777 /app",
            "world-writable-path",
            "warning",
            "`/app` (mode 0777), and 7 paths below it",
        ),
        ("RUN cp /bin/true /usr/local/bin/gcc", "compiler-left", "warning", "`/usr/local/bin/gcc`"),
        ("RUN cp /bin/true /usr/local/bin/pip", "package-manager-left", "note", "`/usr/local/bin/pip`"),
        ('LABEL org.opencontainers.image.created="now"', "malformed-label", "warning", "is `now`"),
    ],
)
def test_what_is_broken_is_found_and_nothing_else(
    shop: Shop, broken: str, rule: str, severity: str, seen: str
) -> None:
    shop.build(broken)
    code, report = shop.validate()
    assert _rules(report) == [(rule, severity)]
    assert seen in _seen(report)
    assert code == (1 if severity == "error" else 0)


def test_a_private_key_is_found_although_it_was_deleted_and_is_told_nowhere(shop: Shop) -> None:
    pem = (
        rsa.generate_private_key(public_exponent=65537, key_size=2048)
        .private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
        .decode()
    )
    (shop.root / "id_rsa").write_text(pem, encoding="utf-8")
    shop.build("COPY id_rsa /root/.ssh/id_rsa\nRUN rm -r /root/.ssh")
    code, text = shop.run("validate")
    report = json.loads(text)
    assert (code, _rules(report)) == (1, [("credential-file-in-layer", "error")])
    assert (
        "holds a private key, in layer 3 of 4, written by `COPY id_rsa /root/.ssh/id_rsa` (Dockerfile:3), "
        "hidden by `RUN rm -r /root/.ssh` (Dockerfile:4)"
    ) in _seen(report)
    assert not [line for line in pem.splitlines()[1:-1] if line in text]


def test_what_is_over_its_budget_names_who_has_the_bytes(shop: Shop) -> None:
    shop.build(settings='[services.web]\nbudget = "1 MB"\n')
    code, report = shop.validate()
    assert (code, _rules(report)) == (1, [("over-budget", "error")])
    assert "perl-base" in _seen(report)
    assert "(dpkg)" in _seen(report)
    assert "through `" in _seen(report)


def test_what_has_grown_since_the_previous_image_is_named(shop: Shop) -> None:
    shop.build(tag="old")
    large = shop.root / "tree" / "app" / "node_modules" / "pg" / "lib" / "large.js"
    large.write_bytes(b"x" * 3_000_000)
    shop.build(tag="new", settings=f'[services.web]\nbudget = "1 MB"\nprevious = "{shop.name}:old"\n')
    code, report = shop.validate()
    assert (code, _rules(report)) == (1, [("over-budget", "error")])
    assert f"{shop.name}:old: Its visible size grew by 3.0 MB: pg 8.1.0 (npm) +3.0 MB" in _seen(report)


def test_an_update_that_may_be_too_large_is_not_passed(shop: Shop) -> None:
    shop.build(tag="old")
    kept = shop.run("validate")[1]
    (shop.root / "old.json").write_text(kept, encoding="utf-8")
    large = shop.root / "tree" / "app" / "large.js"
    # Half of it cannot be compressed.
    large.write_bytes(os.urandom(1_500_000) + bytes(1_500_000))
    for previous in (f"{shop.name}:old", "old.json"):
        for budget, expected in (("1 MB", 1), ("2 MB", 0), ("4 MB", 0)):
            settings = f'[services.web]\nprevious = "{previous}"\nupdate-budget = "{budget}"\n'
            shop.build(tag="new", settings=settings)
            code, report = shop.validate()
            assert (code, [each["status"] for each in report["outcomes"]]) == (expected, ["ran"])
            assert _rules(report) == ([("over-update-budget", "error")] if code else [])
            if code:
                assert "1.5 MB to pull (estimated) in 1 of " in _seen(report)


def test_a_transfer_that_is_too_large_is_found_before_anybody_has_compressed_it(shop: Shop) -> None:
    shop.build(settings='[services.web]\ntransfer-budget = "1 MB"\n')
    code, report = shop.validate()
    assert (code, _rules(report)) == (1, [("over-transfer-budget", "error")])
    assert " MB to pull (estimated), " in _seen(report)
    size = report["images"]["web"]["size"]
    assert size["transfer_estimated"]
    # An estimate by all that is known without it: system images become a third to a half.
    assert 0.25 * size["unpacked"] < size["transfer"] < 0.6 * size["unpacked"]
    _, told = shop.run("size", "web", "--transfer")
    assert json.loads(told)["size"]["transfer"] == size["transfer"]


@pytest.mark.parametrize(
    ("previous", "reason"),
    [
        ("", "`update-budget` needs `previous`, which is not set"),
        ('previous = "nothing.json"', "nothing.json cannot be read: No such file or directory"),
        (
            'previous = "docker:hullmark-shop-nowhere:1"',
            "the previous image, `docker:hullmark-shop-nowhere:1`",
        ),
    ],
)
def test_an_update_that_cannot_be_measured_is_not_passed(shop: Shop, previous: str, reason: str) -> None:
    shop.build(settings=f'[services.web]\nupdate-budget = "1 TB"\n{previous}\n')
    code, report = shop.validate()
    (outcome,) = report["outcomes"]
    assert (code, outcome["status"]) == (3, "broken")
    assert reason in outcome["reason"]


def test_a_service_that_the_last_release_did_not_have_has_not_grown(shop: Shop) -> None:
    shop.build(tag="old")
    document = json.loads(shop.run("validate")[1])
    document["images"] = {"another": document["images"]["web"]}
    (shop.root / "old.json").write_text(json.dumps(document), encoding="utf-8")
    shop.build(settings='[policy]\nprevious = "old.json"\n')
    code, report = shop.validate()
    assert (code, _rules(report)) == (0, [])
    shop.build(settings='[policy]\nprevious = "old.json"\n[services.web]\nupdate-budget = "1 TB"\n')
    code, report = shop.validate()
    assert (code, report["outcomes"][0]["status"]) == (3, "broken")
    assert "no service `web`" in report["outcomes"][0]["reason"]


def test_budgets_of_what_is_pulled_are_shown_and_set_anew_and_hold_then(shop: Shop) -> None:
    shop.build(tag="old")
    (shop.root / "tree" / "app" / "large.js").write_bytes(os.urandom(1_500_000) + bytes(1_500_000))
    before = (
        f'[services.web]\nprevious = "{shop.name}:old" # what hosts have\nupdate-budget = "1 MB" # tight\n'
        'user = "non-root"\ntransfer-budget = "1 TB"\n'
    )
    shop.build(tag="new", settings=before)
    code, told = shop.tell("budget", "show")
    rows = [line.split() for line in told.splitlines()]
    assert (code, rows[0]) == (1, ["service", "what", "size", "budget", "used"])
    assert [row[:2] for row in rows[1:]] == [["web", what] for what in ("unpacked", "transfer", "update")]
    assert rows[1][4:] == ["none"]
    assert rows[2][4:] == ["1,000.0", "GB", "1%", "(estimated)"]
    assert rows[3][2:] == ["1.5", "MB", "1.0", "MB", "151%", "(estimated)"]

    code, told = shop.tell("budget", "update", "--headroom", "20")
    assert code == 0
    assert "web update: 1.0 MB -> 1.9 MB (it takes 1.5 MB, estimated)" in told
    lines = (shop.root / "hullmark.toml").read_text("utf-8").splitlines()
    assert lines[:4] == [*before.splitlines()[:2], 'update-budget = "1.9 MB" # tight', 'user = "non-root"']
    kept = {line.partition(" ")[0] for line in lines[4:]}
    assert kept == {"transfer-budget", "budget"}
    assert shop.tell("budget", "show")[0] == 0
    code, report = shop.validate()
    assert (code, _rules(report)) == (0, [])

    (shop.root / "hullmark.toml").write_text('[services.web]\nupdate-budget = "1 MB"\n', encoding="utf-8")
    assert shop.tell("budget", "show")[0] == 3
    assert shop.tell("budget", "update")[0] == 3
    assert (shop.root / "hullmark.toml").read_text("utf-8") == '[services.web]\nupdate-budget = "1 MB"\n'
    (shop.root / "hullmark.toml").write_text("", encoding="utf-8")
    assert shop.tell("budget", "update", "--for", "transfer")[0] == 0
    assert 'transfer-budget = "' in (shop.root / "hullmark.toml").read_text("utf-8")
