"""Publishes what passed the gate: the indexes first, where nobody sees them, and then the tags, in a journal's order."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hullmark._release import state as states
from hullmark._release.begun import refuse_begun
from hullmark._release.definition import labels
from hullmark._release.index import push_index
from hullmark._release.lists import list_software
from hullmark._release.lock import locked, moment
from hullmark._release.sign import sign
from hullmark.errors import DamagedImage, Unavailable, UsageError
from hullmark.model.journal import Move, backwards, journal, onwards

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator, Mapping

    from hullmark._release.registries import Registries
    from hullmark._release.undertaking import Undertaking
    from hullmark.model.journal import Course, Place
    from hullmark.model.staging import StagedService, State


def annotations_of(undertaking: Undertaking, service: StagedService) -> dict[str, str]:
    """What the index of the service says of itself."""
    settings = undertaking.project.settings.release
    planned = next(each for each in undertaking.wanted.services if each.name == service.name)
    return labels(
        undertaking.version,
        undertaking.wanted.commit,
        planned,
        source=settings.source,
        licenses=settings.licenses,
    )


def places(state: State, tag: str) -> Iterator[Place]:
    """The tags that are moved: that of the version in every repository, then each of the others in every one."""
    for each in (tag, *state.moving):
        for service in state.services:
            yield service.repository, each


def note_tags(undertaking: Undertaking) -> None:
    """Notes what the tags lead to now, so that it is seen when somebody else moves one before they are moved here."""
    state = undertaking.state
    if state.seen:
        return
    seen = undertaking.registries.seen(places(state, undertaking.version.tag))
    undertaking.save(replace(state, seen=tuple((*place, digest) for place, digest in seen.items())))


def publish(undertaking: Undertaking, tell: Callable[[str], None], *, breaking: bool = False) -> None:
    """Publishes the release, or what is left to be published of it.

    Raises `UsageError` where not everything has passed the gate, or a tag has been moved by somebody else; then no tag
    moves. Whatever happens, `onwards` from the journal leads to the new state, and `backwards` to the old one.
    """
    state = undertaking.state
    if not state.gated:
        waiting = [each for each in state.platforms if not state.passed(each)]
        raise UsageError(
            f"nothing is published: the images for {', '.join(waiting)} have not passed the gate",
            hint=f"`hullmark release gate {state.version}`",
        )
    registries = undertaking.registries
    with locked(registries, states.home(state), state.version, now=moment(), breaking=breaking):
        if not state.journal:
            # Somebody else may have had the lock since this one looked.
            refuse_begun(undertaking.wanted, registries, None)
            _push_indexes(undertaking, tell)
            list_software(undertaking, tell)
            sign(undertaking, tell)
            _write_journal(undertaking)
        _follow(undertaking, onwards(undertaking.state.journal, _seen(undertaking)), tell)
        undertaking.save(replace(undertaking.state, published=True))
        states.publish(registries, undertaking.state)


def roll_back(
    undertaking: Undertaking, tell: Callable[[str], None], *, breaking: bool = False
) -> tuple[str, ...]:
    """Puts every tag back to where it was before the release; those that could not be, and why.

    A tag that somebody else has moved since is left alone, and so is one that the registry lets nobody take away.
    """
    state = undertaking.state
    if not state.journal:
        raise UsageError(f"no tag has been moved for {state.version}; there is nothing to take back")
    registries = undertaking.registries
    left = []
    with locked(registries, states.home(state), state.version, now=moment(), breaking=breaking):
        course = backwards(state.journal, _seen(undertaking))
        left += [
            f"{move.reference} leads to {found}, and was moved by somebody else: left alone"
            for move, found in course.strange
        ]
        going = {move.place for move in course.moves if move.after is None}
        for move in course.moves:
            if move.after is None and registries.digest(*move.place) is None:
                continue  # gone with another tag of the same image
            if not _carry_out(registries, move, going):
                left.append(f"{move.reference}: the registry lets nobody take a tag away")
            else:
                tell(f"{move.reference} is back at {move.after or 'nothing'}")
        if not left:
            undertaking.save(
                replace(
                    undertaking.state,
                    journal=(),
                    indexes=(),
                    lists=(),
                    published=False,
                    seen=(),
                    triggered=(),
                )
            )
            states.publish(registries, undertaking.state)
    return tuple(left)


def _push_indexes(undertaking: Undertaking, tell: Callable[[str], None]) -> None:
    state, registries = undertaking.state, undertaking.registries
    indexes = []
    for service in state.services:
        published = push_index(registries, service, annotations_of(undertaking, service))
        tell(f"{service.repository}@{published.digest}: {len(service.images)} platforms, read back")
        indexes.append(published)
    undertaking.save(replace(state, indexes=tuple(indexes)))
    # No tag leads to them yet; so it is seen that they need the images.
    states.publish(registries, undertaking.state)


def _write_journal(undertaking: Undertaking) -> None:
    """Writes down what is to be done, here and in the registry, before any of it is done."""
    state, registries = undertaking.state, undertaking.registries
    index = {
        service.repository: published.digest
        for service in state.services
        for published in state.indexes
        if published.service == service.name
    }
    wanted = list(places(state, undertaking.version.tag))
    now = registries.seen(wanted)
    before = {(repository, tag): digest for repository, tag, digest in state.seen}
    _refuse_others(before, now, index, undertaking.version.tag)
    moves = journal(
        Move(repository=repository, tag=tag, before=now[repository, tag], after=index[repository])
        for repository, tag in wanted
    )
    undertaking.save(replace(state, journal=moves))
    states.publish(registries, undertaking.state)


def _refuse_others(
    before: Mapping[Place, str | None],
    now: Mapping[Place, str | None],
    index: Mapping[str, str],
    version: str,
) -> None:
    """Raises `UsageError` where a tag leads to what it did not when the release began, or to another release."""
    problems = []
    for (repository, tag), digest in now.items():
        if digest == index[repository]:
            continue
        if tag == version and digest is not None:
            problems.append(f"  {repository}:{tag} is there already, as {digest}")
        elif (repository, tag) in before and before[repository, tag] != digest:
            was = before[repository, tag] or "nothing"
            problems.append(f"  {repository}:{tag} led to {was}, and leads to {digest or 'nothing'} now")
    if problems:
        raise UsageError(
            "\n".join(
                ("somebody else has moved tags since the release began; none is moved here:", *problems)
            ),
            hint="find out who it was; then start the release anew",
        )


def _seen(undertaking: Undertaking) -> dict[Place, str | None]:
    return undertaking.registries.seen(move.place for move in undertaking.state.journal)


def _follow(undertaking: Undertaking, course: Course, tell: Callable[[str], None]) -> None:
    if course.strange:
        lines = [f"  {move.reference} leads to {found or 'nothing'}" for move, found in course.strange]
        raise UsageError(
            "\n".join(("somebody else has moved tags of this release; none is moved here:", *lines)),
            hint=f"`hullmark release {undertaking.version} --rollback` puts the others back",
        )
    for move in course.moves:
        _carry_out(undertaking.registries, move)
        tell(f"{move.reference} leads to {move.after}")


def _carry_out(registries: Registries, move: Move, going: Container[Place] = ()) -> bool:
    """Moves one tag and sees that it is where it belongs; whether the registry lets anybody do that.

    `going` are all tags that are being taken away. Raises `UsageError` where it is moved by somebody else at the same
    time.
    """
    found = registries.digest(*move.place)
    if found != move.before:
        raise UsageError(
            f"{move.reference} is being moved by somebody else: it leads to {found or 'nothing'} now"
        )
    if move.after is None:
        return _take_away(registries, move, going)
    document = registries.fetch(move.repository, move.after)
    if document is None:
        raise Unavailable(f"{move.repository}@{move.after} is not in the registry any more; {move.tag} stays")
    registries.put(move.repository, document.content, document.media_type, move.tag)
    if (found := registries.digest(*move.place)) != move.after:
        raise DamagedImage(f"{move.reference} was moved to {move.after}, and leads to {found or 'nothing'}")
    return True


def _take_away(registries: Registries, move: Move, going: Container[Place]) -> bool:
    """Takes a tag away that was not there before: the tag alone where the registry can do that, else what it leads to."""
    if not registries.remove(move.repository, move.tag):
        assert move.before is not None
        # With a manifest all of its tags go, and somebody may have given it others.
        others = (tag for tag in registries.tags(move.repository) if (move.repository, tag) not in going)
        if any(registries.digest(move.repository, each) == move.before for each in others):
            return False
        if not registries.remove(move.repository, move.before):
            return False
    return registries.digest(*move.place) is None
