"""A published release is looked at from outside, and what it left behind is taken away without harm."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from tests.release.conftest import FOREIGN, INDEX, MANIFEST, NATIVE, SETTINGS, push_image, stage

from hullmark._cli import main
from hullmark._release import state as states
from hullmark._release.publish import publish
from hullmark._release.registries import Registries
from hullmark._release.verify import verify

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.release.conftest import Shop

    from hullmark._release.undertaking import Undertaking


def _hullmark(shop: Shop, *argv: str) -> tuple[int, Any]:
    stdout, stderr = io.StringIO(), io.StringIO()
    argv = ("-C", str(shop.root), *argv, "--format", "json")
    code = main(list(argv), stdout=stdout, stderr=stderr, environ=shop.environ)
    assert stdout.getvalue(), stderr.getvalue()
    return code, json.loads(stdout.getvalue())


def _publish(shop: Shop) -> None:
    with shop.release("1.4.0") as release:
        stage(release, "first")
        publish(release, lambda _: None)


def _problems(shop: Shop) -> list[str]:
    code, said = _hullmark(shop, "release", "verify", "1.4.0")
    found = [problem for service in said["services"] for problem in service["problems"]]
    assert code == (1 if found else 0)
    return found


def test_a_release_is_as_it_was_published_also_for_who_has_nothing_else(shop: Shop) -> None:
    _publish(shop)
    (shop.root / ".hullmark/release/1.4.0.json").unlink()
    shop.write("README.md", "Much later.\n")
    code, said = _hullmark(shop, "release", "verify", "1.4.0")
    assert code == 0
    assert [(each["name"], each["platforms"], each["problems"]) for each in said["services"]] == [
        ("api", sorted([NATIVE, FOREIGN]), []),
        ("web", sorted([NATIVE, FOREIGN]), []),
    ]


def _move_tag(shop: Shop, release: Undertaking) -> None:
    repository = f"{shop.registry}/acme/shop-web"
    found = release.registries.fetch(repository, push_image(release, repository, NATIVE, "theirs"))
    assert found is not None
    release.registries.put(repository, found.content, found.media_type, "1.4.0")


def _remove_image(shop: Shop, release: Undertaking) -> None:
    image = release.state.services[1].image(FOREIGN)
    assert image is not None
    assert release.registries.remove(f"{shop.registry}/acme/shop-web", image.image)


def _remove_note(shop: Shop, release: Undertaking) -> None:
    repository = f"{shop.registry}/acme/shop-api"
    digest = release.registries.digest(repository, "hullmark-release-1.4.0")
    assert release.registries.remove(repository, str(digest))


def _remove_list(shop: Shop, release: Undertaking) -> None:
    (wanted,) = (each for each in release.state.lists if (each.service, each.platform) == ("web", FOREIGN))
    assert release.registries.remove(f"{shop.registry}/acme/shop-web", wanted.digest)


@pytest.mark.parametrize(
    ("harm", "problem"),
    [
        (_remove_list, "is not beside it"),
        (_move_tag, "was published"),
        (_remove_image, "is not there"),
        (_remove_note, "nobody knows what passed the gate"),
    ],
)
def test_what_has_happened_to_a_release_since_is_told(
    shop: Shop, harm: Callable[[Shop, Undertaking], None], problem: str
) -> None:
    _publish(shop)
    with shop.release("1.4.0") as release:
        release.take_up()
        harm(shop, release)
    assert any(problem in each for each in _problems(shop))


MOVING = ("1.4", "1", "latest")


def _move_the_others(shop: Shop, release: Undertaking) -> None:
    repository = f"{shop.registry}/acme/shop-web"
    found = release.registries.fetch(repository, push_image(release, repository, NATIVE, "theirs"))
    assert found is not None
    release.registries.put(repository, found.content, found.media_type, *MOVING)


def test_tags_that_have_been_moved_to_something_else_are_told_and_a_later_release_may_hold_them(
    shop: Shop,
) -> None:
    _publish(shop)
    with shop.release("1.4.0") as release:
        before = release.registries.fetch(f"{shop.registry}/acme/shop-web", "latest")
        _move_the_others(shop, release)
    found = _problems(shop)
    assert [each.partition(" leads to ")[0] for each in found] == [*MOVING], found
    assert all("neither this release nor a later one" in each for each in found)
    with shop.release("1.4.0") as release:
        assert before is not None
        release.registries.put(f"{shop.registry}/acme/shop-web", before.content, before.media_type, *MOVING)
    with shop.release("1.5.0") as release:
        stage(release, "later")
        publish(release, lambda _: None)
    assert _problems(shop) == []
    with shop.release("1.4.0") as release:
        _move_the_others(shop, release)
    found = _problems(shop)
    assert [each.partition(" leads to ")[0] for each in found] == [*MOVING], found


def test_images_that_the_gate_has_stopped_have_not_passed_it(shop: Shop) -> None:
    _publish(shop)
    with shop.release("1.4.0") as release:
        release.take_up()
        stopped = tuple(replace(each, exit_code=1) for each in release.state.gate)
        states.publish(release.registries, replace(release.state, gate=stopped))
    found = _problems(shop)
    assert sum("has not passed the gate" in each for each in found) == 4, found
    assert sum("the gate has not let the images" in each for each in found) == 2, found


def test_labels_that_are_not_those_of_the_release_are_told(shop: Shop) -> None:
    wrong = dict.fromkeys(("revision", "created", "source", "licenses"), "theirs")
    with shop.release("1.4.0") as release:
        stage(release, "first", others={f"org.opencontainers.image.{key}": it for key, it in wrong.items()})
        publish(release, lambda _: None)
    found = _problems(shop)
    assert len(found) == 16, found
    for key in wrong:
        assert sum(f"the image says that its {key} is `theirs`" in each for each in found) == 4


HOSTILE = (
    b"[]",
    b'{"os":3}',
    b'{"os":"linux","architecture":"amd64","config":[1]}',
    b'{"os":"linux","architecture":"amd64","config":{"Labels":{"a":1}}}',
    b'{"os":"\\u001b[31mlinux","architecture":"amd64"}',
    b"[" * 100_000,
    b'{"x":' * 100_000,
    b"\xff",
    b"nope",
    b"",
)


def test_whatever_a_registry_serves_for_an_image_is_told_and_ends_in_no_error(shop: Shop) -> None:
    _publish(shop)
    repository = f"{shop.registry}/acme/shop-web"
    system, architecture = NATIVE.split("/")[:2]
    platforms: tuple[Any, ...] = (
        {"os": "\x1b[31m", "architecture": "amd64"},
        {"os": "vms", "architecture": "a/b/c"},
        {"os": "linux"},
        None,
    )
    usual = {"os": system, "architecture": architecture}
    cases = [*((config, usual) for config in HOSTILE), *((b"{}", each) for each in platforms)]
    with shop.release("1.4.0") as release:
        registries = release.registries
        for config, platform in cases:
            blob = {
                "mediaType": "application/vnd.oci.image.config.v1+json",
                "digest": str(registries.blob(repository, config)),
                "size": len(config),
            }
            child = json.dumps(
                {"schemaVersion": 2, "mediaType": MANIFEST, "config": blob, "layers": []}
            ).encode()
            listed: dict[str, Any] = {
                "mediaType": MANIFEST,
                "digest": registries.put(repository, child, MANIFEST),
                "size": len(child),
            }
            if platform is not None:
                listed["platform"] = platform
            index = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [listed]}).encode()
            registries.put(repository, index, INDEX, "1.4.0")
            (found,) = (each for each in verify(release.wanted, registries) if each.service == "web")
            expected = "is none" if platform is usual else "for which platform"
            assert any(expected in each for each in found.problems), (config[:60], platform, found)
            assert "\x1b" not in "".join((*found.problems, *found.platforms))


def test_a_note_that_cannot_be_read_is_a_problem_of_the_release(shop: Shop) -> None:
    _publish(shop)
    repository = f"{shop.registry}/acme/shop-api"
    with shop.release("1.4.0") as release:
        release.registries.keep(repository, states.STATE, b"\x1b[31m", states.registry_tag("1.4.0"))
    found = _problems(shop)
    assert sum("cannot be read" in each for each in found) == 2, found


def test_what_is_taken_back_is_told_to_programs(shop: Shop) -> None:
    _publish(shop)
    code, said = _hullmark(shop, "release", "run", "1.4.0", "--rollback")
    assert code == 0
    assert (said["schema"], said["published"]) == ("hullmark/release-report/1", False)


def test_a_version_that_is_not_there_is_told(shop: Shop) -> None:
    assert _problems(shop) == ["there is no tag 1.4.0", "there is no tag 1.4.0"]


def test_images_of_a_release_that_was_not_published_are_taken_away(shop: Shop) -> None:
    with shop.release("1.4.0") as release:
        stage(release, "poisoned", passed=False)
    code, said = _hullmark(shop, "release", "prune", "1.4.0")
    assert code == 0
    assert said["schema"] == "hullmark/release-prune/1"
    assert len(said["gone"]) == 4
    with shop.release("1.4.0") as release:
        assert not release.registries.tags(f"{shop.registry}/acme/shop-web")


def test_what_is_taken_away_is_what_was_noted_whatever_the_project_releases_by_now(shop: Shop) -> None:
    with shop.release("1.4.0") as release:
        stage(release, "poisoned", passed=False)
        release.share(release.wanted.platforms)
        states.publish(release.registries, release.state)
    states.path_of(shop.root, "1.4.0").unlink()
    shop.write("hullmark.toml", SETTINGS.replace(f', "{FOREIGN}"', "") + 'services = ["api"]\n')
    code, said = _hullmark(shop, "release", "prune", "1.4.0")
    assert (code, len(said["gone"])) == (0, 7), said
    with shop.release("1.4.0") as release:
        assert not release.registries.tags(f"{shop.registry}/acme/shop-web")
        assert not release.registries.tags(f"{shop.registry}/acme/shop-api")
    stdout = io.StringIO()
    argv = ["-C", str(shop.root), "release", "prune", "1.4.0"]
    assert main(argv, stdout=stdout, stderr=io.StringIO(), environ=shop.environ) == 0
    assert stdout.getvalue().startswith("nothing of 1.4.0 waits")


def test_images_that_an_index_leads_to_stay_where_tags_cannot_be_taken_away_alone(shop: Shop) -> None:
    _publish(shop)
    code, said = _hullmark(shop, "release", "prune", "1.4.0")
    assert code == 3
    assert len(said["left"]) == 4
    assert all("leads to the image" in each for each in said["left"])
    assert not _problems(shop)


def test_an_image_that_goes_with_its_tag_is_put_back_where_an_index_leads_to_it(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    remove = Registries.remove

    def remove_all(self: Registries, name: str, which: str) -> bool:
        """As some registries do: with a tag goes the image."""
        return remove(self, name, str(self.digest(name, which)))

    _publish(shop)
    monkeypatch.setattr(Registries, "remove", remove_all)
    code, said = _hullmark(shop, "release", "prune", "1.4.0")
    assert code == 0, said
    assert len(said["gone"]) == 4
    monkeypatch.undo()
    found = _problems(shop)
    assert found == [], found


def test_notes_tell_what_has_become_larger_since_the_release_before(shop: Shop) -> None:
    for version, mark in (("1.3.9", "old"), ("1.4.0", "old and more")):
        with shop.release(version) as release:
            stage(release, mark)
            publish(release, lambda _: None)
    code, said = _hullmark(shop, "release", "notes", "1.4.0")
    assert code == 0
    assert said["schema"] == "hullmark/release-notes/1"
    lines = said["notes"].splitlines()
    assert lines[:4] == ["## 1.4.0", "", "| service | size | change | since |", "| --- | ---: | ---: | --- |"]
    sizes = [len(f"old and more {name} {NATIVE}") for name in ("api", "web")]
    assert lines[4:6] == [
        f"| {name} | {size} B | +9 B | 1.3.9 |" for name, size in zip(("api", "web"), sizes, strict=True)
    ]
    code, said = _hullmark(shop, "release", "notes", "1.3.9")
    assert code == 0
    assert said["notes"].count("| new | - |") == 2
