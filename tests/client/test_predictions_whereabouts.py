"""Telling where the own player is: only when a service that carries forward what it was told would be wrong."""

import pytest

from dateflicks.client.players.base import Playhead
from dateflicks.client.whereabouts import Whereabouts
from dateflicks.protocol.predictions import PositionFrame


def playing(position: float, at: float) -> Playhead:
    return Playhead(position, at, 1.0)


def test_the_first_that_is_known_is_told() -> None:
    assert Whereabouts().due(playing(10.0, 100.0), 101.0) == PositionFrame(position=11.0, rate=1.0)


def test_nothing_is_told_while_nothing_is_known() -> None:
    assert Whereabouts().due(None, 100.0) is None


def test_play_that_goes_on_is_told_once() -> None:
    one = Whereabouts()
    one.due(playing(10.0, 100.0), 100.0)
    assert [one.due(playing(10.0 + second, 100.0 + second), 100.0 + second) for second in range(1, 600)] == [None] * 599


def test_a_pause_and_the_play_after_it_are_told() -> None:
    one = Whereabouts()
    one.due(playing(10.0, 100.0), 100.0)
    assert one.due(Playhead(15.0, 105.0, 0.0), 105.0) == PositionFrame(position=15.0, rate=0.0)
    assert one.due(Playhead(15.0, 105.0, 0.0), 300.0) is None
    assert one.due(playing(15.0, 300.0), 300.0) == PositionFrame(position=15.0, rate=1.0)


@pytest.mark.parametrize("to", [2_460.0, 0.0])
def test_a_seek_is_told(to: float) -> None:
    one = Whereabouts()
    one.due(playing(100.0, 100.0), 100.0)
    assert one.due(playing(to, 101.0), 101.0) == PositionFrame(position=to, rate=1.0)


def test_a_player_that_is_steered_is_told_only_when_it_has_come_away() -> None:
    one = Whereabouts()
    one.due(playing(0.0, 0.0), 0.0)
    told = [now for now in range(1, 41) if one.due(Playhead(now * 1.03, float(now), 1.03), float(now))]
    assert told == [17]


def test_a_new_line_is_told_anew() -> None:
    one = Whereabouts()
    one.due(playing(10.0, 100.0), 100.0)
    one.forget()
    assert one.due(playing(10.0, 100.0), 101.0) == PositionFrame(position=11.0, rate=1.0)


def test_what_a_player_cannot_mean_is_brought_within_bounds() -> None:
    assert Whereabouts().due(Playhead(-0.02, 100.0, -1.0), 100.0) == PositionFrame(position=0.0, rate=0.0)
