"""What is noted of a release whose tags have begun to move is neither lost, nor taken for what it is not."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from tests.release.conftest import FOREIGN, NATIVE, Shop, stage

from hullmark._cli import main
from hullmark._release import publish as publishing
from hullmark._release import state as states
from hullmark._release.lock import locked
from hullmark._release.publish import publish
from hullmark.errors import UsageError
from hullmark.model.journal import Move
from hullmark.model.staging import Published

if TYPE_CHECKING:
    from hullmark._release.undertaking import Undertaking
    from hullmark.model.staging import State


class _Killed(BaseException):
    """The process is gone."""


def _quiet(_line: str) -> None:
    """Nobody listens."""


def _hullmark(shop: Shop, *argv: str) -> tuple[int, str]:
    said = io.StringIO()
    code = main(["-C", str(shop.root), "release", *argv], stdout=said, stderr=said, environ=shop.environ)
    return code, said.getvalue()


def _cut_off(release: Undertaking, monkeypatch: pytest.MonkeyPatch, *, tags: int) -> None:
    """Publishes until that many tags have moved, and then no further; before the journal is written where negative."""
    moved: list[Any] = []
    carry_out = publishing._carry_out  # noqa: SLF001  # where it is cut off

    def move(*arguments: Any) -> bool:
        if len(moved) == tags:
            raise _Killed
        moved.append(arguments)
        return carry_out(*arguments)

    def stop(_release: Undertaking) -> None:
        raise _Killed

    with monkeypatch.context() as patched:
        patched.setattr(publishing, "_carry_out", move)
        if tags < 0:
            patched.setattr(publishing, "_write_journal", stop)
        with pytest.raises(_Killed):
            publish(release, _quiet)


def _elsewhere(shop: Shop) -> None:
    """Goes on as another machine, which has nothing of what was noted here."""
    states.path_of(shop.root, "1.4.0").unlink()


@pytest.mark.parametrize("here", [True, False])
@pytest.mark.parametrize("command", [("build", "1.4.0"), ("build", "1.4.0", "--resume"), ("1.4.0",)])
def test_a_release_that_is_half_moved_is_not_begun_anew(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...], *, here: bool
) -> None:
    with shop.release("1.4.0") as release:
        stage(release, "mine")
        _cut_off(release, monkeypatch, tags=3)
        assert len(shop.tags(release)) == 3
    if not here:
        _elsewhere(shop)
    code, said = _hullmark(shop, *command)
    assert code == 2
    assert "was being published when that was interrupted" in said
    code, said = _hullmark(shop, "1.4.0", "--rollback")
    assert code == 0, said
    with shop.release("1.4.0") as release:
        assert not shop.tags(release)


def test_a_release_that_is_published_is_not_built_again_and_can_be_taken_back(shop: Shop) -> None:
    with shop.release("1.4.0") as release:
        stage(release, "mine")
        publish(release, _quiet)
    for _ in range(2):
        code, said = _hullmark(shop, "build", "1.4.0")
        assert code == 2
        assert "1.4.0 is published already" in said
        states.path_of(shop.root, "1.4.0").unlink(missing_ok=True)
    code, said = _hullmark(shop, "1.4.0", "--rollback")
    assert code == 0, said
    with shop.release("1.4.0") as release:
        assert not shop.tags(release)
        release.refuse_begun()


def test_whoever_shares_or_publishes_the_same_version_meanwhile_takes_no_journal_away(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    with shop.release("1.4.0") as mine:
        stage(mine, "mine")
        with shop.release("1.4.0") as theirs:
            theirs.take_up()
            _cut_off(mine, monkeypatch, tags=3)
            theirs.share(theirs.state.platforms)
            monkeypatch.setattr("hullmark._release.lock._is_gone", lambda _owner: True)
            with pytest.raises(UsageError, match="was being published when that was interrupted"):
                publish(theirs, _quiet)
        noted = states.fetch(mine.registries, states.home(mine.state), "1.4.0")
        assert noted is not None
        assert noted.journal == mine.state.journal
        assert len(shop.tags(mine)) == 3


def test_what_two_machines_have_seen_at_the_gate_counts_together(shop: Shop) -> None:
    with shop.release("1.4.0") as release:
        stage(release, "mine")
        whole = release.state
        release.save(replace(whole, gate=()))
        release.share((NATIVE, FOREIGN))
    for platform in (NATIVE, FOREIGN):
        _elsewhere(shop)
        with shop.release("1.4.0") as release:
            release.take_up()
            mine = next(each for each in whole.gate if each.platform == platform)
            release.save(
                replace(
                    release.state, gate=(*(e for e in release.state.gate if e.platform != platform), mine)
                )
            )
            release.share((platform,))
    # Also for one that has all images, and has seen one half of it.
    states.save(shop.root, replace(whole, gate=whole.gate[:1]))
    with shop.release("1.4.0") as release:
        release.take_up()
        assert release.state.gated
        # Each of these is what was seen of those images, and not of others.
        stage(release, "other", passed=False)
        release.kept = release.state
        release.take_up()
        assert not release.state.gated


@pytest.mark.parametrize("here", [True, False])
@pytest.mark.parametrize("tags", [-1, 0, 3])
def test_images_that_an_index_without_a_tag_leads_to_stay(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, tags: int, *, here: bool
) -> None:
    with shop.release("1.4.0") as release:
        stage(release, "mine")
        release.share(release.state.platforms)
        _cut_off(release, monkeypatch, tags=tags)
        kept = release.state
    if not here:
        _elsewhere(shop)
    code, said = _hullmark(shop, "prune", "1.4.0")
    if tags < 0:
        assert code == 3
        assert said.count("leads to the image") == 4
    else:
        assert code == 2
        assert "was being published when that was interrupted" in said
    states.save(shop.root, kept)
    with shop.release("1.4.0") as release:
        release.take_up()
        publish(release, _quiet)
        assert len(shop.tags(release)) == 8
    code, said = _hullmark(shop, "verify", "1.4.0")
    assert code == 0, said


def test_nothing_is_taken_away_while_somebody_publishes_the_version(shop: Shop) -> None:
    with shop.release("1.4.0") as release:
        stage(release, "mine")
        home = states.home(release.state)
        before = set(release.registries.tags(home))
        with locked(release.registries, home, "1.4.0", now="2026-01-01T00:00:00Z", breaking=False):
            code, said = _hullmark(shop, "prune", "1.4.0")
            assert code == 3
            assert "is being published by somebody else" in said
            assert before < set(release.registries.tags(home))
            code, said = _hullmark(shop, "prune", "1.4.0", "--break-lock")
            assert code == 0, said


def test_what_is_published_to_one_registry_says_nothing_of_another(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    with shop.release("1.4.0") as release:
        stage(release, "mine")
        publish(release, _quiet)
        assert not release.stands
    environ = {**shop.environ, "HULLMARK_REGISTRY": f"{shop.registry}/prod"}
    with shop.release("1.4.0") as release:
        assert release.stands
    monkeypatch.setattr(Shop, "environ", property(lambda _: environ))
    for way in (("1.4.0", "--resume"), ("1.4.0", "--rollback"), ("publish", "1.4.0"), ("gate", "1.4.0")):
        code, said = _hullmark(shop, *way)
        assert code == 2, said
        assert f"it is published to {shop.registry}/acme/shop-api" in said
    with shop.release("1.4.0") as release:
        assert not release.stands
        # It may be published there as well.
        release.refuse_begun()
        stage(release, "mine")
        publish(release, _quiet)
        assert len(shop.tags(release)) == 8


def _other_repository(state: State) -> State:
    services = (replace(state.services[0], repository="127.0.0.1:1/other/api"), *state.services[1:])
    moves = (replace(state.journal[0], repository="127.0.0.1:1/other/api"), *state.journal[1:])
    return replace(state, services=services, journal=moves)


def _other_tag(state: State) -> State:
    return replace(state, moving=("stable",), journal=(replace(state.journal[0], tag="stable"),))


@pytest.mark.parametrize(
    ("harm", "problem"),
    [
        (_other_repository, "it is published to 127.0.0.1:1/other/api"),
        (_other_tag, "it moves the tag `stable`"),
        (lambda state: replace(state, project="other", revision="2" * 40), "it is of the project `other`"),
        (lambda state: replace(state, version="1.4"), "it is of the version `1.4`"),
    ],
)
def test_a_note_in_the_registry_moves_no_tags_but_those_of_the_release(
    shop: Shop, harm: Any, problem: str
) -> None:
    with shop.release("1.4.0") as release:
        stage(release, "mine")
        home = states.home(release.state)
        service = release.state.services[0]
        digest = service.images[0].digest
        false = replace(
            release.state,
            seen=(),
            indexes=(Published(service=service.name, digest=digest, size=1),),
            journal=(Move(repository=service.repository, tag="1.4", before=None, after=digest),),
        )
        document = states.encode(harm(false))
        release.registries.keep(home, states.STATE, document, states.registry_tag("1.4.0"))
    _elsewhere(shop)
    for way in (("1.4.0", "--resume"), ("1.4.0", "--rollback"), ("build", "1.4.0"), ("prune", "1.4.0")):
        code, said = _hullmark(shop, *way)
        assert code == 2, said
        assert problem in said
    with shop.release("1.4.0") as release:
        assert not shop.tags(release)


def test_another_clone_of_the_commit_may_have_another_name(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    with shop.release("1.4.0") as release:
        stage(release, "mine")
        _cut_off(release, monkeypatch, tags=3)
        renamed = replace(release.state, project="clone")
        release.registries.keep(
            states.home(renamed), states.STATE, states.encode(renamed), states.registry_tag("1.4.0")
        )
    _elsewhere(shop)
    with shop.release("1.4.0") as release:
        release.take_up()
        publish(release, _quiet, breaking=True)
        assert len(shop.tags(release)) == 8
    assert states.merged([renamed, replace(renamed, project="shop")]) == renamed
