"""What is told of people's deeds: each once, at the moment it takes effect, and nothing of what nobody did."""

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dateflicks.core.errors import Conflict, RuleError
from dateflicks.core.playback import Cause, Chronicle, Deed, Line, PlaybackControl, PlaybackRules, Status
from dateflicks.core.playback.chronicle import RETURN_SECONDS
from dateflicks.core.playback.control import Events
from tests.core.playback.scene import LENGTH, SESSION, Scene, refused

PLAY, PAUSE, STOP = Status.PLAY, Status.PAUSE, Status.STOP


class Told(Scene):
    """A scene of which the lines are kept: `lines` is everything that was told of it, oldest first."""

    def __init__(self, *users: str, length: float = LENGTH, rules: PlaybackRules | None = None) -> None:
        self.lines: list[Line] = []
        self.chronicle: Chronicle | None = None
        super().__init__(length=length, rules=rules)
        self.chronicle = Chronicle(self.event)
        self.join(*users)

    @classmethod
    def playing(
        cls, *users: str, at: float = 0.0, length: float = LENGTH, rules: PlaybackRules | None = None
    ) -> "Told":
        scene = super().playing(*users, at=at, length=length, rules=rules)
        assert isinstance(scene, Told)
        scene.lines.clear()
        return scene

    @property
    def deeds(self) -> list[tuple[Deed, str | None]]:
        return [(line.deed, line.by) for line in self.lines]

    @property
    def only(self) -> Line:
        assert len(self.lines) == 1, self.lines
        return self.lines[0]

    def news(self) -> list[tuple[Deed, str | None]]:
        """What was told since the last look."""
        found = self.deeds
        self.lines.clear()
        return found

    def look(self) -> None:
        """What the service does now and then, though nothing happens."""
        assert self.chronicle is not None
        self.lines.extend(self.chronicle.lines(self.event))

    def restart(self, after: float = 1.0) -> None:
        present = self.control.to_record(self.now).present
        super().restart(after)
        self.chronicle = Chronicle(self.event, present, self.now + RETURN_SECONDS)

    def _hear(self, events: Events) -> None:
        super()._hear(events)
        for event in events:
            if self.chronicle is not None:
                self.lines.extend(self.chronicle.lines(event))


# --- stillness --------------------------------------------------------------------------------------------------------


def test_a_pause_is_told_when_it_is_asked_and_not_again_when_it_is_confirmed() -> None:
    scene = Told.playing("host", "guest", at=100.0)
    scene.wait(5)
    here = scene.film
    scene.act("host", PAUSE)
    line = scene.only
    assert (line.deed, line.by, line.name, line.to) == (Deed.PAUSED, "host", "Host", None)
    assert line.position == pytest.approx(here)
    assert (line.session_id, line.revision) == (SESSION, scene.line.revision)
    scene.act("guest", PAUSE)
    assert scene.line.pending is None
    assert scene.only is line


def test_a_pause_that_is_refused_is_told_as_the_films_going_on_by_whoever_refused() -> None:
    scene = Told.playing("host", "guest")
    scene.act("host", PAUSE)
    scene.act("guest", PLAY)
    assert scene.news() == [(Deed.PAUSED, "host"), (Deed.RESUMED, "guest")]
    scene.act("guest", PAUSE)
    scene.refuse("guest")  # takes it back
    assert scene.news() == [(Deed.PAUSED, "guest"), (Deed.RESUMED, "guest")]


def test_a_pause_that_nobody_answers_ends_after_a_minute_by_nobody() -> None:
    scene = Told.playing("host", "guest")
    scene.act("host", PAUSE)
    scene.wait(59.9)
    assert scene.news() == [(Deed.PAUSED, "host")]
    scene.wait(0.2)
    line = scene.only
    assert (line.deed, line.by, line.name) == (Deed.RESUMED, None, None)


def test_another_stillness_in_answer_to_a_pause_is_told_of_whoever_asked_for_it() -> None:
    scene = Told.playing("host", "guest")
    scene.act("host", PAUSE)
    scene.act("guest", STOP)
    scene.act("host", STOP)
    assert scene.news() == [(Deed.PAUSED, "host"), (Deed.STOPPED, "guest")]


def test_asking_again_for_what_is_so_is_told_once() -> None:
    scene = Told.playing("host", "guest")
    for _ in range(3):
        scene.act("host", PAUSE)
    assert scene.news() == [(Deed.PAUSED, "host")]


# --- motion -----------------------------------------------------------------------------------------------------------


def test_play_is_told_when_all_agreed_and_of_whoever_asked() -> None:
    scene = Told("host", "guest", "third")
    scene.lines.clear()
    scene.seek_together("host", "guest", "third", to=90.0)
    scene.lines.clear()
    scene.act("host", PLAY)
    scene.act("third", PLAY)
    assert scene.lines == []
    scene.act("guest", PLAY)
    line = scene.only
    assert (line.deed, line.by, line.position) == (Deed.RESUMED, "host", 90.0)


@pytest.mark.parametrize("answer", ["refuse", "silence"])
def test_play_that_is_not_agreed_to_is_not_told(answer: str) -> None:
    scene = Told("host", "guest")
    scene.lines.clear()
    scene.act("host", PLAY)
    if answer == "refuse":
        scene.act("guest", STOP)
    scene.wait(61)
    assert scene.event.status is STOP
    assert scene.lines == []


def test_play_with_nobody_to_ask_is_told_of_whoever_wants_it() -> None:
    scene = Told("host", "guest")
    scene.leave("guest")
    scene.lines.clear()
    scene.act("host", PLAY)
    assert scene.news() == [(Deed.RESUMED, "host")]


# --- moves ------------------------------------------------------------------------------------------------------------


def test_a_move_is_told_when_all_agreed_with_where_the_film_was_and_where_it_went() -> None:
    scene = Told.playing("host", "guest", at=100.0)
    scene.seek("guest", 2_460.0)
    assert scene.lines == []
    scene.run(4, host=0, guest=0)
    here = scene.film
    scene.seek("host", 2_460.2)
    line = scene.only
    assert (line.deed, line.by, line.name, line.to) == (Deed.SEEKED, "guest", "Guest", 2_460.0)
    assert line.position == pytest.approx(here)
    scene.wait(10)  # the film goes on from there, by nobody
    assert scene.only is line


@pytest.mark.parametrize("answer", ["refuse", "silence", "status"])
def test_a_move_that_is_not_agreed_to_is_not_told(answer: str) -> None:
    scene = Told.playing("host", "guest", at=100.0)
    scene.seek("guest", 2_460.0)
    if answer == "refuse":
        scene.refuse("host")
    if answer == "status":
        scene.act("host", PAUSE)
    scene.run(61, host=0, guest=0)
    assert Deed.SEEKED not in {line.deed for line in scene.lines}


def test_a_move_in_place_of_another_is_the_one_that_is_told() -> None:
    scene = Told("host", "guest")
    scene.lines.clear()
    scene.seek("host", 100.0)
    scene.seek("guest", 200.0)
    scene.seek("host", 200.0)
    assert [(line.by, line.position, line.to) for line in scene.lines] == [("guest", 0.0, 200.0)]


def test_a_move_with_nobody_to_ask_is_told_at_once_and_each_one_tells_where_from() -> None:
    scene = Told("host", "guest")
    scene.leave("guest")
    scene.lines.clear()
    scene.seek("host", 100.0)
    scene.seek("host", LENGTH + 500.0)
    assert [(line.by, line.position, line.to) for line in scene.lines] == [
        ("host", 0.0, 100.0),
        ("host", 100.0, LENGTH),
    ]


# --- coming and going -------------------------------------------------------------------------------------------------


def test_who_comes_leaves_and_comes_back_is_told_each_time_with_where_the_film_is() -> None:
    scene = Told.playing("host", "guest", at=100.0)
    scene.wait(3)
    scene.leave("guest")
    scene.leave("guest")
    assert scene.only.position == pytest.approx(scene.film)
    scene.join("guest")
    scene.join("third")
    assert scene.news() == [(Deed.LEFT, "guest"), (Deed.JOINED, "guest"), (Deed.JOINED, "third")]


def test_another_player_of_somebody_who_is_there_is_nobody_who_comes() -> None:
    scene = Told.playing("host", "guest")
    scene._hear(scene.control.change_player("guest", scene.now))
    scene.join("guest")
    assert scene.lines == []


def test_an_excuse_that_ends_is_nobody_who_comes() -> None:
    scene = Told.playing("host", "guest", "third", rules=PlaybackRules(wait_seconds=2.0))
    scene.report("guest", buffering=True, cause=Cause.STALL)
    scene.run(40, host=0, third=0)
    assert "join" in scene.reasons
    assert scene.lines == []


# --- what nobody did --------------------------------------------------------------------------------------------------


def test_waits_the_minimum_rule_and_reports_are_not_told() -> None:
    scene = Told.playing("host", "guest", at=100.0)
    scene.run(8, host=0, guest=-0.4)
    scene.report("guest", buffering=True, cause=Cause.STALL)
    scene.run(3, host=0)
    scene.run(5, host=0, guest=0)
    assert {"minimum", "wait", "resume"} <= set(scene.reasons)
    assert scene.lines == []


def test_the_end_of_the_film_is_not_told_and_what_follows_is() -> None:
    scene = Told.playing("host", "guest", at=100.0, length=110.0)
    scene.run(12, host=0, guest=0)
    assert scene.event.status is STOP
    assert scene.lines == []
    scene.seek_together("host", "guest", to=0.0)
    scene.agree(PLAY, "guest", "host")
    assert scene.news() == [(Deed.SEEKED, "host"), (Deed.RESUMED, "guest")]


def test_a_corrected_length_and_what_is_refused_are_not_told() -> None:
    scene = Told.playing("host", "guest")
    scene.set_length(LENGTH + 1)
    refused(lambda: scene.refuse("host"), Conflict)
    assert scene.lines == []


# --- after the service was away ---------------------------------------------------------------------------------------


def test_who_was_there_and_comes_back_after_a_restart_has_neither_left_nor_joined() -> None:
    scene = Told.playing("host", "guest")
    scene.restart()
    scene.join("host", "guest")
    scene.run(70, host=0, guest=0)
    assert scene.lines == []
    scene.leave("guest")
    scene.join("third")
    assert scene.news() == [(Deed.LEFT, "guest"), (Deed.JOINED, "third")]


def test_who_does_not_come_back_within_a_minute_of_a_restart_has_left() -> None:
    scene = Told.playing("host", "guest")
    scene.restart()
    scene.join("host")
    scene.wait(RETURN_SECONDS + 1)
    assert scene.lines == []
    scene.act("host", PAUSE)
    assert scene.news() == [(Deed.LEFT, "guest"), (Deed.PAUSED, "host")]
    scene.join("guest")
    assert scene.news() == [(Deed.JOINED, "guest")]


def test_who_was_not_there_before_a_restart_is_told_when_they_come() -> None:
    scene = Told.playing("host", "guest")
    scene.leave("guest")
    scene.restart()
    scene.lines.clear()
    scene.join("host", "guest")
    assert scene.news() == [(Deed.JOINED, "guest")]


def test_a_pause_whose_minute_ran_out_while_the_service_was_away_is_over_once_it_is_back() -> None:
    scene = Told.playing("host", "guest")
    scene.act("guest", PAUSE)
    scene.lines.clear()
    scene.restart(after=61)
    scene.wait(0)
    assert scene.news() == [(Deed.RESUMED, None)]


def test_a_pause_that_was_asked_before_a_restart_can_be_refused_after_it() -> None:
    scene = Told.playing("host", "guest")
    scene.act("guest", PAUSE)
    scene.lines.clear()
    scene.restart()
    scene.join("host", "guest")
    scene.act("host", PLAY)
    assert scene.news() == [(Deed.RESUMED, "host")]


def test_when_nobody_knows_where_the_film_is_its_standing_still_is_nobodys_deed() -> None:
    scene = Told.playing("host", "guest")
    scene.leave("host", "guest")
    scene.wait(70)
    scene.lines.clear()
    scene.join("host")
    scene.wait(7)
    assert scene.event.status is PAUSE
    assert scene.news() == [(Deed.JOINED, "host")]


def test_looking_twice_at_the_same_event_tells_nothing_twice() -> None:
    control = PlaybackControl(SESSION, LENGTH, 0.0)
    chronicle = Chronicle(control.to_timecode_event(0.0))
    scene = Told("host", "guest")
    events = scene.told
    assert [line.deed for event in events for line in chronicle.lines(event)] == [Deed.JOINED, Deed.JOINED]
    scene.told.clear()
    scene.seek_together("host", "guest", to=5.0)
    assert [line.deed for event in scene.told for line in chronicle.lines(event)] == [Deed.SEEKED]
    assert chronicle.lines(scene.event) == ()


# --- whatever people do -----------------------------------------------------------------------------------------------

USERS = ("host", "guest", "third")
DEEDS = st.one_of(
    st.tuples(st.sampled_from(["join", "leave", "refuse", "play", "pause", "stop", "tick"]), st.sampled_from(USERS)),
    st.tuples(st.just("seek"), st.sampled_from(USERS), st.sampled_from([0.0, 50.0, 95.0, 300.0])),
    st.tuples(st.just("wait"), st.sampled_from([0.1, 1.0, 20.0, 61.0])),
    st.tuples(st.just("restart"), st.sampled_from(USERS)),
)


def come_back_but(scene: Told, away: str) -> None:
    """A restart after which all come back but one, unless that is the only one there was."""
    present = [user for user, one in scene.event.participants.items() if one.connected]
    scene.restart()
    scene.join(*(user for user in present if user != away or len(present) == 1))
    if away in present:
        scene.wait(RETURN_SECONDS + 1)
        scene.look()


@given(st.lists(DEEDS, max_size=60))
def test_whoever_reads_the_lines_knows_who_is_there_and_what_the_film_does(deeds: list[tuple[Any, ...]]) -> None:
    scene = Told("host", "guest", length=100.0)
    for deed, *more in deeds:
        with contextlib.suppress(RuleError):
            if deed == "wait":
                scene.wait(more[0])
            elif deed == "restart":
                come_back_but(scene, more[0])
            elif deed == "seek":
                scene.seek(*more)
            elif deed in ("join", "leave", "refuse", "tick"):
                getattr(scene, deed)(more[0])
            else:
                scene.act(more[0], Status(deed))
    there: set[str] = set()
    in_force = STOP
    for line in scene.lines:
        if line.deed is Deed.JOINED:
            assert line.by not in there
            there.add(str(line.by))
        elif line.deed is Deed.LEFT:
            assert line.by in there
            there.discard(str(line.by))
        elif line.deed is not Deed.SEEKED:
            in_force = {Deed.RESUMED: PLAY, Deed.PAUSED: PAUSE, Deed.STOPPED: STOP}[line.deed]
        assert (line.to is not None) == (line.deed is Deed.SEEKED)
        assert 0.0 <= line.position <= 100.0
        assert line.by is not None or line.deed in (Deed.RESUMED, Deed.PAUSED, Deed.STOPPED)
        assert line.by is None or line.name == line.by.capitalize()
    assert there == {user for user, one in scene.event.participants.items() if one.connected}
    if scene.event.status.moves:  # stillness is not told when nobody asked for it: at the film's end, or after long
        assert in_force is PLAY
    assert len({(line.revision, line.deed, line.by) for line in scene.lines}) == len(scene.lines)
