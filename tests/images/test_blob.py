"""A blob is told by its bytes, however it is compressed and cut into pieces."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import struct
import threading
from typing import TYPE_CHECKING

import pytest

from hullmark._images import decompression
from hullmark._images.blob import read_blob
from hullmark._images.interface import Blob, Request, Unreadable
from hullmark.errors import DamagedImage, Interrupted
from hullmark.model.digest import Digest
from hullmark.model.table import Entry, Kind
from hullmark.testing import compress, layer_tar

if TYPE_CHECKING:
    from hullmark._images.interface import Walked

TAR = layer_tar(
    [Entry(path=f"/usr/lib/{n}", kind=Kind.FILE, size=n * 17) for n in range(300)]
    + [Entry(path="/etc", kind=Kind.DIRECTORY)]
)
SKIPPED = struct.pack("<II", 0x184D2A50, 7) + b"skipped"


def cut(content: bytes, size: int) -> list[bytes]:
    """Pieces of that size."""
    return [content[start : start + size] for start in range(0, len(content), size)]


def blob_of(
    content: bytes, *, piece: int = 1 << 20, digest: str | None = None, transfer: int | None = None
) -> Blob:
    """A blob whose manifest says what is true, or what is given."""
    return Blob(
        digest=Digest.parse(digest or f"sha256:{hashlib.sha256(content).hexdigest()}"),
        transfer=len(content) if transfer is None else transfer,
        open=lambda: contextlib.nullcontext(iter(cut(content, piece))),
    )


def read(content: bytes, *, piece: int = 1 << 20, pipeline: bool = False) -> Walked:
    """The layer in a blob; raises why it is none."""
    found = read_blob(
        blob_of(content, piece=piece), Request(), "layer", stopped=lambda: False, pipeline=pipeline
    )
    if isinstance(found, Unreadable):
        raise found.error
    return found


FORMS = {
    "plain": TAR,
    "gzip": gzip.compress(TAR),
    "gzip in members": b"".join(gzip.compress(part) for part in cut(TAR, 700)),
    "gzip with padding": gzip.compress(TAR) + bytes(100),
    "gzip, padded members": gzip.compress(TAR[:5000]) + bytes(9) + gzip.compress(TAR[5000:]),
    "gzip, stored": gzip.compress(TAR, 0),
    "zstd": compress(TAR, "zstd"),
    "zstd in frames": b"".join(compress(part, "zstd") for part in cut(TAR, 700)),
    "zstd with frames to skip": SKIPPED
    + compress(TAR[:9000], "zstd")
    + SKIPPED
    + compress(TAR[9000:], "zstd")
    + SKIPPED,
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("piece", [1, 300, 1 << 20])
@pytest.mark.parametrize("pipeline", [False, True])
def test_a_layer_is_the_same_however_it_is_stored(form: str, piece: int, pipeline: bool) -> None:  # noqa: FBT001  # a parameter
    walked = read(FORMS[form], piece=piece, pipeline=pipeline)
    assert str(walked.diff_id) == f"sha256:{hashlib.sha256(TAR).hexdigest()}"
    assert str(walked.digest) == f"sha256:{hashlib.sha256(FORMS[form]).hexdigest()}"
    assert walked.transfer == len(FORMS[form])
    assert list(walked.table) == list(read(TAR).table)
    assert not [thread for thread in threading.enumerate() if thread.name == "hullmark-layer"]


@pytest.mark.parametrize("form", ["gzip", "gzip in members", "gzip, padded members"])
def test_gzip_is_read_without_the_fast_library_too(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "isal.isal_zlib", None)
    made = []
    new = decompression._new_inflate()  # noqa: SLF001  # what is tested
    made.append(type(new()).__module__)
    assert made == ["zlib"]
    assert str(read(FORMS[form]).diff_id) == f"sha256:{hashlib.sha256(TAR).hexdigest()}"


@pytest.mark.parametrize(
    "content",
    [b"", bytes(1024), gzip.compress(b""), gzip.compress(bytes(1024)), compress(b"", "zstd")],
    ids=["nothing", "the end", "gzip of nothing", "gzip of the end", "zstd of nothing"],
)
def test_a_layer_may_hold_nothing(content: bytes) -> None:
    assert len(read(content).table) == 0


@pytest.mark.parametrize("form", [form for form in FORMS if form != "plain"])
@pytest.mark.parametrize("pipeline", [False, True])
def test_what_ends_too_early_or_is_changed_on_the_way_is_damage(form: str, pipeline: bool) -> None:  # noqa: FBT001  # a parameter
    content = FORMS[form]
    for end in {1, 3, 9, 11, len(content) // 3, len(content) // 2}:
        with pytest.raises(DamagedImage, match=r"^layer"):
            read(content[:end], pipeline=pipeline)
    for place in range(40, len(content), max(1, len(content) // 23)):
        changed = bytearray(content)
        changed[place] ^= 0x41
        with pytest.raises(
            DamagedImage, match=r"^layer: the manifest says sha256:.*, and the .* have sha256:"
        ):
            read_blob(
                blob_of(bytes(changed), digest=f"sha256:{hashlib.sha256(content).hexdigest()}"),
                Request(),
                "layer",
                stopped=lambda: False,
                pipeline=pipeline,
            )


def test_both_digests_are_named_where_they_differ() -> None:
    promised = f"sha256:{'0' * 64}"
    found = hashlib.sha256(FORMS["gzip"]).hexdigest()
    with pytest.raises(
        DamagedImage, match=f"the manifest says {promised}, and the [0-9]+ bytes .* sha256:{found}"
    ):
        read_blob(blob_of(FORMS["gzip"], digest=promised), Request(), "layer", stopped=lambda: False)


@pytest.mark.parametrize(("said", "message"), [(-1, "goes on after them"), (1, "and ends after")])
def test_a_blob_of_another_size_is_damage(said: int, message: str) -> None:
    content = FORMS["gzip"]
    with pytest.raises(DamagedImage, match=message):
        read_blob(blob_of(content, transfer=len(content) + said), Request(), "layer", stopped=lambda: False)


@pytest.mark.parametrize(("magic", "name"), [(b"BZh91AY", "bzip2"), (b"\xfd7zXZ\0\0", "xz")])
def test_what_layers_are_never_compressed_with_is_named(magic: bytes, name: str) -> None:
    with pytest.raises(DamagedImage, match=f"compressed with {name}"):
        read(magic)


def test_reading_stops_when_it_is_asked_to() -> None:
    with pytest.raises(Interrupted):
        read_blob(blob_of(TAR), Request(), "layer", stopped=lambda: True)
