"""Documents are valid by the official schemas, say everything, and are the same for the same image."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from spdx_tools.spdx.parser.jsonlikedict.json_like_dict_parser import JsonLikeDictParser
from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document
from tests.contents.packages.conftest import image_of
from tests.sbom.conftest import BASE, MADE, OWN

from hullmark._anatomy import dissect
from hullmark._contents.inventory import inventory
from hullmark._sbom import cyclonedx, facts, spdx
from hullmark.model.attribution import Origin, Told
from hullmark.model.inventory import Inventory
from hullmark.model.location import SourceSpan

if TYPE_CHECKING:
    from tests.sbom.conftest import Example

SCHEMA = json.loads((Path(__file__).parent / "schemas" / "spdx-2.3.schema.json").read_text("utf-8"))
WRITERS = {"cyclonedx": cyclonedx.document, "spdx": spdx.document}


def properties(component: dict[str, Any]) -> dict[str, str]:
    """The properties of a component by name."""
    return {each["name"]: each["value"] for each in component["properties"]}


def problems(name: str, text: str) -> list[str]:
    """What the official schema, and the library where it looks further, find wrong with a document."""
    if name == "cyclonedx":
        found = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text, all_errors=True)
        return [str(each) for each in found or ()]
    document = json.loads(text)
    validator = jsonschema.Draft201909Validator(SCHEMA)
    parsed = JsonLikeDictParser().parse(document)  # type: ignore[no-untyped-call]
    return [
        *(each.message for each in validator.iter_errors(document)),
        *(each.validation_message for each in validate_full_spdx_document(parsed)),
    ]


@pytest.mark.parametrize("name", WRITERS)
def test_a_document_is_valid(name: str, example: Example) -> None:
    assert not problems(name, WRITERS[name](example.inventory, example.image, MADE))


@pytest.mark.parametrize("name", WRITERS)
def test_a_document_of_nothing_is_valid(name: str, example: Example) -> None:
    assert not problems(name, WRITERS[name](Inventory(packages=()), example.image, MADE))


@pytest.mark.parametrize("name", WRITERS)
def test_what_is_wrong_with_a_document_would_be_seen(name: str, example: Example) -> None:
    document = json.loads(WRITERS[name](example.inventory, example.image, MADE))
    key = "components" if name == "cyclonedx" else "packages"
    del document[key][0]["name"]
    broken = json.dumps(document)
    validator = jsonschema.Draft201909Validator(SCHEMA)
    assert problems(name, broken) if name == "cyclonedx" else list(validator.iter_errors(document))


@pytest.mark.parametrize("name", WRITERS)
def test_the_same_image_makes_the_same_document(name: str, example: Example) -> None:
    write = WRITERS[name]
    again = inventory(dissect(image_of(BASE, OWN)))
    first = write(example.inventory, example.image, MADE)
    assert write(again, image_of(BASE, OWN), MADE) == first
    shuffled = replace(again, packages=again.packages[::-1])
    assert write(shuffled, example.image, MADE) == first
    later = write(example.inventory, example.image, datetime(2030, 1, 1, tzinfo=UTC))
    different = {line for line in later.splitlines() if line.strip() and line not in set(first.splitlines())}
    assert different
    assert all("2030-01-01" in line for line in different)


@pytest.mark.parametrize("name", WRITERS)
def test_another_image_makes_a_document_with_another_number(name: str, example: Example) -> None:
    write = WRITERS[name]
    fewer = replace(example.inventory, packages=example.inventory.packages[1:])
    key = "serialNumber" if name == "cyclonedx" else "documentNamespace"
    numbers = {json.loads(write(each, example.image, MADE))[key] for each in (example.inventory, fewer)}
    assert len(numbers) == 2
    assert all(number.startswith("urn:uuid:") for number in numbers)


def test_every_package_is_a_component_with_layer_and_instruction(example: Example) -> None:
    document = json.loads(cyclonedx.document(example.inventory, example.image, MADE))
    libraries = [each for each in document["components"] if each["type"] != "operating-system"]
    assert len(libraries) == len(example.inventory.packages)
    assert {each["purl"] for each in libraries} == {each.purl for each in example.inventory.packages}
    for each in libraries:
        assert properties(each)["hullmark:layer"].startswith("sha256:")
        assert properties(each)["hullmark:location"] == each["evidence"]["occurrences"][0]["location"]
    assert document["metadata"]["timestamp"] == "2027-03-01T12:30:45+00:00"
    [system] = [each for each in document["components"] if each["type"] == "operating-system"]
    assert (system["name"], system["version"]) == ("linuxmint", "21.3")
    assert properties(system)["hullmark:id-like"] == "ubuntu debian"
    [root] = [each for each in document["dependencies"] if each["ref"] == "image"]
    assert len(root["dependsOn"]) == len(document["components"])


def test_a_document_says_what_could_not_be_named(example: Example) -> None:
    document = json.loads(cyclonedx.document(example.inventory, example.image, MADE))
    said = [
        each["value"]
        for each in document["metadata"]["properties"]
        if each["name"] == "hullmark:unrecognised"
    ]
    assert [each.partition(": ")[0] for each in said] == ["/app/broken.jar", "/usr/local/bin/unknown"]


def test_instructions_are_those_that_wrote_a_package_and_not_the_squash(example: Example) -> None:
    wrote = Origin(
        told=Told.INSTRUCTION,
        text="RUN pip install x",
        stage="build",
        span=SourceSpan(path="Dockerfile", line=7),
    )
    squash = Origin(told=Told.COPY, text="COPY --from=build / /", source=wrote)
    package = replace(example.inventory.packages[0], origin=squash)
    found = dict(facts.facts(package))
    assert found["hullmark:instruction"] == "RUN pip install x"
    assert found["hullmark:dockerfile"] == "Dockerfile:7"
    assert found["hullmark:copied-by"] == "COPY --from=build / /"
    base = dict(facts.facts(replace(package, origin=Origin(told=Told.BASE, text="FROM x", base="debian:12"))))
    assert (base["hullmark:origin"], base["hullmark:base"]) == ("base", "debian:12")


def test_spdx_has_the_same_facts_in_annotations(example: Example) -> None:
    document = json.loads(spdx.document(example.inventory, example.image, MADE))
    by_name = {each["name"]: each for each in document["packages"]}
    libc = by_name["libc6"]
    assert "hullmark:source=glibc" in libc["annotations"][0]["comment"].splitlines()
    assert libc["supplier"] == "Organization: GNU Libc Maintainers <debian-glibc@lists.debian.org>"
    assert libc["externalRefs"][0]["referenceLocator"].startswith("pkg:deb/linuxmint/libc6@2.36-9")
    assert by_name["linuxmint"]["primaryPackagePurpose"] == "OPERATING_SYSTEM"
    assert document["creationInfo"]["created"] == "2027-03-01T12:30:45Z"
    contained = [each for each in document["relationships"] if each["relationshipType"] == "CONTAINS"]
    assert len(contained) == len(document["packages"]) - 1


def test_one_package_that_is_listed_twice_is_one(example: Example) -> None:
    first = example.inventory.packages[0]
    twice = Inventory(packages=(first, replace(first, maintainer="somebody else")))
    assert len(facts.identified(twice)) == 1
    for name, write in WRITERS.items():
        assert not problems(name, write(twice, example.image, MADE))
