"""The feed: who is let in, what is told, what is refused, and several connections of one person."""

from contextlib import AsyncExitStack
from typing import Any

import pytest

from dateflicks.server.auth.caller import UserToken
from tests.journeys.room import Seat, is_connected
from tests.journeys.wire import Feed, open_feed, refusal
from tests.server.services.timecode.deployment import Deployment, play_from
from tests.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")


def events(path: str) -> str:
    return f"{path}/events"


async def error_of(feed: Feed, since: int) -> dict[str, Any]:
    return await feed.expect(lambda frame: frame["type"] == "error", "error", since=since)


async def refused(seat: Seat, frame: dict[str, Any]) -> tuple[str, str]:
    """How a frame is refused: its code and what it answers; the connection stays."""
    since = seat.feed.mark
    await seat.feed.send(**frame)
    error = await error_of(seat.feed, since)
    await seat.feed.ping()
    return error["code"], error["replyTo"]


async def test_whoever_connects_is_told_where_the_film_is_and_the_limits(shared: Deployment) -> None:
    evening = shared.evening()
    async with shared.room(evening, length=90) as room:
        first = room.host.feed.frames[0]
        assert first["limits"] == {"confirmSeconds": 60, "bandSeconds": 0.15, "waitSeconds": 10}
        assert (first["sessionId"], first["length"], first["status"]) == (evening.id, 90, "stop")
        assert (first["reason"], first["by"], first["waitingFor"], first["pending"]) == ("join", room.host.id, [], None)
        assert list(first["participants"]) == [room.host.id]
        assert first["participants"][room.host.id]["name"] == "ana"
        assert room.guest.feed.frames[0]["limits"] == first["limits"]
        assert all(frame.get("limits") is None for frame in room.host.feed.frames[1:])


async def test_a_ping_is_answered_at_once_with_the_servers_clock(shared: Deployment) -> None:
    async with shared.room() as room:
        pong = await room.host.feed.ping()
        assert pong.keys() == {"type", "t0", "t1", "t2", "clockId"}
        assert pong["t1"] <= pong["t2"]
        assert pong["clockId"] == room.host.latest["clockId"]
        later = await room.host.feed.ping()
        assert later["t1"] >= pong["t2"]
        assert room.guest.feed.frames.count(pong) == 0


@pytest.mark.parametrize("t0", [1_795_628_781_622_227_123, -(2**63), 0, 5.25, -1e300])
async def test_a_clients_own_clock_comes_back_as_it_went_whatever_its_unit(shared: Deployment, t0: float) -> None:
    async with shared.room() as room:
        await room.host.feed.send(type="ping", t0=t0)
        assert await room.host.feed.expect(lambda frame: frame["type"] == "pong" and frame["t0"] == t0, "pong")


async def test_nobody_is_let_in_without_a_place(shared: Deployment) -> None:
    evening, other = shared.evening(), shared.evening()
    path = events(evening.path)
    assert await refusal(shared.address, path, evening.ticket("host")) == 404
    async with shared.room(evening):
        assert await refusal(shared.address, path, None) == 401
        assert await refusal(shared.address, path, "nonsense") == 401
        assert await refusal(shared.address, path, evening.ticket("host", lifetime_seconds=-1.0)) == 401
        assert await refusal(shared.address, path, other.ticket("host")) == 403
        assert await refusal(shared.address, path, other.host.token) == 403


async def test_a_user_token_is_enough_for_who_has_shown_their_ticket(shared: Deployment) -> None:
    evening = shared.evening()
    path = events(evening.path)
    async with (
        shared.room(evening),
        open_feed(shared.address, path, evening.guest.token, by_subprotocol=True) as feed,
    ):
        assert feed.socket.subprotocol == "dateflicks.v1"
        await feed.expect(lambda frame: frame["type"] == "timecode", "first timecode")


async def test_what_is_wrong_with_a_frame_is_told_and_nothing_happens(shared: Deployment) -> None:
    other = shared.evening()
    async with shared.room() as room:
        host, before = room.host, room.host.latest
        report = host.report_frame("play", 0.0, cause="user")
        assert await refused(host, report | {"sessionId": other.id}) == ("wrong-session", "report")
        assert await refused(host, report | {"isHost": False}) == ("wrong-role", "report")
        assert await refused(host, report | {"revision": before["revision"] + 1}) == ("unknown-revision", "report")
        assert await refused(host, report | {"revision": before["revision"] - 1}) == ("stale", "report")
        assert await refused(host, report | {"currentPosition": -1}) == ("invalid", "report")
        assert await refused(host, report | {"currentPosition": 172_801}) == ("invalid", "report")
        assert await refused(host, report | {"status": "dance"}) == ("invalid", "report")
        assert await refused(host, report | {"cause": "whim"}) == ("invalid", "report")
        assert await refused(host, {"type": "seek", "to": "there"}) == ("invalid", "seek")
        assert await refused(host, {"type": "refuse"}) == ("nothing-pending", "refuse")
        assert room.host.latest["revision"] == room.guest.latest["revision"] == before["revision"]


async def test_a_stale_report_that_is_no_act_is_passed_over(shared: Deployment) -> None:
    async with shared.room() as room:
        before, since = room.host.latest, room.host.feed.mark
        for cause in ("tick", "stall", "resume", "seek", None):
            more = {} if cause is None else {"cause": cause}
            await room.host.report("play", 0.0, revision=before["revision"] - 1, **more)
        await room.host.feed.ping()
        assert [frame["type"] for frame in room.host.feed.frames[since:]] == ["pong"]


async def test_what_is_no_frame_ends_the_connection_after_saying_why(shared: Deployment) -> None:
    async with shared.room() as room:
        since = room.host.feed.mark
        await room.host.feed.send_text('{"type":')
        assert (await error_of(room.host.feed, since))["code"] == "malformed"
        assert await room.host.feed.expect_closed() == 4400
        await room.guest.timecode(lambda frame: not is_connected(frame, room.host), "leave")


async def test_a_move_while_a_change_waits_is_refused(shared: Deployment) -> None:
    async with shared.room() as room:
        before = room.host.latest
        await room.host.ask("play")
        await room.pending("status", room.host, "play", after=before)
        assert await refused(room.guest, {"type": "seek", "to": 10}) == ("pending", "seek")


async def test_a_fifth_connection_of_one_person_replaces_the_oldest_which_is_no_leaving(shared: Deployment) -> None:
    evening = shared.evening()
    async with shared.room(evening) as room, AsyncExitStack() as stack:
        since = room.host.feed.mark
        for _ in range(3):
            await stack.enter_async_context(shared.seat(evening, "guest"))
        assert not room.guest.feed.is_closed, (room.guest.feed.code, room.guest.feed.tail())
        newest = await stack.enter_async_context(shared.seat(evening, "guest"))
        assert await room.guest.feed.expect_closed() == 4409
        await newest.ask("play", 0.0)
        await room.host.timecode(lambda frame: frame["pending"], "pending", since=since)
        heard = [frame for frame in room.host.feed.frames[since:] if frame["type"] == "timecode"]
        assert all(is_connected(frame, newest) for frame in heard)
        assert "leave" not in {frame["reason"] for frame in heard}


async def test_only_the_newest_connections_reports_count_and_the_one_before_takes_over_when_it_ends(
    shared: Deployment,
) -> None:
    evening = shared.evening()
    async with shared.room(evening) as room:
        since = room.host.feed.mark
        async with shared.seat(evening, "guest") as newest:
            await room.guest.report("play", 33.0, cause="user")
            await room.guest.feed.ping()
            assert newest.latest["pending"] is None
            await newest.report("stop", 44.0, cause="tick")
            await newest.feed.ping()
            position = shared.service._handler._playbacks.control(evening.id).state.position
            assert position.places[newest.id].position == 44.0
        await until(lambda: len(shared.service._handler._rooms[evening.id].seats) == 2)
        await room.guest.ask("play", 0.0)
        await room.host.timecode(lambda frame: frame["pending"], "pending", since=since)
        assert "leave" not in {frame.get("reason") for frame in room.host.feed.frames[since:]}
        await room.guest.feed.socket.close()
        await room.host.timecode(lambda frame: frame["reason"] == "leave", "leave", since=since)


@pytest.mark.slow
async def test_a_player_that_is_opened_a_second_time_moves_nobody_before_it_is_in_step(shared: Deployment) -> None:
    evening = shared.evening()
    async with shared.room(evening) as room:
        await play_from(room, 300)
        async with shared.seat(evening, "guest") as newest:
            before = room.host.latest

            async def report_from_the_beginning() -> None:
                await newest.tick(1.0)
                await room.watch_for(0.25, guest=None)

            for _ in range(6):  # longer than anybody may be behind before the film moves
                await report_from_the_beginning()
            assert room.host.latest["revision"] == before["revision"]
            assert room.host.position > 300


@pytest.mark.slow
async def test_a_connection_ends_with_its_ticket_or_token_and_the_place_is_kept_by_another(shared: Deployment) -> None:
    evening = shared.evening()
    path = events(evening.path)
    async with shared.room(evening) as room:
        brief = evening.ticket("guest", lifetime_seconds=2.0)
        token = UserToken("tok_brief", evening.host.id, "ana", shared.signer._now() + 2.0)
        brief_token = shared.signer.issue_user_token(token)
        async with open_feed(shared.address, path, brief) as one, open_feed(shared.address, path, brief_token) as other:
            assert await one.expect_closed() == 4401
            assert await other.expect_closed() == 4401
        assert await refusal(shared.address, path, brief) == 401
        await room.guest.feed.ping()
        await room.host.feed.ping()
        assert is_connected(room.host.latest, room.guest)
        assert is_connected(room.guest.latest, room.host)


async def test_a_mistake_of_ours_behind_the_handshake_closes_the_connection_as_ours(
    shared: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    evening = shared.evening()
    async with shared.room(evening):

        def fails(*_: Any) -> Any:
            raise ZeroDivisionError("a mistake of the program")

        monkeypatch.setattr(shared.service._handler, "sit_down", fails)
        assert await refusal(shared.address, events(evening.path), evening.ticket("guest")) == 1011


async def test_one_session_hears_nothing_of_another(shared: Deployment) -> None:
    async with shared.room() as room, shared.room() as other:
        since = other.host.feed.mark
        await play_from(room, 0)
        await other.host.feed.ping()
        assert {frame["type"] for frame in other.host.feed.frames[since:]} == {"pong"}


async def test_who_only_looks_on_is_told_everything_and_takes_nobodys_place(shared: Deployment) -> None:
    evening = shared.evening()
    async with shared.room(evening) as room:
        known = room.host.latest
        path = f"{events(evening.path)}?looksOn=true"
        async with open_feed(shared.address, path, evening.ticket("guest")) as looking:
            await looking.expect(lambda frame: frame["type"] == "timecode", "greeting")
            playing = await play_from(room, 0.0)
            await looking.expect(lambda frame: frame.get("revision") == playing["revision"], "what happened")
            await looking.send(
                type="report", sessionId=evening.id, currentPosition=1.0, status="play", isHost=False, cause="tick"
            )
            assert (await error_of(looking, 0))["code"] == "looks-on"
            assert room.host.latest["participants"][room.guest.id]["connected"]
        await room.host.feed.ping()
        reasons = [frame["reason"] for frame in room.host.timecodes if frame["revision"] > known["revision"]]
        assert not {"join", "leave"} & set(reasons)


async def test_who_looks_on_may_act_and_their_own_player_goes_on_being_counted(shared: Deployment) -> None:
    evening = shared.evening()
    async with shared.room(evening) as room:
        playing = await play_from(room, 0.0)
        path = f"{events(evening.path)}?looksOn=true"
        async with open_feed(shared.address, path, evening.ticket("host")) as remote:
            await remote.expect(lambda frame: frame.get("revision") == playing["revision"], "greeting")
            since = room.guest.feed.mark
            await remote.send(
                type="report", sessionId=evening.id, currentPosition=0.0, status="pause", isHost=True,
                revision=playing["revision"], cause="user",
            )  # fmt: skip
            asked = await room.guest.feed.expect(lambda frame: frame.get("pending") is not None, "asked", since=since)
        assert (asked["reason"], asked["by"], asked["rate"]) == ("pause", room.host.id, 0)
        mine = asked["participants"][room.host.id]
        assert (mine["connected"], mine["status"]) == (True, "pause")
        assert mine["drift"] is not None  # of its own player, which the act did not speak for
        since = room.guest.feed.mark
        await room.host.feed.send(type="refuse")
        back = await room.guest.feed.expect(lambda frame: frame.get("pending") is None, "taken back", since=since)
        assert (back["reason"], back["status"]) == ("refused", "play")
