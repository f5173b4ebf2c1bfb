"""Invitation codes: enough bits, readable, and found again however they are typed."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dateflicks.server.services.session.codes import BITS, code_of, hash_of

SECRETS = st.binary(min_size=16, max_size=32)
SHAPE = re.compile(r"([0-9a-hjkmnp-tv-z]{5}-){3}[0-9a-hjkmnp-tv-z]{5}")


@given(SECRETS)
def test_a_code_is_four_groups_without_letters_that_look_like_others(secret: bytes) -> None:
    assert SHAPE.fullmatch(code_of(secret))


@given(SECRETS, SECRETS)
def test_codes_differ_as_soon_as_their_bits_do(one: bytes, other: bytes) -> None:
    bits = [int.from_bytes(secret, "big") >> (len(secret) * 8 - BITS) for secret in (one, other)]

    assert (code_of(one) == code_of(other)) == (bits[0] == bits[1])
    assert (hash_of(code_of(one)) == hash_of(code_of(other))) == (bits[0] == bits[1])


@given(SECRETS, st.data())
def test_a_code_is_found_however_it_was_typed(secret: bytes, data: st.DataObject) -> None:
    code = code_of(secret)
    typed = []
    for character in code.replace("-", ""):
        looks = {"0": "0oO", "1": "1iIlL"}.get(character, character + character.upper())
        typed.append(data.draw(st.sampled_from(looks)) + data.draw(st.sampled_from(["", "-", " ", "\t", "\xa0", "- "])))

    assert hash_of("".join(typed)) == hash_of(code)


@pytest.mark.parametrize("text", ["", "-", "k3v9x", "u" * 20, "k" * 19, "k" * 21, "é" * 20, "k" * 19 + "\x00"])
def test_what_cannot_be_a_code_has_no_hash(text: str) -> None:
    assert hash_of(text) is None


@given(st.text(max_size=60))
def test_any_text_is_looked_up_or_is_no_code(text: str) -> None:
    found = hash_of(text)

    assert found is None or re.fullmatch(r"h[0-9a-f]{64}", found)


def test_what_is_kept_does_not_show_the_code() -> None:
    code = code_of(bytes(range(32)))
    kept = hash_of(code)

    assert kept is not None
    assert code.replace("-", "") not in kept
