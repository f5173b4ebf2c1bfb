"""Catching up: everything after a number, once and in order, whatever happens meanwhile, at the reader's pace."""

import asyncio
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pymongo
import pytest
from nx_27017.handler import NeoSQLiteHandler

from dateflicks.server.services.messages import catching, handler, room
from dateflicks.server.services.messages.records import Draft, to_document
from dateflicks.server.websocket.connection import BEHIND_BYTES
from tests.server.services.messages.deployment import Deployment, Talk, deployed
from tests.server.websocket.peer import Peer, connected
from tests.server.websocket.sending import frame
from tests.waiting import until

MANY = 12_500  # five times what fits into what a peer may leave unread
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


async def fill(own: Deployment, talk: Talk, count: int, *, first: int = 1, size: int = 10) -> None:
    """So many messages, as the service would have written them."""
    driver = own.database._client["MessageDb"]["messages"]
    for documents in written(talk, count, first=first, size=size):
        with pymongo.timeout(60):
            await driver.insert_many(documents)


def fill_files(databases: Path, talk: Talk, count: int, *, size: int) -> None:
    """The same in the files of an engine that does not run: for very many."""
    engine = NeoSQLiteHandler(data_dir=str(databases))
    try:
        engine.get_database("MessageDb").db.execute("PRAGMA synchronous = OFF")
        for documents in written(talk, count, size=size):
            body = {"insert": "messages", "documents": documents, "$db": "MessageDb"}
            message = {"request_id": 1, "sections": [("body", body)], "_conn_id": "test"}
            _, answer = engine.handle_insert(message)
            assert answer["n"] == len(documents), answer
    finally:
        engine.close_all()


def written(talk: Talk, count: int, *, first: int = 1, size: int) -> Iterator[list[dict[str, Any]]]:
    """Documents of messages, some at a time."""
    for start in range(first, first + count, 500):
        documents = []
        for seq in range(start, min(start + 500, first + count)):
            draft = Draft(kind="text", content=f"{seq} " + "x" * size, author=talk.ana.id, author_name="ana")
            document = to_document(talk.id, draft, draft.id_in(talk.id), 1.8e9 + seq)
            documents.append({"_id": f"{talk.id}:{seq:012d}", "seq": seq, "rev": 1, **document})
        yield documents


async def test_two_who_come_at_one_moment_cost_one_look_at_what_was_said(
    own: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "FRESH_SECONDS", 60.0)
    with own.commands() as commands:
        async with own.both() as (ana, bea):
            await ana.resume()
            await bea.resume()
    assert commands == ["find"]


async def test_whoever_knows_of_more_than_this_process_is_told_what_follows_that_and_nothing_twice(
    own: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "FRESH_SECONDS", 60.0)
    talk = own.talk()
    async with own.speaker(talk, talk.ana, is_silent=True) as ana, own.another() as elsewhere:
        for content in ("one", "two"):
            await elsewhere.post(talk, talk.bea, {"message": {"content": content}})
        await ana.resume(after=1)
    assert ana.seqs == [2]


async def test_whoever_resumes_hears_the_rest_once_and_in_order_and_then_what_is_new(own: Deployment) -> None:
    talk = own.talk()
    await fill(own, talk, 450)
    async with own.both(talk) as (ana, bea):
        assert (await bea.resume(120)).items() >= {"seq": 450, "changes": 0}.items()
        assert bea.seqs == list(range(121, 451))
        await ana.said("live")
        await bea.message(451)
        assert bea.seqs == list(range(121, 452))
        assert ana.seqs == [451]


async def test_what_is_said_while_somebody_catches_up_is_heard_once_and_in_its_place(own: Deployment) -> None:
    talk = own.talk()
    await fill(own, talk, 2_000, size=200)
    async with own.both(talk) as (ana, bea), own.speaker(talk, talk.bea) as too:
        await asyncio.gather(bea.feed.send(type="resume", after=0), too.feed.send(type="resume", after=1_500))
        for number in range(100):
            await ana.say(f"live {number}")
            if number % 10 == 0:
                await bea.feed.send(type="resume", after=max(bea.seqs, default=0))  # as after a break
        for speaker, first in ((bea, 1), (too, 1_501)):
            await speaker.message(2_100)
            await speaker.told("resumed")
            assert sorted(set(speaker.seqs)) == list(range(first, 2_101))
        assert too.seqs == list(range(1_501, 2_101))


async def test_a_resume_starts_anew_and_the_last_one_is_answered(own: Deployment) -> None:
    talk = own.talk()
    await fill(own, talk, 300)
    async with own.speaker(talk, talk.ana) as ana:
        for after in (0, 299, 250):
            await ana.feed.send(type="resume", after=after)
        await ana.told("resumed", seq=300)
        assert ana.seqs[-50:] == list(range(251, 301))


async def test_who_knows_more_than_there_is_is_told_where_the_talk_stands(own: Deployment) -> None:
    talk = own.talk()
    async with own.both(talk) as (ana, bea):
        assert (await bea.resume(7, changes=9)).items() >= {"seq": 0, "changes": 0}.items()
        await ana.said("first")
        assert (await bea.message(1))["content"] == "first"


async def test_whoever_does_not_resume_hears_what_is_said_from_now_on(own: Deployment) -> None:
    talk = own.talk()
    await fill(own, talk, 10)
    async with own.both(talk) as (ana, bea):
        await ana.said("live")
        await bea.message(11)
        assert bea.seqs == [11]


async def test_what_is_said_before_the_first_frame_is_not_told_before_what_that_asks_for(
    own: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handler, "FIRST_FRAME_SECONDS", 600.0)
    talk = own.talk()
    await fill(own, talk, 10)
    async with own.speaker(talk, talk.ana) as ana, own.speaker(talk, talk.bea, is_silent=True) as bea:
        await ana.said("live")
        await bea.resume(4)
        assert bea.seqs == list(range(5, 12))


async def test_whoever_says_nothing_is_told_after_a_moment_what_was_said_since_they_came(own: Deployment) -> None:
    talk = own.talk()
    await fill(own, talk, 10)
    async with own.speaker(talk, talk.ana) as ana, own.speaker(talk, talk.bea, is_silent=True) as bea:
        first = await ana.said("first")
        await ana.feed.send(type="edit", id=first["id"], content="changed")
        await bea.told("edited")
        await ana.said("second")
        await bea.message(12)
        assert bea.seqs == [11, 12]
        assert [one["type"] for one in bea.feed.frames] == ["message", "edited", "message"]


async def test_an_edit_while_somebody_catches_up_is_what_they_end_with(
    own: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    talk = own.talk()
    async with own.both(talk) as (ana, bea):
        messages = [await ana.said(f"{number}") for number in range(8)]
        monkeypatch.setattr(catching, "PAGE", 4)
        room = own.service._handler._rooms[talk.id]
        read, is_read, go_on = room.messages.page, asyncio.Event(), asyncio.Event()

        async def slow(first: int, last: int) -> Any:
            page = await read(first, last)
            if first == 1:
                is_read.set()
                await go_on.wait()
            return page

        monkeypatch.setattr(room.messages, "page", slow)
        async with own.speaker(talk, talk.bea) as late:
            await late.feed.send(type="resume", after=0)
            await is_read.wait()  # the first page is as it was before the edit
            await ana.feed.send(type="edit", id=messages[1]["id"], content="one")
            await bea.told("edited")
            go_on.set()
            assert (await late.told("resumed"))["changes"] == 1
            assert late.seqs == list(range(1, 9))
            assert late.messages[1]["content"] == "1"
            assert [one["type"] for one in late.feed.frames[-2:]] == ["edited", "resumed"]


async def test_a_hole_in_the_database_does_not_keep_anybody_waiting(own: Deployment) -> None:
    talk = own.talk()
    await fill(own, talk, 3)
    await fill(own, talk, 296, first=5)
    async with own.speaker(talk, talk.ana) as ana:
        room = own.service._handler._rooms[talk.id]
        room.messages.head = 300
        assert (await ana.resume(0))["seq"] == 300
        assert ana.seqs == [1, 2, 3, *range(5, 301)]


async def test_a_connection_that_ends_while_it_catches_up_leaves_nothing_behind(own: Deployment) -> None:
    talk = own.talk()
    await fill(own, talk, 3_000, size=1_000)
    async with lazy(own, talk):
        await until(lambda: bool(behind(own)), "somebody is behind")
    await until(lambda: not own.service._handler._tasks, "nobody catches up")


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_a_slow_reader_of_very_many_messages_is_neither_dropped_nor_kept_in_memory(tmp_path: Path) -> None:
    async with deployed(tmp_path / "data") as first:
        talk = first.talk()
    fill_files(tmp_path / "data" / "mongo" / "databases", talk, MANY, size=100)
    async with deployed(tmp_path / "data") as own, own.both(talk) as (ana, bea), lazy(own, talk) as peer:
        await until(lambda: bool(behind(own)), "somebody is behind")
        before, most, grown = resident(), 0, 0
        seqs: list[int] = []
        while not seqs or seqs[-1] < MANY + 1:
            told = await peer.heard()
            if told["type"] == "message":
                seqs.append(told["message"]["seq"])
            if len(seqs) % 500 == 1:
                most, grown = max(most, *behind(own), 0), max(grown, resident() - before)
            if len(seqs) == MANY // 2 and told["type"] == "message":
                await ana.said("hello")  # the others talk on
                assert (await bea.message(MANY + 1))["content"] == "hello"
        assert seqs == list(range(1, MANY + 2))
        assert (await peer.heard())["type"] == "resumed"
        print(f"at most {most} bytes were unread, and the process grew by {grown / 2**20:.1f} MB")
        assert BEHIND_BYTES < most < 2 * BEHIND_BYTES
        assert grown < 64 * 2**20


class lazy:  # noqa: N801 - used like a function
    """A connection of bea's that has asked for everything, with room for little on its way."""

    def __init__(self, own: Deployment, talk: Talk) -> None:
        self._own, self._talk = own, talk
        self._connection = connected(own.address.port, receive_buffer=4_096)

    async def __aenter__(self) -> Peer:
        peer = await self._connection.__aenter__()
        head = [
            f"GET {self._talk.path}/events HTTP/1.1", "Host: x", "Connection: Upgrade", "Upgrade: websocket",
            "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
            f"Authorization: Bearer {self._talk.bea.ticket}",
        ]  # fmt: skip
        await peer.send("\r\n".join([*head, "", ""]).encode())
        assert (await peer.answer())[0] == 101
        await peer.send(frame(json.dumps({"type": "resume", "after": 0}).encode()))
        return peer

    async def __aexit__(self, *exc: Any) -> None:
        await self._connection.__aexit__(*exc)


def behind(own: Deployment) -> list[int]:
    """How many bytes each connection has left unread, of those with more than a page of them."""
    sizes = [connection._transport.get_write_buffer_size() for connection in own.service._gate]
    return [size for size in sizes if size > BEHIND_BYTES]


def resident() -> int:
    """Bytes of memory of this process, which is the server's too."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE_BYTES
