"""A baseline that a run on GitHub has kept: which of several is taken, and what stands for none."""

from __future__ import annotations

import io
import json
import os
import stat
from typing import TYPE_CHECKING, Any

import pytest

from hullmark._cli import main

if TYPE_CHECKING:
    from pathlib import Path

KEPT = b'["hullmark/baseline/1"]\n["looked","","lint"]\n'
GH = """\
#!/bin/sh
printf '%s\\n' "$*" >> "$CALLS"
case "$1" in
api) cat "$CALLS.artifacts" ;;
repo) echo acme/ship ;;
run) while test "$1" != --dir; do shift; done; test ! -f "$CALLS.kept" || cp "$CALLS.kept" "$2/hullmark-baseline.jsonl" ;;
esac
"""


def artifact(run: int, created: str, **change: Any) -> dict[str, Any]:
    of: dict[str, Any] = {
        "id": run,
        "head_branch": "main",
        "head_sha": f"{run:x}" * 40,
        "repository_id": 1,
        "head_repository_id": 1,
    }
    named = {key: change.pop(key) for key in tuple(change) if key in of}
    return {
        "name": "hullmark-baseline",
        "expired": False,
        "created_at": f"2026-11-{created}T00:00:00Z",
        "workflow_run": {**of, **named},
        **change,
    }


class Hub:
    """Stands in for GitHub behind its command line."""

    def __init__(self, root: Path) -> None:
        self.root, self.calls = root, root / "calls"
        program = root / "bin" / "gh"
        program.parent.mkdir()
        program.write_text(GH)
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        self.environ = {
            "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}",
            "CALLS": str(self.calls),
            "GITHUB_REPOSITORY": "acme/ship",
            "HOME": str(root),
        }
        self.calls.with_suffix(".kept").write_bytes(KEPT)

    def answer(self, answer: Any) -> None:
        text = answer if isinstance(answer, str) else json.dumps(answer)
        self.calls.with_suffix(".artifacts").write_text(text)

    def fetch(self, branch: str = "main") -> tuple[int, str]:
        stdout, stderr = io.StringIO(), io.StringIO()
        argv = ["-C", str(self.root), "baseline", "fetch", f"github:{branch}", "b.jsonl"]
        code = main(argv, stdout=stdout, stderr=stderr, environ=self.environ)
        assert "Traceback" not in stderr.getvalue()
        return code, stderr.getvalue()

    @property
    def asked(self) -> list[str]:
        return self.calls.read_text().splitlines()


@pytest.fixture
def hub(tmp_path: Path) -> Hub:
    """A GitHub without any artifact; what is fetched needs no project, whose files may name the token."""
    made = Hub(tmp_path)
    made.answer({"artifacts": []})
    return made


@pytest.mark.parametrize("branch", ["main", "refs/heads/main"])
def test_the_newest_that_is_left_of_the_branch_is_taken(hub: Hub, branch: str) -> None:
    hub.answer(
        {
            "artifacts": [
                artifact(1, "01"),
                artifact(2, "03"),
                artifact(3, "09", expired=True),
                artifact(4, "08", head_branch="other"),
                artifact(5, "07", head_repository_id=2),
                artifact(6, "06", name="hullmark-baseline-of-somebody"),
            ]
        }
    )
    code, said = hub.fetch(branch)
    assert code == 0, said
    assert (hub.root / "b.jsonl").read_bytes() == KEPT
    assert "main at 2222222222" in said
    assert hub.asked[0] == "api repos/acme/ship/actions/artifacts?name=hullmark-baseline&per_page=100"
    assert hub.asked[1].startswith("run download 2 --repo acme/ship --name hullmark-baseline --dir ")


def test_the_repository_is_the_one_that_this_is_a_checkout_of_where_nothing_names_it(hub: Hub) -> None:
    del hub.environ["GITHUB_REPOSITORY"]
    assert hub.fetch()[0] == 0
    assert hub.asked[1].startswith("api repos/acme/ship/")


def test_none_yet_is_said_and_stands_for_the_first(hub: Hub) -> None:
    hub.answer({"artifacts": [artifact(5, "07", head_repository_id=2)]})
    code, said = hub.fetch()
    assert code == 0
    assert "runs of main on GitHub: there is none yet" in said
    assert (hub.root / "b.jsonl").read_bytes() == KEPT.splitlines(keepends=True)[0]
    (hub.root / "compose.yml").write_text("services:\n  web: {build: .}\n")
    (hub.root / "Dockerfile").write_text("FROM debian:bookworm-slim\n")
    stdout = io.StringIO()
    argv = ["-C", str(hub.root), "lint", "--format=json", "--new-only", f"--baseline={hub.root}/b.jsonl"]
    environ = {**hub.environ, "HULLMARK_HADOLINT": "never"}
    assert main(argv, stdout=stdout, stderr=io.StringIO(), environ=environ) == 0
    report = json.loads(stdout.getvalue())
    assert report["baseline"]["first"]
    assert {each["standing"] for each in report["findings"]} == {"known"}


@pytest.mark.parametrize("answer", ["<html>", "[]", '{"artifacts": [{}]}'])
def test_an_answer_that_is_none_is_an_error(hub: Hub, answer: str) -> None:
    hub.answer(answer)
    code, said = hub.fetch()
    assert code == 3
    assert "no list of artifacts" in said
    assert not (hub.root / "b.jsonl").exists()


def test_an_artifact_without_the_file_and_a_repository_that_is_none_are_errors(hub: Hub) -> None:
    hub.answer({"artifacts": [artifact(1, "01")]})
    hub.calls.with_suffix(".kept").unlink()
    code, said = hub.fetch()
    assert code == 3
    assert "has no hullmark-baseline.jsonl" in said
    hub.environ["GITHUB_REPOSITORY"] = "acme"
    assert hub.fetch()[0] == 2
