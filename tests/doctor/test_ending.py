"""The end of a log, of which no more is kept than is asked for."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hullmark._doctor import Ending

MIB = 1 << 20


def _ending(raw: bytes, most: int, piece: int = 7) -> Ending:
    ending = Ending(most)
    for start in range(0, len(raw), piece):
        ending.take(raw[start : start + piece])
    return ending


@pytest.mark.parametrize(
    ("bom", "encoding"),
    [(b"", "utf-8"), (b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")],
)
@given(st.data())
def test_the_end_is_decoded_as_the_beginning_says_wherever_it_is_cut(
    bom: bytes, encoding: str, data: st.DataObject
) -> None:
    lines = data.draw(
        st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n\ufeff")), min_size=1)
    )
    text = "\n".join(lines)
    raw = bom + text.encode(encoding)
    most = data.draw(st.integers(min_value=1, max_value=len(raw) + 3))
    ending = _ending(raw, most, data.draw(st.integers(min_value=1, max_value=9)))
    assert ending.size == len(raw)
    assert ending.is_cut == (len(raw) > most)
    if not ending.is_cut:
        assert ending.text() == text
    elif "\n".encode(encoding) in raw[-most:][(len(raw) - most) % 2 if encoding != "utf-8" else 0 :]:
        assert text.endswith(ending.text())


def test_no_more_is_kept_than_is_asked_for_whatever_comes() -> None:
    tracemalloc.start()
    try:
        ending = Ending(4 * MIB)
        for _ in range(200):
            ending.take(bytes(MIB))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert ending.size == 200 * MIB
    assert peak < 8 * MIB


def test_what_is_passed_over_counts_and_is_not_kept() -> None:
    ending = Ending(8)
    ending.take(b"\xff\xfeab")
    ending.pass_over(1000)
    ending.take("x\nyz".encode("utf-16-le"))
    assert (ending.size, ending.text()) == (1012, "yz")
