"""Playback in step, pure: no I/O, no clock of its own, no framework. Start reading at `control.py`."""

from dateflicks.core.playback.chronicle import Chronicle, Deed, Line
from dateflicks.core.playback.collection import PlaybackCollection
from dateflicks.core.playback.control import PlaybackControl
from dateflicks.core.playback.messages import (
    Cause,
    Change,
    Member,
    OnLeave,
    ParticipantView,
    PlaybackRules,
    Reason,
    Role,
    SeekChange,
    Status,
    StatusChange,
    TimecodeEvent,
    TimecodeRecord,
    TimecodeRequest,
)
from dateflicks.core.playback.position import Place, PlaybackPosition
from dateflicks.core.playback.status import PlaybackStatus
from dateflicks.core.playback.timeline import Timeline

__all__ = [
    "Cause",
    "Change",
    "Chronicle",
    "Deed",
    "Line",
    "Member",
    "OnLeave",
    "ParticipantView",
    "Place",
    "PlaybackCollection",
    "PlaybackControl",
    "PlaybackPosition",
    "PlaybackRules",
    "PlaybackStatus",
    "Reason",
    "Role",
    "SeekChange",
    "Status",
    "StatusChange",
    "TimecodeEvent",
    "TimecodeRecord",
    "TimecodeRequest",
    "Timeline",
]
