"""What a real image has in it is found through the engine: a program of Go, an archive, and what Debian brought."""

from __future__ import annotations

import os
import shutil
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.contents.packages.conftest import zip_of

from hullmark._anatomy import Reading, dissect
from hullmark._contents.inventory import inventory
from hullmark._process import SystemCommands
from hullmark.model.owner import OwnerKind

if TYPE_CHECKING:
    from tests.contents.conftest import Build, Docker

_DOCKERFILE = """
FROM debian:bookworm-slim
RUN dpkg --remove --force-depends mawk && rm -rf /usr/share/doc
COPY docker /usr/local/bin/docker
COPY web.war /srv/web.war
"""


@pytest.mark.docker
def test_a_real_image_tells_of_all_its_software(build: Build, docker: Docker, tmp_path: Path) -> None:
    client = shutil.which("docker")
    assert client is not None
    shutil.copyfile(Path(client).resolve(), tmp_path / "docker")
    (tmp_path / "docker").chmod(0o755)
    pom = "groupId=org.example\nartifactId=web\nversion=1.2\n"
    (tmp_path / "web.war").write_bytes(zip_of({"META-INF/maven/org.example/web/pom.properties": pom}))
    reference = build(_DOCKERFILE, context=tmp_path)
    environ = {**os.environ, "HULLMARK_NO_CACHE": "1"}
    commands = SystemCommands(environ, threading.Event())
    found = inventory(dissect(Reading(commands, environ, threading.Event()).image(f"docker:{reference}")))
    assert found.distribution is not None
    assert (found.distribution.id, found.distribution.version_id) == ("debian", "12")
    told = docker(
        "run", "--rm", reference, "dpkg-query", "-Wf", "${db:Status-Abbrev}\t${Package} ${Version}\n"
    )
    expected = {line.split("\t")[1] for line in told.splitlines() if line.startswith("ii")}
    own = [package for package in found.packages if package.owner.kind is OwnerKind.DPKG]
    assert {str(package.owner) for package in own} == expected
    # The database was written anew by the second layer, and what is in it came with the first.
    first = {package.layer for package in own}
    assert len(first) == 1
    by_name = {package.owner.name: package for package in found.packages}
    assert by_name["org.example:web"].layer not in first
    assert by_name["stdlib"].location == "/usr/local/bin/docker"
    assert by_name["stdlib"].layer != by_name["org.example:web"].layer
    assert by_name["stdlib"].origin is not None
    assert "COPY docker" in by_name["stdlib"].origin.text
