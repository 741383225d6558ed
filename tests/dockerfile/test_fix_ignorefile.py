"""What belongs into no image is listed in ignore files, when that is asked for."""

from __future__ import annotations

import io
import os
import secrets
import subprocess
from typing import TYPE_CHECKING

import pytest

from hullmark._cli.main import main

if TYPE_CHECKING:
    from pathlib import Path

    from hullmark._engines import Engine

DOCKERFILE = (
    "FROM debian:bookworm-slim\nWORKDIR /src\nCOPY . .\nHEALTHCHECK --timeout=1s CMD true\nUSER nobody\n"
)


@pytest.fixture
def stack(tmp_path: Path) -> Path:
    """A project of one service whose image gets a repository, packages and an environment file by accident."""
    for name in (
        ".git/HEAD",
        "node_modules/a/index.js",
        "app/node_modules/b/index.js",
        "app/main.js",
        ".env.local",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x\n", encoding="utf-8")
    (tmp_path / "Dockerfile").write_text(DOCKERFILE, encoding="utf-8")
    (tmp_path / "compose.yml").write_text("services:\n  web: {build: ., mem_limit: 9m}\n", encoding="utf-8")
    return tmp_path


def _lint(directory: Path, *arguments: str) -> tuple[int, str]:
    stdout, stderr = io.StringIO(), io.StringIO()
    kept = ("PATH", "HOME", "DOCKER_HOST", "DOCKER_CONFIG")
    environ = {"HULLMARK_HADOLINT": "never"} | {name: os.environ[name] for name in kept if name in os.environ}
    code = main(["-C", str(directory), "lint", *arguments], stdout=stdout, stderr=stderr, environ=environ)
    assert "Traceback" not in stderr.getvalue()
    return code, stdout.getvalue()


def test_a_missing_ignore_file_is_written_only_when_that_is_asked_for(stack: Path) -> None:
    file = stack / ".dockerignore"
    assert "dockerignore-missing" in _lint(stack, "--fix")[1]
    assert not file.exists()
    _, stdout = _lint(stack, "--fix", "--unsafe-fixes")
    assert "fixed dockerignore-missing: write `.dockerignore` with the lines" in stdout
    assert file.read_text(encoding="utf-8") == "**/.env*\n**/node_modules\n.git\n"
    assert "dockerignore" not in _lint(stack)[1]


def test_a_file_that_is_written_anew_can_be_applied_as_a_diff(stack: Path) -> None:
    code, diff = _lint(stack, "--diff", "--unsafe-fixes")
    assert code == 1
    assert "--- /dev/null\n+++ .dockerignore\n" in diff
    subprocess.run(["git", "apply", "-p0"], cwd=stack, input=diff.encode(), check=True)
    assert (stack / ".dockerignore").read_text(encoding="utf-8").count("\n") == 3


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"*.md\n!README.md\n", b"*.md\n!README.md\n**/.env*\n**/node_modules\n.git\n"),
        (b"*.md", b"*.md\n**/.env*\n**/node_modules\n.git"),
        (b"*.md\r\n.git\r\n", b"*.md\r\n.git\r\n**/.env*\r\n**/node_modules\r\n"),
        (b"\xef\xbb\xbf# \xff\n**/.env*\n!**/node_modules", b"\xef\xbb\xbf# \xff\n**/.env*\n!**/node_modules\n**/node_modules\n.git"),
        (b"", b"**/.env*\n**/node_modules\n.git\n"),
    ],
)  # fmt: skip
def test_lines_are_added_at_the_end_of_a_file_and_the_rest_is_kept(
    stack: Path, before: bytes, after: bytes
) -> None:
    (stack / ".dockerignore").write_bytes(before)
    _lint(stack, "--fix", "--unsafe-fixes")
    found = (stack / ".dockerignore").read_bytes()
    assert found == after
    assert "dockerignore" not in _lint(stack)[1]


def test_services_that_share_a_context_have_it_fixed_once(stack: Path) -> None:
    (stack / "compose.yml").write_text(
        "services:\n  web: {build: ., mem_limit: 9m}\n  job: {build: ., mem_limit: 9m}\n", encoding="utf-8"
    )
    assert _lint(stack, "--fix", "--unsafe-fixes")[1].count("fixed dockerignore-missing") == 1
    assert (stack / ".dockerignore").read_text(encoding="utf-8").count("node_modules") == 1


def test_the_file_called_after_the_dockerfile_is_the_one_that_is_fixed(stack: Path) -> None:
    (stack / "Dockerfile.dockerignore").write_text(".git\n", encoding="utf-8")
    (stack / ".dockerignore").write_text("other\n", encoding="utf-8")
    _lint(stack, "--fix", "--unsafe-fixes")
    assert (stack / ".dockerignore").read_text(encoding="utf-8") == "other\n"
    assert "node_modules" in (stack / "Dockerfile.dockerignore").read_text(encoding="utf-8")


def test_a_context_outside_of_the_project_is_left_alone(stack: Path) -> None:
    inner = stack / "deploy"
    inner.mkdir()
    (stack / "compose.yml").rename(inner / "compose.yml")
    (inner / "compose.yml").write_text("services:\n  web: {build: .., mem_limit: 9m}\n", encoding="utf-8")
    _lint(inner, "--fix", "--unsafe-fixes")
    assert not (stack / ".dockerignore").exists()


@pytest.mark.docker
def test_what_dockerignore_missing_and_dockerignore_lets_in_are_about_is_out_of_the_image(
    stack: Path, engine: Engine
) -> None:
    def built() -> list[str]:
        name = f"hullmark-test-fix:{secrets.token_hex(6)}"
        subprocess.run(["docker", "build", "-q", "-t", name, str(stack)], check=True, capture_output=True)
        try:
            listed = engine.client.containers.run(name, ["find", "/src", "-type", "f"], remove=True)
        finally:
            engine.client.images.remove(name, force=True, noprune=True)
        return sorted(listed.decode().split())

    assert "/src/.git/HEAD" in built()
    _lint(stack, "--fix", "--unsafe-fixes")
    assert built() == ["/src/.dockerignore", "/src/Dockerfile", "/src/app/main.js", "/src/compose.yml"]
    (stack / ".dockerignore").write_text("*.yml\n.git\n", encoding="utf-8")
    assert "/src/.env.local" in built()
    _lint(stack, "--fix", "--unsafe-fixes")
    assert built() == ["/src/.dockerignore", "/src/Dockerfile", "/src/app/main.js"]
