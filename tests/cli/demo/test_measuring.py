"""The observer's arithmetic: readings that are late or rare, players that stand, jump or fall back."""

import pytest

from dateflicks.cli.demo.measuring import Apart, Reading, Track, apart, drift, in_step_since


def track(*readings: tuple[float, float], took: float = 0.0) -> Track:
    """Readings as (instant, position)."""
    found = Track()
    for at, position in readings:
        found.add(Reading(position, at, took))
    return found


def playing(start: float, seconds: float, *, at: float = 0.0, speed: float = 1.0, every: float = 0.03) -> Track:
    """A film that plays on from `start`."""
    count = round(seconds / every)
    return track(*((at + i * every, start + i * every * speed) for i in range(count + 1)))


def test_two_players_are_compared_at_the_same_instant() -> None:
    host = playing(10.0, 2.0)
    guest = playing(10.012, 2.0, at=-0.017 + 0.0)
    found = apart(host, guest, 0.1, 1.9)
    assert [each.seconds for each in found] == pytest.approx([0.029] * len(found))
    assert len(found) == 60


def test_a_slow_answer_is_left_out_unless_nothing_better_has_come() -> None:
    found = track((0.0, 10.0))
    found.add(Reading(99.0, 0.03, took=0.008))
    assert [reading.position for reading in found.since(0.0)] == [10.0]
    found.add(Reading(10.2, 0.2, took=0.008))
    found.add(Reading(99.0, 0.5, took=0.011))
    assert [reading.position for reading in found.since(0.0)] == [10.0, 10.2]


def test_nothing_is_said_of_the_time_between_readings_far_apart() -> None:
    found = track((0.0, 10.0), (0.1, 10.1), (3.1, 10.2))
    assert found.at(0.05) == pytest.approx(10.05)
    assert (found.at(1.0), found.at(-1.0), found.at(4.0)) == (None, None, None)


def test_falling_back_is_the_furthest_way_back_and_not_the_whole_of_them() -> None:
    found = track((0.0, 10.0), (1.0, 11.0), (1.1, 10.6), (2.0, 11.5), (2.1, 11.4))
    assert found.fell_back(0.0) == pytest.approx(0.4)
    assert found.fell_back(1.5) == pytest.approx(0.1)
    assert playing(3.0, 1.0).fell_back(0.0) == 0


def test_the_pace_of_a_film_that_stood_half_the_time_is_a_half() -> None:
    found = track((0.0, 5.0), (1.0, 6.0), (2.0, 6.0))
    assert found.pace(0.0, 3.0) == pytest.approx(0.5)
    assert found.pace(5.0, 6.0) == 0


def differences(*seconds: float, every: float = 0.1, speed: float = 1.0) -> list[Apart]:
    """One difference after the other, of a film that plays."""
    return [Apart(i * every, i * every * speed, each) for i, each in enumerate(seconds)]


def test_in_step_counts_from_the_last_moment_that_was_more_than_a_frame_apart() -> None:
    found = differences(*[0.0] * 5, 0.041, *[0.039] * 12)
    assert in_step_since(found) == pytest.approx(0.6)


def test_who_is_in_step_for_less_than_a_second_is_not_yet() -> None:
    assert in_step_since(differences(0.3, *[0.0] * 8)) is None
    assert in_step_since(differences(*[0.0] * 20, 0.041)) is None
    assert in_step_since([]) is None


def test_who_stands_together_is_not_in_step() -> None:
    assert in_step_since(differences(*[0.0] * 20, speed=0.0)) is None


def test_a_jump_together_begins_anew() -> None:
    before, after = differences(*[0.0] * 8), differences(*[0.0] * 20)
    moved = [Apart(each.at + 0.8, each.host + 20.0, each.seconds) for each in after]
    assert in_step_since([*before, *moved]) == pytest.approx(0.9)


def test_the_clock_of_a_player_that_stands_is_not_taken_for_where_its_film_goes_on() -> None:
    """As seen of two mpv on a busy machine: after a seek to 10.1 s both stand, and the sound of each says 9.9."""
    looks = [0.6, 0.7, 0.8, 0.87, 0.99, *(1.0 + 0.1 * i for i in range(1, 14))]
    seen = [Apart(at, 9.94 if at < 0.9 else at + 9.145, 0.001) for at in looks]
    since = in_step_since(seen)
    assert since == pytest.approx(0.99)
    assert next(each.host for each in seen if each.at == since) == pytest.approx(10.135)


def test_a_player_that_was_not_seen_for_a_while_is_not_in_step_through_it() -> None:
    late = [Apart(each.at + 3.0, each.host + 3.0, each.seconds) for each in differences(*[0.0] * 15)]
    assert in_step_since([*differences(*[0.0] * 15), *late]) == pytest.approx(3.1)


def test_drift_is_told_in_milliseconds_whoever_is_ahead() -> None:
    found = drift(differences(*[-0.001] * 10, *[0.002] * 9, 0.050))
    assert found is not None
    assert (found.median, found.p95, found.max, found.count) == (1.0, 2.0, 50.0, 20)
    assert drift([]) is None
