"""Lists of software that go with an image are found where the image is kept: in its index, or referring to it."""

from __future__ import annotations

import json
import os
import threading
from typing import TYPE_CHECKING, Any

import pytest
from tests.sbom.test_command import call
from tests.sbom.test_read import bom, envelope, library, statement

from hullmark._anatomy import Reading
from hullmark.errors import DamagedImage, Unavailable, UsageError
from hullmark.model.table import Entry, Kind
from hullmark.testing import (
    Fault,
    FaultyRegistry,
    ImageFiles,
    ScriptedCommands,
    archive_of,
    layer_tar,
    oci_files,
    write_files,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

IN_TOTO = "application/vnd.in-toto+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
LIST = statement(bom(library("pkg:pypi/a@1")), "https://cyclonedx.org/bom")
PROVENANCE = statement(b"{}", "https://slsa.dev/provenance/v1")


@pytest.fixture
def registry() -> Iterator[FaultyRegistry]:
    """A registry on this machine."""
    with FaultyRegistry() as made:
        yield made


def reading() -> Reading:
    """Images as the command line reads them."""
    environ = {"PATH": os.environ["PATH"], "HOME": "/", "HULLMARK_NO_CACHE": "1"}
    return Reading(ScriptedCommands({}), environ, threading.Event())


def manifest(registry: FaultyRegistry, *documents: bytes, subject: Mapping[str, Any] | None = None) -> bytes:
    """A manifest that attests `documents`, whose blobs are in the registry."""
    config = {
        "mediaType": "application/vnd.oci.empty.v1+json",
        "digest": str(registry.blob(b"{}")),
        "size": 2,
    }
    layers = [
        {"mediaType": IN_TOTO, "digest": str(registry.blob(each)), "size": len(each)} for each in documents
    ]
    said = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers}
    return json.dumps(said | ({"subject": subject} if subject else {})).encode()


def listed(registry: FaultyRegistry, content: bytes, **more: Any) -> dict[str, Any]:
    """The descriptor of a manifest that the registry holds from now on."""
    digest = registry.manifest("it", content, media_type=MANIFEST)
    return {"mediaType": MANIFEST, "digest": str(digest), "size": len(content), **more}


def beside(registry: FaultyRegistry, *documents: bytes, of: str | None = None) -> None:
    """An image whose index lists, as BuildKit has it, what is attested of it."""
    image = registry.image("it", layers=[layer_tar([Entry(path="/x", kind=Kind.FILE, size=1)])])
    annotations = {
        "vnd.docker.reference.type": "attestation-manifest",
        "vnd.docker.reference.digest": of or image["digest"],
    }
    platform = {"os": "unknown", "architecture": "unknown"}
    attested = listed(registry, manifest(registry, *documents), annotations=annotations, platform=platform)
    registry.index("it", "1", manifests=[image, attested])


def test_a_list_in_the_index_of_an_image_is_read(registry: FaultyRegistry, tmp_path: Path) -> None:
    beside(registry, PROVENANCE, LIST)
    name = f"registry:{registry.host}/it:1"
    found = reading().listed(name, tmp_path, platform="linux/amd64")
    assert [str(package.owner) for package in found.packages] == ["a 1"]
    assert found.document == name
    code, text, _ = call(tmp_path, "--from", name, "--platform", "linux/amd64")
    assert (code, text) == (0, "an unknown distribution\n  python        1\n")


@pytest.mark.parametrize("way", ["api", "tag"])
def test_a_list_that_refers_to_an_image_is_read(way: str, registry: FaultyRegistry, tmp_path: Path) -> None:
    image = registry.image("it", "1")
    referring = listed(registry, manifest(registry, envelope(LIST), subject=image))
    other = listed(registry, manifest(registry, PROVENANCE))
    tag = str(image["digest"]).replace(":", "-")
    registry.index("it", tag, manifests=[other, referring])
    if way == "api":
        body = registry.stored(f"/v2/it/manifests/{tag}")
        registry.fault(rf"/manifests/{tag}", Fault(status=500))
        registry.fault("/referrers/", Fault(status=200, body=body))
    else:
        registry.fault("/referrers/", Fault(status=404))
    found = reading().listed(f"registry:{registry.host}/it:1", tmp_path)
    assert [str(package.owner) for package in found.packages] == ["a 1"]


@pytest.mark.parametrize("documents", [(), (PROVENANCE,), (b"no JSON",)])
def test_an_image_of_which_no_list_is_attested_says_so(
    documents: tuple[bytes, ...], registry: FaultyRegistry, tmp_path: Path
) -> None:
    beside(registry, *documents)
    with pytest.raises(Unavailable, match="no list of software is attested of") as refused:
        reading().listed(f"registry:{registry.host}/it:1", tmp_path, platform="linux/amd64")
    assert f"; {len(documents)} other documents are" in refused.value.message


def test_what_is_attested_of_another_image_does_not_count(registry: FaultyRegistry, tmp_path: Path) -> None:
    beside(registry, LIST, of=f"sha256:{1:064x}")
    with pytest.raises(Unavailable, match="no list of software"):
        reading().listed(f"registry:{registry.host}/it:1", tmp_path, platform="linux/amd64")


def test_a_document_that_is_not_what_its_digest_says_is_refused(
    registry: FaultyRegistry, tmp_path: Path
) -> None:
    beside(registry, LIST)
    digest = registry.blob(LIST)
    registry.fault(f"/blobs/{digest}", Fault(body=LIST.replace(b"pypi/a", b"pypi/b")))
    with pytest.raises(DamagedImage):
        reading().listed(f"registry:{registry.host}/it:1", tmp_path, platform="linux/amd64")


@pytest.mark.parametrize("scheme", ["oci-dir", "oci-archive"])
def test_a_layout_keeps_what_refers_to_its_images(
    scheme: str, tmp_path: Path, registry: FaultyRegistry
) -> None:
    files = oci_files({"1": ImageFiles(layers=())})
    index = json.loads(files["index.json"])
    for document in (manifest(registry, LIST, subject=index["manifests"][0]), LIST, b"{}"):
        digest = str(registry.blob(document))
        files[f"blobs/sha256/{digest.removeprefix('sha256:')}"] = document
        if document not in {LIST, b"{}"}:
            more = {"artifactType": IN_TOTO, "annotations": {"org.opencontainers.image.ref.name": "list"}}
            index["manifests"].append({"mediaType": MANIFEST, "digest": digest, "size": len(document)} | more)
    files["index.json"] = json.dumps(index).encode()
    place = tmp_path / "layout"
    if scheme == "oci-dir":
        write_files(place, files)
    else:
        place.write_bytes(archive_of(files))
    found = reading().listed(f"{scheme}:{place}:1", tmp_path, platform="linux/amd64")
    assert [str(package.owner) for package in found.packages] == ["a 1"]


def test_an_engine_keeps_nothing_beside_an_image(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="keeps nothing beside an image"):
        reading().listed("docker:it", tmp_path)
