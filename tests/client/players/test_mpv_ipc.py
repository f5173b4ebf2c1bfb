"""The IPC client against peers that answer late, wrongly, too much or not at all."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from dateflicks.client.players.mpv_ipc import (
    LINE_MAX_BYTES,
    PENDING_MAX,
    IpcClosed,
    IpcEvent,
    IpcRefused,
    IpcTimeout,
    MpvIpc,
    connect_path,
)
from tests.waiting import until

Peer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Heard:
    """What came out of a connection by itself."""

    def __init__(self) -> None:
        self.events: list[IpcEvent] = []
        self.lost: list[str] = []


@asynccontextmanager
async def connected(tmp_path: Path, peer: Peer) -> AsyncIterator[tuple[MpvIpc, Heard]]:
    """A client connected to a peer that behaves as told."""
    path = tmp_path / "peer"
    heard = Heard()
    begun, ended = asyncio.Event(), asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        begun.set()
        try:
            await peer(reader, writer)
        except ConnectionError:
            pass
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()
            ended.set()

    server = await asyncio.start_unix_server(serve, path)
    ipc = await connect_path(path, heard.events.append, heard.lost.append)
    try:
        await asyncio.wait_for(begun.wait(), 10)
        yield ipc, heard
    finally:
        ipc.close()
        server.close()
        await server.wait_closed()
        await asyncio.wait_for(ended.wait(), 10)


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, **fields: object) -> None:
    """Answer one request with these fields."""
    request = json.loads(await reader.readline())
    fields = {"request_id": request["request_id"], "error": "success", "data": request["command"], **fields}
    writer.write(json.dumps(fields).encode() + b"\n")


async def wait_for_end(reader: asyncio.StreamReader) -> None:
    while await reader.read(65536):
        pass


async def test_answers_find_their_questions_in_any_order(tmp_path: Path) -> None:
    async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines = [json.loads(await reader.readline()) for _ in range(3)]
        for line in reversed(lines):
            text = json.dumps({"request_id": line["request_id"], "error": "success", "data": line["command"][1]})
            for byte in text.encode() + b"\n":  # in the smallest pieces
                writer.write(bytes([byte]))
        await wait_for_end(reader)

    async with connected(tmp_path, peer) as (ipc, _):
        assert await asyncio.gather(*(ipc.get(name) for name in ("a", "b", "c"))) == ["a", "b", "c"]


async def test_an_answer_is_stamped_around_the_time_it_took(tmp_path: Path) -> None:
    async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.05)
        await answer(reader, writer)
        await wait_for_end(reader)

    async with connected(tmp_path, peer) as (ipc, _):
        reply = await ipc.command("get_property", "pause")
        assert 0.04 < reply.took < 1.0
        assert reply.sent_at < reply.at < reply.received_at


async def test_a_refusal_says_why(tmp_path: Path) -> None:
    async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await answer(reader, writer, error="property unavailable")
        await wait_for_end(reader)

    async with connected(tmp_path, peer) as (ipc, _):
        with pytest.raises(IpcRefused, match="property unavailable"):
            await ipc.get("audio-pts")


async def test_silence_ends_in_a_timeout_and_a_late_answer_does_no_harm(tmp_path: Path) -> None:
    go_on = asyncio.Event()

    async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await go_on.wait()
        await answer(reader, writer)
        await answer(reader, writer)
        await wait_for_end(reader)

    async with connected(tmp_path, peer) as (ipc, heard):
        with pytest.raises(IpcTimeout, match="did not answer"):
            await ipc.command("first", timeout=0.05)
        go_on.set()
        assert (await ipc.command("second")).data == ["second"]
        assert not heard.lost


async def test_questions_without_answers_do_not_pile_up(tmp_path: Path) -> None:
    async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await wait_for_end(reader)

    async with connected(tmp_path, peer) as (ipc, _):
        questions = [ipc.send("get_property", "pause") for _ in range(PENDING_MAX)]
        with pytest.raises(IpcTimeout, match="unanswered"):
            ipc.send("get_property", "pause")
        ipc.close()
        for result in await asyncio.gather(*questions, return_exceptions=True):
            assert isinstance(result, IpcClosed)


async def test_a_peer_that_goes_wakes_all_who_wait(tmp_path: Path) -> None:
    async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()

    async with connected(tmp_path, peer) as (ipc, heard):
        with pytest.raises(IpcClosed, match="closed the connection"):
            await ipc.get("pause")
        assert len(heard.lost) == 1
        with pytest.raises(IpcClosed):
            await ipc.get("pause")


@pytest.mark.parametrize(
    "line",
    [
        b"HTTP/1.1 400 Bad Request\r\n",
        b"[1, 2]\n",
        b"null\n",
        b"\xff\xfe\n",
        b"[" * 100_000 + b"\n",
        b'{"event": "seek"' + b"\n",
        b"x" * (LINE_MAX_BYTES + 2),
    ],
)
async def test_a_peer_that_is_no_mpv_is_let_go_of(tmp_path: Path, line: bytes) -> None:
    async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(line)
        await wait_for_end(reader)

    async with connected(tmp_path, peer) as (ipc, heard):
        await until(lambda: bool(heard.lost))
        assert "does not speak" in heard.lost[0]
        with pytest.raises(IpcClosed):
            await ipc.get("pause")


async def test_strange_but_whole_messages_are_passed_over(tmp_path: Path) -> None:
    async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for odd in ({}, {"event": 7}, {"request_id": "x"}, {"request_id": 99, "error": "success"}, {"request_id": [1]}):
            writer.write(json.dumps(odd).encode() + b"\n")
        writer.write(b'{"event": "seek", "extra": {"deep": [1]}}\n')
        await answer(reader, writer)
        await wait_for_end(reader)

    async with connected(tmp_path, peer) as (ipc, heard):
        assert (await ipc.command("hello")).data == ["hello"]
        assert [event.name for event in heard.events] == ["seek"]


async def test_a_peer_that_stops_reading_is_let_go_of(tmp_path: Path) -> None:
    stop = asyncio.Event()

    async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await stop.wait()

    async with connected(tmp_path, peer) as (ipc, heard):
        questions = []
        while ipc.lost is None:
            questions.append(ipc.send("show-text", "x" * 60_000))
        stop.set()
        for result in await asyncio.gather(*questions, return_exceptions=True):
            assert isinstance(result, IpcClosed)
        assert heard.lost == ["mpv stopped reading what it is told"]


async def test_nobody_at_the_socket_is_told_by_its_path(tmp_path: Path) -> None:
    with pytest.raises(IpcClosed, match="nobody"):
        await connect_path(tmp_path / "nobody", lambda _: None, lambda _: None)
