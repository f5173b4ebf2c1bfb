"""When a player counts as stalled, and when it has recovered, with time as an argument."""

import pytest

from dateflicks.client.players.stalls import SILENT, STANDS, WAITS_FOR_DATA, StallWatch


def watched(begin: float, end: float, *, pace: float = 1.0, watch: StallWatch | None = None) -> StallWatch:
    """A film seen 20 times a second from `begin` to `end`, moving at `pace`."""
    if watch is None:
        watch = StallWatch()
        watch.should_move(begin)
    for step in range(1, round((end - begin) / 0.05) + 1):
        at = begin + step * 0.05
        watch.answered(at)
        watch.sample(100.0 + pace * (at - begin), at)
        watch.look(at)
    return watch


def test_a_moving_film_is_not_stalled() -> None:
    assert watched(0.0, 3.0).why is None


@pytest.mark.parametrize(("pace", "why"), [(0.45, STANDS), (0.0, STANDS), (0.55, None), (0.97, None)])
def test_less_than_half_of_the_way_is_a_stall(pace: float, why: str | None) -> None:
    assert watched(0.0, 1.0, pace=pace).why == why


def test_a_film_that_stops_is_noticed_within_half_a_second() -> None:
    watch = watched(0.0, 1.0)
    noticed = next(at / 100 for at in range(100, 200) if at % 5 == 0 and _stand(watch, at / 100) is not None)
    assert 1.2 < noticed <= 1.5


def _stand(watch: StallWatch, at: float) -> str | None:
    watch.answered(at)
    watch.sample(101.0, at)
    return watch.look(at)


def test_silence_is_noticed_even_near_the_end() -> None:
    watch = watched(0.0, 1.0)
    assert watch.look(1.35, near_end=True) is None
    assert watch.look(1.41, near_end=True) == SILENT


def test_waiting_for_data_is_a_stall_at_once_and_its_end_needs_motion() -> None:
    watch = watched(0.0, 1.0)
    watch.waits_for_data(True)
    assert watch.look(1.01) == WAITS_FOR_DATA
    watch.waits_for_data(False)
    assert watch.look(1.02) == WAITS_FOR_DATA
    assert watched(1.5, 1.8, watch=watch).why is None


def test_a_start_has_time_to_begin() -> None:
    watch = StallWatch()
    watch.should_move(10.0)
    assert watch.look(10.39) is None
    assert watch.look(10.41) == SILENT


def test_a_film_that_may_stand_is_never_stalled() -> None:
    watch = watched(0.0, 1.0)
    watch.may_stand()
    assert watch.look(60.0) is None


def test_standing_still_is_forgotten_by_a_pause_but_silence_is_not() -> None:
    stood = watched(0.0, 1.0, pace=0.0)
    stood.may_stand()
    assert stood.why is None
    silent = watched(0.0, 1.0)
    assert silent.look(2.0) == SILENT
    silent.may_stand()
    assert silent.look(3.0) == SILENT
    silent.answered(3.1)
    assert silent.look(3.1) is None


def test_near_the_end_no_progress_is_no_stall() -> None:
    watch = watched(0.0, 1.0)
    watch.answered(2.0)
    assert watch.look(2.0, near_end=True) is None


def test_an_idle_core_is_given_a_moment() -> None:
    watch = watched(0.0, 1.0)
    watch.idles(1.0, True)
    watch.answered(1.05)
    watch.sample(101.05, 1.05)
    assert watch.look(1.05) is None
    assert watch.look(1.15) == STANDS
