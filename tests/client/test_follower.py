"""What a player is told to do next, from where it is and where the film is."""

from dataclasses import astuple
from typing import Any

import pytest

from dateflicks.client.follower import (
    BAND_SECONDS,
    CALM_SECONDS,
    COARSE_INTERVAL_SECONDS,
    DEAD_TIME_START,
    INTERVAL_SECONDS,
    SEEK_MAX_SECONDS,
    SETTLE_SECONDS,
    Action,
    Follower,
    Hold,
    Pause,
    PlayAt,
    SeekTo,
    Speed,
)
from dateflicks.client.players.base import Playhead
from dateflicks.core import limits
from dateflicks.core.playback import Timeline

NOW = 100.0
LENGTH = 3_600.0
FILM = 50.0  # where the film is at NOW


def test_the_band_in_which_players_are_steered_is_the_one_in_which_the_rules_leave_them_alone() -> None:
    assert BAND_SECONDS == limits.BAND_SECONDS


def like(action: Action | None) -> Any:
    """The same kind of action, with the same numbers but for rounding."""
    return _Like(action)


class _Like:
    def __init__(self, action: Any) -> None:
        self._action = action

    def __eq__(self, other: Any) -> bool:
        return type(other) is type(self._action) and astuple(other) == pytest.approx(astuple(self._action))

    def __hash__(self) -> int:
        return hash(self._action)

    def __repr__(self) -> str:
        return f"like {self._action}"


class Screen:
    """A follower and the film it follows; `look` is one decision with the player `ahead` of the film."""

    def __init__(self, follower: Follower | None = None) -> None:
        self.follower = follower or Follower()
        self.now = NOW
        self.line = Timeline(FILM, NOW, 1.0, LENGTH)

    def look(
        self,
        ahead: float = 0.0,
        *,
        after: float = 0.0,
        rate: float = 1.0,
        steady: bool = True,
        exact: bool = True,
        may_jump: bool = False,
    ) -> Action | None:
        self.now += after
        head = Playhead(self.line.position_at(self.now) + ahead, self.now, rate, steady=steady)
        return self.follower.decide(self.now, head, self.line, exact=exact, may_jump=may_jump)

    def stands(self, at: float = FILM) -> None:
        self.line = Timeline(at, self.now, 0.0, LENGTH)

    def starts(self, after: float, at: float = FILM) -> None:
        self.line = Timeline(at, self.now + after, 1.0, LENGTH)


# --- steering -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ahead", [0.0, 0.0009, -0.0009])
def test_a_player_that_is_near_enough_is_left_alone(ahead: float) -> None:
    assert Screen().look(ahead) is None


def test_two_players_left_alone_are_within_five_milliseconds() -> None:
    assert 2 * CALM_SECONDS < 0.005


@pytest.mark.parametrize(
    ("ahead", "speed"),
    [(0.010, 0.995), (-0.010, 1.005), (0.050, 0.975), (0.149, 0.97), (-0.149, 1.03), (-0.0123, 1.0062)],
)
def test_small_errors_are_steered_away_in_proportion(ahead: float, speed: float) -> None:
    assert Screen().look(ahead) == Speed(speed)


def test_a_gentle_follower_steers_by_a_hundredth() -> None:
    assert Screen(Follower(gentle=True)).look(-0.100) == Speed(1.01)


def test_steering_goes_on_until_it_is_done() -> None:
    screen = Screen()
    assert screen.look(0.010) == Speed(0.995)
    assert screen.look(0.0008, after=INTERVAL_SECONDS) == Speed(0.9996)
    assert screen.look(0.0002, after=INTERVAL_SECONDS) == Speed(1.0)
    assert screen.follower.speed == 1.0
    assert screen.look(0.0008, after=INTERVAL_SECONDS) is None


def test_the_same_speed_is_not_asked_for_twice() -> None:
    screen = Screen()
    assert screen.look(-0.140) == Speed(1.03)
    assert screen.look(-0.130, after=INTERVAL_SECONDS) is None


def test_a_player_that_is_not_steady_is_not_steered() -> None:
    assert Screen().look(0.050, steady=False) is None


def test_behind_by_more_is_steered_until_the_service_decides() -> None:
    screen = Screen()
    assert screen.look(-8.0) == Speed(1.03)
    assert screen.look(-8.0, after=INTERVAL_SECONDS) is None


# --- holds and seeks ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ahead", [0.151, 0.9, 2.9])
def test_ahead_by_more_holds_for_exactly_that(ahead: float) -> None:
    hold = Screen().look(ahead)
    assert isinstance(hold, Hold)
    assert hold.seconds == pytest.approx(ahead)


def test_far_ahead_seeks_back_to_where_the_film_will_be() -> None:
    assert Screen().look(3.5) == like(SeekTo(FILM + DEAD_TIME_START))


def test_far_behind_seeks_only_where_it_may() -> None:
    assert Screen().look(-3.5, may_jump=True) == like(SeekTo(FILM + DEAD_TIME_START))


def test_nothing_is_done_until_a_hold_has_settled() -> None:
    screen = Screen()
    assert screen.look(1.0) == like(Hold(1.0))
    assert screen.look(0.02, after=1.0 + SETTLE_SECONDS - 0.001) is None
    assert screen.look(0.02, after=0.002) == Speed(0.99)


def test_nothing_coarse_is_done_again_within_three_seconds() -> None:
    screen = Screen()
    assert screen.look(1.0) == like(Hold(1.0))
    assert isinstance(screen.look(0.5, after=1.5), Speed)
    assert screen.look(0.5, after=COARSE_INTERVAL_SECONDS - 1.5) == like(Hold(0.5))


def test_nothing_is_done_until_a_seek_has_ended_and_settled() -> None:
    screen = Screen()
    screen.look(5.0)
    assert screen.look(0.02, after=1.0) is None
    screen.follower.sought(screen.now, 1.0)
    assert screen.look(0.02, after=SETTLE_SECONDS - 0.001) is None
    assert screen.look(0.02, after=0.002) == Speed(0.99)


def test_a_seek_that_never_ends_is_taken_for_lost() -> None:
    screen = Screen()
    screen.look(5.0)
    assert screen.look(5.0, after=SEEK_MAX_SECONDS - 0.1) is None
    assert isinstance(screen.look(5.0, after=0.2), SeekTo)


def test_the_dead_time_of_seeks_is_learned() -> None:
    follower = Follower()
    for _ in range(12):
        follower.sought(NOW, 0.3)
    assert follower.dead_time == pytest.approx(0.3, abs=0.001)
    follower.sought(NOW, 60.0)
    assert follower.dead_time < 1.2
    assert Screen(follower).look(5.0) is None
    screen = Screen(follower)
    screen.now += SETTLE_SECONDS
    assert screen.look(5.0) == like(SeekTo(screen.line.position_at(screen.now) + follower.dead_time))


def test_without_speeds_only_holds_and_seeks_are_left() -> None:
    screen = Screen()
    screen.look(0.1)
    screen.follower.refused_speed()
    assert screen.follower.speed == 1.0
    assert screen.look(0.240, after=INTERVAL_SECONDS) is None
    assert screen.look(0.260, after=INTERVAL_SECONDS) == like(Hold(0.260))


# --- standing -------------------------------------------------------------------------------------------------------


def test_a_film_that_stands_pauses_a_player_that_moves() -> None:
    screen = Screen()
    screen.stands()
    assert screen.look(0.02) == Pause()


def test_a_speed_that_was_on_is_taken_off_while_standing() -> None:
    screen = Screen()
    screen.look(0.05)
    screen.stands()
    assert screen.look(rate=0.0) == Speed(1.0)
    assert screen.look(rate=0.0) is None


def test_standing_players_are_brought_to_the_same_frame() -> None:
    screen = Screen()
    screen.stands()
    assert screen.look(0.009, rate=0.0) is None
    assert screen.look(0.011, rate=0.0) == SeekTo(FILM)


@pytest.mark.parametrize(
    ("picture", "to"),
    [
        (50.021, None),  # the first picture at or after the film's place is up
        (49.981, 50.021),
        (50.061, 50.021),
        (47.021, 50.021),
        (49.9965, None),  # up a little before its time, which a seek to the place would find as well
    ],
)
def test_standing_players_show_the_picture_that_a_seek_to_the_place_finds(picture: float, to: float | None) -> None:
    follower = Follower()
    head = Playhead(50.004, NOW, 0.0, picture=picture, frame=0.040)
    action = follower.decide(NOW, head, Timeline(FILM, NOW, 0.0, LENGTH), exact=True, may_jump=False)
    assert action is None if to is None else action == like(SeekTo(to))


def test_a_place_is_asked_for_once() -> None:
    screen = Screen()
    screen.stands()
    assert screen.look(0.02, rate=0.0) == SeekTo(FILM)
    screen.follower.sought(screen.now, 0.1)
    assert screen.look(0.02, rate=0.0, after=10.0) is None
    screen.stands(60.0)
    assert screen.look(0.02, rate=0.0) == SeekTo(60.0)


def test_samples_that_do_not_agree_yet_move_only_one_who_is_far() -> None:
    screen = Screen()
    screen.stands()
    assert screen.look(0.5, rate=0.0, steady=False) is None
    assert screen.look(5.0, rate=0.0, steady=False) == SeekTo(FILM)


@pytest.mark.parametrize(("ahead", "moves"), [(2.9, False), (3.1, True), (-0.5, False), (-8.0, False)])
def test_in_a_wait_only_who_ran_far_ahead_is_moved(ahead: float, moves: bool) -> None:
    screen = Screen()
    screen.stands()
    assert screen.look(ahead, rate=0.0, exact=False) == (SeekTo(FILM) if moves else None)


def test_in_a_wait_who_may_jump_catches_up() -> None:
    screen = Screen()
    screen.stands()
    assert screen.look(-0.5, rate=0.0, exact=False, may_jump=True) == SeekTo(FILM)


# --- starting -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("off", [0.0, 0.1, 1.5])
def test_a_scheduled_start_is_when_the_film_gets_to_where_the_player_stands(off: float) -> None:
    screen = Screen()
    screen.starts(0.5)
    assert screen.look(off, rate=0.0) == like(PlayAt(NOW + 0.5 + off))


def test_a_start_is_asked_for_once_and_again_when_nothing_came_of_it() -> None:
    screen = Screen()
    screen.starts(0.5)
    assert isinstance(screen.look(rate=0.0), PlayAt)
    assert screen.look(rate=0.0, after=0.4) is None
    assert screen.look(rate=0.0, after=0.4) is None
    assert screen.look(rate=0.0, after=0.2) == like(PlayAt(screen.now))


def test_a_start_is_off_when_the_film_stands_again() -> None:
    screen = Screen()
    screen.starts(0.5)
    screen.look(rate=0.0)
    screen.stands()
    assert screen.look(rate=0.0) == Pause()
    assert screen.look(rate=0.0) is None


def test_who_is_late_for_the_start_starts_at_once_or_ahead_of_the_film() -> None:
    screen = Screen()
    assert screen.look(-0.1, rate=0.0, may_jump=True) == PlayAt(NOW)
    assert Screen().look(-5.0, rate=0.0) == PlayAt(NOW)
    late = Screen().look(-5.0, rate=0.0, may_jump=True)
    assert late == like(SeekTo(FILM + DEAD_TIME_START + 0.3))


def test_a_late_joiner_cues_ahead_and_starts_when_the_film_gets_there() -> None:
    screen = Screen()
    screen.look(-5.0, rate=0.0, may_jump=True)
    screen.follower.sought(screen.now, 0.1)
    start = screen.look(0.25, rate=0.0, may_jump=True)
    assert start == like(PlayAt(NOW + 0.25))


def test_who_stands_far_ahead_goes_back_instead_of_waiting_long() -> None:
    assert isinstance(Screen().look(4.0, rate=0.0), SeekTo)


def test_nothing_is_started_at_the_end_of_the_film() -> None:
    screen = Screen()
    screen.starts(0.5, LENGTH - 0.1)
    assert screen.look(rate=0.0) is None


def test_a_player_that_still_moves_stands_until_a_scheduled_start() -> None:
    screen = Screen()
    screen.starts(0.5)
    assert screen.look(0.3) == like(Hold(0.8))


def test_a_player_that_moves_and_is_far_from_a_scheduled_start_is_paused() -> None:
    screen = Screen()
    screen.starts(0.5)
    assert screen.look(-2.0) == Pause()
    assert screen.look(9.0) == Pause()


@pytest.mark.parametrize("early", [0.0002, 0.004])
def test_a_film_in_motion_told_a_clocks_error_ahead_holds_nobody(early: float) -> None:
    screen = Screen()
    screen.line = Timeline(FILM, NOW + early, 1.0, LENGTH)
    assert screen.look(-early) is None
    nudge = screen.look(-early + 0.005, after=0.0)
    assert nudge == Speed(0.9975)


def test_of_uneven_pictures_only_a_seek_to_the_place_itself_finds_the_one() -> None:
    follower, line = Follower(), Timeline(FILM, NOW, 0.0, LENGTH)
    head = Playhead(50.001, NOW, 0.0, picture=50.001, frame=0.0)
    assert follower.decide(NOW, head, line, exact=True, may_jump=False) == SeekTo(FILM)
    follower.sought(NOW + 0.1, 0.1)
    assert follower.decide(NOW + 1.0, head, line, exact=True, may_jump=False) is None
