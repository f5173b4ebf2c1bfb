"""What somebody says, looked at once where it enters: cleaned, within the limits, or refused with what is wrong."""

from typing import Final

import msgspec

from dateflicks.core import limits
from dateflicks.core.errors import FieldProblem, Invalid
from dateflicks.protocol.chat import Message, MessageFrame, MessageKind, MessageRequest, SendFrame
from dateflicks.protocol.ids import is_id
from dateflicks.protocol.text import clean_line, clean_text, is_clean_line
from dateflicks.server.services.messages.records import Draft

CLIENT_ID_MAX_CHARACTERS: Final = 64
DOES_NOT_FIT: Final = "The message does not fit."
_ENCODER: Final = msgspec.json.Encoder()
_ROOM: Final = limits.FRAME_MAX_BYTES  # characters before they are cut: whatever came in has fewer
_TIME: Final = "2026-11-24T01:43:00.123Z"
_ID: Final = "x" * 30
_SEQ: Final = 10**12  # more than a session can hold


def draft_of(said: SendFrame | MessageRequest, author: str, author_name: str, film: float | None) -> Draft:
    """What they say, ready to be written. Raises Invalid."""
    if said.client_id is not None and not is_clean_line(said.client_id, CLIENT_ID_MAX_CHARACTERS):
        raise Invalid(DOES_NOT_FIT, (FieldProblem("clientId", "must have printable characters only"),))
    if said.reply_to is not None and not is_id(said.reply_to, "msg"):
        raise no_such_reply()
    draft = Draft(
        kind=said.kind,
        content=checked_content(said.kind, said.content),
        author=author,
        author_name=author_name,
        position=said.position,
        film_position=film,
        client_id=said.client_id,
        reply_to=said.reply_to,
    )
    # As it will be told: no byte is kept free for what it does not have, because the longest text needs nearly all.
    check_size(
        Message(
            id=_ID, session_id=_ID, seq=_SEQ, time=_TIME, author=author, type=draft.kind, content=draft.content,
            position=film if draft.position is None else draft.position, author_name=author_name,
            client_id=draft.client_id, reply_to=draft.reply_to,
        )
    )  # fmt: skip
    return draft


def checked_content(kind: MessageKind, content: str) -> str:
    """The content, cleaned. Raises Invalid when nothing is left of it, or too much."""
    if kind == "text":
        cleaned, most = clean_text(content, _ROOM, lines_max=_ROOM), limits.TEXT_MAX_CHARACTERS
    elif kind == "action":
        cleaned, most = clean_line(content, _ROOM), limits.TEXT_MAX_CHARACTERS
    else:
        cleaned, most = clean_line(content, _ROOM), limits.REACTION_MAX_CHARACTERS
    if not cleaned.strip():
        raise _wrong("must not be empty")
    if len(cleaned) > most:
        raise _wrong(f"must have at most {most} characters, and has {len(cleaned)}")
    return cleaned


def check_size(message: Message) -> None:
    """Raise Invalid when the frame that tells this message would be larger than a frame may be."""
    size = len(_ENCODER.encode(MessageFrame(message=message)))
    if size > limits.FRAME_MAX_BYTES:
        raise _wrong(f"is too long: {size - limits.FRAME_MAX_BYTES} bytes more than a frame may have")


def no_such_reply() -> Invalid:
    """What is answered is not there."""
    return Invalid(DOES_NOT_FIT, (FieldProblem("replyTo", "is no message of this session"),))


def _wrong(message: str) -> Invalid:
    return Invalid(DOES_NOT_FIT, (FieldProblem("content", message),))
