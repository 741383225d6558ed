"""At every point where publishing can be cut off, going on ends in the new state and going back in the old one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from hullmark.model.journal import Move, backwards, journal, onwards

if TYPE_CHECKING:
    from hullmark.model.journal import Course, Place

digests = st.sampled_from([f"sha256:{digit * 64}" for digit in "abcdef"])
places = st.tuples(st.sampled_from(["r/one", "r/two"]), st.sampled_from(["1.4.2", "1.4", "1", "latest"]))
registries = st.dictionaries(places, digests)


@st.composite
def publications(draw: st.DrawFn) -> tuple[dict[Place, str | None], tuple[Move, ...]]:
    """What the tags lead to, and where a release wants them."""
    tags: dict[Place, str | None] = {}
    tags.update(draw(registries))
    wanted = draw(st.lists(st.tuples(places, digests), unique_by=lambda each: each[0], min_size=1))
    moves = journal(
        Move(repository=place[0], tag=place[1], before=tags.get(place), after=digest)
        for place, digest in wanted
    )
    return tags, moves


def _seen(tags: dict[Place, str | None], moves: tuple[Move, ...]) -> dict[Place, str | None]:
    return {move.place: tags.get(move.place) for move in moves}


def _carry_out(tags: dict[Place, str | None], course: Course, first: int) -> dict[Place, str | None]:
    """The tags after the first moves of `course`, after which the process is killed."""
    tags = dict(tags)
    for move in course.moves[:first]:
        assert tags.get(move.place) == move.before
        tags[move.place] = move.after
        if move.after is None:
            del tags[move.place]
    return tags


@given(publications(), st.lists(st.tuples(st.booleans(), st.integers(0, 8)), max_size=6), st.booleans())
def test_however_often_it_is_cut_off_it_ends_in_the_new_state_or_in_the_old_one(
    publication: tuple[dict[Place, str | None], tuple[Move, ...]],
    cuts: list[tuple[bool, int]],
    forwards: bool,  # noqa: FBT001  # a property's argument
) -> None:
    old, moves = publication
    new = old | {move.place: move.after for move in moves}
    tags = dict(old)
    for ahead, first in cuts:
        course = (onwards if ahead else backwards)(moves, _seen(tags, moves))
        assert not course.strange
        tags = _carry_out(tags, course, first)
    course = (onwards if forwards else backwards)(moves, _seen(tags, moves))
    tags = _carry_out(tags, course, len(course.moves))
    assert tags == (new if forwards else old)


@given(publications(), st.integers(0, 8), st.data())
def test_a_tag_that_somebody_else_has_moved_is_never_moved(
    publication: tuple[dict[Place, str | None], tuple[Move, ...]], first: int, data: st.DataObject
) -> None:
    tags, moves = publication
    if not moves:
        return
    tags = _carry_out(tags, onwards(moves, _seen(tags, moves)), first)
    taken = data.draw(st.sampled_from(moves))
    tags[taken.place] = "sha256:" + "9" * 64
    for way, move in ((onwards, taken), (backwards, taken.back)):
        course = way(moves, _seen(tags, moves))
        assert (move, tags[taken.place]) in course.strange
        assert taken.place not in {each.place for each in course.moves}


def test_what_is_where_it_belongs_is_not_moved() -> None:
    same = Move(repository="r/one", tag="1.4.2", before="sha256:a", after="sha256:a")
    new = Move(repository="r/one", tag="latest", before=None, after="sha256:a")
    assert journal([same, new]) == (new,)
    assert new.reference == "r/one:latest"
