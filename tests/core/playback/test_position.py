"""The minimum rule on its own: positions carried forward to one instant, and never beyond the video."""

import pytest

from dateflicks.core.playback import Place, PlaybackPosition


def test_the_position_is_0_at_the_start() -> None:
    assert PlaybackPosition().value_at(0.0) == 0.0
    assert PlaybackPosition(7200.0).value_at(123.0) == 0.0


def test_the_value_is_the_smaller_of_the_two() -> None:
    position = PlaybackPosition(7200.0).reported("host", Place(50.0)).reported("guest", Place(40.0))
    assert position.value_at(0.0) == 40.0


def test_the_value_is_the_smallest_of_eight() -> None:
    position = PlaybackPosition(7200.0)
    for number in range(8):
        position = position.reported(f"user{number}", Place(100.0 - number))
    assert position.value_at(0.0) == 93.0


def test_the_value_is_never_above_the_length() -> None:
    position = PlaybackPosition(30.0).reported("host", Place(50.0)).reported("guest", Place(40.0))
    assert position.value_at(0.0) == 30.0


def test_without_a_length_the_value_is_0() -> None:
    position = PlaybackPosition(0.0).reported("host", Place(50.0)).reported("guest", Place(40.0))
    assert position.value_at(0.0) == 0.0


def test_positions_are_compared_at_one_instant() -> None:
    position = (
        PlaybackPosition(7200.0)
        .reported("host", Place(50.0, at=10.0, rate=1.0))
        .reported("guest", Place(51.0, at=11.5, rate=1.0))
    )
    assert position.value_at(12.0) == 51.5
    assert position.minimum(12.0, {"host", "guest"}) == (51.5, "guest")
    assert position.minimum(12.0, {"host"}) == (52.0, "host")


def test_a_player_that_stands_is_carried_nowhere() -> None:
    position = PlaybackPosition(7200.0).reported("host", Place(50.0, at=10.0, rate=0.0))
    assert position.of("host", 1000.0) == 50.0


def test_carrying_forward_ends_at_the_length() -> None:
    position = PlaybackPosition(60.0).reported("host", Place(50.0, at=0.0, rate=1.0))
    assert position.of("host", 100.0) == 60.0
    assert position.minimum(100.0, {"host"}) == (60.0, "host")


def test_a_stamp_that_lies_ahead_is_taken_as_it_is() -> None:
    assert Place(50.0, at=20.0, rate=1.0).carried(10.0) == 50.0


def test_a_negative_position_is_the_beginning() -> None:
    assert PlaybackPosition(60.0).reported("host", Place(-5.0)).of("host", 0.0) == 0.0


def test_one_who_never_told_is_not_at_0() -> None:
    position = PlaybackPosition(60.0).reported("host", Place(50.0))
    assert position.of("guest", 0.0) is None
    assert position.minimum(0.0, {"guest"}) is None
    assert position.minimum(0.0, {"guest", "host"}) == (50.0, "host")


def test_a_shorter_length_cuts_what_was_told() -> None:
    position = PlaybackPosition(60.0).reported("host", Place(50.0)).reported("guest", Place(10.0))
    shorter = position.with_length(30.0)
    assert (shorter.of("host", 0.0), shorter.of("guest", 0.0)) == (30.0, 10.0)


@pytest.mark.parametrize("length", [0.0, 10.0])
def test_asking_changes_nothing(length: float) -> None:
    position = PlaybackPosition(length)
    position.reported("host", Place(5.0))
    assert position.value_at(0.0) == 0.0
