"""The same image is the same in every medium on disk."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
import threading
from typing import TYPE_CHECKING

import pytest

from hullmark._images.cache import Cache
from hullmark._images.complete import complete
from hullmark._images.interface import Blob, Request
from hullmark._images.layout import OciDirectory
from hullmark._images.reference import SCHEMES, candidates
from hullmark.errors import DamagedImage, Interrupted, Unavailable, UsageError
from hullmark.model.image import HealthCheck
from hullmark.model.table import Kind
from hullmark.testing import COMPRESSIONS, archive_of, compress, docker_files, oci_files, write_files

if TYPE_CHECKING:
    from pathlib import Path

    from tests.images.conftest import Opener, SmallImage

    from hullmark.model.image import Image
    from hullmark.testing import ImageFiles

MEDIA = [
    *(("oci-dir", layers, "") for layers in COMPRESSIONS),
    *(("oci-archive", layers, whole) for layers in ("", "gzip", "zstd") for whole in COMPRESSIONS),
    *(("docker-archive", layers, whole) for layers in ("new", "legacy") for whole in COMPRESSIONS),
]


def put(directory: Path, medium: tuple[str, str, str], image: ImageFiles, tag: str = "app:1") -> str:
    """Writes the image; the reference to it."""
    scheme, layers, whole = medium
    directory.mkdir(exist_ok=True)
    if scheme == "docker-archive":
        files = docker_files({tag: image}, legacy=layers == "legacy")
    else:
        files = oci_files({tag: image}, compression=layers)
    if scheme == "oci-dir":
        return f"{scheme}:{write_files(directory / 'image', files)}"
    path = directory / "image.tar"
    path.write_bytes(archive_of(files, compression=whole))
    return f"{scheme}:{path}"


def tree(image: Image) -> list[object]:
    """All that is the same in every medium."""
    return [
        image.config_digest,
        image.platform,
        image.configuration,
        image.history,
        [(layer.diff_id, list(layer.table), layer.history) for layer in image.layers],
    ]


@pytest.mark.parametrize("medium", MEDIA, ids="-".join)
def test_the_same_image_is_the_same_in_every_medium(
    open_: Opener, tmp_path: Path, small_image: SmallImage, medium: tuple[str, str, str]
) -> None:
    files = small_image()
    image = open_(put(tmp_path, medium, files))
    plain = open_(put(tmp_path / "plain", ("oci-dir", "", ""), files))
    assert tree(image) == tree(plain)
    assert str(image.config_digest) == f"sha256:{hashlib.sha256(files.config).hexdigest()}"
    assert [str(layer.diff_id) for layer in image.layers] == [
        f"sha256:{hashlib.sha256(layer).hexdigest()}" for layer in files.layers
    ]


def test_the_configuration_and_the_history_are_told(
    open_: Opener, tmp_path: Path, small_image: SmallImage
) -> None:
    image = open_(put(tmp_path, ("oci-dir", "gzip", ""), small_image()))
    said = image.configuration
    assert said.environment == (("PATH", "/bin"), ("EMPTY", ""))
    assert said.labels == (("a", "1"), ("b", "2"))
    assert (said.user, said.entrypoint, said.command, said.working_directory) == (
        "app",
        ("/run",),
        (),
        "/srv",
    )
    assert (said.ports, said.volumes, said.stop_signal) == (("80/tcp", "8001/tcp"), ("/data",), "SIGINT")
    assert said.health_check == HealthCheck(test=("CMD", "true"), interval=5.0, retries=2)
    steps = [layer.history.created_by if layer.history else None for layer in image.layers]
    assert steps == ["COPY . /", "RUN rm", "RUN true", "RUN rm"]
    assert image.layers[1].table.entry(0).kind is Kind.WHITEOUT
    assert image.unpacked == 10 + 2_000_000 + 7 + 7


def test_blobs_have_their_digests_and_sizes_where_a_manifest_says_so(
    open_: Opener, tmp_path: Path, small_image: SmallImage
) -> None:
    files = small_image()
    image = open_(put(tmp_path, ("oci-archive", "zstd", ""), files))
    written = oci_files({"": files}, compression="zstd")
    for layer in image.layers:
        content = written[f"blobs/sha256/{str(layer.digest).removeprefix('sha256:')}"]
        assert layer.transfer == len(content)
    assert image.digest is not None
    saved = open_(put(tmp_path / "saved", ("docker-archive", "new", ""), files))
    assert (saved.digest, saved.transfer) == (None, None)


def test_layers_that_are_the_same_are_read_once(tmp_path: Path, small_image: SmallImage) -> None:
    opened: list[str] = []

    def counting(blob: Blob) -> Blob:
        def open_blob() -> object:
            opened.append(str(blob.digest))
            return blob.open()

        return Blob(digest=blob.digest, transfer=blob.transfer, open=open_blob)  # type: ignore[arg-type]

    reference = put(tmp_path, ("oci-dir", "gzip", ""), small_image()).partition(":")[2]
    with OciDirectory().open(reference, None, Request(), threading.Event()) as core:
        layers = tuple(counting(layer) for layer in core.layers if isinstance(layer, Blob))
        counted = type(core)(
            reference=core.reference, how=core.how, manifest=core.manifest, config=core.config, layers=layers
        )
        image = complete(counted, Request(), Cache(None), threading.Event())
    assert len(image.layers) == 4
    assert len(opened) == len(set(opened)) == 3


def test_of_several_images_one_is_named_by_its_tag(
    open_: Opener, tmp_path: Path, small_image: SmallImage
) -> None:
    one, two = small_image(marker="1"), small_image(marker="2")
    digests = {
        name: f"sha256:{hashlib.sha256(f.config).hexdigest()}" for name, f in (("one", one), ("two", two))
    }
    saved = tmp_path / "saved.tar"
    saved.write_bytes(archive_of(docker_files({"app:one": one, "example.com/app:two": two})))
    layout = write_files(tmp_path / "layout", oci_files({"one": one, "example.com/app:two": two}))
    for reference, which in (
        (f"docker-archive:{saved}:app:one", "one"),
        (f"docker-archive:{saved}:one", "one"),
        (f"docker-archive:{saved}:docker.io/library/app:one", "one"),
        (f"docker-archive:{saved}:{digests['two']}", "two"),
        (f"docker-archive:{saved}:{digests['two'][7:19]}", "two"),
        (f"docker-archive:{saved}:example.com/app:two", "two"),
        (f"oci-dir:{layout}:one", "one"),
        (f"oci-dir:{layout}:example.com/app:two", "two"),
    ):
        assert str(open_(reference).config_digest) == digests[which], reference
    for path in (f"docker-archive:{saved}", f"oci-dir:{layout}"):
        with pytest.raises(UsageError, match=r"holds 2 images; there is .*`example.com/app:two`"):
            open_(path)
        with pytest.raises(Unavailable, match=r"no image `three`; there is .*one"):
            open_(f"{path}:three")


def test_an_index_in_an_index_leads_to_the_platform(
    open_: Opener, tmp_path: Path, small_image: SmallImage
) -> None:
    images = [small_image("linux/amd64"), small_image("linux/arm64", "b"), small_image("linux/arm/v7", "c")]
    files = oci_files({"app": images})
    index = json.loads(files["index.json"])
    nested = index["manifests"][0]
    path = f"blobs/sha256/{nested['digest'].removeprefix('sha256:')}"
    document = json.loads(files[path])
    attestation = document["manifests"][0] | {
        "platform": {"os": "unknown", "architecture": "unknown"},
        "annotations": {"vnd.docker.reference.type": "attestation-manifest"},
    }
    document["manifests"].insert(0, attestation)
    content = json.dumps(document).encode()
    digest = hashlib.sha256(content).hexdigest()
    files[f"blobs/sha256/{digest}"] = content
    index["manifests"] = [nested | {"digest": f"sha256:{digest}", "size": len(content)}]
    files["index.json"] = json.dumps(index).encode()
    layout = write_files(tmp_path / "layout", files)
    for platform in ("linux/amd64", "linux/arm64", "linux/arm/v7"):
        assert open_(f"oci-dir:{layout}", platform=platform).platform == platform
    with pytest.raises(
        Unavailable, match="not there for linux/s390x; there is linux/amd64, linux/arm/v7, linux/arm64"
    ):
        open_(f"oci-dir:{layout}", platform="linux/s390x")


def test_a_single_image_is_what_it_is_unless_something_else_is_asked_for(
    open_: Opener, tmp_path: Path, small_image: SmallImage
) -> None:
    for medium in (("oci-dir", "", ""), ("docker-archive", "new", "")):
        reference = put(tmp_path / medium[0], medium, small_image("linux/s390x"))
        assert open_(reference).platform == "linux/s390x"
        with pytest.raises(Unavailable, match="it is one image, for linux/s390x"):
            open_(reference, platform="linux/amd64")


def test_layer_entries_of_old_engines_may_be_links(
    open_: Opener, tmp_path: Path, small_image: SmallImage
) -> None:
    files = docker_files({"app:1": small_image()}, legacy=True)
    (saved,) = json.loads(files["manifest.json"])
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        for number, layer in enumerate(saved["Layers"]):
            link = tarfile.TarInfo(f"{number}/layer.tar")
            link.type = tarfile.SYMTYPE
            link.linkname = f"../{layer}"
            archive.addfile(link)
        saved["Layers"] = [f"{number}/layer.tar" for number in range(len(saved["Layers"]))]
        files["manifest.json"] = json.dumps([saved]).encode()
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    (tmp_path / "plain.tar").write_bytes(target.getvalue())
    (tmp_path / "whole.tar.gz").write_bytes(compress(target.getvalue(), "gzip"))
    plain = open_(f"docker-archive:{tmp_path / 'plain.tar'}")
    assert len(plain.layers) == 4
    assert tree(plain) == tree(open_(f"docker-archive:{tmp_path / 'whole.tar.gz'}"))


def test_paths_and_tags_may_have_colons(open_: Opener, tmp_path: Path, small_image: SmallImage) -> None:
    path = tmp_path / "a:b.tar"
    path.write_bytes(archive_of(docker_files({"app:1": small_image()})))
    assert open_(f"docker-archive:{path}:app:1").reference == f"{path}:app:1"
    assert open_(f"docker-archive:{path}").platform == "linux/amd64"
    with pytest.raises(Unavailable, match="does not exist"):
        open_(f"docker-archive:{tmp_path / 'nope.tar'}:app:1")


def test_layers_that_are_not_distributed_are_told_as_such(
    open_: Opener, tmp_path: Path, small_image: SmallImage
) -> None:
    files = oci_files({"app": small_image()})
    manifest_path = f"blobs/sha256/{json.loads(files['index.json'])['manifests'][0]['digest'][7:]}"
    manifest = json.loads(files[manifest_path])
    manifest["layers"][0]["mediaType"] = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"
    content = json.dumps(manifest).encode()
    digest = hashlib.sha256(content).hexdigest()
    files[f"blobs/sha256/{digest}"] = content
    listed = {"mediaType": "", "digest": f"sha256:{digest}", "size": len(content)}
    files["index.json"] = json.dumps({"schemaVersion": 2, "manifests": [listed]}).encode()
    layout = write_files(tmp_path / "layout", files)
    assert len(open_(f"oci-dir:{layout}").layers) == 4
    (layout / f"blobs/sha256/{manifest['layers'][0]['digest'][7:]}").unlink()
    with pytest.raises(Unavailable, match="of a kind that is not distributed with images"):
        open_(f"oci-dir:{layout}")


def test_files_of_a_layout_are_not_looked_for_outside(
    open_: Opener, tmp_path: Path, small_image: SmallImage
) -> None:
    layout = write_files(tmp_path / "layout", oci_files({"app": small_image()}))
    (tmp_path / "index.json").write_bytes((layout / "index.json").read_bytes())
    (layout / "index.json").unlink()
    (layout / "index.json").symlink_to("../index.json")
    with pytest.raises(DamagedImage, match="leads out of"):
        open_(f"oci-dir:{layout}")
    (layout / "index.json").unlink()
    (layout / "index.json").symlink_to("index.json")
    with pytest.raises(DamagedImage, match="too many levels of symbolic links"):
        open_(f"oci-dir:{layout}")
    (layout / "index.json").unlink()
    os.mkfifo(layout / "index.json")
    with pytest.raises(DamagedImage, match="is no file"):
        open_(f"oci-dir:{layout}")


def test_what_holds_no_image_is_told_as_such(open_: Opener, tmp_path: Path) -> None:
    (tmp_path / "empty.tar").write_bytes(archive_of({"readme": b"hello"}))
    (tmp_path / "layout").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for reference, message in (
        (f"docker-archive:{tmp_path / 'empty.tar'}", "neither manifest.json nor index.json"),
        (f"oci-archive:{tmp_path / 'empty.tar'}", "there is no index.json in it"),
        (f"oci-dir:{tmp_path / 'layout'}", "there is no index.json in it"),
        (f"oci-dir:{tmp_path / 'empty.tar'}", "is no directory"),
        (f"oci-archive:{tmp_path / 'layout'}", "is no file"),
        (f"oci-archive:{tmp_path / 'pipe'}", "is no file"),
    ):
        with pytest.raises(Unavailable, match=message):
            open_(reference)


def test_being_asked_to_stop_ends_the_reading(open_: Opener, tmp_path: Path, small_image: SmallImage) -> None:
    open_.cancelled.set()
    for number, medium in enumerate(MEDIA):
        with pytest.raises(Interrupted):
            open_(put(tmp_path / str(number), medium, small_image()))


def test_a_scheme_is_the_only_candidate_and_names_are_never_looked_for_in_registries_by_mistake() -> None:
    assert candidates("oci-dir:/a:b") == (("oci-dir", "/a:b"),)
    assert candidates("docker:debian") == (("docker", "debian"),)
    assert candidates("debian:bookworm") == (("docker", "debian:bookworm"),)
    assert candidates("library/debian") == (("docker", "library/debian"),)
    assert [scheme for scheme, _ in candidates("example.com/app:1")] == ["registry", "docker"]
    assert [scheme for scheme, _ in candidates("localhost:5000/app")] == ["registry", "docker"]
    for wrong in ("", "oci-dir:"):
        with pytest.raises(UsageError):
            candidates(wrong)
    assert list(SCHEMES) == ["docker", "podman", "registry", "oci-dir", "oci-archive", "docker-archive"]
