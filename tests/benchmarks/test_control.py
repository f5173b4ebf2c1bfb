"""The service of the control: the literal minimum rule, as naive as it is meant to be."""

import asyncio
import contextlib

from benchmarks.syncbench.control import LiteralRule


async def told(reader: asyncio.StreamReader) -> float:
    return float(await asyncio.wait_for(reader.readline(), 5.0))


async def test_each_report_sends_both_to_the_smaller_of_the_last_raw_positions() -> None:
    rule = LiteralRule()
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(rule.serving())
        lines = [await asyncio.open_connection("127.0.0.1", rule.port) for _ in range(2)]
        for _, writer in lines:
            stack.callback(writer.transport.abort)
        (host, to_host), (guest, to_guest) = lines

        to_host.write(b"10.0\n")
        assert await told(host) == 10.0  # the other has not reported yet
        to_guest.write(b"12.0\n")
        assert [await told(host), await told(guest)] == [10.0, 10.0]
        to_host.write(b"15.0\n")  # five seconds later the guest's last word still holds: nothing is carried forward
        assert [await told(host), await told(guest)] == [12.0, 12.0]


async def test_who_leaves_no_longer_counts() -> None:
    rule = LiteralRule()
    async with rule.serving():
        early, to_early = await asyncio.open_connection("127.0.0.1", rule.port)
        late, to_late = await asyncio.open_connection("127.0.0.1", rule.port)
        to_late.write(b"1.0\n")
        assert await told(late) == 1.0
        to_early.write(b"9.0\n")
        assert await told(early) == 1.0
        to_late.close()
        await asyncio.wait_for(to_late.wait_closed(), 5.0)
        with contextlib.suppress(ConnectionError):
            await asyncio.wait_for(late.read(), 5.0)  # the service has let go of it

        to_early.write(b"9.5\n")
        assert await told(early) == 9.5
        to_early.transport.abort()
