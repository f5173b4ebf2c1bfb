"""The service is killed, or stopped and started again, on the same data: nobody loses their place."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from dateflicks.server.auth.key import FILE_NAME, signing_key
from dateflicks.server.auth.tokens import Signer
from dateflicks.server.bus.local import LocalBus
from dateflicks.server.ending import end
from dateflicks.server.services.timecode import handler
from dateflicks.server.services.timecode.app import TimecodeService
from dateflicks.server.services.timecode.records import COLLECTIONS, TIMECODES
from dateflicks.server.storage.database import Database, DatabaseSettings
from tests.cli.process import Program
from tests.journeys.deployment import Deployment as Address
from tests.journeys.room import Room, make_timecode, position_at, seats
from tests.journeys.wire import open_rest, refusal
from tests.server.services.timecode.deployment import DEADLINE_SECONDS, KEY, Deployment, Evening, deployed, play_from
from tests.waiting import until

pytestmark = pytest.mark.slow


@contextlib.contextmanager
def serving(home: Path) -> Iterator[tuple[Program, Address]]:
    """The timecode service alone, as a process of its own."""
    with Program(home, "serve", "timecode", "--port", "0", "--data", str(home / "data")) as program:
        program.until_said("Serving timecode at ")
        found = re.search(r"http://\S+", "\n".join(line for line in program.err if line.startswith("Serving")))
        assert found
        yield program, Address(found[0], is_ours=True)


@contextlib.asynccontextmanager
async def together(address: Address, evening: Evening) -> AsyncIterator[Room]:
    """Both are connected, and the connections may end by themselves."""
    async with AsyncExitStack() as stack:
        session = {"id": evening.id}
        host, guest = await stack.enter_async_context(
            seats(address, evening.host, evening.guest, session, evening.tickets)
        )
        rest = await stack.enter_async_context(open_rest(address))
        yield Room(address, rest, session, host, guest, evening.tickets)


@pytest.mark.long  # in every run tests/faults does it
async def test_after_a_kill_all_are_on_one_timeline_again_where_their_players_went_on(tmp_path: Path) -> None:
    home = tmp_path / "service"
    with serving(home) as (program, address):
        evening = Evening(Signer(signing_key("", home / "data" / FILE_NAME)))
        async with open_rest(address) as rest:
            await make_timecode(rest, {"id": evening.id}, evening.tickets[evening.host.id], 3_600)
        async with together(address, evening) as room:
            playing = await play_from(room, 500)
            await room.watch_for(0.5)
            program.process.kill()
            for seat in (room.host, room.guest):
                await seat.feed.expect_closed()
            last = room.host.latest
            began = room.host.now_ms / 1_000 - room.host.position  # the server's clock is Unix time, before and after
    with serving(home) as (_, address):
        async with together(address, evening) as room:
            first = room.host.feed.frames[0]
            assert first["clockId"] != last["clockId"]
            assert first["revision"] > last["revision"] >= playing["revision"]
            assert (first["status"], first["rate"], first["waitingFor"]) == ("play", 1, [])

            def players() -> float:
                return room.host.now_ms / 1_000 - began

            for _ in range(3):
                for seat in (room.host, room.guest):
                    await seat.tick(players())
                    await seat.feed.ping()
            for seat in (room.host, room.guest):
                assert (seat.latest["status"], seat.latest["rate"]) == ("play", 1)
                assert position_at(seat.latest, seat.now_ms) == pytest.approx(players(), abs=0.15)
            assert room.host.latest["revision"] == room.guest.latest["revision"]
            before = room.host.latest
            await room.guest.ask("pause", players())
            await room.pending("status", room.guest, "pause", after=before)


async def test_what_was_pending_at_a_kill_can_still_be_answered(tmp_path: Path) -> None:
    home = tmp_path / "service"
    with serving(home) as (program, address):
        evening = Evening(Signer(signing_key("", home / "data" / FILE_NAME)))
        async with open_rest(address) as rest:
            await make_timecode(rest, {"id": evening.id}, evening.tickets[evening.host.id], 3_600)
        async with together(address, evening) as room:
            before = room.host.latest
            await room.host.seek(900)
            asked = await room.pending("seek", room.host, 900, after=before)
            # It is told at once and written a moment later: what is answered after it is written after it.
            await room.rest.call("GET", evening.path, token=evening.ticket("host"))
            await room.watch_for(0.3, host=None, guest=None)
            program.process.kill()
            await room.host.feed.expect_closed()
    with serving(home) as (_, address):
        async with together(address, evening) as room:
            assert room.host.latest["pending"] == asked["pending"]
            await room.guest.seek(900)
            moved = await room.both(lambda frame: frame["pending"] is None, "moved", after=room.host.latest)
            assert (moved["currentPosition"], moved["status"]) == (900, "stop")


async def test_an_orderly_stop_says_so_and_the_film_goes_on_after_it_as_if_nothing_had_been(tmp_path: Path) -> None:
    async with AsyncExitStack() as evening_long:
        async with deployed(tmp_path) as first:
            evening = first.evening()
            room = await evening_long.enter_async_context(first.room(evening))
            await play_from(room, 100)
            await room.watch_for(0.3)
            last = room.host.latest
        for seat in (room.host, room.guest):
            assert await seat.feed.expect_closed() == 1012
            assert seat.latest["reason"] == last["reason"]  # nobody was told that the other had left
        here = room.host.now_ms
    async with deployed(tmp_path) as second:
        document = await second.document(evening.id)
        assert document is not None
        assert sorted(document["present"]) == sorted([evening.host.id, evening.guest.id])
        assert document["at"] * 1_000 >= last["at"]
        kept = last | {"currentPosition": document["currentPosition"], "at": document["at"] * 1_000}
        assert position_at(kept, here) == pytest.approx(position_at(last, here), abs=0.001)
        async with second.room(evening, length=None) as room:
            back = room.host.feed.frames[0]
            assert (back["status"], back["rate"], back["waitingFor"]) == ("play", 1, [])
            assert position_at(back, room.host.now_ms) == pytest.approx(position_at(last, room.host.now_ms), abs=0.05)


async def test_a_pause_is_found_as_it_was_after_a_stop(tmp_path: Path) -> None:
    async with deployed(tmp_path) as first:
        evening = first.evening()
        async with first.room(evening) as room:
            playing = await play_from(room, 100)
            await room.host.ask("pause")
            asked = await room.pending("status", room.host, "pause", after=playing)
            await room.guest.ask("pause")
            paused = await room.settled("pause", None, after=asked)
    async with deployed(tmp_path) as second:
        timecode = (await second.call("GET", evening.path, evening.ticket("guest")))["timecode"]
        assert (timecode["status"], timecode["lastStatusChange"]) == ("pause", paused["lastStatusChange"])
        assert timecode["currentPosition"] == pytest.approx(paused["currentPosition"], abs=0.001)
        assert timecode["revision"] > paused["revision"]


async def test_what_is_put_down_at_a_stop_is_so_though_the_clockwork_does_not_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    enough, puts_down = asyncio.Event(), asyncio.Event()

    async def goes_on(_: object) -> None:
        while not enough.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await enough.wait()
        await asyncio.Event().wait()

    monkeypatch.setattr(handler.TimecodeHandler, "run", goes_on)
    monkeypatch.setattr(handler.TimecodeHandler, "keep_all", lambda _: puts_down.set())
    async with Database.open(DatabaseSettings(), tmp_path, COLLECTIONS) as database:
        service = TimecodeService(database, Signer(KEY), LocalBus())
        await service.start()
        clockwork = service._running
        assert clockwork is not None
        async with asyncio.timeout(DEADLINE_SECONDS):
            await asyncio.sleep(0)
            await service.stop()
        assert puts_down.is_set()
        assert [getattr(record, "task", None) for record in caplog.records] == ["timecode clockwork"]
        enough.set()
        await end([clockwork], DEADLINE_SECONDS)
        assert clockwork.cancelled()


async def test_sessions_with_nobody_there_leave_memory_and_come_back_from_the_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handler, "IDLE_SECONDS", 0.1)
    async with deployed(tmp_path) as own:
        evening = own.evening()
        async with own.room(evening) as room:
            await room.host.seek(200)
            asked = await room.pending("seek", room.host, 200, after=room.host.latest)
            await room.guest.seek(200)
            moved = await room.both(lambda frame: frame["pending"] is None, "moved", after=asked)
            assert own.playbacks == 1
        await until(lambda: own.playbacks == 0)
        async with own.room(evening, length=None) as room:
            assert room.host.latest["currentPosition"] == 200
            assert room.host.latest["revision"] > moved["revision"]


async def test_a_record_that_cannot_be_read_fails_its_own_session_only(own: Deployment) -> None:
    well, ill, old = own.evening(), own.evening(), own.evening()
    table = own.database.table(TIMECODES)
    await table.insert({"_id": ill.id, "sessionId": ill.id, "length": "long", "status": "play"})
    first_design = {"length": 60.0, "currentPosition": 12.5, "status": "pause", "lastStatusChange": 1.76e9}
    await table.insert({"_id": old.id, "sessionId": old.id, **first_design})
    async with own.room(well) as room:
        for _ in range(2):
            assert await refusal(own.address, f"{ill.path}/events", ill.ticket("host")) == 500
            refused = await own.call("GET", ill.path, ill.ticket("host"), expect=500)
            assert refused["status"] == 500
        await play_from(room, 0)
        async with own.room(old, length=None) as other:
            first = other.host.feed.frames[0]
            assert (first["status"], first["currentPosition"], first["length"]) == ("pause", 12.5, 60)
        await own.call("DELETE", ill.path, ill.ticket("host"), expect=204)
        async with own.room(ill) as cured:
            await play_from(cured, 0)
        await asyncio.gather(room.host.feed.ping(), room.guest.feed.ping())
