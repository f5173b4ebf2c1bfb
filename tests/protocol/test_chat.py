"""The frames of a session's talk as they travel."""

import msgspec
import pytest

from dateflicks.core import limits
from dateflicks.protocol import chat

CLIENT = msgspec.json.Decoder(chat.ChatClientFrame)
SERVER = msgspec.json.Decoder(chat.ChatServerFrame)


@pytest.mark.parametrize(
    ("text", "frame"),
    [
        (b'{"type":"message","clientId":"c","content":"x"}', chat.SendFrame(client_id="c", content="x")),
        (
            b'{"type":"message","clientId":"c","kind":"reaction","content":"x","position":2,"replyTo":"m","more":1}',
            chat.SendFrame(client_id="c", kind="reaction", content="x", position=2.0, reply_to="m"),
        ),
        (b'{"type":"typing"}', chat.TypingFrame()),
        (b'{"type":"read","seq":3}', chat.ReadFrame(seq=3)),
        (b'{"type":"edit","id":"m","content":"x"}', chat.EditFrame(id="m", content="x")),
        (b'{"type":"delete","id":"m"}', chat.DeleteFrame(id="m")),
        (b'{"type":"resume","after":0}', chat.ResumeFrame(after=0)),
        (b'{"type":"resume","after":4,"changes":2}', chat.ResumeFrame(after=4, changes=2)),
    ],
)
def test_what_a_client_says_is_read_by_its_type(text: bytes, frame: chat.ChatClientFrame) -> None:
    assert CLIENT.decode(text) == frame


@pytest.mark.parametrize(
    "text",
    [
        b'{"type":"message","clientId":"c","kind":"system","content":"x"}',
        b'{"type":"message","clientId":"c","content":"x","position":NaN}',
        b'{"type":"message","clientId":"c","content":"x","position":-1}',
        b'{"type":"message","content":"x"}',
        b'{"type":"read","seq":-1}',
        b'{"type":"read","seq":9007199254740993}',
        b'{"type":"resume","after":1.5}',
        b'{"type":"ack","clientId":"c","id":"m","seq":1}',
    ],
)
def test_what_no_client_may_say_is_refused(text: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        CLIENT.decode(text)


def test_a_message_leaves_out_what_it_has_not_but_for_its_author_and_position() -> None:
    message = chat.Message(
        id="m", session_id="s", seq=1, time="t", author=None, type="system", content="x", position=None, event="paused"
    )
    told = msgspec.json.encode(chat.MessageFrame(message=message))
    assert msgspec.json.decode(told) == {
        "type": "message",
        "message": {
            "id": "m", "sessionId": "s", "seq": 1, "time": "t", "author": None, "type": "system", "content": "x",
            "position": None, "event": "paused",
        },
    }  # fmt: skip
    assert SERVER.decode(told) == chat.MessageFrame(message=message)


def test_raw_text_may_be_as_long_as_a_frame_and_no_longer() -> None:
    most = "x" * limits.FRAME_MAX_BYTES
    assert msgspec.convert({"content": most}, chat.MessageRequest).content == most
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"content": most + "x"}, chat.MessageRequest)
