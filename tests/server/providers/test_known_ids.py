"""Ids that are packed come out again, take little room, and what is none of that is told."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dateflicks.server.providers.known_ids import PACKED_MAX, packed, unpacked


@given(st.sets(st.integers(min_value=1, max_value=2**40)))
def test_what_is_packed_comes_out_again(ids: set[int]) -> None:
    assert unpacked(packed(ids)) == ids


def test_a_large_catalogue_fits_into_a_state() -> None:
    ids = random.Random(7).sample(range(1, 1_500_000), 20_000)
    assert len(packed(ids)) < PACKED_MAX


@pytest.mark.parametrize("text", ["", "~~", "no such thing", packed([1, 2, 3])[:-5], "é"])
def test_what_is_none_of_that_is_told(text: str) -> None:
    with pytest.raises(ValueError, match="ids"):
        unpacked(text)
