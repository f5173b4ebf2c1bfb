"""The timecode record as a document: what is kept of a playback, and how it comes back.

Times are Unix seconds as numbers: they are never filtered on, and numbers stay clear of the engines' date handling.
"""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from dateflicks.core.limits import POSITION_MAX_SECONDS
from dateflicks.core.playback import (
    Change,
    Member,
    PlaybackControl,
    Role,
    SeekChange,
    Status,
    StatusChange,
    TimecodeEvent,
    TimecodeRecord,
    Timeline,
)
from dateflicks.server.storage.records import Collection, Document, Index, StorageFault

DATABASE: Final = "TimecodeDb"

TIMECODES: Final = Collection(DATABASE, "timecodes")
LETTERS: Final = Collection(DATABASE, "letters", (Index(("to",)), Index(("to", "order"))))
COLLECTIONS: Final = (TIMECODES, LETTERS)


def to_document(record: TimecodeRecord) -> Document:
    """A record as it is stored; `_id` is the session's id."""
    return {
        "_id": record.session_id,
        "sessionId": record.session_id,
        "length": record.length,
        "currentPosition": record.current_position,
        "status": record.status._value_,
        "lastStatusChange": record.last_status_change,
        "at": record.at,
        "rate": record.rate,
        "revision": record.revision,
        "settled": record.settled._value_,
        "pending": None if record.pending is None else _from_change(record.pending),
        "members": [{"userId": one.user_id, "role": one.role._value_, "name": one.name} for one in record.members],
        "present": list(record.present),
    }


def from_document(document: Mapping[str, Any]) -> TimecodeRecord:
    """A stored record as the playback core takes it; only the five fields of its first design have to be there.

    Raises StorageFault when it cannot be read.
    """
    try:
        return _to_record(document)
    except (KeyError, TypeError, ValueError) as error:
        raise StorageFault(f"the timecode record of {document.get('_id')} cannot be read: {error!r}") from error


def recorded_event(document: Mapping[str, Any], now: float) -> TimecodeEvent:
    """What a record says of the film now, as far as whoever does not keep the playback can know.

    Raises StorageFault when it cannot be read.
    """
    record = from_document(document)
    event = PlaybackControl.from_record(replace(record, at=min(record.at, now)), now).to_timecode_event(now)
    there = {user: replace(one, connected=user in record.present) for user, one in event.participants.items()}
    line = Timeline(record.current_position, record.at, record.rate, record.length).anchored(now)
    return replace(
        event,
        revision=record.revision,
        participants=there,
        current_position=line.position,
        at=line.at,
        rate=line.rate,
        status=record.status,
    )


def _to_record(document: Mapping[str, Any]) -> TimecodeRecord:
    pending = document.get("pending")
    status = Status(document["status"])
    changed_at = _number(document["lastStatusChange"])
    length = _number(document["length"])
    if not 0 <= length <= POSITION_MAX_SECONDS:
        raise ValueError(f"length {length}")
    return TimecodeRecord(
        session_id=str(document["_id"]),
        length=length,
        current_position=_number(document["currentPosition"]),
        status=status,
        last_status_change=changed_at,
        at=_number(document.get("at", changed_at)),
        rate=_number(document.get("rate", 0.0)),
        revision=int(_number(document.get("revision", 0))),
        settled=Status(document.get("settled", status)),
        pending=None if pending is None else _to_change(pending),
        members=tuple(Member(one["userId"], Role(one["role"]), one["name"]) for one in document.get("members", ())),
        present=tuple(document.get("present", ())),
    )


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise TypeError(f"no number: {value!r}")
    return float(value)


def _from_change(change: Change) -> Document:
    kind = "seek" if isinstance(change, SeekChange) else "status"
    origin: float | str = change.origin if isinstance(change, SeekChange) else change.origin._value_
    target: float | str = change.target if isinstance(change, SeekChange) else change.target._value_
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
