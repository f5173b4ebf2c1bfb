"""The timeline of a film: one position at one instant, and whether it moves."""

from dateflicks.core.playback import Timeline


def test_a_moving_film_is_where_its_start_and_the_clock_say() -> None:
    line = Timeline(position=100.0, at=10.0, rate=1.0, length=7200.0)
    assert line.position_at(10.0) == 100.0
    assert line.position_at(15.5) == 105.5


def test_a_film_that_stands_stays() -> None:
    line = Timeline(position=100.0, at=10.0, rate=0.0, length=7200.0)
    assert line.position_at(9_999.0) == 100.0
    assert line.ends_at is None
    assert not line.moves_at(9_999.0)


def test_before_its_start_a_film_waits_at_the_first_frame_to_come() -> None:
    line = Timeline(position=100.0, at=10.0, rate=1.0, length=7200.0)
    assert line.position_at(9.0) == 100.0
    assert not line.moves_at(9.999)
    assert line.moves_at(10.0)


def test_a_film_ends_at_its_length() -> None:
    line = Timeline(position=100.0, at=10.0, rate=1.0, length=130.0)
    assert line.ends_at == 40.0
    assert line.moves_at(39.999)
    assert not line.moves_at(40.0)
    assert line.position_at(50.0) == 130.0


def test_no_position_lies_outside_the_film() -> None:
    assert Timeline(position=200.0, length=130.0).position == 130.0
    assert Timeline(position=-1.0, length=130.0).position == 0.0
    assert Timeline(position=5.0, length=0.0).position == 0.0


def test_the_same_film_told_later_is_at_the_same_place() -> None:
    line = Timeline(position=100.0, at=10.0, rate=1.0, length=7200.0)
    later = line.anchored(25.0)
    assert (later.position, later.at) == (115.0, 25.0)
    assert later.position_at(60.0) == line.position_at(60.0)


def test_a_start_that_lies_ahead_is_told_as_it_is() -> None:
    line = Timeline(position=100.0, at=10.0, rate=1.0, length=7200.0)
    assert line.anchored(9.0) is line
