"""A prediction service on a real server with a real database; its people are known by the tickets that a test gives
them, and where the film is, the test says on the bus."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from dateflicks.protocol.frames import Role
from dateflicks.protocol.ids import new_id
from dateflicks.server.auth.caller import UserToken
from dateflicks.server.auth.tokens import Signer
from dateflicks.server.bus.local import LocalBus
from dateflicks.server.runner import running
from dateflicks.server.services.prediction.app import PredictionService
from dateflicks.server.services.prediction.records import COLLECTIONS, PREDICTIONS
from dateflicks.server.storage.database import Database, DatabaseSettings
from dateflicks.settings.services import PredictionSettings
from tests.journeys.deployment import Deployment as Address
from tests.journeys.wire import Feed, Json, Rest, open_feed, open_rest
from tests.server.services.engine import OnEngine

PATIENCE_SECONDS: Final = 10.0  # with a database that a busy machine keeps waiting
KEY = b"the key of a deployment in a test"
DEADLINE_SECONDS = 30.0


@dataclass(frozen=True)
class Person:
    """Somebody in a session."""

    id: str
    name: str
    ticket: str


@dataclass
class Evening:
    """A session; its people have tickets."""

    signer: Signer
    id: str = field(default_factory=lambda: new_id("ses"))
    ana: Person = field(init=False)
    ben: Person = field(init=False)

    def __post_init__(self) -> None:
        self.ana, self.ben = self.person("ana", "host"), self.person("ben")

    @property
    def path(self) -> str:
        """Where its predictions are."""
        return f"/predictions/{self.id}"

    def person(self, name: str, role: Role = "guest", *, user_id: str = "", lifetime_seconds: float = 3600.0) -> Person:
        """Somebody more, or somebody from elsewhere."""
        user_id = user_id or new_id("usr")
        ticket = self.signer.issue_ticket(self.id, user_id, name, role, lifetime_seconds=lifetime_seconds)
        return Person(user_id, name, ticket)

    def token(self, person: Person) -> str:
        """A person's own token, which is no ticket."""
        return self.signer.issue_user_token(UserToken(new_id("tok"), person.id, person.name, time.time() + 3_600.0))


@dataclass
class Seat:
    """A person's connection."""

    person: Person
    feed: Feed

    @property
    def told(self) -> list[Json]:
        """What they were told of predictions."""
        return [frame for frame in self.feed.frames if frame["type"] == "prediction"]

    @property
    def reasons(self) -> list[str]:
        """Why."""
        return [frame["reason"] for frame in self.told]

    async def hears(self, reason: str, since: int = 0, **expected: Any) -> Json:
        """The first prediction that was told for this reason."""

        def is_it(frame: Json) -> bool:
            if frame["type"] != "prediction" or frame["reason"] != reason:
                return False
            return all(frame["prediction"].get(key) == value for key, value in expected.items())

        found = await self.feed.expect(is_it, f"{reason} {expected}", since=since, within=DEADLINE_SECONDS)
        prediction: Json = found["prediction"]
        return prediction

    async def is_at(self, position: float, rate: float = 0.0) -> None:
        """Say where the player is, and that this was heard: what is wrong with the next frame is answered after it."""
        since = self.feed.mark
        await self.feed.send(type="position", position=position, rate=rate)
        await self.settled(since)

    async def settled(self, since: int | None = None) -> None:
        """Everything that was sent to the service before has been heard, and its answers have come."""
        since = self.feed.mark if since is None else since
        await self.feed.send(type="position", position=-1)
        await self.feed.expect(lambda frame: frame["type"] == "error", "answer", since=since, within=DEADLINE_SECONDS)


@dataclass
class Deployment(OnEngine):
    """What runs."""

    address: Address
    rest: Rest
    service: PredictionService
    database: Database
    signer: Signer
    bus: LocalBus

    def evening(self) -> Evening:
        """Two people nobody has met."""
        return Evening(self.signer)

    @asynccontextmanager
    async def seat(self, evening: Evening, person: Person) -> AsyncIterator[Seat]:
        """A connection of one of them."""
        async with open_feed(self.address, f"{evening.path}/events", person.ticket) as feed:
            yield Seat(person, feed)

    def film(self, evening: Evening, position: float, *, rate: float = 0.0, length: float = 6_000, **more: Any) -> None:
        """The film is there."""
        hint = {"sessionId": evening.id, "position": position, "length": length, "rate": rate, "at": time.time()}
        self.bus.publish("playback", hint | more)

    async def call(self, method: str, path: str, bearer: str | None, body: Any = None, *, expect: Any = 200) -> Any:
        """The body of an answer with this status."""
        answer = await self.rest.call(method, path, body, token=bearer, expect=expect)
        return answer.body if answer.text else None

    async def predict(
        self, evening: Evening, person: Person, details: str = "he did it", *, expect: int = 201, **more: Any
    ) -> Json:
        """Make one; the prediction, or the problem."""
        body = {"prediction": {"details": details, **more}}
        found = await self.call("POST", evening.path, person.ticket, body, expect=expect)
        prediction: Json = found.get("prediction", found)
        return prediction

    async def act(
        self, evening: Evening, person: Person, prediction: Json, verb: str, *, expect: Any = 200, **body: Any
    ) -> Json:
        """Do something to one; the prediction, or the problem."""
        path = f"{evening.path}/{prediction['id']}/{verb}"
        found = await self.call("POST", path, person.ticket, body or None, expect=expect)
        answer: Json = found.get("prediction", found)
        return answer

    async def read(self, evening: Evening, person: Person, prediction: Json) -> Json:
        """One as this person sees it."""
        found = await self.call("GET", f"{evening.path}/{prediction['id']}", person.ticket)
        answer: Json = found["prediction"]
        return answer

    async def items(self, evening: Evening, person: Person) -> list[Json]:
        """All as this person sees them."""
        found = await self.call("GET", f"{evening.path}?limit=200", person.ticket)
        items: list[Json] = found["items"]
        return items

    async def locked(self, evening: Evening, **calls: tuple[str, float]) -> Json:
        """A prediction that both have called, and that is locked; `ana=("yes", 0.8)`."""
        prediction = await self.predict(evening, evening.ana)
        for name, (option, confidence) in calls.items():
            person = getattr(evening, name)
            await self.act(evening, person, prediction, "call", option=option, confidence=confidence)
        return await self.act(evening, evening.ana, prediction, "lock")

    async def settled(self, evening: Evening, outcome: str = "yes", **calls: tuple[str, float]) -> Json:
        """The same, with an outcome that both agree on."""
        prediction = await self.locked(evening, **calls)
        await self.act(evening, evening.ana, prediction, "propose", outcome=outcome)
        return await self.act(evening, evening.ben, prediction, "confirm")

    async def document(self, prediction: Json) -> Json:
        """As it is in the database."""
        found = await self.database.table(PREDICTIONS).get(prediction["id"])
        assert found is not None
        return found


@asynccontextmanager
async def on(
    database: Database, settings: PredictionSettings | None = None, bus: LocalBus | None = None
) -> AsyncIterator[Deployment]:
    """A service on a database that is open, for as long as the block runs."""
    signer, bus = Signer(KEY), bus or LocalBus()
    service = PredictionService(database, signer, bus, settings)
    async with running([service]) as server:
        address = Address(server.url, is_ours=True)
        async with open_rest(address) as rest:
            yield Deployment(address, rest, service, database, signer, bus)


@asynccontextmanager
async def deployed(
    folder: Path, settings: PredictionSettings | None = None, *, patience: float = PATIENCE_SECONDS
) -> AsyncIterator[Deployment]:
    """A service and its database; no command may have left the fence by the end of the block."""
    async with Database.open(DatabaseSettings(timeout_seconds=patience), folder, COLLECTIONS) as database:
        async with on(database, settings) as deployment:
            yield deployment
        assert not database.fence.breaches
