"""Documents are read as they were written, by this tool or another, and what is none is refused in one sentence."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from tests.sbom.conftest import MADE
from tests.sbom.test_documents import WRITERS

from hullmark._sbom.read import read
from hullmark.errors import ConfigurationError
from hullmark.model.attribution import Origin, Told
from hullmark.model.location import SourceSpan

if TYPE_CHECKING:
    from tests.sbom.conftest import Example

    from hullmark.model.owner import Package


def bom(*components: dict[str, Any], **more: Any) -> bytes:
    """A document of CycloneDX."""
    return json.dumps(
        {"bomFormat": "CycloneDX", "specVersion": "1.5", "components": components} | more
    ).encode()


def library(purl: str, **properties: str) -> dict[str, Any]:
    """A component; properties are those of Trivy."""
    said = [{"name": f"aquasecurity:trivy:{key}", "value": value} for key, value in properties.items()]
    return {"type": "library", "name": "x", "version": "0", "purl": purl, "properties": said}


def only(content: bytes) -> Package:
    """The one package in a document."""
    [package] = read(content, "it").packages
    return package


def bare(package: Package) -> Package:
    """The package without what documents do not hold."""
    return replace(package, directory="", requires=(), why=())


@pytest.mark.parametrize("name", WRITERS)
def test_what_was_written_is_read_again(name: str, example: Example) -> None:
    text = WRITERS[name](example.inventory, example.image, MADE)
    found = read(text.encode(), "own.json")
    assert found.packages == tuple(map(bare, example.inventory.packages))
    assert found.distribution is not None
    assert example.inventory.distribution is not None
    assert found.distribution == replace(example.inventory.distribution, path="")
    assert found.unrecognised == example.inventory.unrecognised
    assert found.notes == example.inventory.notes
    assert found.document == "own.json"


@pytest.mark.parametrize("name", WRITERS)
def test_what_wrote_a_package_is_read_again(name: str, example: Example) -> None:
    wrote = Origin(
        told=Told.INSTRUCTION, text="RUN x", stage="build", span=SourceSpan(path="Dockerfile", line=7)
    )
    origin = Origin(told=Told.COPY, text="COPY --from=build / /", source=wrote)
    one = replace(example.inventory, packages=(replace(example.inventory.packages[0], origin=origin),))
    assert only(WRITERS[name](one, example.image, MADE).encode()).origin == origin


@pytest.mark.parametrize(
    ("url", "properties", "expected"),
    [
        (
            "pkg:deb/debian/bsdutils@2.33.1-0.1?arch=amd64&distro=debian-10.2&epoch=1",
            {"SrcName": "util-linux", "SrcVersion": "2.33.1", "SrcRelease": "0.1"},
            ("dpkg", "bsdutils", "1:2.33.1-0.1", "util-linux", "2.33.1-0.1"),
        ),
        (
            "pkg:deb/debian/libc6@2.36?upstream=glibc%402.35",
            {},
            ("dpkg", "libc6", "2.36", "glibc", "2.35"),
        ),
        ("pkg:deb/debian/apt@2.6", {}, ("dpkg", "apt", "2.6", "apt", "2.6")),
        (
            "pkg:rpm/redhat/libgcc@8.5-4.el8?epoch=2&upstream=gcc-8.5-4.el8.src.rpm",
            {},
            ("rpm", "libgcc", "2:8.5-4.el8", "gcc", "2:8.5-4.el8"),
        ),
        ("pkg:apk/alpine/libssl3@3.1?upstream=openssl", {}, ("apk", "libssl3", "3.1", "openssl", "3.1")),
        ("pkg:pypi/jinja2@3.1.2", {}, ("python", "jinja2", "3.1.2", "", "")),
        ("pkg:npm/%40types/node@20.0.0", {}, ("npm", "@types/node", "20.0.0", "", "")),
        ("pkg:golang/golang.org/x/net@v0.1.0", {}, ("go", "golang.org/x/net", "v0.1.0", "", "")),
        ("pkg:maven/org.a/b@1", {}, ("java", "org.a:b", "1", "", "")),
        ("pkg:cargo/serde@1.0.0", {}, ("rust", "serde", "1.0.0", "", "")),
        ("pkg:generic/node@22.1.0", {}, ("runtime", "node", "22.1.0", "", "")),
    ],
)
def test_packages_of_other_tools_go_by_their_url(
    url: str, properties: dict[str, str], expected: tuple[str, ...]
) -> None:
    found = only(bom(library(url, **properties)))
    assert (
        found.owner.kind,
        found.owner.name,
        found.owner.version,
        found.source,
        found.source_version,
    ) == expected


def test_layers_and_places_of_other_tools_are_taken_over() -> None:
    layer = f"sha256:{7:064x}"
    found = only(bom(library("pkg:npm/a@1", LayerDiffID=layer, FilePath="app/package.json")))
    assert (str(found.layer), found.location) == (layer, "app/package.json")


@pytest.mark.parametrize(
    ("components", "expected"),
    [
        ([{"type": "operating-system", "name": "debian", "version": "12.5"}], ("debian", "12.5", "")),
        ([library("pkg:deb/ubuntu/a@1?distro=ubuntu-22.04")], ("ubuntu", "22.04", "")),
        ([library("pkg:deb/debian/a@1?distro=debian-bookworm")], ("debian", "", "bookworm")),
        ([library("pkg:rpm/a@1?distro=opensuse-leap-15.5")], ("opensuse-leap", "15.5", "")),
        ([library("pkg:apk/wolfi/a@1?distro=wolfi")], ("wolfi", "", "")),
    ],
)
def test_the_distribution_is_a_component_or_what_the_urls_name(
    components: list[dict[str, Any]], expected: tuple[str, str, str]
) -> None:
    found = read(bom(*components), "it").distribution
    assert found is not None
    assert (found.id, found.version_id, found.codename) == expected


def test_packages_that_cannot_be_looked_for_are_named() -> None:
    image = {"type": "container", "name": "i", "purl": "pkg:oci/i@sha256:1"}
    nested = {"type": "application", "name": "lock", "components": [library("pkg:npm/deep@1")]}
    found = read(
        bom(
            library("pkg:gem/rails@7"), {"type": "library", "name": "nameless"}, library("no"), image, nested
        ),
        "it",
    )
    assert [package.owner.name for package in found.packages] == ["deep"]
    assert [(each.path, each.reason) for each in found.unrecognised] == [
        ("nameless", "it has no package URL"),
        ("no", "its package URL cannot be read"),
        ("pkg:gem/rails@7", "packages of the kind `gem` are not known"),
    ]


def test_a_document_of_spdx_by_another_tool_is_read() -> None:
    reference = {"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl"}
    document = {
        "spdxVersion": "SPDX-2.2",
        "packages": [
            {"name": "debian", "versionInfo": "12", "primaryPackagePurpose": "OPERATING-SYSTEM"},
            {"name": "i", "externalRefs": [reference | {"referenceLocator": "pkg:oci/i@sha256:1"}]},
            {"name": "a", "externalRefs": [reference | {"referenceLocator": "pkg:pypi/a@1"}]},
            {"name": "files"},
        ],
    }
    found = read(json.dumps(document).encode(), "it")
    assert [str(package.owner) for package in found.packages] == ["a 1"]
    assert str(found.distribution) == "debian 12"
    assert not found.unrecognised


def statement(predicate: bytes, kind: str = "https://spdx.dev/Document") -> bytes:
    """A statement of in-toto."""
    said = {"_type": "https://in-toto.io/Statement/v0.1", "predicateType": kind}
    return json.dumps(said | {"predicate": json.loads(predicate)}).encode()


def envelope(payload: bytes) -> bytes:
    """A signed statement."""
    said = {"payloadType": "application/vnd.in-toto+json", "payload": base64.b64encode(payload).decode()}
    return json.dumps(said | {"signatures": []}).encode()


def test_a_document_is_read_as_it_is_attested() -> None:
    inner = bom(library("pkg:pypi/a@1"))
    attested = statement(inner, "https://cyclonedx.org/bom/v1.5")
    for content in (attested, envelope(attested), b"\xef\xbb\xbf" + inner):
        assert str(only(content).owner) == "a 1"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "truncated"),
        (b"<bom/>", "JSON"),
        (b"[]", "Expected `object`"),
        (b"{}", "it names no format"),
        (b"\xff\xfe{", ""),
        (b"[" * 100_000, ""),
        (b'{"bomFormat": ' + b"[" * 100_000, ""),
        (b'{"@graph": []}', "it seems to be of SPDX 3"),
        (b'{"bomFormat": "CycloneDX", "specVersion": "2.0"}', "its format is 'CycloneDX' '2.0'"),
        (b'{"bomFormat": ["x"], "specVersion": []}', "its format is"),
        (b'{"spdxVersion": "SPDX-2.1"}', "its format is 'SPDX-2.1'"),
        (b'{"spdxVersion": {}}', "its format is"),
        (bom({"type": "library"}), "missing required field `name`"),
        (bom({"type": "library", "name": 1}), "Expected `str`"),
        (bom(library("pkg:npm/a@1") | {"properties": {}}), "Expected `array`"),
        (bom(components=None), "Expected `array`"),
        (
            b'{"spdxVersion": "SPDX-2.3", "packages": [{"name": "x", "externalRefs": [{}]}]}',
            "missing required",
        ),
        (statement(b"{}", "https://slsa.dev/provenance/v1"), "it attests 'https://slsa.dev/provenance/v1'"),
        (statement(b"{}"), "it names no format"),
        (b'{"payloadType": "application/vnd.in-toto+json", "payload": "*"}', "is no base64"),
        (statement(statement(statement(statement(b"{}")))), "it is nested too deeply"),
    ],
)
def test_what_is_no_such_document_is_refused(content: bytes, reason: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        read(content, "it.json")
    assert refused.value.message.startswith("it.json cannot be read as a list of software: ")
    assert reason in refused.value.message
    assert "\n" not in refused.value.message
    assert len(refused.value.message) < 400
    assert refused.value.hint is not None
