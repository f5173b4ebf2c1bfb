"""Since when two films are in step, and what is kept of what the observer saw."""

from collections.abc import Sequence
from pathlib import Path

from benchmarks.syncbench.looking import Change, Look, Observer, settled
from benchmarks.syncbench.measurement import series, thinned
from dateflicks.cli.demo.measuring import Apart, Reading

FRAME = 0.040


def readings(distances: Sequence[float], *, pace: float = 1.0) -> list[Apart]:
    """One every 20 ms."""
    return [Apart(0.02 * number, 10.0 + pace * 0.02 * number, each) for number, each in enumerate(distances)]


def test_films_settle_at_the_first_reading_after_which_all_are_close() -> None:
    assert settled(readings([0.5] * 50 + [0.001] * 100), FRAME, 1.0) == 50 * 0.02


def test_a_relapse_starts_the_count_again() -> None:
    assert settled(readings([0.0] * 60 + [-0.05] + [0.0] * 60), FRAME, 1.0) == 61 * 0.02


def test_the_limit_holds_either_way() -> None:
    assert settled(readings([-FRAME, FRAME] * 40), FRAME, 1.0) == 0.0
    assert settled(readings([0.041] * 80), FRAME, 1.0) is None


def test_films_that_have_not_stayed_for_long_enough_are_not_settled() -> None:
    assert settled(readings([0.5] * 50 + [0.0] * 30), FRAME, 1.0) is None


def test_two_that_stand_on_one_picture_are_not_in_step() -> None:
    assert settled(readings([0.0] * 100, pace=0.0), FRAME, 1.0) is None


def test_the_time_before_both_moved_does_not_count() -> None:
    standing = [Apart(0.02 * number, 10.0, 0.0) for number in range(50)]
    moving = [Apart(1.0 + 0.02 * number, 10.0 + 0.02 * number, 0.0) for number in range(60)]

    assert settled(standing + moving, FRAME, 1.0) == 1.0


def test_nothing_seen_is_nothing_settled() -> None:
    assert settled([], FRAME, 1.0) is None


def test_a_look_counts_and_times_what_changed_between_two_instants() -> None:
    look = Look(Path("nowhere"))
    look.changes = [
        Change(1.0, "speed", 1.0),
        Change(4.0, "speed", 1.01),
        Change(4.5, "pause", True),
        Change(6.0, "speed", 1.0),
    ]

    assert list(look.values("speed", 3.0, 8.0)) == [(1.0, 1.0), (2.0, 1.01), (2.0, 1.0)]
    assert look.count("speed", 1.0, 0.0, 8.0) == 2
    assert look.count("speed", 1.0, 1.0, 8.0) == 1


def test_few_points_are_kept_as_they_are() -> None:
    points = [(0.1, 1.0), (0.2, 2.0)]

    assert thinned(points) == points


def test_thinning_keeps_the_order_and_the_peaks() -> None:
    points = [(0.02 * number, 1.0) for number in range(9_001)]
    points[4_321] = (points[4_321][0], 250.0)
    points[8_000] = (points[8_000][0], -30.0)

    kept = thinned(points, 2_000)

    assert len(kept) <= 2_000
    assert kept == sorted(kept)
    assert {points[4_321], points[8_000]} <= set(kept)


def test_a_series_counts_from_the_start_of_measuring() -> None:
    observer = Observer(Path("host"), Path("guest"))
    for number in range(200):
        at = 100.0 + 0.02 * number
        observer.host.track.add(Reading(at - 100.0, at))
        observer.guest.track.add(Reading(at - 100.0 + 0.0125, at))
    observer.guest.changes = [
        Change(100.0, "speed", 1.002),
        Change(102.0, "speed", 1.0),
        Change(103.0, "pause", True),
        Change(103.9, "speed", 1.001),
    ]

    found = series(observer, 101.0, 103.0)

    assert (found.at[0], found.at[-1]) == (0.0, 1.98)
    assert set(found.ms) == {12.5}
    assert found.speeds == {"host": [(0.0, 1.0)], "guest": [(0.0, 1.002), (1.0, 1.0)]}
