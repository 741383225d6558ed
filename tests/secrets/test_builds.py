"""Secrets in images that a real engine built, as `hullmark scan` reports them."""

from __future__ import annotations

import io
import json
import os
import random
import secrets
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from hullmark._cli.main import main
from hullmark._secrets.redaction import fingerprint
from hullmark.testing import planted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

pytestmark = pytest.mark.docker

DELETED = """\
FROM debian:bookworm-slim AS build
ARG DEPLOY_TOKEN
COPY token.txt /srv/token.txt
RUN true
RUN rm /srv/token.txt
"""
SQUASHED = f'{DELETED}\nFROM scratch\nCOPY --from=build / /\nCMD ["sleep", "1"]\n'


@dataclass(kw_only=True)
class Yard:
    """A project of one image, under a name that nobody else has."""

    root: Path
    name: str
    token: str

    def scan(
        self, dockerfile: str, settings: str = "", args: Mapping[str, str] | None = None
    ) -> tuple[int, list[dict[str, Any]], str]:
        """The exit code, what is found of secrets, and the whole report, once the image is built."""
        (self.root / "Dockerfile").write_text(dockerfile, encoding="utf-8")
        (self.root / "token.txt").write_text(f"deploy {self.token}\n", encoding="utf-8")
        build: dict[str, Any] = {"context": ".", "args": dict(args or {})}
        services = {"web": {"image": f"{self.name}:dev", "build": build}}
        compose = {"name": self.name, "services": services}
        (self.root / "compose.yml").write_text(json.dumps(compose), encoding="utf-8")
        (self.root / "hullmark.toml").write_text(settings, encoding="utf-8")
        stdout, stderr = io.StringIO(), io.StringIO()
        environ = {**os.environ, "HULLMARK_CACHE_DIR": str(self.root / "cache")}
        code = main(
            ["-C", str(self.root), "scan", "--build", "--format", "json"],
            stdout=stdout,
            stderr=stderr,
            environ=environ,
        )
        report = json.loads(stdout.getvalue())
        found = [each for each in report["findings"] if each["rule"].endswith("-secret")]
        return code, found, stdout.getvalue() + stderr.getvalue()


@pytest.fixture
def yard(tmp_path: Path) -> Iterator[Yard]:
    """An empty project; its image is removed at the end."""
    token = planted("github-token", random.Random()).text  # noqa: S311  # nobody relies on it
    made = Yard(root=tmp_path, name=f"hullmark-test-{secrets.token_hex(6)}", token=token)
    yield made
    subprocess.run(["docker", "image", "rm", "-f", f"{made.name}:dev"], check=False, capture_output=True)


def test_a_secret_that_was_deleted_is_found_in_its_layer_with_its_instruction(yard: Yard) -> None:
    code, found, told = yard.scan(DELETED)
    assert code == 1
    assert [each["rule"] for each in found] == ["buried-secret"]
    seen = found[0]["seen"]
    assert fingerprint(yard.token.encode()) in seen
    assert "in layer 2 of" in seen
    assert "written by `COPY token.txt /srv/token.txt` (Dockerfile:" in seen
    assert seen.endswith("hidden by `RUN rm /srv/token.txt` (Dockerfile:5)")
    assert "`.dockerignore`" in found[0]["remedy"]
    assert yard.token not in told


def test_a_squashed_image_has_no_secret_that_was_deleted_before(yard: Yard) -> None:
    _, found, _ = yard.scan(SQUASHED)
    assert found == []


def test_a_secret_that_stays_is_visible_also_after_a_squash(yard: Yard) -> None:
    _, found, told = yard.scan(SQUASHED.replace("RUN rm /srv/token.txt\n", ""))
    assert [each["rule"] for each in found] == ["visible-secret"]
    assert "written by `COPY token.txt /srv/token.txt` (Dockerfile:" in found[0]["seen"]
    assert yard.token not in told


def test_the_value_of_a_build_argument_is_found_in_the_history(yard: Yard) -> None:
    # Its name alone says what it is.
    code, found, told = yard.scan(
        DELETED.replace("COPY token.txt", "COPY Dockerfile"), args={"DEPLOY_TOKEN": "battery-staple"}
    )
    assert code == 1
    assert [each["rule"] for each in found] == ["recorded-secret"]
    assert "the value of `DEPLOY_TOKEN`" in found[0]["seen"]
    assert "battery-staple" not in told


def test_a_project_says_how_bad_each_kind_is_and_what_it_allows(yard: Yard) -> None:
    _, found, _ = yard.scan(DELETED, '[secrets]\nburied = "note"\n')
    assert [each["severity"] for each in found] == ["note"]
    assert yard.scan(DELETED, '[secrets]\nburied = "off"\n')[1] == []
    allowed = f'[secrets]\nallow = ["{fingerprint(yard.token.encode())}"]\n'
    assert yard.scan(DELETED, allowed)[1] == []
    ignored = '[[ignore.findings]]\nrule = "buried-secret"\nreason = "revoked"\nowner = "me"\nexpires = {}\n'
    assert yard.scan(DELETED, ignored.format("2999-01-01"))[1] == []
    assert len(yard.scan(DELETED, ignored.format("2020-01-01"))[1]) == 1
