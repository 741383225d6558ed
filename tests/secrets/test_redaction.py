"""How secrets are told, and known again as told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hullmark._secrets.redaction import is_shown, shown


@given(
    st.binary(min_size=1, max_size=60),
    st.sampled_from(["{}", "https://ann:{}@h/x", '["a", "--key={}"]', "k {}"]),
)
def test_what_was_left_out_of_a_secret_is_known_again(secret: bytes, around: str) -> None:
    assert is_shown(around.format(shown(secret)))


@pytest.mark.parametrize("text", ["", "plain", "plain...secret-s3cr3t-s3cr3t", "a....b", "s3cr3t..."])
def test_three_dots_that_are_a_part_of_something_hide_nothing(text: str) -> None:
    assert not is_shown(text)
