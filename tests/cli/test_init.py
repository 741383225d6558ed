"""`hullmark init` in projects without an engine."""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING

import pytest

from hullmark._cli import main
from hullmark._settings import load_settings

if TYPE_CHECKING:
    from pathlib import Path

COMPOSE = "services:\n  web:\n    build: .\n    ports: ['8080:80']\n    depends_on: [db]\n  db:\n    image: postgres:17\n    ports: ['5432:5432']\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "compose.yml").write_text(COMPOSE, encoding="utf-8")
    (tmp_path / "Dockerfile").write_text(
        "FROM debian:12\nEXPOSE 80\nUSER app\nHEALTHCHECK CMD curl http://localhost:80/up\n", encoding="utf-8"
    )
    return tmp_path


def _init(project: Path, *arguments: str, loud: bool = False) -> tuple[int, str, str]:
    stdout, stderr = io.StringIO(), io.StringIO()
    environ = {"PATH": os.environ["PATH"], "HOME": "/", "DOCKER_HOST": "unix:///nonexistent/docker.sock"}
    quiet = () if loud else ("-q",)
    code = main(
        ["-C", str(project), *quiet, "init", *arguments], stdout=stdout, stderr=stderr, environ=environ
    )
    return code, stdout.getvalue(), stderr.getvalue()


def test_without_an_engine_everything_but_budgets_is_written(project: Path) -> None:
    code, stdout, stderr = _init(project)
    assert (code, stdout) == (0, "")
    assert "next: `hullmark check`" in stderr
    settings = load_settings(project, {})
    assert [name for name, _ in settings.services] == ["db", "web"]
    assert [str(probe) for probe in settings.service("web").probes] == ["GET /up at port 80"]
    assert [str(link) for link in settings.links] == ["web -> tcp://db:5432"]
    assert "# budget = " in (project / "hullmark.toml").read_text("utf-8")


def test_a_file_that_is_there_is_compared_and_kept(project: Path) -> None:
    (project / "hullmark.toml").write_text("# mine\n", encoding="utf-8")
    code, stdout, stderr = _init(project)
    assert code == 1
    assert "-# mine" in stdout
    assert "--force" in stderr
    assert (project / "hullmark.toml").read_text("utf-8") == "# mine\n"
    assert _init(project, "--force")[0] == 0
    code, stdout, stderr = _init(project)
    assert (code, stdout) == (0, "")
    assert "is as it would be written" in stderr


def test_a_file_that_is_there_and_broken_is_no_obstacle(project: Path) -> None:
    (project / "hullmark.toml").write_bytes(b"[\xff")
    assert _init(project, "--force")[0] == 0
    load_settings(project, {})


def test_a_test_stack_is_what_is_promised(project: Path) -> None:
    (project / "compose.test.yml").write_text(
        "services: {web: {ports: !override ['18080:80']}}\n", encoding="utf-8"
    )
    (project / ".env.test").touch()
    assert _init(project)[0] == 0
    settings = load_settings(project, {})
    assert (settings.compose, settings.env_file) == (("compose.yml", "compose.test.yml"), ".env.test")


def test_the_named_compose_file_is_written_down(project: Path) -> None:
    (project / "compose.yml").rename(project / "other.yml")
    assert _init(project, "-f", "other.yml")[0] == 0
    assert load_settings(project, {}).compose == ("other.yml",)


def test_the_test_stack_that_is_taken_is_named_and_what_compose_warns_of_is_passed_on(project: Path) -> None:
    (project / "compose.test.yml").write_text(
        "services:\n  web:\n    environment:\n      MODE: ${UNSET_MODE}\n", encoding="utf-8"
    )
    code, _, stderr = _init(project, loud=True)
    assert code == 0
    assert stderr.splitlines()[0] == "looking at 2 services and the images that they have"
    assert stderr.count("UNSET_MODE") == 1
    assert "compose.test.yml is there, so that the test stack is what hullmark.toml is about" in stderr
    written = (project / "hullmark.toml").read_text("utf-8")
    assert "[project]\n# compose.test.yml makes the test stack" in written
    assert load_settings(project, {}).compose


def test_a_table_of_pyproject_is_configuration_that_is_there(project: Path) -> None:
    own = '[project]\nname = "x"\n\n[tool.hullmark.policy]\nfail-on = "note"\n\n[tool.other]\na = 1\n'
    (project / "pyproject.toml").write_text(own, encoding="utf-8")
    code, stdout, stderr = _init(project)
    assert code == 1
    assert '-fail-on = "note"\n' in stdout
    assert "[policy]" in stdout
    assert "-a = 1" not in stdout
    assert "[tool.hullmark] of pyproject.toml is there already" in stderr
    assert not (project / "hullmark.toml").exists()
    code, _, stderr = _init(project, "--force", loud=True)
    assert code == 0
    assert "does not count any more" in stderr
    assert (project / "pyproject.toml").read_text("utf-8") == own
