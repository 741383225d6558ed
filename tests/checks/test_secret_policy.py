"""What a project says of its secrets: ignored by format, path and hash, allowed by hash, and what of that is idle."""

from __future__ import annotations

import datetime as dt
import io
import json
import os
import subprocess
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from hullmark._checks.findings import apply
from hullmark._checks.ignores import idle_ignores, without_ignored
from hullmark._cli import main
from hullmark.model.location import ImagePath, SourceSpan
from hullmark.model.outcome import Check, CheckResult, Ran
from hullmark.model.project import Settings
from hullmark.model.secret import AllowedSecret, ExposedSecret, Likeness, Secret, SecretPolicy, Whereabouts

if TYPE_CHECKING:
    from pathlib import Path

TOKEN = "AKIA" + "Q3EGR7WZ5XK2MB4T"
TODAY = dt.date(2027, 1, 1)
IGNORE = '[[ignore.findings]]\nrule = "committed-secret"\nreason = "ours"\n'


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose environment file is tracked and holds a token."""
    compose = (
        "services:\n  web:\n    build: .\n    image: web\n    mem_limit: 64m\n    env_file: conf/app.env\n"
    )
    (tmp_path / "compose.yml").write_text(compose, encoding="utf-8")
    (tmp_path / "Dockerfile").write_text("FROM scratch\n", encoding="utf-8")
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf/app.env").write_text(f"AWS_KEY={TOKEN}\n", encoding="utf-8")
    for command in (("init", "-q"), ("add", "conf/app.env")):
        subprocess.run(("git", "-C", str(tmp_path), *command), check=True, capture_output=True)
    return tmp_path


def lint(project: Path, toml: str) -> dict[str, Any]:
    """The report of a project with those settings."""
    (project / "hullmark.toml").write_text(toml, encoding="utf-8")
    stdout, stderr = io.StringIO(), io.StringIO()
    environ = {"PATH": os.environ["PATH"], "HOME": "/", "HULLMARK_HADOLINT": "never"}
    argv = ["-C", str(project), "lint", "--format", "json"]
    code = main(argv, stdout=stdout, stderr=stderr, environ=environ)
    return {"code": code, "stderr": stderr.getvalue(), **json.loads(stdout.getvalue() or "{}")}


def rules(report: dict[str, Any]) -> set[str]:
    return {each["rule"] for each in report["findings"]}


def hash_of(project: Path) -> str:
    """As the finding tells it."""
    (found,) = (each for each in lint(project, "")["findings"] if each["rule"] == "committed-secret")
    return str(found["seen"].partition("(")[2].partition(")")[0])


def test_an_ignore_may_be_for_one_format_path_or_secret(project: Path) -> None:
    known = hash_of(project)
    for covering in (
        f'hash = "{known}"',
        'path = "conf/*.env"',
        'path = "**/app.env"',
        'format = "aws-access-key"',
    ):
        report = lint(project, f"{IGNORE}{covering}\n")
        assert not rules(report) & {"committed-secret", "unused-ignore"}, covering
    for other in (f'hash = "sha256:{"0" * 16}"', 'path = "*.env"', 'format = "github-token"'):
        report = lint(project, f"{IGNORE}{other}\n")
        assert {"committed-secret", "unused-ignore"} <= rules(report), other
        (idle,) = (each["seen"] for each in report["findings"] if each["rule"] == "unused-ignore")
        assert other.partition(" ")[0] in idle


def test_what_is_allowed_passes_with_a_reason_until_its_last_day(project: Path) -> None:
    known = hash_of(project)
    entry = f'{{hash = "{known}", reason = "public", owner = "platform", expires = %s}}'
    for allow in (f'"{known}"', entry % "2999-01-01"):
        assert "committed-secret" not in rules(lint(project, f"[secrets]\nallow = [{allow}]\n"))
    assert "committed-secret" in rules(lint(project, f"[secrets]\nallow = [{entry % '2020-01-01'}]\n"))


def test_what_is_no_format_and_no_hash_is_a_mistake_that_is_named(project: Path) -> None:
    report = lint(project, f'{IGNORE}format = "github-tokne"\n')
    assert report["code"] == 2
    assert (
        "there is no format of secrets called `github-tokne`; did you mean `github-token`?"
        in report["stderr"]
    )
    good = f'"sha256:{"a1" * 8}"'
    for bad, told in (
        ('"sha256:12"', '"sha256:12"'),
        ('{hash = "x", reason = "y"}', '"x"'),
        ("7", "the number 7"),
    ):
        report = lint(project, f"[secrets]\nallow = [{good}, {bad}]\n")
        assert report["code"] == 2
        assert "`secrets.allow`: entry 2: expected a hash" in report["stderr"]
        assert f"got {told}" in report["stderr"]


def test_that_an_ignore_has_expired_is_told_whatever_was_looked_at(project: Path) -> None:
    expired = '[[ignore.findings]]\nrule = "restart-loop"\nreason = "was"\nexpires = 2020-01-01\n'
    (idle,) = (each for each in lint(project, expired)["findings"] if each["rule"] == "unused-ignore")
    assert idle["seen"] == "the ignore of `restart-loop` expired on 2020-01-01"


def test_an_allowance_that_nothing_needs_or_that_has_expired_is_told() -> None:
    def entry(digit: str, **more: Any) -> AllowedSecret:
        return AllowedSecret(hash=f"sha256:{digit * 16}", origin=SourceSpan(path="hullmark.toml"), **more)

    allow = (entry("a"), entry("b"), entry("c", expires=dt.date(2020, 1, 1)))
    services = ("web",)
    run: Any = SimpleNamespace(
        services=services,
        project=SimpleNamespace(built=services, settings=Settings(secrets=SecretPolicy(allow=allow))),
    )
    likeness = Likeness(format="jwt", what="a token", shown="a...z", hash=f"sha256:{'a' * 16}")
    secret = Secret(likeness=likeness, whereabouts=Whereabouts.VISIBLE, layer=0, path="/a")
    exposed = ExposedSecret(
        secret=secret, image="web", layers=1, location=ImagePath(image="web", path="/a", layer=0)
    )
    found = apply(exposed, "web")

    def told(*looked: CheckResult) -> set[str]:
        kept, suppressed = without_ignored(looked, run.project.settings, TODAY)
        assert suppressed == found
        idle = idle_ignores(run, kept, suppressed, TODAY)
        return {each.seen for result in idle for each in result.findings}

    secrets = CheckResult(check=Check.SECRETS, service="web", outcome=Ran(findings=found))
    lint_ = CheckResult(check=Check.LINT, service="web", outcome=Ran(findings=()))
    expired = f"the allowance of sha256:{'c' * 16} expired on 2020-01-01"
    unused = f"nothing was found that the allowance of sha256:{'b' * 16} covers"
    assert told(secrets, lint_) == {expired, unused}
    # What no image has may be in a file that lint would have looked at.
    assert told(secrets) == {expired}
