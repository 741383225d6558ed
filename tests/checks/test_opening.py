"""An image is opened once in a run, whatever looks at it; and where its stage is given, nothing is built for that."""

from __future__ import annotations

import io
import os
import secrets
import shutil
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from tests.vulnerabilities.conftest import DATA

import hullmark
from hullmark._anatomy import dissect
from hullmark._checks.anatomies import Anatomies
from hullmark._cli import main
from hullmark.errors import Unavailable
from hullmark.model.location import SourceSpan
from hullmark.model.outcome import Check, Ran
from hullmark.model.project import Service
from hullmark.testing import synthetic_image

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hullmark.model.anatomy import Anatomy
    from hullmark.model.report import Report

LOOKING = (Check.VALIDATE, Check.SECRETS, Check.SCAN)
DOCKERFILE = """\
FROM scratch AS made
COPY tree /
FROM scratch
COPY --from=made / /
USER 10001
"""
DOCKER = """\
#!/bin/sh
echo "$*" >>{log}
exec {docker} "$@"
"""


@dataclass(frozen=True, kw_only=True)
class Vault:
    """A project of one squashed image, which holds a secret, a setuid file and an old package."""

    root: Path
    image: str
    stage: str

    @property
    def environ(self) -> dict[str, str]:
        """An environment whose `docker` notes every call."""
        path = f"{self.root / 'bin'}{os.pathsep}{os.environ['PATH']}"
        return {
            **os.environ,
            "PATH": path,
            "HULLMARK_CACHE_DIR": str(self.root / "cache"),
            "HULLMARK_DB_MAX_AGE": "9999 days",
        }

    def look(self, *checks: Check) -> tuple[Report, int]:
        """The report of `checks`, and how often the stage was built to open the image."""
        (self.root / "log").write_text("", encoding="utf-8")
        report = hullmark.check(self.root, checks=checks, environ=self.environ)
        log = (self.root / "log").read_text("utf-8").splitlines()
        return report, sum(" --progress plain build " in line for line in log)


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[Vault]:
    """The project, built; its images are removed afterwards."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    package = tmp_path / "tree/usr/lib/python3/dist-packages/Jinja2-2.11.2.dist-info"
    package.mkdir(parents=True)
    (package / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: Jinja2\nVersion: 2.11.2\n", encoding="utf-8"
    )
    (tmp_path / "tree/key.pem").write_bytes(key)
    (tmp_path / "tree/tool").write_bytes(b"tool")
    (tmp_path / "tree/tool").chmod(0o4755)
    (tmp_path / "Dockerfile").write_text(DOCKERFILE, encoding="utf-8")
    name = f"hullmark-vault-{secrets.token_hex(4)}"
    made = Vault(root=tmp_path, image=f"{name}:dev", stage=f"{name}:made")
    (tmp_path / "compose.yml").write_text(
        f"name: {name}\nservices:\n  web: {{build: ., image: '{made.image}'}}\n", encoding="utf-8"
    )
    docker = shutil.which("docker")
    assert docker is not None
    (tmp_path / "bin").mkdir()
    shim = tmp_path / "bin/docker"
    shim.write_text(DOCKER.format(log=tmp_path / "log", docker=docker), encoding="utf-8")
    shim.chmod(0o755)
    for image, target in ((made.stage, ("--target", "made")), (made.image, ())):
        build = (docker, "build", "--quiet", "--tag", image, *target, str(tmp_path))
        subprocess.run(build, check=True, capture_output=True)
    yield made
    remove = (docker, "image", "rm", "--force", made.image, made.stage)
    subprocess.run(remove, check=True, capture_output=True)


def _told(report: Report) -> set[tuple[str, str, str]]:
    """What was found, and what wrote it."""
    found = set()
    for result in report.results:
        assert isinstance(result.outcome, Ran), result
        for finding in result.outcome.findings:
            found.add((finding.rule, str(finding.location), str(finding.origin)))
    return found


@pytest.mark.docker
def test_all_checks_look_at_an_image_that_is_opened_once(vault: Vault) -> None:
    update = ("-q", "-C", str(vault.root), "db", "update", "--db-url", str(DATA / "osv"), "PyPI")
    output = io.StringIO()
    assert main(update, stdout=output, stderr=output, environ=vault.environ) == 0, output.getvalue()
    together, opened = vault.look(*LOOKING)
    assert opened == 1
    found = _told(together)
    assert {"setuid-file", "visible-secret", "vulnerable-package"} <= {rule for rule, _, _ in found}
    apart = [vault.look(check) for check in LOOKING]
    assert [opened for _, opened in apart] == [1, 1, 1]
    alone = set[tuple[str, str, str]]().union(*(_told(report) for report, _ in apart))
    # Alone, validate tells of the file with the key by itself.
    assert found == {each for each in alone if each[0] != "credential-file-in-layer"}
    # All of it was written by the instruction of the stage.
    assert {origin.rpartition("/")[2] for _, _, origin in found if origin != "None"} == {"Dockerfile:2:1"}

    settings = f'[services.web]\nstage-image = "{vault.stage}"\n'
    (vault.root / "hullmark.toml").write_text(settings, encoding="utf-8")
    given, opened = vault.look(*LOOKING)
    assert opened == 0
    assert _told(given) == found

    (vault.root / "hullmark.toml").unlink()
    for stage, code, said in (
        (f"web={vault.stage}", 1, "Dockerfile:2"),
        (f"web={vault.image}-none", 3, f"{vault.image}-none"),
        ("nothing=x", 2, "no service `nothing`"),
    ):
        told = io.StringIO()
        arguments = ("-q", "-C", str(vault.root), "validate", "--stage-image", stage)
        assert main(arguments, stdout=told, stderr=told, environ=vault.environ) == code
        assert said in told.getvalue()
    assert " --progress plain build " not in (vault.root / "log").read_text("utf-8")


def _service(name: str) -> Service:
    span = SourceSpan(path="compose.yml", line=1, column=1)
    return Service(name=name, image=f"{name}:dev", build=None, span=span)


def test_whoever_asks_while_an_image_is_opened_waits_for_it() -> None:
    opened: list[str] = []
    asked = threading.Event()

    def opening(service: Service) -> Anatomy:
        opened.append(service.name)
        assert asked.wait(60)
        return dissect(synthetic_image(service.image, layers=[{"/a": 1}]))

    anatomies = Anatomies(opening, uses=3)
    web = _service("web")
    with ThreadPoolExecutor(3) as pool:
        both = [pool.submit(anatomies.of, web) for _ in range(2)]
        asked.set()
        first, second = (each.result() for each in both)
    assert first is second is anatomies.of(web)
    assert opened == ["web"]
    # It was used as often as it is needed, and is kept no longer.
    assert anatomies.of(web) is not first
    assert anatomies.of(_service("db")).image.reference == "db:dev"
    assert opened == ["web", "web", "db"]


def test_an_image_that_cannot_be_opened_is_none_for_anybody() -> None:
    opened: list[str] = []

    def opening(service: Service) -> Anatomy:
        opened.append(service.name)
        raise Unavailable(f"{service.image} is not there")

    anatomies = Anatomies(opening, uses=2)
    for _ in range(2):
        with pytest.raises(Unavailable, match="web:dev is not there"):
            anatomies.of(_service("web"))
    assert opened == ["web"]
