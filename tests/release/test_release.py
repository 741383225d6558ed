"""`hullmark release` from a commit to a registry, with real builds, and with what must not be published."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from tests.release.conftest import DOCKERFILE, FOREIGN, NATIVE

from hullmark._cli import main

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.release.conftest import Shop

pytestmark = pytest.mark.docker


def _hullmark(shop: Shop, *argv: str) -> tuple[int, str, str]:
    stdout, stderr = io.StringIO(), io.StringIO()
    code = main(["-C", str(shop.root), *argv], stdout=stdout, stderr=stderr, environ=shop.environ)
    return code, stdout.getvalue(), stderr.getvalue()


def _docker(*argv: str) -> str:
    return subprocess.run(("docker", *argv), check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture(autouse=True)
def _nothing_is_left(shop: Shop) -> Iterator[None]:
    """The engine has no image of the registry afterwards, which is gone then."""
    yield
    listed = _docker("image", "ls", "--digests", "--format", "{{.Repository}}@{{.Digest}} {{.ID}}")
    assert not [line for line in listed.splitlines() if line.startswith(shop.registry)]


def test_what_was_built_is_what_passes_the_gate_and_what_is_published(shop: Shop) -> None:
    shop.git("tag", "v1.4.0")
    code, text, progress = _hullmark(shop, "release", "--from-git", "--format", "json")
    assert code == 0, progress
    report = json.loads(text)
    assert (report["version"], report["published"]) == ("1.4.0", True)
    assert [(each["platform"], each["passed"]) for each in report["gate"]] == [
        (NATIVE, True),
        (FOREIGN, True),
    ]
    assert "smoke" in report["gate"][0]["checks"]
    assert "smoke" not in report["gate"][1]["checks"]
    revision = shop.git("rev-parse", "HEAD")
    with shop.release("1.4.0") as release:
        for service in report["services"]:
            assert {each["platform"] for each in service["images"]} == {NATIVE, FOREIGN}
            assert release.registries.digest(service["repository"], "latest") == service["digest"]
            for image in service["images"]:
                pinned = f"{service['repository']}@{image['digest']}"
                _docker("pull", "-q", "--platform", image["platform"], pinned)
                said = json.loads(_docker("image", "inspect", pinned))[0]
                _docker("image", "rm", pinned)
                assert said["Architecture"] == image["platform"].split("/")[1]
                labels = said["Config"]["Labels"]
                assert labels["org.opencontainers.image.version"] == "1.4.0"
                assert labels["org.opencontainers.image.revision"] == revision
                assert labels["org.opencontainers.image.licenses"] == "Apache-2.0"
                # What a build of the same commit says tomorrow.
                assert said["Created"] == labels["org.opencontainers.image.created"]
    code, text, _ = _hullmark(shop, "release", "verify", "1.4.0", "--format", "json")
    assert (code, [each["problems"] for each in json.loads(text)["services"]]) == (0, [[], []])
    code, text, progress = _hullmark(shop, "release", "1.4.0", "--format", "json")
    assert (code, json.loads(text)) == (0, report)
    assert "nothing is left to do" in progress


def test_one_image_that_does_not_work_keeps_all_of_them_from_being_published(shop: Shop) -> None:
    broken = DOCKERFILE.replace('["/bin/sleep", "600"]', '["/bin/sleep", "soon"]')
    shop.write("broken/Dockerfile", broken)
    shop.write("broken/marks.txt", "0\n")
    shop.write(
        "compose.yml", (shop.root / "compose.yml").read_text("utf-8").replace("./image", "./broken", 1)
    )
    code, text, progress = _hullmark(shop, "release", "1.4.0", "--format", "json")
    assert code == 1, progress
    report = json.loads(text)
    assert not report["published"]
    assert [(each["platform"], each["passed"]) for each in report["gate"]] == [
        (NATIVE, False),
        (FOREIGN, True),
    ]
    assert any(each.startswith("api: service-exited") for each in report["gate"][0]["findings"])
    assert "`hullmark release prune 1.4.0`" in progress
    with shop.release("1.4.0") as release:
        assert not shop.tags(release)


def test_a_build_that_fails_names_its_instruction_and_keeps_what_was_built(shop: Shop) -> None:
    shop.write("broken/Dockerfile", f"{DOCKERFILE}COPY --from=tools /nothing /\n")
    shop.write("broken/marks.txt", "0\n")
    shop.write(
        "compose.yml", (shop.root / "compose.yml").read_text("utf-8").replace("./image", "./broken", 1)
    )
    code, text, progress = _hullmark(
        shop, "release", "build", "1.4.0", "--platform", NATIVE, "--format", "json"
    )
    assert code == 1, progress
    line = DOCKERFILE.count("\n") + 1
    assert f"broken/Dockerfile:{line}" in progress
    report: dict[str, Any] = json.loads(text)
    assert [(each["name"], len(each["images"])) for each in report["services"]] == [("api", 0), ("web", 1)]


def test_a_platform_that_another_machine_has_built_is_joined_with_that_of_this_one(shop: Shop) -> None:
    code, _, progress = _hullmark(shop, "release", "build", "1.4.0", "--platform", FOREIGN)
    assert code == 0, progress
    # As if that had been another machine.
    (shop.root / ".hullmark/release/1.4.0.json").unlink()
    code, _, progress = _hullmark(shop, "release", "gate", "1.4.0")
    assert code == 3
    assert f"there is no image of api for {NATIVE}, web for {NATIVE}" in progress
    (shop.root / ".hullmark/release/1.4.0.json").unlink()
    code, _, progress = _hullmark(shop, "release", "build", "1.4.0", "--platform", NATIVE)
    assert code == 0, progress
    code, _, progress = _hullmark(shop, "release", "gate", "1.4.0")
    assert code == 0, progress
    (shop.root / ".hullmark/release/1.4.0.json").unlink()
    code, text, progress = _hullmark(shop, "release", "publish", "1.4.0", "--format", "json")
    assert code == 0, progress
    assert [len(each["images"]) for each in json.loads(text)["services"]] == [2, 2]


def test_a_registry_with_tls_and_a_password_is_released_to(
    shop: Shop, guarded: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = replace(shop, registry=guarded)
    code, _, progress = _hullmark(there, "release", "1.4.0")
    assert code == 0, progress
    code, text, _ = _hullmark(there, "release", "verify", "1.4.0")
    assert code == 0, text
    monkeypatch.setenv("DOCKER_CONFIG", str(shop.root))
    code, text, _ = _hullmark(there, "release", "1.5.0", "--plan", "--format", "json")
    assert code == 2
    problems = json.loads(text)["problems"]
    assert {each["check"] for each in problems} == {"registry"}
    assert "nobody is logged in there" in problems[0]["text"]


LOSING = """#!/bin/sh
if [ "$2" = bake ] && mkdir "$LOST_AFTER/$(ls "$LOST_AFTER" | wc -l)" && [ -d "$LOST_AFTER/1" ]; then
    echo "ERROR: failed to receive status: rpc error: code = Unavailable desc = error reading from server: EOF" >&2
    exit 1
fi
exec "$REAL_DOCKER" "$@"
"""


def test_a_builder_that_is_lost_is_one_error_after_which_only_the_rest_is_built(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    builds, program = tmp_path / "builds", tmp_path / "lossy/docker"
    builds.mkdir()
    program.parent.mkdir()
    program.write_text(LOSING, encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setattr("hullmark._release.build._AT_ONCE", 1)
    arguments = ("release", "build", "1.4.0", "--platform", NATIVE, "--format", "json")
    with monkeypatch.context() as patched:
        patched.setenv("REAL_DOCKER", shutil.which("docker") or "")
        patched.setenv("LOST_AFTER", str(builds))
        patched.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
        code, text, progress = _hullmark(shop, *arguments)
    assert code == 3, progress
    assert progress.count("error reading from server: EOF") == 1
    assert "`hullmark release 1.4.0 --resume` builds what is missing" in progress
    staged = {each["name"]: each["images"] for each in json.loads(text)["services"]}
    assert {name: len(images) for name, images in staged.items()} == {"api": 1, "web": 0}
    code, text, progress = _hullmark(shop, *arguments, "--resume")
    assert code == 0, progress
    resumed = {each["name"]: each["images"] for each in json.loads(text)["services"]}
    assert resumed["api"] == staged["api"]
    assert len(resumed["web"]) == 1
