"""Images made to do harm: one error each, exit 3, and bounded memory."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
import threading
import tracemalloc
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hullmark._images.cache import Cache
from hullmark._images.interface import Limits, Request
from hullmark._images.reference import open_image
from hullmark.errors import DamagedImage, HullmarkError, Unavailable, UsageError
from hullmark.model.table import Entry, Kind
from hullmark.testing import ImageFiles, archive_of, compress, docker_files, layer_tar, oci_files, write_files

if TYPE_CHECKING:
    from hullmark.model.image import Image

IMAGE = ImageFiles(layers=(layer_tar([Entry(path="/file", kind=Kind.FILE, size=5000)]), layer_tar([])))


def open_(reference: str, **limits: int) -> Image:
    return open_image(
        reference,
        environ={},
        cancelled=threading.Event(),
        cache=Cache(None),
        request=Request(limits=Limits(**limits)),
    )


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def layout(directory: Path, edit: Any, compression: str = "gzip") -> str:
    """An OCI layout whose manifest `edit` has changed; its digest is right."""
    files = oci_files({"app": IMAGE}, compression=compression)
    index = json.loads(files["index.json"])
    path = f"blobs/sha256/{index['manifests'][0]['digest'][7:]}"
    manifest = json.loads(files[path])
    edit(manifest, files)
    content = json.dumps(manifest).encode()
    files[f"blobs/sha256/{digest(content)}"] = content
    index["manifests"][0] |= {"digest": f"sha256:{digest(content)}", "size": len(content)}
    files["index.json"] = json.dumps(index).encode()
    return f"oci-dir:{write_files(directory / 'layout', files)}"


def add(files: dict[str, bytes], content: bytes) -> dict[str, Any]:
    files[f"blobs/sha256/{digest(content)}"] = content
    return {"mediaType": "", "digest": f"sha256:{digest(content)}", "size": len(content)}


def test_a_diff_id_that_is_not_the_layers_names_both(tmp_path: Path) -> None:
    other = layer_tar([Entry(path="/other", kind=Kind.FILE)])

    def edit(manifest: Any, files: dict[str, bytes]) -> None:
        manifest["layers"][0] = add(files, gzip.compress(other))

    with pytest.raises(DamagedImage) as caught:
        open_(layout(tmp_path, edit))
    assert digest(IMAGE.layers[0]) in caught.value.message
    assert digest(other) in caught.value.message
    assert "layer 1 of 2" in caught.value.message
    assert caught.value.exit_code == 3


@pytest.mark.parametrize("place", ["config", "layer", "manifest"])
def test_a_file_of_a_layout_that_was_changed_is_damage(tmp_path: Path, place: str) -> None:
    def nothing(_manifest: Any, _files: dict[str, bytes]) -> None:
        pass

    reference = layout(tmp_path, nothing)
    root = Path(reference.partition(":")[2])
    manifest_digest = json.loads((root / "index.json").read_bytes())["manifests"][0]["digest"][7:]
    manifest = json.loads((root / "blobs/sha256" / manifest_digest).read_bytes())
    which = {
        "config": manifest["config"]["digest"][7:],
        "layer": manifest["layers"][0]["digest"][7:],
        "manifest": manifest_digest,
    }[place]
    path = root / "blobs/sha256" / which
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(DamagedImage):
        open_(reference)
    path.write_bytes(b"")
    with pytest.raises(DamagedImage):
        open_(reference)
    path.unlink()
    with pytest.raises(DamagedImage, match="does not hold"):
        open_(reference)


BOMB = 1 << 28


@pytest.mark.parametrize("how", ["gzip", "zstd"])
def test_a_bomb_is_refused_before_it_fills_memory_or_time(tmp_path: Path, how: str) -> None:
    packed = gzip.compress(bytes(BOMB), 9) if how == "gzip" else compress(bytes(BOMB), "zstd")

    def edit(manifest: Any, files: dict[str, bytes]) -> None:
        manifest["layers"][0] = add(files, packed)

    reference = layout(tmp_path, edit)
    tracemalloc.start()
    try:
        with pytest.raises(DamagedImage, match="decompresses to more than 100 times its size") as caught:
            open_(reference, ratio=100, free=1 << 24)
        assert f"{len(packed):,} bytes of it" in caught.value.message
        # Nothing is said of a diff ID: it was not hashed to its end.
        assert "diff ID" not in caught.value.message
        assert "HULLMARK_LARGEST_RATIO" in str(caught.value.hint)
        with pytest.raises(DamagedImage, match="has more than 16,777,216 bytes unpacked") as caught:
            open_(reference, unpacked=1 << 24)
        assert "HULLMARK_LARGEST_LAYER" in str(caught.value.hint)
        assert tracemalloc.get_traced_memory()[1] < 1 << 27
    finally:
        tracemalloc.stop()


def test_the_environment_sets_what_a_layer_may_decompress_to(tmp_path: Path) -> None:
    large = layer_tar([Entry(path="/large", kind=Kind.FILE, size=1 << 20)])

    def edit(manifest: Any, files: dict[str, bytes]) -> None:
        config = json.loads(files[f"blobs/sha256/{manifest['config']['digest'][7:]}"])
        config["rootfs"]["diff_ids"][0] = f"sha256:{digest(large)}"
        manifest["layers"][0] = add(files, gzip.compress(large))
        manifest["config"] |= add(files, json.dumps(config).encode()) | {
            "mediaType": manifest["config"]["mediaType"]
        }

    reference = layout(tmp_path, edit)
    strict = Request(limits=Limits(free=1 << 18, ratio=100))

    def read(**environ: str) -> Image:
        return open_image(reference, environ=environ, cache=Cache(None), request=strict)

    with pytest.raises(DamagedImage, match="more than 100 times"):
        read()
    with pytest.raises(DamagedImage, match="more than 200 times"):
        read(HULLMARK_LARGEST_RATIO="200")
    assert len(read(HULLMARK_LARGEST_RATIO="2000").layers) == 2
    with pytest.raises(DamagedImage, match="more than 1,000,000 bytes"):
        read(HULLMARK_LARGEST_RATIO="2000", HULLMARK_LARGEST_LAYER="1 MB")
    for name, wrong in (("RATIO", "0"), ("RATIO", "many"), ("LAYER", "5000"), ("LAYER", "-1 MB")):
        with pytest.raises(UsageError, match=f"HULLMARK_LARGEST_{name}: .*{wrong}"):
            read(**{f"HULLMARK_LARGEST_{name}": wrong})


@pytest.mark.parametrize("how", ["gzip", "zstd"])
def test_an_archive_that_is_a_bomb_as_a_whole_is_refused(tmp_path: Path, how: str) -> None:
    packed = gzip.compress(bytes(BOMB), 9) if how == "gzip" else compress(bytes(BOMB), "zstd")
    (tmp_path / "bomb").write_bytes(packed)
    with pytest.raises(DamagedImage, match="decompresses to more than"):
        open_(f"docker-archive:{tmp_path / 'bomb'}", ratio=100, free=1 << 24)


HUGE = b"[" + b" " * 100_000_000 + b"]"


@pytest.mark.parametrize("scheme", ["docker-archive", "oci-archive", "oci-dir"])
@pytest.mark.parametrize("whole", ["", "gzip"])
def test_a_manifest_of_100_mb_is_not_read(tmp_path: Path, scheme: str, whole: str) -> None:
    name = "manifest.json" if scheme == "docker-archive" else "index.json"
    if scheme == "oci-dir":
        write_files(tmp_path / "image", {name: HUGE})
    else:
        (tmp_path / "image").write_bytes(archive_of({name: HUGE}, compression=whole))
    tracemalloc.start()
    try:
        with pytest.raises(DamagedImage, match=r"at most 16777216|of at most 16777216"):
            open_(f"{scheme}:{tmp_path / 'image'}")
        assert tracemalloc.get_traced_memory()[1] < 1 << 26
    finally:
        tracemalloc.stop()


def test_many_documents_are_not_kept_either(tmp_path: Path) -> None:
    files = {f"{number}.json": b"{" + b" " * 900 for number in range(20)}
    (tmp_path / "image").write_bytes(archive_of(files, compression="gzip"))
    with pytest.raises(DamagedImage, match="its documents have more than"):
        open_(f"docker-archive:{tmp_path / 'image'}", manifest=1000)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[",
        b"{}",
        b"null",
        b"[[]]",
        b'[{"Config": 5}]',
        b'[{"Config": "../../etc/passwd", "Layers": []}]',
        b'[{"Config": "/etc/passwd", "Layers": []}]',
        b'[{"Config": "x", "Layers": {}}]',
        b'[{"Config": "c", "Layers": ["nowhere"]}]',
        b"\xff\xfe",
        b"[" * 100_000,
        b'[{"Config": "loop/a", "Layers": []}]',
        b'[{"Config": "directory", "Layers": []}]',
    ],
)
@pytest.mark.parametrize("whole", ["", "gzip"])
def test_a_manifest_that_is_none_is_damage(tmp_path: Path, content: bytes, whole: str) -> None:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        for name, link in (("loop/a", "b"), ("loop/b", "a"), ("loop/out", "../../../etc/passwd")):
            member = tarfile.TarInfo(name)
            member.type, member.linkname = tarfile.SYMTYPE, link
            archive.addfile(member)
        member = tarfile.TarInfo("directory")
        member.type = tarfile.DIRTYPE
        archive.addfile(member)
        for name, text in (("manifest.json", content), ("c", IMAGE.config)):
            member = tarfile.TarInfo(name)
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text))
    data = gzip.compress(target.getvalue()) if whole else target.getvalue()
    (tmp_path / "image").write_bytes(data)
    with pytest.raises(DamagedImage):
        open_(f"docker-archive:{tmp_path / 'image'}")


@pytest.mark.parametrize(
    "config",
    [
        b"{}",
        b"[]",
        b'{"rootfs": {"diff_ids": ["sha256:x"]}}',
        b'{"rootfs": {"diff_ids": null}}',
        b'{"rootfs": {"diff_ids": []}, "os": "linux", "architecture": "amd64"}',
        b'{"rootfs": {"diff_ids": [5]}}',
        b'{"rootfs": [], "config": {"Env": 5}}',
        b"{" * 100_000,
        b"\xff",
    ],
)
@pytest.mark.parametrize("medium", ["docker", "oci"])
def test_a_configuration_that_is_none_is_damage(tmp_path: Path, config: bytes, medium: str) -> None:
    def edit(manifest: Any, files: dict[str, bytes]) -> None:
        manifest["config"] = add(files, config)

    if medium == "oci":
        reference = layout(tmp_path, edit)
    else:
        files = docker_files({"app": IMAGE}, legacy=True)
        (saved,) = json.loads(files["manifest.json"])
        files["c"] = config
        files["manifest.json"] = json.dumps([saved | {"Config": "c"}]).encode()
        (tmp_path / "saved").write_bytes(archive_of(files))
        reference = f"docker-archive:{tmp_path / 'saved'}"
    with pytest.raises(DamagedImage):
        open_(reference)


def test_an_archive_that_ends_too_early_is_never_an_image(tmp_path: Path) -> None:
    whole = archive_of(docker_files({"app": IMAGE}))
    packed = gzip.compress(whole)
    for content in (whole, packed):
        for end in range(0, len(content.rstrip(b"\0")), max(1, len(content) // 40)):
            (tmp_path / "image").write_bytes(content[:end])
            with pytest.raises(HullmarkError) as caught:
                open_(f"docker-archive:{tmp_path / 'image'}")
            assert isinstance(caught.value, DamagedImage | Unavailable)
            assert caught.value.exit_code == 3


def test_a_layer_that_is_damaged_ends_the_reading_of_all_others(tmp_path: Path) -> None:
    layers = tuple(layer_tar([Entry(path=f"/{n}", kind=Kind.FILE, size=300_000)]) for n in range(12))
    files = oci_files({"app": ImageFiles(layers=layers)})
    root = write_files(tmp_path / "layout", files)
    manifest = json.loads(
        (root / "blobs/sha256" / json.loads(files["index.json"])["manifests"][0]["digest"][7:]).read_bytes()
    )
    layer = manifest["layers"][5]
    (root / "blobs/sha256" / layer["digest"][7:]).write_bytes(b"\x1f\x8bdamaged".ljust(layer["size"]))
    with pytest.raises(DamagedImage, match="layer 6 of 12"):
        open_(f"oci-dir:{root}")
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("hullmark-")]
