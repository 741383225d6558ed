"""scripts/registry against fake programs: which registry is taken, and how one is provided."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from typing import Any

# Both write where they are told to, as apt and dpkg do.
APT = """
case "$*" in
indextargets*) echo "Debian main bookworm http://mirror.example/debian/" ;;
"download docker-registry") [[ ! -e $FAKE/offline ]] && : >docker-registry_1_all.deb ;;
*) exit 64 ;;
esac
"""
DPKG = """
mkdir -p "$3/usr/bin"
printf '#!/bin/sh\\n' >"$3/usr/bin/docker-registry"
chmod 755 "$3/usr/bin/docker-registry"
"""


# What the script needs besides, and nothing else: this machine may have a registry of its own.
TOOLS = (
    "awk",
    "bash",
    "chmod",
    "cp",
    "dirname",
    "env",
    "flock",
    "mkdir",
    "mktemp",
    "mv",
    "readlink",
    "rm",
    "tail",
)


@pytest.fixture
def debian(sandbox: Any) -> Any:
    """Make apt and dpkg answer as on Debian."""
    (sandbox.root / "tools").mkdir()
    for tool in TOOLS:
        found = shutil.which(tool)
        assert found is not None
        (sandbox.root / "tools" / tool).symlink_to(found)
    sandbox.environment["PATH"] = f"{sandbox.root / 'bin'}:{sandbox.root / 'tools'}"
    sandbox.program("apt-get", APT)
    sandbox.program("dpkg-deb", DPKG)
    return sandbox


def test_a_registry_on_path_is_taken_as_it_is(debian: Any) -> None:
    debian.program("docker-registry", "exit 0")
    result = debian.run("registry", str(debian.root / "into"))
    assert (result.returncode, result.stdout) == (0, f"{debian.root}/bin/docker-registry\n")
    assert not (debian.root / "into").exists()
    assert debian.calls("apt-get") == []


def test_debian_s_package_is_unpacked_once_and_never_installed(debian: Any) -> None:
    program = debian.root / "into" / "docker-registry"
    for _ in range(2):
        result = debian.run("registry", str(debian.root / "into"))
        assert (result.returncode, result.stdout) == (0, f"{program}\n")
        assert program.stat().st_mode & 0o111
    assert [call for call in debian.calls("apt-get") if "install" in call] == []
    assert debian.calls("apt-get").count("download docker-registry") == 1
    assert list(debian.tmp.iterdir()) == []


def test_several_at_once_unpack_one(debian: Any) -> None:
    running = [debian.start("registry", str(debian.root / "into")) for _ in range(4)]
    for process in running:
        out, _ = process.communicate(timeout=60)
        assert (process.returncode, out) == (0, f"{debian.root}/into/docker-registry\n")
    assert debian.calls("apt-get").count("download docker-registry") == 1


def test_on_another_distribution_it_says_what_to_install(debian: Any) -> None:
    (debian.root / "os-release").write_text("ID=fedora\n", encoding="utf-8")
    result = debian.run("registry", str(debian.root / "into"))
    assert result.returncode == 3
    assert result.stderr == "registry: install docker-registry (done here only on Debian)\n"
    assert result.stdout == ""


def test_a_package_that_cannot_be_had_leaves_nothing_behind(debian: Any) -> None:
    (debian.fake / "offline").touch()
    result = debian.run("registry", str(debian.root / "into"))
    assert result.returncode == 3
    assert "registry: install docker-registry" in result.stderr
    assert [path.name for path in (debian.root / "into").iterdir()] == [".lock"]
    assert list(debian.tmp.iterdir()) == []
