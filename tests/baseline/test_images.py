"""Real images that change: by how much they grew and why, and which vulnerabilities came with that."""

from __future__ import annotations

import io
import json
import os
import subprocess
import uuid
from typing import TYPE_CHECKING, Any

import pytest
from tests.vulnerabilities.conftest import archive, record

from hullmark._cli import main

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.docker

FILE = "hullmark-baseline.jsonl"
DOCKERFILE = """\
FROM scratch
COPY site /usr/lib/python3/dist-packages
COPY data /data
USER {user}
"""
STEPS = ("--skip=lint", "--skip=build", "--skip=smoke", "--skip=secrets")


class Shop:
    """A project with one image without a distribution, in which only Python packages are."""

    def __init__(self, root: Path) -> None:
        self.root, self.image = root, f"hullmark-test-baseline-{uuid.uuid4().hex[:8]}"
        self.environ = {
            **os.environ,
            "HULLMARK_CACHE_DIR": str(root / "cache"),
            "HULLMARK_DB_MAX_AGE": "9999 days",
        }
        (root / "compose.yml").write_text(
            f"name: shop\nservices:\n  web: {{build: ., image: '{self.image}:dev'}}\n", encoding="utf-8"
        )

    def build(self, packages: dict[str, str], *, size: int, user: str, tag: str = "dev") -> None:
        """Build the image with those packages and a file of that size."""
        for name, version in packages.items():
            described = self.root / "site" / f"{name}-{version}.dist-info"
            described.mkdir(parents=True, exist_ok=True)
            text = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
            (described / "METADATA").write_text(text, encoding="utf-8")
        (self.root / "data").write_bytes(os.urandom(size))
        (self.root / "Dockerfile").write_text(DOCKERFILE.format(user=user), encoding="utf-8")
        name = f"{self.image}:{tag}"
        build = ("docker", "build", "--quiet", "--tag", name, str(self.root))
        subprocess.run(build, check=True, capture_output=True)

    def know(self, **records: str) -> None:
        """Store records of vulnerabilities, each of one package."""
        worst = [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}]
        made = [
            record(f"PYSEC-2026-{name[1:]}", package, fixed="9", severity=worst)
            for name, package in records.items()
        ]
        (self.root / "osv" / "PyPI").mkdir(parents=True, exist_ok=True)
        (self.root / "osv" / "PyPI" / "all.zip").write_bytes(archive(made))
        code, _, stderr = self.run("db", "update", "--whole", "--db-url", str(self.root / "osv"), "PyPI")
        assert code == 0, stderr

    def run(self, *arguments: str) -> tuple[int, str, str]:
        stdout, stderr = io.StringIO(), io.StringIO()
        argv = ["-q", "-C", str(self.root), *arguments]
        return (
            main(argv, stdout=stdout, stderr=stderr, environ=self.environ),
            stdout.getvalue(),
            stderr.getvalue(),
        )

    def check(self, *arguments: str) -> Any:
        code, stdout, stderr = self.run("check", "--format=json", *STEPS, *arguments)
        assert stdout, stderr
        return {**json.loads(stdout), "code": code}


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """A project whose image can be built again and again."""
    made = Shop(tmp_path)
    yield made
    for tag in ("dev", "before"):
        name = f"{made.image}:{tag}"
        subprocess.run(("docker", "image", "rm", "--force", name), check=True, capture_output=True)


def standings(report: Any) -> dict[str, str]:
    return {each["id"]: each["standing"] for each in report["vulnerabilities"]}


def test_what_a_change_does_to_an_image_is_told_and_gated(shop: Shop) -> None:
    shop.build({"alpha": "1.0"}, size=1_000_000, user="app")
    shop.build({"alpha": "1.0"}, size=1_000_000, user="app", tag="before")
    shop.know(_1="alpha")
    code, _, stderr = shop.run("baseline", "save", *STEPS)
    assert code == 0, stderr
    # A scan alone has read the packages, which are what later records are held against.
    assert shop.run("baseline", "save", "scan.jsonl", *STEPS, "--skip=validate")[0] == 0
    facts = (shop.root / "scan.jsonl").read_text(encoding="utf-8").splitlines()
    assert [each for each in facts if each.startswith('["package"')] == [
        each
        for each in (shop.root / FILE).read_text(encoding="utf-8").splitlines()
        if each.startswith('["package"')
    ]
    assert any('"alpha","1.0"' in each for each in facts if each.startswith('["package"'))
    same = shop.check(f"--baseline={FILE}", "--new-only")
    assert standings(same) == {"PYSEC-2026-1": "known"}
    assert (same["code"], same["images"]["web"]["change"]["unpacked"]) == (0, 0)

    shop.build({"alpha": "1.0", "beta": "1.0"}, size=3_000_000, user="root")
    shop.know(_1="alpha", _2="alpha", _3="beta")
    (shop.root / "hullmark.toml").write_text(
        '[baseline]\nbudget-growth = "1 MB"\n[services.web]\nuser = "non-root"\n', encoding="utf-8"
    )
    report = shop.check(f"--baseline={FILE}")
    assert standings(report) == {
        "PYSEC-2026-1": "known",
        "PYSEC-2026-2": "disclosed",
        "PYSEC-2026-3": "introduced",
    }
    counts = [report["baseline"][f"vulnerabilities_{each}"] for each in ("introduced", "disclosed", "known")]
    assert counts == [1, 1, 1]
    change = report["images"]["web"]["change"]
    assert 2_000_000 <= change["unpacked"] <= 2_010_000
    assert "/ (directory) +2.0 MB through `COPY data /data`" in change["why"]
    assert change["settings"] == [{"name": "User", "before": "app", "after": "root"}]
    errors = {each["rule"]: each for each in report["findings"] if each["severity"] == "error"}
    grown = errors["over-growth-budget"]
    assert grown["location"]["path"] == "hullmark.toml"
    assert grown["expected"] == "at most 1.0 MB more"
    assert "COPY data /data" in grown["seen"]
    assert errors["root-user"]["standing"] == "introduced"
    text = shop.run("check", *STEPS, f"--baseline={FILE}")[1]
    assert "vulnerabilities: 1 introduced, 1 newly disclosed, 1 known" in text
    assert "web settings: User from `app` to `root`" in text

    # Each kind has a threshold of its own.
    for key, failing in (("introduced", {"PYSEC-2026-3"}), ("known", {"PYSEC-2026-1"})):
        (shop.root / "hullmark.toml").write_text(f'[baseline]\n{key} = "low"\n', encoding="utf-8")
        found = shop.check(f"--baseline={FILE}", "--skip=validate")["findings"]
        assert {
            each["seen"].split(": ")[1].split()[0] for each in found if each["severity"] == "error"
        } == failing

    # Another image, that nobody has scanned: what it has as well was there.
    image = shop.check(f"--baseline=docker:{shop.image}:before", "--skip=validate")
    assert list(standings(image).values()) == ["known", "known", "introduced"]


def test_what_is_gone_is_said_and_a_budget_without_a_baseline_too(shop: Shop) -> None:
    shop.build({"alpha": "1.0", "beta": "1.0"}, size=10, user="app")
    shop.know(_1="alpha", _2="beta")
    shop.run("baseline", "save", *STEPS)
    subprocess.run(("rm", "-r", str(shop.root / "site" / "beta-1.0.dist-info")), check=True)
    shop.build({}, size=10, user="app")
    report = shop.check(f"--baseline={FILE}")
    assert [each["id"] for each in report["baseline"]["vulnerabilities_gone"]] == ["PYSEC-2026-2"]
    assert "gone: web: PYSEC-2026-2 (beta 1.0)" in shop.run("check", *STEPS, f"--baseline={FILE}")[1]
    (shop.root / "hullmark.toml").write_text('[services.web]\nbudget-growth = "1 MB"\n', encoding="utf-8")
    alone = shop.check("--skip=scan")
    (outcome,) = [each for each in alone["outcomes"] if each["check"] == "validate"]
    assert outcome["reason"] == "`budget-growth` was not looked at: there is no baseline; see `--baseline`"
