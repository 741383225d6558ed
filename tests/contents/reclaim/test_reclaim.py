"""What an image could give back is measured by kind, and no byte twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hullmark._contents.attribution import attribute
from hullmark._contents.filesystem import overlay
from hullmark._contents.reclaim import reclaim, waste_of
from hullmark.model.digest import DiffId, Digest
from hullmark.model.image import HistoryEntry, Image, ImageConfiguration, Layer
from hullmark.model.reclaim import Waste
from hullmark.model.table import DIGEST_SIZE, Entry, FileTable, Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hullmark.model.reclaim import Reclaim


def _file(path: str, size: int, content: str = "") -> tuple[Entry, bytes]:
    """A file, and a digest that is that of all files called the same in `content`, or of nothing else."""
    return Entry(path=path, kind=Kind.FILE, size=size), (content or path).encode()[-DIGEST_SIZE:].ljust(16)


def _other(path: str, kind: Kind, link: str = "") -> tuple[Entry, bytes]:
    return Entry(path=path, kind=kind, link=link), bytes(DIGEST_SIZE)


def _image(*layers: Sequence[tuple[Entry, bytes]], digests: bool = True) -> Image:
    return Image(
        reference="x:1",
        config_digest=Digest.parse(f"sha256:{'0' * 64}"),
        platform="linux/amd64",
        configuration=ImageConfiguration(),
        history=tuple(HistoryEntry(created_by=f"RUN step {index}") for index in range(len(layers))),
        layers=tuple(
            Layer(
                diff_id=DiffId.parse(f"sha256:{index:064x}"),
                table=FileTable.of(
                    [entry for entry, _ in entries],
                    b"".join(digest for _, digest in entries) if digests else None,
                ),
            )
            for index, entries in enumerate(layers)
        ),
    )


def _reclaim(image: Image) -> Reclaim:
    return reclaim(overlay(image.layers), attribute(image))


def test_hidden_bytes_name_who_wrote_and_who_hid_them() -> None:
    image = _image(
        [_file("/cache/a", 10), _file("/cache/b", 5), _file("/kept", 1)],
        [_file("/cache/a", 20), _file("/other", 3)],
        [_other("/cache", Kind.WHITEOUT), _file("/other", 4)],
    )
    found = _reclaim(image)
    assert found.squash == 38
    assert [
        (each.written.text, each.hidden.text, each.bytes, each.files, [top.path for top in each.top])
        for each in found.hidden
    ] == [
        ("RUN step 1", "RUN step 2", 23, 2, ["/cache/a", "/other"]),
        ("RUN step 0", "RUN step 1", 10, 1, ["/cache/a"]),
        ("RUN step 0", "RUN step 2", 5, 1, ["/cache/b"]),
    ]


@pytest.mark.parametrize(
    ("path", "waste"),
    [
        ("/var/lib/apt/lists/deb_dists_bookworm_InRelease", Waste.PACKAGE_LISTS),
        ("/var/cache/apt/pkgcache.bin", Waste.PACKAGE_LISTS),
        ("/var/cache/apt/archives/curl.deb", Waste.PACKAGE_CACHES),
        ("/root/.cache/pip/http/1", Waste.PACKAGE_CACHES),
        ("/home/app/.cache/uv/x", Waste.PACKAGE_CACHES),
        ("/root/.npm/_cacache/x", Waste.PACKAGE_CACHES),
        ("/var/cache/apk/APKINDEX.tar.gz", Waste.PACKAGE_CACHES),
        ("/opt/venv/lib/python3.11/site-packages/x/__pycache__/a.cpython-311.pyc", Waste.BYTE_CODE),
        ("/opt/venv/lib/python3.11/site-packages/x/tests/__pycache__/a.cpython-311.pyc", Waste.BYTE_CODE),
        ("/opt/venv/lib/python3.11/site-packages/numpy/core/tests/data.py", Waste.TESTS),
        ("/app/node_modules/@a/b/test/index.js", Waste.TESTS),
        ("/usr/lib/python3.11/test/x.py", Waste.TESTS),
        ("/usr/share/doc/bash/README", Waste.DOCUMENTATION),
        ("/usr/share/man/man1/bash.1.gz", Waste.DOCUMENTATION),
        ("/usr/share/locale/de/LC_MESSAGES/bash.mo", Waste.LOCALES),
        ("/app/dist/main.js.map", Waste.SOURCE_MAPS),
        ("/usr/lib/libc.a", Waste.STATIC_LIBRARIES),
        ("/usr/include/c++/12/vector", Waste.HEADERS),
        ("/opt/venv/lib/python3.11/site-packages/numpy/core/include/numpy/x.h", Waste.HEADERS),
        ("/usr/lib/debug/.build-id/ab/c.debug", Waste.DEBUG_FILES),
        # What may be needed, or has to be there
        ("/usr/share/doc/bash/copyright", None),
        ("/usr/share/locale/locale.alias", None),
        ("/app/tests/test_app.py", None),
        ("/app/map.js", None),
        ("/opt/documentation/x", None),
        ("/usr/lib/python3.11/unittest/mock.py", None),
        ("/var/lib/dpkg/status", None),
    ],
)
def test_waste_is_told_by_its_path(path: str, waste: Waste | None) -> None:
    assert waste_of(path) is waste


def test_a_file_is_counted_once_and_only_when_all_of_its_names_would_go() -> None:
    image = _image(
        [
            _file("/usr/share/man/a", 10),
            _other("/usr/share/man/b", Kind.HARDLINK, "/usr/share/man/a"),
            _file("/usr/share/doc/c", 7),
            _other("/usr/bin/c", Kind.HARDLINK, "/usr/share/doc/c"),
        ]
    )
    found = _reclaim(image)
    assert [(saving.waste, saving.bytes, saving.files) for saving in found.savings] == [
        (Waste.DOCUMENTATION, 10, 1)
    ]


def test_duplicates_are_files_of_one_content_and_not_names_of_one_file() -> None:
    image = _image(
        [_file("/a", 10, "x"), _other("/linked", Kind.HARDLINK, "/a"), _file("/gone", 10, "x")],
        [
            *(_file("/b", 10, "x"), _file("/c", 10, "x"), _file("/d", 10), _file("/empty", 0, "e")),
            *(_file("/none", 0, "e"), _other("/gone", Kind.WHITEOUT)),
        ],
    )
    found = _reclaim(image)
    [duplicate] = found.duplicates
    assert (duplicate.paths, duplicate.size, duplicate.wasted) == (("/a", "/b", "/c"), 10, 20)
    assert found.saving(Waste.DUPLICATES) == 20
    assert found.notes == ()


def test_duplicates_are_not_guessed_where_contents_were_not_read() -> None:
    found = _reclaim(_image([_file("/a", 10, "x"), _file("/b", 10, "x")], digests=False))
    assert found.duplicates == ()
    assert found.notes == ("equal files were not looked for: `--duplicates` does",)


_FILES = st.lists(
    st.builds(
        _file,
        st.sampled_from(
            ["/a", "/b/c.pyc", "/usr/share/man/x", "/usr/share/doc/x", "/var/lib/apt/lists/x", "/lib/y.a"]
        ),
        st.integers(0, 9),
        st.sampled_from(["", "same"]),
    )
    | st.builds(
        _other,
        st.sampled_from(["/a", "/b", "/usr/share", "/usr/share/man/x"]),
        st.just(Kind.WHITEOUT),
    ),
    max_size=8,
)


@given(st.lists(_FILES, max_size=4))
def test_savings_are_never_more_than_what_is_seen(layers: list[list[tuple[Entry, bytes]]]) -> None:
    image = _image(*layers)
    files = overlay(image.layers)
    found = _reclaim(image)
    assert sum(saving.bytes for saving in found.savings) <= files.visible_bytes
    assert sum(pair.bytes for pair in found.hidden) == found.squash == image.unpacked - files.visible_bytes
    assert sum(each.wasted for each in found.duplicates) == found.saving(Waste.DUPLICATES)
