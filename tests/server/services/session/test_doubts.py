"""Changes of which nobody knows whether they happened: they are looked up until they show, and then told."""

from collections.abc import Mapping
from typing import Any, cast

import pytest

from dateflicks.core.errors import Unavailable
from dateflicks.core.handshake import Action, Handshake
from dateflicks.server.auth.caller import Caller
from dateflicks.server.auth.tokens import Signer
from dateflicks.server.bus.local import LocalBus
from dateflicks.server.services.session.handler import LOOKS, TOPIC, Doubt, Lifetimes, SessionHandler
from dateflicks.server.services.session.records import handshake_fields
from dateflicks.server.storage.records import Document, OutcomeUnknown, Stale, StorageFault

SESSION = "ses_" + "a" * 26
GUEST = Caller("usr_guest", "Guest", 2e9)


class SilentTable:
    """One session in a database that carries changes out late, and never says so."""

    def __init__(self) -> None:
        self.stored: Document = {"_id": SESSION, **handshake_fields(Handshake("usr_host", "usr_guest")), "rev": 1}
        self.sent: list[Document] = []
        self.is_up = True
        self.looks = 0

    async def get(self, id: str) -> Document | None:  # noqa: A002
        if not self.is_up:
            raise Unavailable("away")
        self.looks += 1
        return self.stored

    async def compare_and_set(
        self,
        id: str,  # noqa: A002
        rev: int,
        changes: Mapping[str, Any],
        *,
        command: str,
    ) -> Document:
        self.sent.append({**self.stored, **changes, "rev": rev + 1, "cmds": [command]})
        raise OutcomeUnknown("nobody knows")

    def carry_out(self) -> None:
        """What was sent happens."""
        self.stored = self.sent.pop()


class Told:
    """A handler on such a database, and what it has told."""

    def __init__(self) -> None:
        self.table = SilentTable()
        self.states: list[str] = []
        bus = LocalBus()
        bus.subscribe(TOPIC, lambda _, hint: self.states.append(hint["document"]["state"]))
        signer = Signer(b"the key of a deployment in a test")
        unused = cast(Any, None)
        self.handler = SessionHandler(cast(Any, self.table), unused, unused, signer, bus, Lifetimes())

    async def accept(self) -> None:
        """Say yes, and be told that nobody knows."""
        with pytest.raises(OutcomeUnknown):
            await self.handler.act(GUEST, SESSION, Action.ACCEPT, None)


@pytest.fixture
async def told() -> Told:
    told = Told()
    await told.accept()
    assert told.states == []
    return told


async def test_what_happened_is_told_once(told: Told) -> None:
    told.table.carry_out()

    await told.handler.settle_doubts()
    await told.handler.settle_doubts()

    assert told.states == ["accepted"]


async def test_what_happens_only_after_the_database_is_back_is_told_too(told: Told) -> None:
    await told.handler.settle_doubts()
    assert told.states == []

    told.table.carry_out()
    await told.handler.settle_doubts()

    assert told.states == ["accepted"]


async def test_what_never_happened_is_not_told_and_not_looked_at_for_ever(told: Told) -> None:
    before = told.table.looks
    for _ in range(LOOKS + 5):
        await told.handler.settle_doubts()

    assert told.states == []
    assert told.table.looks - before == LOOKS


async def test_while_the_database_is_away_doubts_stay(told: Told) -> None:
    told.table.is_up = False
    for _ in range(LOOKS + 5):
        with pytest.raises(Unavailable):
            await told.handler.settle_doubts()
    told.table.is_up = True
    told.table.carry_out()

    await told.handler.settle_doubts()

    assert told.states == ["accepted"]


async def test_whoever_is_never_first_is_told_to_try_again() -> None:
    told = Told()

    async def always_late(id: str, rev: int, changes: Mapping[str, Any], *, command: str) -> Document:  # noqa: A002
        raise Stale({**told.table.stored, "rev": rev + 1})

    told.table.compare_and_set = always_late  # type: ignore[method-assign]  # somebody else is first each time
    with pytest.raises(Unavailable):
        await told.handler.act(GUEST, SESSION, Action.ACCEPT, None)

    assert told.states == []


async def test_one_that_cannot_be_read_keeps_no_other_from_being_told(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    get, odd = told.table.get, "ses_" + "b" * 26

    async def found(id: str) -> Document | None:  # noqa: A002
        if id == odd:
            raise StorageFault("it cannot be read")
        return await get(id)

    monkeypatch.setattr(told.table, "get", found)
    told.handler._doubts = {odd: Doubt(1), **told.handler._doubts}
    told.table.carry_out()
    for _ in range(LOOKS):
        await told.handler.settle_doubts()

    assert told.states == ["accepted"]
    assert told.handler._doubts == {}
