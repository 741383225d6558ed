"""Whatever happens on the way to the registry, a release ends in the new state of it or in the old one."""

from __future__ import annotations

import contextlib
import errno
import io
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.release.conftest import stage

from hullmark._cli import main
from hullmark._release import state as states
from hullmark._release.publish import publish, roll_back
from hullmark.errors import DamagedImage, Unavailable
from hullmark.testing import Fault, FaultyRegistry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.release.conftest import Shop

    from hullmark._release.undertaking import Undertaking
    from hullmark.errors import HullmarkError

VISIBLE = r"/manifests/(1|1\.5|1\.5\.0|latest)$"
BLOBS, MANIFESTS, IMAGES = "/blobs/uploads/", "/manifests/", "/manifests/sha256:"
Harm = Callable[[FaultyRegistry], None]


def _fault(path: str, fault: Fault, *, method: str = "PUT", **how: int) -> Harm:
    """Has a registry answer so."""
    return lambda registry: registry.fault(path, fault, method=method, **how)


def _expire(registry: FaultyRegistry) -> None:
    """Has a registry want tokens that are good for a few requests."""
    registry.tokens.uses = 4


PASSING: dict[str, Harm] = {
    "the token expires again and again": _expire,
    "too many requests": _fault(
        MANIFESTS, Fault(status=429, headers=(("Retry-After", "1"),)), after=3, times=2
    ),
    "the registry fails twice": _fault(VISIBLE, Fault(status=500), after=2, times=2),
    "the connection breaks off in a blob": _fault(BLOBS, Fault(take_only=100), times=2),
    "nobody is told that a tag has moved": _fault(VISIBLE, Fault(silent=True), after=1, times=2),
    "the registry is slow": _fault(MANIFESTS, Fault(every=0.00002), method="GET"),
}
LASTING: dict[str, tuple[Harm, type[HullmarkError]]] = {
    "the registry fails after three tags": (_fault(VISIBLE, Fault(status=503), after=3), Unavailable),
    "the right to move a tag is lost after two": (_fault(VISIBLE, Fault(status=403), after=2), Unavailable),
    "an image is read back as other bytes": (
        _fault(IMAGES, Fault(flip=10), method="GET", after=1),
        DamagedImage,
    ),
}


def _quiet(_line: str) -> None:
    """Nobody listens."""


@pytest.fixture
def proxy(registry: str) -> Iterator[FaultyRegistry]:
    """In front of the registry."""
    with FaultyRegistry(behind=registry) as made:
        yield made


@contextlib.contextmanager
def _second(shop: Shop) -> Iterator[tuple[Undertaking, dict[tuple[str, str], str | None]]]:
    """A release that has passed the gate, and what the tags led to before it."""
    with shop.release("1.4.0") as release:
        stage(release, "first")
        publish(release, _quiet)
    with shop.release("1.5.0") as release:
        stage(release, "second")
        yield release, shop.tags(release)


def _is_new(shop: Shop, release: Undertaking, old: dict[tuple[str, str], str | None]) -> None:
    tags = shop.tags(release)
    mine = {digest for (_, tag), digest in tags.items() if tag in {"1.5.0", "1.5", "1", "latest"}}
    assert mine == {each.digest for each in release.state.indexes}
    assert len(mine) == 2
    assert {place: tags[place] for place in old if place[1] == "1.4.0"} == {
        place: digest for place, digest in old.items() if place[1] == "1.4.0"
    }


def test_what_passes_by_itself_holds_no_release_up(shop: Shop, proxy: FaultyRegistry) -> None:
    shop = replace(shop, registry=proxy.host)
    with _second(shop) as (release, old):
        staged = release.state
        for name, harm in PASSING.items():
            release.save(staged)
            harm(proxy)
            publish(release, _quiet)
            assert proxy.faults or proxy.tokens.refused, name
            proxy.behave()
            _is_new(shop, release, old)
            harm(proxy)
            assert not roll_back(release, _quiet), name
            proxy.behave()
            assert shop.tags(release) == old, name


@pytest.mark.parametrize("name", LASTING)
def test_what_does_not_pass_is_one_error_from_which_there_is_a_way_on_and_a_way_back(
    shop: Shop, proxy: FaultyRegistry, name: str
) -> None:
    shop = replace(shop, registry=proxy.host)
    harm, error = LASTING[name]
    with _second(shop) as (release, old):
        staged = release.state
        for back in (True, False):
            release.save(staged)
            harm(proxy)
            with pytest.raises(error) as caught:
                publish(release, _quiet)
            assert proxy.faults
            assert proxy.host in caught.value.message
            proxy.behave()
            release.kept = states.load(shop.root, "1.5.0")
            release.take_up()
            if back and release.state.journal:
                assert not roll_back(release, _quiet, breaking=True)
            if back:
                assert shop.tags(release) == old
                continue
            publish(release, _quiet, breaking=True)
            _is_new(shop, release, old)


def test_a_disk_that_is_full_while_tags_move_is_one_error_and_then_the_release_goes_on(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = io.StringIO()
    arguments = ["-C", str(shop.root), "release"]

    def hullmark(*argv: str) -> int:
        return main([*arguments, *argv], stdout=io.StringIO(), stderr=said, environ=shop.environ)

    write, writes = Path.write_bytes, []

    def full(path: Path, content: bytes) -> int:
        writes.append(path)
        if len(writes) >= allowed:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(path, content)

    with _second(shop) as (release, old):
        # At the beginning, after the indexes and the lists, while the journal is written, and once every tag has moved.
        for allowed in (1, 2, 3, 4, 5):
            writes.clear()
            with monkeypatch.context() as patched:
                patched.setattr(Path, "write_bytes", full)
                assert hullmark("publish", "1.5.0") == 3
            assert len(writes) == allowed
            assert "No space left on device" in said.getvalue()
            moved = shop.tags(release) != old
            assert moved is (allowed == 5)
        assert hullmark("1.5.0", "--resume") == 0, said.getvalue()
        release.kept = states.load(shop.root, "1.5.0")
        release.take_up()
        _is_new(shop, release, old)
