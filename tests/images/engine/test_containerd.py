"""Images of an engine that keeps them as containerd does, which is what new engines do unless told otherwise."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from hullmark.errors import Unavailable
from hullmark.testing import oci_files

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NAME = "docker.io/library/hullmark-test:1"


@pytest.mark.docker
@pytest.mark.parametrize("compression", ["gzip", "zstd"])
def test_every_way_gives_the_same_as_the_layout(  # fixtures
    containerd: Any,
    odd_image: Any,
    open_whole: Any,
    same: Callable[..., None],
    elsewhere: Any,
    layout: Callable[[dict[str, bytes]], Path],
    compression: str,
) -> None:
    files = oci_files({NAME: odd_image("it")}, compression=compression)
    containerd.load(files)
    expected = open_whole(f"oci-dir:{layout(files)}")
    found = open_whole(f"docker:{NAME}", containerd.environ)
    same(found, expected)
    assert found.how == "read from the content store of containerd"
    assert (found.digest, found.transfer) == (expected.digest, expected.transfer)
    with elsewhere(containerd.address.removeprefix("unix://")) as host:
        streamed = open_whole(f"docker:{NAME}", {"DOCKER_HOST": host})
    same(streamed, expected)
    assert streamed.how == "streamed by the engine, because it is not on this machine"


@pytest.mark.docker
def test_of_several_platforms_the_one_is_given_that_was_asked_for(
    containerd: Any, small_image: Any, open_whole: Any, elsewhere: Any
) -> None:
    images = [small_image("linux/amd64", "a"), small_image("linux/arm64", "b")]
    containerd.load(oci_files({NAME: images}))
    with elsewhere(containerd.address.removeprefix("unix://")) as host:
        for environ in (containerd.environ, {"DOCKER_HOST": host}):
            for platform in ("linux/amd64", "linux/arm64"):
                found = open_whole(f"docker:{NAME}", environ, platform=platform)
                assert found.platform == platform
            with pytest.raises(Unavailable, match="there is linux/amd64, linux/arm64"):
                open_whole(f"docker:{NAME}", environ, platform="linux/s390x")


def test_of_several_platforms_those_are_known_that_were_pulled(
    scripted: Any, small_image: Any, open_whole: Any
) -> None:
    files = oci_files({NAME: [small_image("linux/amd64", "a"), small_image("linux/arm64", "b")]})
    scripted.load(files)
    index = json.loads(files["blobs/sha256/" + _hex(scripted.names[NAME]["digest"])])
    (scripted.content / _hex(index["manifests"][0]["digest"])).unlink()
    assert open_whole(f"docker:{NAME}", scripted.environ).platform == "linux/arm64"
    with pytest.raises(Unavailable, match="it is one image, for linux/arm64"):
        open_whole(f"docker:{NAME}", scripted.environ, platform="linux/amd64")


@pytest.mark.parametrize("lost", ["configuration", "layer", "manifest"])
def test_what_the_store_has_no_more_is_asked_of_the_engine(
    scripted: Any, small_image: Any, open_whole: Any, lost: str
) -> None:
    files = oci_files({NAME: small_image()})
    scripted.load(files)
    digest = scripted.names[NAME]["digest"]
    manifest = json.loads(files["blobs/sha256/" + _hex(digest)])
    victims = {
        "configuration": manifest["config"],
        "layer": manifest["layers"][1],
        "manifest": {"digest": digest},
    }
    (scripted.content / _hex(victims[lost]["digest"])).unlink()
    found = open_whole(f"docker:{NAME}", scripted.environ)
    assert found.how.startswith("streamed by the engine, because ")
    assert [len(layer.table) for layer in found.layers] == [3, 2, 0, 2]


def test_a_blob_that_leads_out_of_the_store_is_not_followed(
    scripted: Any, small_image: Any, open_whole: Any, tmp_path: Path
) -> None:
    files = oci_files({NAME: small_image()})
    scripted.load(files)
    manifest = json.loads(files["blobs/sha256/" + _hex(scripted.names[NAME]["digest"])])
    blob = scripted.content / _hex(manifest["layers"][0]["digest"])
    blob.rename(tmp_path / "elsewhere")
    blob.symlink_to(tmp_path / "elsewhere")
    found = open_whole(f"docker:{NAME}", scripted.environ)
    assert "leads out of" in found.how
    assert found.how.startswith("streamed by the engine, because ")


@pytest.fixture
def layout(tmp_path: Path) -> Callable[[dict[str, bytes]], Path]:
    """Writes a layout."""
    from hullmark.testing import write_files

    return lambda files: write_files(tmp_path / "layout", files)


def _hex(digest: str) -> str:
    return digest.removeprefix("sha256:")
