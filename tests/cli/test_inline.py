"""A Dockerfile that is written in the Compose file is linted as any other, with places in the Compose file."""

from __future__ import annotations

import io
import json
import os
from typing import TYPE_CHECKING

import pytest

from hullmark._cli import main

if TYPE_CHECKING:
    from pathlib import Path

COMPOSE = """\
name: shop
services:
  web:
    image: ${UNSET_NAME}web
    build:
      dockerfile_inline: |
        # syntax=docker/dockerfile:1
        FROM debian:12
        RUN apt-get update \\
            && apt-get install -y curl
        COPY <<EOF /motd
        price: 5 $$
        EOF
      context: .
"""


def _run(project: Path, *given: str) -> tuple[int, str, str]:
    stdout, stderr = io.StringIO(), io.StringIO()
    environ = {"PATH": os.environ["PATH"], "HOME": "/", "HULLMARK_HADOLINT": "never"}
    code = main(["-C", str(project), *given], stdout=stdout, stderr=stderr, environ=environ)
    return code, stdout.getvalue(), stderr.getvalue()


def test_what_is_found_in_an_inline_dockerfile_stands_in_the_compose_file(tmp_path: Path) -> None:
    (tmp_path / "compose.yml").write_text(COMPOSE, encoding="utf-8")
    code, stdout, stderr = _run(tmp_path, "lint", "--format", "json")
    assert code == 1, stderr
    report = json.loads(stdout)
    places = {each["rule"]: each["location"]["text"] for each in report["findings"]}
    assert places["unpinned-base-image"] == "compose.yml:8:7"
    assert places["apt-lists-left"] == "compose.yml:9:19"
    assert places["apt-recommends"] == "compose.yml:10:22"
    assert [each["status"] for each in report["outcomes"]] == ["ran"]


def test_no_fix_is_made_in_an_inline_dockerfile(tmp_path: Path) -> None:
    (tmp_path / "compose.yml").write_text(COMPOSE, encoding="utf-8")
    _run(tmp_path, "lint", "--fix", "--unsafe-fixes")
    assert (tmp_path / "compose.yml").read_text(encoding="utf-8") == COMPOSE


@pytest.mark.parametrize("given", [("size", "web"), ("diff", "web", "web")], ids=["size", "diff"])
def test_what_compose_warns_of_is_passed_on_once(tmp_path: Path, given: tuple[str, ...]) -> None:
    (tmp_path / "compose.yml").write_text(
        COMPOSE.replace("UNSET_NAME}", "UNSET_NAME}none-"), encoding="utf-8"
    )
    _, _, stderr = _run(tmp_path, *given)
    assert stderr.count("UNSET_NAME") == 1
