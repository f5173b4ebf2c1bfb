"""What whoever keeps a deployment does to an account while others change it."""

from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import pytest
import pytest_asyncio
from argon2.profiles import CHEAPEST

from dateflicks.protocol.ids import new_id
from dateflicks.server.auth.passwords import Passwords
from dateflicks.server.services.session import records as session
from dateflicks.server.storage.database import Database, DatabaseSettings
from dateflicks.server.storage.records import Document
from dateflicks.server.upkeep import people
from dateflicks.server.upkeep.people import Accounts, Everywhere, NoSuchAccount, NotTheirs
from dateflicks.server.upkeep.people_erase import Erasing

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def everywhere(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Everywhere]:
    """The session service's part alone."""
    settings = DatabaseSettings(timeout_seconds=10.0)
    async with Database.open(settings, tmp_path_factory.mktemp("data"), session.COLLECTIONS, role="worker") as database:
        yield Everywhere({session.DATABASE: database})


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """A password costs nothing."""
    monkeypatch.setattr(people, "Passwords", partial(Passwords, CHEAPEST))


async def made(everywhere: Everywhere, **changes: Any) -> Document:
    """An account of somebody new."""
    user_id = new_id("usr")
    name = f"p{user_id[-12:]}"
    user = {
        "_id": user_id, "id": user_id, "name": name, "nameKey": session.name_key(name), "passwordHash": "old",
        "createdAt": 1.0,
    }  # fmt: skip
    return await everywhere.table(session.USERS).insert({**user, **changes})


async def erased(everywhere: Everywhere, user: Document) -> None:
    await Erasing(everywhere, user, settle_seconds=0.0).run()


async def being_erased(everywhere: Everywhere, user: Document) -> None:
    """Somebody was killed after the first step."""

    class Killed(Erasing):
        async def _end_all(self) -> list[Document]:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await Killed(everywhere, user, settle_seconds=0.0).run()


@pytest.mark.parametrize("meanwhile", [erased, being_erased])
async def test_who_is_erased_while_they_are_enabled_or_get_a_password_stays_so_and_it_is_told(
    everywhere: Everywhere, meanwhile: Any
) -> None:
    accounts = Accounts(everywhere)
    looked_up = await made(everywhere, disabledAt=2.0)
    await meanwhile(everywhere, looked_up)
    before = await accounts.find(looked_up["_id"])

    with pytest.raises(NotTheirs, match="erased"):
        await accounts.enable(looked_up)
    with pytest.raises(NotTheirs, match="erased"):
        await accounts.reset_password(looked_up, "another password", is_one_time=True)
    await accounts.disable(looked_up)

    assert await accounts.find(looked_up["_id"]) == before


async def test_a_password_that_is_reset_is_another_one_than_the_one_they_have_just_chosen(
    everywhere: Everywhere,
) -> None:
    looked_up = await made(everywhere)
    users, chosen = everywhere.table(session.USERS), {"passwordHash": "chosen", "passwordNumber": 1}
    await users.compare_and_set(looked_up["_id"], 1, chosen, command="theirs")

    await Accounts(everywhere).reset_password(looked_up, "another password", is_one_time=True)

    stored = await Accounts(everywhere).find(looked_up["_id"])
    assert (stored["passwordNumber"], stored["isOneTime"]) == (2, True)
    assert stored["passwordHash"] not in ("old", "chosen")


async def test_an_account_that_turned_out_not_to_be_needed_is_not_there_any_more(everywhere: Everywhere) -> None:
    looked_up = await made(everywhere, disabledAt=2.0)
    await everywhere.table(session.USERS).delete(looked_up["_id"])

    with pytest.raises(NoSuchAccount, match=looked_up["name"]):
        await Accounts(everywhere).enable(looked_up)
