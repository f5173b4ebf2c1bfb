from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dateflicks.client.fingerprint import (
    SAMPLE_BYTES,
    Fingerprint,
    as_details,
    differences,
    fingerprint_of,
    from_details,
)


def _film(path: Path, size: int = 3_000_000) -> Path:
    block = bytes(range(256)) * 4096
    path.write_bytes((block * (size // len(block) + 1))[:size])
    return path


def test_the_same_film_under_another_name_is_the_same(tmp_path: Path) -> None:
    one, other = fingerprint_of(_film(tmp_path / "a.mkv")), fingerprint_of(_film(tmp_path / "b.mkv"))
    assert one.name != other.name
    assert differences(one, other, 60.0, 60.0) == []


@pytest.mark.parametrize("place", [0, SAMPLE_BYTES - 1, 1_500_000, 2_999_999])
def test_a_byte_that_differs_where_it_is_looked_is_found(tmp_path: Path, place: int) -> None:
    path = _film(tmp_path / "a.mkv")
    before = fingerprint_of(path)
    with path.open("r+b") as file:
        file.seek(place)
        byte = file.read(1)
        file.seek(place)
        file.write(bytes([byte[0] ^ 0xFF]))
    (sentence,) = differences(fingerprint_of(path), before)
    assert "same size" in sentence


@pytest.mark.parametrize("size", [0, 1, SAMPLE_BYTES, SAMPLE_BYTES + 1])
def test_short_files_have_one_too(tmp_path: Path, size: int) -> None:
    assert fingerprint_of(_film(tmp_path / "a.mkv", size)).size == size


def test_sizes_that_differ_are_told_to_the_byte() -> None:
    (sentence,) = differences(Fingerprint("a", 1_000_000, "0" * 64), Fingerprint("a", 1_000_001, "1" * 64))
    assert "1,000,000 bytes" in sentence
    assert "1,000,001 bytes" in sentence


@pytest.mark.parametrize(("own", "told"), [(60.0, 62.5), (60.0, 0.0), (0.0, 60.0)])
def test_lengths_that_are_near_or_unknown_are_no_difference(own: float, told: float) -> None:
    assert differences(None, None, own, told) == []


def test_another_cut_is_told_first() -> None:
    first, _ = differences(Fingerprint("a", 1, "0" * 64), Fingerprint("a", 2, "1" * 64), 60.0, 62.6)
    assert first == (
        "Your film is 1:00 long, the session's is 1:02: perhaps another cut, where scenes come at other times."
    )


def test_what_is_told_in_details_comes_back_and_what_else_was_there_stays() -> None:
    own = Fingerprint("The General.mkv", 12, "ab" * 32)
    details = as_details(own, {"note": "black tie"})
    assert from_details(details) == own
    assert details["note"] == "black tie"


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["file", "name", "size", "sample"]), inner)
    ),
    max_leaves=8,
)


@given(_JSON)
def test_whatever_a_stranger_puts_into_details_is_no_trouble(details: Any) -> None:
    found = from_details(details)
    assert found is None or found.size >= 0
