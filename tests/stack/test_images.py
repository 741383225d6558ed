"""The images of the reference stack carry what the conventions ask of them."""

from __future__ import annotations

import io
import json
import re
import struct
import subprocess
import tarfile
import tomllib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.stack.conftest import Docker

pytestmark = [pytest.mark.docker, pytest.mark.stack, pytest.mark.xdist_group("stack")]

SERVICES = ("crawler", "db", "platform", "proxy", "rag")
SQUASHED = ("crawler", "platform", "rag")
PYTHON = ("crawler", "rag")
BUDGETS = {"crawler": "2100 MB", "db": "1200 MB", "platform": "2900 MB", "proxy": "100 MB", "rag": "600 MB"}

BUILD_TOOL = re.compile(
    r".*/bin/(?:.*-)?(?:as|cc|cmake|corepack|c\+\+|g\+\+|gcc|ld|make|npm|npx|pip3?|strip|uv|yarn)(?:-[\d.]+)?"
)
HEADERS = re.compile(r"(?:/opt/venv|/usr/lib/python3).*\.(?:h|c|pxd|pxi|pyx)")
CACHE = re.compile(
    r"/var/lib/apt/lists/.+|/var/cache/apt/.+|/var/log/.+|/(?:root|tmp)/(?:\.cache|\.npm|npm)/.*"
)
SECRET = re.compile(r".*/\.env[^/]*|/run/secrets/.*|.*/private/.+|.*\.key|.*id_(?:rsa|ed25519)|.*snakeoil.*")
TESTS = re.compile(
    r"(?:/opt/venv|/usr/lib/python3[^/]*)(?:/.*)?/tests?/.*|/app/node_modules/.*/(?:tests?|docs)/.*"
)
COMPILED = re.compile(r".*/__pycache__/.*|.*\.py[co]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """The file system of an image."""

    members: dict[str, tarfile.TarInfo] = field(default_factory=dict)
    """By absolute path."""
    debugged: tuple[str, ...] = ()
    """Shared objects under /opt that carry debug symbols."""

    def like(self, pattern: re.Pattern[str]) -> list[str]:
        """Paths of everything but directories that match."""
        return [
            path for path, member in self.members.items() if not member.isdir() and pattern.fullmatch(path)
        ]

    @property
    def size(self) -> int:
        """Bytes of regular files."""
        return sum(member.size for member in self.members.values() if member.isreg())


@pytest.fixture(scope="module")
def files(version: str, docker: Docker) -> dict[str, Files]:
    """The file systems of all images, by service."""
    return {service: _read(f"tale-{service}:{version}", docker) for service in SERVICES}


@pytest.fixture(scope="module")
def configurations(version: str, docker: Docker) -> dict[str, dict[str, Any]]:
    """The configurations of all images, by service."""
    return {service: _configuration(service, version, docker) for service in SERVICES}


def _read(image: str, docker: Docker) -> Files:
    container = docker("container", "create", image).strip()
    try:
        with subprocess.Popen(["docker", "container", "export", container], stdout=subprocess.PIPE) as export:
            assert export.stdout is not None
            members: dict[str, tarfile.TarInfo] = {}
            debugged = []
            with tarfile.open(fileobj=export.stdout, mode="r|") as archive:
                for member in archive:
                    path = "/" + member.name.strip("/")
                    members[path] = member
                    if member.isreg() and path.startswith("/opt/") and ".so" in path:
                        content = archive.extractfile(member)
                        assert content is not None
                        if ".debug_info" in _sections(content.read()):
                            debugged.append(path)
            export.stdout.read()
        assert export.returncode == 0
    finally:
        docker("container", "rm", "--volumes", container)
    return Files(members=members, debugged=tuple(debugged))


def _sections(elf: bytes) -> Iterator[str]:
    """Names of the sections of a 64-bit little-endian ELF file."""
    assert elf[:6] == b"\x7fELF\x02\x01"
    [table] = struct.unpack_from("<Q", elf, 0x28)
    size, count, names = struct.unpack_from("<HHH", elf, 0x3A)
    [strings] = struct.unpack_from("<Q", elf, table + names * size + 0x18)
    for number in range(count):
        [name] = struct.unpack_from("<I", elf, table + number * size)
        yield elf[strings + name : elf.index(b"\0", strings + name)].decode()


def _configuration(service: str, version: str, docker: Docker) -> dict[str, Any]:
    [image] = json.loads(docker("image", "inspect", f"tale-{service}:{version}"))
    return {**image["Config"], "Layers": image["RootFS"]["Layers"]}


def _environment(configuration: dict[str, Any]) -> dict[str, str]:
    return dict(item.split("=", 1) for item in configuration["Env"])


@pytest.mark.parametrize("service", SERVICES)
def test_an_image_says_which_version_of_what_it_is(
    service: str, version: str, configurations: dict[str, dict[str, Any]]
) -> None:
    labels = configurations[service]["Labels"]
    assert labels["org.opencontainers.image.version"] == version
    assert labels["org.opencontainers.image.title"] == f"tale-{service}"
    assert labels["org.opencontainers.image.licenses"] == "Apache-2.0"
    assert labels["org.opencontainers.image.description"]


@pytest.mark.parametrize("service", SERVICES)
def test_an_image_checks_its_own_health(service: str, configurations: dict[str, dict[str, Any]]) -> None:
    health = configurations[service]["Healthcheck"]
    assert health["Test"][0] == "CMD"
    assert {"Interval", "Timeout", "StartPeriod", "Retries"} <= health.keys()


@pytest.mark.parametrize("service", [service for service in SERVICES if service != "db"])
def test_an_image_runs_as_an_ordinary_user_that_it_knows(
    service: str, configurations: dict[str, dict[str, Any]], files: dict[str, Files]
) -> None:
    assert configurations[service]["User"] == "10001:10001"
    assert "/etc/passwd" in files[service].members


@pytest.mark.parametrize("service", SQUASHED)
def test_a_squashed_image_has_one_layer(service: str, configurations: dict[str, dict[str, Any]]) -> None:
    assert len(configurations[service]["Layers"]) == 1


@pytest.mark.parametrize("service", PYTHON)
def test_a_squash_declares_the_environment_of_python_again(
    service: str, configurations: dict[str, dict[str, Any]]
) -> None:
    variables = _environment(configurations[service])
    assert variables["PATH"].startswith("/opt/venv/bin:")
    assert variables["LANG"] == "C.UTF-8"
    assert variables["PYTHONUNBUFFERED"] == "1"


def test_a_squash_declares_the_environment_of_node_again(configurations: dict[str, dict[str, Any]]) -> None:
    variables = _environment(configurations["platform"])
    assert "/usr/bin" in variables["PATH"].split(":")
    assert variables["NODE_ENV"] == "production"


@pytest.mark.parametrize("pattern", [BUILD_TOOL, CACHE, SECRET], ids=["build tool", "cache", "secret"])
@pytest.mark.parametrize("service", SERVICES)
def test_an_image_holds_no(service: str, pattern: re.Pattern[str], files: dict[str, Files]) -> None:
    assert files[service].like(pattern) == []


@pytest.mark.parametrize("pattern", [COMPILED, HEADERS, TESTS], ids=["byte code", "header", "test"])
@pytest.mark.parametrize("service", SQUASHED)
def test_an_image_was_stripped_of_every(
    service: str, pattern: re.Pattern[str], files: dict[str, Files]
) -> None:
    assert files[service].like(pattern) == []


@pytest.mark.parametrize("service", PYTHON)
def test_shared_objects_carry_no_debug_symbols(service: str, files: dict[str, Files]) -> None:
    assert files[service].like(re.compile(r"/opt/.*\.so.*"))
    assert files[service].debugged == ()


def test_the_modules_of_node_are_those_that_run(files: dict[str, Files]) -> None:
    members = files["platform"].members
    assert "/app/node_modules/express/package.json" in members
    assert "/app/node_modules/typescript" not in members
    assert "/app/node_modules/@types" not in members
    assert files["platform"].like(re.compile(r"/app/node_modules/.*\.(?:md|map|ts)")) == []


@pytest.mark.parametrize(
    ("service", "path", "mode"),
    [("db", "/var/lib/postgresql/data", 0o700), ("proxy", "/config", 0o700), ("proxy", "/data", 0o700)],
)
def test_mount_points_exist_and_belong_to_who_writes_there(
    service: str, path: str, mode: int, files: dict[str, Files]
) -> None:
    member = files[service].members[path]
    assert member.isdir()
    assert member.mode == mode
    assert member.uid != 0


@pytest.mark.parametrize("service", SERVICES)
def test_an_image_stays_within_the_budget_of_the_guide(
    service: str, tale: Path, files: dict[str, Files]
) -> None:
    settings = tomllib.loads((tale / "hullmark.toml").read_text(encoding="utf-8"))
    assert settings["services"][service]["budget"] == BUDGETS[service]
    assert 0 < files[service].size <= int(BUDGETS[service].removesuffix(" MB")) * 1_000_000


@pytest.mark.parametrize("service", SERVICES)
def test_what_takes_the_space_can_be_asked_of_an_image(service: str, version: str, docker: Docker) -> None:
    told = docker("run", "--rm", f"tale-{service}:{version}", "du", "-s", "/etc")
    assert re.fullmatch(r"\d+\s+/etc\n", told)


def test_a_build_of_one_service_makes_its_image(version: str, tale: Path, docker: Docker) -> None:
    docker("compose", "build", "platform", env={"VERSION": version}, cwd=tale)
    assert (
        _configuration("platform", version, docker)["Labels"]["org.opencontainers.image.version"] == version
    )


def test_the_scripts_of_the_package_call_hullmark(tale: Path) -> None:
    scripts = json.loads((tale / "package.json").read_text(encoding="utf-8"))["scripts"]
    assert scripts == {
        "docker:test": "hullmark smoke",
        "docker:test:image": "hullmark validate",
        "docker:test:vulnerability": "hullmark scan",
    }


def test_the_reader_of_sections_knows_a_debug_section_when_it_sees_one() -> None:
    names = b"\0.text\0.debug_info\0"
    header = struct.pack("<6s34xQ10xHHH", b"\x7fELF\x02\x01", 64, 64, 3, 2)
    sections = [(1, 0), (7, 0), (0, 64 + 3 * 64)]
    table = b"".join(struct.pack("<I20xQ32x", name, offset) for name, offset in sections)
    elf = io.BytesIO(header.ljust(64, b"\0") + table + names).getvalue()
    assert list(_sections(elf)) == [".text", ".debug_info", ""]
