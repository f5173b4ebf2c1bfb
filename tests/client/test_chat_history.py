"""A talk over HTTP: page after page, the place of a moment, and saying something until it is kept."""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from dateflicks.client import errors
from dateflicks.client.chat_history import PATIENCE_SECONDS, ChatHistory
from dateflicks.client.http import ServiceClient
from dateflicks.client.tickets import Tickets
from dateflicks.protocol.chat import MessageRequest
from dateflicks.server.services.messages.records import Draft, to_document
from tests.client.talking import SESSION, message
from tests.scripted_server import Answer, ScriptedServer, scripted_server, session_json
from tests.server.services.messages.deployment import deployed

COUNT = 450
EPOCH = 1.8e9
PATH = f"/messages/{SESSION}"
KEPT = {"message": msgspec.json.decode(msgspec.json.encode(message(7)))}
REQUEST = MessageRequest(content="hello", client_id="mine")


# --- reading ----------------------------------------------------------------------------------------------------


@pytest.fixture
async def long_talk(tmp_path: Path) -> AsyncIterator[ChatHistory]:
    """A talk of a message a second."""
    async with deployed(tmp_path / "data") as service, ServiceClient(service.address.url) as client:
        talk = service.talk()
        documents = []
        for seq in range(1, COUNT + 1):
            draft = Draft(kind="text", content=str(seq), author=talk.ana.id, author_name="ana")
            document = to_document(talk.id, draft, draft.id_in(talk.id), EPOCH + seq)
            documents.append({"_id": f"{talk.id}:{seq:012d}", "seq": seq, "rev": 1, **document})
        table = service.database._client["MessageDb"]["messages"]
        for start in range(0, COUNT, 50):  # each in its second, on a busy machine too
            await table.insert_many(documents[start : start + 50])
        yield ChatHistory(talk.id, Tickets(client, talk.id, talk.ana.ticket))


async def test_everything_is_read_once_and_in_order(long_talk: ChatHistory) -> None:
    assert [one.seq async for one in long_talk.all_after()] == list(range(1, COUNT + 1))
    assert [one.seq async for one in long_talk.all_after(COUNT - 3)] == [COUNT - 2, COUNT - 1, COUNT]
    assert [one.seq async for one in long_talk.all_after(COUNT)] == []
    assert await long_talk.head() == COUNT


async def test_pages_lead_both_ways(long_talk: ChatHistory) -> None:
    assert [one.seq for one in await long_talk.before(11, 5)] == [6, 7, 8, 9, 10]
    assert [one.seq for one in await long_talk.after(11, 3)] == [12, 13, 14]
    assert await long_talk.before(1) == []


async def test_a_moment_has_its_place(long_talk: ChatHistory) -> None:
    for seq in (0, 1, 2, 77, COUNT - 1, COUNT, COUNT + 1):
        moment = datetime.fromtimestamp(EPOCH, UTC) + timedelta(seconds=seq + 0.5)
        assert await long_talk.place_of(moment) == min(seq, COUNT)


# --- saying -----------------------------------------------------------------------------------------------------


class Desk:
    """A history whose pauses take no time."""

    def __init__(self, client: ServiceClient) -> None:
        self.now = 0.0
        self.pauses: list[float] = []
        tickets = Tickets(client, SESSION, "t1cket")
        self.history = ChatHistory(SESSION, tickets, pause=self._pause, now=lambda: self.now)
        self.after: list[Any] = []

    async def _pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds
        if self.after:
            self.after.pop(0)()


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with scripted_server() as found:
        found.on("GET", "/services", {"services": {"session": found.url, "messages": found.url}})
        found.on("POST", PATH, KEPT, 201)
        yield found


@pytest.fixture
async def desk(server: ScriptedServer) -> AsyncIterator[Desk]:
    async with ServiceClient(server.url, token="t0ken", timeout=5) as client:
        yield Desk(client)


def posts(server: ScriptedServer) -> int:
    return len([asked for asked in server.asked if asked.method == "POST"])


async def test_what_was_said_comes_back_as_it_is_kept(desk: Desk, server: ScriptedServer) -> None:
    assert await desk.history.say(REQUEST) == message(7)
    assert server.last.body["message"]["clientId"] == "mine"


async def test_a_limit_is_waited_out_as_long_as_the_service_says(desk: Desk, server: ScriptedServer) -> None:
    server.on("POST", PATH, Answer.problem(429, "Too much.", retry_after=300))
    desk.after = [lambda: None, lambda: server.on("POST", PATH, KEPT, 201)]
    await desk.history.say(REQUEST)
    assert desk.pauses == [300.0, 300.0]


async def test_a_service_that_is_away_is_waited_for_and_not_for_ever(desk: Desk, server: ScriptedServer) -> None:
    server.on("POST", PATH, Answer.problem(503, "Away."))
    with pytest.raises(errors.ServiceDown):
        await desk.history.say(REQUEST)
    assert PATIENCE_SECONDS - 4.0 <= desk.now <= PATIENCE_SECONDS
    desk.after = [lambda: server.on("POST", PATH, KEPT, 201)]
    assert (await desk.history.say(REQUEST)).seq == 7


@pytest.mark.parametrize("status", [403, 404, 409, 422, 500])
async def test_a_no_is_a_no(status: int, desk: Desk, server: ScriptedServer) -> None:
    server.on("POST", PATH, Answer.problem(status, "No."))
    with pytest.raises(errors.ClientError):
        await desk.history.say(REQUEST)
    assert (posts(server), desk.pauses) == (1, [])


async def test_a_ticket_that_is_no_longer_good_is_renewed_once(desk: Desk, server: ScriptedServer) -> None:
    def renew() -> None:
        server.on("POST", PATH, KEPT, 201)

    refusal = Answer.problem(401, "Expired.")
    server.on("POST", PATH, Answer(refusal.status, refusal.body, refusal.headers, renew))
    server.on("GET", f"/sessions/{SESSION}", {"session": session_json(id=SESSION, state="accepted", ticket="n3w")})
    await desk.history.say(REQUEST)
    assert server.last.headers["Authorization"] == "Bearer n3w"


async def test_a_ticket_that_can_not_be_renewed_is_the_end(desk: Desk, server: ScriptedServer) -> None:
    server.on("POST", PATH, Answer.problem(401, "Expired."))
    with pytest.raises(errors.NotSignedIn):
        await desk.history.say(REQUEST)
    server.on("GET", f"/sessions/{SESSION}", {"session": session_json(id=SESSION, state="ended")})
    with pytest.raises(errors.AtOdds):
        await desk.history.say(REQUEST)
