"""Ignores that ignore nothing, in comments and in `hullmark.toml`."""

from __future__ import annotations

import io
import json
import os
from typing import TYPE_CHECKING

import pytest

from hullmark._cli import main

if TYPE_CHECKING:
    from pathlib import Path

DOCKERFILE = """\
{first}FROM debian:12@sha256:0000000000000000000000000000000000000000000000000000000000000000 AS base
{above}RUN apt-get update && apt-get install -y {option} curl && rm -rf /var/lib/apt/lists/*
ARG VERSION=1
LABEL org.opencontainers.image.version=${{VERSION}}
HEALTHCHECK --timeout=5s CMD ["true"]
FROM base AS other
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "compose.yml").write_text(
        "services:\n  web:\n    build: {context: ., target: base}\n    mem_limit: 64m\n"
        "  worker:\n    build: {context: ., target: other}\n    mem_limit: 64m\n",
        encoding="utf-8",
    )
    return tmp_path


def _lint(
    project: Path,
    *,
    first: str = "",
    above: str = "",
    option: str = "--no-install-recommends",
    toml: str = "",
    **environ: str,
) -> list[tuple[str, str, str]]:
    (project / "Dockerfile").write_text(
        DOCKERFILE.format(first=first, above=above, option=option), encoding="utf-8"
    )
    (project / "hullmark.toml").write_text(toml, encoding="utf-8")
    stdout, stderr = io.StringIO(), io.StringIO()
    given = {"PATH": os.environ["PATH"], "HOME": "/", "HULLMARK_HADOLINT": "never", **environ}
    code = main(["-C", str(project), "lint", "--format", "json"], stdout=stdout, stderr=stderr, environ=given)
    assert code == 0, stderr.getvalue()
    return [
        (f["rule"], f"{f['location']['path']}:{f['location']['line']}", f["seen"])
        for f in json.loads(stdout.getvalue())["findings"]
    ]


IGNORE = "# hullmark: ignore=apt-recommends fonts\n"
TOML = '[[ignore.findings]]\nrule = "apt-recommends"\nreason = "fonts"\n'


def test_a_comment_that_is_needed_is_left_alone(project: Path) -> None:
    assert _lint(project, above=IGNORE, option="") == []


def test_a_comment_that_covers_nothing_is_found_once_whoever_builds_from_the_file(project: Path) -> None:
    assert _lint(project, above=IGNORE) == [
        ("unused-ignore", "Dockerfile:2", "nothing was found that the ignore of `apt-recommends` covers")
    ]


def test_a_comment_above_another_instruction_is_told_where_it_belongs(project: Path) -> None:
    found = _lint(project, first=IGNORE, option="")
    assert ("apt-recommends", "Dockerfile:3") in {each[:2] for each in found}
    seen = "`apt-recommends` was found at line 3, where this comment does not count"
    assert found.count(("unused-ignore", "Dockerfile:1", seen)) == 1


def test_a_comment_about_a_rule_that_looks_at_images_is_told_where_to_go(project: Path) -> None:
    ((rule, _, seen),) = _lint(project, above="# hullmark: ignore=root-user it must\n")
    assert (rule, "no comment ignores it" in seen) == ("unused-ignore", True)


def test_a_comment_about_hadolint_is_judged_only_where_it_ran(project: Path) -> None:
    above = "# hullmark: ignore=DL3003 it must\n"
    assert _lint(project, above=above) == []
    found = _lint(project, above=above, HULLMARK_HADOLINT="always")
    assert ("unused-ignore", "Dockerfile:2", "nothing was found that the ignore of `DL3003` covers") in found


def test_an_ignore_of_the_configuration_that_is_needed_is_left_alone(project: Path) -> None:
    assert _lint(project, option="", toml=TOML) == []


def test_an_ignore_of_the_configuration_that_covers_nothing_is_found(project: Path) -> None:
    assert _lint(project, toml=TOML) == [
        ("unused-ignore", "hullmark.toml:1", "nothing was found that the ignore of `apt-recommends` covers")
    ]
    ((_, _, seen),) = _lint(project, toml=f'{TOML}service = "web"\n')
    assert seen == "nothing was found that the ignore of `apt-recommends` in `web` covers"


def test_an_ignore_of_a_check_that_did_not_run_is_not_judged(project: Path) -> None:
    assert _lint(project, toml=TOML.replace("apt-recommends", "root-user")) == []


def test_an_ignore_that_has_expired_is_found_and_ignores_nothing(project: Path) -> None:
    found = _lint(project, option="", toml=f"{TOML}expires = 2020-01-31\n")
    assert [rule for rule, _, _ in found] == ["apt-recommends", "apt-recommends", "unused-ignore"]
    assert found[-1][2] == "the ignore of `apt-recommends` expired on 2020-01-31"


def test_an_ignore_can_itself_be_ignored(project: Path) -> None:
    toml = '[[ignore.findings]]\nrule = "unused-ignore"\nreason = "x"\n'
    assert _lint(project, above=IGNORE, toml=toml) == []


@pytest.mark.parametrize(("where", "line"), [("first", 1), ("above", 2)])
def test_a_comment_about_a_rule_that_there_is_not_is_found(project: Path, where: str, line: int) -> None:
    found = _lint(project, **{where: "# hullmark: ignore=apt-recomends fonts\n"})
    seen = "there is no rule `apt-recomends`, so that the comment ignores nothing"
    assert found == [("unused-ignore", f"Dockerfile:{line}", seen)]
