"""What time brings, through the service: deadlines, starts, waits, excuses, the end, and what is told regularly."""

import itertools
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from dateflicks.core import limits
from dateflicks.server.services.timecode import handler
from dateflicks.settings.services import TimecodeSettings
from tests.journeys.room import arrival_ms
from tests.server.services.timecode.deployment import Deployment, deployed, play_from
from tests.waiting import until

SETTINGS = TimecodeSettings(confirm_seconds=0.6, wait_seconds=0.6)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hasty(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Deployment]:
    """Nobody is patient."""
    async with deployed(tmp_path_factory.mktemp("data"), SETTINGS) as deployment:
        yield deployment


@pytest.mark.asyncio(loop_scope="module")
async def test_a_change_that_nobody_confirms_is_taken_back_at_its_deadline_and_not_before(hasty: Deployment) -> None:
    evening = hasty.evening()
    async with hasty.room(evening) as room:
        assert room.host.feed.frames[0]["limits"]["confirmSeconds"] == 0.6
        playing = await play_from(room, 100)
        await room.host.ask("pause")
        asked = await room.pending("status", room.host, "pause", after=playing)
        assert (asked["status"], asked["rate"]) == ("pause", 0)
        assert asked["pending"]["deadline"] - asked["at"] == pytest.approx(600, abs=1)
        back = await room.settled("play", "restored", after=asked)
        # The start is scheduled from the moment of the deadline, at the earliest.
        assert back["at"] >= asked["pending"]["deadline"] + 1_000 * limits.LEAD_MIN_SECONDS - 0.01
        assert back["currentPosition"] == pytest.approx(asked["currentPosition"], abs=0.001)
        assert back["by"] is None
        document = await hasty.document(evening.id)
        assert document is not None
        assert (document["status"], document["rate"], document["pending"]) == ("play", 1, None)


@pytest.mark.asyncio(loop_scope="module")
async def test_a_start_lies_ahead_when_it_is_told(hasty: Deployment) -> None:
    async with hasty.room() as room:
        playing = await room.play()
        ahead = playing["at"] - arrival_ms(room.host, playing)
        assert 0 < ahead <= 1_000 * limits.LEAD_MAX_SECONDS


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.slow
async def test_the_others_wait_for_one_who_stalls_and_then_go_on_without(hasty: Deployment) -> None:
    async with hasty.room() as room:
        playing = await play_from(room, 100)
        await room.watch_for(0.3)
        await room.guest.report("play", buffering=True, rate=0, cause="stall")
        waiting = await room.both(lambda frame: frame["reason"] == "wait", "wait", after=playing)
        assert (waiting["rate"], waiting["status"], waiting["waitingFor"]) == (0, "play", [room.guest.id])
        resumed = await room.both(lambda frame: frame["reason"] == "resume", "resume", after=waiting)
        assert resumed["at"] - waiting["at"] >= 600
        assert (resumed["waitingFor"], resumed["by"]) == ([], room.guest.id)
        assert resumed["participants"][room.guest.id].get("excused") is True
        assert not resumed["participants"][room.host.id].get("excused")


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.slow
async def test_a_wait_ends_when_the_one_is_ready(hasty: Deployment) -> None:
    async with hasty.room() as room:
        playing = await play_from(room, 100)
        await room.watch_for(0.3)
        await room.guest.report("play", buffering=True, rate=0, cause="stall")
        waiting = await room.both(lambda frame: frame["reason"] == "wait", "wait", after=playing)
        await room.guest.report("play", buffering=False, rate=0, cause="resume")
        resumed = await room.both(lambda frame: frame["reason"] == "resume", "resume", after=waiting)
        assert resumed["rate"] == 1
        assert not resumed["participants"][room.guest.id].get("excused")


@pytest.mark.asyncio(loop_scope="module")
async def test_when_somebody_leaves_the_film_goes_on(hasty: Deployment) -> None:
    async with hasty.room() as room:
        playing = await play_from(room, 100)
        await room.guest.feed.socket.close()
        left = await room.host.timecode(lambda frame: frame["reason"] == "leave", "leave", after=playing)
        assert (left["status"], left["rate"], left["waitingFor"]) == ("play", 1, [])


@pytest.mark.slow
async def test_a_deployment_can_hold_the_film_for_one_who_left(tmp_path: Path) -> None:
    settings = TimecodeSettings(wait_seconds=0.6, on_leave="hold")
    async with deployed(tmp_path, settings) as own:
        evening = own.evening()
        async with own.room(evening) as room:
            playing = await play_from(room, 100)
            await room.watch_for(0.3)
            await room.guest.feed.socket.close()
            left = await room.host.timecode(lambda frame: frame["reason"] == "leave", "leave", after=playing)
            assert (left["rate"], left["waitingFor"]) == (0, [room.guest.id])
            went_on = await room.host.timecode(lambda frame: frame["rate"] == 1, "going on", after=left)
            assert went_on["at"] - left["at"] >= 600
            assert went_on["currentPosition"] == pytest.approx(left["currentPosition"], abs=0.2)


@pytest.mark.asyncio(loop_scope="module")
async def test_at_its_length_the_film_stops(hasty: Deployment) -> None:
    evening = hasty.evening()
    async with hasty.room(evening, length=100.5) as room:
        playing = await play_from(room, 100)
        ended = await room.settled("stop", "end", after=playing)
        assert (ended["currentPosition"], ended["rate"]) == (100.5, 0)
        document = await hasty.document(evening.id)
        assert document is not None
        assert (document["status"], document["currentPosition"]) == ("stop", 100.5)


def test_a_timecode_is_told_within_its_interval_also_on_a_slow_line() -> None:
    assert limits.EVENT_INTERVAL_SECONDS - 1 < handler.TELL_SECONDS < limits.EVENT_INTERVAL_SECONDS


async def test_a_timecode_is_told_regularly_and_kept_now_and_then_only_while_it_moves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handler, "TELL_SECONDS", 0.1)
    monkeypatch.setattr(handler, "RECORD_SECONDS", 0.5)
    monkeypatch.setattr(handler, "KEPT_TOGETHER_SECONDS", 0.0)
    async with deployed(tmp_path) as own:
        evening = own.evening()
        async with own.room(evening) as room:
            await own.settled()
            with own.writes() as written:
                for seat in (room.host, room.guest):
                    first = seat.latest
                    enough = seat.feed.mark + 4
                    await until(lambda seat=seat, enough=enough: seat.feed.mark >= enough)  # type: ignore[misc]
                    assert all(frame["revision"] == first["revision"] for frame in seat.timecodes[-4:])
                await own.settled()
                assert written == []
            playing = await play_from(room, 50)
            with own.writes() as written:
                await until(lambda: len(written) >= 3)
                positions = [one["currentPosition"] for one in written]
                assert all(one["revision"] == playing["revision"] for one in written)
                assert all(later - earlier >= 0.49 for earlier, later in itertools.pairwise(positions))
            told = [frame for frame in room.host.timecodes if frame["revision"] == playing["revision"]]
            assert told[-1]["currentPosition"] > told[0]["currentPosition"] >= 50
            assert len(told) > len(written)
