"""Packages of Debian: who has which file, in every state of the database."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.contents.owners.conftest import Own

_DPKG = "/var/lib/dpkg"


def _status(*packages: tuple[str, str], state: str = "install ok installed", more: str = "") -> str:
    return "\n".join(
        f"Package: {name}\nStatus: {state}\nArchitecture: amd64\n{more}Version: {version}\nDescription: x\n y\n"
        for name, version in packages
    )


def _list(name: str, *paths: str) -> dict[str, str]:
    return {f"{_DPKG}/info/{name}.list": "\n".join(["/.", *paths]) + "\n"}


def test_files_belong_to_the_package_that_lists_them_and_directories_to_nobody(own: Own) -> None:
    owned = own(
        {
            "/usr/": "",
            "/usr/bin/": "",
            "/usr/bin/a": "aaaa",
            "/usr/bin/b": "bb",
            f"{_DPKG}/status": _status(("alpha", "1:1.0-2"), ("beta", "2")),
            **_list("alpha", "/usr", "/usr/bin", "/usr/bin/a"),
            **_list("beta:amd64", "/usr", "/usr/bin", "/usr/bin/b"),
        }
    )
    assert owned.owner("/usr/bin/a") == "dpkg:alpha 1:1.0-2"
    assert owned.owner("/usr/bin/b") == "dpkg:beta 2"
    assert owned.owner(f"{_DPKG}/status") == "directory:/var"
    assert owned.ownership.of(owned.system.visible["/usr/bin"]) is None
    assert owned.notes == ()


def test_a_list_that_says_lib_owns_what_the_layer_has_in_usr_lib(own: Own) -> None:
    owned = own(
        {
            "/lib": "-> usr/lib",
            "/usr/lib/x86/libc.so": "c",
            "/usr/lib/old": "old",
            f"{_DPKG}/status": _status(("libc6", "2")),
            **_list("libc6", "/lib/x86/libc.so", "/lib/old"),
        },
        {"/usr/lib/old": None},
    )
    assert owned.owner("/usr/lib/x86/libc.so") == "dpkg:libc6 2"
    assert owned.masked("/usr/lib/old") == ["dpkg:libc6 2"]


def test_a_diverted_file_belongs_to_its_package_where_it_was_put(own: Own) -> None:
    owned = own(
        {
            "/bin/sh": "dash",
            "/bin/sh.distrib": "bash",
            f"{_DPKG}/diversions": "/bin/sh\n/bin/sh.distrib\ndash\n",
            f"{_DPKG}/status": _status(("bash", "5"), ("dash", "1")),
            **_list("bash", "/bin/sh"),
            **_list("dash", "/bin/sh"),
        }
    )
    assert owned.owner("/bin/sh") == "dpkg:dash 1"
    assert owned.owner("/bin/sh.distrib") == "dpkg:bash 5"


@pytest.mark.parametrize("with_sums", [True, False])
def test_an_image_without_a_shell_has_one_file_per_package(own: Own, *, with_sums: bool) -> None:
    files = {
        "/etc/os-release": "x",
        f"{_DPKG}/status.d/base": "Package: base-files\nVersion: 12.4\nArchitecture: amd64\n",
    }
    if with_sums:
        files[f"{_DPKG}/status.d/base.md5sums"] = "0123456789abcdef0123456789abcdef  etc/os-release\n"
    owned = own(files)
    assert owned.package("base-files").owner.version == "12.4"
    assert owned.owner("/etc/os-release") == ("dpkg:base-files 12.4" if with_sums else "directory:/etc")
    assert bool(owned.notes) is not with_sums


def test_sums_stand_in_for_a_list_that_is_missing(own: Own) -> None:
    sums = "0123456789abcdef0123456789abcdef  usr/share/.hidden file\n"
    owned = own(
        {
            "/usr/share/.hidden file": "x",
            f"{_DPKG}/status": _status(("a", "1")),
            f"{_DPKG}/info/a.md5sums": sums,
        }
    )
    assert owned.owner("/usr/share/.hidden file") == "dpkg:a 1"


def test_the_source_package_and_its_version_are_known(own: Own) -> None:
    owned = own(
        {
            f"{_DPKG}/status": _status(
                ("bsdutils", "1:2.38"), more="Source: util-linux (2.38)\nMaintainer: M <m@x>\n"
            )
            + "\n"
            + _status(("libfoo", "3"), more="Source: foo\n")
            + "\n"
            + _status(("plain", "4"))
        }
    )
    assert (owned.package("bsdutils").source, owned.package("bsdutils").source_version) == (
        "util-linux",
        "2.38",
    )
    assert owned.package("bsdutils").maintainer == "M <m@x>"
    assert (owned.package("libfoo").source, owned.package("libfoo").source_version) == ("foo", "3")
    assert (owned.package("plain").source, owned.package("plain").source_version) == ("plain", "4")


def test_a_package_that_was_removed_is_none_and_keeps_what_it_left(own: Own) -> None:
    owned = own(
        {
            "/etc/gone.conf": "x",
            f"{_DPKG}/status": _status(("gone", "1"), state="deinstall ok config-files")
            + "\n"
            + _status(("never", "1"), state="purge ok not-installed"),
            **_list("gone", "/etc/gone.conf"),
        }
    )
    assert owned.ownership.packages == ()
    assert owned.owner("/etc/gone.conf") == "dpkg:gone 1"


def test_masked_files_belong_to_the_version_that_was_there(own: Own) -> None:
    owned = own(
        {
            "/a": "old",
            "/doc": "doc",
            "/gcc": "compiler",
            f"{_DPKG}/status": _status(("alpha", "1"), ("gcc", "12")),
            **_list("alpha", "/a", "/doc"),
            **_list("gcc", "/gcc"),
        },
        {
            "/a": "new",
            f"{_DPKG}/status": _status(("alpha", "2"), ("gcc", "12")),
            **_list("alpha", "/a", "/doc"),
        },
        {"/gcc": None, f"{_DPKG}/info/gcc.list": None, f"{_DPKG}/status": _status(("alpha", "2"))},
        {"/doc": None},
    )
    assert owned.owner("/a") == "dpkg:alpha 2"
    assert owned.masked("/a") == ["dpkg:alpha 1"]
    assert owned.masked("/gcc") == ["dpkg:gcc 12"]
    assert owned.masked("/doc") == ["dpkg:alpha 2"]
    assert [each.owner.name for each in owned.ownership.packages] == ["alpha"]


def test_a_list_without_its_package_is_said(own: Own) -> None:
    owned = own({"/a": "x", f"{_DPKG}/status": "", **_list("lost", "/a")})
    assert owned.owner("/a") == "dpkg:lost"
    assert len(owned.notes) == 1
    assert "lost.list" in owned.notes[0]


def test_names_that_are_not_utf_8_are_found(own: Own) -> None:
    path = b"/usr/share/caf\xe9".decode("utf-8", "surrogateescape")
    owned = own({path: "x", f"{_DPKG}/status": _status(("a", "1")), **_list("a", path)})
    assert owned.owner(path) == "dpkg:a 1"


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("Package: a\nStatus: install ok installed\n", "version"),
        ("\0\xff nonsense", "describe no package"),
        ("Version: 1\nStatus: install ok installed\n", "describe no package"),
    ],
)
def test_a_broken_status_is_said(own: Own, status: str, said: str) -> None:
    notes = own({"/a": "x", f"{_DPKG}/status": status}).notes
    assert any(said in note for note in notes)


def test_a_database_that_is_too_large_is_said(own: Own) -> None:
    from hullmark._contents.filesystem import overlay
    from hullmark._contents.owners import find_owners
    from hullmark.model.digest import DiffId
    from hullmark.model.image import Layer
    from hullmark.model.table import Entry, FileTable, Kind

    entries = [
        Entry(path=f"{_DPKG}/status", kind=Kind.FILE, size=1 << 40),
        Entry(path="/app/node_modules/a/package.json", kind=Kind.FILE, size=1 << 30),
    ]
    layer = Layer(diff_id=DiffId.parse("sha256:" + "0" * 64), table=FileTable.of(entries))
    notes = find_owners(overlay([layer])).notes
    assert len(notes) == 2
    assert all("was not read: more than" in note for note in notes)
    assert own({}).notes == ()
