"""Secrets in what is not in an image yet: in files that a build takes, and in environment files of the repository."""

from __future__ import annotations

import io
import json
import os
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from hullmark._cli import main
from hullmark._dockerfile.secret_files import look_into
from hullmark.testing import planted

if TYPE_CHECKING:
    import random
    from pathlib import Path

DOCKERFILE = "FROM debian:12\nCOPY . /srv\n"


def _file(path: Path, content: bytes) -> tuple[str, str, int]:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path.name, str(path), len(content)


def _lint(project: Path) -> tuple[str, list[dict[str, Any]], dict[str, Any]]:
    """The report as text, the findings about secrets, and all of it."""
    stdout, stderr = io.StringIO(), io.StringIO()
    environ = {"PATH": os.environ["PATH"], "HOME": "/", "HULLMARK_HADOLINT": "never"}
    main(["-C", str(project), "lint", "--format", "json"], stdout=stdout, stderr=stderr, environ=environ)
    report = json.loads(stdout.getvalue())
    rules = {"secret-in-context", "committed-secret"}
    return stdout.getvalue(), [each for each in report["findings"] if each["rule"] in rules], report


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "compose.yml").write_text(
        "services:\n  web:\n    build: .\n    env_file: [config/web.env, {path: other.env, required: false}]\n",
        encoding="utf-8",
    )
    (tmp_path / "config").mkdir()
    (tmp_path / "config/web.env").write_text("MODE=fast\n", encoding="utf-8")
    (tmp_path / "Dockerfile").write_text("FROM debian:12\n", encoding="utf-8")
    return tmp_path


def _git(project: Path, *arguments: str) -> None:
    environ = {"PATH": os.environ["PATH"], "HOME": str(project), "GIT_CONFIG_NOSYSTEM": "1"}
    subprocess.run(["git", *arguments], cwd=project, env=environ, check=True, capture_output=True)


def test_a_secret_is_found_wherever_it_lies_in_files_of_any_size(
    tmp_path: Path, chance: random.Random
) -> None:
    secrets = [planted("github-token", chance).text for _ in range(4)]
    filler = b"# nothing of interest\n" * 150_000
    files = [
        _file(tmp_path / "a", secrets[0].encode()),
        _file(tmp_path / "b", filler + f"x = '{secrets[1]}'\n".encode() + filler),
        _file(tmp_path / "c", b"\0" * (1 << 20) + b"\n" + secrets[2].encode()),
        _file(tmp_path / "d", f"\n\n{secrets[3]}\n".encode()),
    ]
    found = look_into(files)
    assert [(each.path, each.line) for each in found.secrets] == [
        ("a", 1),
        ("b", 150_001),
        ("c", 2),
        ("d", 3),
    ]
    assert found.unread == 0
    assert not any(secret in repr(found) for secret in secrets)


def test_what_is_little_is_found_as_what_is_much(tmp_path: Path, chance: random.Random) -> None:
    formats = ["gitlab-token", "github-token", "gitlab-deploy-token"]
    text = "".join(f"{planted(each, chance).text}\n" for each in formats).encode()
    little = look_into([_file(tmp_path / "one", text)])
    much = look_into([_file(tmp_path / "one", text), _file(tmp_path / "two", b"-" * 1_000_000)])
    assert [each.likeness.format for each in little.secrets] == formats
    assert little.secrets == much.secrets


def test_a_secret_is_not_put_together_of_two_files(tmp_path: Path, chance: random.Random) -> None:
    secret = planted("github-token", chance).text.encode()
    assert not look_into([_file(tmp_path / "a", secret[:9]), _file(tmp_path / "b", secret[9:])]).secrets


def test_the_largest_files_beyond_the_limit_are_counted(tmp_path: Path, chance: random.Random) -> None:
    secret = planted("github-token", chance).text.encode()
    found = look_into([_file(tmp_path / "a", secret), _file(tmp_path / "b", b"-" * 2000)], most=1000)
    assert [each.path for each in found.secrets] == ["a"]
    assert (found.unread, found.unread_bytes) == (1, 2000)


def test_what_cannot_be_read_is_counted_and_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    files = [(name, str(tmp_path / name), 5) for name in ("gone", "link", "pipe")]
    assert look_into(files).unread == 3


def test_lint_finds_what_a_build_takes_and_shows_no_secret(project: Path, chance: random.Random) -> None:
    secret = planted("gitlab-token", chance).text
    (project / "settings.json").write_text(f'{{\n"token": "{secret}"\n}}\n', encoding="utf-8")
    assert not _lint(project)[1]
    (project / "Dockerfile").write_text(DOCKERFILE, encoding="utf-8")
    text, (found,), _ = _lint(project)
    assert secret not in text
    assert found["severity"] == "error"
    assert found["location"]["line"] == 2
    assert "takes `settings.json`; line 2 has" in found["seen"]


def test_a_secret_that_is_allowed_by_hash_is_none(project: Path, chance: random.Random) -> None:
    secret = planted("gitlab-token", chance).text
    (project / "settings.json").write_text(f'"{secret}"\n', encoding="utf-8")
    (project / "Dockerfile").write_text(DOCKERFILE, encoding="utf-8")
    (found,) = _lint(project)[1]
    hashed = found["seen"].rpartition("(")[2].rstrip(")")
    (project / "hullmark.toml").write_text(f'[secrets]\nallow = ["{hashed}"]\n', encoding="utf-8")
    assert not _lint(project)[1]


def test_environment_files_count_only_where_git_tracks_them(project: Path, chance: random.Random) -> None:
    secret = planted("gitlab-token", chance).text
    (project / ".env").write_text(
        "# ours\n\nexport DB_PASSWORD='correct horse'\nVERSION=1\n", encoding="utf-8"
    )
    (project / "config/web.env").write_text(f"MODE=fast\nDEPLOY={secret}  # theirs\n", encoding="utf-8")
    assert not _lint(project)[1]
    _git(project, "init", "-q")
    (project / ".gitignore").write_text(".env\n", encoding="utf-8")
    _git(project, "add", "config/web.env", ".gitignore")
    _, found, _ = _lint(project)
    assert [(each["location"]["path"], each["location"]["line"]) for each in found] == [("config/web.env", 2)]
    _git(project, "add", "-f", ".env")
    text, found, _ = _lint(project)
    places = [(each["location"]["path"], each["location"]["line"]) for each in found]
    assert places == [(".env", 3), ("config/web.env", 2)]
    assert secret not in text
    assert "correct horse" not in text


@pytest.mark.parametrize(
    ("name", "line"),
    [
        (".env", "DB_PASSWORD=changeme"),
        (".env", "DB_PASSWORD=${FROM_OUTSIDE}"),
        (".env", "DB_PASSWORD="),
        (".env", "# DB_PASSWORD=correcthorse"),
        (".env.test", "DB_PASSWORD=correcthorse"),
    ],
)
def test_what_is_no_secret_of_anybody_may_be_committed(project: Path, name: str, line: str) -> None:
    (project / name).write_text(f"{line}\n", encoding="utf-8")
    (project / "hullmark.toml").write_text(f'[project]\nenv-file = "{name}"\n', encoding="utf-8")
    _git(project, "init", "-q")
    _git(project, "add", ".")
    assert not _lint(project)[1]
