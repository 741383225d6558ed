"""`hullmark ci github`, `gitlab` and `check`: what is written, and when it has to be written again."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from hullmark._ci import gitlab
from hullmark._ci.keeping import keeping
from hullmark._ci.publishing import publishing
from hullmark._ci.templates import Pipeline
from hullmark.model.project import BaselineSettings
from hullmark.model.release import ReleaseSettings

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.ci_files.conftest import Checkout

ROOT = Path(__file__).resolve().parents[2]
WRITTEN = "".join(
    f".github/workflows/{name}-ship.yml: {{0}}\n" for name in ("build", "build-comment", "baseline")
)


def test_files_are_written_at_the_top_of_the_repository_once(checkout: Checkout) -> None:
    assert checkout.hullmark("ci", "github").stdout == WRITTEN.format("written")
    assert (checkout.top / ".github/workflows/build-ship.yml").is_file()
    assert checkout.hullmark("ci", "github").stdout == WRITTEN.format("up to date")


def test_a_workflow_of_somebody_else_is_left_alone_unless_that_is_forced(checkout: Checkout) -> None:
    file = checkout.top / ".github/workflows/build-ship.yml"
    file.parent.mkdir(parents=True)
    file.write_text("on: push\n")
    done = checkout.hullmark("ci", "github")
    assert done.code == 2
    assert "was not written by hullmark for this project" in done.stderr
    assert file.read_text() == "on: push\n"
    assert not (file.parent / "build-comment-ship.yml").exists()
    assert checkout.hullmark("ci", "github", "--force").code == 0
    assert file.read_text() != "on: push\n"


@pytest.mark.parametrize("system", ["github", "gitlab"])
def test_projects_of_one_repository_have_files_jobs_and_comments_of_their_own(
    checkout: Checkout, system: str
) -> None:
    """Everything that has to be told apart on a CI system: files, workflows, jobs, groups, caches and markers."""
    other = replace(checkout, project=checkout.top / "ship2")
    shutil.copytree(checkout.project, other.project)
    files = [
        {line.partition(":")[0] for line in each.hullmark("ci", system).stdout.splitlines()}
        for each in (checkout, other)
    ]
    assert files[0]
    assert not files[0] & files[1]
    assert [each.hullmark("ci", "check").code for each in (checkout, other)] == [0, 0]
    texts = [[(checkout.top / path).read_text() for path in sorted(each)] for each in files]
    told = r"(?m)^name: .*|^\.?hullmark[\w.-]*:|^ +key: .*|^    name: Verdict.*|^ +PROJECT: .*|name: hullmark-baseline.*"
    names = [{name for text in each for name in re.findall(told, text)} for each in texts]
    assert names[0]
    assert not names[0] & names[1]


def test_a_file_of_another_project_is_left_alone_unless_another_name_is_given(checkout: Checkout) -> None:
    checkout.hullmark("ci", "github")
    file = checkout.top / ".github/workflows/build-ship.yml"
    before = file.read_text()
    other = replace(checkout, project=checkout.top / "Ship")
    shutil.copytree(checkout.project, other.project)
    done = other.hullmark("ci", "github")
    assert done.code == 2
    assert "`name` of `[ci]`" in done.stderr
    assert file.read_text() == before
    (other.project / "hullmark.toml").write_text('[ci]\nname = "second"\n')
    assert "build-second.yml: written" in other.hullmark("ci", "github").stdout
    assert file.read_text() == before


@pytest.mark.parametrize("name", ["../x", "Upper", "a b", "a--b", ""])
def test_a_name_that_is_no_part_of_a_file_is_refused(checkout: Checkout, name: str) -> None:
    (checkout.project / "hullmark.toml").write_text(f'[ci]\nname = "{name}"\n')
    assert checkout.hullmark("ci", "github").code == 2


def test_files_for_a_repository_need_one(checkout: Checkout) -> None:
    shutil.rmtree(checkout.top / ".git")
    for command in "github", "gitlab", "check":
        done = checkout.hullmark("ci", command)
        assert (done.code, done.stdout) == (2, "")
        assert "is in no git repository" in done.stderr


def test_there_is_nothing_to_check_before_anything_was_written(checkout: Checkout) -> None:
    assert checkout.hullmark("ci", "check").code == 4


@pytest.mark.parametrize("system", ["github", "gitlab"])
def test_what_was_just_written_is_as_it_should_be(checkout: Checkout, system: str) -> None:
    checkout.hullmark("ci", system)
    done = checkout.hullmark("ci", "check")
    assert (done.code, done.stdout) == (0, "")


def test_a_changed_configuration_a_changed_line_and_a_lost_file_are_found(checkout: Checkout) -> None:
    checkout.hullmark("ci", "github")
    build = checkout.top / ".github/workflows/build-ship.yml"
    settings = checkout.project / "hullmark.toml"
    settings.write_text('[smoke]\ntimeout = "40 min"\n')
    done = checkout.hullmark("ci", "check")
    assert done.code == 1
    assert "+    timeout-minutes: 70\n" in done.stdout
    settings.unlink()
    assert checkout.hullmark("ci", "check").code == 0
    before = build.read_text()
    build.write_text(before.replace("persist-credentials: false", "persist-credentials: true"))
    assert checkout.hullmark("ci", "check").code == 1
    build.unlink()
    done = checkout.hullmark("ci", "check")
    assert done.code == 1
    assert "`hullmark ci github` writes what differs" in done.stderr


def test_a_new_service_is_missed_where_services_are_listed(checkout: Checkout) -> None:
    checkout.hullmark("ci", "gitlab")
    compose = checkout.project / "compose.yml"
    compose.write_text(compose.read_text() + "  late: {build: web}\n")
    done = checkout.hullmark("ci", "check")
    assert done.code == 1
    assert '"late"' in done.stdout


class _Loader(yaml.SafeLoader):
    """Knows the one tag of GitLab that is used."""


def _reference(loader: _Loader, node: yaml.SequenceNode) -> list[Any]:
    return loader.construct_sequence(node)


_Loader.add_constructor("!reference", _reference)
RELEASE = ReleaseSettings(
    registry="registry.example.com/acme",
    platforms=("linux/amd64", "linux/arm64"),
    runners=(("linux/arm64", "anvil"),),
    sign="always",
    environment="release",
)


@pytest.mark.parametrize("built", [("rag",), (), ("a.b", "c-d", "yes")])
@pytest.mark.parametrize("release", [ReleaseSettings(), RELEASE], ids=["without-a-registry", "with-one"])
@pytest.mark.parametrize("kept", ["artifact", "registry:registry.example.com/{service}:main", "none"])
def test_the_pipeline_of_gitlab_is_what_its_schema_says(
    built: tuple[str, ...], release: ReleaseSettings, kept: str, problems: Callable[[str, Any], list[str]]
) -> None:
    (template,) = gitlab.templates(
        Pipeline(
            below='it\'s "here"',
            built=built,
            minutes=35,
            release=publishing(release),
            keeping=keeping(BaselineSettings(kept=kept)),
        )
    )
    document = yaml.load(template.text, Loader=_Loader)  # noqa: S506  # which is a safe one
    assert problems("ci.json", document) == []
    assert document[".hullmark"]["variables"]["PROJECT"] == 'it\'s "here"'
    jobs = document.get("hullmark-build")
    assert (jobs["parallel"]["matrix"][0]["SERVICE"] if jobs else []) == list(built)


PROGRAM = """\
#!/bin/sh
printf '%s %s\\n' "${0##*/}" "$*" >> "$CALLS"
case "$*" in
login*) cat > /dev/null ;;
*"ci run stack"*) echo "against ${HULLMARK_BASELINE:-nothing}" >> "$CALLS" ;;
esac
"""


@pytest.mark.parametrize(
    ("registry", "kept", "name"),
    [
        ("acme/ship", "artifact", "registry:acme/ship/hullmark-baseline:stable-1.x-b"),
        ("", "artifact", None),
        ("", "registry:r.example/{service}:main", "registry:r.example/{service}:main"),
    ],
)
def test_the_scripts_of_gitlab_take_the_baseline_that_those_of_the_branch_keep(
    registry: str, kept: str, name: str | None, tmp_path: Path
) -> None:
    """The scripts themselves run, with programs that write down how they are called."""
    (template,) = gitlab.templates(
        Pipeline(below="", built=(), minutes=35, keeping=keeping(BaselineSettings(kept=kept)))
    )
    document = yaml.load(template.text, Loader=_Loader)  # noqa: S506  # which is a safe one
    assert document["hullmark-baseline"]["rules"] == [
        {"if": '$CI_PIPELINE_SOURCE == "push" && $CI_COMMIT_BRANCH == "main"'}
    ]
    for program in "hullmark", "docker":
        (tmp_path / program).write_text(PROGRAM)
        (tmp_path / program).chmod(0o755)
    environ = {
        "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}",
        "CALLS": str(tmp_path / "calls"),
        "PROJECT": ".",
        "CI_PROJECT_DIR": str(tmp_path),
        "CI_REGISTRY_IMAGE": registry,
        "CI_REGISTRY": "registry.example.com",
        "CI_REGISTRY_USER": "u",
        "CI_REGISTRY_PASSWORD": "p",
        "CI_MERGE_REQUEST_DIFF_BASE_SHA": "a" * 40,
        "CI_COMMIT_BRANCH": "stable/1.x&b",
        "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "stable/1.x&b",
    }
    file = f"{tmp_path}/.hullmark/hullmark-baseline.jsonl"

    def called(job: str) -> list[str]:
        (tmp_path / "calls").unlink(missing_ok=True)
        subprocess.run(
            ("bash", "-euo", "pipefail", "-c", "\n".join(document[job]["script"])),
            env=environ,
            cwd=tmp_path,
            check=True,
            timeout=60,
        )
        return (tmp_path / "calls").read_text().splitlines()

    saved, checked = called("hullmark-baseline"), called("hullmark-check")
    if name is None:
        assert not any(line.startswith("docker") or " fetch " in line for line in (*saved, *checked))
        assert checked[-1] == "against nothing"
        return
    assert f"hullmark -C . baseline save {name} --report {file}" in saved
    take = checked.index(f"hullmark -C . baseline fetch {name} {file}")
    assert checked[take + 1].startswith("docker logout")
    assert checked[-1] == f"against {file}"


def test_gitlab_releases_a_tag_with_each_platform_on_a_runner_of_its_own() -> None:
    (template,) = gitlab.templates(
        Pipeline(below="ship", built=("web",), minutes=35, release=publishing(RELEASE))
    )
    document = yaml.load(template.text, Loader=_Loader)  # noqa: S506  # which is a safe one
    build, gate, publish = (document[f"hullmark-release-{step}"] for step in ("build", "gate", "publish"))
    for job in build, gate:
        runners = {each["PLATFORM"]: each["RUNNER"] for each in job["parallel"]["matrix"]}
        assert runners == {"linux/amd64": "docker-linux-amd64", "linux/arm64": "anvil"}
        assert job["tags"] == ["$RUNNER"]
    assert (gate["needs"], publish["needs"]) == (["hullmark-release-build"], ["hullmark-release-gate"])
    assert publish["environment"] == "release"
    assert publish["resource_group"] == "hullmark-release-$CI_COMMIT_TAG"
    assert "id_tokens" in publish
    assert "id_tokens" not in build


def test_releases_are_written_and_checked_where_a_registry_is_configured(checkout: Checkout) -> None:
    settings = checkout.project / "hullmark.toml"
    settings.write_text('[release]\nregistry = "ghcr.io/acme"\nplatforms = ["linux/amd64"]\n')
    workflow = checkout.top / ".github/workflows/release-ship.yml"
    assert checkout.hullmark("ci", "github").stdout.endswith("release-ship.yml: written\n")
    assert checkout.hullmark("ci", "check").code == 0
    settings.write_text('[release]\nregistry = "ghcr.io/acme"\nplatforms = ["linux/amd64", "linux/arm64"]\n')
    done = checkout.hullmark("ci", "check")
    assert done.code == 1
    assert "ubuntu-24.04-arm" in done.stdout
    workflow.unlink()
    assert checkout.hullmark("ci", "check").code == 1


def test_a_platform_without_a_runner_is_refused_until_one_is_named(checkout: Checkout) -> None:
    settings = checkout.project / "hullmark.toml"
    text = '[release]\nregistry = "ghcr.io/acme"\nplatforms = ["linux/riscv64"]\n'
    settings.write_text(text)
    done = checkout.hullmark("ci", "github")
    assert done.code == 2
    assert 'runners = ["linux/riscv64=LABEL"]' in done.stderr
    settings.write_text(f'{text}runners = ["linux/riscv64=board"]\n')
    assert checkout.hullmark("ci", "github").code == 0
    assert 'runner: "board"' in (checkout.top / ".github/workflows/release-ship.yml").read_text()


def test_the_hook_is_one_that_pre_commit_runs(checkout: Checkout, tmp_path: Path) -> None:
    """The declaration as it is; the program that it names is this one instead of a second installation."""
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    programs = Path(sys.executable).parent
    environ = {
        **checkout.environ,
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "PRE_COMMIT_HOME": str(tmp_path / "pre-commit"),
    }
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    (hooks / ".pre-commit-hooks.yaml").write_text(yaml.safe_dump([{**hook, "language": "system"}]))
    for arguments in ("init", "-q"), ("add", "--all"), ("commit", "-qm", "Hooks"):
        subprocess.run(("git", *arguments), cwd=hooks, env=environ, check=True, timeout=60)
    # The project lies at the top of a repository of its own: hooks run there.
    top = tmp_path / "project"
    checkout.project.rename(top)
    for arguments in ("init", "-q"), ("add", "--all"):
        subprocess.run(("git", *arguments), cwd=top, env=environ, check=True, timeout=60)

    def run() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            (str(programs / "pre-commit"), "try-repo", str(hooks), hook["id"], "--all-files", "--verbose"),
            cwd=top,
            env=environ,
            capture_output=True,
            text=True,
            check=False,
            timeout=180,
        )

    passed = run()
    assert passed.returncode == 0, passed.stdout + passed.stderr
    assert "verdict: clean" in passed.stdout
    (top / "web" / "Dockerfile").write_text("FROM debian\n")
    failed = run()
    assert failed.returncode == 1
    assert "web/Dockerfile:1" in failed.stdout
