"""How a call ends: exit codes, streams, and what a person is told when something is in the way."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import click
import pytest

from hullmark._cli import main
from hullmark._cli.app import COMMANDS, app
from hullmark._cli.progress import Lines, Live
from hullmark._cli.session import Session
from hullmark.model.outcome import Check

if TYPE_CHECKING:
    import threading
    from pathlib import Path

DOCKERFILE = 'FROM debian:bookworm-slim\nLABEL org.opencontainers.image.version=1\nHEALTHCHECK --timeout=5s CMD ["true"]\n'


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project of one clean service."""
    (tmp_path / "compose.yml").write_text("name: small\nservices:\n  web:\n    build: .\n", encoding="utf-8")
    (tmp_path / "Dockerfile").write_text(DOCKERFILE, encoding="utf-8")
    return tmp_path


def _call(*arguments: str, **environ: str) -> tuple[int, str, str]:
    stdout, stderr = io.StringIO(), io.StringIO()
    given = {
        "PATH": os.environ["PATH"],
        "HOME": os.environ.get("HOME", "/"),
        "HULLMARK_HADOLINT": "never",
        **environ,
    }
    return main(arguments, stdout=stdout, stderr=stderr, environ=given), stdout.getvalue(), stderr.getvalue()


@pytest.mark.parametrize("command", ["build", "validate", "smoke", "check"])
def test_without_an_engine_nothing_passes(project: Path, command: str) -> None:
    code, stdout, stderr = _call("-C", str(project), command, DOCKER_HOST="unix:///nonexistent/docker.sock")
    assert code == 3
    assert "no Docker engine answers at" in stdout
    assert "Traceback" not in stderr
    assert "clean (" not in stdout


def test_lint_needs_no_engine(project: Path) -> None:
    code, _, _ = _call("-C", str(project), "lint", DOCKER_HOST="unix:///nonexistent/docker.sock")
    assert code == 0


@pytest.mark.parametrize(
    ("scanner", "remedy"),
    [("embedded", "hullmark db update"), ("trivy", "install Trivy"), ("all", "install Grype")],
)
def test_a_scan_that_was_asked_for_and_could_not_be_made_is_not_clean(
    project: Path, tmp_path: Path, scanner: str, remedy: str
) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "docker").symlink_to(_which("docker"))
    cache = str(tmp_path / "cache")
    argv = ("-C", str(project), "scan", "--scanner", scanner)
    code, stdout, _ = _call(*argv, PATH=str(programs), HULLMARK_CACHE_DIR=cache)
    assert code == 3
    assert remedy in " ".join(stdout.split())


def _which(program: str) -> str:
    import shutil

    found = shutil.which(program)
    assert found
    return found


def test_without_docker_it_says_what_to_install(project: Path, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    code, _, stderr = _call("-C", str(project), "lint", PATH=str(tmp_path / "bin"))
    assert code == 3
    assert "`docker` is not on PATH" in stderr
    assert "help: " in stderr


def test_the_json_report_is_all_there_is_on_standard_output(project: Path) -> None:
    code, stdout, stderr = _call("-C", str(project), "lint", "--format", "json")
    assert code == 0
    assert json.loads(stdout)["schema"] == "hullmark/report/1"
    assert "lint" in stderr


def test_quiet_says_nothing_but_the_report(project: Path) -> None:
    assert _call("-q", "-C", str(project), "lint")[2] == ""


@pytest.mark.parametrize("format_", ["text", "json"])
def test_the_exit_code_does_not_depend_on_the_format(project: Path, format_: str) -> None:
    (project / "Dockerfile").write_text("FROM debian:bookworm-slim\n", encoding="utf-8")
    assert _call("-C", str(project), "lint", "--format", format_)[0] == 1


def test_reports_are_written_to_files_as_well(project: Path) -> None:
    code, stdout, _ = _call(
        "-C", str(project), "lint", "--report", "json=out/r.json", "--report", "text=out/r.txt"
    )
    assert code == 0
    assert json.loads((project / "out/r.json").read_text(encoding="utf-8"))["verdict"]["exit_code"] == 0
    assert (project / "out/r.txt").read_text(encoding="utf-8") == stdout


@pytest.mark.parametrize(
    ("reports", "said"),
    [
        (["json=Dockerfile/r.json"], "the report cannot be written to Dockerfile/r.json: "),
        (["json=."], "it is a directory"),
        (["json=r", "html=./r"], "two reports, json and html, are to be written to r"),
        (["sarif=-"], "`--format sarif` writes it to standard output"),
    ],
)
def test_a_report_that_cannot_be_written_is_told_before_anything_starts(
    project: Path, reports: list[str], said: str
) -> None:
    code, stdout, stderr = _call("-C", str(project), "lint", *(f"--report={each}" for each in reports))
    assert (code, stdout) == (2, "")
    assert said in stderr
    assert (project / "Dockerfile").read_text(encoding="utf-8") == DOCKERFILE


@pytest.mark.parametrize(("dockerfile", "expected"), [(DOCKERFILE, 3), ("FROM debian:bookworm-slim\n", 1)])
def test_findings_weigh_more_than_a_report_that_is_not_written(
    project: Path, dockerfile: str, expected: int
) -> None:
    (project / "Dockerfile").write_text(dockerfile, encoding="utf-8")
    code, stdout, stderr = _call(
        "-C", str(project), "lint", "--report=json=/dev/full", "--report=text=written.txt"
    )
    assert code == expected
    assert "verdict: " in stdout
    assert "the report cannot be written to /dev/full" in stderr
    assert (project / "written.txt").read_text(encoding="utf-8") == stdout


def test_a_compose_file_makes_a_project_and_is_looked_for_where_the_caller_is(project: Path) -> None:
    (project / "compose.yml").rename(project / "other.yml")
    (project / "deep").mkdir()
    assert _call("-C", str(project), "lint")[0] == 2
    assert _call("-C", str(project), "lint", "-f", "other.yml")[0] == 0
    assert _call("-C", str(project / "deep"), "lint", "-f", "../other.yml")[0] == 0
    code, _, stderr = _call("-C", str(project / "deep"), "lint", "-f", "other.yml")
    assert code == 2
    assert "deep/other.yml" in stderr


def test_an_empty_name_of_a_file_is_refused(project: Path) -> None:
    code, _, stderr = _call("-C", str(project), "lint", "-f", "")
    assert code == 2
    assert "must not be empty" in stderr


@pytest.mark.parametrize(
    "environ", [{"DOCKER_CONTEXT": "not-there"}, {"DOCKER_HOST": "fd://"}, {"DOCKER_TLS_VERIFY": "1"}]
)
def test_an_engine_that_cannot_be_meant_is_no_mistake_of_the_compose_file(
    project: Path, environ: dict[str, str]
) -> None:
    code, _, stderr = _call("-C", str(project), "validate", **environ)
    assert code == 3
    assert "compose.yml" not in stderr


def _shell(script: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    script = script.replace("hullmark", f"{sys.executable} -m hullmark")
    return subprocess.run(["bash", "-c", script], cwd=cwd, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("closed", ["2>&-", ">&- 2>&-", ">&-"])
def test_streams_that_are_closed_change_nothing_of_the_exit_code(project: Path, closed: str) -> None:
    done = _shell(f"hullmark lint {closed}", project)
    assert done.returncode == 0
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["lint", "explain", "--help"])
def test_a_full_standard_output_is_told(project: Path, command: str) -> None:
    done = _shell(
        f"hullmark -q {command} > /dev/full" if command == "lint" else f"hullmark {command} > /dev/full",
        project,
    )
    assert done.returncode == 3
    assert (
        done.stderr.splitlines()[-1] == "error: standard output cannot be written to: No space left on device"
    )
    assert "Traceback" not in done.stderr


def test_a_directory_that_is_gone_is_told(tmp_path: Path) -> None:
    (tmp_path / "gone").mkdir()
    done = _shell("cd gone && rmdir ../gone && PYTHONSAFEPATH=1 hullmark lint", tmp_path)
    assert done.returncode == 2
    assert "the current directory does not exist any more" in done.stderr


def test_what_an_encoding_has_not_got_is_replaced(project: Path) -> None:
    (project / "Dockerfile").write_text(f'{DOCKERFILE}RUN pip install "x·y"\n', encoding="utf-8")
    done = _shell("PYTHONIOENCODING=ascii hullmark -q lint", project)
    assert done.returncode == 0
    assert "x?y" in done.stdout
    done = _shell("PYTHONIOENCODING=ascii PYTHONUTF8=0 hullmark -q lint --format json", project)
    assert "x·y" in done.stdout


def test_a_hang_up_that_is_ignored_from_the_start_stays_so(project: Path) -> None:
    done = _shell("trap '' HUP; hullmark -q lint & sleep 0.1; kill -HUP $!; wait $!", project)
    assert done.returncode == 0


def test_the_command_line_wins_over_the_environment(project: Path) -> None:
    (project / "Dockerfile").write_text(f"{DOCKERFILE}RUN pip install x\n", encoding="utf-8")
    assert _call("-C", str(project), "lint", HULLMARK_FAIL_ON="warning")[0] == 1
    assert _call("-C", str(project), "lint", "--fail-on", "error", HULLMARK_FAIL_ON="warning")[0] == 0


def test_a_wrong_value_in_the_environment_names_the_variable(project: Path) -> None:
    code, _, stderr = _call("-C", str(project), "lint", HULLMARK_FAIL_ON="always")
    assert code == 2
    assert "environment variable HULLMARK_FAIL_ON" in stderr


def test_another_compose_file_can_be_named(project: Path) -> None:
    (project / "other.yml").write_text("services:\n  api:\n    build: .\n", encoding="utf-8")
    _, stdout, _ = _call("-C", str(project), "lint", "-f", "compose.yml", "-f", "other.yml")
    assert {"api", "web"} <= {line.split()[0] for line in stdout.splitlines() if line}


def test_a_label_is_missing_only_where_it_is_asked_for_and_nobody_sets_it(project: Path) -> None:
    (project / "Dockerfile").write_text(DOCKERFILE.replace("LABEL", "#"), encoding="utf-8")
    assert "missing-version-label" in _call("-C", str(project), "lint")[1]
    (project / "hullmark.toml").write_text('[policy]\nlabels = ["com.example.rev"]\n', encoding="utf-8")
    assert "missing-version-label" not in _call("-C", str(project), "lint")[1]
    (project / "hullmark.toml").unlink()
    (project / "compose.yml").write_text(
        "services:\n  web:\n    build:\n      context: .\n"
        "      labels: {org.opencontainers.image.version: '1'}\n",
        encoding="utf-8",
    )
    assert "missing-version-label" not in _call("-C", str(project), "lint")[1]


@pytest.mark.parametrize(
    ("rule", "meant"), [("root-usr", "root-user"), ("squash-loses-healthcheck", "missing-healthcheck")]
)
def test_an_ignore_of_a_rule_that_there_is_not_is_refused(project: Path, rule: str, meant: str) -> None:
    (project / "hullmark.toml").write_text(
        f'[[ignore.findings]]\nrule = "{rule}"\nreason = "x"\n', encoding="utf-8"
    )
    code, _, stderr = _call("-C", str(project), "lint")
    assert code == 2
    assert f"hullmark.toml:1:1: there is no rule `{rule}`; did you mean `{meant}`?" in stderr


MISTAKES = """\
[services.wbe]
budget = "10 MB"
[[links]]
from = "web"
to = "http://wbe:80/"
timeout = "soon"
[[links]]
from = "web"
[[ignore.findings]]
rule = "root-usr"
reason = "x"
[policy]
fail-on = "eror"
"""


def test_every_mistake_of_the_configuration_is_told_at_once(project: Path) -> None:
    (project / "hullmark.toml").write_text(MISTAKES, encoding="utf-8")
    code, _, stderr = _call("-C", str(project), "lint")
    assert code == 2
    told = dict(line.removeprefix("error: ").partition(": ")[::2] for line in stderr.splitlines())
    misspelt = "no service `wbe` in the project; did you mean `web`? (services: web)"
    begins = {
        "hullmark.toml:1:1": misspelt,
        "hullmark.toml:3:1": f"the link leads nowhere: {misspelt}",
        "hullmark.toml:6:1": "`links.timeout`: ",
        "hullmark.toml:7:1": "`links` lacks the required key `to`",
        "hullmark.toml:9:1": "there is no rule `root-usr`; did you mean `root-user`?",
        "hullmark.toml:13:1": "`policy.fail-on`: ",
        "help": "`hullmark explain hullmark.toml` lists every option; `hullmark explain` lists every rule",
    }
    assert list(told) == list(begins)
    assert {place: text[: len(begins[place])] for place, text in told.items()} == begins


@pytest.mark.parametrize("table", ["project", "projct"])
def test_nothing_is_called_unknown_where_the_project_itself_is_misread(project: Path, table: str) -> None:
    text = f'[{table}]\ncompos = ["other.yml"]\n[services.of-the-other]\nbudget = "1 MB"\n'
    (project / "hullmark.toml").write_text(text, encoding="utf-8")
    code, _, stderr = _call("-C", str(project), "lint")
    assert code == 2
    assert "unknown key" in stderr
    assert "no service" not in stderr


def test_mistakes_are_told_where_compose_is_not_there_as_well(project: Path, tmp_path: Path) -> None:
    (project / "hullmark.toml").write_text('[policy]\nfail-on = "eror"\n', encoding="utf-8")
    code, _, stderr = _call("-C", str(project), "lint", PATH=str(tmp_path))
    assert code == 2
    assert "hullmark.toml:2:1: `policy.fail-on`" in stderr


@pytest.mark.parametrize("arguments", [("lint",), ("lint", "--diff"), ("-q", "lint")])
def test_what_compose_warns_of_is_told_once_and_not_when_quiet(
    project: Path, arguments: tuple[str, ...]
) -> None:
    (project / "compose.yml").write_text(
        "name: small\nservices:\n  web:\n    build: .\n    image: ${A_NAME}x:${A_NAME}1\n", encoding="utf-8"
    )
    stderr = _call("-C", str(project), *arguments)[2]
    told = "warning: compose.yml:5:5: the variable `A_NAME` is not set and stands for nothing\n"
    assert stderr.count(told) == stderr.count("A_NAME") == ("-q" not in arguments)


def test_an_option_that_belongs_before_the_command_is_told_so() -> None:
    code, _, stderr = _call("lint", "-q")
    assert code == 2
    assert stderr.endswith("No such option '-q'.\nPut it before the command: `hullmark -q lint`\n")
    assert "before the command" not in _call("lint", "--nothing")[2]


@pytest.mark.parametrize("kind", ["directory", "loop"])
def test_a_dockerfile_that_is_none_is_told_as_what_it_is(project: Path, kind: str) -> None:
    (project / "Dockerfile").unlink()
    if kind == "directory":
        (project / "Dockerfile").mkdir()
    else:
        (project / "Dockerfile").symlink_to("Dockerfile")
    code, _, stderr = _call("-C", str(project), "lint")
    assert code == 2
    assert "does not exist" not in stderr
    assert "Dockerfile: " in stderr


def test_a_project_is_found_from_below(project: Path) -> None:
    (project / "deep" / "down").mkdir(parents=True)
    assert _call("-C", str(project / "deep" / "down"), "lint")[0] == 0


def test_a_run_that_was_cancelled_before_it_began_ends_as_interrupted(
    project: Path, cancelled: threading.Event
) -> None:
    cancelled.set()
    stdout, stderr = io.StringIO(), io.StringIO()
    code = main(
        ["-C", str(project), "lint"], stdout=stdout, stderr=stderr, environ=os.environ, cancelled=cancelled
    )
    assert code == 130
    assert stdout.getvalue() == ""
    assert "interrupted" in stderr.getvalue()


def test_a_defect_is_told_as_one(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("hullmark._cli.checking.run_checks", broken)
    code, _, stderr = _call("-C", str(project), "lint")
    assert code == 3
    assert "ZeroDivisionError" in stderr
    assert "defect of hullmark" in stderr


def test_a_reader_that_has_seen_enough_is_no_error(project: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "hullmark", "explain"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=project,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 128 + signal.SIGPIPE


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_that_says_what_the_list_says(name: str) -> None:
    code, stdout, _ = _call(name, "--help")
    assert code == 0
    command = app.get_command(click.Context(app), name)
    assert command is not None
    assert command.help
    assert stdout.startswith(f"Usage: hullmark {name}")


def test_commands_are_loaded_only_when_they_are_called() -> None:
    code = "import sys, hullmark._cli.app; print(*[m for m in sys.modules if m.startswith('hullmark._cli.')])"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert set(loaded) <= {f"hullmark._cli.{name}" for name in ("affecting", "app", "main", "session")}


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def _session(stderr: io.StringIO, cancelled: threading.Event, **environ: str) -> Session:
    return Session(stdout=io.StringIO(), stderr=stderr, environ=environ, cancelled=cancelled)


def test_progress_is_live_on_a_terminal_and_plain_elsewhere(cancelled: threading.Event) -> None:
    live = _session(_Terminal(), cancelled).progress()
    live.close()
    assert isinstance(live, Live)
    assert isinstance(_session(io.StringIO(), cancelled).progress(), Lines)
    assert isinstance(_session(_Terminal(), cancelled, CI="true").progress(), Lines)
    assert isinstance(_session(_Terminal(), cancelled, TERM="dumb").progress(), Lines)


def test_a_line_of_progress_is_written_once(cancelled: threading.Event) -> None:
    stderr = io.StringIO()
    progress = _session(stderr, cancelled).progress()
    for _ in range(3):
        progress.begin(Check.SMOKE, "web", "waiting to be healthy")
    progress.end(Check.SMOKE, "web", "healthy after 2.0 s", good=True)
    assert stderr.getvalue() == (
        "smoke    web          waiting to be healthy ...\nsmoke    web          healthy after 2.0 s\n"
    )


def test_live_progress_leaves_what_has_ended(cancelled: threading.Event) -> None:
    stderr = _Terminal()
    progress = _session(stderr, cancelled, NO_COLOR="1").progress()
    progress.begin(Check.BUILD, "web", "[2/5] RUN apt-get update")
    progress.end(Check.BUILD, "web", "ok in 2.0 s", good=True)
    progress.close()
    assert "✓ build    web          ok in 2.0 s" in stderr.getvalue()


@pytest.mark.parametrize(
    ("environ", "colour", "expected"),
    [
        ({}, "auto", True),
        ({"NO_COLOR": "1"}, "auto", False),
        ({"NO_COLOR": ""}, "auto", True),
        ({"TERM": "dumb"}, "auto", False),
        ({"NO_COLOR": "1"}, "always", True),
        ({}, "never", False),
    ],
)
def test_colour_follows_the_terminal_the_environment_and_the_option(
    environ: dict[str, str], colour: str, expected: object, cancelled: threading.Event
) -> None:
    session = _session(_Terminal(), cancelled, **environ)
    session.colour = colour
    assert session.coloured(session.stderr) is expected


def test_what_reads_command_lines_is_not_loaded_for_a_plain_question_about_a_change(tmp_path: Path) -> None:
    code = (
        "import io, os, sys; from hullmark._cli import main; "
        "main(['-C', sys.argv[1], 'affected'], stdout=io.StringIO(), stderr=io.StringIO(), environ=os.environ); "
        "print(*{'click', 'msgspec', 'hullmark._ci.examine'} & set(sys.modules))"
    )
    done = subprocess.run(
        (sys.executable, "-c", code, str(tmp_path)), capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.split() == ["hullmark._ci.examine"]
