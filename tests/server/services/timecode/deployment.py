"""A timecode service on a real server with a real database; its people are known by the tickets that a test gives them.

What people say and hear is written with the seats and rooms of the journeys, which speak the wire and nothing else.
"""

import contextlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dateflicks.protocol.frames import Role
from dateflicks.protocol.ids import new_id
from dateflicks.server.auth.caller import UserToken
from dateflicks.server.auth.tokens import Signer
from dateflicks.server.bus.local import LocalBus
from dateflicks.server.runner import running
from dateflicks.server.services.timecode.app import TimecodeService
from dateflicks.server.services.timecode.records import COLLECTIONS, TIMECODES
from dateflicks.server.storage.database import Database, DatabaseSettings
from dateflicks.settings.services import TimecodeSettings
from tests.journeys.deployment import Deployment as Address
from tests.journeys.people import Person
from tests.journeys.room import Room, make_timecode, seats, take_seat
from tests.journeys.wire import Json, Rest, open_rest
from tests.server.services.engine import OnEngine

KEY = b"the key of a deployment in a test"
DEADLINE_SECONDS = 10.0


@dataclass
class Evening:
    """A session that two people have accepted: each with a ticket."""

    signer: Signer
    id: str = field(default_factory=lambda: new_id("ses"))
    host: Person = field(init=False)
    guest: Person = field(init=False)
    tickets: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.host, self.guest = self._person("ana"), self._person("ben")
        self.tickets = {self.host.id: self.ticket("host"), self.guest.id: self.ticket("guest")}

    def ticket(self, role: Role, *, lifetime_seconds: float = 3_600.0) -> str:
        """Another ticket of one of the two."""
        person = self.host if role == "host" else self.guest
        return self.signer.issue_ticket(self.id, person.id, person.name, role, lifetime_seconds=lifetime_seconds)

    @property
    def path(self) -> str:
        """Where its timecode is."""
        return f"/timecodes/{self.id}"

    def _person(self, name: str) -> Person:
        user_id = new_id("usr")
        token = self.signer.issue_user_token(UserToken(new_id("tok"), user_id, name, self.signer._now() + 3_600.0))
        return Person(user_id, name, token, None)


@dataclass
class Deployment(OnEngine):
    """What runs."""

    address: Address
    rest: Rest
    service: TimecodeService
    database: Database
    signer: Signer
    bus: LocalBus

    def evening(self) -> Evening:
        """Two people nobody has met."""
        return Evening(self.signer)

    @contextlib.asynccontextmanager
    async def room(self, evening: Evening | None = None, *, length: float | None = 600.0) -> AsyncIterator[Room]:
        """Both are connected to the timecode, which is made unless the length is None."""
        evening = evening or self.evening()
        if length is not None:
            await make_timecode(self.rest, {"id": evening.id}, evening.tickets[evening.host.id], length)
        two = seats(self.address, evening.host, evening.guest, {"id": evening.id}, evening.tickets)
        async with two as (host, guest):
            yield Room(self.address, self.rest, {"id": evening.id}, host, guest, evening.tickets)

    def seat(self, evening: Evening, role: Role) -> Any:
        """One more connection of one of them."""
        person = evening.host if role == "host" else evening.guest
        ticket = evening.tickets[person.id]
        return take_seat(self.address, person, evening.id, ticket, is_host=role == "host")

    async def call(self, method: str, path: str, bearer: str | None, body: Any = None, *, expect: int = 200) -> Any:
        """The body of an answer with this status; None when it has none."""
        answer = await self.rest.call(method, path, body, token=bearer, expect=expect)
        return answer.body if answer.text else None

    async def document(self, session_id: str) -> Json | None:
        """The record as it is in the database, when all that was put down is written."""
        await self.settled()
        return await self.database.table(TIMECODES).get(session_id)

    async def settled(self) -> None:
        """Wait until everything that was put down is written."""
        assert await self.service._records.flush(DEADLINE_SECONDS) == 0

    @property
    def playbacks(self) -> int:
        """How many sessions are in memory."""
        return len(self.service._handler._playbacks)

    @contextlib.contextmanager
    def writes(self) -> Iterator[list[Json]]:
        """The documents that are written to the timecodes during the block."""
        found: list[Json] = []
        fence, started = self.database.fence, self.database.fence.started

        def look(event: Any) -> None:
            if event.command.get("update") == TIMECODES.name:
                found.extend(dict(one["u"]) for one in event.command["updates"])
            if event.command.get("insert") == TIMECODES.name:
                found.extend(dict(one) for one in event.command["documents"])
            started(event)

        fence.started = look  # type: ignore[method-assign]  # the moment before sending
        try:
            yield found
        finally:
            del fence.started


@contextlib.asynccontextmanager
async def deployed(folder: Path, settings: TimecodeSettings | None = None) -> AsyncIterator[Deployment]:
    """A deployment for as long as the block runs; no command may have left the fence by its end."""
    signer, bus = Signer(KEY), LocalBus()
    async with Database.open(DatabaseSettings(), folder, COLLECTIONS) as database:
        service = TimecodeService(database, signer, bus, settings)
        async with running([service]) as server:
            address = Address(server.url, is_ours=True)
            async with open_rest(address) as rest:
                yield Deployment(address, rest, service, database, signer, bus)
        assert not database.fence.breaches


async def play_from(room: Room, position: float) -> Json:
    """Both agree to move there and to play; the film runs when it returns."""
    if position:
        before = room.host.latest
        await room.host.seek(position)
        asked = await room.pending("seek", room.host, position, after=before)
        await room.guest.seek(position)
        await room.both(lambda frame: frame["pending"] is None, "moved", after=asked)
    playing = await room.play()
    await room.start_of(playing)
    return playing
