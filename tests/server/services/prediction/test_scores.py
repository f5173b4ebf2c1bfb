"""Tables: of a session, and of a pair over all their sessions, for the two of them only."""

import pytest

from dateflicks.server.services.prediction.records import OUTCOMES, SETTLING, pair_key
from tests.journeys.wire import Json
from tests.server.services.prediction.deployment import Deployment, Evening, Person

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def pair(shared: Deployment, caller: Person, other: Person) -> Json:
    found: Json = await shared.call("GET", f"/predictions/scores?with={other.id}", caller.ticket)
    return found


def again(evening: Evening, signer_evening: Evening) -> Evening:
    """The same two people in another session."""
    signer_evening.ana = signer_evening.person("ana", "host", user_id=evening.ana.id)
    signer_evening.ben = signer_evening.person("ben", user_id=evening.ben.id)
    return signer_evening


async def test_the_table_of_a_session_is_of_what_is_settled_the_best_first(shared: Deployment) -> None:
    evening = shared.evening()
    await shared.settled(evening, "yes", ana=("yes", 0.9), ben=("no", 0.8))
    await shared.settled(evening, "no", ben=("no", 1.0))
    await shared.locked(evening, ana=("yes", 1.0))
    scores = await shared.call("GET", f"{evening.path}/scores", evening.ben.ticket)
    ben = {"userId": evening.ben.id, "name": "ben", "points": -56.0, "calls": 2, "right": 1, "brier": 0.64}
    ana = {"userId": evening.ana.id, "name": "ana", "points": 96.0, "calls": 1, "right": 1, "brier": 0.02}
    assert scores == {"items": [ana, ben], "predictions": 2}


async def test_a_pairs_table_runs_over_all_their_sessions_and_is_the_same_for_both(shared: Deployment) -> None:
    first = shared.evening()
    second = again(first, shared.evening())
    await shared.settled(first, "yes", ana=("yes", 0.9), ben=("no", 0.8))
    await shared.settled(second, "no", ana=("yes", 1.0), ben=("no", 1.0))
    table = await pair(shared, first.ana, first.ben)
    assert table["predictions"] == 2
    assert [(one["name"], one["points"], one["calls"], one["right"]) for one in table["items"]] == [
        ("ben", -56.0, 2, 1), ("ana", -204.0, 2, 1),
    ]  # fmt: skip
    assert await pair(shared, second.ben, first.ana) == table
    user_token = await shared.call("GET", f"/predictions/scores?with={first.ana.id}", first.token(first.ben))
    assert user_token == table


async def test_a_pairs_table_is_told_to_nobody_else(shared: Deployment) -> None:
    evening = shared.evening()
    await shared.settled(evening, "yes", ana=("yes", 0.9), ben=("no", 0.8))
    eve = shared.evening().ana
    nothing = {"items": [], "predictions": 0}
    assert await pair(shared, eve, evening.ana) == nothing
    assert await pair(shared, eve, evening.ben) == nothing
    await shared.call("GET", f"/predictions/scores?with={evening.ben.id}", None, expect=401)
    await shared.call("GET", f"/predictions/scores?with={evening.ana.id}", evening.ana.ticket, expect=422)
    await shared.call("GET", "/predictions/scores", evening.ana.ticket, expect=422)
    await shared.call("GET", "/predictions/scores?with=", evening.ana.ticket, expect=422)


async def test_in_a_party_each_two_have_a_table_of_their_own(shared: Deployment) -> None:
    evening = shared.evening()
    cat = evening.person("cat")
    prediction = await shared.predict(evening, evening.ana)
    for person, confidence in ((evening.ana, 0.9), (cat, 0.8)):
        await shared.act(evening, person, prediction, "call", option="yes", confidence=confidence)
    await shared.act(evening, cat, prediction, "lock")
    await shared.act(evening, evening.ben, prediction, "propose", outcome="yes")
    await shared.act(evening, evening.ana, prediction, "confirm")
    await shared.act(evening, cat, prediction, "confirm")
    assert [one["name"] for one in (await pair(shared, cat, evening.ana))["items"]] == ["ana", "cat"]
    assert [one["name"] for one in (await pair(shared, cat, evening.ben))["items"]] == ["cat"]
    assert [one["name"] for one in (await pair(shared, evening.ben, evening.ana))["items"]] == ["ana"]


@pytest.mark.slow
async def test_a_table_is_of_more_outcomes_than_fit_into_one_page(shared: Deployment) -> None:
    evening = shared.evening()
    table = shared.database.table(OUTCOMES)
    key = pair_key(evening.ana.id, evening.ben.id)
    person = {"userId": evening.ana.id, "name": "ana", "points": 1.0, "brier": 0.5, "right": True}
    for number in range(450):
        order = f"t{number // 3:014d}:prd_{number:05d}"
        await table.insert({"_id": f"prd_{number}:{evening.id}", "pairKey": key, "order": order, "people": [person]})
    found = await pair(shared, evening.ben, evening.ana)
    assert (found["predictions"], found["items"][0]["points"], found["items"][0]["calls"]) == (450, 450.0, 450)


async def test_settlements_leave_no_marks(shared: Deployment) -> None:
    evening = shared.evening()
    await shared.settled(evening, "yes", ana=("yes", 0.9), ben=("no", 0.8))
    assert await shared.database.table(SETTLING).between("at", at_least=0, limit=200) == []
