"""From text to frames, and what is said of what is none."""

from typing import Annotated, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dateflicks.core.errors import Conflict, FieldProblem, Invalid, TooMany
from dateflicks.protocol.frames import ErrorFrame, Frame, Position
from dateflicks.server.websocket.decoding import FrameDecoder, Wrong, error_frame


class Move(Frame, tag="move", frozen=True, kw_only=True):
    """Go there."""

    to: Position
    client_id: str | None = None
    note: Annotated[str, msgspec.Meta(max_length=10)] = ""


class Wave(Frame, tag="wave", frozen=True, kw_only=True):
    """Nothing more."""


decoder: FrameDecoder[Move | Wave] = FrameDecoder(Move | Wave)


def wrong(text: bytes | str) -> Wrong:
    found = decoder.decode(text if isinstance(text, bytes) else text.encode())
    assert isinstance(found, Wrong), found
    return found


def test_a_frame_is_decoded_and_fields_that_nobody_knows_are_ignored() -> None:
    assert decoder.decode(b'{"to":3,"type":"move","speed":[1]}') == Move(to=3.0)
    assert decoder.decode(b' {"type":"wave"}\n') == Wave()


@pytest.mark.parametrize(
    "text",
    [
        b"", b" ", b"hello", b"{", b'{"type":"wave"', b'{"type":"wave",}', b'{"type":"wave"}{}', b"{'type':'wave'}",
        b'\xef\xbb\xbf{"type":"wave"}', b'{"type":"move","to":NaN}', b'{"type":"move","to":Infinity}',
        b'{"type":"wave"} // so', b'{"type":"wave","x":"\x01"}', b'{"type":"wave","x":"\\ud800"}',
        b'{"type":"wave","x":' + b"[" * 8000,
        b'{"type":"nobody","to":NaN}', b'{"type":1,}',
    ],
)  # fmt: skip
def test_what_is_no_json_ends_the_feed(text: bytes) -> None:
    found = wrong(text)
    assert found.is_final
    assert found.answer.code == "malformed"
    assert len(found.answer.detail) <= 400


def test_what_is_nested_for_the_sake_of_it_is_refused_or_passed_over() -> None:
    found = decoder.decode(b'{"type":"wave","x":' + b"[" * 8000 + b"]" * 8000 + b"}")
    assert isinstance(found, Wrong) or found == Wave(), "Python 3.13 allows a decoder to go deeper than 3.11 does"


@pytest.mark.parametrize(
    "text", ["{}", '{"type":null}', '{"type":7}', '{"type":"Move","to":1}', '{"type":"fly"}', '{"type":["move"]}']
)
def test_an_unknown_type_is_told_and_the_feed_goes_on(text: str) -> None:
    found = wrong(text)
    assert not found.is_final
    assert found.answer.code == "unknown-type"
    assert found.answer.reply_to == decoder.reply_to(text.encode())


@pytest.mark.parametrize("text", ["{}", '{"to":3}', '{"to":"far"}', '{"kind":"move","to":3}'])
def test_a_feed_of_one_kind_of_frame_takes_none_without_its_type_either(text: str) -> None:
    alone: FrameDecoder[Move] = FrameDecoder(Move)
    found = alone.decode(text.encode())
    assert isinstance(found, Wrong)
    assert not found.is_final
    assert found.answer.code == "unknown-type"
    assert alone.decode(b'{"to":3,"type":"move"}') == Move(to=3.0)
    assert isinstance(alone.decode(b'{"type":"move"}'), Wrong)


def test_what_is_said_of_an_unknown_type_names_it() -> None:
    assert wrong('{"type":"fly"}').answer.reply_to == "fly"


@pytest.mark.parametrize("text", ["1", "null", "[]", '"move"', "true", '[{"type":"wave"}]'])
def test_json_that_is_no_object_is_told_and_the_feed_goes_on(text: str) -> None:
    found = wrong(text)
    assert not found.is_final
    assert found.answer.code == "invalid"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ("", "to is required"),
        (',"to":"1"', "to must be a number, not text"),
        (',"to":true', "to must be a number, not true or false"),
        (',"to":-1', "to must be at least 0"),
        (',"to":1e999', "to is out of range"),
        (',"to":null', "to must be a number, not null"),
        (',"to":1,"note":"01234567890"', "note must have at most 10 characters"),
    ],
)
def test_a_field_that_does_not_fit_is_named(fields: str, said: str) -> None:
    found = wrong(f'{{"type":"move"{fields}}}')
    assert not found.is_final
    assert found.answer.code == "invalid"
    assert said in found.answer.detail
    assert found.answer.reply_to == "move"


@pytest.mark.parametrize(
    ("text", "reply_to"),
    [
        ('{"type":"move","clientId":"6f1c2d3e-0000-4000-8000-0123456789ab"}', "6f1c2d3e-0000-4000-8000-0123456789ab"),
        ('{"type":"move","clientId":7}', "move"),
        ('{"type":"move","clientId":""}', "move"),
        ('{"type":"move","clientId":"' + "x" * 65 + '"}', "move"),
        ('{"type":"' + "x" * 65 + '"}', None),
        ('{"type":7}', None),
        ("[]", None),
        ("{", None),
    ],
)
def test_an_answer_says_which_frame_it_is_about(text: str, reply_to: str | None) -> None:
    assert decoder.reply_to(text.encode()) == reply_to


@given(st.one_of(st.text(max_size=100).map(str.encode), st.binary(max_size=100)))
def test_whatever_comes_it_is_a_frame_or_an_answer_that_can_be_sent(text: bytes) -> None:
    found = decoder.decode(text)
    if isinstance(found, Wrong):
        msgspec.json.encode(found.answer)


json_values: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["type", "to", "note", "clientId", "x"]), json_values))
def test_json_of_the_wrong_content_never_ends_the_feed(content: dict[str, Any]) -> None:
    text = msgspec.json.encode(content | {"type": "move"})
    found = decoder.decode(text)
    assert not isinstance(found, Wrong) or not found.is_final
    if isinstance(found, Wrong):
        assert len(msgspec.json.encode(found.answer)) < 2_000


def test_what_the_rules_refuse_becomes_an_error_frame() -> None:
    assert error_frame(Conflict("Too late.", code="late"), "move") == ErrorFrame(
        code="late", detail="Too late.", reply_to="move"
    )
    assert error_frame(TooMany("Slowly.", retry_after=1.23456), None).retry_after == 1.235
    told = error_frame(Invalid("It does not fit.", (FieldProblem("to", "is too far"),)), None)
    assert told.detail == "It does not fit. to is too far."
    assert len(error_frame(Conflict("x" * 1000), None).detail) == 400
