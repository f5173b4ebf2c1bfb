"""Watching with a simulated player over a real line: the service's side is a script that speaks its protocol."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest
from websockets.asyncio.server import ServerConnection, serve

from dateflicks.client.consent import Consent, ConsentSettings
from dateflicks.client.errors import FilmUnplayable
from dateflicks.client.feed import FeedEnded
from dateflicks.client.players.base import Act, Player, PlayerError
from dateflicks.client.players.physics import SimulatedPhysics
from dateflicks.client.players.simulated import SimulatedPlayer
from dateflicks.client.viewer import Notice, Viewer
from dateflicks.client.watching import REPLACE_TRIES, LinkChanged, PlayerChanged, Told, Update, Watching
from dateflicks.protocol import frames
from tests.client.scenes import CLOCK, ME, OTHER, SESSION, asked, timecode
from tests.waiting import until

FREE = ConsentSettings.all(Consent.FREE)
_CLIENT_FRAMES = msgspec.json.Decoder(frames.TimecodeClientFrame)


class Service:
    """The other end: answers pings with this computer's own clock, keeps the rest, and tells what it is told to."""

    def __init__(self) -> None:
        self.heard: list[frames.TimecodeClientFrame] = []
        self.sockets: list[ServerConnection] = []
        self.revision = 1
        self.state: dict[str, Any] = {}
        self.url = ""

    @property
    def acts(self) -> list[str]:
        """What was asked for or agreed to, oldest first."""
        return [
            frame.status if isinstance(frame, frames.Report) else f"seek {frame.to:g}"
            for frame in self.heard
            if isinstance(frame, frames.Seek) or (isinstance(frame, frames.Report) and frame.cause == "user")
        ]

    def causes(self, cause: str) -> list[frames.Report]:
        return [frame for frame in self.heard if isinstance(frame, frames.Report) and frame.cause == cause]

    async def tell(self, **changes: Any) -> None:
        """A new state, from now on."""
        self.revision += 1
        self.state = {"at": time.monotonic() * 1_000, **changes}
        await self._say(timecode(self.revision, **self.state))

    async def plays(self, position: float = 100.0, *, after: float = 0.1) -> None:
        await self.tell(current_position=position, at=(time.monotonic() + after) * 1_000)

    async def answer(self, code: str, detail: str) -> None:
        await self._say(frames.ErrorFrame(code=code, detail=detail))

    async def raw(self, text: str) -> None:
        await self.sockets[-1].send(text)

    async def handle(self, socket: ServerConnection) -> None:
        self.sockets.append(socket)
        still: dict[str, Any] = {"status": "stop", "rate": 0.0, "reason": "start"}
        await self._say(timecode(self.revision, **(self.state or still)))
        async for message in socket:
            frame = _CLIENT_FRAMES.decode(message)
            if isinstance(frame, frames.Ping):
                stamp = time.monotonic() * 1_000
                await self._say(frames.Pong(t0=frame.t0, t1=stamp, t2=stamp, clock_id=CLOCK))
            else:
                self.heard.append(frame)

    async def _say(self, frame: frames.TimecodeServerFrame) -> None:
        await self.sockets[-1].send(msgspec.json.encode(frame).decode())


class Stage:
    """One who watches: the watching, its player, and every update in the order in which it came."""

    def __init__(self, service: Service, *, consent: ConsentSettings | None = None, **arguments: Any) -> None:
        self.service = service
        self.updates: list[Update] = []
        self.player = SimulatedPlayer(SimulatedPhysics(length=3_600.0, seek_latency=0.01, seek_jitter=0.0))
        viewer = Viewer(SESSION, ME, is_host=True, consent=consent)
        self.watching = Watching(service.url, ticket, viewer, self.player, self.updates.append, **arguments)

    @property
    def knows_clock(self) -> bool:
        return self.watching.viewer.clock.ready

    def notices(self, kind: str) -> list[Notice]:
        return [update for update in self.updates if isinstance(update, Notice) and update.kind == kind]

    def changes(self) -> list[str]:
        return [update.kind for update in self.updates if isinstance(update, PlayerChanged)]

    def links(self) -> list[bool]:
        return [update.is_open for update in self.updates if isinstance(update, LinkChanged)]

    def rate(self, player: SimulatedPlayer | None = None) -> float:
        return (player or self.player).physics.rate(time.monotonic())

    def position(self, player: SimulatedPlayer | None = None) -> float:
        return (player or self.player).physics.position(time.monotonic())

    async def is_playing(self) -> None:
        await until(lambda: self.knows_clock)
        await self.service.plays()
        await until(lambda: self.rate() > 0)


async def ticket() -> str:
    return "t1cket"


@asynccontextmanager
async def watching(
    *,
    consent: ConsentSettings | None = None,
    replace_player: Callable[[], Awaitable[Player]] | None = None,
    reopen_player: Callable[[], Awaitable[Player | None]] | None = None,
    reload_film: Callable[[], Awaitable[None]] | None = None,
) -> AsyncIterator[tuple[Service, Stage, asyncio.Task[None]]]:
    service = Service()
    async with serve(service.handle, "127.0.0.1", 0) as server:
        service.url = f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}/"
        stage = Stage(
            service,
            consent=consent,
            replace_player=replace_player,
            reopen_player=reopen_player,
            reload_film=reload_film,
        )
        await stage.player.load("film", start=100.0)
        running = asyncio.create_task(stage.watching.run())
        try:
            await until(lambda: stage.watching.viewer.timecode is not None or running.done())
            yield service, stage, running
        finally:
            stage.watching.stop()
            async with asyncio.timeout(5.0):
                await asyncio.gather(running, return_exceptions=True)


async def ended(running: asyncio.Task[None]) -> None:
    async with asyncio.timeout(5.0):
        await running


async def fresh_player() -> SimulatedPlayer:
    player = SimulatedPlayer(SimulatedPhysics(length=3_600.0, seek_latency=0.01))
    await player.load("film")
    return player


# --- following ------------------------------------------------------------------------------------------------------


async def test_the_player_follows_what_the_service_tells() -> None:
    async with watching() as (service, stage, _):
        await until(lambda: stage.knows_clock)
        begin = time.monotonic() + 0.2
        await service.tell(current_position=100.0, at=begin * 1_000)
        await until(lambda: stage.rate() > 0)
        now = time.monotonic()
        assert now >= begin
        assert stage.player.physics.position(now) == pytest.approx(100.0 + now - begin, abs=0.02)
        await service.tell(status="pause", rate=0.0, reason="pause", current_position=100.5)
        await until(lambda: stage.rate() == 0)
        await until(lambda: stage.position() == pytest.approx(100.5, abs=0.011))
        assert [type(update) for update in stage.updates].count(Told) == 3
        await until(lambda: len(service.causes("seek")) > 0)


async def test_the_service_hears_where_the_player_is_in_its_own_time() -> None:
    async with watching() as (service, stage, _):
        await stage.is_playing()
        await until(lambda: any(report.sent_at for report in service.causes("tick")))
        report = next(report for report in service.causes("tick") if report.sent_at)
        assert report.sent_at == pytest.approx(time.monotonic() * 1_000, abs=2_000)
        assert (report.session_id, report.is_host) == (SESSION, True)


@pytest.mark.parametrize("text", ["nonsense", '{"type":"novelty"}', "{}", "[" * 5_000, '"\\ud800"'])
async def test_what_a_newer_service_may_say_does_no_harm(text: str) -> None:
    async with watching() as (service, stage, running):
        await service.raw(text)
        await service.sockets[-1].send(b'{"type":"error","code":"\xff","detail":"x"}', text=True)
        await stage.is_playing()
        assert not running.done()


# --- acts and consent -----------------------------------------------------------------------------------------------


async def test_what_its_user_does_in_the_player_is_asked_for() -> None:
    async with watching() as (service, stage, _):
        await stage.is_playing()
        stage.player.press(Act.PAUSE)
        await until(lambda: service.acts == ["pause"])
        assert stage.rate() == 0
        stage.player.press(Act.SEEK, 60.0)
        stage.player.press(Act.STOP)
        stage.player.press(Act.PLAY)
        stage.player.press(Act.REFUSE)
        await until(lambda: service.acts == ["pause", "seek 60", "stop", "play"])
        await until(lambda: frames.Refuse() in service.heard)


async def test_an_own_pause_is_in_the_player_before_the_service_knows() -> None:
    async with watching() as (service, stage, _):
        await stage.is_playing()
        stage.watching.ask("pause")
        await until(lambda: stage.rate() == 0)
        await until(lambda: service.acts == ["pause"])


async def test_what_needs_its_person_is_shown_and_answered_by_them() -> None:
    async with watching(consent=ConsentSettings.all(Consent.ASK)) as (service, stage, _):
        await service.tell(status="pause", rate=0.0, reason="play", pending=asked("play"))
        await until(lambda: len(stage.notices("asked")) == 1)
        assert stage.notices("asked")[0].by == OTHER
        assert service.acts == []
        stage.watching.confirm()
        await until(lambda: service.acts == ["play"])
        await service.tell(reason="seek", pending=asked(600.0, deadline=5_070_000.0))
        await until(lambda: len(stage.notices("asked")) == 2)
        stage.player.press(Act.CONFIRM)
        await until(lambda: service.acts == ["play", "seek 600"])
        stage.watching.refuse()
        await until(lambda: frames.Refuse() in service.heard)


async def test_what_may_be_agreed_to_is_agreed_to() -> None:
    async with watching(consent=FREE) as (service, _, _running):
        await service.tell(status="pause", rate=0.0, reason="pause", pending=asked("pause"))
        await until(lambda: service.acts == ["pause"])


async def test_confirming_nothing_says_so() -> None:
    async with watching() as (_, stage, _running):
        stage.watching.confirm()
        assert stage.notices("error") == [Notice("error", "Nothing is pending.")]


async def test_what_the_service_refuses_is_shown() -> None:
    async with watching() as (service, stage, _):
        await service.answer("invalid", "The film is not that long.")
        await until(lambda: stage.notices("error") == [Notice("error", "The film is not that long.")])


# --- the player -----------------------------------------------------------------------------------------------------


async def test_a_stall_is_told_at_once_and_so_is_its_end() -> None:
    async with watching() as (service, stage, _):
        await stage.is_playing()
        stage.player.physics.stall(0.7, time.monotonic())
        await until(lambda: len(service.causes("stall")) == 1)
        assert service.causes("stall")[0].buffering
        await until(lambda: len(service.causes("resume")) == 1)
        assert stage.changes() == ["stalled", "recovered"]


async def test_a_player_that_its_user_closes_ends_the_watching() -> None:
    async with watching(replace_player=fresh_player) as (_, stage, running):
        stage.player.end(by_user=True)
        await ended(running)
        assert stage.changes() == ["closed"]


async def test_a_player_that_died_is_replaced_and_catches_up() -> None:
    second = await fresh_player()

    async def another() -> Player:
        return second

    async with watching(replace_player=another) as (service, stage, running):
        await stage.is_playing()
        stage.player.end(by_user=False)
        await until(lambda: stage.watching.player is second)
        await until(lambda: stage.rate(second) > 0)
        assert stage.position(second) > 100.0
        assert stage.changes() == ["died"]
        await until(lambda: len(service.causes("resume")) > 0)
        assert not running.done()


async def test_a_player_that_dies_again_and_again_is_given_up() -> None:
    async with watching(replace_player=fresh_player) as (_, stage, running):
        for count in range(REPLACE_TRIES + 1):
            player = stage.watching.player
            assert isinstance(player, SimulatedPlayer)
            player.end(by_user=False)
            await until(lambda player=player: stage.watching.player is not player or running.done())  # type: ignore[misc]
            assert stage.changes()[: count + 1].count("died") == min(count + 1, REPLACE_TRIES)
        await ended(running)
        assert stage.changes() == ["died"] * REPLACE_TRIES + ["gave-up"]


async def test_a_player_that_died_and_cannot_be_started_again_ends_the_watching_in_words() -> None:
    async def none() -> Player:
        raise PlayerError("mpv is not installed.")

    async with watching(replace_player=none) as (_, stage, running):
        stage.player.end(by_user=False)
        await ended(running)
        assert stage.updates[-1] == PlayerChanged("gave-up", "mpv is not installed.")


async def test_a_player_whose_film_can_not_be_opened_again_ends_the_watching_in_words() -> None:
    async def replace() -> Player:
        raise FilmUnplayable("There is no film any more.")

    async with watching(replace_player=replace) as (_, stage, running):
        stage.player.end(by_user=False)
        await running
        assert stage.updates[-1] == PlayerChanged("gave-up", "There is no film any more.")


@pytest.mark.parametrize("works", [True, False])
async def test_another_film_opened_in_the_player_is_a_wish_to_stop_and_gives_way(works: bool) -> None:
    reloaded: list[float] = []

    async def reload() -> None:
        reloaded.append(time.monotonic())
        if not works:
            raise FilmUnplayable("There is no film any more.")

    async with watching(reload_film=reload) as (service, stage, running):
        await stage.is_playing()
        stage.player.press(Act.STOP)
        stage.player.open_other()
        await until(lambda: stage.changes() == ["other-film"] + ([] if works else ["trouble"]))
        await until(lambda: "stop" in service.acts)
        assert len(reloaded) == 1
        assert not running.done()


async def test_a_closed_player_may_be_opened_again() -> None:
    second = await fresh_player()

    async def again() -> Player | None:
        return second if len(opened) == 1 else None

    opened = [1]
    async with watching(reopen_player=again) as (_, stage, running):
        await stage.is_playing()
        stage.player.end(by_user=True)
        await until(lambda: stage.rate(second) > 0)
        opened.append(2)
        second.end(by_user=True)
        await ended(running)


async def test_a_player_that_refuses_speeds_is_no_longer_asked_for_them() -> None:
    async with watching() as (service, stage, _):
        asked_for: list[float] = []

        async def refuse(speed: float) -> None:
            asked_for.append(speed)
            raise PlayerError("The sound goes to its device as it is.")

        stage.player.set_speed = refuse  # type: ignore[method-assign]  # a player with digital passthrough
        await stage.is_playing()
        await service.plays(stage.position() + 0.6, after=0.5)
        await service.tell(current_position=stage.position() + 0.05)
        await until(lambda: "speed-refused" in stage.changes())
        assert not stage.watching.viewer.follower.steers


async def test_a_command_that_the_player_does_not_take_is_told_and_asked_again() -> None:
    async with watching() as (service, stage, running):
        await until(lambda: stage.knows_clock)
        play_at, failed = stage.player.play_at, list[float]()

        async def fails_once(moment: float) -> None:
            if not failed:
                failed.append(moment)
                raise PlayerError("mpv does not answer.")
            await play_at(moment)

        stage.player.play_at = fails_once  # type: ignore[method-assign]  # a player that is busy once
        await service.plays()
        await until(lambda: stage.rate() > 0)
        assert stage.changes() == ["trouble"]
        assert not running.done()


async def test_a_seek_is_carried_to_its_end_whatever_comes_meanwhile() -> None:
    async with watching() as (service, stage, _):
        seeks: list[str] = []
        seek = stage.player.seek

        async def watched(position: float) -> None:
            seeks.append("begun")
            try:
                await asyncio.sleep(0.05)
                await seek(position)
                seeks.append("ended")
            except asyncio.CancelledError:
                seeks.append("cut off")
                raise

        stage.player.seek = watched  # type: ignore[method-assign]  # a slow player
        await stage.is_playing()
        await service.tell(status="pause", rate=0.0, reason="pause", current_position=200.0)
        await until(lambda: seeks == ["begun"])
        await service.plays(200.0, after=0.05)
        await service.tell(status="pause", rate=0.0, reason="pause", current_position=200.0)
        await until(lambda: seeks[:2] == ["begun", "ended"])
        assert "cut off" not in seeks


# --- the line -------------------------------------------------------------------------------------------------------


async def test_a_lost_line_is_told_the_film_goes_on_and_the_line_comes_back() -> None:
    async with watching() as (service, stage, _):
        await stage.is_playing()
        before = stage.position()
        service.sockets[-1].transport.abort()
        await until(lambda: stage.links() == [True, False, True])
        assert stage.rate() > 0
        assert stage.position() > before
        service.heard.clear()
        await until(lambda: len(service.causes("tick")) > 0)
        assert service.causes("tick")[0].revision == service.revision


async def test_what_is_done_without_a_line_is_not_said_later() -> None:
    async with watching() as (service, stage, _):
        await stage.is_playing()
        await service.sockets[-1].close(1012)
        await until(lambda: stage.links()[-1] is False)
        stage.watching.seek(60.0)
        stage.watching.refuse()
        stage.watching.reconnect()
        await until(lambda: stage.links()[-1] is True)
        await until(lambda: len(service.causes("tick")) > 0)
        assert service.acts == []


async def test_without_a_line_nothing_spins() -> None:
    async with watching() as (service, stage, _):
        await stage.is_playing()
        await service.sockets[-1].close(1012)
        await until(lambda: stage.links()[-1] is False)
        looks = 0
        tick = stage.watching.viewer.tick

        def counted(*arguments: Any) -> Any:
            nonlocal looks
            looks += 1
            return tick(*arguments)

        stage.watching.viewer.tick = counted  # type: ignore[method-assign, assignment]  # to see how often it is asked
        stage.player.physics.stall(0.01, time.monotonic())
        stage.watching.ask("pause")
        stage.watching.ask("play")
        await until(lambda: looks >= 2)
        assert looks <= 20


@pytest.mark.parametrize("code", [4403, 4404, 4409])
async def test_a_service_that_does_not_want_this_client_back_ends_it(code: int) -> None:
    async with watching() as (service, _, running):
        await service.sockets[-1].close(code)
        with pytest.raises(FeedEnded) as over:
            await ended(running)
        assert over.value.code == code


# --- the end --------------------------------------------------------------------------------------------------------


async def test_stopping_ends_it_and_leaves_the_player_to_its_owner() -> None:
    async with watching() as (service, stage, running):
        await stage.is_playing()
        stage.watching.stop()
        await ended(running)
        assert stage.rate() > 0
        await until(lambda: service.sockets[-1].close_code is not None)


async def test_stopping_in_the_middle_of_a_seek_is_quiet() -> None:
    async with watching() as (service, stage, running):
        stage.player.physics = SimulatedPhysics(length=3_600.0, seek_latency=5.0)
        await stage.player.load("film")
        await until(lambda: stage.knows_clock)
        await service.tell(status="pause", rate=0.0, reason="pause", current_position=500.0)
        await until(lambda: stage.player.physics.next_change(time.monotonic()) < time.monotonic() + 10.0)
        stage.watching.stop()
        stage.watching.ask("pause")
        stage.watching.seek(5.0)
        await ended(running)
        stage.watching.ask("pause")


async def test_a_listener_that_fails_is_heard_of() -> None:
    """A fault of whoever shows the session is not hidden, and nothing goes on half alive."""
    service = Service()

    def fails(_: Update) -> None:
        raise ZeroDivisionError

    async with serve(service.handle, "127.0.0.1", 0) as server:
        service.url = f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}/"
        one = Watching(service.url, ticket, Viewer(SESSION, ME, is_host=True), await fresh_player(), fails)
        async with asyncio.timeout(5.0):
            with pytest.raises(ExceptionGroup):
                await one.run()
