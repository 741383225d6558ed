"""A manifest is read for what it is, and an index leads to the image that was asked for, or says what there is."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hullmark._images.manifests import (
    DOCKER_LIST,
    DOCKER_MANIFEST,
    OCI_INDEX,
    OCI_MANIFEST,
    ImageManifest,
    Index,
    choose,
    parse_manifest,
)
from hullmark._images.platforms import Platform
from hullmark.errors import DamagedImage, HullmarkError, Unavailable

if TYPE_CHECKING:
    from hullmark._images.manifests import Chosen, Descriptor

IMAGE = {"schemaVersion": 2, "config": {"digest": f"sha256:{'0' * 64}", "size": 2}, "layers": []}
ATTESTATION = {"vnd.docker.reference.type": "attestation-manifest"}


def encoded(document: Any) -> bytes:
    return json.dumps(document).encode()


class Store:
    """Documents by digest, as `choose` fetches them."""

    def __init__(self) -> None:
        self.documents: dict[str, bytes] = {}
        self.fetched: list[str] = []
        self.platforms: dict[str, str] = {}

    def add(self, document: Any, platform: str | None = None, **more: Any) -> dict[str, Any]:
        content = encoded(document)
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        self.documents[digest] = content
        described = {
            "digest": digest,
            "size": len(content),
            "mediaType": document.get("mediaType", OCI_MANIFEST),
        }
        if platform is not None:
            names = platform.split("/")
            described["platform"] = dict(zip(("os", "architecture", "variant"), names, strict=False))
        return {**described, **more}

    def image(self, platform: str | None, mark: str = "", **more: Any) -> dict[str, Any]:
        return self.add({**IMAGE, "annotations": {"mark": mark or str(platform)}}, platform, **more)

    def index(self, *manifests: dict[str, Any], media_type: str = OCI_INDEX) -> dict[str, Any]:
        return self.add({"schemaVersion": 2, "mediaType": media_type, "manifests": list(manifests)})

    def choose(self, root: dict[str, Any], wanted: str) -> Chosen:
        content = self.documents[root["digest"]]

        def fetch(descriptor: Descriptor) -> bytes:
            self.fetched.append(descriptor.digest)
            return self.documents[descriptor.digest]

        def platform_of(manifest: ImageManifest) -> Platform | None:
            found = self.platforms.get(manifest.config.digest)
            return None if found is None else Platform.parse(found)

        return choose(
            content, parse_manifest(content, "app"), Platform.parse(wanted), fetch, platform_of, "app"
        )


def mark(chosen: Chosen) -> str:
    return str(json.loads(chosen.content)["annotations"]["mark"])


@pytest.mark.parametrize("media_type", [OCI_INDEX, DOCKER_LIST])
def test_an_index_leads_to_the_image_for_the_platform(media_type: str) -> None:
    store = Store()
    root = store.index(store.image("linux/arm64"), store.image("linux/amd64"), media_type=media_type)
    assert mark(store.choose(root, "linux/amd64")) == "linux/amd64"
    assert mark(store.choose(root, "linux/arm64/v8")) == "linux/arm64"
    assert len(store.fetched) == 2


def test_attestations_and_what_runs_nowhere_are_no_images() -> None:
    store = Store()
    root = store.index(
        store.image("linux/amd64", "attestation", annotations=ATTESTATION),
        store.image("unknown/unknown"),
        store.image("linux/amd64", "signature", mediaType="application/vnd.example.signature+json"),
        store.image("linux/amd64", "image"),
    )
    assert mark(store.choose(root, "linux/amd64")) == "image"


def test_an_index_in_an_index_is_looked_through() -> None:
    store = Store()
    inner = store.index(store.image("linux/amd64"), store.image("linux/s390x"))
    root = store.index(store.index(inner), store.image("linux/arm64"))
    assert mark(store.choose(root, "linux/s390x")) == "linux/s390x"
    assert mark(store.choose(root, "linux/arm64")) == "linux/arm64"


def test_indexes_in_each_other_without_end_are_refused() -> None:
    store = Store()
    root = store.index(store.image("linux/amd64"))
    for _ in range(5):
        root = store.index(root)
    with pytest.raises(DamagedImage, match="nested more than 4 deep"):
        store.choose(root, "linux/amd64")


def test_an_index_that_would_need_a_thousand_documents_is_refused() -> None:
    store = Store()
    root = store.index(*(store.image(None, f"{number}") for number in range(1000)))
    with pytest.raises(DamagedImage, match="more than 64 documents"):
        store.choose(root, "linux/amd64")
    assert len(store.fetched) == 64


def test_an_image_whose_platform_only_its_configuration_says_is_found() -> None:
    store = Store()
    other = {**IMAGE, "config": {"digest": f"sha256:{'1' * 64}", "size": 2}, "annotations": {"mark": "other"}}
    store.platforms = {f"sha256:{'1' * 64}": "linux/amd64"}
    root = store.index(store.image(None, "no platform"), store.add(other))
    assert mark(store.choose(root, "linux/amd64")) == "other"


def test_a_platform_that_is_not_there_is_named_with_those_that_are() -> None:
    store = Store()
    root = store.index(
        store.image("linux/s390x"), store.image("linux/arm64/v8"), store.image("unknown/unknown")
    )
    with pytest.raises(Unavailable) as caught:
        store.choose(root, "linux/amd64")
    assert caught.value.message == "app is not there for linux/amd64; there is linux/arm64, linux/s390x"
    assert "--platform" in str(caught.value.hint)


def test_an_index_without_images_says_so() -> None:
    store = Store()
    with pytest.raises(Unavailable, match="holds no image for any platform") as caught:
        store.choose(store.index(), "linux/amd64")
    assert caught.value.hint is None


def test_what_is_listed_as_an_image_must_be_one() -> None:
    store = Store()
    inner = store.index(store.image("linux/amd64"))
    root = store.index({**inner, "mediaType": "", "platform": {"os": "linux", "architecture": "amd64"}})
    with pytest.raises(DamagedImage, match="is listed as an image and is an index"):
        store.choose(root, "linux/amd64")


@pytest.mark.parametrize(
    ("document", "media_type", "said"),
    [
        ({"schemaVersion": 2}, "", "neither a configuration nor a list"),
        ({**IMAGE, "manifests": []}, "", "an image and an index at once"),
        ({"manifests": []}, DOCKER_MANIFEST, "an image and an index at once"),
        (IMAGE, OCI_INDEX, "says that it is an index, and lists no manifests"),
        ({**IMAGE, "mediaType": DOCKER_LIST}, "", "says that it is an index, and lists no manifests"),
        ([], "", "cannot be read"),
        ({**IMAGE, "layers": [{"digest": "sha256:0", "size": -1}]}, "", "cannot be read"),
        ({**IMAGE, "layers": [{"digest": "sha256:0", "size": "1"}]}, "", "cannot be read"),
        ({**IMAGE, "layers": [{"size": 1}]}, "", "cannot be read"),
    ],
)
def test_what_is_no_manifest_is_refused(document: Any, media_type: str, said: str) -> None:
    with pytest.raises(DamagedImage, match=said):
        parse_manifest(encoded(document), "app", media_type)


@pytest.mark.parametrize(
    ("document", "media_type"),
    [
        ({"schemaVersion": 1, "fsLayers": [], "history": []}, ""),
        ({}, "application/vnd.docker.distribution.manifest.v1+prettyjws"),
        ({"mediaType": "application/vnd.docker.distribution.manifest.v1+json"}, ""),
    ],
)
def test_docker_s_first_format_is_refused_by_name(document: Any, media_type: str) -> None:
    with pytest.raises(Unavailable, match="schema 1") as caught:
        parse_manifest(encoded(document), "app", media_type)
    assert "push it again" in str(caught.value.hint)


def test_an_image_without_layers_need_not_list_them() -> None:
    parsed = parse_manifest(encoded({**IMAGE, "layers": None}), "app")
    assert isinstance(parsed, ImageManifest)
    assert parsed.layers == ()


def test_a_media_type_with_parameters_is_the_same_type() -> None:
    parsed = parse_manifest(encoded(IMAGE), "app", f"{OCI_MANIFEST}; charset=utf-8")
    assert isinstance(parsed, ImageManifest)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"[" * 100_000, b'{"layers":' * 5000, b"null", b"NaN"])
def test_bytes_that_are_no_json_are_one_error(content: bytes) -> None:
    with pytest.raises(DamagedImage):
        parse_manifest(content, "app")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
KEYS = ["schemaVersion", "mediaType", "config", "layers", "manifests", "fsLayers"]


@given(
    document=st.dictionaries(
        st.sampled_from(KEYS), JSON | st.just([IMAGE["config"]]) | st.just(IMAGE["config"])
    ),
    media_type=st.sampled_from(["", OCI_INDEX, OCI_MANIFEST, "text/plain"]),
)
def test_any_document_is_a_manifest_an_index_or_one_error(document: dict[str, Any], media_type: str) -> None:
    try:
        parsed = parse_manifest(encoded(document), "app", media_type)
    except HullmarkError as error:
        assert error.message.startswith("app")  # noqa: PT017  # both ways out are right
    else:
        assert isinstance(parsed, ImageManifest | Index)
