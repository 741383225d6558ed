"""`hullmark check --record` and `hullmark history`, as they are called."""

from __future__ import annotations

import io
import json
import os
import subprocess
from typing import TYPE_CHECKING

import pytest
from tests.history.conftest import MB, record

from hullmark._cli import main
from hullmark._history.checkout import checkout_of
from hullmark._history.place import Place
from hullmark._history.store import History
from hullmark.model.history import Checkout

if TYPE_CHECKING:
    from pathlib import Path

    from hullmark._process import Commands

CLEAN = """\
FROM debian:12@sha256:0000000000000000000000000000000000000000000000000000000000000000
ARG VERSION=1
LABEL org.opencontainers.image.version=${VERSION}
HEALTHCHECK --timeout=5s CMD ["true"]
"""
NOT_BUILT = tuple(f"--skip={check}" for check in ("build", "validate", "smoke", "secrets", "scan"))


def _git(directory: Path, *arguments: str) -> str:
    done = subprocess.run(
        ("git", "-c", "user.name=a", "-c", "user.email=a@example.com", *arguments),
        cwd=directory, check=True, capture_output=True, text=True,
    )  # fmt: skip
    return done.stdout.strip()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project in a repository, about which there is nothing to say."""
    root = tmp_path / "shop"
    root.mkdir()
    (root / "compose.yml").write_text(
        "name: shop\nservices:\n  web:\n    build: .\n    mem_limit: 64m\n", encoding="utf-8"
    )
    (root / "Dockerfile").write_text(CLEAN, encoding="utf-8")
    _git(root, "init", "-q", "-b", "main")
    _git(root, "add", ".")
    _git(root, "commit", "-q", "-m", "one")
    return root


def _call(project: Path, *arguments: str, **environ: str) -> tuple[int, str, str]:
    stdout, stderr = io.StringIO(), io.StringIO()
    given = {"PATH": os.environ["PATH"], "HOME": str(project.parent), "HULLMARK_HADOLINT": "never", **environ}
    code = main(["-C", str(project), *arguments], stdout=stdout, stderr=stderr, environ=given)
    return code, stdout.getvalue(), stderr.getvalue()


def test_a_check_is_recorded_with_its_commit_and_shown(project: Path) -> None:
    code, text, _ = _call(project, "history")
    assert (code, text) == (0, "nothing is recorded yet; `hullmark check --record` does it\n")
    code, _, said = _call(project, "check", *NOT_BUILT, "--record", "--format=json")
    assert code == 0, said
    (project / "Dockerfile").write_text(CLEAN.replace("HEALTHCHECK", "# HEALTHCHECK"), encoding="utf-8")
    assert _call(project, "check", *NOT_BUILT, "--record", "--format=json")[0] == 1
    code, text, _ = _call(project, "history", "web", "--format=json")
    assert code == 0
    (service,) = json.loads(text)["services"]
    head = _git(project, "rev-parse", "HEAD")
    assert [
        (each["commit"], each["branch"], each["dirty"], each["findings"], each["vulnerabilities"])
        for each in service["records"]
    ] == [
        (head, "main", False, {"error": 0, "warning": 0, "note": 0}, None),
        (head, "main", True, {"error": 1, "warning": 0, "note": 0}, None),
    ]
    assert service["records"][0]["size"]["unpacked"] is None
    assert service["records"][0]["checks"] == {"lint": {"error": 0, "warning": 0, "note": 0}}
    (file,) = (project.parent / ".local/share/hullmark/history").iterdir()
    assert file.name.startswith("shop-")
    code, _, said = _call(project, "history", "wep")
    assert (code, "did you mean `web`?" in said) == (2, True)


@pytest.mark.parametrize(("dockerfile", "expected"), [(CLEAN, 3), ("FROM debian\n", 1)])
def test_a_recording_that_fails_leaves_the_report_whole(
    project: Path, dockerfile: str, expected: int
) -> None:
    (project / "Dockerfile").write_text(dockerfile, encoding="utf-8")
    (project / "kept").write_bytes(b"no database at all\n" * 100)
    code, text, said = _call(
        project, "-q", "check", *NOT_BUILT, "--record", "--format=json", "--report=html=page.html",
        HULLMARK_HISTORY_URL="sqlite:kept",
    )  # fmt: skip
    assert code == expected
    assert json.loads(text)["verdict"]["exit_code"] == (0 if expected == 3 else 1)
    assert (project / "page.html").exists()
    assert f"error: the history at {project / 'kept'} cannot be used: file is not a database" in said


def test_a_page_is_written_without_a_word_where_there_is_no_history(project: Path) -> None:
    code, _, said = _call(project, "-q", "check", *NOT_BUILT, "--report=html=page.html")
    assert (code, said) == (0, "")
    assert "History" not in (project / "page.html").read_text("utf-8")
    assert not (project.parent / ".local").exists()


def test_a_password_is_refused_where_others_read_it(project: Path) -> None:
    (project / "hullmark.toml").write_text(
        '[history]\nurl = "postgresql://u:hunter2@127.0.0.1:1/d"\n', encoding="utf-8"
    )
    code, _, said = _call(project, "history")
    assert code == 2
    assert "hullmark.toml:2:1: a password must not stand there" in said
    assert "HULLMARK_HISTORY_PASSWORD" in said
    (project / "hullmark.toml").unlink()
    code, _, told = _call(project, "history", HULLMARK_HISTORY_URL="postgresql://u:hunter2@127.0.0.1:1/d")
    assert code == 3
    assert "the history at postgresql://u@127.0.0.1:1/d cannot be used: " in told
    assert "hunter2" not in said + told


def test_where_nothing_looked_nothing_is_counted(project: Path) -> None:
    assert _call(project, "check", *NOT_BUILT, "--record")[0] == 0
    _git(project, "commit", "-q", "--allow-empty", "-m", "two")
    _call(project, "check", *NOT_BUILT, "--skip=lint", "--record")
    (service,) = json.loads(_call(project, "history", "--format=json")[1])["services"]
    assert [(each["checks"], each["findings"]) for each in service["records"]] == [
        ({"lint": {"error": 0, "warning": 0, "note": 0}}, {"error": 0, "warning": 0, "note": 0}),
        ({}, None),
    ]
    assert "  findings: of lint\n" in _call(project, "history")[1]


def test_what_is_not_installed_is_told_before_anything_starts(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hullmark._history.place.find_spec", lambda name: None)  # noqa: ARG005  # given by position
    code, stdout, said = _call(project, "check", *NOT_BUILT, "--record")
    assert (code, stdout) == (3, "")
    assert "a history needs SQLAlchemy" in said


def test_an_address_that_is_wrong_is_told_as_such(project: Path) -> None:
    code, _, said = _call(project, "history", HULLMARK_HISTORY_URL="sqlite:/nonexistent/x.db")
    assert code == 3
    assert "there is no directory /nonexistent" in said
    code, _, said = _call(project, "history", HULLMARK_HISTORY_URL="sqlite:compose.yml")
    assert code == 3
    assert "move the file away" not in said
    assert "HULLMARK_HISTORY_URL, says where it is" in said


def test_a_branch_of_which_there_is_no_record_is_told_with_those_there_are(project: Path) -> None:
    assert _call(project, "check", *NOT_BUILT, "--record")[0] == 0
    code, _, said = _call(project, "history", "--branch=zzz")
    assert code == 2
    assert "nothing is recorded of the branch `zzz`; there are records of main" in said
    (project / "hullmark.toml").write_text('[history]\nbranch = "zzz"\n', encoding="utf-8")
    code, text, _ = _call(project, "history")
    assert (code, text) == (0, "nothing is recorded of the branch `zzz`; there are records of main\n")


def test_slow_growth_fails_where_it_is_asked_about(project: Path) -> None:
    def judged(*arguments: str) -> int:
        return _call(
            project, "history", "--fail-on-trend", *arguments, HULLMARK_HISTORY_URL="sqlite:kept.db"
        )[0]

    history = History(Place(project="shop", file=project / "kept.db"))
    assert judged() == 4
    history.add(tuple(record(at, unpacked=(400 + 2 * at) * MB) for at in range(15)))
    history.add(tuple(record(20 + at, branch="topic") for at in range(15)))
    assert judged("--branch", "main") == 1
    assert judged("--branch", "main", "--trend", "8 %") == 0
    assert judged("--branch", "main", "--last", "6") == 0
    assert judged("--branch", "topic") == 0


def test_a_commit_without_a_branch_is_of_the_one_that_the_ci_system_names(
    project: Path, commands: Commands
) -> None:
    head = _git(project, "rev-parse", "HEAD")
    ci = {"GITHUB_HEAD_REF": "topic", "GITHUB_REF_NAME": "7/merge"}
    assert checkout_of(project, commands, ci) == Checkout(commit=head, branch="main")
    _git(project, "checkout", "-q", "--detach")
    assert checkout_of(project, commands, ci) == Checkout(commit=head, branch="topic")
    (project / "report.json").write_text("{}", encoding="utf-8")
    assert checkout_of(project, commands, {}) == Checkout(commit=head)
    assert checkout_of(project.parent, commands, ci) == Checkout()
