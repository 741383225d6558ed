"""The map of an image: the same bytes three times, nothing lost, and small whatever the image is like."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from hullmark._anatomy import dissect
from hullmark._contents.boxes import MOST, boxes
from hullmark.testing import synthetic_image

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from hullmark.model.space import SpaceMap, SpaceNode

names = st.sampled_from(["a", "b", "usr", "lib", "x.py", ".wh.a", "deep", "é"])
paths = st.lists(names, min_size=1, max_size=5).map(lambda parts: "/" + "/".join(parts))
layers = st.lists(st.dictionaries(paths, st.integers(0, 1 << 40), max_size=12), max_size=4)


def _map(layers: Sequence[Mapping[str, int]]) -> tuple[SpaceMap, int, int]:
    """The map, and how many bytes and files are visible."""
    anatomy = dissect(synthetic_image(layers=layers))
    made = boxes(anatomy.files, anatomy.ownership, anatomy.attribution)
    return made, anatomy.files.visible_bytes, sum(each.files for each in anatomy.owners)


def _all(node: SpaceNode) -> Iterator[SpaceNode]:
    yield node
    for each in node.inside:
        yield from _all(each)


@given(layers)
@settings(max_examples=150, deadline=None)
def test_every_view_has_all_bytes_and_files_and_boxes_sum_up(layers: list[dict[str, int]]) -> None:
    made, size, files = _map(layers)
    for root in (made.owners, made.instructions, made.paths):
        assert (root.bytes, root.files) == (size, files)
        for node in _all(root):
            if node.inside:
                assert node.bytes == sum(each.bytes for each in node.inside)
                assert node.files == sum(each.files for each in node.inside)
                assert [each.bytes for each in node.inside] == sorted(
                    (each.bytes for each in node.inside), reverse=True
                )
            # Only what is folded together may be too small to be seen.
            assert node is root or node.folded or node.bytes >= made.smallest or not node.files


def test_what_is_too_small_is_folded_together_and_counted() -> None:
    made, _, _ = _map([{"/big": 10_000_000, **{f"/etc/{number}": 1 for number in range(50)}}])
    assert [(each.name, each.bytes, each.files, each.folded) for each in made.paths.inside] == [
        ("big", 10_000_000, 1, 0),
        ("", 50, 50, 1),
    ]


def test_directories_with_nothing_beside_them_are_one_box() -> None:
    made, _, _ = _map([{"/opt/venv/lib/one": 600, "/opt/venv/lib/two": 400}])
    (only,) = made.paths.inside
    assert only.name == "opt/venv/lib"
    assert [each.name for each in only.inside] == ["one", "two"]


def test_a_map_stays_small_however_many_things_are_large_enough_to_be_shown() -> None:
    # A small file beside each step keeps the steps apart: some 8,000 boxes would be large enough.
    files = dict[str, int]()
    for number in range(400):
        files |= {f"/{number}{'/d' * depth}/small": 1 for depth in range(10)}
        files[f"/{number}{'/d' * 9}/big"] = 100_000
    made, size, count = _map([files])
    for root in (made.owners, made.instructions, made.paths):
        assert (root.bytes, root.files) == (size, count)
        assert MOST // 2 < sum(1 for _ in _all(root)) <= MOST
