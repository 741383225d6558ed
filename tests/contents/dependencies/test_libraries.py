"""Libraries are looked for where the dynamic loaders look, and nowhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hullmark._contents.elf import Elf, packed
from hullmark._contents.filesystem import overlay
from hullmark._contents.libraries import ConfigurationCapture, missing_libraries
from hullmark.model.dependency import Certainty, Problem
from hullmark.model.digest import DiffId
from hullmark.model.image import Layer
from hullmark.model.table import Entry, FileTable, Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hullmark.model.dependency import Missing

GLIBC = "/lib64/ld-linux-x86-64.so.2"
MUSL = "/lib/ld-musl-x86_64.so.1"
X86, ARM = 62, 183


def _elf(
    *needed: str,
    machine: int = X86,
    soname: str = "",
    interpreter: str = "",
    rpath: str = "",
    runpath: str = "",
    kind: int = 3,
) -> Elf:
    return Elf(
        bits=64,
        little=True,
        machine=machine,
        kind=kind,
        needed=needed,
        soname=soname,
        interpreter=interpreter,
        rpath=(rpath,) if rpath else (),
        runpath=(runpath,) if runpath else (),
    )


def _program(*needed: str, loader: str = GLIBC, rpath: str = "", runpath: str = "") -> Elf:
    return _elf("libc.so.6", *needed, interpreter=loader, rpath=rpath, runpath=runpath)


LIBC = {GLIBC: _elf(soname="ld-linux-x86-64.so.2"), "/lib/libc.so.6": _elf(soname="libc.so.6")}
MUSL_LIBC = {MUSL: _elf(soname="libc.musl-x86_64.so.1")}


def _missing(
    files: Mapping[str, Elf | str | bytes], environment: Mapping[str, str] | None = None
) -> tuple[Missing, ...]:
    """What is missing among ELF files, symbolic links (text) and other files (bytes)."""
    entries, captured = [], {}
    for path, content in files.items():
        match content:
            case str():
                entries.append(Entry(path=path, kind=Kind.SYMLINK, link=content))
            case bytes():
                entries.append(Entry(path=path, kind=Kind.FILE, size=max(100, len(content)), mode=0o644))
                captured[path] = content
            case _:
                entries.append(Entry(path=path, kind=Kind.FILE, size=100, mode=0o755))
                captured[path] = packed(content)
    layer = Layer(diff_id=DiffId.parse(f"sha256:{'0' * 64}"), table=FileTable.of(entries), captured=captured)
    return missing_libraries(overlay([layer]), environment)


@pytest.mark.parametrize(
    ("program", "library", "others", "environment"),
    [
        ("", "/usr/lib/libx.so.1", {}, {}),
        ("", "/usr/lib/x86_64-linux-gnu/libx.so.1", {}, {}),
        ("", "/lib64/libx.so.1", {}, {}),
        ("", "/srv/libx.so.1", {}, {"LD_LIBRARY_PATH": "/nowhere:/srv"}),
        ("", "/srv/libx.so.1", {"/etc/ld.so.conf": b"# a word\n/srv # here\n"}, {}),
        (
            "",
            "/srv/libx.so.1",
            {"/etc/ld.so.conf": b"include ld.so.conf.d/*.conf\n", "/etc/ld.so.conf.d/a.conf": b"/srv\n"},
            {},
        ),
        ("runpath $ORIGIN/../private", "/usr/private/libx.so.1", {}, {}),
        ("runpath ${ORIGIN}", "/usr/bin/libx.so.1", {}, {}),
        ("runpath /usr/local/$LIB", "/usr/local/lib/x86_64-linux-gnu/libx.so.1", {}, {}),
        ("rpath /srv", "/srv/libx.so.1", {}, {}),
        # Through symbolic links of files and directories
        ("", "/usr/lib/libx.so.1.2", {"/usr/lib/libx.so.1": "libx.so.1.2"}, {}),
        ("runpath /srv", "/data/libx.so.1", {"/srv": "/data"}, {}),
    ],
)
def test_a_library_is_found(
    program: str, library: str, others: dict[str, bytes | str], environment: dict[str, str]
) -> None:
    way, _, place = program.partition(" ")
    elf = _program("libx.so.1", **({way: place} if way else {}))
    assert _missing({**LIBC, "/usr/bin/program": elf, library: _elf(), **others}, environment) == ()
    [without] = _missing({**LIBC, "/usr/bin/program": elf, **others}, environment)
    assert (without.path, without.name, without.certainty) == (
        "/usr/bin/program",
        "libx.so.1",
        Certainty.CERTAIN,
    )


@pytest.mark.parametrize(
    ("path", "library"),
    [
        ("/usr/lib/libx.so.1", _elf(machine=ARM)),
        ("/usr/lib/private/libx.so.1", _elf()),
        ("/usr/lib/libx.so", _elf(soname="libx.so")),
        ("/usr/lib/libx.so.1", "libx.so.1.2"),
    ],
    ids=["of another architecture", "where nobody looks", "under another name", "a link to nowhere"],
)
def test_a_library_that_the_loader_does_not_take_is_missing(path: str, library: Elf | str) -> None:
    found = _missing({**LIBC, "/usr/bin/program": _program("libx.so.1"), path: library})
    assert [each.name for each in found if each.path == "/usr/bin/program"] == ["libx.so.1"]


def test_the_rpath_of_a_program_holds_for_its_libraries_and_the_runpath_does_not() -> None:
    def tree(**way: str) -> dict[str, Elf]:
        return {
            **LIBC,
            "/opt/bin/program": _program("liba.so", **way),
            "/opt/lib/liba.so": _elf("libgone.so", soname="liba.so"),
        }

    assert [each.name for each in _missing(tree(rpath="/opt/lib"))] == ["libgone.so"]
    with_rpath = {**tree(rpath="/opt/lib"), "/opt/lib/libgone.so": _elf()}
    assert _missing(with_rpath) == ()


def test_musl_looks_where_its_own_file_says() -> None:
    program = _elf("libc.musl-x86_64.so.1", "libx.so.1", interpreter=MUSL)
    files: dict[str, Elf | str | bytes] = {
        **MUSL_LIBC,
        "/lib/libc.musl-x86_64.so.1": "ld-musl-x86_64.so.1",
        "/usr/bin/program": program,
        "/srv/libx.so.1": _elf("libc.musl-x86_64.so.1"),
    }
    assert [each.name for each in _missing(files)] == ["libx.so.1"]
    assert _missing({**files, "/etc/ld-musl-x86_64.path": b"/lib:/srv\n"}) == ()


def test_private_libraries_of_a_wheel_are_found_and_missed() -> None:
    module = "/opt/venv/lib/python3.11/site-packages/pkg/core.cpython-311-x86_64-linux-gnu.so"
    inside = "/opt/venv/lib/python3.11/site-packages/pkg.libs/libprivate-1234.so.1"
    files: dict[str, Elf | str | bytes] = {**LIBC, module: _elf("libprivate-1234.so.1", "libc.so.6")}
    # It has no RPATH: the package loads the library itself before the module.
    assert _missing({**files, inside: _elf()}) == ()
    [found] = _missing(files)
    assert found.certainty is Certainty.LIKELY


def test_what_is_linked_statically_or_for_another_machine_is_no_certain_failure() -> None:
    found = _missing(
        {
            **LIBC,
            "/usr/bin/static": _elf(kind=2),
            "/usr/lib/object.o": _elf("libnever.so", kind=1),
            "/opt/prebuilt/arm.node": _elf("libc.so.6", "libgone.so", machine=ARM),
            "/opt/plugin.so": _elf("libgone.so"),
        }
    )
    assert {each.path: each.certainty for each in found} == {
        "/opt/plugin.so": Certainty.POSSIBLE,
        "/opt/prebuilt/arm.node": Certainty.POSSIBLE,
    }


def test_a_program_without_its_loader_cannot_be_started() -> None:
    [found] = _missing({"/usr/bin/program": _program()})
    assert (found.problem, found.name) == (Problem.LOADER_MISSING, GLIBC)


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("/etc/ld.so.conf", True),
        ("/etc/ld.so.conf.d/local.conf", True),
        ("/etc/ld-musl-aarch64.path", True),
        ("/etc/ld.so.cache", False),
        ("/etc/passwd", False),
    ],
)
def test_only_what_configures_a_loader_is_kept(path: str, *, wanted: bool) -> None:
    assert ConfigurationCapture().wants(path, 100, 0o644) is wanted


def test_configurations_that_include_each_other_end() -> None:
    files: dict[str, Elf | str | bytes] = {
        **LIBC,
        "/usr/bin/program": _program("libx.so.1"),
        "/etc/ld.so.conf": b"include /etc/ld.so.conf.d/*\n",
        "/etc/ld.so.conf.d/a": b"include /etc/ld.so.conf\ninclude /etc/ld.so.conf.d/*\n",
    }
    assert [each.name for each in _missing(files)] == ["libx.so.1"]
