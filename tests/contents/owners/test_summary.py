"""Space by owner and by directory, and what all owners share."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st
from tests.calls import calls

from hullmark._anatomy import dissect
from hullmark._contents.filesystem import overlay
from hullmark._contents.owners import find_owners
from hullmark._contents.packages.capture import Combined, PackageCapture
from hullmark._contents.summary import by_directory, by_owner, by_top
from hullmark.model.digest import DiffId
from hullmark.model.image import Layer
from hullmark.model.table import Entry, FileTable, Kind
from hullmark.testing import synthetic_image

if TYPE_CHECKING:
    from tests.contents.owners.conftest import Own


def test_space_goes_by_owner_with_the_largest_first(own: Own) -> None:
    owned = own(
        {
            "/usr/a": "aaaa",
            "/usr/link": "= /usr/a",
            "/home/x": "xxxxxxxx",
            "/var/lib/dpkg/info/p.list": "/usr/a\n",
            "/var/lib/dpkg/status": "Package: p\nStatus: install ok installed\nVersion: 1\n",
        },
        {"/home/x": "yy"},
    )
    spaces = {str(each.owner): each for each in by_owner(owned.system, owned.ownership)}
    assert (spaces["p 1"].bytes, spaces["p 1"].files) == (4, 1)
    home = spaces["/home"]
    assert (home.bytes, home.files, home.masked_bytes, home.masked_files) == (2, 1, 8, 1)
    sizes = [each.bytes for each in by_owner(owned.system, owned.ownership)]
    assert sizes == sorted(sizes, reverse=True)


def test_directories_hold_what_is_below_them(own: Own) -> None:
    system = own({"/a/b/c/x": "xxx", "/a/y": "y", "/z": "zz", "/a/b/c/h": "= /z", "/e/": ""}).system
    found = {each.path: (each.bytes, each.files) for each in by_directory(system)}
    assert found == {"/": (6, 3), "/a": (4, 2), "/a/b": (3, 1), "/a/b/c": (3, 1)}
    assert [(each.path, each.bytes) for each in by_top(system)] == [("/a", 4), ("/z", 2)]


def test_what_lies_absurdly_deep_takes_no_longer_than_other_files(own: Own) -> None:
    deep = "/a" * 200_000
    package = '{"name": "p", "version": "1"}'
    owned = own({f"{deep}/x": "xx", f"{deep}/y": "y", "/node_modules/p/package.json": package})
    calls(lambda: by_directory(owned.system), most=100_000)
    found = {each.path: each.bytes for each in by_directory(owned.system)}
    assert found["/"] == 3 + len(package)
    assert found["/a" * 128] == 3
    assert owned.owner(f"{deep}/x") == "directory:/a"


_PATHS = st.lists(st.sampled_from("abc"), min_size=1, max_size=4).map(lambda names: "/" + "/".join(names))


@given(
    st.lists(st.dictionaries(_PATHS, st.one_of(st.none(), st.text("x", max_size=9))), min_size=1, max_size=4)
)
def test_together_owners_have_every_byte_and_directories_what_is_below(
    own: Own, layers: list[dict[str, str | None]]
) -> None:
    owned = own(*layers)
    spaces = by_owner(owned.system, owned.ownership)
    assert sum(each.bytes for each in spaces) == owned.system.visible_bytes
    assert sum(each.masked_bytes for each in spaces) == owned.system.masked_bytes
    expected = Counter[str]()
    for path in owned.system.visible:
        for parent in PurePosixPath(path).parents:
            expected[str(parent)] += owned.system.size(path)
    assert {each.path: each.bytes for each in by_directory(owned.system)} == dict(expected)
    for number, kind in enumerate(owned.system.kinds):
        nobody = owned.ownership.of(number) is None
        assert nobody == (kind in {Kind.DIRECTORY, Kind.WHITEOUT, Kind.OPAQUE})


_FILES = st.dictionaries(
    st.sampled_from(
        [
            "/var/lib/dpkg/status",
            "/var/lib/dpkg/status.d/a",
            "/var/lib/dpkg/status.d/a.md5sums",
            "/var/lib/dpkg/diversions",
            "/var/lib/dpkg/info/a.list",
            "/lib/apk/db/installed",
            "/var/lib/rpm/rpmdb.sqlite",
            "/s/site-packages/a-1.dist-info/METADATA",
            "/s/site-packages/a-1.dist-info/RECORD",
            "/s/site-packages/b.egg-info/PKG-INFO",
            "/s/site-packages/b.egg-info/requires.txt",
            "/s/site-packages/b.egg-info/top_level.txt",
            "/app/package.json",
            "/app/node_modules/a/package.json",
            "/app/pyproject.toml",
            "/app/requirements.txt",
            "/a",
        ]
    ),
    st.one_of(
        st.none(),
        st.binary(max_size=60),
        st.text(max_size=60),
        st.lists(
            st.sampled_from(
                [
                    *(
                        "Package: a",
                        "Status: install ok installed",
                        "Version: 1",
                        "",
                        "/a",
                        "../../a,,",
                        "F:",
                        "R:a",
                    ),
                    *(
                        "P:a",
                        "V:1",
                        "Name: a",
                        "Requires-Dist: a[b]; extra == 'b'",
                        "[x]",
                        "a; (",
                        '"a',
                        ".",
                        "..",
                        "/",
                    ),
                ]
            )
        ).map("\n".join),
    ),
    max_size=8,
)


@given(st.lists(_FILES, min_size=1, max_size=3))
def test_nothing_in_a_database_raises(own: Own, layers: list[dict[str, str | bytes | None]]) -> None:
    owned = own(*layers)
    assert sum(each.bytes for each in by_owner(owned.system, owned.ownership)) == owned.system.visible_bytes


def test_captures_are_combined_and_the_first_that_keeps_something_has_a_file() -> None:
    class Loud:
        name = "loud/1"

        def wants(self, path: str, size: int, mode: int) -> bool:
            return path == "/x" and size < 10 and mode == 0o644

        def take(self, path: str, content: memoryview) -> bytes | None:
            return b"loud" * len(content[:1]) if path in {"/x", "/app/package.json"} else None

    both = Combined(PackageCapture(), Loud())
    assert both.name == "packages/2 loud/1"
    assert both.wants("/x", 1, 0o644)
    assert both.wants("/app/package.json", 1, 0o600)
    assert not both.wants("/y", 1, 0o644)
    assert both.take("/x", memoryview(b"abc")) == b"loud"
    assert both.take("/app/package.json", memoryview(b"abc")) == b"abc"
    assert both.take("/y", memoryview(b"abc")) is None


def test_descriptions_are_kept_without_the_text_that_follows() -> None:
    capture = PackageCapture()
    kept = capture.take("/s/a-1.dist-info/METADATA", memoryview(b"Name: a\r\nVersion: 1\r\n\r\nA long text"))
    assert kept == b"Name: a\r\nVersion: 1"
    assert capture.take("/s/METADATA", memoryview(b"x")) is None
    assert not capture.wants("/s/a.dist-info/other.txt", 1, 0)


def _large() -> Layer:
    """A hundred and twenty thousand files: 700 packages of Debian, 1,500 of npm, and others."""
    capture = PackageCapture()
    files: dict[str, bytes | int] = {}
    status = []
    for at in range(700):
        paths = [f"/usr/lib/x86_64-linux-gnu/part{at}/file-{name}.so" for name in range(70)]
        status.append(f"Package: p{at}\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.{at}\n")
        files[f"/var/lib/dpkg/info/p{at}.list"] = "\n".join(["/usr", "/usr/lib", *paths]).encode()
        files |= dict.fromkeys(paths, 100)
    files["/var/lib/dpkg/status"] = "\n".join(status).encode()
    for at in range(1500):
        directory = f"/app/node_modules/package-{at}"
        needs = ",".join(f'"package-{(at * 7 + step) % 1500}": "*"' for step in range(4))
        files[f"{directory}/package.json"] = (
            f'{{"name": "package-{at}", "version": "1.0.{at}", "dependencies": {{{needs}}}}}'.encode()
        )
        files |= dict.fromkeys((f"{directory}/lib/part{name % 5}/file{name}.js" for name in range(45)), 50)
    entries = [
        Entry(path=path, kind=Kind.FILE, size=given if isinstance(given, int) else len(given))
        for path, given in files.items()
    ]
    captured = {
        path: given
        for path, given in files.items()
        if isinstance(given, bytes) and capture.wants(path, len(given), 0)
    }
    return Layer(diff_id=DiffId.parse("sha256:" + "0" * 64), table=FileTable.of(entries), captured=captured)


def test_finding_owners_grows_with_the_files_and_no_faster() -> None:
    layer = _large()
    system = overlay([layer])
    assert len(system.visible) > 115_000
    ownership = find_owners(system)
    assert len(ownership.packages) == 2200
    calls(lambda: find_owners(system), most=12 * len(system.visible))
    capture = PackageCapture()
    paths = layer.table.paths
    calls(lambda: [capture.wants(path, 100, 0o644) for path in paths], most=4 * len(paths))


@given(
    st.lists(
        st.dictionaries(_PATHS, st.one_of(st.none(), st.text("x", max_size=9), _PATHS.map("= {}".format))),
        min_size=1,
        max_size=4,
    )
)
def test_all_tables_count_the_same_files(own: Own, layers: list[dict[str, str | None]]) -> None:
    system = own(*layers).system
    image = replace(synthetic_image(), layers=system.layers)
    anatomy = dissect(image)
    seen = {system.inode(number) for number in system.visible.values()}
    files = {number for number in seen if system.kinds[number] == Kind.FILE}
    names = sum(1 for number in system.visible.values() if system.kinds[number] != Kind.DIRECTORY)
    counts = anatomy.counts
    assert counts.files == len(files)
    assert sum(each.files for each in anatomy.shares) == counts.files
    assert sum(each.files for each in anatomy.owners) == counts.files
    assert sum(each.files for each in anatomy.tops) == counts.files
    assert (anatomy.directories[0].files if anatomy.directories else 0) == counts.files
    assert sum(layer.table.files for layer in image.layers) == counts.files + counts.masked_files
    assert sum(each.files for each in anatomy.reclaim.hidden) == counts.masked_files
    assert counts.files + counts.links == names
    assert counts.directories == len(
        {path for path in system.visible if system.kind(path) is Kind.DIRECTORY} | system.implied
    )
