"""Nothing that matters is lost: the service is killed and started again on the same data, or asked to stop."""

import asyncio
import itertools
import time
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.journeys.deployment import Deployment, Server, running_server
from tests.journeys.people import Crowd, Person, act, invite, is_session_news, news_of, session_of, ticket_of
from tests.journeys.raw import PING, RawSocket
from tests.journeys.room import Room, is_connected, make_timecode, position_at, seats
from tests.journeys.wire import Json, open_rest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]


class Pair:
    """Two people of a server that is broken during a test, and what they still hold afterwards."""

    def __init__(self, host: Person, guest: Person, session: Json, tickets: dict[str, str]) -> None:
        self.host = host
        self.guest = guest
        self.session = session
        self.tickets = tickets


async def make_pair(deployment: Deployment, length: float = 3600) -> Pair:
    crowd = Crowd(deployment)
    host, guest = await crowd.person("host"), await crowd.person("guest")
    async with open_rest(deployment) as rest:
        session = await invite(rest, host, guest)
        await act(rest, guest, session, "accept")
        tickets = {person.id: await ticket_of(rest, person, session["id"]) for person in (host, guest)}
        await make_timecode(rest, session, tickets[host.id], length)
    return Pair(host, guest, session, tickets)


async def enter(stack: AsyncExitStack, deployment: Deployment, pair: Pair) -> Room:
    one, other = await stack.enter_async_context(seats(deployment, pair.host, pair.guest, pair.session, pair.tickets))
    rest = await stack.enter_async_context(open_rest(deployment))
    return Room(deployment, rest, pair.session, one, other, pair.tickets)


def deployment_of(server: Server) -> Deployment:
    return Deployment(server.url, is_ours=True)


async def watch_from(room: Room, to: float) -> Json:
    """Both agree to go to a position and play from there."""
    before = room.host.latest
    await room.host.seek(to)
    asked = await room.pending("seek", room.host, to, after=before)
    await room.guest.seek(to)
    await room.both(lambda frame: frame["pending"] is None and frame["currentPosition"] == to, "moved", after=asked)
    playing = await room.play()
    await room.start_of(playing)
    return playing


@pytest.mark.long  # in every run tests/faults does it
async def test_after_a_kill_the_film_goes_on_from_where_the_players_are(own_folder: Path) -> None:
    async with AsyncExitStack() as before_the_kill:
        with running_server(own_folder) as server:
            deployment = deployment_of(server)
            pair = await make_pair(deployment)
            room = await enter(before_the_kill, deployment, pair)
            playing = await watch_from(room, 500)
            await room.watch_for(1.5)
            last = room.host.latest
            clock = room.host.latest["clockId"]
            reached = room.host.position
            reached_at = time.monotonic()
            await asyncio.to_thread(server.kill)
            await room.host.feed.expect_closed()
            await room.guest.feed.expect_closed()

    def where_players_are() -> float:
        return reached + time.monotonic() - reached_at

    async with AsyncExitStack() as afterwards:
        with running_server(own_folder) as server:
            room = await enter(afterwards, deployment_of(server), pair)
            first = room.host.feed.frames[0]
            assert first["revision"] >= last["revision"] >= playing["revision"]
            assert first["clockId"] != clock
            assert first["length"] == 3600
            assert first["status"] == "play"
            assert 500 <= first["currentPosition"] <= where_players_are() + 0.5
            deadline = time.monotonic() + 10
            while not is_going(room, where_players_are()):
                assert time.monotonic() < deadline, room.host.feed.tail()
                for seat in (room.host, room.guest):
                    await seat.tick(where_players_are())
                await asyncio.sleep(0.1)
            # And it stays so, for both, and still listens to both.
            for _ in range(8):
                for seat in (room.host, room.guest):
                    await seat.tick(where_players_are())
                await asyncio.sleep(0.2)
            assert is_going(room, where_players_are())
            mark = room.host.latest
            await room.guest.ask("pause", where_players_are())
            asked = await room.pending("status", room.guest, "pause", after=mark)
            assert asked["currentPosition"] == pytest.approx(where_players_are(), abs=0.4)
            await afterwards.aclose()


def is_going(room: Room, place: float) -> bool:
    """Whether both were told that the film plays where the players are."""
    return all(
        seat.latest["rate"] == 1
        and seat.now_ms >= seat.latest["at"]
        and abs(position_at(seat.latest, seat.now_ms) - place) < 0.3
        for seat in (room.host, room.guest)
    )


async def test_after_a_kill_people_sessions_and_pending_invitations_are_there(own_folder: Path) -> None:
    with running_server(own_folder) as server:
        deployment = deployment_of(server)
        pair = await make_pair(deployment)
        async with open_rest(deployment) as rest:
            waiting = await invite(rest, pair.host, pair.guest)
        await asyncio.to_thread(server.kill)
    with running_server(own_folder) as server:
        deployment = deployment_of(server)
        async with open_rest(deployment) as rest:
            for person in (pair.host, pair.guest):
                await rest.call("GET", "/users/me", token=person.token)
                assert (await session_of(rest, person, pair.session["id"]))["isAccepted"] is True
            async with news_of(deployment, pair.guest) as news:
                await news.expect(is_session_news(waiting, "invitation"), "the invitation that waits")
                await news.expect(is_session_news(pair.session, isAccepted=True), "the live session")
            await act(rest, pair.guest, waiting, "accept")


@pytest.mark.long  # in every run the tests of the service do it
async def test_a_pending_pause_is_not_forgotten_by_a_kill(own_folder: Path) -> None:
    async with AsyncExitStack() as before_the_kill:
        with running_server(own_folder) as server:
            deployment = deployment_of(server)
            pair = await make_pair(deployment)
            room = await enter(before_the_kill, deployment, pair)
            playing = await watch_from(room, 100)
            await room.guest.ask("pause")
            asked = await room.pending("status", room.guest, "pause", after=playing)
            # It is told at once and written a moment later: nobody waits for a disk to see the film stand.
            await room.watch_for(0.5)
            await asyncio.to_thread(server.kill)
            await room.host.feed.expect_closed()
    async with AsyncExitStack() as afterwards:
        with running_server(own_folder) as server:
            room = await enter(afterwards, deployment_of(server), pair)
            first = room.host.feed.frames[0]
            assert first["revision"] >= asked["revision"]
            # The record has the four fields that were agreed on, not what was pending: whether the pause still waits
            # for its answer is open, but the film does not play where one of the two is still.
            assert (first["status"], first["rate"]) == ("pause", 0)
            assert first["currentPosition"] == pytest.approx(asked["currentPosition"], abs=0.05)
            await afterwards.aclose()


async def test_a_service_that_stops_says_so_and_leaves_nothing_running(own_folder: Path) -> None:
    async with AsyncExitStack() as stack:
        with running_server(own_folder) as server:
            deployment = deployment_of(server)
            pair = await make_pair(deployment)
            room = await enter(stack, deployment, pair)
            news = await stack.enter_async_context(news_of(deployment, pair.host))
            limits = room.host.feed.frames[0]["limits"]
            assert (limits["confirmSeconds"], limits["bandSeconds"], limits["waitSeconds"]) == (60, 0.15, 10)
            server.ask_to_stop()
            for feed in (room.host.feed, room.guest.feed, news):
                assert await feed.expect_closed() == 1012
            await asyncio.to_thread(server.process.wait, 15)
            deadline = time.monotonic() + 5
            while server.living_members():
                assert time.monotonic() < deadline, server.living_members()
                await asyncio.sleep(0.05)


async def test_who_answers_nothing_is_closed_while_the_others_hear_from_the_service_every_five_seconds(
    room: Room,
) -> None:
    mark = room.host.feed.mark
    await room.guest.feed.socket.close()
    left = await room.host.timecode(lambda frame: not is_connected(frame, room.guest), "leave", since=mark)
    async with RawSocket.upgraded(room.deployment, room.path, room.tickets[room.guest.id]) as silent:
        silent.answers_pings = False
        began = time.monotonic()
        came = room.host.feed.frames.index(left)
        await room.host.timecode(lambda frame: is_connected(frame, room.guest), "return", since=came)
        mark = room.host.feed.mark
        await silent.ending(within=40)
        # Counted from the last that was heard; how often a service looks is its own affair.
        assert 18 <= time.monotonic() - began <= 35
        assert PING in silent.opcodes, "nobody is given up without being asked"
        await room.host.timecode(lambda frame: not is_connected(frame, room.guest), "gone", since=mark)
    told = [room.host.feed.arrival_of(frame) for frame in room.host.timecodes]
    assert max(later - earlier for earlier, later in itertools.pairwise(told)) <= 5.5
