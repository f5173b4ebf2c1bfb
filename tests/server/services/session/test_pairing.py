"""What two have watched together is a page of its own, also of sessions from before there was such a page."""

import pytest

from dateflicks.server.recommendation import records as recommendation
from dateflicks.server.services.session.pairing import DONE, Pairing
from dateflicks.server.services.session.records import PROGRESS, SESSIONS, USERS, pair_of
from dateflicks.server.storage.table import Table
from tests.server.services.session.deployment import Deployment

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def together(deployment: Deployment, one: str, other: str) -> list[str]:
    """The sessions of two people, the newest first."""
    table = deployment.database.table(SESSIONS)
    return [document["_id"] for document in await table.page("pair", pair_of(one, other), order_by="order")]


async def make_old(table: Table, session_id: str) -> None:
    """A session as it was stored before it named its pair."""
    document = await table.get(session_id)
    assert document is not None
    del document["pair"]
    assert await table.replace({**document, "rev": document["rev"] + 1}, document["rev"])


async def test_two_people_find_their_sessions_whoever_asked_whom(shared: Deployment) -> None:
    one, other = await shared.pair()
    third = await shared.person()
    asked = await one.ask(other)
    asking = await other.ask(one)
    await one.ask(third)

    assert await together(shared, one.id, other.id) == [asking["id"], asked["id"]]
    assert await together(shared, other.id, one.id) == [asking["id"], asked["id"]]


async def test_a_link_is_of_a_pair_as_soon_as_somebody_has_taken_it(shared: Deployment) -> None:
    host, guest = await shared.pair()
    link = await host.link()
    before = await shared.database.table(SESSIONS).get(link["id"])

    await guest.call("POST", f"/invitations/{link['invitation']}/redeem")

    assert before is not None
    assert before["pair"] is None
    assert await together(shared, host.id, guest.id) == [link["id"]]


async def test_a_pair_is_written_as_recommendations_write_it() -> None:
    assert pair_of("usr_b", "usr_a") == recommendation.pair_of("usr_a", "usr_b") == "usr_a:usr_b"


async def test_sessions_from_before_get_their_pair_once(shared: Deployment) -> None:
    host, guest = await shared.pair()
    sessions, marks = shared.database.table(SESSIONS), shared.database.table(PROGRESS)
    old = await host.act(await host.ask(guest), "cancel")
    link = await host.link()
    await make_old(sessions, old["id"])
    await make_old(sessions, link["id"])
    await marks.delete(DONE)

    await Pairing(shared.database.table(USERS), sessions, marks).fill()
    found = await together(shared, host.id, guest.id)
    await make_old(sessions, old["id"])
    await Pairing(shared.database.table(USERS), sessions, marks).fill()

    assert found == [old["id"]]
    assert await together(shared, host.id, guest.id) == []
    assert (await host.get(f"/sessions/{old['id']}"))["session"]["state"] == "cancelled"


async def test_a_session_from_before_gets_its_pair_with_the_next_thing_that_happens_to_it(shared: Deployment) -> None:
    host, guest = await shared.pair()
    session = await host.ask(guest)
    await make_old(shared.database.table(SESSIONS), session["id"])

    await guest.act(session, "accept")

    assert await together(shared, host.id, guest.id) == [session["id"]]
