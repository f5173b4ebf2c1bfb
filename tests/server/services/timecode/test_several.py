"""Several processes that serve one session: what people notice of it is nothing, whoever dies, hangs or is cut off.

Each process is a service of its own behind a port of its own; they share the database, and a real Redis.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dateflicks.protocol.frames import Role
from dateflicks.server.auth.tokens import Signer
from dateflicks.server.bus.redis import RedisBus
from dateflicks.server.clock import ServerClock
from dateflicks.server.runner import running
from dateflicks.server.services.timecode import detour
from dateflicks.server.services.timecode.app import TimecodeService
from dateflicks.server.services.timecode.records import COLLECTIONS, TIMECODES
from dateflicks.server.storage.database import Database, DatabaseSettings
from tests.journeys.deployment import Deployment as Address
from tests.journeys.room import Room, is_connected, make_timecode, take_seat
from tests.journeys.wire import Json, Rest, open_feed, open_rest
from tests.redis_server import RedisServer, redis_server
from tests.server.services.engine import OnEngine
from tests.server.services.timecode.deployment import KEY, Evening
from tests.waiting import until


@dataclass
class Worker:
    """One process, as it would be, in the test's own loop."""

    address: Address
    rest: Rest
    service: TimecodeService
    bus: RedisBus
    open: contextlib.AsyncExitStack

    def keeps(self, session_id: str) -> bool:
        return self.service._records.keeps(session_id)


@dataclass
class Several(OnEngine):
    """All of them."""

    workers: list[Worker]
    database: Database
    signer: Signer
    redis: RedisServer

    @contextlib.asynccontextmanager
    async def room(self, evening: Evening, *, apart: bool = True) -> AsyncIterator[Room]:
        """The host at the first process, the guest at the last."""
        first, last = self.workers[0], self.workers[-1] if apart else self.workers[0]
        await make_timecode(first.rest, {"id": evening.id}, evening.tickets[evening.host.id], 600.0)
        async with self.seat(first, evening, "host") as host, self.seat(last, evening, "guest") as guest:
            yield Room(first.address, first.rest, {"id": evening.id}, host, guest, evening.tickets)

    def seat(self, worker: Worker, evening: Evening, role: Role) -> Any:
        """A connection of one of the two to one process."""
        person = evening.host if role == "host" else evening.guest
        return take_seat(worker.address, person, evening.id, evening.tickets[person.id], is_host=role == "host")

    async def document(self, session_id: str) -> Json:
        found = await self.database.table(TIMECODES).get(session_id)
        assert found is not None
        return found


@contextlib.asynccontextmanager
async def several(folder: Path, count: int = 2) -> AsyncIterator[Several]:
    """So many processes for as long as the block runs."""
    signer, base = Signer(KEY), ServerClock().base
    async with (
        redis_server(folder) as redis,
        Database.open(DatabaseSettings(), folder / "data", COLLECTIONS) as database,
        contextlib.AsyncExitStack() as stack,
    ):
        workers = []
        for _ in range(count):
            own = await stack.enter_async_context(contextlib.AsyncExitStack())
            bus = await own.enter_async_context(RedisBus(redis.uri, deployment="test").open())
            service = TimecodeService(database, signer, bus, clock=ServerClock(base=base))
            server = await own.enter_async_context(running([service]))
            address = Address(server.url, is_ours=True)
            rest = await own.enter_async_context(open_rest(address))
            workers.append(Worker(address, rest, service, bus, own))
        await until(lambda: all(len(one.bus.workers) == count and one.bus.is_up for one in workers))
        yield Several(workers, database, signer, redis)
        assert not database.fence.breaches


@pytest.fixture
async def two(tmp_path: Path) -> AsyncIterator[Several]:
    async with several(tmp_path) as found:
        yield found


async def pause_and_play(room: Room) -> None:
    """Each asks for something, and the other agrees."""
    playing = await room.play()
    await room.start_of(playing)
    await room.guest.ask("pause", room.guest.position)
    paused = await room.pending("status", room.guest, "pause", after=playing)
    await room.host.ask("pause", paused["currentPosition"])
    await room.settled("pause", "pause", after=paused)


async def test_two_people_at_two_processes_are_told_the_same(two: Several) -> None:
    evening = Evening(two.signer)
    async with two.room(evening) as room:
        assert [worker.keeps(evening.id) for worker in two.workers] == [True, False]
        assert room.host.latest["clockId"] == room.guest.latest["clockId"]
        assert room.guest.feed.frames[0]["limits"] == room.host.feed.frames[0]["limits"]
        await pause_and_play(room)
        before = room.host.latest
        await room.host.seek(120.0)
        asked = await room.pending("seek", room.host, 120.0, after=before)
        await room.guest.seek(120.0)
        moved = await room.both(lambda frame: frame["pending"] is None, "moved", after=asked)
        assert moved["currentPosition"] == 120.0
        told = {frame["revision"]: frame for frame in room.host.timecodes}
        for frame in room.guest.timecodes:
            mine = {key: value for key, value in frame.items() if key != "limits"}
            same = {key: value for key, value in told.get(frame["revision"], frame).items() if key != "limits"}
            assert mine["status"] == same["status"]
            assert mine["reason"] == same["reason"]


async def test_who_looks_on_may_act_at_any_process_and_has_no_player_at_any(two: Several) -> None:
    evening = Evening(two.signer)
    async with two.room(evening) as room:
        path = f"{evening.path}/events?looksOn=true"
        async with open_feed(two.workers[-1].address, path, evening.ticket("host")) as remote:
            first = await remote.expect(lambda frame: frame["type"] == "timecode", "greeting")
            report = {"type": "report", "sessionId": evening.id, "currentPosition": 0.0, "isHost": True}
            await remote.send(**report, status="stop", cause="tick")
            assert (await remote.expect(lambda frame: frame["type"] == "error", "refusal"))["code"] == "looks-on"
            await remote.send(**report, status="play", cause="user", revision=first["revision"])
            asked = await room.guest.feed.expect(lambda frame: frame.get("pending") is not None, "asked")
        assert (asked["by"], asked["pending"]["to"]) == (room.host.id, "play")
        assert is_connected(asked, room.host)


async def test_what_is_wrong_is_told_to_whoever_said_it_at_any_process(two: Several) -> None:
    evening = Evening(two.signer)
    async with two.room(evening) as room:
        await room.guest.feed.send(type="refuse", sessionId=evening.id)
        error = await room.guest.feed.expect(lambda frame: frame["type"] == "error", "a refusal of nothing")
        assert (error["code"], error["replyTo"]) == ("nothing-pending", "refuse")


async def test_a_deletion_of_which_nobody_knows_whether_it_was_done_ends_nobody_s_film(two: Several) -> None:
    evening = Evening(two.signer)
    async with two.room(evening) as room:
        playing = await room.play()
        with two.stopped_engine():
            token = evening.tickets[evening.guest.id]
            await two.workers[1].rest.call("DELETE", evening.path, token=token, expect=503)
        await two.database.wait_up()
        await room.guest.ask("pause", room.guest.position)
        await room.both(lambda frame: frame["status"] == "pause", "the pause", after=playing)


async def test_a_length_told_to_any_process_and_a_deletion_reach_all(two: Several) -> None:
    evening = Evening(two.signer)
    other = two.workers[1].rest
    token = evening.tickets[evening.guest.id]
    async with two.room(evening) as room:
        before = room.host.latest
        answer = await other.call("PATCH", evening.path, {"timecode": {"length": 700.0}}, token=token, expect=200)
        assert answer.body["timecode"]["length"] == 700.0
        await room.both(lambda frame: frame["length"] == 700.0, "the new length", after=before)
        answer = await other.call("GET", evening.path, token=token, expect=200)
        assert answer.body["timecode"]["length"] == 700.0
        await other.call("DELETE", evening.path, token=token, expect=204)
        assert await room.host.feed.expect_closed() == 4404
        assert await room.guest.feed.expect_closed() == 4404


async def test_when_the_keeper_is_gone_the_other_goes_on_from_its_record_and_nobody_there_is_cut_off(
    two: Several,
) -> None:
    evening = Evening(two.signer)
    async with two.room(evening) as room:
        playing = await room.play()
        await room.start_of(playing)
        await two.workers[0].service._records.flush(10.0)
        for task in asyncio.all_tasks():  # nothing is put down, and nobody is told: as when a process is killed
            if task.get_name() in ("bus: beat", "bus: speak") and _is_of(task, two.workers[0].bus):
                task.cancel()
        await until(lambda: two.workers[1].keeps(evening.id))
        taken = await room.guest.timecode(lambda frame: frame["revision"] > 1_000, "the film from the other process")
        assert taken["status"] == "play"
        assert taken["rate"] == 1
        async with two.seat(two.workers[1], evening, "host") as host:
            await host.timecode(lambda frame: frame["status"] == "play", "the film that goes on")
            assert abs(host.position - room.guest.position) < 0.05
            before = host.latest
            await host.ask("pause", host.position)
            await room.guest.timecode(lambda frame: frame["status"] == "pause", "a pause", after=before)


def _is_of(task: "asyncio.Task[Any]", owner: object) -> bool:
    coroutine = task.get_coro()
    frame = getattr(coroutine, "cr_frame", None)
    return frame is not None and frame.f_locals.get("self") is owner


async def test_a_keeper_that_was_overtaken_writes_nothing_more_and_its_people_follow_the_new_one(two: Several) -> None:
    evening = Evening(two.signer)
    table = two.database.table(TIMECODES)
    async with two.room(evening) as room:
        await room.play()
        await two.workers[0].service._records.flush(10.0)
        stored = await two.document(evening.id)
        taken = stored | {
            "keeper": two.workers[1].bus.worker_id,
            "epoch": stored["epoch"] + 1,
            "rev": stored["rev"] + 1,
        }
        assert await table.replace(taken, stored["rev"])
        await room.host.ask("pause", room.host.position)
        await until(lambda: two.workers[1].keeps(evening.id) and not two.workers[0].keeps(evening.id))
        before = room.host.latest if room.host.latest["revision"] > 1_000 else None
        for seat in (room.host, room.guest):
            await seat.timecode(
                lambda frame: (
                    frame["revision"] > 1_000 and all(is_connected(frame, one) for one in (room.host, room.guest))
                ),
                "the word of the new keeper, who knows of both",
                after=before,
            )
        before = room.guest.latest
        await room.guest.ask("pause", room.guest.position)
        await room.both(lambda frame: frame["status"] == "pause", "a pause", after=before)


async def test_a_keeper_that_heard_nothing_of_being_overtaken_looks_once_it_hears_again(two: Several) -> None:
    evening = Evening(two.signer)
    table = two.database.table(TIMECODES)
    async with two.room(evening, apart=False) as room:
        await room.play()
        await two.workers[0].service._records.flush(10.0)
        stored = await two.document(evening.id)
        changes = {"keeper": two.workers[1].bus.worker_id, "epoch": stored["epoch"] + 1, "rev": stored["rev"] + 1}
        assert await table.replace(stored | changes, stored["rev"])
        two.workers[0].bus._call_returned()
        await until(lambda: two.workers[1].keeps(evening.id) and not two.workers[0].keeps(evening.id))
        await room.guest.timecode(lambda frame: frame["revision"] > 1_000, "the word of the new keeper")


async def test_while_the_bus_is_away_pairs_of_one_process_notice_nothing_and_others_pause_through_the_database(
    two: Several,
) -> None:
    apart, together = Evening(two.signer), Evening(two.signer)
    async with two.room(apart) as far, two.room(together, apart=False) as near:
        playing = await far.play()
        await far.start_of(playing)
        await two.redis.kill()
        await until(lambda: not any(worker.bus.is_up for worker in two.workers))
        await pause_and_play(near)
        before = far.host.latest
        await far.guest.ask("pause", far.guest.position)
        await far.host.timecode(lambda frame: frame["status"] == "pause", "the guest's pause", after=before)
        await far.guest.timecode(lambda frame: frame["status"] == "pause", "their own pause", after=before)
        await two.redis.start()
        await until(lambda: all(worker.bus.is_up for worker in two.workers))
        before = far.guest.latest
        await far.host.ask("play", far.host.position)
        await far.guest.timecode(lambda frame: frame["revision"] > before["revision"], "a wish of the host")
        assert [worker.keeps(apart.id) for worker in two.workers] == [True, False]


async def test_a_keeper_that_dies_while_the_bus_is_away_is_missed_by_the_letters_that_it_does_not_take(
    two: Several, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(detour, "TAKEN_SECONDS", 0.5)
    evening = Evening(two.signer)
    async with two.room(evening) as room:
        await room.start_of(await room.play())
        await two.workers[0].service._records.flush(10.0)
        await two.redis.kill()
        await until(lambda: not any(worker.bus.is_up for worker in two.workers))
        for task in asyncio.all_tasks():  # it takes no letters any more
            if task.get_name() == "timecode detour" and _is_of(task, two.workers[0].service._house._detour):
                task.cancel()
        await room.guest.tick()
        await until(lambda: two.workers[1].keeps(evening.id))
        before = await room.guest.timecode(lambda frame: frame["revision"] > 1_000, "the film from the other process")
        await room.guest.ask("pause", room.guest.position)
        await room.guest.timecode(lambda frame: frame["status"] == "pause", "a pause", after=before)


async def test_what_was_stuck_on_a_bus_that_hung_does_not_come_behind_what_is_newer(two: Several) -> None:
    evening = Evening(two.signer)
    async with two.room(evening) as room:
        playing = await room.play()
        await room.start_of(playing)
        two.redis.freeze()
        before = room.guest.latest
        await room.host.ask("pause", room.host.position)  # the keeper's word of it is stuck
        await until(lambda: not any(worker.bus.is_up for worker in two.workers))
        await room.guest.timecode(lambda frame: frame["status"] == "pause", "the pause by the database", after=before)
        before = room.guest.latest
        await room.guest.ask("pause", room.guest.position)
        await room.guest.timecode(lambda frame: frame["pending"] is None, "what they agreed to", after=before)
        two.redis.thaw()
        await until(lambda: all(worker.bus.is_up for worker in two.workers))
        before = room.guest.latest
        await room.host.ask("play", room.host.position)
        await room.guest.timecode(lambda frame: frame["pending"] is not None, "a wish of the host", after=before)
        revisions = [frame["revision"] for frame in room.guest.timecodes]
        assert revisions == sorted(revisions)
