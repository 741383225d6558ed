"""An image with something of every kind in it, and what is known of it."""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from tests.contents.packages.conftest import elf_of, image_of, zip_of
from tests.contents.packages.test_go import MODULES, inline

from hullmark._anatomy import dissect
from hullmark._contents.inventory import inventory

if TYPE_CHECKING:
    from hullmark.model.image import Image
    from hullmark.model.inventory import Inventory

MADE = datetime(2027, 3, 1, 12, 30, 45, tzinfo=UTC)
RELEASE = (
    'PRETTY_NAME="Linux Mint 21.3"\nID=linuxmint\nID_LIKE="ubuntu debian"\nVERSION_ID="21.3"\n'
    "VERSION_CODENAME=virginia\n"
)
STATUS = (
    "Package: libc6\nStatus: install ok installed\nVersion: 2.36-9\nArchitecture: amd64\nSource: glibc\n"
    "Maintainer: GNU Libc Maintainers <debian-glibc@lists.debian.org>\n\n"
    "Package: bsdutils\nStatus: install ok installed\nVersion: 1:2.38.1-5\nArchitecture: amd64\n"
    "Source: util-linux (2.38.1-5)\n\n"
    "Package: python3-six\nStatus: install ok installed\nVersion: 1.16.0-4\nArchitecture: all\n"
)
CRATES = {"packages": [{"name": "serde", "version": "1.0.190", "source": "crates.io"}]}
SIX = "/usr/lib/python3/dist-packages/six-1.16.0.dist-info"
BASE = {
    "/etc/os-release": RELEASE,
    "/var/lib/dpkg/status": STATUS,
    "/var/lib/dpkg/info/python3-six.list": f"/.\n{SIX}\n{SIX}/METADATA\n",
    f"{SIX}/METADATA": "Name: six\nVersion: 1.16.0\n",
    "/lib/apk/db/installed": "P:musl\nV:1.2.5-r0\nA:x86_64\no:musl\n\n",
}
OWN: dict[str, str | bytes | None] = {
    "/opt/lib/python3.13/site-packages/Jinja2-3.1.6.dist-info/METADATA": "Name: Jinja2\nVersion: 3.1.6\n",
    "/app/node_modules/@types/node/package.json": '{"name": "@types/node", "version": "20.0.0"}',
    "/app/node_modules/odd/package.json": '{"name": "odd \\u0001 \\"name", "version": "1 <x>"}',
    "/app/serve": elf_of({".go.buildinfo": inline("go1.22.3", MODULES)}),
    "/app/audited": elf_of({".dep-v0": zlib.compress(json.dumps(CRATES).encode())}),
    "/app/web.war": zip_of(
        {
            "WEB-INF/lib/log4j-core-2.14.1.jar": zip_of(
                {
                    "META-INF/maven/org.apache/log4j-core/pom.properties": (
                        "groupId=org.apache\nartifactId=log4j-core\nversion=2.14.1\n"
                    )
                }
            )
        }
    ),
    "/usr/local/bin/node": elf_of({".rodata": b"/node-v22.12.0.tar.gz\0"}),
    "/usr/local/bin/unknown": elf_of({".text": b"x"}),
    "/app/broken.jar": "no archive",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """An image and its inventory."""

    image: Image
    inventory: Inventory


@pytest.fixture(scope="session")
def example() -> Example:
    """The image with everything."""
    image = image_of(BASE, OWN)
    return Example(image=image, inventory=inventory(dissect(image)))
