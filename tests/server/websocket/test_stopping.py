"""A server that stops tells every socket to come back (1012), and does not wait long for those that do not listen."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Any

import pytest

from dateflicks.server.runner import running
from tests.server.websocket.peer import connected, do, handshake, joined
from tests.server.websocket.relay import Relay
from tests.waiting import until


def uvloop_factory() -> asyncio.AbstractEventLoop:
    uvloop: Any = pytest.importorskip("uvloop")
    loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    return loop


@pytest.mark.parametrize("loop_factory", [asyncio.new_event_loop, uvloop_factory])
def test_two_hundred_sockets_are_all_told_1012_and_the_stop_is_quick(
    loop_factory: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    async def stop() -> None:
        relay = Relay()
        async with contextlib.AsyncExitStack() as peers:
            async with running([relay]) as server:
                found = [
                    await peers.enter_async_context(
                        joined(server.port, f"r{number}", f"p{number}", source=f"127.0.0.{2 + number // 50}")
                    )
                    for number in range(200)
                ]
                assert len(relay.gate) == 200
                endings = [asyncio.create_task(peer.ending()) for peer in found]
                began = time.monotonic()
            assert time.monotonic() - began < 5
            assert [await ending for ending in endings] == [1012] * 200
            assert len(relay.gate) == 0
            assert {seat.ends for seat in relay.seats} == {1}

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(stop())


async def test_sockets_that_do_not_listen_hold_up_nobody_and_those_that_do_are_told() -> None:
    relay = Relay()
    async with contextlib.AsyncExitStack() as peers:
        async with running([relay]) as server:
            deaf = [
                await peers.enter_async_context(joined(server.port, token=f"d{number}", receive_buffer=4096))
                for number in range(3)
            ]
            listening = await peers.enter_async_context(joined(server.port))
            await deaf[0].send(do("close"))
            await until(lambda: relay.seats[0].ends == 1)
            began = time.monotonic()
            ending = asyncio.create_task(listening.ending())
        assert time.monotonic() - began < 5
        assert await ending == 1012
        assert [await peer.ending() for peer in deaf] == [4404, 1012, 1012]


async def test_a_handshake_that_is_under_way_when_the_server_stops_gets_no_socket_that_stays() -> None:
    relay = Relay()
    async with contextlib.AsyncExitStack() as peers:
        async with running([relay]) as server:
            late = await peers.enter_async_context(connected(server.port))
            await late.send(handshake("waiting"))
            await until(lambda: relay.waiting == 1)
            asyncio.get_running_loop().call_later(0.05, relay.go_on.set)
        assert len(relay.gate) == 0
        assert all(seat.ends == 1 for seat in relay.seats)
        status, _, _ = await late.answer()
        assert status in {0, 101, 503}
        if status == 101:
            assert await late.ending() in {1012, None}
