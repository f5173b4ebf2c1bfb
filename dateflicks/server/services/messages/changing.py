"""Edits and deletions: only of one's own, and so that what was before is gone for good.

Each change has a number, and an entry in the session's list of changes, which is written before the message is: so
every change that was made can be found by its number, and an entry whose change never came does no harm.
"""

import secrets
from typing import Final

from dateflicks.core.errors import Conflict, FieldProblem, Forbidden, Invalid, NotFound, Unavailable
from dateflicks.protocol.chat import DeleteFrame, EditFrame
from dateflicks.protocol.ids import is_id
from dateflicks.server.services.messages.records import message_of
from dateflicks.server.services.messages.room import Room
from dateflicks.server.services.messages.saying import check_size, checked_content
from dateflicks.server.storage.records import Document, OutcomeUnknown, Stale
from dateflicks.server.storage.table import Table

TRIES: Final = 4
EDITABLE: Final = frozenset({"text", "action"})
BUSY: Final = "Somebody else changes this message at this moment. Nothing was changed; try again."


async def change(room: Room, messages: Table, user_id: str, frame: EditFrame | DeleteFrame, now: float) -> Document:
    """Make a change and tell it; the message as it is now. The caller holds the room's lock.

    Raises NotFound, Forbidden, Invalid, Conflict (it was deleted), Unavailable, OutcomeUnknown.
    """
    for _ in range(TRIES):
        document = await _own(room, messages, user_id, frame.id)
        if isinstance(frame, DeleteFrame):
            if document["deletedAt"] is not None:
                return document
            changes: Document = {"content": "", "deletedAt": now, "digest": None}
        else:
            changes = {"content": _edited(document, frame, now), "editedAt": now, "digest": None}
        try:
            return await _carried_out(room, messages, document, changes)
        except Stale:
            continue
    raise Unavailable(BUSY, code="busy")


async def _carried_out(room: Room, messages: Table, document: Document, changes: Document) -> Document:
    entry = await room.changes.append({"sessionId": room.session_id, "message": document["seq"]})
    number: int = entry["seq"]
    try:
        changed = await messages.compare_and_set(
            document["_id"], document["rev"], changes, command=secrets.token_hex(8)
        )
    except OutcomeUnknown:
        room.doubts.changes.add(number)
        raise
    finally:
        room.changes.advance()  # not before: who catches up meanwhile would find the entry, and the message as it was
    room.tell_change(changed, number)
    return changed


async def _own(room: Room, messages: Table, user_id: str, message_id: str) -> Document:
    document = await messages.find_one("messageId", message_id) if is_id(message_id, "msg") else None
    if document is None or document["sessionId"] != room.session_id:
        raise NotFound("There is no such message in this session.")
    if document["author"] != user_id or document["type"] == "system":
        raise Forbidden("Only what one has said oneself can be changed.")
    while document["seq"] > room.messages.head:  # somebody else wrote it: it is told before its change is
        if not await room.messages.read_on():
            raise Unavailable(BUSY, code="busy")
    return document


def _edited(document: Document, frame: EditFrame, now: float) -> str:
    if document["deletedAt"] is not None:
        raise Conflict("This message was deleted.", code="deleted")
    if document["type"] not in EDITABLE:
        problem = FieldProblem("id", "is a reaction, which cannot be edited: delete it and send another")
        raise Invalid("The edit does not fit.", (problem,))
    content = checked_content(document["type"], frame.content)
    check_size(message_of({**document, "content": content, "editedAt": now}))
    return content
