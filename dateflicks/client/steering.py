"""Asking for a change without a player: what somebody wants of the film, and what comes of it.

`Steering` speaks to nobody: it is told what the service says, and answers with what to send and what came of it.
`steer` is its shell, on a line that only looks on: it is nobody's presence, and the own player, where one is open, goes
on as it was.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, assert_never

import msgspec

from dateflicks.client import errors
from dateflicks.client.feed import Feed, FeedEnded, Lost, Opened, Received
from dateflicks.client.http import ServiceClient
from dateflicks.client.listening import frame_of, looking_on
from dateflicks.core.limits import CONFIRM_SECONDS, POSITION_MAX_SECONDS, SEEK_TOLERANCE_SECONDS
from dateflicks.protocol import frames
from dateflicks.protocol.timecode import seconds

TRIES: Final = 8  # an act that another change overtook is asked again under the newer state, so often
HEARD_SECONDS: Final = 10.0  # by then an act has been heard: one of several agreements is not told
LATE_SECONDS: Final = 10.0  # after the deadline, for its news to get here
DETAIL_MAX: Final = 300


class Outcome(StrEnum):
    """What came of it, as far as it is known."""

    ALREADY = "already"  # nothing was to be asked
    ASKED = "asked"  # the others have not answered yet
    SETTLED = "settled"
    REFUSED = "refused"
    RESTORED = "restored"  # nobody answered in time: what was before is back
    OVERTAKEN = "overtaken"  # something else was asked, or is so, meanwhile


@dataclass(frozen=True, slots=True)
class Place:
    """Where to, in seconds: a position, a way from here (`is_relative`), or a share of the film (`is_share`)."""

    value: float
    is_relative: bool = False
    is_share: bool = False

    def of(self, here: float, length: float) -> float:
        """The position that is meant. Raises DoesNotFit for a share of a film whose length nobody knows."""
        if self.is_share and not length:
            raise errors.DoesNotFit("Nobody knows yet how long the film is, so there is no share of it.")
        to = self.value * length if self.is_share else here + self.value if self.is_relative else self.value
        return min(max(to, 0.0), length or POSITION_MAX_SECONDS)


HERE: Final = Place(0.0, is_relative=True)
Wish = frames.StatusWord | Place


class Steering:
    """One wish of one person; `outcome` is what came of it so far, None before anything did."""

    def __init__(self, session_id: str, user_id: str, wish: Wish, *, is_host: bool) -> None:
        self._session_id = session_id
        self._user_id = user_id
        self._wish = wish
        self._is_host = is_host
        self._under: int | None = None  # the revision that was acted under
        self._tries = 0
        self.target: frames.StatusWord | float | None = wish if isinstance(wish, str) else None
        self.outcome: Outcome | None = None
        self.latest: frames.TimecodeFrame | None = None
        self.heard_at = 0.0

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come of it."""
        return self.outcome not in (None, Outcome.ASKED)

    @property
    def here(self) -> float:
        """Where the film is, by what was told last and how long ago that was."""
        told = self.latest
        assert told is not None
        return min(told.current_position + told.rate * (time.monotonic() - self.heard_at), told.length or float("inf"))

    def lost(self) -> None:
        """The line is gone: what was sent and not answered may never have come."""
        if self.outcome is None:
            self._under = None

    def told(self, frame: frames.TimecodeFrame) -> frames.TimecodeClientFrame | None:
        """The state of the playback; what to send, if anything. Raises AtOdds, DoesNotFit."""
        if self.latest is not None and frame.clock_id == self.latest.clock_id and frame.revision < self.latest.revision:
            return None
        self.latest, self.heard_at = frame, time.monotonic()
        if self._under is None and self.outcome is None:
            return self._act(frame)
        self._judge(frame)
        return None

    def corrected(self, error: frames.ErrorFrame) -> frames.TimecodeClientFrame | None:
        """The service did not take it: what to send instead. Raises ClientError."""
        if error.code == "stale" and isinstance(self._wish, str) and self.latest is not None and self._tries < TRIES:
            return self._act(self.latest)
        raise errors.AtOdds(error.detail[:DETAIL_MAX])

    # --- inside -------------------------------------------------------------------------------------------------

    def _act(self, frame: frames.TimecodeFrame) -> frames.TimecodeClientFrame | None:
        if self._user_id not in frame.participants:
            raise errors.AtOdds("You have not been in this session yet, so that nobody could be asked in your name.")
        self._under, self._tries = frame.revision, self._tries + 1
        pending = frame.pending
        if isinstance(self._wish, str):
            if frame.status == self._wish and (pending is None or pending.kind == "seek"):
                self.outcome = Outcome.ALREADY
                return None
        elif self.target is None:
            self.target = self._wish.of(self.here, frame.length)
        if pending is not None and pending.by == self._user_id and self._is_mine(pending):
            self.outcome = Outcome.ASKED  # from another terminal, or a moment ago
            return None
        if isinstance(self.target, float):
            return frames.Seek(to=round(self.target, 3))
        assert self.target is not None
        return frames.Report(
            session_id=self._session_id,
            current_position=max(0.0, frame.current_position),
            status=self.target,
            is_host=self._is_host,
            revision=frame.revision,
            cause="user",
        )

    def _judge(self, frame: frames.TimecodeFrame) -> None:
        was_asked, pending = self.outcome is Outcome.ASKED, frame.pending
        if pending is not None:
            if self._is_mine(pending):
                self.outcome = Outcome.ASKED
            elif was_asked:
                self.outcome = Outcome.OVERTAKEN
        elif self._is_so(frame, was_asked=was_asked):
            self.outcome = Outcome.SETTLED
        elif was_asked:
            told = {"refused": Outcome.REFUSED, "restored": Outcome.RESTORED}
            self.outcome = told.get(frame.reason, Outcome.OVERTAKEN)

    def _is_mine(self, pending: frames.Pending) -> bool:
        if isinstance(self.target, str) or isinstance(pending.to, str):
            return pending.to == self.target
        return self.target is not None and abs(pending.to - self.target) <= SEEK_TOLERANCE_SECONDS

    def _is_so(self, frame: frames.TimecodeFrame, *, was_asked: bool) -> bool:
        if isinstance(self.target, str):
            return frame.status == self.target
        assert self.target is not None
        is_there = abs(frame.current_position - self.target) <= SEEK_TOLERANCE_SECONDS
        return frame.reason == "seek" and is_there and (was_asked or frame.by == self._user_id)


async def steer(
    client: ServiceClient,
    steering: Steering,
    session_id: str,
    ticket: Callable[[], Awaitable[str]],
    *,
    waits: bool,
    asked: Callable[[], None] = lambda: None,
) -> None:
    """Ask, and with `waits` see what comes of it; `asked` is called once, when it is pending. Raises ClientError.

    What nobody has answered when this returns has the outcome ASKED still.
    """
    base = await client.address_of("timecode")
    feed = looking_on(base, session_id, ticket, lambda: client.trust)
    loop = asyncio.get_running_loop()
    told = False
    try:
        async with contextlib.aclosing(feed.events()) as events, asyncio.timeout(None) as limit:
            was_open = False
            async for event in events:
                if isinstance(event, Opened):
                    was_open = True
                elif isinstance(event, Lost):
                    if not was_open and event.tries > 1:
                        raise errors.Unreachable(f"{base} cannot be reached: {event.why}.", url=base)
                    steering.lost()
                else:
                    _hear(steering, feed, event)
                if steering.is_over or (steering.outcome is Outcome.ASKED and not waits):
                    return
                if limit.when() is None and was_open:
                    limit.reschedule(loop.time() + HEARD_SECONDS)
                if steering.outcome is Outcome.ASKED and not told:
                    told = True
                    limit.reschedule(loop.time() + _confirm_seconds(steering) + LATE_SECONDS)
                    asked()
    except TimeoutError:
        steering.outcome = steering.outcome or Outcome.ASKED
    except FeedEnded as ended:
        raise errors.of_close_code(ended.code, str(ended), url=base) from ended


def _hear(steering: Steering, feed: Feed, event: Received) -> None:
    frame = frame_of(event.data)
    sent: frames.TimecodeClientFrame | None = None
    match frame:
        case frames.TimecodeFrame():
            sent = steering.told(frame)
        case frames.ErrorFrame():
            sent = steering.corrected(frame)
        case frames.Pong() | None:
            pass
        case _:
            assert_never(frame)
    if sent is not None:
        feed.send(msgspec.json.encode(sent))


def _confirm_seconds(steering: Steering) -> float:
    """How long an answer may take at most, by what is pending and the state that came with it."""
    told = steering.latest
    if told is None or told.pending is None:
        return CONFIRM_SECONDS
    return max(0.0, seconds(told.pending.deadline - told.at))
