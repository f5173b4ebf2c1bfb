"""Looking at a moving mpv: which of its clocks to ask, how often, and which answers to believe.

The sound's clock (`audio-pts`) is asked 20 times a second; it is true while the film moves and after a pause, but not
after a seek that nobody has heard yet. A film without sound is told by its pictures instead (`time-pos` as it changes):
such a change comes when a picture is queued, one picture or up to 50 ms ahead of being seen.
"""

import asyncio
import contextlib
import math
import time
from typing import Any, Final

from dateflicks.client.players.estimate import (
    PICTURE_WINDOW_SECONDS,
    SLOW_ANSWER_SECONDS,
    SOUND_WINDOW_SECONDS,
    PlayheadEstimator,
)
from dateflicks.client.players.mpv_ipc import IpcRefused, MpvIpc, Reply
from dateflicks.client.players.stalls import LOOK_BACK_SECONDS, StallWatch

PICTURE_ID: Final = 100  # of our observation of `time-pos`
NO_SOUND_SECONDS: Final = 0.3  # without a sound's clock for so long, the pictures are looked at
TAIL_SECONDS: Final = 1.0  # so near to the end the sound is written out already and its clock is gone
QUEUE_AHEAD_SECONDS: Final = 0.050  # how far ahead of its time mpv queues a picture
QUEUE_DELAY_SECONDS: Final = 0.0006  # between queueing it and telling


def picture_lead(frames_per_second: float) -> float:
    """How far a told `time-pos` is ahead of what is seen: whole pictures within the queue (39.4 ms at 25 and 50)."""
    if frames_per_second <= 0:
        return 0.040
    frames = max(math.floor(QUEUE_AHEAD_SECONDS * frames_per_second + 1e-6), 1)
    return min(frames / frames_per_second, QUEUE_AHEAD_SECONDS) - QUEUE_DELAY_SECONDS


class Sensor:
    """One film's clocks, and what is made of them: `playhead` and `stalls`."""

    def __init__(self) -> None:
        self.playhead = PlayheadEstimator()
        self.stalls = StallWatch()
        self._question: asyncio.Future[Reply] | None = None
        self._asked_at = 0.0
        self._generation = 0
        self._stands_exactly = False
        self._by_picture = False
        self._is_observing = False
        self._lead = 0.040
        self._moving_since: float | None = None
        self._sound_at = float("-inf")

    def opened(self, *, has_sound: bool, frames_per_second: float) -> None:
        """A new film is open."""
        self._lead = picture_lead(frames_per_second)
        self._look_at_pictures(not has_sound)

    def unknow(self) -> None:
        """No film is open."""
        self._generation += 1
        self._moving_since = None
        self.stalls.may_stand()
        self.playhead.unknow()

    def position(self, now: float) -> float:
        """mpv's own position, 0 while nothing is known."""
        head = self.playhead.estimate(now)
        return 0.0 if head is None else head.position

    def start(self, now: float, speed: float) -> None:
        """The film moves from here on."""
        self._generation += 1
        self._stands_exactly = False
        self._moving_since = now
        self.playhead.started(now, speed)
        self.stalls.should_move(now, speed)

    def stop(self, now: float) -> None:
        """The film stands from here on."""
        self._generation += 1
        self._moving_since = None
        position = self.position(now)
        self.playhead.stopped(now)
        self.stalls.may_stand()
        if self._by_picture:
            self.land(position, now)  # pictures are told ahead of time: only what was estimated is known

    def change_speed(self, now: float, speed: float) -> None:
        """The speed of a moving film changes."""
        if self._moving_since is not None:
            if self.stalls.why is None:
                self.playhead.changed_speed(now, speed)
            self.stalls.should_move(now, speed)

    def jump(self, position: float, now: float) -> None:
        """A seek is under way to `position`."""
        self._generation += 1
        self.stalls.may_stand()
        self.playhead.stood(position, now)

    def land(self, position: float, now: float) -> None:
        """The film stands exactly here."""
        self._generation += 1
        self._stands_exactly = True
        self.playhead.landed(position, now)

    def forget(self, now: float) -> None:
        """Something happened after which older samples may be wrong."""
        self._generation += 1
        self.playhead.forget(now)

    def is_silent(self, now: float) -> bool:
        """Whether a question has been waiting for an answer for too long."""
        return self._question is not None and now - self._asked_at > LOOK_BACK_SECONDS

    def ask(self, ipc: MpvIpc, now: float, *, busy: bool) -> None:
        """Ask once more, unless the last question is still open or there is nothing to learn."""
        head = self.playhead.estimate(now)
        if self._question is not None or busy or head is None:
            return
        if self._moving_since is None and self.stalls.why is None and (self._stands_exactly or head.steady):
            return
        if self._by_picture != self._is_observing:
            self._is_observing = self._by_picture
            verb = ("observe_property", PICTURE_ID, "time-pos")
            command: tuple[Any, ...] = verb if self._by_picture else ("unobserve_property", PICTURE_ID)
            ipc.send(*command).add_done_callback(lambda done: done.cancelled() or done.exception())
        generation = self._generation
        self._asked_at = now
        self._question = ipc.send("get_property", "audio-pts")
        self._question.add_done_callback(lambda done: self._answered(done, generation))

    def saw_picture(self, position: float, at: float) -> None:
        """mpv told that a picture was queued."""
        if self._by_picture and self._moving_since is not None and at > self._moving_since:
            self.stalls.sample(position, at)
            self.playhead.sample(position - self._lead, at)

    def look(self, now: float, length: float) -> str | None:
        """Why the film is stalled, or None; the playhead stands for as long as it is."""
        before = self.stalls.why
        near_end = bool(length) and self.position(now) > length - TAIL_SECONDS
        why = self.stalls.look(now, near_end=near_end)
        last = self.playhead.last_sample()
        if why is not None and before is None and last is not None:
            self.playhead.stood(last[0], now)
            self.playhead.stopped(now)
        elif why is None and before is not None and last is not None and self._moving_since is not None:
            self._generation += 1
            self.playhead.stood(last[0], last[1])
            self.playhead.started(last[1], self.stalls.speed)
        if not self._by_picture and self._moving_since is not None and not near_end and why is None:
            quiet_since = max(self._moving_since, self._sound_at)
            self._look_at_pictures(now - quiet_since > NO_SOUND_SECONDS and not self.is_silent(now))
        return why

    def _look_at_pictures(self, by_picture: bool) -> None:
        if by_picture != self._by_picture:
            self._by_picture = by_picture
            self.playhead.window = PICTURE_WINDOW_SECONDS if by_picture else SOUND_WINDOW_SECONDS
            self.forget(time.monotonic())

    def _answered(self, done: asyncio.Future[Reply], generation: int) -> None:
        self._question = None
        if done.cancelled():
            return
        if (error := done.exception()) is not None:
            if isinstance(error, IpcRefused):
                self.stalls.answered(time.monotonic())
            return
        reply = done.result()
        self.stalls.answered(reply.received_at)
        if generation != self._generation:
            return
        with contextlib.suppress(TypeError, ValueError):
            self._heard(float(reply.data), reply)

    def _heard(self, position: float, reply: Reply) -> None:
        self._sound_at = reply.received_at
        if self._by_picture:
            self._look_at_pictures(False)
        if self._moving_since is not None:
            self.stalls.sample(position, reply.at)
        if reply.took <= SLOW_ANSWER_SECONDS:
            self.playhead.sample(position, reply.at)
