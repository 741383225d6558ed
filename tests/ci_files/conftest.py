"""Projects to write files for, and what is said of those files by others."""

from __future__ import annotations

import importlib.metadata
import io
import json
import os
import pickle
import sqlite3
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from hullmark._cli import main

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

ENVIRON = {
    **{
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("GIT_", "HULLMARK_", "COMPOSE_", "GITHUB_"))
    },
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "A. Author",
    "GIT_AUTHOR_EMAIL": "author@example.org",
    "GIT_COMMITTER_NAME": "A. Author",
    "GIT_COMMITTER_EMAIL": "author@example.org",
}
"""Nothing of whoever runs the tests."""
DOCKERFILE = """\
FROM debian:bookworm-slim
ARG VERSION=1
LABEL org.opencontainers.image.version="${VERSION}"
COPY a /a
USER 1000
HEALTHCHECK --interval=1s --timeout=5s CMD ["true"]
CMD ["sleep", "600"]
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What a call of hullmark came to."""

    code: int
    stdout: str
    stderr: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkout:
    """A repository of a test, with a project in a directory of it."""

    top: Path
    project: Path
    environ: Mapping[str, str]

    def git(self, *arguments: str) -> str:
        """What git answers."""
        done = subprocess.run(
            ("git", *arguments),
            cwd=self.top,
            env=dict(self.environ),
            capture_output=True,
            check=False,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def commit(self) -> str:
        """Commits all there is; the new commit."""
        self.git("add", "--all")
        self.git("commit", "-qm", "Change")
        return self.git("rev-parse", "HEAD")

    def hullmark(self, *arguments: str) -> Done:
        """Calls hullmark in the project."""
        stdout, stderr = io.StringIO(), io.StringIO()
        code = main(
            ["-C", str(self.project), *arguments], stdout=stdout, stderr=stderr, environ=dict(self.environ)
        )
        assert "Traceback" not in stderr.getvalue()
        return Done(code=code, stdout=stdout.getvalue(), stderr=stderr.getvalue())


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """A project with two images, in the directory `ship` of a repository."""
    top = tmp_path / "repository"
    project = top / "ship"
    for service in "web", "worker":
        (project / service).mkdir(parents=True)
        (project / service / "Dockerfile").write_text(DOCKERFILE)
        (project / service / "a").write_text("1\n")
    name = f"hullmark-ci-{os.getpid()}-{tmp_path.name.replace('_', '-')}".lower()
    (project / "compose.yml").write_text(
        f"name: {name}\nservices:\n  web: {{build: web, init: true}}\n  worker: {{build: worker, init: true}}\n"
    )
    (top / "README.md").write_text("# Ship\n")
    made = Checkout(
        top=top, project=project, environ={**ENVIRON, "HULLMARK_CACHE_DIR": str(tmp_path / "cache")}
    )
    made.git("init", "-q", "-b", "main")
    made.commit()
    return made


@pytest.fixture(scope="session")
def problems() -> Callable[[str, Any], list[str]]:
    """What the official schema of a kind of file, by its address, finds wrong with a document."""
    store = importlib.metadata.distribution("schemastore").locate_file("schemastore/cache.sqlite")
    schemas: dict[str, Any] = {}
    with sqlite3.connect(f"file:{store}?mode=ro", uri=True) as database:
        for (value,) in database.execute("select value from responses"):
            answer = pickle.loads(value)  # noqa: S301  # from a pinned distribution
            if answer["url"].endswith(
                ("github-workflow.json", "github-action.json", "editor/schema/ci.json")
            ):
                schemas[answer["url"].rpartition("/")[2]] = json.loads(answer["_content"])

    # The catalogue is older than merge queues and than tokens of GitLab. The linter for expressions knows the former.
    schemas["github-workflow.json"]["definitions"]["event"]["enum"].append("merge_group")
    schemas["ci.json"]["definitions"]["job_template"]["properties"]["id_tokens"] = {
        "type": "object",
        "additionalProperties": {"type": "object", "required": ["aud"]},
    }

    def validate(schema: str, document: Any) -> list[str]:
        validator = jsonschema.validators.validator_for(schemas[schema])(schemas[schema])
        return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(document)]

    return validate
