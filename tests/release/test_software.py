"""What a release says of the software in its images: lists beside them, and vulnerabilities in the notes."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from tests.release.conftest import FOREIGN, NATIVE, SETTINGS, stage, stored, till
from tests.vulnerabilities.conftest import record

from hullmark._cli import main
from hullmark._images.artifacts import find
from hullmark._release.builder import Builder
from hullmark._release.definition import definition
from hullmark._release.lists import LARGEST, SOFTWARE
from hullmark._release.publish import publish, roll_back
from hullmark.model.digest import Digest
from hullmark.model.staging import Known

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.release.conftest import Shop


def _quiet(_line: str) -> None:
    """Nothing is told."""


def _release(shop: Shop, version: str, till_version: str) -> None:
    with shop.release(version) as release:
        stage(release, f"{version} with {till_version}", files=lambda _service, _platform: till(till_version))
        publish(release, _quiet)


def _notes(shop: Shop, cache: Path | str, version: str = "1.4.0") -> list[str]:
    stdout, stderr = io.StringIO(), io.StringIO()
    argv = ["-C", str(shop.root), "release", "notes", version]
    environ = {**shop.environ, "HULLMARK_CACHE_DIR": str(cache)}
    assert main(argv, stdout=stdout, stderr=stderr, environ=environ) == 0, stderr.getvalue()
    return stdout.getvalue().partition("### Vulnerabilities\n")[2].strip().splitlines()


def test_a_list_of_its_software_is_beside_every_image_that_was_published(shop: Shop) -> None:
    _release(shop, "1.4.0", "1.0")
    with shop.release("1.4.0") as release:
        release.take_up()
        state = release.state
        assert {(each.service, each.platform) for each in state.lists} == {
            (service, platform) for service in ("api", "web") for platform in (NATIVE, FOREIGN)
        }
        for service in state.services:
            for image in service.images:
                repository = release.registries.repository(service.repository)
                kept = find(repository, SOFTWARE, Digest.parse(image.image), LARGEST)
                assert kept is not None
                assert str(kept.digest) in {each.digest for each in state.lists}
                document: dict[str, Any] = json.loads(kept.content)
                assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.6")
                assert [(each["name"], each["version"]) for each in document["components"]] == [
                    ("till", "1.0")
                ]
        # It is what others read, too, that look for what is known of an image.
        stdout = io.StringIO()
        argv = ["sbom", "--from", f"registry:{state.services[0].pinned(NATIVE)}"]
        assert main(argv, stdout=stdout, stderr=stdout, environ=shop.environ) == 0, stdout.getvalue()
        assert "python" in stdout.getvalue()
        # The same images make the same lists, whenever that is.
        roll_back(release, _quiet)
        assert not release.state.lists
        publish(release, _quiet)
        assert release.state.lists == state.lists


def test_what_a_builder_attests_of_an_image_is_published_with_it(shop: Shop) -> None:
    with shop.release("1.4.0") as release:
        stage(release, "attested", attest=True)
        publish(release, _quiet)
        for service in release.state.services:
            index = release.registries.fetch(service.repository, "1.4.0")
            assert index is not None
            listed = json.loads(index.content)["manifests"]
            of = [(each.get("annotations") or {}).get("vnd.docker.reference.digest") for each in listed]
            images = [image.image for image in service.images]
            assert len({image.digest for image in service.images} | set(images)) == 4
            assert [each["digest"] for each in listed[::2]] == images
            assert of == [None, images[0], None, images[1]]

    def verified() -> tuple[int, str]:
        said = io.StringIO()
        argv = ["-C", str(shop.root), "release", "verify", "1.4.0"]
        return main(argv, stdout=said, stderr=said, environ=shop.environ), said.getvalue()

    assert verified()[0] == 0, verified()[1]
    with shop.release("1.4.0") as release:
        release.take_up()
        image = release.state.services[0].images[0]
        assert release.registries.remove(release.state.services[0].repository, image.attestations[0].digest)
    code, said = verified()
    assert code == 1
    assert f"{image.attestations[0].digest}, which is attested of an image, is not there" in said


@pytest.mark.parametrize("driver", ["docker", "docker-container", "remote", "kubernetes"])
def test_only_the_builder_of_the_engine_pushes_under_a_tag(shop: Shop, driver: str) -> None:
    builder = Builder(name="boat", driver=driver, platforms=frozenset())
    with shop.release("1.4.0") as release:
        made = release.wanted
        told = definition(
            made.project, made.services[0], FOREIGN, version=made.version, commit=made.commit, builder=builder
        )
        repository = made.services[0].repository
    build = json.loads(told.file)["services"]["image"]["build"]
    output = next(each for each in told.arguments if each.startswith("image.output="))
    there = driver == "docker"
    assert ("--provenance=false" in told.arguments, "push-by-digest=true" in output) == (there, not there)
    assert bool(build["tags"]) is there
    assert (f"annotation.org.opencontainers.image.version={made.version}" in output) is not there
    cache = f"type=registry,ref={repository}:buildcache-{FOREIGN.partition('/')[2]}"
    assert (build.get("cache_from") == [cache], build.get("cache_to")) == (
        (False, None) if there else (True, [f"{cache},mode=max"])
    )


def test_a_project_may_go_without_lists(shop: Shop) -> None:
    shop.write("hullmark.toml", f"{SETTINGS}sbom = false\n")
    _release(shop, "1.4.0", "1.0")
    with shop.release("1.4.0") as release:
        release.take_up()
        assert not release.state.lists
        assert not [
            tag for tag in release.registries.tags(f"{shop.registry}/acme/shop-api") if "sha256" in tag
        ]
        stdout = io.StringIO()
        argv = ["-C", str(shop.root), "release", "verify", "1.4.0"]
        assert main(argv, stdout=stdout, stderr=stdout, environ=shop.environ) == 0, stdout.getvalue()


def test_notes_hold_both_releases_against_the_same_records(shop: Shop, tmp_path: Path) -> None:
    _release(shop, "1.3.9", "1.0")
    _release(shop, "1.4.0", "3.0")
    severe: dict[str, Any] = {"database_specific": {"severity": "HIGH"}}
    regression = record("GHSA-new", "till", **severe)
    regression["affected"][0]["ranges"][0]["events"] = [{"introduced": "2.5"}, {"fixed": "3.1"}]
    both = record("GHSA-both", "till", fixed=None, **severe)
    cache = stored(tmp_path / "records", [record("GHSA-old", "till", **severe), regression, both])
    lines = _notes(shop, cache)
    assert [line.split(" | ")[:4] for line in lines[2:4]] == [
        ["| api", "2", "1", "1"],
        ["| web", "2", "1", "1"],
    ]
    assert all(" the records of 20" in line for line in lines[2:4])
    assert lines[5:7] == [
        "- new in api: GHSA-new of till 3.0 (high), fixed in 3.1",
        "- fixed in api: GHSA-old of till 1.0 (high)",
    ]
    # Nothing was there before the first one.
    assert [line.split(" | ")[:4] for line in _notes(shop, cache, "1.3.9")[2:]] == [
        ["| api", "2", "-", "-"],
        ["| web", "2", "-", "-"],
    ]


def test_without_records_notes_tell_what_the_gates_saw_and_never_that_there_is_nothing(
    shop: Shop, tmp_path: Path
) -> None:
    def gated(version: str, ids: Mapping[str, str]) -> None:
        with shop.release(version) as release:
            stage(release, version, files=lambda _service, _platform: till("1.0"))
            found = tuple(
                Known(service="api", id=name, package="till", installed="1.0", severity=severity)
                for name, severity in ids.items()
            )
            passages = (replace(each, scanned=("api",), vulnerabilities=found) for each in release.state.gate)
            release.save(replace(release.state, gate=tuple(passages)))
            publish(release, _quiet)

    gated("1.3.9", {"GHSA-old": "low", "GHSA-both": "high"})
    gated("1.4.0", {"GHSA-both": "high", "GHSA-new": "critical"})
    lines = _notes(shop, tmp_path / "nothing")
    assert lines[2:] == [
        "| api | 2 | 1 | 1 | what the gates of the releases saw |",
        "| web | not scanned | - | - | no records are stored here, and its gate has noted none; run `hullmark db update` |",
        "",
        "- new in api: GHSA-new of till 1.0 (critical)",
        "- fixed in api: GHSA-old of till 1.0 (low)",
    ]
