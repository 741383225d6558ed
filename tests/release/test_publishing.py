"""Tags of a real registry move together, or not at all, wherever publishing is cut off."""

from __future__ import annotations

import io
import itertools
import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from tests.release.conftest import FOREIGN, NATIVE, SETTINGS, push_image, stage

from hullmark._cli import main
from hullmark._images.artifacts import parse_media_type
from hullmark._images.registry import Registry
from hullmark._release import state as states
from hullmark._release.lock import locked, prefix
from hullmark._release.publish import publish, roll_back
from hullmark._release.registries import Registries
from hullmark.errors import CommandFailed, DamagedImage, Interrupted, Unavailable, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.release.conftest import Shop

    from hullmark._release.undertaking import Undertaking

WRITES = ("put", "keep", "remove")


def _quiet(_line: str) -> None:
    """Nobody listens."""


class _Killed(BaseException):
    """The process is gone."""


@dataclass(kw_only=True)
class _Death:
    """Ends everything at the n-th change of a registry, or right after it; what comes then changes nothing any more."""

    at: int
    after: bool
    seen: list[str] = field(default_factory=list)
    dead: bool = False

    def around(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """`function`, until the end."""

        def call(*arguments: Any, **options: Any) -> Any:
            if self.dead:
                raise _Killed
            self.seen.append(name)
            fatal = len(self.seen) == self.at
            if fatal and not self.after:
                self.dead = True
                raise _Killed
            result = function(*arguments, **options)
            if fatal:
                self.dead = True
                raise _Killed
            return result

        return call

    def apply(self, release: Undertaking, monkeypatch: pytest.MonkeyPatch) -> None:
        """Watch the changes of the registries and of the file."""
        for name in WRITES:
            monkeypatch.setattr(
                release.registries, name, self.around(name, getattr(release.registries, name))
            )
        monkeypatch.setattr(type(release), "save", self.around("save", type(release).save))


def _published(shop: Shop, version: str, mark: str) -> dict[tuple[str, str], str | None]:
    with shop.release(version) as release:
        stage(release, mark)
        publish(release, _quiet)
        return shop.tags(release)


def _count(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The changes that the release makes when nothing happens to it."""
    death = _Death(at=0, after=False)
    with shop.release("1.9.0") as release, monkeypatch.context() as patched:
        stage(release, "count")
        death.apply(release, patched)
        publish(release, _quiet)
    return death.seen


def test_every_tag_leads_to_the_index_of_what_passed_the_gate(shop: Shop) -> None:
    tags = _published(shop, "1.4.0", "first")
    with shop.release("1.4.0") as release:
        for service in ("api", "web"):
            repository = f"{shop.registry}/acme/shop-{service}"
            assert {tag for where, tag in tags if where == repository} == {"1.4.0", "1.4", "1", "latest"}
            (digest,) = {digest for (where, _), digest in tags.items() if where == repository}
            found = release.registries.fetch(repository, str(digest))
            assert found is not None
            index = json.loads(found.content)
            assert {each["platform"]["architecture"] for each in index["manifests"]} == {
                NATIVE.split("/")[1],
                FOREIGN.split("/")[1],
            }
            assert index["annotations"]["org.opencontainers.image.version"] == "1.4.0"
            assert index["annotations"]["org.opencontainers.image.source"] == "https://example.com/acme/shop"
            assert index["annotations"]["org.opencontainers.image.revision"] == shop.git("rev-parse", "HEAD")
        assert release.kept is not None
        assert release.kept.published
        kept = states.fetch(release.registries, f"{shop.registry}/acme/shop-api", "1.4.0")
        assert kept == release.kept
        assert not [
            t
            for t in release.registries.tags(f"{shop.registry}/acme/shop-api")
            if t.startswith(prefix("1.4.0"))
        ]


def test_wherever_it_is_cut_off_going_on_ends_in_the_new_state_and_going_back_in_the_old_one(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = _published(shop, "1.4.0", "first")
    changes = len(_count(shop, monkeypatch))
    assert changes > 12
    with shop.release("1.9.0") as release:
        release.take_up()
        assert not roll_back(release, _quiet)
        assert shop.tags(release) == old
    with shop.release("1.5.0") as release:
        stage(release, "second")
        staged = release.state
        # Right after one change is right before the next one.
        for at in range(1, changes + 1):
            release.save(staged)
            with monkeypatch.context() as patched:
                _Death(at=at, after=False).apply(release, patched)
                with pytest.raises(_Killed):
                    publish(release, _quiet)
            release.kept = states.load(shop.root, "1.5.0")
            release.take_up()
            publish(release, _quiet, breaking=True)
            new = shop.tags(release)
            mine = {digest for (_, tag), digest in new.items() if tag in {"1.5.0", "1.5", "1", "latest"}}
            assert mine == {each.digest for each in release.state.indexes}
            assert len(mine) == 2
            assert not roll_back(release, _quiet)
            assert shop.tags(release) == old


def test_what_has_not_passed_the_gate_is_not_published(shop: Shop) -> None:
    with shop.release("1.4.0") as release:
        stage(release, "poisoned", passed=False)
        with pytest.raises(UsageError, match="have not passed the gate"):
            publish(release, _quiet)
        assert not shop.tags(release)


def test_what_is_pushed_again_has_to_pass_the_gate_again(shop: Shop) -> None:
    with shop.release("1.4.0") as release:
        stage(release, "first")
        gate = release.state.gate
        stage(release, "second")
        release.save(type(release.state)(**{**_fields(release.state), "gate": gate}))
        with pytest.raises(UsageError, match="have not passed the gate"):
            publish(release, _quiet)


def _fields(state: Any) -> dict[str, Any]:
    return {name: getattr(state, name) for name in state.__dataclass_fields__}


@pytest.mark.parametrize("tag", ["1.4.0", "latest"])
def test_a_tag_that_somebody_else_moves_between_gate_and_publishing_stops_all_of_it(
    shop: Shop, tag: str
) -> None:
    with shop.release("1.4.0") as release:
        stage(release, "mine")
        repository = f"{shop.registry}/acme/shop-web"
        digest = push_image(release, repository, NATIVE, "theirs")
        found = release.registries.fetch(repository, digest)
        assert found is not None
        release.registries.put(repository, found.content, found.media_type, tag)
        with pytest.raises(UsageError, match="somebody else has moved tags") as caught:
            publish(release, _quiet)
        assert f"{repository}:{tag}" in caught.value.message
        assert shop.tags(release) == {(repository, tag): digest}


def test_a_version_that_is_there_is_told_before_anything_is_done(shop: Shop) -> None:
    _published(shop, "1.4.0", "first")
    shop.write("README.md", "Another shop.\n")
    with shop.release("1.4.0") as release:
        assert [each.check for each in release.problems] == ["taken", "taken"]
        assert not release.stands


def test_an_older_version_takes_only_the_tags_of_its_line(shop: Shop) -> None:
    _published(shop, "2.0.0", "second")
    tags = _published(shop, "1.4.1", "late")
    api = f"{shop.registry}/acme/shop-api"
    assert tags[api, "latest"] == tags[api, "2.0.0"]
    assert tags[api, "1"] == tags[api, "1.4"] == tags[api, "1.4.1"] != tags[api, "latest"]


def test_two_who_publish_the_same_version_exclude_each_other(shop: Shop) -> None:
    with shop.release("1.4.0") as release:
        stage(release, "mine")
        home = states.home(release.state)
        with (
            locked(release.registries, home, "1.4.0", now="2026-01-01T00:00:00Z", breaking=False),
            pytest.raises(Unavailable, match=r"by somebody else: from .*, since 2026-01-01T00:00:00Z"),
        ):
            publish(release, _quiet)
        assert not shop.tags(release)
        publish(release, _quiet)
        assert shop.tags(release)


def test_a_lock_of_a_process_that_is_gone_is_no_obstacle(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    with shop.release("1.4.0") as release:
        stage(release, "mine")
        death = _Death(at=1, after=True)
        with monkeypatch.context() as patched:
            death.apply(release, patched)
            with pytest.raises(_Killed):
                publish(release, _quiet)
        with pytest.raises(Unavailable, match="by somebody else"):
            publish(release, _quiet)
        monkeypatch.setattr("hullmark._release.lock._is_gone", lambda _owner: True)
        publish(release, _quiet)
        assert shop.tags(release)


def test_where_nothing_can_be_taken_away_the_lock_is_given_back_in_writing(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Registries, "remove", lambda *_: False)
    with shop.release("1.4.0") as release:
        stage(release, "mine")
        publish(release, _quiet)
        left = roll_back(release, _quiet)
        assert len(left) == len(release.state.journal) == 8
        assert all("lets nobody take a tag away" in each for each in left)


def test_a_lock_is_given_back_also_when_the_user_asks_to_stop(shop: Shop) -> None:
    with shop.release("1.4.0") as release:
        home = states.home(release.state)

        def begun() -> None:
            with locked(release.registries, home, "1.4.0", now="2026-01-01T00:00:00Z", breaking=False):
                assert any(each.startswith(prefix("1.4.0")) for each in release.registries.tags(home))
                shop.cancelled.set()
                release.registries.tags(home)

        with pytest.raises(Interrupted):
            begun()
        shop.cancelled.clear()
        assert not any(each.startswith(prefix("1.4.0")) for each in release.registries.tags(home))


def test_a_lock_that_cannot_be_given_back_hides_no_error_that_came_first(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: object) -> None:
        raise Unavailable("the registry is gone")

    monkeypatch.setattr("hullmark._release.lock._give_back", refuse)
    with shop.release("1.4.0") as release:
        options: dict[str, Any] = {"now": "2026-01-01T00:00:00Z", "breaking": False}
        home = states.home(release.state)
        with pytest.raises(UsageError, match="first"), locked(release.registries, home, "1.4.0", **options):
            raise UsageError("first")
        with pytest.raises(Unavailable, match="gone"), locked(release.registries, home, "1.5.0", **options):
            pass


def test_whoever_holds_a_lock_is_named_without_what_moves_the_cursor(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    options: dict[str, Any] = {"now": "\x1b[2J", "breaking": False}
    with shop.release("1.4.0") as release:
        home = states.home(release.state)
        monkeypatch.setattr("hullmark._release.lock.this_process", lambda: "\x1b[31mme|1|2")
        with (
            locked(release.registries, home, "1.4.0", **options),
            pytest.raises(Unavailable, match="by somebody else") as error,
            locked(release.registries, home, "1.4.0", **options),
        ):
            pass
    assert "\x1b" not in error.value.message


def test_only_what_changes_something_asks_for_the_right_to(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    _published(shop, "1.4.0", "mine")
    asked: list[bool] = []
    connect = Registry.repository

    def repository(self: Registry, name: str, cancelled: Any, *, pushing: bool = False) -> Any:
        asked.append(pushing)
        return connect(self, name, cancelled, pushing=pushing)

    monkeypatch.setattr(Registry, "repository", repository)
    for argv, writing in (
        (("verify", "1.4.0"), False),
        (("notes", "1.4.0"), False),
        (("run", "1.5.0", "--plan"), False),
        (("prune", "1.4.0"), True),
    ):
        asked.clear()
        said = io.StringIO()
        main(["-C", str(shop.root), "release", *argv], stdout=said, stderr=said, environ=shop.environ)
        assert any(asked) is writing, argv
        assert asked, said.getvalue()


def test_a_list_of_tags_without_an_end_is_refused_and_not_cut(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = itertools.count()
    with shop.release("1.4.0") as release:
        home = states.home(release.state)
        for following in (lambda url: url, lambda url: f"{url.partition('&')[0]}&last={next(pages)}"):
            monkeypatch.setattr(
                "hullmark._release.registries._page", lambda _repository, url, to=following: (["1"], to(url))
            )
            with pytest.raises(DamagedImage, match="has no end"):
                release.registries.tags(home)


@pytest.mark.parametrize("content", [b"nope", b"\xff", b"[" * 100_000])
def test_what_is_no_manifest_is_told(content: bytes) -> None:
    with pytest.raises(DamagedImage, match="is no JSON"):
        parse_media_type(content, "")


def test_another_machine_goes_on_with_what_the_registry_has(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    with shop.release("1.4.0") as release, monkeypatch.context() as patched:
        stage(release, "mine")
        writes = _Death(at=0, after=False)
        writes.apply(release, patched)
        patched.setattr("hullmark._release.publish._follow", _stop)
        with pytest.raises(_Killed):
            publish(release, _quiet)
    states.path_of(shop.root, "1.4.0").unlink()
    with shop.release("1.4.0") as release:
        assert release.kept is None
        release.take_up()
        publish(release, _quiet, breaking=True)
        assert len(shop.tags(release)) == 8


def test_what_was_handed_over_before_tags_began_to_move_does_not_begin_anew(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    with shop.release("1.4.0") as release, monkeypatch.context() as patched:
        stage(release, "mine")
        before = release.state
        patched.setattr("hullmark._release.publish._follow", _stop)
        with pytest.raises(_Killed):
            publish(release, _quiet)
        moving = release.state.journal
    states.save(shop.root, before)
    with shop.release("1.4.0") as release:
        assert release.kept == before
        release.take_up()
        assert release.state.journal == moving


def test_what_an_attempt_from_another_commit_has_left_is_not_taken_up(shop: Shop) -> None:
    with shop.release("1.4.0") as release:
        stage(release, "poisoned", passed=False)
        release.share(release.state.platforms)
    states.path_of(shop.root, "1.4.0").unlink()
    shop.write("README.md", "Better.\n")
    with shop.release("1.4.0") as release, pytest.raises(UsageError, match="nothing has been done for 1"):
        release.take_up()


def _stop(*_arguments: Any) -> None:
    raise _Killed


COSIGN = """#!/bin/sh
echo "$@" >>"$COSIGN_LOG"
if [ "$1" = public-key ]; then echo public; fi
if [ "$1" = "$COSIGN_FAILS" ]; then echo "no $1 today" >&2; exit 1; fi
"""


@pytest.fixture
def cosign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What a program called cosign was called with."""
    program = tmp_path / "bin" / "cosign"
    program.parent.mkdir()
    program.write_text(COSIGN, encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("COSIGN_LOG", str(tmp_path / "cosign.log"))
    monkeypatch.setenv("COSIGN_KEY", "k.key")
    return tmp_path / "cosign.log"


def test_every_index_is_signed_and_verified_before_a_tag_leads_to_it(
    shop: Shop, cosign: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COSIGN_FAILS", "verify")
    with shop.release("1.4.0") as release:
        assert any("sign" in step.what for step in release.plan.steps)
        stage(release, "mine")
        with pytest.raises(CommandFailed, match="no verify today"):
            publish(release, _quiet)
        assert not shop.tags(release)
        monkeypatch.setenv("COSIGN_FAILS", "")
    cosign.unlink()
    with shop.release("1.4.0") as release:
        release.take_up()
        publish(release, _quiet)
        lines = cosign.read_text("utf-8").splitlines()
        assert lines[0] == "public-key --key k.key"
        for number, service in enumerate(release.state.indexes):
            signed, *verified = lines[1 + 4 * number : 5 + 4 * number]
            assert signed.startswith("sign --yes --recursive --key k.key")
            assert signed.endswith(f"acme/shop-{service.service}@{service.digest}")
            assert all(each.startswith("verify --key ") for each in verified)
            images = [each.image for each in release.state.services[number].images]
            assert [each.rpartition("@")[2] for each in verified] == [service.digest, *images]


def test_whoever_verifies_a_release_is_told_of_a_signature_that_is_none(
    shop: Shop, cosign: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _published(shop, "1.4.0", "mine")

    def verified() -> tuple[int, str]:
        said = io.StringIO()
        argv = ["-C", str(shop.root), "release", "verify", "1.4.0"]
        return main(argv, stdout=said, stderr=said, environ=shop.environ), said.getvalue()

    cosign.unlink()
    assert verified()[0] == 0
    lines = cosign.read_text("utf-8").splitlines()
    assert lines[0] == "public-key --key k.key"
    assert len(lines) == 7, "two indexes and their four images"
    assert all(line.startswith("verify --key ") and "@sha256:" in line for line in lines[1:])
    monkeypatch.setenv("COSIGN_FAILS", "verify")
    code, said = verified()
    assert code == 1
    assert said.count("is not signed as it has to be: no verify today") == 2
    # What cannot be looked at is not taken for signed.
    shop.write("hullmark.toml", f'{SETTINGS}sign = "always"\n')
    monkeypatch.setattr("hullmark._release.sign._is_there", lambda _environ: False)
    code, said = verified()
    assert code == 1
    assert said.count("nobody knows whether it is signed") == 2


IDENTITY = ("--certificate-identity", "ada@example.com", "--certificate-oidc-issuer", "https://example.com")


def test_who_has_signed_without_a_key_is_verified_where_somebody_says_who_it_has_to_be(
    shop: Shop, cosign: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COSIGN_KEY")
    shop.write("hullmark.toml", f'{SETTINGS}sign = "always"\n')
    _published(shop, "1.4.0", "mine")

    def verified(*options: str) -> tuple[int, str, list[str]]:
        cosign.write_text("", encoding="utf-8")
        said = io.StringIO()
        argv = ["-C", str(shop.root), "release", "verify", "1.4.0", *options]
        code = main(argv, stdout=said, stderr=said, environ=shop.environ)
        return code, said.getvalue(), cosign.read_text("utf-8").splitlines()

    # Anybody may have signed, and half of a name is none.
    for options in ((), IDENTITY[:2], IDENTITY[2:]):
        code, said, calls = verified(*options)
        assert (code, calls) == (1, [])
        assert said.count("is not verified: nobody says who has to have signed it") == 2
    code, said, calls = verified(*IDENTITY)
    assert code == 0, said
    assert [line.split()[:5] for line in calls] == [["verify", *IDENTITY]] * 6
    # Whoever is told is asked, whether the project at hand signs or not.
    shop.write("hullmark.toml", SETTINGS)
    monkeypatch.setenv("COSIGN_FAILS", "verify")
    code, said, calls = verified(*IDENTITY)
    assert (code, len(calls)) == (1, 2)
    assert said.count("is not signed as it has to be: no verify today") == 2


def test_what_has_to_be_signed_and_cannot_be_is_told_before_anything_is_done(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.write("hullmark.toml", f'{SETTINGS}sign = "always"\n')
    monkeypatch.setattr("hullmark._release.sign._is_there", lambda _environ: False)
    with shop.release("1.4.0") as release:
        assert [each.check for each in release.problems] == ["sign"]


KILLED = """
import os, signal, sys, threading
from pathlib import Path
from hullmark._release import publish
from hullmark._cli import main
from hullmark._images.artifacts import parse_media_type
from hullmark._images.registry import Registry

carry_out = publish._carry_out

def die(*arguments):
    carry_out(*arguments)
    os.kill(os.getpid(), signal.SIGKILL)

publish._carry_out = die
main(["-C", sys.argv[1], "release", *sys.argv[2:]], stdout=sys.stdout, stderr=sys.stderr, environ=os.environ)
"""


def test_a_process_that_is_killed_after_each_move_is_taken_up_onwards_and_backwards(shop: Shop) -> None:
    old = _published(shop, "1.3.0", "old")
    with shop.release("1.4.0") as release:
        stage(release, "mine")
        # 1.4.0, 1.4, 1 and latest, of two services: there one by one, and back one by one as far as they were there
        # before. The others go together here, as this registry takes away no tag without its index.
        for at, way in (
            *((at, ("publish", "1.4.0")) for at in range(1, 9)),
            *((at, ("1.4.0", "--rollback")) for at in range(7, 3, -1)),
        ):
            killed = subprocess.run(
                (sys.executable, "-c", KILLED, str(shop.root), *way),
                env=shop.environ,
                check=False,
                capture_output=True,
            )
            assert killed.returncode == -signal.SIGKILL, killed.stderr
            kept = states.load(shop.root, "1.4.0")
            assert kept is not None
            assert len(kept.journal) == 8
            assert shop.tags(release) == old | {move.place: move.after for move in kept.journal[:at]}
    for argv, code in ((("1.4.0",), 2), (("1.4.0", "--rollback"), 0)):
        said = io.StringIO()
        arguments = ["-C", str(shop.root), "release", *argv]
        assert main(arguments, stdout=said, stderr=said, environ=shop.environ) == code, said.getvalue()
        assert code == 0 or "was being published when that was interrupted" in said.getvalue()
    with shop.release("1.4.0") as release:
        assert shop.tags(release) == old
