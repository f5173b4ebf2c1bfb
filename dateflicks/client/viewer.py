"""One person's side of a session, pure: what to send, and what the own player must do. Times are arguments.

The viewer knows the server's clock, the timeline, the own player's playhead, and what its person wants; it is told what
arrives and what time it is, and answers with outputs for a shell to carry out (`watching.py` on a real line with a real
player, the tests in virtual time). It looks at levels, not edges: an output that was lost is asked for again. All
instants given and returned are the client's monotonic clock in seconds.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, assert_never

from dateflicks.client.consent import Consent, ConsentSettings
from dateflicks.client.follower import BAND_SECONDS, END_SECONDS, INTERVAL_SECONDS, Action, Follower, Pause
from dateflicks.client.players.base import Playhead
from dateflicks.core import clock as clock_module
from dateflicks.core.clock import FollowedClock
from dateflicks.core.playback import Timeline
from dateflicks.protocol import frames
from dateflicks.protocol.timecode import milliseconds, seconds

REPORT_SECONDS: Final = 3.0  # within the 4 s after which a report no longer counts; each one costs 180 bytes
REPORT_SOON_SECONDS: Final = 0.5  # just after a change, and while not yet in step
REPORT_SOON_FOR_SECONDS: Final = 5.0
REPORT_SOON_ERROR_SECONDS: Final = 0.020
PING_CLEARANCE_SECONDS: Final = 0.050  # a ping just behind another frame waits in its queue: 10–17 ms of error
LOOK_SOON_SECONDS: Final = 0.1  # having come to a stand, see where
LEFT_BEHIND_SECONDS: Final = 10.0  # the service decides within 1 s, or 5 s after its last decision, and 2 s each way
ROUND_TRIP_MAX_SECONDS: Final = 4.0  # two seconds each way are borne
ASK_AGAIN_SECONDS: Final = 1.0  # and a round trip: an act that another change overtook is asked again until then


@dataclass(frozen=True, slots=True)
class Send:
    """A frame for the service."""

    frame: frames.TimecodeClientFrame


@dataclass(frozen=True, slots=True)
class Notice:
    """Something a person may want to see; `kind` is a stable word, `text` a sentence without anybody's name in it."""

    kind: str
    text: str
    by: str | None = None


Output = Send | Notice | Action


class Viewer:
    """The logic of one watching person; one instance per session and player, over any number of reconnections."""

    def __init__(
        self,
        session_id: str,
        user_id: str,
        *,
        is_host: bool,
        consent: ConsentSettings | None = None,
        spread: Callable[[float, float], float] = lambda low, high: (low + high) / 2,
        gentle: bool = False,
        length: float = 0.0,
    ) -> None:
        self.session_id = session_id
        self.user_id = user_id
        self.is_host = is_host
        self.consent = consent or ConsentSettings()
        self.length = length
        self.clock = FollowedClock()
        self.follower = Follower(gentle=gentle)
        self.timecode: frames.TimecodeFrame | None = None
        self.connected = False
        self.buffering = False
        self.may_jump = True  # until in step for the first time
        self._spread = spread
        self._gentle = gentle
        self._line: Timeline | None = None
        self._is_asked = False  # by that line, where one is
        self._wanted: frames.StatusWord | None = None
        self._wanted_at = float("-inf")
        self._sought_at = float("-inf")
        self._answered: tuple[int, str] | None = None
        self._granted = False
        self._changed_at = float("-inf")
        self._burst_left = 0
        self._next_ping = float("inf")
        self._next_report = float("inf")
        self._next_look = float("-inf")
        self._last_sent = float("-inf")
        self._reported_far = False
        self._is_off = False
        self._behind_since: float | None = None
        self._returning = True

    # --- the line -----------------------------------------------------------------------------------------------

    def opened(self, now: float) -> None:
        """The connection stands: measure the clock at once."""
        self.connected = True
        self._burst_left = clock_module.BURST
        self._next_ping = now
        self._next_report = float("inf")  # the first timecode asks for the first report, under its revision
        self._changed_at = now

    def lost(self) -> None:
        """The connection is gone: the player runs on with the last timeline; whoever comes back may catch up."""
        self.connected = False
        self._returning = True
        self._next_ping = self._next_report = float("inf")

    def received(self, frame: frames.TimecodeServerFrame, now: float, head: Playhead | None) -> list[Output]:
        """Something has arrived."""
        match frame:
            case frames.Pong():
                forgot = self.clock.exchanged(frame.t0, seconds(frame.t1), seconds(frame.t2), now, frame.clock_id)
                if forgot:
                    self._burst_left, self._next_ping = clock_module.BURST, now
                return []
            case frames.TimecodeFrame():
                return self._told(frame, now, head)
            case frames.ErrorFrame():
                return self._corrected(frame, now, head)
            case _:
                assert_never(frame)

    # --- what the person does -----------------------------------------------------------------------------------

    def ask(self, status: frames.StatusWord, now: float, head: Playhead | None) -> list[Output]:
        """The person asks for a status, or agrees to one. Stillness acts at once here, before anybody else knows."""
        self._wanted, self._wanted_at = status, now
        outputs: list[Output] = []
        if status != "play" and head is not None and head.rate > 0:
            outputs.append(Pause())
            head = Playhead(head.carried(now), now, 0.0, head.noise)
            self._line = Timeline(head.position, now, 0.0, max(self.length, head.position))
            self._is_asked = False
        outputs += self._report(now, head, cause="user", status=status)
        return outputs

    def seek(self, to: float, now: float) -> list[Output]:
        """The person asks everyone to move, or agrees to it."""
        self._sought_at = now
        return self._send(frames.Seek(to=max(0.0, to)), now)

    def refuse(self, now: float) -> list[Output]:
        """The person refuses what is pending, or takes their own request back."""
        self._wanted = None
        return self._send(frames.Refuse(), now)

    def stalled(self, now: float, head: Playhead | None) -> list[Output]:
        """The player should move and does not."""
        self.buffering = True
        return self._report(now, head, cause="stall")

    def recovered(self, now: float, head: Playhead | None) -> list[Output]:
        """The player can move again."""
        self.buffering = False
        return self._report(now, head, cause="resume")

    def sought(self, now: float, took: float, head: Playhead | None) -> list[Output]:
        """A seek that was asked for has ended."""
        self.follower.sought(now, took)
        self._next_look = now
        return self._report(now, head, cause="seek")

    def player_replaced(self) -> None:
        """Another player has taken the old one's place: nothing that was asked of the old one holds."""
        self.follower = Follower(gentle=self._gentle)
        self.may_jump = True

    # --- time ---------------------------------------------------------------------------------------------------

    def next_wake(self) -> float:
        """When `tick` must be called at the latest. Without a line nothing is due but a look at the player."""
        return min(self._next_ping, self._next_report, self._next_look) if self.connected else self._next_look

    def tick(self, now: float, head: Playhead | None) -> list[Output]:
        """Look at the player, steer it, and send what is due."""
        outputs: list[Output] = []
        if now >= self._next_look:
            self._next_look = now + INTERVAL_SECONDS
            outputs += self._steer(now, head)
        if self.connected and now >= self._next_report:
            outputs += self._report(now, head, cause="tick")
        if self.connected and now >= self._next_ping:
            outputs += self._ping(now)
        return outputs

    def line(self, now: float) -> Timeline | None:
        """The timeline in local time, by what is known of the server's clock now."""
        told = self.timecode
        if told is not None and self._follows_told() and self._can_place(told):
            at = self.clock.local(seconds(told.at)) if self._clock_fits() else now
            self._line = Timeline(told.current_position, at, told.rate, told.length)
            is_place = told.status != "play" or told.reason == "seek"  # to be at, not one to say where one is
            self._is_asked = told.rate == 0 and not is_place and self.user_id in told.waiting_for
        return self._line

    def error(self, now: float, head: Playhead | None) -> float | None:
        """How far the player is behind the timeline now (negative: ahead), in seconds; None when it can't be told."""
        line = self.line(now)
        return None if line is None or head is None else line.position_at(now) - head.carried(now)

    # --- inside -------------------------------------------------------------------------------------------------

    def _clock_fits(self) -> bool:
        told = self.timecode
        return told is not None and self.clock.ready and self.clock.clock_id == told.clock_id

    def _can_place(self, told: frames.TimecodeFrame) -> bool:
        """Whether a timecode can be laid on the own clock; until then the line before it stays in use."""
        return told.rate == 0 or self._clock_fits()

    def _follows_told(self) -> bool:
        """Own stillness is not undone by a timecode that was under way when it was asked for."""
        told = self.timecode
        return not (self._wanted not in (None, "play") and told is not None and told.status == "play")

    def _still_wants(self, now: float) -> bool:
        """Whether an act may still be on its way, or its answer."""
        return now <= self._wanted_at + ASK_AGAIN_SECONDS + min(self.clock.round_trip, ROUND_TRIP_MAX_SECONDS)

    def _told(self, frame: frames.TimecodeFrame, now: float, head: Playhead | None) -> list[Output]:
        known = self.timecode
        if known is not None and frame.revision < known.revision:
            return []
        outputs: list[Output] = []
        if known is None or frame.revision > known.revision:
            self._changed_at = now
            # Where this player was under the old state is said before the new one is obeyed.
            self._next_report = min(self._next_report, now + REPORT_SOON_SECONDS)
        returning, self._returning = self._returning, False
        self.timecode = frame
        if self._wanted is not None and (frame.status == self._wanted or not self._still_wants(now)):
            self._wanted = None
        if frame.reason == "refused" or frame.reason == "restored":
            self._wanted = None
        me = frame.participants.get(self.user_id)
        if returning or (me is not None and me.excused is True) or frame.reason in ("restored", "refused", "seek"):
            self.may_jump = True
        if returning:
            outputs += self._report(now, head, cause="tick")
        outputs += self._consent(frame, now, head)
        if frame.rate == 0 and self.buffering:
            outputs.append(Pause())  # a player that can not be read must not run off when it wakes
        self._next_look = now + INTERVAL_SECONDS
        outputs += self._steer(now, head)
        return outputs

    def _consent(self, frame: frames.TimecodeFrame, now: float, head: Playhead | None) -> list[Output]:
        pending = frame.pending
        if pending is None or pending.by == self.user_id:
            return []
        kind: Literal["play", "pause", "stop", "seek"] = "seek" if isinstance(pending.to, float | int) else pending.to
        mark = (int(pending.deadline), kind)
        if self._answered == mark:
            return []
        self._answered = mark
        consent = self.consent.of(kind)
        self._granted = consent is not Consent.ASK
        if consent is Consent.ASK:
            return [Notice("asked", f"asks for {kind}", pending.by)]
        notices: list[Output] = (
            [Notice("granted", f"{kind} was agreed to", pending.by)] if consent is Consent.TELL else []
        )
        if isinstance(pending.to, float | int):
            return notices + self._send(frames.Seek(to=pending.to), now)
        return notices + self._report(now, head, cause="user", status=pending.to)

    def _corrected(self, frame: frames.ErrorFrame, now: float, head: Playhead | None) -> list[Output]:
        """An act that was made before the newest state was known is made again under it: intent survives."""
        if frame.code == "stale" and self._wanted is not None and self._still_wants(now):
            return self._report(now, head, cause="user", status=self._wanted)
        nothing_waits = self.timecode is not None and self.timecode.pending is None
        has_just_sought = frame.reply_to == "seek" and now <= self._sought_at + ASK_AGAIN_SECONDS
        if frame.code == "stale" and has_just_sought and nothing_waits:
            return [Notice("error", "The film has gone there just now: ask again in a moment.")]
        if frame.code == "stale" and self.timecode is not None and self._granted:
            self._answered = None
            return self._consent(self.timecode, now, head)
        if frame.code in ("stale", "nothing-pending"):
            return []
        self._wanted = None
        return [Notice("error", frame.detail)]

    def _steer(self, now: float, head: Playhead | None) -> list[Output]:
        line = self.line(now)
        if line is None or head is None or self.buffering:
            return []
        if self._is_over(head, line, now):
            line = Timeline(self.length, now, 0.0, self.length)
        elif self._is_asked and head.carried(now) > line.position + BAND_SECONDS:
            # Whoever went on while nobody kept the line stands where they are, not where it was last known to be.
            line = Timeline(head.carried(now), now, 0.0, line.length)
        error = line.position_at(now) - head.carried(now)
        is_new = self.timecode is not None and self._can_place(self.timecode)
        if self.may_jump and is_new and head.rate > 0 and line.rate > 0 and abs(error) <= BAND_SECONDS:
            self.may_jump = False
        far = abs(error) > BAND_SECONDS and line.rate > 0
        self._mind_being_left(now, is_behind=far and error > 0)
        if far and not self._reported_far:
            self._next_report = now
        self._reported_far = far
        # Who stands gets no nearer by waiting: where they are is said as rarely as where nothing is wrong.
        self._is_off = abs(error) > REPORT_SOON_ERROR_SECONDS and (head.rate > 0 or line.rate > 0)
        if self._is_off:
            self._next_report = min(self._next_report, now + REPORT_SOON_SECONDS)
        action = self.follower.decide(now, head, line, exact=self._exact(), may_jump=self.may_jump)
        if isinstance(action, Pause) or (line.rate == 0 and not head.steady):
            self._next_look = now + LOOK_SOON_SECONDS
        return [] if action is None else [action]

    def _mind_being_left(self, now: float, *, is_behind: bool) -> None:
        """Behind for longer than the service takes to move everybody here: it does not count this one, who may jump."""
        if not is_behind:
            self._behind_since = None
        elif self._behind_since is None:
            self._behind_since = now
        elif now >= self._behind_since + LEFT_BEHIND_SECONDS:
            self.may_jump = True

    def _is_over(self, head: Playhead, line: Timeline, now: float) -> bool:
        """Whether the own copy, a shorter one, has ended: it stands there while the others see the rest of theirs."""
        if not self.length or head.rate > 0:
            return False
        return min(head.position, line.position_at(now)) > self.length - END_SECONDS and line.length > self.length

    def _exact(self) -> bool:
        """A wait is a time to stand still; a pause, a stop and a seek are places to be at."""
        told = self.timecode
        if told is None or self._wanted is not None:
            return False
        return told.status != "play" or (told.reason == "seek" or not told.waiting_for)

    def _report(
        self,
        now: float,
        head: Playhead | None,
        *,
        cause: frames.Cause,
        status: frames.StatusWord | None = None,
    ) -> list[Output]:
        soon = now < self._changed_at + REPORT_SOON_FOR_SECONDS or self.buffering or self._is_off
        self._next_report = now + (REPORT_SOON_SECONDS if soon else REPORT_SECONDS)
        if head is None and cause == "user" and (line := self.line(now)) is not None:
            head = Playhead(line.position_at(now), now, 0.0)  # who has no film open just now may want something too
        if not self.connected or head is None or self.timecode is None:
            return []
        position = head.position
        if self._line is not None and self._is_over(head, self._line, now):
            position = max(position, self._line.position_at(now))  # nobody is to go back for a copy that ends sooner
        report = frames.Report(
            session_id=self.session_id,
            current_position=max(0.0, round(position, 4)),
            status=status or self._word(),
            is_host=self.is_host,
            sent_at=milliseconds(self.clock.server(head.at)) if self._clock_fits() else None,
            revision=self.timecode.revision,
            rate=None if cause == "tick" and self._plays_along(head) else round(head.rate, 4),
            buffering=self.buffering or None,
            cause=cause,
            length=self.length or None if self.timecode.length == 0 else None,
        )
        return self._send(report, now)

    def _plays_along(self, head: Playhead) -> bool:
        """Whether the player moves just as the timeline does that was told, so that a report need not say so."""
        line, told = self._line, self.timecode
        if line is None or told is None or head.at < line.at:
            return False
        return told.rate == line.rate == head.rate == 1.0 and self._word() == "play"

    def _word(self) -> frames.StatusWord:
        assert self.timecode is not None
        me = self.timecode.participants.get(self.user_id)
        return me.status if me is not None else self.timecode.status

    def _send(self, frame: frames.TimecodeClientFrame, now: float) -> list[Output]:
        if not self.connected:
            return []
        self._last_sent = now
        return [Send(frame)]

    def _ping(self, now: float) -> list[Output]:
        clear_from = self._last_sent + PING_CLEARANCE_SECONDS
        if now < clear_from:
            self._next_ping = clear_from
            return []
        if 0 <= self._next_report - now < PING_CLEARANCE_SECONDS:
            self._next_ping = self._next_report + PING_CLEARANCE_SECONDS
            return []
        if self._burst_left > 0:
            self._burst_left -= 1
            self._next_ping = now + clock_module.BURST_INTERVAL_SECONDS
        else:
            self._next_ping = now + self.clock.interval * self._spread(*clock_module.INTERVAL_SPREAD)
        return [Send(frames.Ping(t0=round(now, 6)))]
