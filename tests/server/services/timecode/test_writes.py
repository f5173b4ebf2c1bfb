"""What is written: one write for a transition, none for a heartbeat, and what it says."""

from typing import Any

import pytest

from tests.server.services.timecode.deployment import Deployment, play_from

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_each_transition_is_one_write_and_the_record_is_what_was_told(shared: Deployment) -> None:
    evening = shared.evening()
    async with shared.room(evening) as room:
        await shared.settled()

        async def written_by(act: Any, is_done: Any, *, told: str) -> dict[str, Any]:
            before = room.host.latest
            with shared.writes() as written:
                await act
                frame = await room.both(is_done, told, after=before)
                await shared.settled()
            assert len(written) == 1, told
            document = await shared.document(evening.id)
            assert document == written[0]
            assert (document["revision"], document["status"]) == (frame["revision"], frame["status"])
            assert document["rate"] == frame["rate"]
            return document

        asked = await written_by(room.host.ask("play"), lambda frame: frame["pending"], told="asked to play")
        assert asked["pending"].items() >= {"kind": "status", "by": room.host.id, "from": "stop", "to": "play"}.items()
        assert asked["pending"]["awaited"] == [room.guest.id]
        playing = await written_by(room.guest.ask("play"), lambda frame: frame["rate"] == 1, told="playing")
        assert playing["pending"] is None
        assert sorted(playing["present"]) == sorted([room.host.id, room.guest.id])
        await room.start_of(room.host.latest)
        await written_by(room.guest.ask("pause"), lambda frame: frame["status"] == "pause", told="paused")
        await written_by(room.host.refuse(), lambda frame: frame["reason"] == "refused", told="refused")
        await written_by(room.host.seek(300), lambda frame: frame["pending"], told="asked to move")
        moved = await written_by(room.guest.seek(300), lambda frame: not frame["pending"], told="moved")
        assert moved["currentPosition"] == 300


async def test_reports_that_change_nothing_send_nothing_to_the_database(
    shared: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with shared.room() as room:
        await play_from(room, 10)
        await shared.settled()
        pings = shared.database._probe  # the look of the health watch is the only other command
        looks = 0

        async def counted() -> bool:
            nonlocal looks
            looks += 1
            return await pings()

        monkeypatch.setattr(shared.database._health, "_probe", counted)
        before = shared.database.fence.command_count
        revision = room.host.latest["revision"]
        for _ in range(20):
            await room.host.tick()
            await room.guest.tick()
        await room.host.feed.ping()
        await room.guest.feed.ping()
        assert shared.database.fence.command_count - before <= looks
        assert room.host.latest["revision"] == revision


async def test_coming_and_going_is_one_write_each_and_the_place_is_kept(shared: Deployment) -> None:
    evening = shared.evening()
    async with shared.room(evening) as room:
        await shared.settled()
        with shared.writes() as written:
            async with shared.seat(evening, "guest"):
                pass
            await room.guest.feed.socket.close()
            await room.host.timecode(lambda frame: frame["reason"] == "leave", "leave")
            await shared.settled()
            assert [one["present"] for one in written] == [[room.host.id]]
            async with shared.seat(evening, "guest"):
                await shared.settled()
                assert [len(one["present"]) for one in written] == [1, 2]
        assert {one["userId"] for one in written[0]["members"]} == {room.host.id, room.guest.id}


async def test_others_in_the_process_learn_where_the_film_is(shared: Deployment) -> None:
    evening = shared.evening()
    hints: list[Any] = []
    unsubscribe = shared.bus.subscribe("playback", lambda _, hint: hints.append(dict(hint)))
    async with shared.room(evening) as room:
        await play_from(room, 40)
    unsubscribe()
    assert {hint["sessionId"] for hint in hints} == {evening.id}
    assert hints[-1]["length"] == 600
    assert hints[-1]["position"] >= 40
