"""The two players without a program behind them, on the real clock."""

import asyncio
import time

import pytest

from dateflicks.client.players.base import Act, Closed, Ended, Player, PlayerError, Recovered, Stalled, UserActed
from dateflicks.client.players.manual import ManualPlayer
from dateflicks.client.players.mpv import MpvPlayer
from dateflicks.client.players.physics import SimulatedPhysics
from dateflicks.client.players.simulated import SimulatedPlayer
from tests.client.players.waiting import told, where
from tests.waiting import until


def test_all_three_are_players() -> None:
    players: list[Player] = [SimulatedPlayer(), ManualPlayer(print), MpvPlayer()]
    assert [player.name for player in players] == ["simulated", "manual", "mpv"]


async def test_a_simulated_film_starts_when_told_and_ends() -> None:
    player = SimulatedPlayer(SimulatedPhysics(length=10.0))
    assert await player.load("film", start=9.8) == 10.0
    moment = time.monotonic() + 0.05
    await player.play_at(moment)
    ended = await told(player, Ended)
    assert ended.at == pytest.approx(moment + 0.2, abs=0.01)
    await player.seek(3.0)
    assert where(player) == pytest.approx(3.0)


async def test_a_simulated_user_pauses_at_once_and_asks_for_the_rest() -> None:
    player = SimulatedPlayer()
    await player.load("film")
    await player.play_at(0.0)
    player.press(Act.SEEK, 60.0)
    player.press(Act.PAUSE)
    assert (await told(player, UserActed)).position == 60.0
    paused = await told(player, UserActed)
    assert paused.act is Act.PAUSE
    assert where(player) == pytest.approx(paused.position, abs=0.01)


async def test_a_simulated_stall_is_told_while_somebody_waits() -> None:
    player = SimulatedPlayer()
    await player.load("film")
    await player.play_at(0.0)
    waiting = asyncio.create_task(told(player, Stalled))
    player.physics.stall(1.0, time.monotonic())
    await player.set_speed(1.0)
    assert (await waiting).position < 1.0
    assert player.stalled(time.monotonic())


async def test_a_simulated_freeze_is_told_to_whoever_has_waited_all_along() -> None:
    player = SimulatedPlayer()
    await player.load("film")
    await player.play_at(0.0)
    waiting = asyncio.create_task(told(player, Stalled))
    await asyncio.sleep(0)
    player.freeze(1.0)
    assert (await waiting).position < 1.0
    assert isinstance(await told(player, Recovered), Recovered)


async def test_a_simulated_player_can_die() -> None:
    player = SimulatedPlayer()
    with pytest.raises(PlayerError, match="No film"):
        await player.pause()
    await player.load("film")
    player.end(by_user=False)
    assert (await told(player, Closed)).by_user is False
    with pytest.raises(PlayerError, match="closed"):
        await player.pause()


async def test_a_person_is_counted_down_to_the_moment() -> None:
    said: list[tuple[str, float]] = []
    player = ManualPlayer(lambda line: said.append((line, time.monotonic())), length=100.0)
    await player.load("the film\x1b[2J", start=62.0)
    assert said[0][0] == "Open the film[2J and pause it at 1:02."
    moment = time.monotonic() + 1.3
    await player.play_at(moment)
    await until(lambda: time.monotonic() > moment)
    assert [line for line, _ in said[1:]] == ["Be at 1:02, and press play when I say now.", "1 …", "Now."]
    assert said[-1][1] == pytest.approx(moment - 0.3, abs=0.05)
    await until(lambda: where(player) > 62.0)
    assert where(player) - time.monotonic() == pytest.approx(62.0 - moment, abs=0.05)


async def test_a_pause_ends_the_counting() -> None:
    said: list[str] = []
    player = ManualPlayer(said.append)
    await player.load("the film", start=10.0)
    moment = time.monotonic() + 0.5
    await player.play_at(moment)
    await player.pause()
    await until(lambda: time.monotonic() > moment + 0.05)
    assert "Now." not in said
    assert where(player) == 10.0


async def test_a_person_says_where_they_are() -> None:
    player = ManualPlayer(print, length=5000.0)
    await player.load("the film")
    player.i_am_at(2472.0)
    assert where(player) == 2472.0
    await player.play_at(0.0)
    await until(lambda: where(player) > 2472.0)
    player.i_am_at(2500.0)
    assert where(player) == pytest.approx(2500.0, abs=0.05)
    player.acted(Act.PAUSE)
    paused = await told(player, UserActed)
    assert paused.act is Act.PAUSE
    assert paused.position == pytest.approx(2500.0, abs=0.1)


async def test_a_seek_by_hand_ends_when_the_person_says_so_or_after_a_while() -> None:
    said: list[str] = []
    player = ManualPlayer(said.append, seek_seconds=0.05)
    await player.load("the film")
    await player.seek(600.0)
    assert said[-1] == "Go to 10:00 and pause there, then say where you are."
    assert where(player) == 600.0
    seeking = asyncio.create_task(player.seek(900.0))
    await until(lambda: said[-1].startswith("Go to 15:00"))
    player.i_am_at(901.0)
    await seeking
    assert where(player) == 901.0


async def test_a_film_by_hand_ends_and_keeps_its_speed() -> None:
    player = ManualPlayer(print, length=10.0)
    with pytest.raises(PlayerError, match="No film"):
        await player.play_at(0.0)
    await player.load("the film", start=9.9)
    await player.set_speed(1.0)
    with pytest.raises(PlayerError, match="speed"):
        await player.set_speed(1.01)
    await player.play_at(0.0)
    await told(player, Ended)
    assert where(player) == 10.0
    await player.close()
