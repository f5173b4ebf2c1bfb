"""A feed that opens while something else happens: nothing falls between what is read and what is heard."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from argon2.profiles import CHEAPEST

from dateflicks.core.errors import Unauthenticated
from dateflicks.server.auth import signed_out
from dateflicks.server.auth.passwords import Passwords
from dateflicks.server.auth.tokens import Signer
from dateflicks.server.bus.local import LocalBus
from dateflicks.server.services.session import records
from dateflicks.server.services.session.app import SessionService
from dateflicks.server.services.session.feed import SessionFeed
from dateflicks.server.storage.database import Database, DatabaseSettings
from dateflicks.server.storage.table import Table
from tests.server.services.session.deployment import KEY, Deployment, Person
from tests.server.services.session.test_hub import Listener

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Opened(Listener):
    """A connection that a feed may attach to."""

    def attach(self, _: object) -> None:
        """Nothing is said on it."""


class GateOf:
    """Lets one token in."""

    def __init__(self, token: str) -> None:
        self._token = token
        self.opened: list[Opened] = []

    def check(self, _: object) -> str:
        return self._token

    def upgrade(self, *_: object) -> Opened:
        self.opened.append(Opened())
        return self.opened[-1]


class ReadThen:
    """A table after whose reads something happens, before whoever asked goes on."""

    def __init__(self, table: Table, then: Callable[[], Awaitable[Any]]) -> None:
        self._table = table
        self._then = then

    def __getattr__(self, name: str) -> Any:
        return getattr(self._table, name)

    async def get(self, id: str) -> Any:  # noqa: A002
        found = await self._table.get(id)
        await self._then()
        return found


class AwayAndBack(LocalBus):
    """A bus of one process, which is never away, that says once that it was."""

    def __init__(self) -> None:
        super().__init__()
        self._returned: list[Callable[[], None]] = []

    def on_return(self, callback: Callable[[], None]) -> None:
        self._returned.append(callback)

    def come_back(self) -> None:
        """Tell everybody who asked to be told."""
        for callback in self._returned:
            callback()


def feed_of(deployment: Deployment, gate: GateOf) -> SessionFeed:
    parts = deployment.service._feed
    return SessionFeed(parts._people, parts._lists, parts._hub, cast(Any, gate))


async def open_feed(feed: SessionFeed) -> None:
    await feed._let_in(cast(Any, SimpleNamespace()))


async def test_who_signs_out_while_their_feed_opens_is_not_left_listening(
    shared: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = await shared.person()
    gate = GateOf(person.token)
    people = shared.service._people
    tokens = people._tokens

    async def sign_out() -> None:
        monkeypatch.setattr(people, "_tokens", tokens)
        assert (await person.call("DELETE", "/tokens/current")).status_code == 204

    monkeypatch.setattr(people, "_tokens", ReadThen(tokens, sign_out))
    await open_feed(feed_of(shared, gate))

    assert [one.closed for one in gate.opened] == [(signed_out.TOKEN_CODE, signed_out.REASON)]
    assert not seats_of(shared, person)


async def test_who_has_signed_out_before_takes_no_seat(shared: Deployment) -> None:
    person = await shared.person()
    await person.call("DELETE", "/tokens/current")
    gate = GateOf(person.token)

    with pytest.raises(Unauthenticated):
        await open_feed(feed_of(shared, gate))

    assert (gate.opened, seats_of(shared, person)) == ([], [])


def seats_of(deployment: Deployment, person: Person) -> list[Any]:
    return [seat for seat in deployment.service._hub if seat.caller.user_id == person.id]


async def test_sign_outs_that_were_missed_are_asked_for_when_the_bus_is_back(tmp_path: Path) -> None:
    signer, bus = Signer(KEY), AwayAndBack()
    asked: list[Any] = []
    bus.subscribe(signed_out.ASKED_TOPIC, lambda _, hint: asked.append(hint["by"]))
    async with Database.open(DatabaseSettings(), tmp_path, records.COLLECTIONS) as database:
        service = SessionService(database, signer, bus, passwords=Passwords(CHEAPEST))
        await service.start()
        bus.come_back()
        await service.stop()

    assert asked == [bus.worker_id]
