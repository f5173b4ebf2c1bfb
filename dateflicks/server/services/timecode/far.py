"""The seats that connections to other processes have at the playbacks that are kept here.

What such a person says comes as a letter, and what they are told goes back as one. A letter about somebody who has no
seat is answered with `not-here`, so that their process looks again where the playback is kept.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any

import msgspec

from dateflicks.core.errors import NotFound, RuleError, Unavailable
from dateflicks.core.playback import Member, Role
from dateflicks.core.playback.chronicle import RETURN_SECONDS
from dateflicks.protocol import frames
from dateflicks.server.clock import ServerClock
from dateflicks.server.services.timecode.handler import TimecodeHandler
from dateflicks.server.services.timecode.kept import KeptElsewhere
from dateflicks.server.services.timecode.room import Seat
from dateflicks.server.websocket.decoding import error_frame
from dateflicks.server.websocket.frames import WENT_WRONG, Code

log = logging.getLogger(__name__)

Post = Callable[[str, Mapping[str, Any]], None]
"""Sends a letter to another process."""


class FarListener:
    """A connection to another process, as the handler sees it here."""

    def __init__(self, post: Post, worker_id: str, chair_id: str) -> None:
        self._post = post
        self.worker_id = worker_id
        self.chair_id = chair_id

    def send(self, frame: bytes) -> bool:
        """Have it sent there."""
        self._post(self.worker_id, {"do": "say", "chair": self.chair_id, "frame": frame.decode()})
        return True

    def close(self, code: int, reason: str = "") -> None:
        """Have it ended there."""
        self._post(self.worker_id, {"do": "close", "chair": self.chair_id, "code": code, "reason": reason})


class FarSeats:
    """All of this process; `take` has a playback in memory here, or raises KeptElsewhere."""

    def __init__(
        self, handler: TimecodeHandler, clock: ServerClock, take: Callable[[str], Awaitable[None]], post: Post
    ) -> None:
        self._handler = handler
        self._clock = clock
        self._take = take
        self._post = post
        self._seats: dict[str, dict[str, Seat]] = {}  # by process, by id of the chair there
        self._leaving: dict[str, tuple[asyncio.TimerHandle, Seat]] = {}  # by id of the chair, until they come back
        self._tasks: set[asyncio.Task[None]] = set()
        self._encode = msgspec.json.Encoder().encode
        self._decode: msgspec.json.Decoder[frames.TimecodeClientFrame] = msgspec.json.Decoder(
            frames.TimecodeClientFrame
        )

    def hear(self, source: str, letter: Mapping[str, Any]) -> None:
        """A letter of a connection there. Raises KeyError, TypeError, ValueError, MsgspecError for what is none."""
        match letter["do"]:
            case "sit":
                self._begin(self._let_sit(source, letter), "somebody far sits down")
            case "length":
                self._begin(self._set_length_for(letter), "a length told elsewhere")
            case _:
                self._hear_far(source, letter)

    def hear_gone(self, worker_id: str) -> None:
        """A process is gone: whoever was connected to it has not left before they had time to come back."""
        loop = asyncio.get_running_loop()
        for chair_id, seat in self._seats.pop(worker_id, {}).items():
            self._leaving[chair_id] = loop.call_later(RETURN_SECONDS, self._left, chair_id), seat

    def forget(self, session_id: str) -> None:
        """Another process keeps this playback now: nobody has a seat here any more."""
        for seats in self._seats.values():
            for chair_id in [one for one, seat in seats.items() if seat.session_id == session_id]:
                del seats[chair_id]
        for chair_id in [one for one, (_, seat) in self._leaving.items() if seat.session_id == session_id]:
            self._stays(chair_id)

    def end(self) -> list[asyncio.Task[None]]:
        """Wait for nobody any more; what still runs, to be cancelled."""
        for timer, _ in self._leaving.values():
            timer.cancel()
        return list(self._tasks)

    async def _let_sit(self, source: str, letter: Mapping[str, Any]) -> None:
        session_id, chair_id = str(letter["session"]), str(letter["chair"])
        listener = FarListener(self._post, source, chair_id)
        about = letter["member"]
        member = Member(str(about["userId"]), Role(about["role"]), str(about["name"]))
        try:
            await self._take(session_id)
            seat = self._stays(chair_id) or self._seats.get(source, {}).get(chair_id)
            if seat is not None and self._handler.has(seat):
                self._handler.greet(seat)
            else:
                seat = self._handler.sit_down(session_id, member, listener, looks_on=bool(letter["looksOn"]))
        except (KeptElsewhere, NotFound, Unavailable):
            self._post(source, {"do": "not-here", "session": session_id})
        except RuleError as error:
            listener.send(self._encode(error_frame(error, None)))
            listener.close(4403, "there is no place")
        except Exception:
            log.exception("nobody far could sit down", extra={"session": session_id})
            listener.close(Code.OUR_FAULT, WENT_WRONG)
        else:
            self._seats.setdefault(source, {})[chair_id] = seat

    def _hear_far(self, source: str, letter: Mapping[str, Any]) -> None:
        seat = self._seats.get(source, {}).get(letter["chair"])
        if seat is None:
            self._post(source, {"do": "not-here", "session": letter["session"]})
            return
        match letter["do"]:
            case "measured":
                self._handler.measured(seat, float(letter["seconds"]))
            case "stand":
                del self._seats[source][letter["chair"]]
                self._handler.stand_up(seat)
            case _:
                frame = self._decode.decode(letter["frame"])
                try:
                    self._handler.hear(seat, frame, self._clock.monotonic())
                except RuleError as error:
                    seat.listener.send(self._encode(error_frame(error, str(frame.__struct_config__.tag))))

    async def _set_length_for(self, letter: Mapping[str, Any]) -> None:
        session_id = str(letter["session"])
        try:
            with contextlib.suppress(KeptElsewhere, RuleError):
                await self._handler.set_length(session_id, float(letter["length"]))
        except Exception:
            log.exception("the length told elsewhere was not taken in", extra={"session": session_id})

    def _stays(self, chair_id: str) -> Seat | None:
        """Nobody waits for this one any more; the seat that they still have, if they were about to leave it."""
        timer, seat = self._leaving.pop(chair_id, (None, None))
        if timer is not None:
            timer.cancel()
        return seat

    def _left(self, chair_id: str) -> None:
        _, seat = self._leaving.pop(chair_id)
        self._handler.stand_up(seat)

    def _begin(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
