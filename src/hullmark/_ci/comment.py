"""The one comment of a pull request: written once, then brought up to date.

What it says may come from the code of strangers, so that code does not say where it goes: the pull request is found by
its branch and its commit, which GitHub itself tells.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hullmark.errors import Unavailable, UsageError

if TYPE_CHECKING:
    from hullmark._process import Commands

LARGEST = 65_536
"""Characters that GitHub takes."""
_SECONDS = 120.0
_HINT = "`gh auth status` shows whether GitHub's command line is there and may do this"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Which pull request is meant."""

    repository: str
    """As `OWNER/NAME`."""
    of: str
    """As `OWNER:BRANCH`: where its commits come from."""
    at: str
    """The commit that was checked."""


def post(text: str, marker: str, target: Target, commands: Commands) -> str:
    """Writes `text`, which begins with `marker`, into the comment that does so too; says what was done.

    Nothing is written where the pull request is closed, or has moved on to another commit: what is known of that one
    is said when it has been checked. Raises `UsageError` for a text or a target that cannot be right.
    """
    if not text.startswith(marker) or len(text) > LARGEST:
        raise UsageError(
            f"the report is no comment: expected `{marker}` first and at most {LARGEST:,} characters"
        )
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", target.repository):
        raise UsageError(f"`{target.repository}` is no repository: expected OWNER/NAME")
    asked = f"repos/{target.repository}/pulls"
    found = _json(_gh(commands, "--method", "GET", asked, "-f", f"head={target.of}", "-f", "state=open"))
    numbers = [int(each["number"]) for each in found if each["head"]["sha"] == target.at]
    if not numbers:
        return f"no open pull request of {target.of} is at {target.at[:12]}: nothing to write"
    return "\n".join(_write(text, marker, target.repository, number, commands) for number in numbers)


def missing(marker: str, at: str) -> str:
    """The text for a commit whose checks have left no report."""
    return (
        f"{marker}\n## ❌ there is no report\n\n"
        f"The checks of {at[:12]} ended before they had one; the log of the workflow says why.\n"
    )


def _write(text: str, marker: str, repository: str, number: int, commands: Commands) -> str:
    listed = _gh(
        commands,
        "--paginate",
        f"repos/{repository}/issues/{number}/comments?per_page=100",
        "--jq",
        ".[] | {id, body, type: .user.type}",
    )
    # Anybody can begin a comment so; only what a program wrote is replaced.
    ids = [
        int(each["id"])
        for each in map(_json, listed.splitlines())
        if each["type"] == "Bot" and (each["body"] or "").startswith(marker)
    ]
    body = json.dumps({"body": text})
    if ids:
        path = f"repos/{repository}/issues/comments/{ids[0]}"
        _gh(commands, "--method", "PATCH", path, "--input", "-", stdin=body)
        return f"the comment of pull request {number} is up to date"
    _gh(
        commands,
        "--method",
        "POST",
        f"repos/{repository}/issues/{number}/comments",
        "--input",
        "-",
        stdin=body,
    )
    return f"pull request {number} has a comment"


def _gh(commands: Commands, *arguments: str, stdin: str | None = None) -> str:
    return commands.run(("gh", "api", *arguments), stdin=stdin, timeout=_SECONDS).check(hint=_HINT).stdout


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise Unavailable(f"GitHub's answer is no JSON: {text[:80]!r}", hint=_HINT) from error
