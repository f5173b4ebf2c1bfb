"""What travels of a session's talk: frames and bodies of the messages service, as msgspec structs.

`position` is seconds of film, `time`, `editedAt` and `deletedAt` are record times, `seq` counts a session's messages
from 1 without gaps. `content` is as it was cleaned where it entered (`protocol/text.py`).
"""

from typing import Annotated, Final, Literal

import msgspec

from dateflicks.core import limits
from dateflicks.protocol.bodies import Body
from dateflicks.protocol.frames import ErrorFrame, Frame, OpaqueId, Position

PersonalKind = Literal["text", "reaction", "action"]
KindAsType = Literal["text", "reaction", "action", "message"]  # as in a message, or the tag of a frame: says nothing
MessageKind = Literal["text", "reaction", "action", "system"]
SystemEvent = Literal["joined", "left", "paused", "resumed", "stopped", "seeked"]
Seq = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
RawText = Annotated[str, msgspec.Meta(max_length=limits.FRAME_MAX_BYTES)]  # as it comes; the rules look at it cleaned


class Message(Body, omit_defaults=True, frozen=True, kw_only=True):
    """One message, as all see it: `author` is a user id (null when nobody did it), `type` its kind.

    A system line has an `event`, and `to` when that is a move; a deleted message has no content.
    """

    id: str
    session_id: str
    seq: int
    time: str
    author: str | None
    type: MessageKind
    content: str
    position: float | None
    author_name: str | None = None
    client_id: str | None = None
    reply_to: str | None = None
    edited_at: str | None = None
    deleted_at: str | None = None
    event: SystemEvent | None = None
    to: float | None = None


# --- client → messages service ----------------------------------------------------------------------------------


class SendFrame(Frame, tag="message", omit_defaults=True, frozen=True, kw_only=True):
    """Say something; `clientId` is the sender's own name for it, by which a repeated one is known."""

    client_id: OpaqueId
    kind: PersonalKind = "text"
    content: RawText
    position: Position | None = None
    reply_to: OpaqueId | None = None


class TypingFrame(Frame, tag="typing", frozen=True, kw_only=True):
    """I am writing something; never stored."""


class ReadFrame(Frame, tag="read", frozen=True, kw_only=True):
    """I have read everything up to `seq`."""

    seq: Seq


class EditFrame(Frame, tag="edit", frozen=True, kw_only=True):
    """Put this in place of what I said."""

    id: OpaqueId
    content: RawText


class DeleteFrame(Frame, tag="delete", frozen=True, kw_only=True):
    """Take back what I said."""

    id: OpaqueId


class ResumeFrame(Frame, tag="resume", omit_defaults=True, frozen=True, kw_only=True):
    """Tell me everything after `seq`; with `changes`, also what was edited or deleted after that change."""

    after: Seq
    changes: Seq | None = None


ChatClientFrame = SendFrame | TypingFrame | ReadFrame | EditFrame | DeleteFrame | ResumeFrame


# --- messages service → client ----------------------------------------------------------------------------------


class AckFrame(Frame, tag="ack", frozen=True, kw_only=True):
    """Your message is on disk, with this id and number."""

    client_id: str
    id: str
    seq: int


class MessageFrame(Frame, tag="message", frozen=True, kw_only=True):
    """A message, once and in the order of `seq`: to everybody, its author too."""

    message: Message


class TypingTold(Frame, tag="typing", frozen=True, kw_only=True):
    """Somebody else is writing; true for `TYPING_SECONDS`."""

    by: str
    name: str


class ReadTold(Frame, tag="read", frozen=True, kw_only=True):
    """Somebody else has read everything up to `seq`."""

    by: str
    seq: int


class EditedFrame(Frame, tag="edited", frozen=True, kw_only=True):
    """A message says something else now; `change` counts a session's edits and deletions from 1."""

    id: str
    seq: int
    content: str
    edited_at: str
    change: int


class DeletedFrame(Frame, tag="deleted", frozen=True, kw_only=True):
    """A message was taken back."""

    id: str
    seq: int
    deleted_at: str
    change: int


class ResumedFrame(Frame, tag="resumed", frozen=True, kw_only=True):
    """All that `resume` asked for has been told; what comes now is new. The numbers are to be resumed from."""

    seq: int
    changes: int


ChatServerFrame = (
    AckFrame | MessageFrame | TypingTold | ReadTold | EditedFrame | DeletedFrame | ResumedFrame | ErrorFrame
)
TYPING_SECONDS: Final = 5.0


# --- REST -------------------------------------------------------------------------------------------------------


class MessageRequest(Body, omit_defaults=True, frozen=True, kw_only=True):
    """What somebody says; without `clientId` a repeated request is a second message. `type` is another name for `kind`,
    the one that it has in the message."""

    content: RawText
    kind: PersonalKind = "text"
    type: KindAsType | None = None
    client_id: OpaqueId | None = None
    position: Position | None = None
    reply_to: OpaqueId | None = None


class PostMessage(Body, frozen=True, kw_only=True):
    """`POST /messages/{sessionId}`; the fields may stand inside `message` or by themselves."""

    message: MessageRequest | None = None
    content: RawText | None = None
    kind: PersonalKind = "text"
    type: KindAsType | None = None
    client_id: OpaqueId | None = None
    position: Position | None = None
    reply_to: OpaqueId | None = None


class MessageAnswer(Body, frozen=True, kw_only=True):
    """One message, wrapped."""

    message: Message


class MessagePage(Body, frozen=True, kw_only=True):
    """A page of a session's talk, in the order of `seq`; `next` is the cursor of the page beyond it, away from the
    newest unless `after` was asked for."""

    items: list[Message]
    next: str | None
