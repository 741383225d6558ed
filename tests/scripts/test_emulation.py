"""scripts/emulation against fake programs and a directory in the place of the kernel's list of formats."""

from __future__ import annotations

from typing import Any

import pytest

APT = """
case "$*" in
indextargets*) echo "Debian main bookworm http://mirror.example/debian/" ;;
"download qemu-user-static") [[ ! -e $FAKE/offline ]] && : >qemu-user-static_1_amd64.deb ;;
*) exit 64 ;;
esac
"""
DPKG = """
mkdir -p "$3/usr/bin"
printf '#!/bin/sh\n' >"$3/usr/bin/qemu-aarch64-static"
chmod 755 "$3/usr/bin/qemu-aarch64-static"
"""
ENTRY = """\
enabled
interpreter /usr/libexec/qemu-binfmt/aarch64-binfmt-P
flags: {flags}
offset 0
magic 7f454c460201010000000000000000000200b700
mask ffffffffffffff00fffffffffffffffffeffffff
"""


@pytest.fixture
def machine(sandbox: Any) -> Any:
    """Make a machine for linux/amd64 whose kernel knows no other programs."""
    sandbox.program("apt-get", APT)
    sandbox.program("dpkg-deb", DPKG)
    sandbox.program("uname", "echo x86_64")
    sandbox.program("mount", ': >"$HULLMARK_BINFMT/register"')
    sandbox.program("umount", 'rm "$HULLMARK_BINFMT/register"')
    (sandbox.root / "binfmt").mkdir()
    sandbox.environment["HULLMARK_BINFMT"] = str(sandbox.root / "binfmt")
    return sandbox


def _registered(machine: Any) -> str:
    return str((machine.root / "binfmt/register").read_text("utf-8"))


def test_debian_s_emulator_is_registered_so_that_it_works_in_containers_and_taken_back(machine: Any) -> None:
    into = machine.root / "into"
    result = machine.run("emulation", "up", str(into))
    assert result.returncode == 0, result.stderr
    assert result.stdout == "linux/arm64: run by hullmark-aarch64\n"
    name, kind, offset, magic, mask, program, flags = _registered(machine).removeprefix(":").split(":")
    assert (name, kind, offset, flags) == ("hullmark-aarch64", "M", "", "POF")
    assert (magic.count("\\x"), mask.count("\\x")) == (17, 20)
    assert program == f"{into}/qemu-aarch64-static"
    assert not [call for call in machine.calls("apt-get") if "install" in call]
    assert list(machine.tmp.iterdir()) == []
    # What the kernel would list now.
    (machine.root / "binfmt/hullmark-aarch64").write_text(ENTRY.format(flags="POF"), encoding="utf-8")
    assert machine.run("emulation", "down", str(into)).returncode == 0
    assert (machine.root / "binfmt/hullmark-aarch64").read_text("utf-8") == "-1\n"
    assert machine.calls("umount") == [f"{machine.root}/binfmt"]


def test_a_list_of_formats_that_was_there_stays(machine: Any) -> None:
    (machine.root / "binfmt/register").touch()
    into = str(machine.root / "into")
    for command in ("up", "down"):
        assert machine.run("emulation", command, into).returncode == 0
    assert (machine.calls("mount"), machine.calls("umount")) == ([], [])


def test_an_emulator_that_is_registered_is_used_where_it_works_in_containers(machine: Any) -> None:
    entry = machine.root / "binfmt/qemu-aarch64"
    # Without the flag F the kernel would look for its file in the container.
    entry.write_text(ENTRY.format(flags="OC"), encoding="utf-8")
    assert machine.run("emulation", "status").returncode == 3
    entry.write_text(ENTRY.format(flags="POCF"), encoding="utf-8")
    assert machine.run("emulation", "status").stdout == "linux/arm64: run by qemu-aarch64\n"
    result = machine.run("emulation", "up", str(machine.root / "into"))
    assert (result.returncode, result.stdout) == (0, "linux/arm64: run by qemu-aarch64\n")
    assert machine.run("emulation", "down", str(machine.root / "into")).returncode == 0
    assert entry.read_text("utf-8").startswith("enabled")
    assert machine.calls("apt-get") == []


def test_a_machine_of_that_kind_needs_none(machine: Any) -> None:
    machine.program("uname", "echo aarch64")
    assert machine.run("emulation", "up").stdout == "linux/arm64: run by this machine\n"


@pytest.mark.parametrize("hindrance", ["fedora", "somebody", "offline"])
def test_where_it_cannot_be_had_one_sentence_says_so(machine: Any, hindrance: str) -> None:
    if hindrance == "fedora":
        (machine.root / "os-release").write_text("ID=fedora\n", encoding="utf-8")
    elif hindrance == "somebody":
        machine.program("id", "echo 1000")
    else:
        (machine.fake / "offline").touch()
    result = machine.run("emulation", "up", str(machine.root / "into"))
    assert result.returncode == 3
    said = "apt-get failed" if hindrance == "offline" else "install qemu-user-static with binfmt-support"
    assert said in result.stderr
    assert result.stdout == ""
    assert list(machine.tmp.iterdir()) == []
