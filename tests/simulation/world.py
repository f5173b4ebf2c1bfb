"""A session in virtual time: the real playback core and real viewers over modelled players, clocks and lines.

One heap of events over true time. Every person has a clock of their own (offset and skew; viewer and player live on
it), a player of their own (`client.players.physics`) and a line of their own (delay and jitter each way; in order, as
TCP is, unless told otherwise). The service's side does what the timecode service does, and nothing else: seats, records
written at each change and every five seconds, a new clock after a restart. Whatever happens is drawn from one seed.
"""

import heapq
import itertools
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from dateflicks.client.consent import Consent, ConsentSettings
from dateflicks.client.follower import Hold, Pause, PlayAt, SeekTo, Speed
from dateflicks.client.players.base import Playhead, Recovered, Stalled
from dateflicks.client.players.physics import NEVER, SimulatedPhysics
from dateflicks.client.viewer import Output, Send, Viewer
from dateflicks.core.clock import WINDOW_SECONDS
from dateflicks.core.errors import RuleError
from dateflicks.core.limits import EVENT_INTERVAL_SECONDS
from dateflicks.core.playback import (
    Member,
    PlaybackCollection,
    PlaybackControl,
    PlaybackRules,
    Reason,
    Role,
    TimecodeEvent,
    TimecodeRecord,
)
from dateflicks.core.playback.control import Events
from dateflicks.protocol import frames
from dateflicks.protocol.timecode import event_frame, milliseconds, request_of, seconds, sync_limits

SESSION = "ses_a"
EVENING = 1_790_000_000.0  # the server's clock when true time is 0
HAIR = 1e-6  # a wake-up comes this much late: a float of the server's clock is good to a quarter of a microsecond
STEERED_SECONDS = 4.0  # what a clock learns is in the player after this
FREE = ConsentSettings.all(Consent.FREE)
RETRY_SECONDS = 0.5  # a service that is not there is tried again after this


@dataclass(frozen=True, slots=True)
class Line:
    """One person's line: one-way delays in seconds, drawn from base to base + jitter."""

    up: float = 0.0002
    down: float = 0.0002
    jitter: float = 0.0
    ordered: bool = True
    duplicates: float = 0.0  # how likely a frame arrives twice
    bursty: bool = False  # jitter that is mostly small and sometimes all of it, instead of even


@dataclass(frozen=True, slots=True)
class Setup:
    """One simulated person; they are the host when their name is `host`."""

    name: str
    line: Line = Line()
    clock_offset: float = 0.0
    clock_ppm: float = 0.0
    audio_ppm: float = 0.0  # of true time: a sound device's crystal is another than its computer's
    seek_latency: float = 0.040
    start_position: float = 0.0
    consent: ConsentSettings = FREE


@dataclass(frozen=True, slots=True)
class Moved:
    """A player was sent back: from where to where, and where the film was by what its client had been told."""

    name: str
    at: float
    origin: float
    target: float
    agreed: float
    clock_error: float


@dataclass
class Person:
    """One simulated person: viewer, player, clock and line."""

    setup: Setup
    viewer: Viewer
    player: SimulatedPhysics
    link: int = 0  # the connection in use; 0 when there is none. Frames of an earlier one are lost
    up_until: float = 0.0
    down_until: float = 0.0
    seek: int = 0
    wake: int = 0
    change: int = 0
    links: int = 0
    commands: list[tuple[float, Output]] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    exchanges: deque[tuple[float, str, float, float]] = field(default_factory=deque)  # when, clock, there, back

    def local(self, true: float) -> float:
        """This person's monotonic clock."""
        return self.setup.clock_offset + true * (1 + self.setup.clock_ppm * 1e-6)

    def true(self, local: float) -> float:
        """True time at a reading of this person's clock."""
        return (local - self.setup.clock_offset) / (1 + self.setup.clock_ppm * 1e-6)

    def coarse(self, since: float = 0.0) -> int:
        """How many holds and seeks the player was told to make since then."""
        return sum(1 for at, one in self.commands if at >= since and isinstance(one, Hold | SeekTo))


class World:
    """The simulation: `person` adds somebody, `at` plans something, `run_until` lets time pass."""

    def __init__(
        self,
        seed: int,
        *,
        length: float = 3_600.0,
        rules: PlaybackRules | None = None,
        kind: type[PlaybackControl] = PlaybackControl,
    ) -> None:
        self.now = 0.0
        self.random = random.Random(seed)
        self.rules = rules or PlaybackRules()
        self.length = length
        self.clock_id = "clk_1"
        self.people: dict[str, Person] = {}
        self.events: list[TimecodeEvent] = []
        self.moved_back: list[Moved] = []
        self.broken: list[str] = []  # promises of the service that did not hold
        self.told_at = 0.0
        self._epoch = EVENING
        self._seats: list[tuple[str, int]] = []
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._planned_wake: float | None = None
        self._restarts = 0
        self._record: TimecodeRecord | None = None
        self._kind = kind
        self._playbacks: PlaybackCollection | None = PlaybackCollection((), self.server_now, self.rules, kind)
        self._playbacks.create(SESSION, length, self.server_now)
        self._keep(self.control)
        self.at(EVENT_INTERVAL_SECONDS, self._tell_regularly)

    # --- building and running -----------------------------------------------------------------------------------

    def person(self, setup: Setup) -> Person:
        """Add somebody with a film open, not yet connected."""
        viewer = Viewer(
            SESSION,
            setup.name,
            is_host=setup.name == "host",
            consent=setup.consent,
            spread=self.random.uniform,
            length=self.length,
        )
        player = SimulatedPhysics(
            length=self.length,
            seed=self.random.getrandbits(32),
            drift_ppm=setup.audio_ppm - setup.clock_ppm,
            seek_latency=setup.seek_latency,
        )
        one = self.people[setup.name] = Person(setup, viewer, player)
        player.load(setup.start_position, one.local(self.now))
        return one

    def at(self, time: float, act: Callable[[], None]) -> None:
        """Plan something for true time `time`."""
        heapq.heappush(self._heap, (max(time, self.now), next(self._order), act))

    def run_until(self, time: float) -> None:
        """Let everything happen that is planned up to `time`."""
        heap = self._heap
        while heap and heap[0][0] <= time:
            self.now, _, act = heapq.heappop(heap)
            act()
        self.now = time

    # --- what can be seen ---------------------------------------------------------------------------------------

    @property
    def server_now(self) -> float:
        """The server's clock."""
        return self._epoch + self.now

    @property
    def is_up(self) -> bool:
        """Whether the service runs."""
        return self._playbacks is not None

    @property
    def control(self) -> PlaybackControl:
        """The service's playback."""
        assert self._playbacks is not None, "the service is down"
        return self._playbacks.control(SESSION)

    def agreed(self) -> float:
        """Where the film is now, by the service."""
        return self.control.state.timeline.position_at(self.server_now)

    def position(self, name: str) -> float:
        """Where a player really is."""
        one = self.people[name]
        return one.player.position(one.local(self.now))

    def spread(self) -> float:
        """How far the players really are apart, in seconds."""
        positions = [self.position(name) for name in self.people]
        return max(positions) - min(positions)

    def clock_error(self, one: Person) -> float:
        """How wrong this person is about the server's clock now, in seconds (positive: they think it is later)."""
        return one.viewer.clock.server(one.local(self.now)) - self.server_now

    def invisible(self, one: Person) -> float:
        """The part of a clock's error that nobody could see from the exchanges that were made, in seconds.

        Of each exchange only the sum of its two delays shows. The best that timestamps on both sides allow is the
        smallest delay there and the smallest back; half of their difference looks exactly like an offset. A better
        exchange takes effect at once here and is only then steered to: what was known a moment ago counts as well.
        """
        exchanges = [(at, there, back) for at, clock, there, back in one.exchanges if clock == self.clock_id]
        if not exchanges:
            return NEVER
        looks = [at for at, _, _ in exchanges if at > self.now - STEERED_SECONDS]
        return max(_half_asymmetry(exchanges, until) for until in (self.now - STEERED_SECONDS, self.now, *looks))

    # --- lines --------------------------------------------------------------------------------------------------

    def connect(self, name: str) -> None:
        """Somebody's connection is made, as soon as the service is there."""
        one = self.people[name]
        if self._playbacks is None:
            self.at(self.now + RETRY_SECONDS, lambda: self.connect(name))
            return
        if one.link:
            return
        self._lose(one)
        is_first = all(other != name for other, _ in self._seats)
        if is_first:
            role = Role.HOST if one.viewer.is_host else Role.GUEST
            self._tell(self.control.join(Member(name, role, name), self.server_now))
        one.links += 1
        one.link = link = one.links
        self._seats.append((name, link))
        one.up_until = self.now
        one.down_until = self.now + one.setup.line.down
        self.at(one.down_until, lambda: self._open(one, link))
        greeting = event_frame(self.control.to_timecode_event(self.server_now), self.clock_id, sync_limits(self.rules))
        self._down(one, greeting)

    def disconnect(self, name: str, *, noticed_after: float = 0.0, missed_after: float = 0.0) -> None:
        """Somebody's line breaks: they notice after a while, the service after another."""
        one = self.people[name]
        link, one.link = one.link, 0
        if not link:
            return
        restarts = self._restarts

        def missed() -> None:
            if self._restarts == restarts and (name, link) in self._seats:
                self._stand_up(name, link)

        self.at(self.now + missed_after, missed)
        self.at(self.now + noticed_after, lambda: self._lose(one))

    def kill_server(self) -> None:
        """The service dies at once; everybody's connection breaks."""
        self._playbacks = None
        self._restarts += 1
        self._seats.clear()
        self._planned_wake = None
        for one in self.people.values():
            one.link = 0
            self._lose(one)

    def start_server(self, *, clock_step: float = 0.0) -> None:
        """The service comes back from its last record, with a new clock that may stand a little elsewhere."""
        assert self._record is not None
        self._epoch += clock_step
        self.clock_id = f"clk_{1 + self._restarts}"
        self._playbacks = PlaybackCollection([self._record], self.server_now, self.rules, self._kind)
        self._plan_server_wake()

    def _open(self, one: Person, link: int) -> None:
        if link == one.link:
            one.viewer.opened(one.local(self.now))
            self._plan_look(one)

    def _lose(self, one: Person) -> None:
        if not one.link and one.viewer.connected:
            one.viewer.lost()
            self._plan_look(one)

    def _delay(self, base: float, line: Line) -> float:
        if not line.jitter:
            return base
        share = self.random.random()
        return base + line.jitter * (share**4 if line.bursty else share)

    def _up(self, one: Person, frame: frames.TimecodeClientFrame) -> None:
        link, line = one.link, one.setup.line
        if not link:
            return
        arrives = self.now + self._delay(line.up, line)
        if line.ordered:
            arrives = one.up_until = max(one.up_until, arrives)
        sent = self.now
        self.at(arrives, lambda: self._hear(one, link, frame, sent))
        if line.duplicates and self.random.random() < line.duplicates:
            self.at(arrives + self.random.uniform(0.0, 1.0), lambda: self._hear(one, link, frame, sent))

    def _down(self, one: Person, frame: frames.TimecodeServerFrame, there: float = 0.0) -> None:
        link, line = one.link, one.setup.line
        if not link:
            return
        arrives = self.now + self._delay(line.down, line)
        if line.ordered:
            arrives = one.down_until = max(one.down_until, arrives)
        sent = self.now
        self.at(arrives, lambda: self._arrive(one, link, frame, there, sent))
        if line.duplicates and self.random.random() < line.duplicates:
            self.at(arrives + self.random.uniform(0.0, 1.0), lambda: self._arrive(one, link, frame, there, sent))

    # --- the service --------------------------------------------------------------------------------------------

    def _stand_up(self, name: str, link: int) -> None:
        self._seats.remove((name, link))
        if all(other != name for other, _ in self._seats):
            self._tell(self.control.leave(name, self.server_now))

    def _hear(self, one: Person, link: int, frame: frames.TimecodeClientFrame, sent: float) -> None:
        if link != one.link or self._playbacks is None:
            return
        now, name = self.server_now, one.setup.name
        if isinstance(frame, frames.Ping):
            stamp = milliseconds(now)
            pong = frames.Pong(t0=frame.t0, t1=stamp, t2=stamp, clock_id=self.clock_id)
            self._down(one, pong, self.now - sent)
            return
        before = self._before()
        try:
            match frame:
                case frames.Report():
                    self._tell(self._playbacks.receive(request_of(frame, name), now), before)
                case frames.Seek():
                    self._tell(self.control.seek(name, frame.to, now), before)
                case frames.Refuse():
                    self._tell(self.control.refuse(name, now), before)
        except RuleError as error:
            self._down(one, frames.ErrorFrame(code=error.code, detail=error.detail))
            self._plan_server_wake()

    def _tell(self, events: Events, before: tuple[float, dict[str, float]] | None = None) -> None:
        for event in events:
            self._check(event, before)
            self.events.append(event)
            self.told_at = self.now
            frame = event_frame(event, self.clock_id)
            for one in self.people.values():
                self._down(one, frame)
        if events:
            self._keep(self.control)
        self._plan_server_wake()

    def _before(self) -> tuple[float, dict[str, float]]:
        """Where the film is now, and where those are who have a say, carried forward."""
        state, now = self.control.state, self.server_now
        places = ((user, state.position.of(user, now)) for user in state.counted(now))
        return state.timeline.position_at(now), {user: place for user, place in places if place is not None}

    def _check(self, event: TimecodeEvent, before: tuple[float, dict[str, float]] | None) -> None:
        if self.events and event.revision <= self.events[-1].revision:
            self.broken.append(f"{self.now:.3f}: revision {event.revision} follows {self.events[-1].revision}")
        if event.current_position > event.length:
            self.broken.append(f"{self.now:.3f}: {event.current_position} is beyond the length")
        if before is None or event.reason in (Reason.SEEK, Reason.END):
            return
        agreed, counted = before
        if abs(event.current_position - agreed) < HAIR:
            return  # told again, not anchored elsewhere
        for user, was in counted.items():
            said = self.control.state.position.of(user, self.server_now)  # what has just been said may be newer
            place = was if said is None else max(was, said)
            if not event.participants[user].excused and event.current_position > place + HAIR:
                self.broken.append(f"{self.now:.3f}: {event.reason} to {event.current_position}, {user} at {place}")

    def _keep(self, control: PlaybackControl) -> None:
        self._record = control.to_record(self.server_now)

    def _plan_server_wake(self) -> None:
        assert self._playbacks is not None
        self._playbacks.touched(SESSION)
        wake = self._playbacks.next_wake()
        if wake is not None and wake != self._planned_wake:
            self.at(wake - self._epoch + HAIR, lambda: self._advance(wake))
        self._planned_wake = wake

    def _advance(self, wake: float) -> None:
        if self._playbacks is None or wake != self._planned_wake:
            return
        self._planned_wake = None
        before = self._before()
        for _, events in self._playbacks.advance(self.server_now):
            self._tell(events, before)
        self._plan_server_wake()

    def _tell_regularly(self) -> None:
        if self._playbacks is not None:
            frame = event_frame(self.control.to_timecode_event(self.server_now), self.clock_id)
            for one in self.people.values():
                self._down(one, frame)
            self._keep(self.control)
        self.at(self.now + EVENT_INTERVAL_SECONDS, self._tell_regularly)

    # --- a person -----------------------------------------------------------------------------------------------

    def ask(self, name: str, status: frames.StatusWord) -> None:
        """Somebody presses a key."""
        one = self.people[name]
        local = one.local(self.now)
        self._carry_out(one, one.viewer.ask(status, local, one.player.playhead(local)))

    def seek(self, name: str, to: float) -> None:
        """Somebody asks all to move."""
        one = self.people[name]
        self._carry_out(one, one.viewer.seek(to, one.local(self.now)))

    def answer(self, name: str, *, agree: bool) -> None:
        """Somebody answers what is pending, by what they have been told."""
        one = self.people[name]
        told = one.viewer.timecode
        if told is None or told.pending is None or told.pending.by == name:
            return
        if not agree:
            self._carry_out(one, one.viewer.refuse(one.local(self.now)))
        elif isinstance(told.pending.to, str):
            self.ask(name, told.pending.to)
        else:
            self.seek(name, told.pending.to)

    def freeze(self, name: str, span: float) -> None:
        """Somebody's player does nothing and takes no command for a while."""
        one = self.people[name]
        one.player.freeze(span, one.local(self.now))
        self._plan_player(one)

    def stall(self, name: str, span: float) -> None:
        """Somebody's player waits for data."""
        one = self.people[name]
        one.player.stall(span, one.local(self.now))
        self._plan_player(one)

    def slip(self, name: str, by: float) -> None:
        """Somebody's player that plays is suddenly elsewhere, and nobody wanted it."""
        one = self.people[name]
        local = one.local(self.now)
        if one.player.rate(local) > 0:
            one.player.seek(one.player.position(local) + by, local)
            self._plan_player(one)

    def _arrive(self, one: Person, link: int, frame: frames.TimecodeServerFrame, there: float, sent: float) -> None:
        if link != one.link:
            return
        local = one.local(self.now)
        if isinstance(frame, frames.Pong):
            one.exchanges.append((self.now, frame.clock_id, there, self.now - sent))
            one.viewer.received(frame, local, None)
            self._plan_look(one)
        else:
            self._carry_out(one, one.viewer.received(frame, local, one.player.playhead(local)))

    def _carry_out(self, one: Person, outputs: list[Output]) -> None:
        """Do what a viewer says, as `client.watching` does."""
        local = one.local(self.now)
        for output in outputs:
            if isinstance(output, Send):
                self._up(one, output.frame)
                continue
            one.commands.append((self.now, output))
            match output:
                case Speed():
                    one.player.set_speed(output.value, local)
                case Pause():
                    one.player.pause(local)
                case PlayAt():
                    one.player.play(local, output.moment)
                case Hold():
                    one.player.pause(local)
                    one.player.play(local, local + output.seconds)
                case SeekTo():
                    self._seek(one, output.position, local)
                case _:
                    one.notices.append(output.kind)
        if outputs:
            self._plan_player(one)
        self._plan_look(one)

    def _seek(self, one: Person, to: float, local: float) -> None:
        was = one.player.position(local)
        if to < was:
            told = one.viewer.timecode
            assert told is not None
            agreed = told.current_position + told.rate * max(0.0, self.server_now - seconds(told.at))
            error = self.clock_error(one) if self._knows_clock(one, told) else NEVER
            believed = one.viewer.line(local)  # a pause of their own is agreed where they stand, before all others know
            agreed = min(agreed, told.length, NEVER if believed is None else believed.position_at(local))
            self.moved_back.append(Moved(one.setup.name, self.now, was, to, agreed, abs(error)))
        ends = one.player.seek(to, local)
        one.seek += 1
        seek = one.seek

        def ended() -> None:
            if seek == one.seek:
                now = one.local(self.now)
                self._carry_out(one, one.viewer.sought(now, now - local, one.player.playhead(now)))

        self.at(one.true(ends) + HAIR, ended)

    def _knows_clock(self, one: Person, told: frames.TimecodeFrame) -> bool:
        return one.viewer.clock.ready and one.viewer.clock.clock_id == told.clock_id == self.clock_id

    def _plan_look(self, one: Person) -> None:
        one.wake += 1
        wake = one.wake
        moment = one.viewer.next_wake()
        if moment < NEVER:
            self.at(one.true(moment) + HAIR, lambda: self._look(one, wake))

    def _look(self, one: Person, wake: int) -> None:
        if wake == one.wake:
            local = one.local(self.now)
            self._carry_out(one, one.viewer.tick(local, one.player.playhead(local)))

    def _plan_player(self, one: Person) -> None:
        one.change += 1
        change = one.change
        moment = one.player.next_change(one.local(self.now))
        if moment < NEVER:
            self.at(one.true(moment) + HAIR, lambda: self._player_changed(one, change))

    def _player_changed(self, one: Person, change: int) -> None:
        if change != one.change:
            return
        local = one.local(self.now)
        for event in one.player.events(local):
            head = one.player.playhead(local)
            match event:
                case Stalled():
                    still = Playhead(event.position, event.at, 0.0) if head is None else head
                    self._carry_out(one, one.viewer.stalled(local, still))
                case Recovered():
                    self._carry_out(one, one.viewer.recovered(local, head))
                case _:
                    pass
        self._plan_player(one)


def _half_asymmetry(exchanges: list[tuple[float, float, float]], until: float) -> float:
    """Half the difference of the smallest delays there and back, of a minute's exchanges."""
    recent = [(there, back) for at, there, back in exchanges if until - WINDOW_SECONDS <= at <= until]
    if not recent:
        return NEVER
    return abs(min(there for there, _ in recent) - min(back for _, back in recent)) / 2
