"""The two who watch: how they leave."""

import asyncio
from types import SimpleNamespace

import pytest

from dateflicks.cli.demo.people import Person
from dateflicks.client.errors import Unreachable
from dateflicks.settings.client import ClientSettings


class Leaving:
    """A person with an evening, a player and a line, of which only the closing matters."""

    def __init__(self) -> None:
        self.closed: list[str] = []
        self.person = Person("ana", ClientSettings(server="http://127.0.0.1:9"))
        self.person.screen = SimpleNamespace(player=SimpleNamespace(close=self.close_player))  # type: ignore[assignment]  # all that is used of one
        self.hang_up = self.person.client.close
        self.person.client.close = self.close_client  # type: ignore[method-assign]  # seen by the test

    async def close_player(self) -> None:
        self.closed.append("player")

    async def close_client(self) -> None:
        await self.hang_up()
        self.closed.append("client")


async def test_whoever_is_called_off_while_leaving_closes_all_and_is_called_off() -> None:
    leaving, holds, is_ending = Leaving(), asyncio.Event(), asyncio.Event()

    async def ends_slowly() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            is_ending.set()
            await holds.wait()

    watching = leaving.person._watching = asyncio.create_task(ends_slowly())
    await asyncio.sleep(0)
    leave = asyncio.create_task(leaving.person.leave())
    await is_ending.wait()
    leave.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leave
    assert leaving.closed == ["player", "client"]
    holds.set()
    await asyncio.wait({watching})


@pytest.mark.parametrize("error", [None, Unreachable("There is no line."), ZeroDivisionError("nobody foresaw it")])
async def test_however_the_evening_ended_all_is_closed_and_only_what_nobody_foresaw_is_raised(
    error: Exception | None,
) -> None:
    leaving = Leaving()

    async def ends() -> None:
        if error is not None:
            raise error

    leaving.person._watching = asyncio.create_task(ends())
    await asyncio.wait({leaving.person._watching})
    if isinstance(error, ZeroDivisionError):
        with pytest.raises(ZeroDivisionError):
            await leaving.person.leave()
    else:
        await leaving.person.leave()
    assert leaving.closed == ["player", "client"]
