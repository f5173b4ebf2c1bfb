"""A messages service on a real server with a real database; its people are known by the tickets that a test gives them.

What people say and hear goes over the wire, by the plain feeds and calls of the journeys.
"""

import contextlib
import itertools
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from dateflicks.protocol.frames import Role
from dateflicks.protocol.ids import new_id
from dateflicks.server.auth.caller import UserToken
from dateflicks.server.auth.tokens import Signer
from dateflicks.server.bus.local import LocalBus
from dateflicks.server.runner import running
from dateflicks.server.services.messages.app import MessagesService
from dateflicks.server.services.messages.records import COLLECTIONS, MESSAGES
from dateflicks.server.storage.database import Database, DatabaseSettings
from dateflicks.settings.services import LimitSettings, MessagesSettings
from tests.journeys.deployment import Deployment as Address
from tests.journeys.wire import Feed, Json, Rest, open_feed, open_rest
from tests.server.services.engine import OnEngine

PATIENCE_SECONDS: Final = 10.0  # with a database that a busy machine keeps waiting
KEY = b"the key of a deployment in a test"
DEADLINE_SECONDS: Final = 30.0
PLENTY = MessagesSettings(  # for tests that are about something else than limits
    limits=LimitSettings(frames_per_second=1e5, frames_burst=100_000, sockets_per_address=500),
    chat_per_second=1e5,
    chat_burst=100_000,
)
_names = itertools.count(1)


@dataclass(frozen=True)
class Person:
    """Somebody with a place in a session."""

    id: str
    name: str
    ticket: str
    token: str


@dataclass
class Talk:
    """A session that two people have accepted: each with a ticket."""

    signer: Signer
    id: str = field(default_factory=lambda: new_id("ses"))
    ana: Person = field(init=False)
    bea: Person = field(init=False)

    def __post_init__(self) -> None:
        self.ana, self.bea = self.person("ana", "host"), self.person("bea", "guest")

    def person(self, name: str, role: Role = "guest", *, lifetime_seconds: float = 3_600.0) -> Person:
        """One more with a place in it."""
        user_id = new_id("usr")
        ticket = self.signer.issue_ticket(self.id, user_id, name, role, lifetime_seconds=lifetime_seconds)
        token = self.signer.issue_user_token(UserToken(new_id("tok"), user_id, name, self.signer._now() + 3_600.0))
        return Person(user_id, name, ticket, token)

    @property
    def path(self) -> str:
        """Where it is."""
        return f"/messages/{self.id}"


class Speaker:
    """One connection of somebody."""

    def __init__(self, feed: Feed, person: Person) -> None:
        self.feed = feed
        self.person = person

    async def say(self, content: str, **more: object) -> str:
        """Say something without waiting for anything; the clientId."""
        client_id = str(more.pop("clientId", f"c{next(_names)}"))
        await self.feed.send(type="message", clientId=client_id, content=content, **more)
        return client_id

    async def said(self, content: str, **more: object) -> Json:
        """Say something and wait for the message as it was told; it is acknowledged."""
        since = self.feed.mark
        client_id = await self.say(content, **more)
        ack = await self.answer(client_id, since=since)
        assert ack["type"] == "ack", ack
        return await self.message(ack["seq"])

    async def answer(self, client_id: str, *, since: int = 0) -> Json:
        """The ack or the error that answers this clientId."""
        return await self.feed.expect(
            lambda frame: (
                frame["type"] in ("ack", "error") and client_id in (frame.get("clientId"), frame.get("replyTo"))
            ),
            f"answer to {client_id}",
            since=since,
            within=DEADLINE_SECONDS,
        )

    async def message(self, seq: int) -> Json:
        """The message with this number, when it has been told."""
        frame = await self.feed.expect(
            lambda frame: frame["type"] == "message" and frame["message"]["seq"] == seq,
            f"message {seq}",
            within=DEADLINE_SECONDS,
        )
        message: Json = frame["message"]
        return message

    async def told(self, kind: str, *, since: int = 0, **fields: object) -> Json:
        """The first frame of this type with these fields."""
        return await self.feed.expect(
            lambda frame: frame["type"] == kind and frame.items() >= fields.items(),
            f"{kind} with {fields}",
            since=since,
            within=DEADLINE_SECONDS,
        )

    async def error(self, **frame: Any) -> Json:
        """What a frame is refused with; the connection stays."""
        since = self.feed.mark
        await self.feed.send(**frame)
        return await self.told("error", since=since)

    async def resume(self, after: int = 0, **more: object) -> Json:
        """Resume, and wait for the end of it."""
        since = self.feed.mark
        await self.feed.send(type="resume", after=after, **more)
        return await self.told("resumed", since=since)

    @property
    def messages(self) -> list[Json]:
        """All messages heard, in the order of hearing."""
        return [frame["message"] for frame in self.feed.frames if frame["type"] == "message"]

    @property
    def seqs(self) -> list[int]:
        """Their numbers."""
        return [message["seq"] for message in self.messages]


@dataclass
class Deployment(OnEngine):
    """What runs."""

    address: Address
    rest: Rest
    service: MessagesService
    database: Database
    signer: Signer
    bus: LocalBus

    def talk(self) -> Talk:
        """Two people nobody has met."""
        return Talk(self.signer)

    @contextlib.asynccontextmanager
    async def speaker(self, talk: Talk, person: Person, *, is_silent: bool = False) -> AsyncIterator[Speaker]:
        """One connection of somebody, who hears what is said at once unless they are silent at first."""
        async with open_feed(self.address, f"{talk.path}/events", person.ticket) as feed:
            if not is_silent:
                await feed.send(type="read", seq=0)  # that is nothing new
            yield Speaker(feed, person)

    @contextlib.asynccontextmanager
    async def both(self, talk: Talk | None = None) -> AsyncIterator[tuple[Speaker, Speaker]]:
        """Both are connected."""
        talk = talk or self.talk()
        async with self.speaker(talk, talk.ana) as ana, self.speaker(talk, talk.bea) as bea:
            yield ana, bea

    @contextlib.asynccontextmanager
    async def another(self) -> AsyncIterator["Deployment"]:
        """The same database served once more, by a service that knows nothing of this one: as by another process."""
        self.service._handler._catching_up._is_alone = False
        bus = LocalBus()
        service = MessagesService(self.database, self.signer, bus, PLENTY)
        service._handler._catching_up._is_alone = False
        async with running([service]) as server:
            address = Address(server.url, is_ours=True)
            async with open_rest(address) as rest:
                yield Deployment(address, rest, service, self.database, self.signer, bus)

    async def post(self, talk: Talk, person: Person, body: Json, *, expect: int = 201) -> Any:
        """The body of the answer to what is said by REST."""
        return (await self.rest.call("POST", talk.path, body, token=person.ticket, expect=expect)).body

    async def page(self, talk: Talk, query: str = "", *, expect: int = 200) -> Any:
        """A page of what was said."""
        path = f"{talk.path}?{query}" if query else talk.path
        return (await self.rest.call("GET", path, token=talk.ana.ticket, expect=expect)).body

    async def documents(self, talk: Talk, count: int) -> list[Json]:
        """The messages with the numbers up to this one, as they are in the database."""
        table = self.database.table(MESSAGES)
        found: list[Json] = []
        for start in range(1, count + 1, 200):
            ids = [f"{talk.id}:{seq:012d}" for seq in range(start, min(start + 200, count + 1))]
            found += [one for _, one in sorted((await table.get_many(ids)).items())]
        return found

    @contextlib.contextmanager
    def commands(self) -> Iterator[list[str]]:
        """The names of the commands to the messages that leave for the database during the block."""
        found: list[str] = []
        fence, started = self.database.fence, self.database.fence.started

        def look(event: Any) -> None:
            if event.command.get(event.command_name) == MESSAGES.name:
                found.append(event.command_name)
            started(event)

        fence.started = look  # type: ignore[method-assign]  # the moment before sending
        try:
            yield found
        finally:
            del fence.started


@contextlib.asynccontextmanager
async def deployed(
    folder: Path, settings: MessagesSettings = PLENTY, *, patience: float = PATIENCE_SECONDS
) -> AsyncIterator[Deployment]:
    """A deployment for as long as the block runs; no command may have left the fence by its end."""
    signer, bus = Signer(KEY), LocalBus()
    async with Database.open(DatabaseSettings(timeout_seconds=patience), folder, COLLECTIONS) as database:
        service = MessagesService(database, signer, bus, settings)
        async with running([service]) as server:
            address = Address(server.url, is_ours=True)
            async with open_rest(address) as rest:
                yield Deployment(address, rest, service, database, signer, bus)
        assert not database.fence.breaches
