"""Following a session's predictions over a real line: the service's side is a script that speaks its protocol."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest
from websockets.asyncio.server import ServerConnection, serve

from dateflicks.client import errors
from dateflicks.client.feed import Feed, Lost, Received
from dateflicks.client.http import ServiceClient
from dateflicks.client.ledger import Changed, ScoresChanged, Unproven
from dateflicks.client.players.base import Playhead
from dateflicks.client.predictions import Predictions, PredictionsLine, PredictionsRefused, PredictionsUpdate
from dateflicks.client.tickets import Tickets
from dateflicks.protocol.predictions import PredictionBody, PredictionFrame, PredictionReason
from tests.client.prediction_scenes import ID, ME, OTHER, SESSION, call, prediction, sealed, waiting
from tests.scripted_server import ScriptedServer
from tests.waiting import until

SECONDS = 30.0


class Service:
    """The other end of the line: who was here, what they told, and what they are told."""

    def __init__(self) -> None:
        self.heard: list[dict[str, Any]] = []
        self.sockets: list[ServerConnection] = []
        self.paths: list[str] = []
        self.bearers: list[str] = []
        self.present: list[PredictionBody] = []

    async def handle(self, socket: ServerConnection) -> None:
        assert socket.request is not None
        self.paths.append(socket.request.path)
        self.bearers.append(socket.request.headers["Authorization"])
        for body in self.present:
            await socket.send(frame(body, "present"))
        self.sockets.append(socket)
        async for message in socket:
            self.heard.append(json.loads(message))

    async def tell(self, body: PredictionBody, reason: PredictionReason) -> None:
        await self.sockets[-1].send(frame(body, reason))


def frame(body: PredictionBody, reason: PredictionReason) -> str:
    return msgspec.json.encode(PredictionFrame(reason=reason, prediction=body)).decode()


class Stage:
    """One who follows: every update in the order in which it came, and a player that is where a test says."""

    def __init__(self, service: Service, server: ScriptedServer, client: ServiceClient) -> None:
        self.service = service
        self.server = server
        self.updates: list[PredictionsUpdate] = []
        self.head: Playhead | None = None
        tickets = Tickets(client, SESSION, "t1cket")
        self.predictions = Predictions(client, SESSION, tickets, ME, self.updates.append, playhead=lambda _: self.head)
        self.running = asyncio.create_task(self.predictions.run())

    @property
    def changes(self) -> list[tuple[PredictionReason, int]]:
        return [(one.reason, one.prediction.revision) for one in self.updates if isinstance(one, Changed)]

    @property
    def lines(self) -> list[bool]:
        return [one.is_open for one in self.updates if isinstance(one, PredictionsLine)]

    def moves(self, position: float, rate: float) -> None:
        self.head = Playhead(position, time.monotonic(), rate)
        self.predictions.look()

    async def is_here(self, times: int = 1) -> None:
        await until(lambda: len(self.service.sockets) == times and self.predictions.is_open, seconds=SECONDS)


@asynccontextmanager
async def stage(server: ScriptedServer, *present: PredictionBody) -> AsyncIterator[Stage]:
    service = Service()
    service.present += present
    async with serve(service.handle, "127.0.0.1", 0, subprotocols=["dateflicks.v1"]) as feed:  # type: ignore[list-item]  # a NewType over str
        address = f"http://127.0.0.1:{next(iter(feed.sockets)).getsockname()[1]}"
        server.on("GET", "/services", {"services": {"session": server.url, "prediction": address}})
        async with ServiceClient(server.url, token="t0ken", timeout=SECONDS) as client:
            found = Stage(service, server, client)
            try:
                await found.is_here()
                yield found
            finally:
                found.running.cancel()
                with contextlib.suppress(asyncio.CancelledError, errors.ClientError):
                    await found.running


def over_http(server: ScriptedServer, found: Stage) -> None:
    """From now on acts go to the scripted server, while the line stays where it is."""
    found.predictions._client._services = {"session": server.url, "prediction": server.url}


# --- what is told ---------------------------------------------------------------------------------------------------


async def test_it_asks_for_its_session_with_the_ticket(server: ScriptedServer) -> None:
    async with stage(server) as here:
        assert here.service.paths == [f"/predictions/{SESSION}/events"]
        assert here.service.bearers == ["Bearer t1cket"]


async def test_what_is_there_and_what_comes_is_told_once(server: ScriptedServer) -> None:
    async with stage(server, prediction(1)) as here:
        await here.service.tell(prediction(2, sealed(call())), "called")
        await here.service.tell(prediction(1), "made")
        await here.service.tell(prediction(3, call(), status="locked"), "locked")
        await until(lambda: len(here.changes) == 3, seconds=SECONDS)
        assert here.changes == [("present", 1), ("called", 2), ("locked", 3)]
        assert here.predictions.is_proven(ID) is True
        assert [one.revision for one in here.predictions.items] == [3]


async def test_after_a_disconnection_only_what_is_new_is_told(server: ScriptedServer) -> None:
    async with stage(server, prediction(1)) as here:
        await until(lambda: len(here.changes) == 1, seconds=SECONDS)
        here.service.present = [prediction(3, call(), status="locked"), prediction(id="prd_2", revision=7)]
        await here.service.sockets[0].close(1012)
        await here.is_here(2)
        await until(lambda: len(here.changes) == 3, seconds=SECONDS)
        assert here.changes == [("present", 1), ("locked", 3), ("present", 7)]
        assert here.lines == [True, False, True]


async def test_a_call_that_is_not_what_was_sealed_is_told_loudly(server: ScriptedServer) -> None:
    async with stage(server, prediction(2, sealed(call()))) as here:
        await here.service.tell(prediction(3, call(option="no"), status="locked"), "locked")
        await until(lambda: any(isinstance(update, Unproven) for update in here.updates), seconds=SECONDS)
        assert here.predictions.is_proven(ID) is False
        assert here.predictions.unproven == {ID}


async def test_the_score_of_the_session_is_kept(server: ScriptedServer) -> None:
    worth = msgspec.structs.replace(call(ME), brier=0.08, points=84.0)
    async with stage(server, prediction(3, call(ME), status="locked")) as here:
        settled = prediction(5, worth, status="settled", outcome="yes", settled_at="2026-11-24T02:43:00.123Z")
        for _ in range(2):
            await here.service.tell(settled, "settled")
        await here.service.tell(waiting(id="prd_2"), "made")
        await until(lambda: len(here.changes) == 3, seconds=SECONDS)
        assert [(one.points, one.right) for one in here.predictions.scores] == [(84.0, 1)]
        assert sum(isinstance(update, ScoresChanged) for update in here.updates) == 1


async def test_what_this_client_does_not_know_is_passed_over_and_an_error_is_told(server: ScriptedServer) -> None:
    async with stage(server) as here:
        for text in ("{", '{"type":"news"}', '{"type":"prediction","reason":"eaten","prediction":{}}'):
            await here.service.sockets[0].send(text)
        await here.service.sockets[0].send('{"type":"error","code":"invalid","detail":"No."}')
        refused = PredictionsRefused("invalid", "No.")
        await until(lambda: refused in here.updates, seconds=SECONDS)
        assert here.changes == []


async def test_the_oldest_of_very_many_are_asked_for_when_the_line_may_not_have_taken_them(
    server: ScriptedServer,
) -> None:
    async with stage(server, prediction(1)) as here:
        await until(lambda: len(here.changes) == 1, seconds=SECONDS)
        over_http(server, here)
        oldest = msgspec.json.decode(msgspec.json.encode(prediction(1, id="prd_oldest")))
        server.on("GET", f"/predictions/{SESSION}", {"items": [oldest], "next": None})
        for number in range(60):
            await here.service.tell(prediction(1, id=f"prd_{number}", details="x" * 1_000), "present")
        await until(lambda: here.predictions.get("prd_oldest") is not None, seconds=SECONDS)
        assert len(here.predictions.items) == 62


@pytest.mark.parametrize(("code", "kind"), [(4403, errors.NotAllowed), (4404, errors.NotThere), (4409, errors.AtOdds)])
async def test_it_ends_when_the_service_does_not_want_it_back(
    code: int, kind: type[errors.ClientError], server: ScriptedServer
) -> None:
    async with stage(server) as here:
        await here.service.sockets[0].close(code)
        with pytest.raises(kind):
            await asyncio.wait_for(here.running, SECONDS)
        assert not here.predictions.is_open


async def test_a_deployment_without_predictions_says_so(server: ScriptedServer) -> None:
    async with ServiceClient(server.url, token="t0ken") as client:
        predictions = Predictions(client, SESSION, Tickets(client, SESSION, "t1cket"), ME, lambda _: None)
        with pytest.raises(errors.NotThere, match="no prediction service"):
            await predictions.run()


# --- where the player is --------------------------------------------------------------------------------------------


async def test_the_position_is_told_when_it_changes_and_anew_on_a_new_line(server: ScriptedServer) -> None:
    async with stage(server) as here:
        here.moves(100.0, 0.0)
        here.moves(100.0, 0.0)
        here.moves(100.0, 1.0)
        here.moves(2_460.0, 1.0)
        await until(lambda: len(here.service.heard) == 3, seconds=SECONDS)
        assert [(round(one["position"]), one.get("rate", 0.0)) for one in here.service.heard] == [
            (100, 0.0),
            (100, 1.0),
            (2_460, 1.0),
        ]
        here.head = Playhead(3_000.0, time.monotonic(), 0.0)
        await until(lambda: len(here.service.heard) == 4, seconds=SECONDS)
        await here.service.sockets[0].close(1012)
        await here.is_here(2)
        await until(lambda: len(here.service.heard) == 5, seconds=SECONDS)
        assert [one["position"] for one in here.service.heard[3:]] == [3_000.0, 3_000.0]


async def test_a_player_that_moves_is_noticed_without_being_told(server: ScriptedServer) -> None:
    async with stage(server) as here:
        here.head = Playhead(61.5, time.monotonic(), 0.0)
        await until(lambda: len(here.service.heard) == 1, seconds=SECONDS)
        assert here.service.heard == [{"type": "position", "position": 61.5, "rate": 0.0}]


# --- acting ---------------------------------------------------------------------------------------------------------


async def test_an_act_is_told_by_its_answer_and_not_again_by_the_line(server: ScriptedServer) -> None:
    async with stage(server, prediction(1)) as here:
        await until(lambda: len(here.changes) == 1, seconds=SECONDS)
        over_http(server, here)
        made = prediction(2, call(ME))
        answer = {"prediction": msgspec.json.decode(msgspec.json.encode(made))}
        server.on("POST", f"/predictions/{SESSION}/{ID}/call", answer)
        here.moves(61.5, 0.0)
        assert await here.predictions.call(ID, "yes", 0.8) == made
        assert server.last.body == {"option": "yes", "confidence": 0.8, "atPosition": 61.5, "revision": 1}
        await here.service.tell(made, "called")
        await here.service.tell(prediction(3, call(ME), status="locked"), "locked")
        await until(lambda: ("locked", 3) in here.changes, seconds=SECONDS)
        assert here.changes == [("present", 1), ("called", 2), ("locked", 3)]


async def test_each_act_is_told_as_what_it_is(server: ScriptedServer) -> None:
    locked = prediction(2, call(), status="locked")
    proposed = msgspec.structs.replace(locked, revision=3, proposed_outcome="yes", proposed_by=OTHER)
    settled = msgspec.structs.replace(proposed, revision=4, status="settled", outcome="yes", confirmed_by=ME)
    async with stage(server, prediction(1)) as here:
        await until(lambda: len(here.changes) == 1, seconds=SECONDS)
        over_http(server, here)

        def answers(verb: str, body: PredictionBody) -> None:
            answer = {"prediction": msgspec.json.decode(msgspec.json.encode(body))}
            server.on("POST", f"/predictions/{SESSION}{verb}", answer)

        answers("", prediction(1, id="prd_2", author=ME))
        answers("/prd_2/void", prediction(2, id="prd_2", author=ME, status="void"))
        answers(f"/{ID}/lock", locked)
        answers(f"/{ID}/propose", proposed)
        answers(f"/{ID}/confirm", settled)
        await here.predictions.make("Rain")
        await here.predictions.void("prd_2")
        await here.predictions.lock(ID)
        await here.predictions.propose(ID, "yes")
        await here.predictions.confirm(ID)
        assert [reason for reason, _ in here.changes[1:]] == ["made", "void", "locked", "proposed", "settled"]


# --- a line on which little is said ---------------------------------------------------------------------------------


async def ticket() -> str:
    return "t1cket"


@pytest.mark.slow
async def test_a_quiet_line_stays_as_long_as_pings_are_answered() -> None:
    async def handle(socket: ServerConnection) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(2.5):  # longer than a line that is not quiet would be kept
                await socket.wait_closed()
        await socket.send("at last")
        await socket.wait_closed()

    async with serve(handle, "127.0.0.1", 0, subprotocols=["dateflicks.v1"]) as service:  # type: ignore[list-item]  # a NewType over str
        url = f"ws://127.0.0.1:{next(iter(service.sockets)).getsockname()[1]}"
        feed = Feed(url, ticket, silence_seconds=2.0, is_quiet=True)
        async with asyncio.timeout(SECONDS), contextlib.aclosing(feed.events()) as events:
            seen = [event async for event in _until_received(events)]
    assert not any(isinstance(event, Lost) for event in seen)


async def test_a_quiet_line_is_given_up_when_pings_are_not_answered() -> None:
    async def handle(socket: ServerConnection) -> None:
        socket.transport.pause_reading()
        await socket.wait_closed()

    async with serve(handle, "127.0.0.1", 0, ping_interval=None, subprotocols=["dateflicks.v1"]) as service:  # type: ignore[list-item]  # a NewType over str
        url = f"ws://127.0.0.1:{next(iter(service.sockets)).getsockname()[1]}"
        feed = Feed(url, ticket, silence_seconds=0.2, is_quiet=True)
        async with asyncio.timeout(SECONDS), contextlib.aclosing(feed.events()) as events:
            async for event in events:
                if isinstance(event, Lost):
                    break
        service.close(close_connections=False)
        for connection in service.connections:
            connection.transport.abort()


async def _until_received(events: Any) -> AsyncIterator[Any]:
    async for event in events:
        yield event
        if isinstance(event, Received):
            return
