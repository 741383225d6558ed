"""From the command line: what is kept is found again, in a file, in git and beside an image in a registry."""

from __future__ import annotations

import io
import json
import os
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from hullmark._cli import main
from hullmark._images.manifests import OCI_MANIFEST
from hullmark._images.push import Content
from hullmark._images.registry import Registry
from hullmark.model.table import Entry, Kind
from hullmark.testing import layer_tar

if TYPE_CHECKING:
    import threading
    from pathlib import Path

    from hullmark._process import Commands

COMPOSE = "services:\n  web:\n    image: hullmark-test-baseline:dev\n    build: .\n"
DOCKERFILE = "FROM debian:bookworm-slim\nRUN apt-get update\n"
ONLY_LINT = [f"--skip={check}" for check in ("build", "validate", "smoke", "secrets", "scan")]
FILE = "hullmark-baseline.jsonl"


class Project:
    """A project in a repository of git."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.environ = {
            **os.environ,
            "HULLMARK_HADOLINT": "never",
            "HULLMARK_CACHE_DIR": str(root / "cache"),
            "HOME": str(root),
            **{
                f"GIT_{who}_{what}": "a@example.org"
                for who in ("AUTHOR", "COMMITTER")
                for what in ("NAME", "EMAIL")
            },
        }
        self.write("compose.yml", COMPOSE)
        self.write("Dockerfile", DOCKERFILE)
        self.git("init", "--quiet", "--initial-branch=main")
        self.commit()

    def write(self, name: str, text: str) -> None:
        (self.root / name).write_text(text, encoding="utf-8")

    def git(self, *arguments: str) -> None:
        subprocess.run(("git", *arguments), cwd=self.root, env=self.environ, check=True)

    def commit(self) -> None:
        self.git("add", "--all", "--", ":!cache")
        self.git("commit", "--quiet", "--message=change")

    def run(self, *arguments: str) -> tuple[int, str, str]:
        stdout, stderr = io.StringIO(), io.StringIO()
        code = main(
            ["-q", "-C", str(self.root), *arguments], stdout=stdout, stderr=stderr, environ=self.environ
        )
        return code, stdout.getvalue(), stderr.getvalue()

    def report(self, *arguments: str) -> Any:
        code, stdout, stderr = self.run("lint", "--format=json", *arguments)
        assert stdout, stderr
        return {**json.loads(stdout), "code": code}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with findings, committed."""
    (tmp_path / "shop").mkdir()
    return Project(tmp_path / "shop")


def standings(report: Any) -> dict[str, str]:
    return {each["rule"]: each["standing"] for each in report["findings"]}


def test_what_a_change_brings_is_told_from_what_the_branch_has(project: Project) -> None:
    code, stdout, stderr = project.run("baseline", "save", *ONLY_LINT)
    assert (code, stdout) == (0, f"{FILE}\n"), stderr
    project.commit()
    project.write("Dockerfile", f"# another\n{DOCKERFILE}STOPSIGNAL SIGTERM\nENTRYPOINT sleep 9\n")
    report = project.report("--baseline=main")
    assert report["code"] == 1
    assert report["baseline"]["name"].startswith(f"{FILE} at main (")
    found = standings(report)
    assert found.pop("shell-form-entrypoint") == "introduced"
    assert set(found.values()) == {"known"}
    assert (report["baseline"]["introduced"], report["baseline"]["known"]) == (1, len(found))
    text = project.run("lint", "--baseline=main")[1]
    assert "[known]" in text
    assert "1 introduced" in text
    assert "ENTRYPOINT" in text


def test_only_what_is_new_fails_where_that_is_asked_for(project: Project) -> None:
    project.run("baseline", "save", *ONLY_LINT)
    project.commit()
    assert project.report("--baseline=main")["code"] == 1
    assert project.report("--baseline=main", "--new-only")["code"] == 0
    project.write("hullmark.toml", '[baseline]\nagainst = "HEAD"\nnew-only = true\n')
    assert project.report()["code"] == 0
    project.write("compose.yml", f"{COMPOSE}  api:\n    image: hullmark-test-api:dev\n    build: .\n")
    assert project.report()["code"] == 1


def test_reports_beside_the_repository_name_files_as_it_does(project: Project) -> None:
    (project.root / "deploy").mkdir()
    for name in ("compose.yml", "Dockerfile"):
        (project.root / name).rename(project.root / "deploy" / name)
    for format_, place in (
        ("markdown", "`deploy/Dockerfile:"),
        ("junit", " at deploy/Dockerfile:"),
        ("html", ">deploy/Dockerfile:"),
    ):
        _, stdout, stderr = project.run("-C", str(project.root / "deploy"), "lint", f"--format={format_}")
        assert place in stdout, stderr


def test_what_is_fixed_is_said(project: Project) -> None:
    project.run("baseline", "save", *ONLY_LINT)
    project.write("Dockerfile", f"{DOCKERFILE}HEALTHCHECK CMD true\n")
    report = project.report(f"--baseline={FILE}")
    assert [each["rule"] for each in report["baseline"]["fixed"]] == ["missing-healthcheck"]
    assert "fixed: missing-healthcheck (web)" in project.run("lint", f"--baseline={FILE}")[1]


def test_a_report_is_a_baseline_and_makes_one(project: Project) -> None:
    project.run("lint", "--report=json=report.json")
    assert set(standings(project.report("--baseline=report.json")).values()) == {"known"}
    code, _, stderr = project.run("baseline", "save", "kept.jsonl", "--report=report.json")
    assert code == 0, stderr
    project.run("baseline", "save", "run.jsonl", *ONLY_LINT)
    assert (project.root / "kept.jsonl").read_bytes() == (project.root / "run.jsonl").read_bytes()


def test_a_revision_without_one_is_the_first(project: Project) -> None:
    report = project.report("--baseline=main", "--new-only")
    assert report["code"] == 0
    assert report["baseline"]["first"]
    assert set(standings(report).values()) == {"known"}
    said = "no baseline at hullmark-baseline.jsonl at main ("
    for format_ in ("text", "markdown", "html", "sarif", "junit", "github"):
        _, stdout, _ = project.run("lint", "--baseline=main", "--new-only", f"--format={format_}")
        assert "nothing could be told new" in stdout, format_
        assert said in stdout.replace("<code>", "").replace("`", ""), format_
    code, stdout, stderr = project.run("lint", "--baseline=main", "--require-baseline")
    assert (code, stdout) == (3, "")
    assert "there is no baseline at hullmark-baseline.jsonl at main (" in stderr


def test_a_baseline_that_a_registry_does_not_have_can_be_required(project: Project, registry: str) -> None:
    name = f"--baseline=registry:{registry}/shop/nope:main"
    code, stdout, _ = project.run("lint", name, "--new-only")
    assert code == 0
    assert f"warning: no baseline at registry:{registry}/shop/nope:main: nothing could be told new" in stdout
    assert project.run("lint", name, "--new-only", "--require-baseline")[0] == 3
    project.write("hullmark.toml", "[baseline]\nrequired = true\n")
    assert project.run("lint", name)[0] == 3


@pytest.mark.parametrize(
    ("name", "code", "said"),
    [
        ("nowhere", 2, "neither a file nor a revision"),
        ("--upload-pack=true", 2, "neither a file nor a revision"),
        ("compose.yml", 2, "neither a baseline nor a report"),
        ("oci-dir:nowhere", 3, "does not exist"),
        ("registry:127.0.0.1:1/shop/web:main", 3, "cannot be reached"),
    ],
)
def test_what_is_no_baseline_is_an_error(project: Project, name: str, code: int, said: str) -> None:
    ended, stdout, stderr = project.run("lint", f"--baseline={name}")
    assert ended == code, stdout
    assert said in stderr


def test_one_image_is_no_baseline_of_several_services(
    project: Project, registry: str, commands: Commands, cancelled: threading.Event
) -> None:
    push(registry, "shop/web:main", commands, cancelled, b"x")
    project.write("compose.yml", f"{COMPOSE}  api:\n    image: hullmark-test-api:dev\n    build: .\n")
    for name in ("docker:shop", f"registry:{registry}/shop/web:main"):
        code, _, stderr = project.run("lint", f"--baseline={name}")
        assert code == 2
        assert "is one image, and the project has 2 services" in stderr
    # Of the one that the registry does not have, nothing is known.
    report = project.report(f"--baseline=registry:{registry}/shop/{{service}}:main")
    assert report["baseline"]["notes"] == ["it tells nothing of lint of api, web", "it has no image of api"]


def test_a_damaged_file_is_an_error_with_its_line(project: Project) -> None:
    project.write(FILE, '["hullmark/baseline/1"]\n<<<<<<< HEAD\n')
    code, _, stderr = project.run("lint", f"--baseline={FILE}")
    assert code == 2
    assert f"{FILE}:2: a merge has left its conflict here" in stderr


def test_where_history_is_cut_off_it_is_said_how_to_get_the_rest(project: Project, tmp_path: Path) -> None:
    project.write("more", "more")
    project.commit()
    project.git("clone", "--quiet", "--depth=1", f"file://{project.root}", str(tmp_path / "cut"))
    project.root = tmp_path / "cut"
    code, _, stderr = project.run("lint", "--baseline=HEAD~1")
    assert code == 2
    assert "fetch the revision first" in stderr


def test_nothing_is_new_without_a_baseline(project: Project) -> None:
    code, _, stderr = project.run("lint", "--new-only")
    assert code == 2
    assert "name it with `--baseline`" in stderr


def test_without_git_a_revision_is_an_error(tmp_path: Path, project: Project) -> None:
    (project.root / ".git").rename(tmp_path / "elsewhere")
    code, _, stderr = project.run("lint", "--baseline=main")
    assert code == 2
    assert "`main` is no file, and" in stderr


def push(host: str, name: str, commands: Commands, cancelled: threading.Event, content: bytes) -> None:
    """Put an image with one file into a registry."""
    layer = layer_tar(
        [Entry(path="/data", kind=Kind.FILE, size=len(content), mode=0o644)], {"/data": content}
    )
    source = Registry(commands=commands, environ={})
    with source.pushing(f"{host}/{name}", cancelled) as to:
        described = Content.of(layer)
        config = {
            "os": "linux",
            "architecture": "amd64",
            "config": {"User": "app", "Cmd": ["/data"]},
            "rootfs": {"type": "layers", "diff_ids": [str(described.digest)]},
        }
        named = Content.of(json.dumps(config).encode())
        for each in (described, named):
            to.blob(each)
        manifest = {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": {
                "mediaType": "application/vnd.oci.image.config.v1+json",
                "digest": str(named.digest),
                "size": named.size,
            },
            "layers": [
                {
                    "mediaType": "application/vnd.oci.image.layer.v1.tar",
                    "digest": str(described.digest),
                    "size": described.size,
                }
            ],
        }
        to.manifest(json.dumps(manifest).encode(), OCI_MANIFEST, name.rpartition(":")[2])


def test_it_is_kept_and_found_beside_an_image(
    project: Project, registry: str, commands: Commands, cancelled: threading.Event
) -> None:
    push(registry, "shop/web:main", commands, cancelled, b"x" * 100)
    image = f"registry:{registry}/shop/{{service}}:main"
    # The image itself tells nothing of findings.
    before = project.report(f"--baseline={image}")
    assert set(standings(before).values()) == {None}
    assert before["baseline"]["notes"] == ["it tells nothing of lint of web"]
    project.run("lint", "--report=json=report.json")
    for target in (image.replace("{service}", "web"), f"registry:{registry}/shop/kept:main", image):
        code, stdout, stderr = project.run("baseline", "save", target, "--report=report.json")
        assert code == 0, stderr
        assert f"registry:{registry}/shop/" in stdout
        after = project.report(f"--baseline={target}")
        assert set(standings(after).values()) == {"known"}
    assert set(standings(project.report(f"--baseline={image}")).values()) == {"known"}
    nothing = project.report(f"--baseline=registry:{registry}/shop/{{service}}:other")
    assert nothing["baseline"]["first"]


def test_what_keeps_nothing_is_no_place_for_it(project: Project) -> None:
    code, _, stderr = project.run("baseline", "save", "docker:shop", *ONLY_LINT)
    assert code == 2
    assert "keeps no baselines" in stderr


@pytest.mark.parametrize("name", ["registry:", "docker:", "github:"])
def test_a_scheme_with_nothing_behind_it_is_refused_and_says_what_belongs_there(
    project: Project, name: str
) -> None:
    code, _, stderr = project.run("lint", "--baseline", name)
    assert (code, f"`{name}` names nothing behind its scheme" in stderr) == (2, True), stderr
    assert "github:main" in stderr
