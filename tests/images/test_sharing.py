"""Which process reads which layers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hullmark._images.sharing import WORTH, shared_out


@pytest.mark.parametrize(
    ("headers", "processors", "shares"),
    [
        ([], 4, [[]]),
        ([9 * WORTH], 4, [[0]]),
        ([WORTH, WORTH - 1], 4, [[0, 1]]),
        ([WORTH, WORTH], 1, [[0, 1]]),
        ([WORTH, WORTH], 2, [[0], [1]]),
        ([WORTH] * 6, 2, [[0, 2, 4], [1, 3, 5]]),
        ([WORTH] * 6, 6, [[0, 4], [1, 5], [2], [3]]),
        ([4 * WORTH, 0, WORTH // 2, 0], 4, [[0, 2, 1, 3]]),
        ([WORTH, 5 * WORTH, 2 * WORTH, 2 * WORTH], 2, [[1], [2, 3, 0]]),
    ],
)
def test_layers_are_shared_out_by_their_headers(
    headers: list[int], processors: int, shares: list[list[int]]
) -> None:
    assert shared_out(headers, processors) == shares


@given(st.lists(st.integers(0, 3 * WORTH), max_size=30), st.integers(1, 8))
def test_each_layer_is_read_once_and_no_process_for_little(headers: list[int], processors: int) -> None:
    shares = shared_out(headers, processors)
    assert sorted(place for share in shares for place in share) == list(range(len(headers)))
    assert 1 <= len(shares) <= min(4, processors)
    loads = [sum(headers[place] for place in share) for share in shares]
    assert all(load >= WORTH for load in loads[1:])
    # The largest share is larger than any other by no more than a layer and what was not worth a process.
    if len(shares) > 1:
        assert max(loads) - min(loads) <= max(headers) + WORTH * 3
