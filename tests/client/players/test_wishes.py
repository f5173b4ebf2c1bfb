"""Telling echoes from wishes, adding up presses, keeping events: the small parts of knowing a user's mind."""

import asyncio

import pytest

from dateflicks.client.players.base import Act, Closed, Ended, UserActed
from dateflicks.client.players.echoes import Echoes
from dateflicks.client.players.events import KEPT_MAX, PlayerEvents
from dateflicks.client.players.keys import STEP_PAUSE_SECONDS, Steps, section


def test_a_commands_echo_is_known_once() -> None:
    echoes = Echoes()
    echoes.expect("pause", True, 10.0)
    assert echoes.is_echo("pause", True, 10.1)
    assert not echoes.is_echo("pause", True, 10.2)


def test_a_change_that_nobody_asked_for_is_no_echo() -> None:
    echoes = Echoes()
    echoes.expect("pause", True, 10.0)
    assert not echoes.is_echo("pause", False, 10.1)
    assert not echoes.is_echo("speed", True, 10.1)


def test_changes_that_mpv_told_as_one_use_up_what_came_before() -> None:
    echoes = Echoes()
    for paused in (True, False, True):
        echoes.expect("pause", paused, 10.0)
    assert echoes.is_echo("pause", False, 10.1)
    assert echoes.is_echo("pause", True, 10.1)
    assert not echoes.is_echo("pause", True, 10.1)


def test_an_echo_later_than_three_seconds_is_its_users_doing() -> None:
    echoes = Echoes()
    echoes.expect("pause", True, 10.0)
    assert not echoes.is_echo("pause", True, 13.1)


def test_presses_in_a_row_are_one_place_within_the_film() -> None:
    steps = Steps()
    assert steps.press(5.0, 100.0, 110.0, 1.0) == 105.0
    assert steps.press(60.0, 100.2, 110.0, 1.2) == 110.0
    assert steps.press(-600.0, 100.3, 110.0, 1.3) == 0.0
    assert steps.take(1.3 + STEP_PAUSE_SECONDS / 2) is None
    assert steps.take(1.3 + STEP_PAUSE_SECONDS) == 0.0
    assert steps.take(99.0) is None


def test_no_key_is_bound_twice() -> None:
    keys = [line.split()[0] for line in section().splitlines()]
    assert len(keys) == len(set(keys))


async def test_a_full_queue_loses_the_oldest_wishes_and_never_the_end() -> None:
    events = PlayerEvents()
    for number in range(KEPT_MAX + 10):
        events.tell(UserActed(Act.SEEK, float(number), 0.0))
    events.tell(Closed(1.0, by_user=True))
    events.tell(Ended(2.0))
    first = await events.next()
    assert isinstance(first, UserActed)
    assert first.position == 10.0
    for _ in range(KEPT_MAX - 1):
        assert isinstance(await events.next(), UserActed)
    assert await events.next() == Closed(1.0, by_user=True)
    assert await events.next() == Closed(1.0, by_user=True)


async def test_whoever_waits_is_woken_by_an_event() -> None:
    events = PlayerEvents()
    waiting = asyncio.create_task(events.next())
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.shield(waiting), 0.01)
    events.tell(Ended(3.0))
    assert await waiting == Ended(3.0)
