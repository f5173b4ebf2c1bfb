"""The simulated player's physics: exact, repeatable, and the same however often it is looked at."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dateflicks.client.players.base import Ended, Recovered, Stalled
from dateflicks.client.players.physics import NEVER, SimulatedPhysics


def exact(**options: float) -> SimulatedPhysics:
    """A player without any chance in it."""
    return SimulatedPhysics(**{"start_jitter": 0.0, "seek_jitter": 0.0, "noise": 0.0, **options})  # type: ignore[arg-type]  # all are floats


def test_it_plays_at_its_drift_from_the_moment_asked_for() -> None:
    film = exact(drift_ppm=400.0, start_latency=0.02)
    film.load(10.0, 0.0)
    film.play(1.0, 5.0)
    assert film.position(5.02) == 10.0
    assert film.position(105.02) == pytest.approx(110.04)


def test_a_pause_takes_a_planned_start_back() -> None:
    film = exact()
    film.load(0.0, 0.0)
    film.play(1.0, 2.0)
    film.pause(1.5)
    assert film.position(60.0) == 0.0


def test_a_newer_start_replaces_an_older_one() -> None:
    film = exact()
    film.load(0.0, 0.0)
    film.play(0.0, 2.0)
    film.play(0.1, 5.0)
    assert film.position(6.0) == pytest.approx(1.0)


def test_a_speed_acts_after_its_dead_time() -> None:
    film = exact()
    film.load(0.0, 0.0)
    film.play(0.0)
    film.set_speed(1.03, 1.0)
    assert film.position(1.37) == pytest.approx(1.37)
    assert film.position(2.37) == pytest.approx(2.40)


def test_a_seek_takes_its_time_and_plays_on() -> None:
    film = exact(seek_latency=0.1)
    film.load(0.0, 0.0)
    film.play(0.0)
    assert film.seek(50.0, 1.0) == pytest.approx(1.1)
    assert film.playhead(1.05) is not None
    assert film.position(2.1) == pytest.approx(51.0)


def test_of_two_seeks_the_later_one_counts() -> None:
    film = exact(seek_latency=0.1)
    film.load(0.0, 0.0)
    film.seek(50.0, 1.0)
    film.seek(20.0, 1.05)
    assert film.position(9.0) == 20.0


def test_a_stall_stands_is_noticed_and_recovers_where_it_stood() -> None:
    film = exact()
    film.load(0.0, 0.0)
    film.play(0.0)
    film.stall(2.0, 1.0)
    assert not film.stalled(1.3)
    assert film.stalled(1.5)
    assert film.position(3.0) == pytest.approx(1.0)
    assert film.position(4.0) == pytest.approx(2.0)
    stalled, recovered = film.events(4.0)
    assert isinstance(stalled, Stalled)
    assert isinstance(recovered, Recovered)
    assert stalled.at == pytest.approx(1.4)
    assert recovered.at == pytest.approx(3.0)
    assert not film.stalled(4.0)


def test_a_short_stall_goes_unnoticed_but_costs_its_time() -> None:
    film = exact()
    film.load(0.0, 0.0)
    film.play(0.0)
    film.stall(0.2, 1.0)
    assert film.position(2.0) == pytest.approx(1.8)
    assert film.events(2.0) == []


def test_a_frozen_player_seems_to_move_until_noticed_and_obeys_only_afterwards() -> None:
    film = exact()
    film.load(0.0, 0.0)
    film.play(0.0)
    film.freeze(3.0, 1.0)
    seen = film.playhead(1.3)
    assert seen is not None
    assert seen.position == pytest.approx(1.3)
    film.pause(2.0)
    assert film.stalled(2.0)
    assert film.position(60.0) == pytest.approx(1.0)
    assert [type(event) for event in film.events(60.0)] == [Stalled, Recovered]


def test_a_start_planned_into_a_freeze_happens_after_it() -> None:
    film = exact()
    film.load(0.0, 0.0)
    film.play(0.0, 2.0)
    film.freeze(3.0, 1.0)
    assert film.position(4.0) == 0.0
    assert film.position(5.0) == pytest.approx(1.0)


def test_the_end_is_told_at_its_instant_and_a_seek_leads_back() -> None:
    film = exact(length=100.0)
    film.load(90.0, 0.0)
    film.play(0.0)
    assert film.next_change(1.0) == pytest.approx(10.0)
    assert film.position(50.0) == 100.0
    (ended,) = film.events(50.0)
    assert isinstance(ended, Ended)
    assert ended.at == pytest.approx(10.0)
    film.seek(5.0, 60.0)
    assert film.position(70.0) == 5.0
    assert film.next_change(70.0) == NEVER


_ACTIONS = st.tuples(
    st.floats(0.01, 3.0), st.sampled_from(["play", "pause", "seek", "speed", "stall", "freeze"]), st.floats(0.0, 60.0)
)


@settings(max_examples=60)
@given(st.lists(_ACTIONS, max_size=20), st.integers(0, 1000))
def test_looking_often_changes_nothing(actions: list[tuple[float, str, float]], seed: int) -> None:
    once, often = (
        SimulatedPhysics(seed=seed, noise=0.0, length=60.0),
        SimulatedPhysics(seed=seed, noise=0.0, length=60.0),
    )
    now = 0.0
    for film in (once, often):
        film.load(0.0, 0.0)
    for wait, action, value in actions:
        for step in range(1, 8):
            often.position(now + wait * step / 8)
        now += wait
        for film in (once, often):
            match action:
                case "play":
                    film.play(now, now + value / 60)
                case "pause":
                    film.pause(now)
                case "seek":
                    film.seek(value, now)
                case "speed":
                    film.set_speed(0.97 + value / 1000, now)
                case "stall":
                    film.stall(value / 30, now)
                case "freeze":
                    film.freeze(value / 30, now)
    assert once.position(now + 5.0) == pytest.approx(often.position(now + 5.0))
    assert [type(event) for event in once.events(now + 5.0)] == [type(event) for event in often.events(now + 5.0)]
    assert 0.0 <= once.position(now + 5.0) <= 60.0
