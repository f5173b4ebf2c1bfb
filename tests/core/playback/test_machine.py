"""Whatever up to eight people, their lines and the clock do in any order, what is promised of playback holds."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from dateflicks.core import limits
from dateflicks.core.errors import RuleError
from dateflicks.core.playback import (
    Cause,
    Change,
    OnLeave,
    PlaybackControl,
    PlaybackRules,
    PlaybackStatus,
    Reason,
    Role,
    SeekChange,
    Status,
    StatusChange,
    TimecodeEvent,
    TimecodeRequest,
    Timeline,
)
from dateflicks.core.playback.control import Events
from tests.conftest import examples
from tests.core.playback.scene import EVENING, PARTY, SESSION, member

Step = tuple[str, float, tuple[Any, ...]]  # what was called, when, with what

HAIR = 1e-6  # of film: what sums of floats may differ by

people = st.integers(0, len(PARTY) - 1)
statuses = st.sampled_from(Status)
distances = st.sampled_from([0.0, 0.0, 0.0, 0.01, -0.1, 0.1, -0.2, 0.2, -0.6, 0.9, -3.0, 4.0, -8.0, -30.0])
delays = st.sampled_from([None, None, 0.0, 0.02, 0.3, 1.9, 4.5, -1.0])
spans = st.sampled_from([0.0, 0.01, 0.25, 0.5, 0.5, 0.75, 1.0, 2.0, 4.0, 10.0, 31.0, 59.5, 60.0, 61.0])

MOVES_THE_FILM = {
    Reason.PLAY,
    Reason.PAUSE,
    Reason.STOP,
    Reason.MINIMUM,
    Reason.WAIT,
    Reason.RESUME,
    Reason.LEAVE,
    Reason.RESTORED,
    Reason.REFUSED,
}


def carried_out(control: PlaybackControl, step: Step) -> tuple[PlaybackControl, Events]:
    """The same call on any control: what the tests do, and what the replay does again."""
    name, now, arguments = step
    if name == "restart":
        (kept_at,) = arguments
        return PlaybackControl.from_record(control.to_record(kept_at), now, control.state.rules), ()
    if name == "measured_one_way":
        control.measured_one_way(*arguments)
        return control, ()
    try:
        events: Events = getattr(control, name)(*arguments, now)
    except RuleError:
        return control, ()
    return control, events


class Evening(RuleBasedStateMachine):
    """One playback, the people who know of it, and everything that was ever said."""

    control: PlaybackControl

    def __init__(self) -> None:
        super().__init__()
        self.now = EVENING
        self.users: tuple[str, ...] = ()
        self.steps: list[Step] = []
        self.told: list[TimecodeEvent] = []
        self.said: list[TimecodeRequest] = []
        self.told_revision = -1

    @initialize(
        count=st.integers(1, len(PARTY)),
        length=st.sampled_from([0.0, 45.0, 7_200.0, 7_200.0]),
        on_leave=st.sampled_from(OnLeave),
        begun=st.booleans(),
    )
    def begin(self, count: int, length: float, on_leave: OnLeave, begun: bool) -> None:
        self.length, self.deployment = length, PlaybackRules(on_leave=on_leave)
        self.control = PlaybackControl(SESSION, length, self.now, self.deployment)
        self.users = PARTY[:count]
        if begun:
            for user in self.users:
                self.say("join", member(user))
            self.all_agree(Status.PLAY)
            self.pass_time(0.5)
            self.all_follow()

    # --- what happens -------------------------------------------------------------------------------------------

    @rule(who=people)
    def join(self, who: int) -> None:
        line = self.settled_line()
        events = self.say("join", member(self.user(who)))
        if all(event.reason is not Reason.END for event in events):
            assert self.control.state.timeline == line, "who comes moves nobody"

    @rule(who=people)
    def leave(self, who: int) -> None:
        self.say("leave", self.user(who))

    @rule(
        who=people,
        off=distances,
        delay=delays,
        rate=st.sampled_from([None, None, 0.0, 1.0, 0.97]),
        buffering=st.sampled_from([False, False, True]),
        status=st.sampled_from([None, None, *Status]),
        cause=st.sampled_from([None, *Cause]),
        knows=st.sampled_from([0, 0, 0, 1, None]),
    )
    def report(
        self,
        who: int,
        off: float,
        delay: float | None,
        rate: float | None,
        buffering: bool,
        status: Status | None,
        cause: Cause | None,
        knows: int | None,
    ) -> None:
        user, state = self.present_user(who), self.control.state
        sent_at = None if delay is None else self.now - delay
        request = TimecodeRequest(
            session_id=SESSION,
            user_id=user,
            current_position=max(0.0, state.timeline.position_at(self.now if sent_at is None else sent_at) + off),
            status=state.status.word(user) if status is None else status,
            is_host=user == "host",
            sent_at=sent_at,
            revision=None if knows is None else max(0, state.revision - knows),
            rate=rate,
            buffering=buffering,
            cause=cause,
        )
        self.receive(request)

    @rule(which=st.integers(0, 200))
    def hear_again(self, which: int) -> None:
        """An old report comes again, or so late that newer ones were faster."""
        assume(self.said)
        request = self.said[which % len(self.said)]
        assume(request.user_id in self.present())
        self.say("receive", request)

    @rule(who=people, status=statuses)
    def act(self, who: int, status: Status) -> None:
        self.receive(self.request(self.present_user(who), status, Cause.USER))

    @rule()
    def all_follow(self) -> None:
        """Everybody who is there is where the film is."""
        for user in self.present():
            self.receive(self.request(user, self.control.state.status.word(user), Cause.TICK))

    @rule(who=people, off=distances, ticks=st.integers(1, 14), stalls=st.sampled_from([False, False, True]))
    def watch(self, who: int, off: float, ticks: int, stalls: bool) -> None:
        """All follow but one, who stays as far off as said, or whose player stands."""
        other = self.present_user(who)
        for _ in range(ticks):
            self.pass_time(0.5)
            for user in self.present():
                request = self.request(user, self.control.state.status.word(user), Cause.TICK)
                if user == other:
                    place = max(0.0, request.current_position + off)
                    request = replace(request, current_position=place, buffering=stalls)
                self.receive(request)

    @rule(status=statuses)
    def all_agree(self, status: Status) -> None:
        for user in self.present():
            self.receive(self.request(user, status, Cause.USER))

    @rule(who=people, to=st.sampled_from([0.0, 0.4, 30.0, 30.4, 31.0, 5_000.0, 90_000.0]))
    def seek(self, who: int, to: float) -> None:
        self.say("seek", self.present_user(who), to)

    @rule()
    def agree_to_the_move(self) -> None:
        pending = self.control.state.status.pending
        assume(isinstance(pending, SeekChange))
        assert isinstance(pending, SeekChange)
        for user in self.present():
            self.say("seek", user, pending.target)

    @rule(who=people)
    def refuse(self, who: int) -> None:
        self.say("refuse", self.present_user(who))

    @rule(length=st.sampled_from([40.0, 7_200.0]))
    @precondition(lambda self: len(self.steps) % 5 == 0)
    def correct_the_length(self, length: float) -> None:
        self.say("set_length", length)

    @rule(who=people, seconds=st.sampled_from([0.0, 0.02, 0.4, 3.0]))
    def measure(self, who: int, seconds: float) -> None:
        assume(self.user(who) in self.control.state.participants)
        self.carry_out("measured_one_way", self.user(who), seconds)

    @rule(seconds=spans)
    def pass_time(self, seconds: float) -> None:
        """Time passes; what is due happens at its instant and not before."""
        until = self.now + seconds
        while (wake := self.control.next_wake()) is not None and wake <= until:
            due, started = self.control.state.status.pending, self.now
            self.now = max(self.now, wake)
            self.advance()
            if due is not None and self.control.state.status.pending is None and due.deadline >= started:
                assert self.now <= due.deadline, "a deadline is carried out at its instant"
        self.now = until

    @rule(outage=st.sampled_from([0.1, 3.0, 20.0, 90.0, 4_000.0]), unkept=st.sampled_from([0.0, 0.0, 4.0]))
    @precondition(lambda self: len(self.steps) % 3 == 0)
    def restart(self, outage: float, unkept: float) -> None:
        """The service dies, and is back from a record that may be a little old."""
        film, moves = self.control.state.timeline.position_at(self.now), self.control.state.status.value.moves
        kept_at = max(EVENING, self.now - unkept)
        self.now += outage
        self.carry_out("restart", kept_at)
        after = self.control.state.timeline.position_at(self.now)
        if moves:
            assert film - 4.0 - HAIR <= after <= film + outage + 4.0 + HAIR
        else:
            assert after == film, "a film that stands is found where it stood"

    # --- what must be so whatever happens -----------------------------------------------------------------------

    @invariant()
    def the_state_makes_sense(self) -> None:
        state = self.control.state
        status, wait, line = state.status, state.wait, state.timeline
        assert 0.0 <= line.position_at(self.now) <= state.position.length
        assert line.rate in (0.0, 1.0)
        assert not state.told, "what happened was told"
        if isinstance(status.pending, StatusChange):
            assert status.pending.origin is status.settled
            assert status.pending.target is not status.settled
            assert status.pending.awaited
            assert status.pending.by not in status.pending.awaited
        else:
            assert status.value is status.settled
        if status.value.moves:
            assert (line.rate == 1.0) == (wait is None and not state.recovering)
        else:
            assert (line.rate, wait, state.recovering) == (0.0, None, False)

    @invariant()
    def nobody_wakes_for_nothing(self) -> None:
        if self.steps and self.steps[-1][0] == "restart":
            return  # what ran out meanwhile is due
        self.advance()
        assert self.carry_out("advance") == (), "doing what is due twice is doing it once"
        wake = self.control.next_wake()
        assert wake is None or wake > self.now
        pending = self.control.state.status.pending
        assert pending is None or pending.deadline > self.now

    def teardown(self) -> None:
        """The same inputs give the same outputs, and leave the same state."""
        if not self.steps:
            return
        control = PlaybackControl(SESSION, self.length, EVENING, self.deployment)
        told: list[TimecodeEvent] = []
        for step in self.steps:
            control, events = carried_out(control, step)
            told.extend(events)
        assert told == self.told
        assert control.state == self.control.state

    # --- inside -------------------------------------------------------------------------------------------------

    def user(self, who: int) -> str:
        return self.users[who % len(self.users)]

    def present_user(self, who: int) -> str:
        """One who is there: nobody else has a connection to speak on."""
        present = self.present()
        assume(present)
        return present[who % len(present)]

    def present(self) -> list[str]:
        return [one.member.user_id for one in self.control.state.present()]

    def request(self, user: str, status: Status, cause: Cause) -> TimecodeRequest:
        state = self.control.state
        return TimecodeRequest(
            session_id=SESSION,
            user_id=user,
            current_position=state.timeline.position_at(self.now),
            status=status,
            is_host=user == "host",
            revision=state.revision,
            cause=cause,
        )

    def settled_line(self) -> Timeline:
        self.advance()
        return self.control.state.timeline

    def receive(self, request: TimecodeRequest) -> None:
        """Hand in a report, and compare what comes of it with the table of consent."""
        self.advance()
        if request.revision is not None and request.cause is Cause.USER:
            current = request.revision == self.control.state.revision
        else:
            current = request.revision in (None, self.control.state.revision)
        before, known = self.control.state.status, request.user_id in self.control.state.participants
        acts = request.cause is Cause.USER or (
            request.cause is None and request.status is not before.word(request.user_id)
        )
        expected = self.consent(before, request.user_id, request.status) if acts and current and known else before
        events = self.say("receive", request)
        self.said.append(request)
        if any(event.reason is Reason.END or _found_paused(event) for event in events):
            return
        after = self.control.state.status
        assert (after.value, after.settled, _core(after.pending)) == (
            expected.value,
            expected.settled,
            _core(expected.pending),
        )
        if after.pending is None and before.pending is not None:
            assert set(after.words.values()) <= {after.value}, "at a settlement all words become the status in force"

    def consent(self, before: PlaybackStatus, user: str, to: Status) -> PlaybackStatus:
        """The rule of a participant's word, told a second time."""
        pending = before.pending
        if isinstance(pending, StatusChange):
            if to is pending.target:
                left = pending.awaited - {user}
                if left:
                    agreed = StatusChange(pending.by, pending.origin, to, pending.deadline, left)
                    return PlaybackStatus(before.value, before.settled, pending=agreed)
                return PlaybackStatus(to, to)
            if to is pending.origin:
                return PlaybackStatus(before.settled, before.settled)
        elif to is before.value:
            return before
        roles = {one.role for one in self.control.state.participants.values()}
        awaited = {one for one in self.present() if one != user} | {f"?{role}" for role in Role if role not in roles}
        if not awaited:
            return PlaybackStatus(to, to)
        value = before.value if to is Status.PLAY else to
        change = StatusChange(user, before.settled, to, self.now + limits.CONFIRM_SECONDS, frozenset(awaited))
        return PlaybackStatus(value, before.settled, pending=change)

    def say(self, name: str, *arguments: Any) -> Events:
        """What time has brought comes first, so that what was said stands alone."""
        self.advance()
        return self.carry_out(name, *arguments)

    def advance(self) -> None:
        before = self.control.state.status
        events = self.carry_out("advance")
        after, reasons = self.control.state.status, [event.reason for event in events]
        if before.pending is None:
            assert after.pending is None, "time asks nobody anything"
        elif self.now >= before.pending.deadline:
            assert after.pending is None
            assert reasons[0] is Reason.RESTORED
            assert events[0].status is before.settled
        elif after.pending is None:
            assert Reason.END in reasons or any(_found_paused(event) for event in events)
        else:
            assert after.pending == before.pending, "nothing happens to a question before its deadline"

    def carry_out(self, name: str, *arguments: Any) -> Events:
        before = self.control.state
        revision, line, recovering = before.revision, before.timeline, before.recovering
        asker = before.status.pending.by if before.status.pending else None
        step = (name, self.now, arguments)
        self.steps.append(step)
        self.control, events = carried_out(self.control, step)
        self.told.extend(events)
        for event in events:
            assert event.revision > self.told_revision, "a revision is told once and only grows"
            self.told_revision = event.revision
            assert event.current_position <= event.length
            assert not (event.waiting_for and event.rate), "a film that waits stands"
        moved = self.control.state.timeline
        if moved != line and not recovering and any(event.reason in MOVES_THE_FILM for event in events):
            if moved.rate and moved.at > self.now:
                self.check_start(revision)
            elif line.moves_at(self.now):
                self.check_anchor(revision, asker)
        return events

    def check_anchor(self, revision: int, asker: str | None) -> None:
        """A new timeline does not lie above anybody who counted when it was made."""
        state = self.control.state
        if state.timeline.position >= state.position.length or (state.wait is not None and state.wait.why == "seek"):
            return  # the film's end, and a move that all agreed to, are where they are
        for user, one in state.participants.items():
            place = state.position.of(user, self.now)
            if user != asker and place is not None and one.counted(self.now, revision):
                assert state.timeline.position <= place + HAIR, f"{user} was left behind"

    def check_start(self, revision: int) -> None:
        """A start does not lie above anybody who stood with the others when it was made."""
        state = self.control.state
        for user, one in state.participants.items():
            place = state.position.of(user, self.now)
            if place is not None and one.stands_with_us(self.now, revision):
                assert state.timeline.position <= place + HAIR, f"{user} is not there yet"


def _core(change: Change | None) -> tuple[object, ...] | None:
    return None if change is None else (change.by, change.origin, change.target, change.deadline, change.awaited)


def _found_paused(event: TimecodeEvent) -> bool:
    """Those who came back to an unknown position all stood: the film was taken to be paused."""
    return event.reason is Reason.PAUSE and event.by is None


Evening.TestCase.settings = settings(
    max_examples=examples(100),
    stateful_step_count=50,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)

TestEvening = pytest.mark.slow(pytest.mark.timeout(300)(Evening.TestCase))
