"""One connection to this process, wherever the playback of its session is kept."""

from dataclasses import dataclass
from typing import Final

import msgspec

from dateflicks.core.playback import Member
from dateflicks.server.services.timecode.room import Listener, Seat


@dataclass(slots=True, eq=False)
class Chair:
    """One connection to this process; `seat` is its place here, `keeper` where its place is otherwise."""

    id: str
    session_id: str
    member: Member
    listener: Listener
    looks_on: bool
    seat: Seat | None = None
    keeper: str = ""
    told: int = -1  # the newest revision that came from elsewhere

    def tell(self, frame: bytes) -> None:
        """Hand on what came from elsewhere, unless something newer has come by another way."""
        revision = _decode_told(frame).revision
        if revision is not None:
            if revision < self.told:
                return
            self.told = revision
        self.listener.send(frame)


class _Told(msgspec.Struct):
    """Of a frame, how new it is; what has no revision is neither."""

    revision: int | None = None


_decode_told: Final = msgspec.json.Decoder(_Told).decode
