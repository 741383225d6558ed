"""Every entry of an image has one origin, and their bytes add up to the image's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hullmark._contents.attribution import attribute, shares
from hullmark._contents.filesystem import overlay
from hullmark._dockerfile import parse
from hullmark.model.attribution import Told
from hullmark.model.digest import DiffId, Digest
from hullmark.model.image import HistoryEntry, Image, ImageConfiguration, Layer
from hullmark.model.table import Entry, FileTable, Kind

if TYPE_CHECKING:
    from collections.abc import Sequence


def _file(path: str, size: int = 1, **others: Any) -> Entry:
    return Entry(path=path, kind=Kind.FILE, size=size, **{"mode": 0o644, "mtime": 7, **others})


def _link(path: str, other: str) -> Entry:
    return Entry(path=path, kind=Kind.HARDLINK, link=other, mode=0o644, mtime=7)


def _image(*layers: tuple[str, Sequence[Entry]], directory: str = "") -> Image:
    """An image of layers, each with what its history says."""
    return Image(
        reference="x:1",
        config_digest=Digest.parse(f"sha256:{'0' * 64}"),
        platform="linux/amd64",
        configuration=ImageConfiguration(working_directory=directory),
        history=tuple(HistoryEntry(created_by=text) for text, _ in layers),
        layers=tuple(
            Layer(diff_id=DiffId.parse(f"sha256:{index:064x}"), table=FileTable.of(list(entries)))
            for index, (_, entries) in enumerate(layers)
        ),
    )


SQUASH = """\
FROM base:1 AS runtime
RUN one
RUN two
FROM scratch
COPY --from=runtime / /
COPY extra /extra
"""


def _lines(text: str, image: Image, stages: dict[int, Image], paths: Sequence[str]) -> list[list[int]]:
    """The lines of the Dockerfile that wrote each of `paths`, from the last to the first; 0 for a whole copy alone."""
    attribution = attribute(image, parse(text, "Dockerfile").recipe(), stages)
    table = image.layers[0].table
    return [
        [
            0 if origin.told is Told.COPY else origin.span.line
            for origin in attribution.origin(0, table.paths.index(path)).chain
            if origin.span is not None
        ]
        for path in paths
    ]


def test_a_file_of_a_squash_is_the_layer_s_that_wrote_it_last() -> None:
    runtime = _image(
        ("ADD file:1 in /", [_file("/a", 10), _file("/b", 20), _file("/linked", 40)]),
        ("RUN one", [_file("/b", 21), _file("/c", 5), _link("/same", "/c"), _link("/below", "/linked")]),
        (
            "RUN two",
            [_file("/c", 5, mode=0o755), _file("/d", 5), Entry(path="/e", kind=Kind.SYMLINK, link="d")],
        ),
    )
    squashed = _image(
        (
            "COPY / / # buildkit",
            [
                *(_file("/a", 10), _file("/b", 21), _file("/below", 40), _file("/c", 5), _file("/same", 5)),
                *(_file("/d", 6), Entry(path="/e", kind=Kind.SYMLINK, link="d"), _link("/linked", "/below")),
                Entry(path="/nowhere", kind=Kind.SYMLINK, link="d"),
            ],
        ),
        ("COPY extra /extra # buildkit", [_file("/extra", 100)]),
    )
    names = ["/a", "/b", "/below", "/c", "/same", "/d", "/e", "/linked", "/nowhere"]
    # `/c` kept the mode that it had below, and `/d` has another size than any layer wrote.
    assert _lines(SQUASH, squashed, {0: runtime}, names) == [
        *([1], [2], [1], [2], [2], [0], [3], [1], [0]),
    ]
    attribution = attribute(squashed, parse(SQUASH, "Dockerfile").recipe(), {0: runtime})
    found = shares(attribution, overlay(squashed.layers))
    assert [(share.origin.text, share.bytes, share.files) for share in found] == [
        ("COPY extra /extra", 100, 1),
        ("FROM base:1 AS runtime", 50, 2),
        ("RUN one", 31, 3),
        ("COPY --from=runtime / /", 6, 1),
    ]
    assert [share.bytes for share in found if not share.origin.told.attributed] == [6]
    assert attribution.steps[0].text == "COPY --from=runtime / /"


@pytest.mark.parametrize(
    ("copy", "written", "made"),
    [
        ("/venv /opt/venv", "/opt/venv/lib/x.py", "/venv/lib/x.py"),
        ("/venv/ /opt/", "/opt/lib/x.py", "/venv/lib/x.py"),
        ("venv ./", "/srv/lib/x.py", "/venv/lib/x.py"),
        ("/venv/lib/x.py /opt/", "/opt/x.py", "/venv/lib/x.py"),
        ("/venv/lib/x.py /opt/y.py", "/opt/y.py", "/venv/lib/x.py"),
        ("/venv/lib/*.py /opt/", "/opt/x.py", "/venv/lib/x.py"),
        ("/ven? /opt/", "/opt/lib/x.py", "/venv/lib/x.py"),
        ("/nothing /venv /opt/", "/opt/lib/x.py", "/venv/lib/x.py"),
        ("--chown=1:1 --chmod=0755 /venv /opt/", "/opt/lib/x.py", "/venv/lib/x.py"),
        ("--parents /venv/lib /opt/", "/opt/venv/lib/x.py", "/venv/lib/x.py"),
        ('["/venv", "/a b/"]', "/a b/lib/x.py", "/venv/lib/x.py"),
    ],
)
def test_a_file_copied_from_another_stage_is_followed_into_it(copy: str, written: str, made: str) -> None:
    text = f"FROM base:1 AS builder\nRUN make\nFROM base:2\nWORKDIR /srv\nCOPY --from=builder {copy}\n"
    venv = [Entry(path="/venv", kind=Kind.DIRECTORY), Entry(path="/venv/lib", kind=Kind.DIRECTORY)]
    builder = _image(("ADD x", [_file("/etc/x")]), ("RUN make", [*venv, _file(made, 10)]))
    image = _image(
        (
            f"COPY {copy} # buildkit",
            [_file(written, 10, mode=0o755, uid=1), _file("/elsewhere", 10), _file(f"{written}z", 9)],
        )
    )
    assert _lines(text, image, {0: builder}, [written]) == [[5, 2]]
    assert _lines(text, image, {0: builder}, ["/elsewhere", f"{written}z"]) == [[5], [5]]
    assert _lines(text, image, {}, [written]) == [[5]]


def test_copies_are_followed_from_stage_to_stage() -> None:
    text = (
        "FROM scratch AS one\nADD a /a\nFROM scratch AS two\nCOPY --from=one /a /b\n"
        "FROM scratch AS three\nCOPY --from=two / /\nFROM three\nCOPY --from=three /b /c\n"
    )
    one = _image(("ADD a /a", [_file("/a", 3)]))
    two = _image(("COPY /a /b", [_file("/b", 3)]))
    three = _image(("COPY / /", [_file("/b", 3)]))
    image = _image(("COPY / /", [_file("/b", 3)]), ("COPY /b /c", [_file("/c", 3)]))
    attribution = attribute(image, parse(text, "Dockerfile").recipe(), {0: one, 1: two, 2: three})
    chains = [
        [origin.span.line for origin in attribution.origin(layer, 0).chain if origin.span]
        for layer in range(2)
    ]
    assert chains == [[4, 2], [8, 4, 2]]


_ENTRIES = st.lists(
    st.builds(
        _file,
        st.sampled_from(["/a", "/b", "/c/d", "/c/e"]),
        st.integers(0, 3),
        mode=st.sampled_from([0o644, 0o755]),
    ),
    max_size=5,
)


@given(
    base=_ENTRIES, one=_ENTRIES, two=_ENTRIES, squashed=_ENTRIES, extra=_ENTRIES, given_stage=st.booleans()
)
def test_origins_share_all_bytes_between_them(
    *,
    base: list[Entry],
    one: list[Entry],
    two: list[Entry],
    squashed: list[Entry],
    extra: list[Entry],
    given_stage: bool,
) -> None:
    runtime = _image(("ADD x", base), ("RUN one", one), ("RUN two", two))
    image = _image(("COPY / /", squashed), ("COPY extra /extra", extra))
    attribution = attribute(
        image, parse(SQUASH, "Dockerfile").recipe(), {0: runtime} if given_stage else None
    )
    assert [len(rows) for rows in attribution.rows] == [len(squashed), len(extra)]
    assert len(set(attribution.origins)) == len(attribution.origins)
    files = overlay(image.layers)
    found = shares(attribution, files)
    assert sum(share.bytes for share in found) == files.visible_bytes
    assert sum(share.files for share in found) == len(files.visible)
    # What is attributed through the squash was written there with this size.
    for row, entry in enumerate(squashed):
        origin = attribution.origin(0, row)
        if origin.keyword == "RUN":
            assert any(entry == other for other in (one if origin.text == "RUN one" else two))
