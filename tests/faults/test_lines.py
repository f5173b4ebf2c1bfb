"""Lines that are half open, and a client that reads nothing: the other one notices nothing but who is away."""

import asyncio
import time

import pytest

from benchmarks.faultbench.sockets import opened
from dateflicks.client.relay import LoopbackPort
from tests.faults.couple import couple
from tests.faults.town import Town, until


class Valve(LoopbackPort):
    """A line between clients and services that is closed in the middle: connections stay, and nothing passes."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self._target = port
        self._is_open = asyncio.Event()
        self._is_open.set()

    def close(self) -> None:
        """From now on nothing passes, and nobody is told."""
        self._is_open.clear()

    def open(self) -> None:
        """All of it passes."""
        self._is_open.set()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._is_open.wait()
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self._target)
        try:
            await asyncio.wait(
                [
                    asyncio.create_task(self._pass(reader, there_writer)),
                    asyncio.create_task(self._pass(there_reader, writer)),
                ],
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            there_writer.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65_536):
                await self._is_open.wait()
                writer.write(data)
                await writer.drain()
        except OSError:
            return


@pytest.mark.long
async def test_a_line_on_which_nothing_passes_is_given_up_and_the_other_one_watches_on(alone: Town) -> None:
    async with Valve(alone.port) as valve, couple(alone.url, f"http://127.0.0.1:{valve.port}") as pair:
        await pair.play()
        since = time.monotonic()
        valve.close()
        await until(lambda: not pair.guest.is_connected, "a line that is given up for dead")
        await until(lambda: not all(pair.host.presence), "the guest away for the host")
        pair.check_unmoved(since)
        pair.check_went_on(since)
        valve.open()
        await pair.in_step_again()
        pair.check_unmoved(since)
        await pair.ask("pause", pair.host)
        await pair.settle()


@pytest.mark.long
async def test_a_connection_that_reads_nothing_is_cut_off_and_nobody_else_notices(alone: Town) -> None:
    async with couple(alone.url) as pair:
        await pair.play(0.3)
        since = time.monotonic()
        ticket = pair.guest.session.ticket
        assert isinstance(ticket, str)
        async with opened(alone.port, pair.session.id, ticket, "messages") as stuck:
            stuck._reader._transport.pause_reading()  # type: ignore[attr-defined]  # the peer's window closes
            for number in range(60):
                for one in pair.both:
                    one.say(f"{one.name} says at length {number} " + "x" * 3_000)
                await asyncio.sleep(0.05)
            await until(lambda: sum(one.waits for one in pair.both) == 0, "all of it acknowledged")
        pair.check_unmoved(since)
        pair.check_went_on(since)
        assert max(one.apart(since) for one in pair.both) == 0.0
        await pair.ask("pause", pair.guest)
        await pair.settle()
