"""Who is looked after while hints are lost: everybody in turn, and everybody anew once hints are heard again."""

from typing import Any

import pytest

from dateflicks.core.errors import Unavailable
from dateflicks.server.bus.local import LocalBus
from dateflicks.server.services.session import records
from dateflicks.server.services.session.missed import Missed
from dateflicks.server.storage.records import StorageFault
from tests.server.services.session.deployment import Deployment

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Returning(LocalBus):
    """A bus that returns when the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.callbacks: list[Any] = []

    def on_return(self, callback: Any) -> None:
        self.callbacks.append(callback)

    def comes_back(self) -> None:
        for callback in self.callbacks:
            callback()


class People:
    """Those who sit here, and those who were looked after; `meanwhile` happens while the first one is."""

    def __init__(self, *names: str) -> None:
        self.names = names
        self.looked_at: list[str] = []
        self.meanwhile: Any = None
        self.faults: dict[str, Exception] = {}

    def people(self) -> tuple[str, ...]:
        return self.names

    def known(self, user_id: str) -> list[str]:
        return []

    def tell(self, user_id: str, document: Any) -> None:
        raise AssertionError(document)

    async def present(self, user_id: str) -> list[Any]:
        self.looked_at.append(user_id)
        if user_id in self.faults:
            raise self.faults[user_id]
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            meanwhile()
        return []


async def test_whoever_is_owed_a_look_when_the_bus_returns_has_one_though_somebody_is_looked_after(
    shared: Deployment,
) -> None:
    bus, people = Returning(), People("usr_a", "usr_b")
    missed = Missed(bus, people, people, shared.database.table(records.SESSIONS))  # type: ignore[arg-type]  # both
    bus.comes_back()
    people.meanwhile = bus.comes_back
    await missed.look()
    people.looked_at.clear()
    await missed.look()
    assert people.looked_at == ["usr_a", "usr_b"]


async def test_nobody_is_left_to_look_after_when_the_bus_returns_to_an_empty_house(shared: Deployment) -> None:
    bus, people = Returning(), People("usr_a")
    missed = Missed(bus, people, people, shared.database.table(records.SESSIONS))  # type: ignore[arg-type]  # both
    bus.comes_back()

    def everybody_leaves() -> None:
        people.names = ()
        bus.comes_back()

    people.meanwhile = everybody_leaves
    await missed.look()
    assert people.looked_at == ["usr_a"]


async def test_whoever_cannot_be_looked_after_holds_up_nobody_else(
    shared: Deployment, caplog: pytest.LogCaptureFixture
) -> None:
    bus, people = Returning(), People("usr_a", "usr_b")
    missed = Missed(bus, people, people, shared.database.table(records.SESSIONS))  # type: ignore[arg-type]  # both
    people.faults["usr_a"] = StorageFault("something in it cannot be read")
    bus.comes_back()
    await missed.look()
    assert people.looked_at == ["usr_a", "usr_b"]
    assert "usr_a" in [getattr(record, "user", None) for record in caplog.records]
    await missed.look()
    assert people.looked_at == ["usr_a", "usr_b"]


async def test_while_the_database_is_away_everybody_is_still_owed_a_look(shared: Deployment) -> None:
    bus, people = Returning(), People("usr_a", "usr_b")
    missed = Missed(bus, people, people, shared.database.table(records.SESSIONS))  # type: ignore[arg-type]  # both
    people.faults["usr_a"] = Unavailable("It is away.")
    bus.comes_back()
    with pytest.raises(Unavailable):
        await missed.look()
    people.faults.clear()
    await missed.look()
    assert people.looked_at == ["usr_a", "usr_a", "usr_b"]
