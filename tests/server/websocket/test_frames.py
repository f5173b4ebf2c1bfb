"""Frames, without a connection: what is read whatever the pieces it comes in, and what each forbidden thing is."""

import struct
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets import frames as theirs
from websockets.streams import StreamReader

from dateflicks.core.limits import FRAME_MAX_BYTES
from dateflicks.server.websocket.frames import Code, Fault, FrameReader, Message, Opcode, encoded, encoded_close
from tests.server.websocket.sending import close_frame, frame, least_length

CONTROL = (Opcode.PING, Opcode.PONG)
CLOSE_CODES = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4400, 4999]

texts = st.one_of(st.text(max_size=60), st.text(st.sampled_from("aé€😀"), min_size=100, max_size=400)).map(str.encode)
closes = st.builds(
    lambda code, reason: struct.pack("!H", code) + reason.encode(),
    st.sampled_from(CLOSE_CODES),
    st.text(max_size=25),
)
messages = st.one_of(
    st.builds(Message, st.just(Opcode.TEXT), texts),
    st.builds(Message, st.sampled_from(CONTROL), st.binary(max_size=125)),
    st.builds(Message, st.just(Opcode.CLOSE), st.one_of(st.just(b""), closes)),
)
masks = st.binary(min_size=4, max_size=4)


def read(*pieces: bytes) -> list[Message]:
    reader = FrameReader()
    return [message for piece in pieces for message in reader.feed(piece)]


def fault_of(*pieces: bytes) -> Code:
    with pytest.raises(Fault) as caught:
        read(*pieces)
    assert caught.value.reason
    return caught.value.code


def code_of(reader: FrameReader, piece: bytes) -> Code | None:
    """Of the fault in this piece, if there is one."""
    try:
        for _ in reader.feed(piece):
            pass
    except Fault as fault:
        return fault.code
    return None


def held(reader: FrameReader) -> int:
    return len(reader._rest)


def by_theirs(data: bytes, *, mask: bool) -> theirs.Frame:
    """What another implementation reads."""
    stream = StreamReader()
    stream.feed_data(data)
    parser = theirs.Frame.parse(stream.read_exact, mask=mask)
    with pytest.raises(StopIteration) as done:  # that is: the frame is whole
        next(parser)
    assert isinstance(done.value.value, theirs.Frame)
    return done.value.value


@given(st.lists(st.tuples(messages, masks), max_size=12), st.data())
def test_any_split_of_any_frames_gives_the_same_messages(
    sent: list[tuple[Message, bytes]], data: st.DataObject
) -> None:
    stream = b"".join(frame(message.payload, message.opcode, mask=mask) for message, mask in sent)
    cuts = sorted({0, len(stream), *data.draw(st.lists(st.integers(0, len(stream)), max_size=20))})
    assert read(*(stream[start:stop] for start, stop in pairwise(cuts))) == [message for message, _ in sent]


@given(st.lists(messages, min_size=1, max_size=4))
def test_frames_in_single_bytes_are_read(sent: list[Message]) -> None:
    stream = b"".join(frame(message.payload, message.opcode) for message in sent)
    reader = FrameReader()
    got: list[Message] = []
    for number in range(len(stream)):
        got += reader.feed(stream[number : number + 1])
        assert held(reader) <= 14 + 1600
    assert got == sent
    assert held(reader) == 0


@given(messages, masks)
def test_what_another_implementation_writes_is_read(message: Message, mask: bytes) -> None:
    written = theirs.Frame(theirs.Opcode(message.opcode), message.payload).serialize(mask=True)
    assert read(written) == [message]
    assert read(frame(message.payload, message.opcode, mask=mask)) == [message]


@given(st.sampled_from([Opcode.TEXT, Opcode.PING, Opcode.PONG]), st.one_of(st.binary(max_size=125), texts))
def test_what_is_written_is_read_by_another_implementation(opcode: Opcode, payload: bytes) -> None:
    if opcode is not Opcode.TEXT:
        payload = payload[:125]
    got = by_theirs(encoded(opcode, payload), mask=False)
    assert (int(got.opcode), got.data, got.fin, got.rsv1 or got.rsv2 or got.rsv3) == (opcode, payload, True, False)


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65_535, 65_536, 200_000])
def test_lengths_are_written_in_as_few_bytes_as_there_can_be(size: int) -> None:
    written = encoded(Opcode.TEXT, b"x" * size)
    assert written == b"\x81" + least_length(size) + b"x" * size
    assert by_theirs(written, mask=False).data == b"x" * size


@pytest.mark.parametrize("size", [0, 1, 2, 3, 4, 5, 125, 126, 127, FRAME_MAX_BYTES - 1, FRAME_MAX_BYTES])
def test_text_of_every_size_that_is_allowed_is_read(size: int) -> None:
    text = bytes(97 + number % 26 for number in range(size))
    assert read(frame(text)) == [Message(Opcode.TEXT, text)]


@given(st.binary(max_size=300), st.integers(0, 300))
def test_arbitrary_bytes_raise_nothing_but_a_fault(data: bytes, cut: int) -> None:
    reader = FrameReader()
    for piece in (data[:cut], data[cut:]):
        code = code_of(reader, piece)
        assert code in {None, Code.PROTOCOL_ERROR, Code.NOT_TEXT, Code.NOT_UTF8, Code.TOO_LARGE}
        assert held(reader) <= (14 + FRAME_MAX_BYTES if code is None else 0)


@given(st.lists(messages, min_size=1, max_size=3), st.data())
def test_a_damaged_stream_raises_nothing_but_a_fault(sent: list[Message], data: st.DataObject) -> None:
    stream = bytearray(b"".join(frame(message.payload, message.opcode) for message in sent))
    for place in data.draw(st.lists(st.integers(0, len(stream) - 1), min_size=1, max_size=4)):
        stream[place] = data.draw(st.integers(0, 255))
    assert code_of(FrameReader(), bytes(stream)) in {None, *Code}


@given(st.integers(0, FRAME_MAX_BYTES), st.integers(0, 200))
def test_no_more_than_one_unfinished_frame_is_held(missing: int, many: int) -> None:
    whole = frame(b"x" * FRAME_MAX_BYTES)
    reader = FrameReader()
    got = list(reader.feed(frame(b"small") * many + whole[: len(whole) - missing]))
    assert len(got) == many + (missing == 0)
    assert held(reader) == (len(whole) - missing if missing else 0)


def test_a_reader_that_is_left_halfway_keeps_what_it_has_not_told() -> None:
    reader = FrameReader()
    stream = reader.feed(frame(b"one") + frame(b"two"))
    assert next(stream).payload == b"one"
    del stream
    assert [message.payload for message in reader.feed(b"")] == [b"two"]


FORBIDDEN: dict[str, tuple[bytes, Code]] = {
    "unmasked": (frame(b"x", masked=False), Code.PROTOCOL_ERROR),
    "unmasked and empty": (frame(masked=False), Code.PROTOCOL_ERROR),
    **{f"reserved bits {bits}": (frame(b"x", reserved=bits), Code.PROTOCOL_ERROR) for bits in (1, 2, 4, 7)},
    **{f"opcode {number}": (frame(b"x", number), Code.PROTOCOL_ERROR) for number in (3, 4, 5, 6, 7, *range(11, 16))},
    "binary": (frame(b"x", Opcode.BINARY), Code.NOT_TEXT),
    "a first fragment": (frame(b"x", final=False), Code.NOT_TEXT),
    "an empty first fragment": (frame(final=False), Code.NOT_TEXT),
    "a continuation": (frame(b"x", Opcode.CONTINUATION), Code.NOT_TEXT),
    "an empty continuation": (frame(opcode=Opcode.CONTINUATION, final=False), Code.NOT_TEXT),
    "a ping of 126 bytes": (frame(b"x" * 126, Opcode.PING), Code.PROTOCOL_ERROR),
    "a fragmented ping": (frame(b"x", Opcode.PING, final=False), Code.PROTOCOL_ERROR),
    "a fragmented close": (frame(b"", Opcode.CLOSE, final=False), Code.PROTOCOL_ERROR),
    "a close of one byte": (frame(b"\x03", Opcode.CLOSE), Code.PROTOCOL_ERROR),
    "a close of 126 bytes": (close_frame(1000, b"x" * 124), Code.PROTOCOL_ERROR),
    **{
        f"close code {code}": (close_frame(code), Code.PROTOCOL_ERROR)
        for code in (0, 999, 1004, 1005, 1006, 1015, 1100, 2999, 5000, 65_535)
    },
    "a close reason that is no text": (close_frame(1000, b"\xff"), Code.NOT_UTF8),
    "a length with the top bit": (frame(length=b"\x7f" + struct.pack("!Q", 1 << 63)), Code.PROTOCOL_ERROR),
    "a length of all ones": (frame(length=b"\x7f" + b"\xff" * 8), Code.PROTOCOL_ERROR),
    "16 bits for a short length": (frame(b"x", length=b"\x7e\x00\x01"), Code.PROTOCOL_ERROR),
    "64 bits for a short length": (frame(b"x", length=b"\x7f" + struct.pack("!Q", 1)), Code.PROTOCOL_ERROR),
    "64 bits for a middling length": (frame(length=b"\x7f" + struct.pack("!Q", 65_535)), Code.PROTOCOL_ERROR),
    "one byte too many": (frame(b"x" * (FRAME_MAX_BYTES + 1)), Code.TOO_LARGE),
    "2^40 bytes": (frame(length=b"\x7f" + struct.pack("!Q", 1 << 40)), Code.TOO_LARGE),
    "a lone byte": (frame(b"\xff"), Code.NOT_UTF8),
    "overlong": (frame(b"\xc0\xaf"), Code.NOT_UTF8),
    "a surrogate": (frame(b"\xed\xa0\x80"), Code.NOT_UTF8),
    "cut in a character": (frame(b"\xe2\x82"), Code.NOT_UTF8),
    "beyond Unicode": (frame(b"\xf4\x90\x80\x80"), Code.NOT_UTF8),
}


@pytest.mark.parametrize(("wrong", "code"), FORBIDDEN.values(), ids=FORBIDDEN)
def test_each_forbidden_thing_has_its_code_however_it_comes(wrong: bytes, code: Code) -> None:
    assert fault_of(wrong) is code
    assert fault_of(*(bytes([byte]) for byte in wrong)) is code
    assert fault_of(frame(b"good") + wrong + frame(b"never read")) is code


@pytest.mark.parametrize(
    "head",
    [
        frame(length=b"\x7e" + struct.pack("!H", FRAME_MAX_BYTES + 1))[:4],
        frame(length=b"\x7f" + struct.pack("!Q", 1 << 40))[:10],
        frame(opcode=Opcode.BINARY, length=b"\x7e\x40\x00")[:2],
        frame(final=False, length=b"\x7e\x40\x00")[:2],
    ],
)
def test_what_is_forbidden_is_told_by_the_head_before_the_payload_comes(head: bytes) -> None:
    assert fault_of(head) in {Code.TOO_LARGE, Code.NOT_TEXT}


@pytest.mark.parametrize("code", CLOSE_CODES)
def test_a_close_has_its_code(code: int) -> None:
    assert read(close_frame(code, "gué".encode()))[0].close_code == code


def test_a_close_without_a_code_means_1005_which_is_never_sent() -> None:
    assert read(frame(opcode=Opcode.CLOSE))[0].close_code == Code.NO_CODE
    assert encoded_close(Code.NO_CODE, "not said") == b"\x88\x00"


@given(st.sampled_from(CLOSE_CODES), st.text(max_size=200))
def test_a_close_that_is_written_is_read_by_another_implementation(code: int, reason: str) -> None:
    got: Any = theirs.Close.parse(by_theirs(encoded_close(code, reason), mask=False).data)
    assert got.code == code
    assert reason.startswith(got.reason)
    assert len(got.reason.encode()) > 119 or got.reason == reason
