"""What is written for GitHub: sound for its schema and for linters, and nothing in it that strangers could use."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from hullmark import __version__
from hullmark._ci import github
from hullmark._ci.actions import PINS
from hullmark._ci.keeping import keeping
from hullmark._ci.publishing import publishing
from hullmark._ci.templates import Pipeline, pipeline_of
from hullmark._library import load_project
from hullmark.errors import UsageError
from hullmark.model.baseline import ARTIFACT, ARTIFACT_FILE
from hullmark.model.location import SourceSpan
from hullmark.model.project import BaselineSettings
from hullmark.model.release import ReleaseSettings, WebhookTrigger, WorkflowTrigger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.ci_files.conftest import Checkout

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = Path(sys.executable).parent
SPAN = SourceSpan(path="hullmark.toml")
RELEASE = ReleaseSettings(
    registry="ghcr.io/acme",
    platforms=("linux/amd64", "linux/arm64"),
    sign="always",
    github_release="acme/ship",
    environment="release",
)
BELOW = ("", "examples/tale", "with space", 'it\'s "quoted": #1 {a}', "übersee")


KEPT = (
    "artifact",
    "registry:ghcr.io/acme/baseline:main",
    "registry:registry.example.com/acme/{service}:main",
)


def _pipeline(
    below: str = "examples/tale", release: ReleaseSettings = RELEASE, kept: str = "artifact"
) -> Pipeline:
    return Pipeline(
        below=below,
        built=("crawler", "rag"),
        minutes=35,
        release=publishing(release),
        keeping=keeping(BaselineSettings(kept=kept, branches=("main", "stable/1.x"))),
    )


def _documents(below: str = "examples/tale", kept: str = "artifact") -> dict[str, Any]:
    return {
        each.path: yaml.load(each.text, Loader=yaml.BaseLoader)  # noqa: S506  # which makes strings and no more
        for each in github.templates(_pipeline(below, kept=kept))
    }


def _steps() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, document in _documents().items():
        for name, job in document["jobs"].items():
            for step in job["steps"]:
                yield path, name, step


def _linted(program: str, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        (str(PROGRAMS / program), *arguments),
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.fixture(params=KEPT)
def written(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A repository with the workflows."""
    (tmp_path / ".git").mkdir()
    for template in github.templates(_pipeline(kept=request.param)):
        path = tmp_path / template.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(template.text)
    return tmp_path


@pytest.mark.parametrize("kept", KEPT)
@pytest.mark.parametrize("below", BELOW)
def test_workflows_are_what_their_schema_says(
    below: str, kept: str, problems: Callable[[str, Any], list[str]]
) -> None:
    for template in github.templates(_pipeline(below, kept=kept)):
        # `on` is a truth value for YAML 1.1, and for GitHub it is not.
        document = yaml.safe_load(re.sub("(?m)^on:", '"on":', template.text))
        assert problems("github-workflow.json", document) == []


def test_the_schema_finds_what_is_wrong(problems: Callable[[str, Any], list[str]]) -> None:
    assert problems("github-workflow.json", {"on": "push", "jobs": {"a": {"runs-on": 1}}})


def test_a_linter_that_understands_expressions_finds_nothing(written: Path) -> None:
    done = _linted("actionlint", "-shellcheck", str(PROGRAMS / "shellcheck"), cwd=written)
    assert (done.returncode, done.stdout) == (0, "")


def test_that_linter_finds_an_output_that_is_not_there(written: Path) -> None:
    file = written / github.BUILD
    file.write_text(file.read_text().replace("steps.affected.outputs.any", "steps.gone.outputs.any"))
    assert "gone" in _linted("actionlint", cwd=written).stdout


def test_a_linter_for_security_finds_nothing(written: Path) -> None:
    done = _linted("zizmor", "--offline", "--no-progress", "--persona=pedantic", ".github", cwd=written)
    assert done.returncode == 0, done.stdout


def test_that_linter_finds_the_text_of_a_stranger_in_a_script(written: Path) -> None:
    file = written / github.BUILD
    file.write_text(
        file.read_text().replace("run: exit 1", "run: echo ${{ github.event.pull_request.title }}")
    )
    done = _linted("zizmor", "--offline", "--no-progress", ".github", cwd=written)
    assert "template-injection" in done.stdout


def test_every_action_is_one_of_the_pinned_commits() -> None:
    used = {step["uses"] for _, _, step in _steps() if "uses" in step}
    assert used == {f"{action}@{commit}" for action, (commit, _) in PINS.items()}
    assert all(re.fullmatch(r"[0-9a-f]{40}", commit) for commit, _ in PINS.values())


def test_no_script_holds_an_expression() -> None:
    scripts = [step["run"] for _, _, step in _steps() if "run" in step]
    assert scripts
    assert not [script for script in scripts if "${{" in script]


def test_who_runs_the_code_of_a_pull_request_may_only_read_and_has_no_secret() -> None:
    build = _documents()[github.BUILD]
    assert build["permissions"] == {}
    assert {name: job["permissions"] for name, job in build["jobs"].items()} == {
        "changes": {"contents": "read"},
        "build": {"contents": "read"},
        "check": {"contents": "read", "actions": "read"},
        "code-scanning": {"actions": "read", "contents": "read", "security-events": "write"},
        "verdict": {},
    }
    text = {each.path: each.text for each in github.templates(_pipeline())}[github.BUILD]
    assert "secrets." not in text
    assert "pull_request_target" not in text


def test_code_scanning_is_handed_the_report_and_none_of_the_code() -> None:
    job = _documents()[github.BUILD]["jobs"]["code-scanning"]
    actions = [step["uses"].partition("@")[0] for step in job["steps"]]
    assert actions == ["actions/download-artifact", "github/codeql-action/upload-sarif"]
    taken = job["steps"][0]["with"]["path"]
    assert job["steps"][1]["with"]["sarif_file"] == f"{taken}/report.sarif"
    assert "head.repo.full_name == github.repository" in job["if"]
    (template, *_) = github.templates(Pipeline(below="", built=("rag",), minutes=35, code_scanning=False))
    assert "code-scanning" not in template.text
    assert "security-events" not in template.text


def test_the_check_runs_where_a_build_failed_so_that_there_is_a_report() -> None:
    condition = _documents()[github.BUILD]["jobs"]["check"]["if"]
    assert "needs.build" not in condition
    assert "!cancelled()" in condition


@pytest.mark.parametrize("kept", KEPT)
def test_no_code_of_a_pull_request_runs_with_a_token(kept: str) -> None:
    """Only the steps that take the baseline may have one, and they run before anything of the change does."""
    steps = _documents(kept=kept)[github.BUILD]["jobs"]["check"]["steps"]
    own = [n for n, step in enumerate(steps) if "hullmark ci run" in step.get("run", "")]
    holding = [n for n, step in enumerate(steps) if "github.token" in str(step)]
    assert all(n < own[0] for n in holding)
    assert len(holding) == ("registry.example.com" not in kept)
    if "ghcr.io" in kept:
        out = [n for n, step in enumerate(steps) if "docker logout" in step.get("run", "")]
        assert holding[0] < out[0] < own[0]
    text = {each.path: each.text for each in github.templates(_pipeline(kept=kept))}[github.BUILD]
    assert text.count("github.token") == len(holding)
    assert "secrets." not in text


@pytest.mark.parametrize("kept", KEPT)
def test_what_a_branch_keeps_is_what_its_pull_requests_take(kept: str) -> None:
    documents = _documents(kept=kept)
    baseline = documents[github.BASELINE]
    assert baseline["on"] == {"push": {"branches": ["main", "stable/1.x"]}}
    assert baseline["permissions"] == {}
    (job,) = baseline["jobs"].values()
    assert job["permissions"] == {"contents": "read"} | ({"packages": "write"} if "ghcr.io" in kept else {})
    check = documents[github.BUILD]["jobs"]["check"]["steps"]
    (fetch,) = (step for step in check if "baseline fetch" in step.get("run", ""))
    (compared,) = (step for step in check if "HULLMARK_BASELINE" in step.get("env", {}))
    assert compared["env"]["HULLMARK_BASELINE"] == "${{ runner.temp }}/hullmark-baseline.jsonl"
    assert fetch["run"].endswith('"$RUNNER_TEMP/hullmark-baseline.jsonl"')
    if kept == "artifact":
        assert job["steps"][-1]["with"]["name"] == f"{ARTIFACT}-examples-tale"
        assert job["steps"][-1]["with"]["path"].endswith(f"/{ARTIFACT_FILE}")
        assert '"github:$BRANCH"' in fetch["run"]
    else:
        assert job["steps"][-1]["env"] == fetch["env"] == {"BASELINE": kept}


@pytest.mark.parametrize("settings", [BaselineSettings(kept="none"), BaselineSettings(against="origin/main")])
def test_a_project_with_a_baseline_of_its_own_or_none_gets_no_workflow_for_it(
    settings: BaselineSettings,
) -> None:
    assert keeping(settings) is None
    pipeline = Pipeline(below="", built=("rag",), minutes=35, keeping=keeping(settings))
    written = github.templates(pipeline)
    assert [each.path for each in written] == [github.BUILD, github.COMMENT]
    assert not any("baseline" in each.text.lower() for each in written)


def test_who_may_write_has_no_code_of_the_pull_request() -> None:
    comment = _documents()[github.COMMENT]
    (job,) = comment["jobs"].values()
    assert set(comment["on"]) == {"workflow_run"}
    assert not [
        step
        for step in job["steps"]
        if step.get("uses", "").startswith(("actions/checkout", "actions/cache"))
    ]
    assert job["permissions"] == {"actions": "read", "pull-requests": "write"}


def test_the_comment_waits_for_the_workflow_by_its_name() -> None:
    documents = _documents()
    assert documents[github.COMMENT]["on"]["workflow_run"]["workflows"] == [documents[github.BUILD]["name"]]


def test_every_job_has_an_end_and_a_merge_queue_is_served() -> None:
    documents = _documents()
    assert all("timeout-minutes" in job for each in documents.values() for job in each["jobs"].values())
    assert set(documents[github.BUILD]["on"]) == {"pull_request", "merge_group"}
    assert all("concurrency" in each for each in documents.values())


def test_every_service_has_a_cache_of_its_own() -> None:
    keys = [
        step["with"]["key"] for _, _, step in _steps() if step.get("uses", "").startswith("actions/cache@")
    ]
    assert len(set(keys)) == len(keys)
    assert any("matrix.service" in key for key in keys)


def test_the_version_that_wrote_them_is_the_one_that_runs() -> None:
    installs = [step["run"] for _, _, step in _steps() if "pip install" in step.get("run", "")]
    assert installs
    assert all(f"hullmark=={__version__}" in each for each in installs)


def _verdict(changes: str, build: str, check: str, any_: str) -> bool:
    """Whether the verdict passes, as the expression of its first step has it."""
    step = _documents()[github.BUILD]["jobs"]["verdict"]["steps"][0]
    expression = step["if"].removeprefix("${{").removesuffix("}}")
    values = {
        "needs.changes.result": changes,
        "needs.build.result": build,
        "needs.check.result": check,
        "needs.changes.outputs.any": any_,
    }
    for name, value in values.items():
        expression = expression.replace(name, repr(value))
    expression = expression.replace("||", " or ").replace("&&", " and ")
    assert "needs." not in expression
    return not eval(" ".join(expression.split()))  # noqa: S307  # of our own, with the values above


@pytest.mark.parametrize(
    ("changes", "build", "check", "any_", "passes"),
    [
        ("success", "success", "success", "true", True),
        ("success", "skipped", "success", "false", True),
        ("success", "skipped", "success", "true", False),
        ("success", "failure", "skipped", "true", False),
        ("success", "cancelled", "success", "true", False),
        ("success", "success", "failure", "true", False),
        ("success", "success", "skipped", "true", False),
        ("success", "skipped", "skipped", "false", False),
        ("failure", "skipped", "skipped", "", False),
        ("cancelled", "skipped", "skipped", "", False),
    ],
)
def test_the_verdict_passes_only_when_everything_was_looked_at(
    changes: str, build: str, check: str, any_: str, *, passes: bool
) -> None:
    assert _verdict(changes, build, check, any_) is passes


@pytest.mark.parametrize("below", BELOW)
def test_commands_run_in_the_directory_of_the_project(below: str) -> None:
    assert _documents(below)[github.BUILD]["defaults"]["run"]["working-directory"] == (below or ".")


def test_a_directory_that_would_be_an_expression_is_refused(checkout: Checkout) -> None:
    evil = checkout.top / "${{ github.token }}"
    checkout.project.rename(evil)
    with pytest.raises(UsageError, match="cannot be written into a workflow"):
        pipeline_of(load_project(evil, environ=checkout.environ))


def test_the_action_is_what_its_schema_says_and_safe(problems: Callable[[str, Any], list[str]]) -> None:
    text = (ROOT / "action.yml").read_text(encoding="utf-8")
    assert problems("github-action.json", yaml.safe_load(text)) == []
    done = _linted("zizmor", "--offline", "--no-progress", "--persona=pedantic", "action.yml", cwd=ROOT)
    assert done.returncode == 0, done.stdout
    used = re.findall(r"uses: (\S+)@(\S+) # (\S+)", text)
    assert used == [(name, *PINS[name]) for name, _, _ in used]


@pytest.mark.parametrize(("arguments", "code"), [("--version", 0), ("explain\nno-such-rule", 2)])
def test_the_action_runs_what_it_is_told_to_and_passes_the_exit_code_on(
    arguments: str, code: int, tmp_path: Path
) -> None:
    action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    script = action["runs"]["steps"][-1]["run"]
    (tmp_path / "hullmark" / "bin").mkdir(parents=True)
    (tmp_path / "hullmark" / "bin" / "hullmark").symlink_to(PROGRAMS / "hullmark")
    environ = {
        **os.environ,
        "RUNNER_TEMP": str(tmp_path),
        "GITHUB_OUTPUT": str(tmp_path / "output"),
        "ARGUMENTS": f"{arguments}\n",
        "DIRECTORY": str(tmp_path),
    }
    done = subprocess.run(
        ("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script),
        env=environ,
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )
    assert done.returncode == code, done.stderr
    assert (tmp_path / "output").read_text() == f"exit-code={code}\n"


def _release(**settings: Any) -> Any:
    """The workflow that releases, with those settings of `[release]`."""
    (template,) = (
        each
        for each in github.templates(_pipeline(release=ReleaseSettings(registry="ghcr.io/acme", **settings)))
        if each.path == github.RELEASE
    )
    return yaml.load(template.text, Loader=yaml.BaseLoader)  # noqa: S506  # as above


def test_without_a_registry_nothing_is_released() -> None:
    paths = {each.path for each in github.templates(_pipeline(release=ReleaseSettings()))}
    assert paths == {github.BUILD, github.COMMENT, github.BASELINE}


def test_each_platform_is_built_and_looked_at_on_a_machine_that_needs_no_emulation() -> None:
    jobs = _release(platforms=("linux/amd64", "linux/arm64"))["jobs"]
    for name in "build", "gate":
        machines = jobs[name]["strategy"]["matrix"]["include"]
        assert {each["platform"]: each["runner"] for each in machines} == {
            "linux/amd64": "ubuntu-24.04",
            "linux/arm64": "ubuntu-24.04-arm",
        }
        assert jobs[name]["runs-on"] == "${{ matrix.runner }}"
    assert (jobs["gate"]["needs"], jobs["publish"]["needs"]) == ("build", "gate")


def test_what_releases_is_hullmark_and_nothing_else() -> None:
    scripts = [step["run"] for job in _release()["jobs"].values() for step in job["steps"] if "run" in step]
    called = [line for script in scripts for line in script.splitlines() if "hullmark release" in line]
    assert [re.sub(r"\s+", " ", each).strip() for each in called] == [
        'hullmark release build "$GITHUB_REF_NAME" --platform "$PLATFORM"',
        'hullmark release gate "$GITHUB_REF_NAME" --platform "$PLATFORM" "${states[@]}"',
        'hullmark release publish "$GITHUB_REF_NAME" "${states[@]}"',
        'hullmark release verify "$GITHUB_REF_NAME"',
    ]


def test_a_release_has_no_right_that_it_does_not_need() -> None:
    jobs = _release()["jobs"]
    least = {"contents": "read", "packages": "write"}
    assert [(name, job["permissions"]) for name, job in jobs.items()] == [
        ("build", least),
        ("gate", least),
        ("publish", least),
    ]
    assert not [name for name, job in jobs.items() if "environment" in job]
    jobs = _release(
        sign="always",
        github_release="acme/ship",
        environment="harbour master",
        triggers=(
            WorkflowTrigger(
                workflow="acme/ship/x.yml", ref="main", token="GITHUB_TOKEN", timeout=1, origin=SPAN
            ),
            WebhookTrigger(url="https://example.com", secret="HOOK", timeout=1, origin=SPAN),
        ),
    )["jobs"]
    assert jobs["publish"]["permissions"] == {
        "actions": "write",
        "contents": "write",
        "id-token": "write",
        "packages": "write",
    }
    assert jobs["publish"]["environment"] == "harbour master"
    # Who builds and looks runs what the images hold, and gets nothing of what publishes them.
    assert [jobs[name]["permissions"] for name in ("build", "gate")] == [least, least]
    secrets = {name for name, job in jobs.items() if "secrets.HOOK" in str(job)}
    assert secrets == {"publish"}


def test_two_runs_for_one_tag_wait_for_each_other() -> None:
    concurrency = _release()["concurrency"]
    assert "github.ref" in concurrency["group"]
    assert concurrency["cancel-in-progress"] == "false"


def test_another_registry_is_logged_in_to_with_a_password_of_its_own() -> None:
    text = next(
        each.text
        for each in github.templates(_pipeline(release=ReleaseSettings(registry="registry.example.com/acme")))
        if each.path == github.RELEASE
    )
    assert "--password-stdin registry.example.com" in text
    assert "secrets.REGISTRY_PASSWORD" in text
    assert "packages:" not in text
