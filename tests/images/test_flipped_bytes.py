"""One byte of a layer that is another one is told as that, whatever else comes of it."""

from __future__ import annotations

import gzip
import hashlib
import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hullmark._images.cache import Cache
from hullmark._images.reference import open_image
from hullmark.errors import DamagedImage
from hullmark.model.table import Entry, Kind
from hullmark.testing import (
    COMPRESSIONS,
    Fault,
    FaultyRegistry,
    ImageFiles,
    archive_of,
    compress,
    docker_files,
    layer_tar,
    oci_files,
    write_files,
)

if TYPE_CHECKING:
    from hullmark.model.image import Image

LAYERS = (
    layer_tar(
        [
            Entry(path="/etc", kind=Kind.DIRECTORY, mode=0o755),
            Entry(path="/etc/motd", kind=Kind.FILE, mode=0o644, mtime=1_700_000_000),
            Entry(path=f"/{'long' * 40}", kind=Kind.FILE, size=700, xattrs=(("user.a", b"1"),)),
            Entry(path="/link", kind=Kind.SYMLINK, link="etc/motd"),
        ],
        {"/etc/motd": bytes(range(256)) * 9},
    ),
    layer_tar([Entry(path="/etc/motd", kind=Kind.WHITEOUT)]),
)
IMAGE = ImageFiles(layers=LAYERS)
MEDIA = [
    *(("oci-dir", layers, "") for layers in COMPRESSIONS),
    *(("oci-archive", layers, whole) for layers in COMPRESSIONS for whole in ("", "zstd")),
    *(("docker-archive", layers, whole) for layers in ("new", "legacy", "packed") for whole in ("", "gzip")),
]


def sha256(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def files_of(scheme: str, layers: str) -> tuple[dict[str, bytes], str]:
    """The image, and the path of its first layer in it."""
    if scheme != "docker-archive":
        return oci_files(
            {"app": IMAGE}, compression=layers
        ), f"blobs/sha256/{hashlib.sha256(compress(LAYERS[0], layers)).hexdigest()}"
    files = docker_files({"app:1": IMAGE}, legacy=layers != "new")
    (saved,) = json.loads(files["manifest.json"])
    path = saved["Layers"][0]
    if layers == "packed":
        files[path] = compress(files[path], "gzip")
    return files, path


def opened(directory: Path, scheme: str, files: dict[str, bytes], whole: str) -> Image:
    if scheme == "oci-dir":
        write_files(directory / "image", files)
    else:
        (directory / "image").write_bytes(archive_of(files, compression=whole))
    return open_image(f"{scheme}:{directory / 'image'}", environ={}, cache=Cache(None))


@pytest.mark.parametrize("medium", MEDIA, ids="-".join)
@settings(max_examples=25)
@given(data=st.data())
def test_any_flipped_byte_of_a_layer_is_told_as_a_digest_that_differs(
    medium: tuple[str, str, str], data: st.DataObject
) -> None:
    scheme, layers, whole = medium
    files, path = files_of(scheme, layers)
    original = files[path]
    changed = bytearray(original)
    changed[data.draw(st.integers(0, len(original) - 1))] ^= data.draw(st.integers(1, 255))
    files[path] = bytes(changed)
    with tempfile.TemporaryDirectory() as directory:
        try:
            image = opened(Path(directory), scheme, files, whole)
        except DamagedImage as error:
            said = error
        else:
            # The header of a compressed layer that nobody gave a digest, such as its time.
            assert layers == "packed"
            assert str(image.layers[0].diff_id) == sha256(LAYERS[0])
            return
    assert said.exit_code == 3
    assert said.hint is not None
    assert "layer 1 of 2" in said.message or f"`{path}`" in said.message
    if layers == "packed":
        # What cannot be decompressed has no diff ID.
        assert sha256(LAYERS[0]) in said.message
        assert "and its tar has sha256:" in said.message or "gzip data" in said.message
    else:
        assert sha256(original) in said.message
        assert sha256(bytes(changed)) in said.message


def test_what_was_saved_by_an_old_engine_is_held_against_the_diff_ids(tmp_path: Path) -> None:
    files, path = files_of("docker-archive", "legacy")
    # The checksum of the first header: the tar cannot be read from there on.
    changed = bytearray(files[path])
    changed[150] ^= 1
    files[path] = bytes(changed)
    for whole in ("", "gzip"):
        with pytest.raises(DamagedImage) as caught:
            opened(tmp_path, "docker-archive", files, whole)
        assert (
            f"the configuration says that its diff ID is {sha256(LAYERS[0])}, and its tar has {sha256(bytes(changed))}"
            in caught.value.message
        )


def test_a_layer_that_was_never_a_tar_is_told_as_that_where_its_digests_are_right(tmp_path: Path) -> None:
    broken = ImageFiles(layers=(b"no tar, but what the image was made with" * 30,))
    for scheme, files, whole in (
        ("oci-dir", oci_files({"app": broken}), ""),
        ("docker-archive", docker_files({"app:1": broken}, legacy=True), ""),
        ("docker-archive", docker_files({"app:1": broken}, legacy=True), "gzip"),
    ):
        with pytest.raises(DamagedImage, match="is no readable tar archive"):
            opened(tmp_path / scheme if scheme == "oci-dir" else tmp_path, scheme, files, whole)


def test_files_of_an_archive_that_are_no_layers_of_the_image_may_be_anything(tmp_path: Path) -> None:
    files = docker_files({"app:1": IMAGE}) | {"VERSION": b"1.0", "notes.gz": b"\x1f\x8bnothing", "x": b"BZh9"}
    for whole in ("", "gzip"):
        assert len(opened(tmp_path, "docker-archive", files, whole).layers) == 2


def test_a_layer_may_begin_with_a_file_whose_name_begins_as_a_document_does(tmp_path: Path) -> None:
    image = ImageFiles(layers=(layer_tar([Entry(path="/{a}", kind=Kind.FILE, size=3)]),))
    for whole in ("", "gzip"):
        read = opened(tmp_path, "docker-archive", docker_files({"app:1": image}), whole)
        assert list(read.layers[0].table.paths) == ["/{a}"]


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_a_byte_that_changes_between_a_registry_and_here_is_told_with_both_digests(packed: bool) -> None:  # noqa: FBT001  # a parameter
    layer = gzip.compress(LAYERS[0], mtime=0) if packed else LAYERS[0]
    for place in (0, 3, 150, len(layer) // 2, len(layer) - 1):
        with FaultyRegistry() as registry:
            registry.image("app", "latest", layers=[layer])
            digest = sha256(layer)
            registry.fault(f"/blobs/{digest}", Fault(flip=place))
            with pytest.raises(DamagedImage, match=rf"layer 1 of 1.*says {digest}, and the .* sha256:"):
                open_image(f"registry:{registry.host}/app", environ={}, cache=Cache(None))
