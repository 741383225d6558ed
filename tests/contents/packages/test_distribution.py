"""The distribution is what `os-release` says, with those that it derives from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hullmark._contents.distribution import read

if TYPE_CHECKING:
    from tests.contents.packages.conftest import TakeInventory

DEBIAN = (
    'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME="Debian GNU/Linux"\nVERSION_ID="12"\n'
    'VERSION="12 (bookworm)"\nVERSION_CODENAME=bookworm\nID=debian\n'
)


@pytest.mark.parametrize(
    ("text", "families", "version", "codename"),
    [
        (DEBIAN, ("debian",), "12", "bookworm"),
        ('ID=alpine\nVERSION_ID=3.20.1\nPRETTY_NAME="Alpine Linux v3.20"\n', ("alpine",), "3.20.1", ""),
        (
            'ID=linuxmint\nID_LIKE="ubuntu debian"\nVERSION_ID="21.3"\nVERSION_CODENAME=virginia\n',
            ("linuxmint", "ubuntu", "debian"),
            "21.3",
            "virginia",
        ),
        (
            'ID="rocky"\nID_LIKE="rhel centos fedora"\nVERSION_ID="9.3"\n',
            ("rocky", "rhel", "centos", "fedora"),
            "9.3",
            "",
        ),
        ("ID='arch'\nBUILD_ID=rolling\n", ("arch",), "", ""),
        ('ID=debian\nVERSION="8 (jessie)"\n', ("debian",), "", "jessie"),
        ('ID=ubuntu\nVERSION="14.04.6 LTS, Trusty Tahr"\n', ("ubuntu",), "", "trusty"),
        ('ID=Wolfi\r\nVERSION_ID="2023\\$1"\r\n', ("wolfi",), "2023$1", ""),
    ],
)
def test_a_distribution_names_itself_and_its_kin(
    text: str, families: tuple[str, ...], version: str, codename: str
) -> None:
    found = read(text)
    assert found is not None
    assert (found.families, found.version_id, found.codename) == (families, version, codename)


@pytest.mark.parametrize("text", ["", "ID=\n", "NAME=Debian\n", "ID=a/b\n", "ID=" + "x" * 100, "\0\xff\n"])
def test_what_names_none_is_none(text: str) -> None:
    assert read(text) is None


def test_the_file_is_found_where_the_link_leads(taken: TakeInventory) -> None:
    found = taken({"/usr/lib/os-release": DEBIAN, "/etc/os-release": "-> ../usr/lib/os-release"})
    assert found.distribution is not None
    assert str(found.distribution) == "Debian GNU/Linux 12 (bookworm)"
    assert found.distribution.path == "/etc/os-release"


def test_a_file_that_names_none_is_passed_for_the_other(taken: TakeInventory) -> None:
    found = taken({"/usr/lib/os-release": "ID=wolfi\n", "/etc/os-release": "NAME=nobody\n"})
    assert found.distribution is not None
    assert found.distribution.id == "wolfi"


def test_an_image_without_one_has_none(taken: TakeInventory) -> None:
    assert taken({"/app": "x"}).distribution is None
    assert taken({"/etc/os-release": DEBIAN}, {"/etc/os-release": None}).distribution is None
