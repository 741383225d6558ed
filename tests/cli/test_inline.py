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


FOLDED = """\
name: shop
services:
  web:
    mem_limit: 64m
    build:
      context: .
      dockerfile_inline: >
        FROM debian:12 AS all


        # hullmark: ignore=apt-recommends fonts

        RUN apt-get update
        && apt-get install -y curl && cd /tmp

        COPY . /app

        FROM scratch

        COPY --from=all / /
"""
QUOTED = """\
services:
  web:
    mem_limit: 64m
    build:
      context: .
      dockerfile_inline: "FROM debian:12\\nRUN apt-get update && apt-get install -y curl && cd /tmp\\nCOPY . /app\\n"
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


def _places(project: Path, compose: str) -> dict[str, tuple[str, str]]:
    """Rule by rule the place and what was seen, with hadolint."""
    (project / "compose.yml").write_text(compose, encoding="utf-8")
    (project / "node_modules").mkdir()
    (project / "node_modules" / "a.js").write_text("1", encoding="utf-8")
    stdout, stderr = io.StringIO(), io.StringIO()
    environ = {"PATH": os.environ["PATH"], "HOME": "/", "HULLMARK_HADOLINT": "always"}
    code = main(
        ["-C", str(project), "lint", "--format", "json"], stdout=stdout, stderr=stderr, environ=environ
    )
    assert code == 1, stderr.getvalue()
    report = json.loads(stdout.getvalue())
    found = (*report["findings"], *report["suppressed"])
    assert not any(each["fixable"] for each in found)
    return {each["rule"]: (each["location"]["text"], each["seen"]) for each in found}


@pytest.mark.parametrize("block", [">", "|"])
def test_a_dockerfile_in_a_block_has_every_rule_and_its_places(tmp_path: Path, block: str) -> None:
    text = (
        FOLDED
        if block == ">"
        else FOLDED.replace("update\n", "update \\\n").replace("inline: >", "inline: |")
    )
    if block == "|":
        text = text.replace("fonts\n\n", "fonts\n") + "\n"
    shift = 0 if block == ">" else 1
    found = _places(tmp_path, text)
    assert found["unpinned-base-image"][0] == "compose.yml:8:9"
    assert found["apt-lists-left"][0].startswith(f"compose.yml:{13 - shift}:")
    assert found["DL3003"][0].startswith(f"compose.yml:{13 - shift}:")
    assert found["dockerignore-missing"][0].startswith(f"compose.yml:{16 - shift}:")
    assert found["DL3067"][0] == f"compose.yml:{20 - shift}:9"
    assert "apt-recommends" not in found
    assert "unused-ignore" not in found


def test_where_the_lines_of_a_dockerfile_cannot_be_told_apart_they_are_counted(tmp_path: Path) -> None:
    found = _places(tmp_path, QUOTED)
    assert {place for rule, (place, _) in found.items()} == {"compose.yml:6:7"}
    assert found["apt-recommends"][1].startswith("line 2 of its Dockerfile: `apt-get install")
    assert found["DL3003"][1].startswith("line 2 of its Dockerfile: ")
    assert found["dockerignore-missing"][1].startswith("line 3 of its Dockerfile: ")
