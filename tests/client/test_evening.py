"""An evening put together: whose it is, who makes the timecode, odd lengths, and a player that is closed or dies."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest
from websockets.asyncio.server import ServerConnection, serve

from dateflicks.client import errors
from dateflicks.client.consent import Consent
from dateflicks.client.evening import Evening
from dateflicks.client.films import Film
from dateflicks.client.http import ServiceClient
from dateflicks.client.players.simulated import SimulatedPlayer
from dateflicks.client.screen import Screen
from dateflicks.client.viewer import Notice
from dateflicks.client.watching import PlayerChanged, Told
from dateflicks.protocol.bodies import SessionBody
from dateflicks.protocol.frames import Pending, TimecodeFrame
from dateflicks.settings.client import ClientSettings, ConsentSettings
from tests.client.recommendations import film_id, recommends, told
from tests.scripted_server import Answer, ScriptedServer, scripted_server, session_json
from tests.waiting import until

ANA, BEA = "usr_" + "a" * 26, "usr_" + "b" * 26
ID = "ses_" + "a" * 26
SETTINGS = ClientSettings(player="simulated")


def timecode(length: float) -> dict[str, Any]:
    return {
        "timecode": {
            "sessionId": ID, "length": length, "currentPosition": 0.0, "status": "stop",
            "lastStatusChange": "2026-11-24T01:43:00.123Z", "revision": 1,
        }
    }  # fmt: skip


def session(**changes: Any) -> SessionBody:
    return msgspec.convert(session_json(state="accepted", ticket="t1cket", **changes), SessionBody)


async def tell(socket: ServerConnection) -> None:
    """A service that says once where the film is and then listens."""
    await socket.send(msgspec.json.encode(told_frame()).decode())
    async for _ in socket:
        pass


def told_frame(**changes: Any) -> TimecodeFrame:
    frame = {
        "type": "timecode", "sessionId": ID, "length": 5400.0, "currentPosition": 0.0, "status": "stop",
        "lastStatusChange": "", "at": 1.0, "rate": 0.0, "revision": 1, "clockId": "clk_x", "reason": "join",
        "by": BEA, "waitingFor": [], "pending": None, "participants": {},
    }  # fmt: skip
    return msgspec.structs.replace(msgspec.convert(frame, TimecodeFrame), **changes)


@asynccontextmanager
async def services(user_id: str = BEA) -> AsyncIterator[tuple[ScriptedServer, ServiceClient]]:
    with scripted_server() as server:
        server.on("GET", "/users/me", {"id": user_id, "name": "bea"})
        server.on("POST", "/timecodes", timecode(5400.0), 201)
        async with ServiceClient(server.url, token="t0ken") as client:
            yield server, client


@asynccontextmanager
async def watching(
    settings: ClientSettings = SETTINGS,
    prepare: Callable[[ScriptedServer], object] = lambda _: None,
    **changes: Any,
) -> AsyncIterator[Evening]:
    """An evening with a service that tells and hears."""
    async with (
        services() as (server, client),
        serve(tell, "127.0.0.1", 0) as feed,
        await Screen.open(settings) as screen,
    ):
        port = next(iter(feed.sockets)).getsockname()[1]
        base = f"http://127.0.0.1:{port}"
        await screen.load(Film("film.mkv", "film.mkv"))
        prepare(server)
        evening = await Evening.attend(client, session(**changes), screen, settings)
        # The scripted server has no feeds: the line goes to one that has nothing else.
        evening.watching._feed._url = f"ws{base.removeprefix('http')}/timecodes/{ID}/events"
        yield evening


@pytest.mark.parametrize(("user_id", "is_host"), [(ANA, True), (BEA, False)])
async def test_who_one_is_comes_from_the_account(user_id: str, is_host: bool) -> None:
    async with services(user_id) as (_, client), await Screen.open(SETTINGS) as screen:
        evening = await Evening.attend(client, session(), screen, SETTINGS)
        assert (evening.viewer.user_id, evening.viewer.is_host) == (user_id, is_host)


async def test_what_may_be_agreed_to_comes_from_the_settings() -> None:
    settings = ClientSettings(player="simulated", consent=ConsentSettings(play="ask", seek="free"))
    async with services() as (_, client), await Screen.open(settings) as screen:
        evening = await Evening.attend(client, session(), screen, settings)
        assert evening.viewer.consent.of("play") is Consent.ASK
        assert evening.viewer.consent.of("seek") is Consent.FREE


async def test_whoever_comes_first_makes_the_timecode_with_the_session_s_length() -> None:
    async with services() as (server, client), await Screen.open(SETTINGS) as screen:
        await Evening.attend(client, session(video={"url": "x", "title": "", "length": 600.0}), screen, SETTINGS)
        assert server.last.body == {"timecode": {"sessionId": ID, "length": 600.0}}
        assert server.last.headers["Authorization"] == "Bearer t1cket"


async def test_where_there_is_a_timecode_it_is_taken_as_it_is() -> None:
    async with services() as (server, client), await Screen.open(SETTINGS) as screen:
        server.on("POST", "/timecodes", Answer.problem(409, "There is one."))
        server.on("GET", f"/timecodes/{ID}", timecode(600.0))
        await screen.load(Film("film.mkv", "film.mkv"))
        evening = await Evening.attend(client, session(), screen, SETTINGS)
        assert evening.timecode.length == 600.0
        assert [asked.method for asked in server.asked].count("PATCH") == 0


async def test_a_length_that_nobody_knew_is_said() -> None:
    async with services() as (server, client), await Screen.open(SETTINGS) as screen:
        server.on("POST", "/timecodes", Answer.problem(409, "There is one."))
        server.on("GET", f"/timecodes/{ID}", timecode(0.0))
        server.on("PATCH", f"/timecodes/{ID}", timecode(5400.0))
        await screen.load(Film("film.mkv", "film.mkv"))
        assert (await Evening.attend(client, session(), screen, SETTINGS)).timecode.length == 5400.0
        assert server.last.body == {"timecode": {"length": 5400.0}}


@pytest.mark.parametrize(("own", "is_odd"), [(5400.0, False), (5402.0, False), (5403.0, True), (0.0, False)])
async def test_another_cut_is_worth_a_warning(own: float, is_odd: bool) -> None:
    async with services() as (_, client), await Screen.open(SETTINGS) as screen:
        screen.length = own
        evening = await Evening.attend(client, session(), screen, SETTINGS)
        assert bool(evening.warnings) is is_odd


async def test_there_is_nothing_to_attend_without_a_ticket() -> None:
    async with services() as (_, client), await Screen.open(SETTINGS) as screen:
        with pytest.raises(errors.AtOdds, match="pending"):
            await Evening.attend(client, _pending(), screen, SETTINGS)


def _pending() -> SessionBody:
    return msgspec.convert(session_json(), SessionBody)


async def test_it_lasts_until_it_is_stopped() -> None:
    async with asyncio.timeout(20), watching() as evening:
        told: list[object] = []
        evening.listen(told.append)
        running = asyncio.create_task(evening.run())
        await until(lambda: any(isinstance(update, Told) for update in told))
        evening.stop()
        await running


async def test_it_ends_also_when_it_is_stopped_by_what_it_has_just_told() -> None:
    async with asyncio.timeout(20), watching() as evening:
        evening.listen(lambda update: evening.stop() if isinstance(update, Told) else None)
        await evening.run()


async def test_it_is_over_here_too_when_the_session_is_ended_for_everybody(monkeypatch: pytest.MonkeyPatch) -> None:
    async def ended(_: ServiceClient, __: SessionBody) -> SessionBody:
        return msgspec.convert(session_json(state="ended"), SessionBody)

    monkeypatch.setattr("dateflicks.client.evening.changed", ended)
    async with asyncio.timeout(20), watching() as evening:
        told: list[object] = []
        evening.listen(told.append)
        await evening.run()
    assert Notice("ended", "The session was ended for everybody.") in told


async def test_questions_are_written_over_a_film_that_can_show_them() -> None:
    async with asyncio.timeout(20), watching() as evening:
        player = evening.screen.player
        assert isinstance(player, SimulatedPlayer)
        player.name = "mpv"
        running = asyncio.create_task(evening.run())
        await until(lambda: player.shown != [])
        pending = Pending(kind="seek", by=ANA, from_=0.0, to=2460.0, deadline=60_000.0)
        evening._tell(Told(told_frame(revision=2, reason="seek", by=ANA, pending=pending)))
        await until(lambda: player.shown[-1].endswith("asks to move to 41:00: y agrees, n refuses"))
        evening.stop()
        await running


async def test_a_film_that_is_near_its_end_is_told_to_those_who_recommend() -> None:
    servers: list[ScriptedServer] = []

    def prepare(server: ScriptedServer) -> None:
        servers.append(recommends(server))

    async with asyncio.timeout(20), watching(prepare=prepare, videoId=film_id(1)) as evening:
        evening.viewer.received(told_frame(current_position=5000.0, revision=2), 0.0, None)
        running = asyncio.create_task(evening.run())
        await until(lambda: told(servers[0], "watched") != [])
        evening.stop()
        await running
    assert told(servers[0], "watched")[0]["with"] == ANA


async def test_a_player_that_its_person_closed_ends_it_where_nobody_can_be_asked() -> None:
    async with asyncio.timeout(20), watching() as evening:
        running = asyncio.create_task(evening.run())
        player = evening.screen.player
        assert isinstance(player, SimulatedPlayer)
        player.end(by_user=True)
        await running


async def test_a_player_that_its_person_closed_is_opened_again_when_they_say_so() -> None:
    async with asyncio.timeout(20), watching() as evening:
        said: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

        async def may_reopen() -> bool:
            return await said

        running = asyncio.create_task(evening.run(may_reopen=may_reopen))
        first = evening.screen.player
        assert isinstance(first, SimulatedPlayer)
        first.end(by_user=True)
        said.set_result(True)
        await until(lambda: evening.watching.player is not first)
        assert evening.watching.player is evening.screen.player
        evening.stop()
        await running


async def test_a_player_that_dies_is_replaced_until_it_is_plain_that_it_does_not_help() -> None:
    async with asyncio.timeout(20), watching() as evening:
        seen: list[str] = []
        evening.listen(lambda update: seen.append(update.kind) if isinstance(update, PlayerChanged) else None)
        running = asyncio.create_task(evening.run())
        for deaths in range(1, 5):
            player = evening.watching.player
            assert isinstance(player, SimulatedPlayer)
            player.end(by_user=False)
            await until(lambda deaths=deaths: seen.count("died") + seen.count("gave-up") == deaths)  # type: ignore[misc]
            await until(lambda player=player: evening.watching.player is not player or running.done())  # type: ignore[misc]
        with pytest.raises(errors.NoPlayer):
            await running
    assert (seen.count("died"), seen.count("gave-up")) == (3, 1)


async def test_a_final_no_of_the_service_is_an_error() -> None:
    async with asyncio.timeout(20), services() as (_, client), await Screen.open(SETTINGS) as screen:
        evening = await Evening.attend(client, session(), screen, SETTINGS)  # the scripted server has no such feed
        with pytest.raises(errors.NotThere):
            await evening.run()
