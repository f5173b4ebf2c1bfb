"""What the messages service keeps, and how a message comes back from it.

A message's `_id` is made of its session and its number, so that every page is a list of computed ids and costs the same
at any depth. `messageId` is unique: it is made of who said it and of the sender's own name for it, so that one index
tells a repeated message from a new one and finds what is edited. Times are Unix seconds as numbers.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import msgspec

from dateflicks.protocol.chat import DeletedFrame, EditedFrame, Message, MessageKind, SystemEvent
from dateflicks.protocol.ids import id_of, new_id
from dateflicks.protocol.times import rfc3339_from_unix, rfc3339_if_known
from dateflicks.server.auth.signed_out import ERASED_NAME
from dateflicks.server.storage.records import Collection, Document, Index, StorageFault

DATABASE: Final = "MessageDb"

MESSAGES: Final = Collection(DATABASE, "messages", (Index(("messageId",), unique=True),))
CHANGES: Final = Collection(DATABASE, "changes")
MARKS: Final = Collection(DATABASE, "marks")
COLLECTIONS: Final = (MESSAGES, CHANGES, MARKS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What is to be said: cleaned and within the limits, but without a number yet.

    `position` is what was given; `film_position` is what the film was known to be at when nothing was given.
    """

    kind: MessageKind
    content: str
    author: str | None
    author_name: str | None
    position: float | None = None
    film_position: float | None = None
    client_id: str | None = None
    reply_to: str | None = None
    event: SystemEvent | None = None
    to: float | None = None
    name: str | None = None  # of a line that may be told to us again: what tells it from all others

    def id_in(self, session_id: str) -> str:
        """The message's id: the same for whatever is the same message, a new one where nobody can repeat it."""
        if self.client_id is not None:
            return id_of("msg", _hash(session_id, "client", self.author or "", self.client_id))
        if self.name is not None:
            return id_of("msg", _hash(session_id, "line", self.name))
        return new_id("msg")

    def without_name(self) -> "Draft":
        """The same of somebody who was erased: a line of the film."""
        if self.author_name is None:
            return self
        content = ERASED_NAME + self.content.removeprefix(self.author_name)
        return replace(self, author_name=ERASED_NAME, content=content)

    @property
    def digest(self) -> str:
        """What tells the same message from another one under the same `clientId`.

        Not the position: some measure it anew each time they send, and the first one counts.
        """
        said = [self.kind, self.content, self.reply_to]
        return hashlib.sha256(msgspec.json.encode(said)).hexdigest()


def to_document(session_id: str, draft: Draft, message_id: str, time: float) -> Document:
    """A draft as it is stored, but for `_id` and `seq`."""
    return {
        "messageId": message_id,
        "sessionId": session_id,
        "time": time,
        "author": draft.author,
        "authorName": draft.author_name,
        "type": draft.kind,
        "content": draft.content,
        "position": draft.film_position if draft.position is None else draft.position,
        "clientId": draft.client_id,
        "replyTo": draft.reply_to,
        "event": draft.event,
        "to": draft.to,
        "editedAt": None,
        "deletedAt": None,
        "digest": draft.digest,
    }


def message_of(document: Mapping[str, Any]) -> Message:
    """A stored message as it is told. Raises StorageFault when it cannot be read."""
    try:
        return Message(
            id=document["messageId"],
            session_id=document["sessionId"],
            seq=int(document["seq"]),
            time=rfc3339_from_unix(document["time"]),
            author=document["author"],
            type=document["type"],
            content=document["content"],
            position=document.get("position"),
            author_name=document.get("authorName"),
            client_id=document.get("clientId"),
            reply_to=document.get("replyTo"),
            edited_at=rfc3339_if_known(document.get("editedAt")),
            deleted_at=rfc3339_if_known(document.get("deletedAt")),
            event=document.get("event"),
            to=document.get("to"),
        )
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise StorageFault(f"the message {document.get('_id')} cannot be read: {error!r}") from error


def change_of(document: Mapping[str, Any], change: int) -> EditedFrame | DeletedFrame | None:
    """What a change has made of a message; None when it was announced and never came."""
    message = message_of(document)
    if message.deleted_at is not None:
        return DeletedFrame(id=message.id, seq=message.seq, deleted_at=message.deleted_at, change=change)
    if message.edited_at is not None:
        return EditedFrame(
            id=message.id, seq=message.seq, content=message.content, edited_at=message.edited_at, change=change
        )
    return None


def _hash(*words: str) -> bytes:
    return hashlib.sha256("\0".join(words).encode()).digest()
