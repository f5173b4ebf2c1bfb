"""One person's side of a session: what is sent when, and what the player is told, by hand-made time."""

from typing import Any

import pytest

from dateflicks.client.consent import Consent, ConsentSettings
from dateflicks.client.follower import Hold, Pause, PlayAt, SeekTo, Speed
from dateflicks.client.players.base import Playhead
from dateflicks.client.viewer import LEFT_BEHIND_SECONDS, PING_CLEARANCE_SECONDS, Notice, Output, Send, Viewer
from dateflicks.protocol import frames
from tests.client.scenes import CLOCK, ME, OTHER, SESSION, asked, participant, timecode

EPOCH = 5_000.0  # the server's clock when the client's is 0: a film told with `timecode` is at 100 s then
FREE = ConsentSettings.all(Consent.FREE)


class Seat:
    """A viewer, its player's place and its clock; what it sends is kept in `sent`, other outputs are returned."""

    def __init__(self, *, consent: ConsentSettings | None = None, knows_clock: bool = True) -> None:
        self.viewer = Viewer(SESSION, ME, is_host=True, consent=consent)
        self.now = 0.0
        self.position: float | None = 100.0
        self.rate = 1.0
        self.steady = True
        self.sent: list[frames.TimecodeClientFrame] = []
        self.viewer.opened(self.now)
        if knows_clock:
            for _ in range(10):
                self.pong()

    @property
    def head(self) -> Playhead | None:
        if self.position is None:
            return None
        return Playhead(self.position, self.now, self.rate, steady=self.steady)

    @property
    def reports(self) -> list[frames.Report]:
        return [frame for frame in self.sent if isinstance(frame, frames.Report)]

    @property
    def pings(self) -> list[frames.Ping]:
        return [frame for frame in self.sent if isinstance(frame, frames.Ping)]

    def takes(self, outputs: list[Output]) -> list[Output]:
        self.sent += [output.frame for output in outputs if isinstance(output, Send)]
        return [output for output in outputs if not isinstance(output, Send)]

    def pong(self, clock_id: str = CLOCK) -> None:
        stamp = (EPOCH + self.now) * 1_000
        self.hears(frames.Pong(t0=self.now, t1=stamp, t2=stamp, clock_id=clock_id))

    def hears(self, frame: frames.TimecodeServerFrame) -> list[Output]:
        return self.takes(self.viewer.received(frame, self.now, self.head))

    def told(self, revision: int = 1, **changes: Any) -> list[Output]:
        return self.hears(timecode(revision, **changes))

    def ticks(self) -> list[Output]:
        return self.takes(self.viewer.tick(self.now, self.head))

    def passes(self, seconds: float) -> list[Output]:
        """Time goes on, and the player with it; all that is due is done when it is due."""
        until, outputs = self.now + seconds, list[Output]()
        while (wake := self.viewer.next_wake()) <= until:
            self._goes_on(max(wake, self.now))
            outputs += self.ticks()
        self._goes_on(until)
        return outputs

    def _goes_on(self, moment: float) -> None:
        if self.position is not None:
            self.position += self.rate * (moment - self.now)
        self.now = moment


def in_step(**arguments: Any) -> Seat:
    """Somebody who has been watching for a while."""
    seat = Seat(**arguments)
    seat.told()
    seat.passes(10.0)
    seat.sent.clear()
    return seat


# --- the clock ------------------------------------------------------------------------------------------------------


def test_on_connecting_the_clock_is_measured_at_once_and_then_about_once_a_second() -> None:
    seat = Seat(knows_clock=False)
    assert seat.viewer.next_wake() <= 0.0
    seat.passes(2.0)
    assert len(seat.pings) == pytest.approx(11, abs=1)
    seat.sent.clear()
    seat.passes(30.0)
    assert len(seat.pings) == pytest.approx(30, abs=2)


def test_no_ping_comes_near_another_frame() -> None:
    seat = Seat()
    seat.told()
    times: list[tuple[float, bool]] = []
    while seat.now < 60.0:
        count = len(seat.sent)
        seat.now = max(seat.viewer.next_wake(), seat.now)
        seat.position = 100.0 + seat.now
        seat.ticks()
        times += [(seat.now, isinstance(frame, frames.Ping)) for frame in seat.sent[count:]]
    reports = [at for at, is_ping in times if not is_ping]
    for ping in (at for at, is_ping in times if is_ping):
        assert all(abs(ping - report) >= PING_CLEARANCE_SECONDS - 1e-9 for report in reports)


def test_another_clock_is_measured_in_a_burst() -> None:
    seat = in_step()
    seat.pong("clk_y")
    seat.passes(1.1)
    assert len(seat.pings) >= 10


@pytest.mark.parametrize("late", [0.0, 0.001, 0.05])
def test_reports_that_come_often_keep_no_clock_waiting_however_late_each_look_is(late: float) -> None:
    seat = Seat(knows_clock=False)
    seat.told()
    while seat.now < 2.5:
        seat._goes_on(seat.viewer.next_wake() + late)
        seat.ticks()
    assert len(seat.pings) >= 8
    assert seat.pings[0].t0 <= PING_CLEARANCE_SECONDS + 2 * late


def test_pings_are_spread_as_the_shell_wants() -> None:
    drawn: list[tuple[float, float]] = []

    def spread(low: float, high: float) -> float:
        drawn.append((low, high))
        return low

    viewer = Viewer(SESSION, ME, is_host=True, spread=spread)
    viewer.opened(0.0)
    for step in range(200):
        viewer.tick(step * 0.05, None)
    assert set(drawn) == {(0.7, 1.3)}


# --- reports --------------------------------------------------------------------------------------------------------


def test_who_connects_says_at_once_where_they_are_under_the_newest_revision() -> None:
    seat = Seat()
    seat.told(7)
    report = seat.reports[0]
    assert (report.session_id, report.is_host, report.revision, report.cause) == (SESSION, True, 7, "tick")
    assert (report.current_position, report.rate, report.status) == (100.0, 1.0, "play")
    assert report.sent_at == pytest.approx(EPOCH * 1_000)


def test_nothing_is_reported_before_the_state_is_known() -> None:
    seat = Seat()
    seat.passes(5.0)
    assert seat.reports == []


def test_without_a_clock_the_time_of_arrival_counts() -> None:
    seat = Seat(knows_clock=False)
    seat.told()
    assert seat.reports[0].sent_at is None


def test_reports_come_each_half_second_after_a_change_and_then_rarely() -> None:
    seat = Seat()
    seat.told()
    seat.passes(5.0)
    assert len(seat.reports) == pytest.approx(11, abs=1)
    seat.sent.clear()
    seat.passes(20.0)
    assert len(seat.reports) == pytest.approx(20 / 3, abs=1)


def test_who_is_not_in_step_reports_each_half_second() -> None:
    seat = in_step()
    assert seat.position is not None
    seat.position -= 0.030
    seat.passes(5.0)
    assert len(seat.reports) >= 9


def test_who_stands_beside_the_agreed_place_says_so_no_more_often_than_others() -> None:
    seat = in_step()
    seat.rate = 0.0
    seat.told(2, status="pause", rate=0.0, reason="pause", current_position=110.0 - 0.030)
    seat.passes(6.0)
    seat.sent.clear()
    seat.passes(20.0)
    assert len(seat.reports) == pytest.approx(20 / 3, abs=1)


def test_who_is_far_off_says_so_at_once() -> None:
    seat = in_step()
    assert seat.position is not None
    seat.position -= 0.5
    seat.passes(0.51)
    assert seat.reports


@pytest.mark.parametrize("cause", ["stall", "resume", "seek"])
def test_what_happens_to_the_player_is_said_at_once(cause: str) -> None:
    seat = in_step()
    match cause:
        case "stall":
            seat.takes(seat.viewer.stalled(seat.now, seat.head))
        case "resume":
            seat.takes(seat.viewer.recovered(seat.now, seat.head))
        case _:
            seat.takes(seat.viewer.sought(seat.now, 0.1, seat.head))
    assert [report.cause for report in seat.reports] == [cause]
    assert seat.reports[0].buffering is (True if cause == "stall" else None)


def test_the_length_is_said_until_it_is_known() -> None:
    seat = Seat()
    seat.viewer.length = 42.0
    seat.told(1, length=0.0)
    seat.told(2, length=42.0)
    seat.passes(1.0)
    assert [report.length for report in seat.reports][:2] == [42.0, None]


def test_the_own_word_is_what_the_service_last_heard() -> None:
    seat = Seat()
    people = {ME: participant("host", status="play"), OTHER: participant("guest", status="pause")}
    seat.told(1, status="pause", rate=0.0, participants=people)
    assert seat.reports[0].status == "play"


def test_without_a_player_nothing_is_said_of_it() -> None:
    seat = Seat()
    seat.position = None
    seat.told()
    assert seat.passes(3.0) == []
    assert seat.reports == []


def test_without_a_film_of_ones_own_a_wish_is_still_a_wish() -> None:
    seat = in_step()
    seat.position = None
    seat.takes(seat.viewer.ask("stop", seat.now, None))
    assert [(one.status, one.cause, one.current_position, one.rate) for one in seat.reports] == [
        ("stop", "user", 110.0, 0.0)
    ]


def test_a_shorter_copy_that_has_ended_stands_and_is_no_reason_to_go_back() -> None:
    seat = in_step()
    seat.viewer.length = 112.0
    assert seat.passes(1.9) == []
    seat.position, seat.rate = 112.0, 0.0
    seat.sent.clear()
    assert [output for output in seat.passes(30.0) if not isinstance(output, Pause)] == []
    assert 8 <= len(seat.reports) <= 22
    assert seat.reports[-1].rate == 0.0
    assert seat.reports[-1].current_position == pytest.approx(142.0, abs=3.1)
    outputs = seat.told(2, status="play", reason="resume", current_position=120.0, at=(EPOCH + seat.now) * 1_000)
    assert outputs == []
    outputs = seat.told(3, status="play", reason="seek", rate=0.0, current_position=50.0)
    assert seat.passes(0.5) + outputs == [SeekTo(50.0)]


# --- the line -------------------------------------------------------------------------------------------------------


def test_without_a_line_nothing_is_sent_and_nothing_but_the_player_wants_a_look() -> None:
    seat = in_step()
    seat.viewer.lost()
    assert seat.position is not None
    seat.position += 0.05
    assert isinstance(seat.passes(0.6)[0], Speed)
    for _ in range(20):
        seat.ticks()
        assert seat.viewer.next_wake() > seat.now
        seat._goes_on(seat.now + 0.5)
    assert seat.sent == []


def test_a_player_that_seeks_or_stalls_without_a_line_is_not_looked_at_without_end() -> None:
    seat = in_step()
    seat.viewer.lost()
    for outputs in (
        seat.viewer.sought(seat.now, 0.1, seat.head),
        seat.viewer.stalled(seat.now, seat.head),
        seat.viewer.recovered(seat.now, seat.head),
        seat.viewer.ask("play", seat.now, seat.head),
        seat.viewer.seek(5.0, seat.now),
        seat.viewer.refuse(seat.now),
    ):
        assert seat.takes(outputs) == []
    seat.ticks()
    seat._goes_on(seat.now + 10.0)
    seat.ticks()
    assert seat.viewer.next_wake() > seat.now
    assert seat.sent == []


def test_who_comes_back_reports_only_once_the_state_is_told() -> None:
    seat = in_step()
    seat.viewer.lost()
    seat.passes(6.0)
    seat.viewer.opened(seat.now)
    seat.passes(1.0)
    assert seat.reports == []
    seat.told(9)
    assert [report.revision for report in seat.reports] == [9]


def test_who_comes_back_behind_jumps_forward() -> None:
    seat = in_step()
    seat.viewer.lost()
    assert seat.position is not None
    seat.position -= 20.0
    assert not any(isinstance(output, SeekTo) for output in seat.passes(2.0))
    seat.viewer.opened(seat.now)
    assert any(isinstance(output, SeekTo) for output in seat.told(2))


def test_a_line_of_an_unknown_clock_brings_nobody_into_step() -> None:
    """The film was moved while this one was away: seen from the old line all is well, and it is not."""
    seat = in_step()
    seat.viewer.lost()
    seat.viewer.opened(seat.now)
    new = {"clock_id": "clk_y", "current_position": 200.0, "at": (EPOCH + seat.now) * 1_000}
    assert not any(isinstance(output, SeekTo) for output in seat.told(1_002, **new))
    seat.passes(1.0)
    assert seat.viewer.may_jump
    for _ in range(4):
        seat.pong("clk_y")
    assert any(isinstance(output, SeekTo) for output in seat.passes(0.6))


def test_an_older_state_is_passed_over() -> None:
    seat = in_step()
    seat.told(5, current_position=130.0)
    seat.told(4, current_position=10.0)
    assert seat.viewer.timecode is not None
    assert seat.viewer.timecode.revision == 5


def test_the_film_is_laid_on_the_own_clock() -> None:
    seat = Seat()
    assert seat.viewer.line(seat.now) is None
    assert seat.viewer.error(seat.now, seat.head) is None
    seat.told()
    line = seat.viewer.line(3.0)
    assert line is not None
    assert line.position_at(3.0) == pytest.approx(103.0)
    assert seat.viewer.error(seat.now, seat.head) == pytest.approx(0.0, abs=1e-6)
    assert seat.viewer.error(seat.now, None) is None


# --- the player -----------------------------------------------------------------------------------------------------


def test_a_pause_of_another_pauses_and_brings_to_the_same_frame() -> None:
    seat = in_step()
    assert seat.told(2, reason="pause", status="pause", rate=0.0, current_position=109.0) == [Pause()]
    seat.rate = 0.0
    assert seat.passes(0.2) == [SeekTo(109.0)]


def test_a_start_is_cued() -> None:
    seat = Seat()
    seat.rate = 0.0
    seat.told(1, status="pause", rate=0.0)
    start = seat.told(2, at=(EPOCH + seat.now + 0.4) * 1_000)
    assert isinstance(start[0], PlayAt)
    assert start[0].moment == pytest.approx(seat.now + 0.4)


def test_who_joins_late_jumps_until_in_step_and_then_no_more() -> None:
    seat = Seat()
    seat.position = 20.0
    assert any(isinstance(output, SeekTo) for output in seat.told())
    seat.position = 100.0
    seat.takes(seat.viewer.sought(seat.now, 0.1, seat.head))
    seat.passes(1.0)
    assert not seat.viewer.may_jump
    seat.position -= 5.0
    assert not any(isinstance(output, SeekTo) for output in seat.passes(LEFT_BEHIND_SECONDS - 1.0))


def test_who_is_left_behind_for_longer_than_the_service_takes_catches_up() -> None:
    seat = in_step()
    assert seat.position is not None
    seat.position -= 5.0
    moves = seat.passes(LEFT_BEHIND_SECONDS + 1.0)
    assert any(isinstance(output, SeekTo) for output in moves)


@pytest.mark.parametrize("why", ["excused", "restored", "refused", "seek"])
def test_who_is_behind_may_jump_when_the_rules_say_so(why: str) -> None:
    seat = in_step()
    people = {ME: participant("host", excused=why == "excused"), OTHER: participant("guest")}
    assert seat.position is not None
    seat.position -= 5.0
    outputs = seat.told(2, reason="resume" if why == "excused" else why, participants=people)
    assert any(isinstance(output, SeekTo) for output in outputs)


def test_a_stalled_player_is_left_alone_until_it_can_go_on() -> None:
    seat = in_step()
    seat.takes(seat.viewer.stalled(seat.now, seat.head))
    seat.rate = 0.0
    assert seat.passes(3.0) == []
    assert seat.told(2, reason="wait", rate=0.0, waiting_for=[ME]) == [Pause()]
    seat.takes(seat.viewer.recovered(seat.now, seat.head))
    assert isinstance(seat.told(3, at=(EPOCH + seat.now + 0.3) * 1_000)[0], PlayAt | SeekTo)


def test_in_a_wait_nobody_is_moved_to_the_frame() -> None:
    seat = in_step()
    seat.told(2, reason="wait", rate=0.0, waiting_for=[OTHER], current_position=109.0)
    seat.rate = 0.0
    assert seat.passes(2.0) == []


def test_a_new_player_has_been_asked_for_nothing() -> None:
    seat = in_step()
    seat.viewer.follower.refused_speed()
    seat.viewer.player_replaced()
    assert seat.viewer.follower.steers
    assert seat.viewer.may_jump


def test_a_player_that_runs_ahead_is_held() -> None:
    seat = in_step()
    assert seat.position is not None
    seat.position += 0.5
    assert any(isinstance(output, Hold) for output in seat.passes(0.6))


# --- what its person does -------------------------------------------------------------------------------------------


def test_an_own_pause_stands_at_once_and_is_asked_for() -> None:
    seat = in_step()
    where = seat.position
    assert seat.takes(seat.viewer.ask("pause", seat.now, seat.head)) == [Pause()]
    report = seat.reports[0]
    assert (report.cause, report.status, report.rate) == ("user", "pause", 0.0)
    assert report.current_position == pytest.approx(where)


def test_an_own_pause_is_not_undone_by_what_was_under_way() -> None:
    seat = in_step()
    seat.takes(seat.viewer.ask("pause", seat.now, seat.head))
    seat.rate = 0.0
    assert seat.told(2, reason="join") == []
    assert seat.passes(0.5) == []


def test_an_own_pause_that_nobody_confirms_is_not_kept_for_ever() -> None:
    seat = in_step()
    seat.takes(seat.viewer.ask("pause", seat.now, seat.head))
    seat.rate = 0.0
    seat.passes(2.0)
    outputs = seat.told(2, reason="join")
    assert any(isinstance(output, PlayAt) for output in outputs)


def test_an_act_that_was_overtaken_is_asked_again_under_the_newest_state() -> None:
    seat = in_step()
    seat.takes(seat.viewer.ask("pause", seat.now, seat.head))
    seat.told(2, reason="join")
    seat.hears(frames.ErrorFrame(code="stale", detail="The state has changed meanwhile."))
    assert [(report.status, report.revision) for report in seat.reports if report.cause == "user"] == [
        ("pause", 1),
        ("pause", 2),
    ]


def test_a_move_to_where_the_film_has_just_gone_is_not_refused_in_silence() -> None:
    seat = in_step()
    stale = frames.ErrorFrame(code="stale", detail="That move is no longer asked for.", reply_to="seek")
    assert seat.hears(stale) == []
    seat.takes(seat.viewer.seek(30.0, seat.now))
    (notice,) = seat.hears(stale)
    assert isinstance(notice, Notice)
    assert notice.kind == "error"


def test_an_overtaken_act_is_asked_again_on_a_slow_line_too() -> None:
    seat = Seat(knows_clock=False)
    for _ in range(5):
        stamp = (EPOCH + seat.now + 1.0) * 1_000
        seat.now += 2.0
        seat.hears(frames.Pong(t0=seat.now - 2.0, t1=stamp, t2=stamp, clock_id=CLOCK))
    seat.told()
    seat.sent.clear()
    seat.takes(seat.viewer.ask("pause", seat.now, seat.head))
    seat.now += 2.1
    seat.hears(frames.ErrorFrame(code="stale", detail="The state has changed meanwhile."))
    assert [report.status for report in seat.reports] == ["pause", "pause"]


def test_an_act_that_is_refused_for_another_reason_is_told() -> None:
    seat = in_step()
    seat.takes(seat.viewer.ask("play", seat.now, seat.head))
    assert seat.hears(frames.ErrorFrame(code="invalid", detail="No.")) == [Notice("error", "No.")]
    assert seat.hears(frames.ErrorFrame(code="nothing-pending", detail="Nothing is pending.")) == []


def test_moves_and_refusals_are_sent_as_they_are() -> None:
    seat = in_step()
    seat.takes(seat.viewer.seek(-4.0, seat.now))
    seat.takes(seat.viewer.refuse(seat.now))
    assert seat.sent == [frames.Seek(to=0.0), frames.Refuse()]


# --- consent --------------------------------------------------------------------------------------------------------


def test_what_its_person_would_be_asked_is_shown_once() -> None:
    seat = in_step(consent=ConsentSettings.all(Consent.ASK))
    change = {"reason": "play", "status": "pause", "rate": 0.0, "pending": asked("play")}
    assert Notice("asked", "asks for play", OTHER) in seat.told(2, **change)
    assert not any(isinstance(output, Notice) for output in seat.told(2, **change))
    assert [report.cause for report in seat.reports if report.cause == "user"] == []


@pytest.mark.parametrize(("consent", "notices"), [(Consent.TELL, 1), (Consent.FREE, 0)])
def test_what_may_be_agreed_to_is_agreed_to_at_once(consent: Consent, notices: int) -> None:
    seat = in_step(consent=ConsentSettings.all(consent))
    outputs = seat.told(2, reason="pause", status="pause", rate=0.0, pending=asked("pause"))
    assert sum(isinstance(output, Notice) for output in outputs) == notices
    assert [(report.status, report.revision) for report in seat.reports if report.cause == "user"] == [("pause", 2)]
    seat.told(2, reason="pause", status="pause", rate=0.0, pending=asked("pause"))
    assert sum(report.cause == "user" for report in seat.reports) == 1


def test_a_move_is_agreed_to_by_asking_the_same() -> None:
    seat = in_step(consent=FREE)
    seat.told(2, reason="seek", pending=asked(600.0))
    assert [frame for frame in seat.sent if isinstance(frame, frames.Seek)] == [frames.Seek(to=600.0)]


def test_an_agreement_that_came_late_is_made_again_if_it_is_still_asked_for() -> None:
    seat = in_step(consent=FREE)
    seat.told(2, reason="play", pending=asked("play"))
    seat.told(3, reason="join", pending=asked("play"))
    seat.hears(frames.ErrorFrame(code="stale", detail="The state has changed meanwhile."))
    assert [report.revision for report in seat.reports if report.cause == "user"] == [2, 3]
    seat.told(4, reason="refused")
    seat.hears(frames.ErrorFrame(code="stale", detail="The state has changed meanwhile."))
    assert sum(report.cause == "user" for report in seat.reports) == 2


def test_ones_own_wish_is_not_agreed_to_by_oneself() -> None:
    seat = in_step(consent=FREE)
    assert seat.told(2, reason="seek", pending=asked(600.0, by=ME)) == []
    assert not any(isinstance(frame, frames.Seek) for frame in seat.sent)
