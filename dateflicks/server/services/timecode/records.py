"""The timecode record as a document: what is kept of a playback, and how it comes back.

Times are Unix seconds as numbers: they are never filtered on, and numbers stay clear of the engines' date handling.
"""

from collections.abc import Mapping
from typing import Any, Final

from dateflicks.core.playback import Change, Member, Role, SeekChange, Status, StatusChange, TimecodeRecord
from dateflicks.server.storage.records import Collection, Document

DATABASE: Final = "TimecodeDb"

TIMECODES: Final = Collection(DATABASE, "timecodes")
COLLECTIONS: Final = (TIMECODES,)


def to_document(record: TimecodeRecord) -> Document:
    """A record as it is stored; `_id` is the session's id."""
    return {
        "_id": record.session_id,
        "sessionId": record.session_id,
        "length": record.length,
        "currentPosition": record.current_position,
        "status": record.status.value,
        "lastStatusChange": record.last_status_change,
        "at": record.at,
        "rate": record.rate,
        "revision": record.revision,
        "settled": record.settled.value,
        "pending": None if record.pending is None else _from_change(record.pending),
        "members": [{"userId": one.user_id, "role": one.role.value, "name": one.name} for one in record.members],
        "present": list(record.present),
    }


def from_document(document: Mapping[str, Any]) -> TimecodeRecord:
    """A stored record as the playback core takes it; fields that an older version did not write have defaults."""
    pending = document.get("pending")
    return TimecodeRecord(
        session_id=str(document["_id"]),
        length=float(document["length"]),
        current_position=float(document["currentPosition"]),
        status=Status(document["status"]),
        last_status_change=float(document["lastStatusChange"]),
        at=float(document["at"]),
        rate=float(document["rate"]),
        revision=int(document["revision"]),
        settled=Status(document["settled"]),
        pending=None if pending is None else _to_change(pending),
        members=tuple(Member(one["userId"], Role(one["role"]), one["name"]) for one in document["members"]),
        present=tuple(document["present"]),
    )


def _from_change(change: Change) -> Document:
    kind = "seek" if isinstance(change, SeekChange) else "status"
    origin: float | str = change.origin if isinstance(change, SeekChange) else change.origin.value
    target: float | str = change.target if isinstance(change, SeekChange) else change.target.value
    return {
        "kind": kind,
        "by": change.by,
        "from": origin,
        "to": target,
        "deadline": change.deadline,
        "awaited": sorted(change.awaited),
    }


def _to_change(document: Mapping[str, Any]) -> Change:
    awaited = frozenset(document["awaited"])
    if document["kind"] == "seek":
        return SeekChange(
            document["by"], float(document["from"]), float(document["to"]), float(document["deadline"]), awaited
        )
    return StatusChange(
        document["by"], Status(document["from"]), Status(document["to"]), float(document["deadline"]), awaited
    )
