"""A digest is what it spells, and a blob's is not a layer's."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hullmark.model.digest import DiffId, Digest

HEX = st.text("0123456789abcdef", min_size=64, max_size=64)


@pytest.mark.parametrize("kind", [Digest, DiffId])
@given(digits=HEX)
def test_parsing_and_writing_are_inverse(kind: type[Digest | DiffId], digits: str) -> None:
    text = f"sha256:{digits}"
    parsed = kind.parse(text)
    assert str(parsed) == text
    assert kind.parse(str(parsed)) == parsed
    assert parsed.short == digits[:12]
    assert type(parsed) is kind


@given(first=HEX, second=HEX)
def test_digests_are_equal_and_ordered_as_their_text_is(first: str, second: str) -> None:
    a, b = Digest.parse(f"sha256:{first}"), Digest.parse(f"sha256:{second}")
    assert (a == b) == (first == second)
    assert (a < b) == (first < second)
    assert len({a, b}) == len({first, second})


def test_a_blob_s_digest_is_no_layer_s() -> None:
    text = f"sha256:{'0' * 64}"
    blob: object = Digest.parse(text)
    assert blob != DiffId.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sha256:",
        "0" * 64,
        f"sha256:{'0' * 63}",
        f"sha256:{'0' * 65}",
        f"sha256:{'A' * 64}",
        f"sha256:{'g' * 64}",
        f"sha512:{'0' * 64}",
        f"SHA256:{'0' * 64}",
        f" sha256:{'0' * 64}",
        f"sha256:{'0' * 64}\n",
        f"sha256:{chr(0x660) * 64}",
    ],
)
def test_what_is_no_digest_is_refused_with_what_was_expected(text: str) -> None:
    with pytest.raises(ValueError, match="is not a digest; expected `sha256:`"):
        Digest.parse(text)


@given(text=st.text(string.printable, max_size=500))
def test_a_refusal_never_repeats_a_long_text(text: str) -> None:
    with pytest.raises(ValueError, match="is not a digest") as caught:
        DiffId.parse(text)
    assert len(str(caught.value)) < 200
