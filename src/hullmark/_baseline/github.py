"""A baseline that a run of GitHub's has kept as its artifact."""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hullmark._baseline.lines import LARGEST
from hullmark._root import below_repository, name_below
from hullmark.errors import Unavailable, UsageError
from hullmark.model.baseline import ARTIFACT_FILE, artifact_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hullmark._process import Commands

_SECONDS = 300.0
_HINT = "`gh auth status` shows whether GitHub's command line is there and may do this"
_HERE = ("gh", "repo", "view", "--json", "nameWithOwner", "--jq", ".nameWithOwner")


def fetched(
    branch: str, root: Path, commands: Commands, environ: Mapping[str, str]
) -> tuple[bytes, str] | None:
    """The newest baseline that a run of `branch` has kept, and of which commit it is; `None` where none is left.

    It is looked for in the repository of `GITHUB_REPOSITORY`, otherwise in that of `root`. Raises `Unavailable` where
    GitHub does not say.
    """
    branch = branch.removeprefix("refs/heads/")
    repository = environ.get("GITHUB_REPOSITORY") or _told(commands, root, *_HERE).strip()
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", repository):
        raise UsageError(f"`{repository}` is no repository: expected OWNER/NAME")
    artifact = artifact_of(name_below(below_repository(root)))
    asked = f"repos/{repository}/actions/artifacts?name={artifact}&per_page=100"
    run = _newest(_told(commands, root, "gh", "api", asked), artifact, branch)
    if run is None:
        return None
    with tempfile.TemporaryDirectory(prefix="hullmark-baseline-") as directory:
        of = ("gh", "run", "download", str(run["id"]), "--repo", repository)
        _told(commands, root, *of, "--name", artifact, "--dir", directory)
        try:
            with (Path(directory) / ARTIFACT_FILE).open("rb") as file:
                content = file.read(LARGEST + 1)
        except OSError as error:
            raise Unavailable(
                f"the artifact {artifact} of run {run['id']} has no {ARTIFACT_FILE}: {error.strerror}"
            ) from error
    return content, str(run["head_sha"])


def _newest(answer: str, artifact: str, branch: str) -> Mapping[str, Any] | None:
    """The run that left the newest artifact; those from forks, where anybody can call a branch so, are none of ours."""
    try:
        found = [
            (each["created_at"], each["workflow_run"])
            for each in json.loads(answer)["artifacts"]
            if each["name"] == artifact
            and not each["expired"]
            and each["workflow_run"]["head_branch"] == branch
            and each["workflow_run"]["head_repository_id"] == each["workflow_run"]["repository_id"]
        ]
        newest: Mapping[str, Any] | None = max(found, key=lambda each: each[0], default=("", None))[1]
    except (ValueError, KeyError, TypeError) as error:
        raise Unavailable(f"GitHub's answer is no list of artifacts: {answer[:80]!r}", hint=_HINT) from error
    return newest


def _told(commands: Commands, root: Path, *argv: str) -> str:
    return commands.run(argv, cwd=root, timeout=_SECONDS).check(hint=_HINT).stdout
