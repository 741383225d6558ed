"""hadolint beside our own rules: the real program, bent answers, and what is said once."""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hullmark._dockerfile import parse, review
from hullmark._linters.hadolint import Hadolint, NoHadolint
from hullmark._linters.known import EQUIVALENT, EXPLAINED, silenced
from hullmark.errors import CommandFailed, Unavailable
from hullmark.model.finding import Severity
from hullmark.model.location import SourceSpan
from hullmark.rules import catalogue
from hullmark.testing import ScriptedCommands

if TYPE_CHECKING:
    from hullmark._process import Commands
    from hullmark.model.finding import Finding

PROGRAM = str(Path(sys.executable).with_name("hadolint"))
VERSION = ("hadolint", "--version")
done = ScriptedCommands.completed


def _write(root: Path, text: str, name: str = "Dockerfile") -> str:
    (root / name).write_text(text, encoding="utf-8")
    return name


def _found(root: Path, commands: Commands, text: str) -> list[tuple[str, int, str]]:
    found = Hadolint(commands, root).lint(PROGRAM, [_write(root, text)])
    return [
        (f.rule, f.location.line, str(f.severity))
        for f in found["Dockerfile"]
        if isinstance(f.location, SourceSpan)
    ]


def test_it_is_found_beside_the_python_that_runs_this(tmp_path: Path, commands: Commands) -> None:
    program = Hadolint(commands, tmp_path).probe()
    assert program in {"hadolint", PROGRAM}


def test_its_findings_and_those_of_shellcheck_keep_their_ids(tmp_path: Path, commands: Commands) -> None:
    assert _found(tmp_path, commands, "FROM debian:12\nRUN cd /x && ls $A\n") == [
        ("DL3003", 2, "warning"),
        ("SC2086", 2, "note"),
    ]


def test_its_own_comments_and_its_own_configuration_count(tmp_path: Path, commands: Commands) -> None:
    text = "FROM debian:12\n# hadolint ignore=DL3003\nRUN cd /x && ls $A\n"
    assert _found(tmp_path, commands, text) == [("SC2086", 3, "note")]
    _write(tmp_path, "ignored: [SC2086]\n", ".hadolint.yaml")
    assert _found(tmp_path, commands, text) == []


def test_a_file_that_only_it_cannot_read_is_a_note_that_says_so(tmp_path: Path, commands: Commands) -> None:
    text = "FROM debian:12\nRUN <<E\necho hi\nE\nCOPY a b\n"
    parse(text, "Dockerfile")
    other = _write(tmp_path, "FROM debian:12\nRUN cd /x && ls\n", "other.Dockerfile")
    found = Hadolint(commands, tmp_path).lint(PROGRAM, [_write(tmp_path, text), other])
    (unreadable,) = found["Dockerfile"]
    assert unreadable.severity is Severity.NOTE
    assert "its rules were not applied" in unreadable.seen
    assert [f.rule for f in found[other]] == ["DL3003"]


def test_names_of_files_are_never_options(tmp_path: Path, commands: Commands) -> None:
    name = _write(tmp_path, "FROM debian:12\nRUN cd /x && ls\n", "--version")
    assert [f.rule for f in Hadolint(commands, tmp_path).lint(PROGRAM, [name])[name]] == ["DL3003"]


@pytest.mark.parametrize("answer", ["", "{}", "[{}]", '[{"code": 1}]', "[1]", "not json"])
def test_an_answer_that_is_not_understood_is_not_taken_for_no_findings(tmp_path: Path, answer: str) -> None:
    commands = ScriptedCommands({("hadolint",): done(stdout=answer)})
    with pytest.raises(Unavailable, match="not the JSON that was expected"):
        Hadolint(commands, tmp_path).lint("hadolint", ["Dockerfile"])


def test_a_file_that_was_not_asked_about_is_not_believed(tmp_path: Path) -> None:
    answer = json.dumps(
        [{"code": "DL1", "column": 1, "file": "x", "level": "info", "line": 1, "message": "m"}]
    )
    with pytest.raises(Unavailable, match="speaks of `x`"):
        Hadolint(ScriptedCommands({("hadolint",): done(stdout=answer)}), tmp_path).lint("hadolint", ["y"])


def test_a_program_that_fails_is_told(tmp_path: Path) -> None:
    commands = ScriptedCommands({("hadolint",): done(returncode=1, stderr="it does not run")})
    with pytest.raises(CommandFailed, match="it does not run"):
        Hadolint(commands, tmp_path).lint("hadolint", ["Dockerfile"])


def test_another_program_of_that_name_is_not_used(tmp_path: Path) -> None:
    program = Hadolint(ScriptedCommands({VERSION: done(stdout="hado 1.0")}), tmp_path).probe()
    assert isinstance(program, NoHadolint)


# --- beside our own rules ----------------------------------------------------------------------------------------------


def _reviewed(root: Path, commands: Commands, text: str) -> dict[str, tuple[str, ...]]:
    dockerfile = parse(text, "Dockerfile")
    others: tuple[Finding, ...] = Hadolint(commands, root).lint(PROGRAM, [_write(root, text)])["Dockerfile"]
    others = tuple(f for f in others if silenced(f, dockerfile.recipe()) is None)
    found = review(dockerfile, service="web", others=others, equivalent=EQUIVALENT).findings
    assert all(f.service == "web" for f in found)
    return {f.rule: f.aliases for f in found}


def test_what_both_find_is_said_once_with_both_names(tmp_path: Path, commands: Commands) -> None:
    text = "FROM debian:12\nRUN apt-get update && \\\n    apt-get install -y curl=1\nRUN pip install a==1\n"
    found = _reviewed(tmp_path, commands, text)
    assert found["apt-recommends"] == ("DL3015",)
    assert found["apt-lists-left"] == ("DL3009",)
    assert found["pip-cache-kept"] == ("DL3042",)
    assert not {"DL3015", "DL3009", "DL3042"} & set(found)


def test_what_only_it_finds_stays(tmp_path: Path, commands: Commands) -> None:
    assert "DL3003" in _reviewed(tmp_path, commands, "FROM debian:12\nRUN cd /x && ls\n")


@pytest.mark.parametrize("name", ["apt-recommends", "DL3015"])
def test_either_name_is_accepted_in_our_comments(tmp_path: Path, commands: Commands, name: str) -> None:
    text = f"FROM debian:12\n# hullmark: ignore={name} fonts\nRUN apt-get update && apt-get install -y a=1\n"
    found = _reviewed(tmp_path, commands, text)
    assert not {"apt-recommends", "DL3015"} & set(found)


def test_a_squash_is_taken_for_one(tmp_path: Path, commands: Commands) -> None:
    squash = "FROM debian:12 AS build\nFROM scratch\nCOPY --from=build / /\n"
    assert "DL3067" not in _reviewed(tmp_path, commands, squash)
    assert "DL3067" in {rule for rule, _, _ in _found(tmp_path, commands, squash)}


def test_a_whole_copy_that_is_no_squash_is_still_found(tmp_path: Path, commands: Commands) -> None:
    text = "FROM debian:12 AS build\nFROM debian:12\nCOPY --from=build / /\n"
    if "DL3067" in {rule for rule, _, _ in _found(tmp_path, commands, text)}:
        assert "DL3067" in _reviewed(tmp_path, commands, text)


def test_the_equivalents_are_rules_of_ours_and_what_is_explained_is_one_of_its() -> None:
    assert set(EQUIVALENT.values()) <= {rule.id for rule in catalogue()}
    assert all(code.startswith("DL") for code in EXPLAINED)


# --- in a project ------------------------------------------------------------------------------------------------------


@pytest.fixture
def project(tmp_path: Path) -> Path:
    _write(tmp_path, "services:\n  web:\n    build: .\n    mem_limit: 64m\n", "compose.yml")
    _write(
        tmp_path,
        f"FROM debian:12@sha256:{'0' * 64}\nARG VERSION=1\nLABEL org.opencontainers.image.version=${{VERSION}}\nRUN cd /x && ls\n"
        'HEALTHCHECK --timeout=5s CMD ["true"]\n',
    )
    return tmp_path


def _run(project: Path, *options: str, **environ: str) -> tuple[int, str]:
    import io
    import os

    from hullmark._cli import main

    stdout = io.StringIO()
    path = os.environ["PATH"] if "PATH" not in environ else environ.pop("PATH")
    code = main(
        ["-C", str(project), "-q", "lint", *options],
        stdout=stdout,
        stderr=io.StringIO(),
        environ={"PATH": path, "HOME": "/", **environ},
    )
    return code, stdout.getvalue()


def _lint(project: Path, **environ: str) -> tuple[int, dict[str, Any]]:
    code, text = _run(project, "--format", "json", **environ)
    return code, json.loads(text)


def _rules(report: dict[str, Any]) -> list[str]:
    return [finding["rule"] for finding in report["findings"]]


def test_where_it_is_installed_it_runs_and_where_it_is_not_wanted_it_does_not(project: Path) -> None:
    assert _rules(_lint(project)[1]) == ["DL3003"]
    assert _rules(_lint(project, HULLMARK_HADOLINT="never")[1]) == []


def test_where_it_must_run_and_does_not_nothing_passes(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    docker = shutil.which("docker")
    assert docker is not None
    (project / "bin").mkdir()
    (project / "bin" / "docker").symlink_to(docker)
    monkeypatch.setattr(sys, "executable", str(project / "bin" / "python"))
    code, report = _lint(project, HULLMARK_HADOLINT="always", PATH=str(project / "bin"))
    assert code == 3
    assert [outcome["status"] for outcome in report["outcomes"]] == ["broken"]
    code, report = _lint(project, HULLMARK_HADOLINT="auto", PATH=str(project / "bin"))
    assert (code, _rules(report)) == (0, [])


def test_its_findings_are_ignored_by_their_id(project: Path) -> None:
    _write(project, '[[ignore.findings]]\nrule = "DL3003"\nreason = "x"\n', "hullmark.toml")
    code, report = _lint(project)
    assert (code, _rules(report)) == (0, [])


def test_what_it_finds_in_a_file_of_two_services_is_told_once(project: Path) -> None:
    services = "".join(f"  {name}:\n    build: .\n    mem_limit: 64m\n" for name in ("web", "worker"))
    _write(project, f"services:\n{services}", "compose.yml")
    _write(project, (project / "Dockerfile").read_text("utf-8").replace("cd /x && ls", "cd /x; ls $A"))

    def told(*options: str) -> list[tuple[str, str, str]]:
        found = json.loads(_run(project, "--format", "json", *options)[1])["findings"]
        return [(each["rule"], each["service"], each["fingerprint"]) for each in found]

    both, one = told(), told("worker")
    assert [each[:2] for each in both] == [(rule, "web") for rule in sorted({rule for rule, _, _ in both})]
    assert {(rule, name) for rule, _, name in both} == {(rule, name) for rule, _, name in one}
    _write(project, '[[ignore.findings]]\nrule = "SC2086"\nservice = "web"\nreason = "x"\n', "hullmark.toml")
    assert {("DL3003", "web"), ("SC2086", "worker")} <= {each[:2] for each in told()}


def test_what_is_silenced_is_shown_with_the_reason(project: Path) -> None:
    _write(project, "FROM debian:12 AS all\nRUN true\nFROM scratch\nCOPY --from=all / /\n")
    assert "silenced: DL3067 at Dockerfile:4:1  (hullmark explain DL3067)" in _run(project)[1]
    (shown,) = _lint(project)[1]["suppressed"]
    assert (shown["rule"], shown["service"]) == ("DL3067", "web")
    assert shown["seen"].endswith("silenced: stage 1 squashes stage all, which is meant")


def test_a_squash_is_meant_whichever_stage_a_service_builds(tmp_path: Path, commands: Commands) -> None:
    text = (
        "FROM debian:12 AS all\nFROM scratch AS middle\nCOPY --from=all / /\nFROM middle AS last\nUSER 1\n"
        "FROM debian:12 AS other\nCOPY --from=all / /\n"
    )
    theirs = Hadolint(commands, tmp_path).lint(PROGRAM, [_write(tmp_path, text)])["Dockerfile"]
    whole = [each for each in theirs if each.rule == "DL3067"]
    for target in ("all", "last", "other"):
        meant = [silenced(each, parse(text, "Dockerfile").recipe(target)) is not None for each in whole]
        assert meant == [True, False], target


def test_root_and_secrets_are_said_once(tmp_path: Path, commands: Commands) -> None:
    text = "FROM debian:12\nARG API_TOKEN\nUSER root\n"
    theirs = Hadolint(commands, tmp_path).lint(PROGRAM, [_write(tmp_path, text)])["Dockerfile"]
    assert {"DL3002", "DL3064"} <= {each.rule for each in theirs}
    found = review(parse(text, "Dockerfile"), others=theirs, non_root=True, equivalent=EQUIVALENT).findings
    names = {each.rule: each.aliases for each in found}
    assert names["secret-in-build-argument"] == ("DL3064",)
    assert names["root-in-final-stage"] == ("DL3002",)


def test_the_page_about_linting_names_every_rule_that_two_linters_look_for() -> None:
    page = (Path(__file__).parents[2] / "docs/lint.md").read_text("utf-8")
    named = dict(re.findall(r"^\| (DL\d+) \| \[[\w-]+\]\(rules/([\w-]+)\.md\) \|$", page, re.MULTILINE))
    assert named == EQUIVALENT
