"""`hullmark ci comment`: where it goes is what GitHub says, whatever the report says."""

from __future__ import annotations

import json
import stat
from typing import TYPE_CHECKING, Any

import pytest

from hullmark._reporters.markdown import MARKER, marker

if TYPE_CHECKING:
    from pathlib import Path

    from tests.ci_files.conftest import Checkout, Done

COMMIT = "a" * 40
GH = """\
#!/bin/sh
printf '%s\\n' "$*" >> "$CALLS"
case "$*" in
*--input*) cat >> "$CALLS.body" ;;
*/pulls*) cat "$CALLS.pulls" ;;
*) cat "$CALLS.comments" ;;
esac
"""


class Hub:
    """Stands in for GitHub behind its command line."""

    def __init__(self, directory: Path, checkout: Checkout) -> None:
        self.calls = directory / "calls"
        self._checkout = checkout
        program = directory / "bin" / "gh"
        program.parent.mkdir()
        program.write_text(GH)
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        self._environ = {
            **checkout.environ,
            "PATH": f"{program.parent}:{checkout.environ['PATH']}",
            "CALLS": str(self.calls),
            "GITHUB_REPOSITORY": "acme/ship",
        }
        self.pulls([{"number": 7, "head": {"sha": COMMIT}}])
        self.comments()

    def pulls(self, pulls: list[Any]) -> None:
        """What pull requests are open."""
        self.calls.with_suffix(".pulls").write_text(json.dumps(pulls))

    def comments(self, *comments: dict[str, Any]) -> None:
        """What comments there are, a line each."""
        text = "".join(f"{json.dumps(each)}\n" for each in comments)
        self.calls.with_suffix(".comments").write_text(text)

    def post(self, text: str | None) -> Done:
        """Writes the comment."""
        from dataclasses import replace

        if text is not None:
            (self._checkout.project / "report.md").write_text(text)
        caller = replace(self._checkout, environ=self._environ)
        return caller.hullmark("ci", "comment", "report.md", "--of", "stranger:fix", "--at", COMMIT)

    @property
    def asked(self) -> list[str]:
        """How it was called."""
        return self.calls.read_text().splitlines() if self.calls.exists() else []


@pytest.fixture
def hub(tmp_path: Path, checkout: Checkout) -> Hub:
    """A GitHub with one open pull request."""
    return Hub(tmp_path, checkout)


def test_the_first_report_becomes_a_comment(hub: Hub) -> None:
    done = hub.post(f"{MARKER}\n## fine\n")
    assert (done.code, done.stdout) == (0, "pull request 7 has a comment\n")
    assert hub.asked[0].endswith("repos/acme/ship/pulls -f head=stranger:fix -f state=open")
    assert "--method POST repos/acme/ship/issues/7/comments" in hub.asked[-1]
    assert json.loads(hub.calls.with_suffix(".body").read_text()) == {"body": f"{MARKER}\n## fine\n"}


def test_a_later_report_replaces_it(hub: Hub) -> None:
    hub.comments(
        {"id": 1, "body": f"{MARKER}\nof a person", "type": "User"},
        {"id": 2, "body": "of another program", "type": "Bot"},
        {"id": 3, "body": f"{MARKER}\nours", "type": "Bot"},
        {"id": 4, "body": None, "type": "Bot"},
    )
    assert hub.post(f"{MARKER}\nnew").stdout == "the comment of pull request 7 is up to date\n"
    assert "--method PATCH repos/acme/ship/issues/comments/3" in hub.asked[-1]


@pytest.mark.parametrize("pulls", [[], [{"number": 7, "head": {"sha": "b" * 40}}]])
def test_nothing_is_written_when_the_pull_request_is_gone_or_has_moved_on(hub: Hub, pulls: list[Any]) -> None:
    hub.pulls(pulls)
    done = hub.post(f"{MARKER}\nold")
    assert done.code == 0
    assert "nothing to write" in done.stdout
    assert len(hub.asked) == 1


def test_projects_of_one_repository_have_a_comment_each() -> None:
    markers = [marker(each) for each in ("", "ship", "ship2", "a/b", "a-b", "a--> b")]
    assert len(set(markers)) == len(markers)
    assert not [(a, b) for a in markers for b in markers if a != b and a.startswith(b)]
    assert all(each.index("-->") == len(each) - 3 for each in markers)


@pytest.mark.parametrize("text", ["no marker", f"{MARKER}\n{'x' * 70_000}"])
def test_what_is_no_report_is_refused_before_anybody_is_asked(hub: Hub, text: str) -> None:
    done = hub.post(text)
    assert done.code == 2
    assert hub.asked == []


def test_without_a_report_the_green_comment_of_an_earlier_commit_does_not_stay(hub: Hub) -> None:
    hub.comments({"id": 3, "body": f"{MARKER}\n## fine", "type": "Bot"})
    assert hub.post(None).stdout == "the comment of pull request 7 is up to date\n"
    body = json.loads(hub.calls.with_suffix(".body").read_text())["body"]
    assert body.startswith(f"{MARKER}\n## ❌ there is no report")


def test_an_answer_that_is_no_json_is_said(hub: Hub) -> None:
    hub.calls.with_suffix(".pulls").write_text("<html>")
    done = hub.post(f"{MARKER}\n")
    assert done.code == 3
    assert "GitHub's answer is no JSON" in done.stderr
