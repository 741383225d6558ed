"""Packages as their makers published them, years ago: what is found of them is what the records say, no more, no less."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import uuid
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import pytest
from tests.vulnerabilities import oracle
from tests.vulnerabilities.conftest import DATA

from hullmark._cli import main

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.docker

BASE = "debian:bookworm-slim"
WHEELS = """\
Django==3.2.4 --hash=sha256:ea735cbbbb3b2fba6d4da4784a0043d84c67c92f1fdf15ad6db69900e792c10f
Jinja2==2.11.2 --hash=sha256:f0a4641d3cf955324a89c04f3d94663aa4d638abe8f733ecd3582848e1c37035
Pillow==8.2.0 --hash=sha256:6c32cc3145928c4305d142ebec682419a6c0a8ce9e33db900027ddca1ec39178
requests==2.19.0 --hash=sha256:421cfc8d9dde7d6aff68196420afd86b88c65d77d8da9cf83f4ecad785d7b9d6
"""
MODULES = {
    "lodash": (
        "4.17.11",
        "sha512-cQKh8igo5QUhZ7lg38DYWAxMvjSAKG0A8wGSVimP07SIUEK2UO+arSRKbRZWtelMtN5V0Hkwh5ryOto/SshYIg==",
    ),
    "minimist": (
        "1.2.0",
        "sha512-7Wl+Jz+IGWuSdgsQEJ4JunV0si/iMhg42MnQQG6h1R6TNeVenp4U9x5CC5v/gYqz/fENLQITAWXidNtVL0NNbw==",
    ),
}
PIP = ("install", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-compile", "--require-hashes")
FOR = ("--only-binary=:all:", "--python-version=3.8", "--implementation=cp", "--platform=manylinux1_x86_64")
NPM = ("npm", "ci", "--silent", "--ignore-scripts", "--no-audit", "--no-fund")
DOCKERFILE = f"""\
FROM {BASE}
COPY site /usr/local/lib/python3.8/site-packages
COPY node_modules /app/node_modules
"""


def _install_wheels(project: Path) -> None:
    (project / "requirements.txt").write_text(WHEELS, encoding="utf-8")
    pip = (sys.executable, "-m", "pip", *PIP, *FOR, "--target", "site", "-r", "requirements.txt")
    subprocess.run(pip, cwd=project, check=True, capture_output=True)


def _install_modules(project: Path) -> None:
    wanted = {name: version for name, (version, _) in MODULES.items()}
    there = {
        f"node_modules/{name}": {"version": version, "integrity": integrity}
        for name, (version, integrity) in MODULES.items()
    }
    manifest: dict[str, Any] = {"name": "shop", "version": "1.0.0", "dependencies": wanted}
    lock = {**manifest, "lockfileVersion": 3, "requires": True, "packages": {"": manifest, **there}}
    (project / "package.json").write_text(json.dumps(manifest), encoding="utf-8")
    (project / "package-lock.json").write_text(json.dumps(lock), encoding="utf-8")
    subprocess.run(NPM, cwd=project, check=True, capture_output=True)


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    """A project whose one image has the old packages, upon a Debian without its security updates."""
    image = f"hullmark-test-old-{uuid.uuid4().hex[:8]}:dev"
    _install_wheels(tmp_path)
    _install_modules(tmp_path)
    (tmp_path / "Dockerfile").write_text(DOCKERFILE, encoding="utf-8")
    (tmp_path / "compose.yml").write_text(
        f"name: shop\nservices:\n  web: {{build: ., image: '{image}'}}\n", encoding="utf-8"
    )
    build = ("docker", "build", "--quiet", "--tag", image, str(tmp_path))
    subprocess.run(build, check=True, capture_output=True)
    yield tmp_path
    subprocess.run(("docker", "image", "rm", "--force", image), check=True, capture_output=True)


def _hullmark(project: Path, *argv: str, code: int = 0) -> str:
    stdout, stderr = io.StringIO(), io.StringIO()
    # The records are those of a day that is long over.
    environ = {
        **os.environ,
        "HULLMARK_CACHE_DIR": str(project / "cache"),
        "HULLMARK_DB_MAX_AGE": "9999 days",
    }
    ended = main(["-C", str(project), *argv], stdout=stdout, stderr=stderr, environ=environ)
    assert ended == code, stdout.getvalue() + stderr.getvalue()
    return stdout.getvalue()


def _pinned() -> Iterator[tuple[str, str]]:
    for line in WHEELS.splitlines():
        name, _, version = line.partition(" ")[0].partition("==")
        yield name, version


def test_old_packages_have_what_the_records_say_and_nothing_else(project: Path) -> None:
    _hullmark(project, "db", "update", "--db-url", str(DATA / "osv"), "Debian", "PyPI", "npm")
    _hullmark(project, "scan", "--format", "json")
    report = json.loads((project / "trivy-reports/web.json").read_text(encoding="utf-8"))
    found: dict[tuple[str, str], set[str]] = defaultdict(set)
    for each in report["vulnerabilities"]:
        if each["ecosystem"] in {"PyPI", "npm"}:
            found[each["package"].lower(), each["version"]] |= {one["record"] for one in each["evidence"]}
    python = oracle.records(DATA / "osv/PyPI/all.zip")
    npm = oracle.records(DATA / "osv/npm/all.zip")
    expected = {
        (name.lower(), version): set(oracle.affected("PyPI", name, version, python))
        for name, version in _pinned()
    } | {
        (name, version): set(oracle.affected("npm", name, version, npm))
        for name, (version, _) in MODULES.items()
    }
    assert all(expected.values())
    assert found == expected
    assert report["undecided"] == []
    _decide(project)


def _decide(project: Path) -> None:
    """What the project decides of all vulnerabilities is what a scan makes of them."""
    (project / "hullmark.toml").write_text('[scan]\nfail-on = "critical"\n', encoding="utf-8")
    plain = _severities(_hullmark(project, "scan", "--format", "json", code=1))
    (project / "hullmark.toml").write_text(
        '[scan]\nfail-on = "critical"\ngrace = "36500 days"\nfixable = false\n', encoding="utf-8"
    )
    young = _severities(_hullmark(project, "scan", "--format", "json"))
    assert plain["CVE-2021-35042"] == "error"
    assert young["CVE-2021-35042"] == "note"
    # Those without a fix count now as well.
    assert plain.keys() < young.keys()


def _severities(text: str) -> dict[str, str]:
    """Of the vulnerabilities that are findings, by their ID."""
    return {
        each["seen"].partition(": ")[2].partition(" ")[0]: each["severity"]
        for each in json.loads(text)["findings"]
        if each["rule"] == "vulnerable-package"
    }
