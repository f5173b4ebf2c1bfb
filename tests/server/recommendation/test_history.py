"""What people did, read out of their evenings, what they said and what they predicted."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from dateflicks.core.handshake import State
from dateflicks.core.ranking.interactions import Act, Interaction
from dateflicks.server.recommendation.history import Histories
from dateflicks.server.recommendation.records import pair_of
from dateflicks.server.services.prediction.records import OUTCOMES, order_key, pair_key
from dateflicks.server.services.session.records import USERS, name_key
from dateflicks.server.storage.database import Database
from tests.server.services.recommendation.scene import BEGUN, NOON, OVER, Scene, film_of, opened, somebody

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def database(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Database]:
    async with opened(tmp_path_factory.mktemp("data")) as database:
        yield database


@pytest_asyncio.fixture(loop_scope="module")
async def scene(database: Database) -> AsyncIterator[Scene]:
    found = Scene(database)
    yield found
    await found.empty()


async def account(scene: Scene) -> str:
    """Somebody whom the session service knows."""
    user = somebody()
    await scene.database.table(USERS).insert({"_id": user, "name": user, "nameKey": name_key(user)})
    return user


def seen(acts: list[Interaction]) -> set[tuple[str, Act]]:
    return {(act.video_id, act.act) for act in acts}


async def test_an_evening_counts_by_how_far_it_came_for_the_host_and_the_guest(scene: Scene) -> None:
    ana, bea = somebody(), somebody()
    await scene.evening(ana, bea, "Charade", OVER)
    await scene.evening(bea, ana, "M", {"position": 4_000.0, "length": 6_000.0})
    await scene.evening(ana, bea, "Ordet", {"position": 100.0, "length": 6_000.0}, at=5.0)
    await scene.evening(ana, bea, "Vampyr", {"position": 100.0, "length": 6_000.0}, state=State.ACCEPTED)
    await scene.evening(ana, bea, "Nosferatu", {"position": 5_999.0, "length": 0.0})
    wanted = {
        (film_of("Charade"), Act.FINISHED), (film_of("M"), Act.MOSTLY), (film_of("Ordet"), Act.LEFT),
        (film_of("Vampyr"), Act.BEGUN), (film_of("Nosferatu"), Act.BEGUN),
    }  # fmt: skip
    histories = Histories(scene.database)
    for user in (ana, bea):
        acts = await histories.of(user)
        assert seen(acts) == wanted
        assert {act.user_id for act in acts} == {user}
        assert {act.at for act in acts if act.video_id == film_of("Ordet")} == {5.0}
    assert seen(await histories.together(bea, ana)) == wanted
    assert await histories.of(somebody()) == []


async def test_what_people_say_is_an_act_until_they_take_it_back(scene: Scene) -> None:
    await scene.films("Charade", "M", "Ordet")
    ana, rules = somebody(), scene.service._handler
    await rules.rate(ana, film_of("Charade"), "up")
    await rules.rate(ana, film_of("M"), "down")
    await rules.rate(ana, film_of("Ordet"), "up")
    await rules.rate(ana, film_of("Ordet"), None)
    await scene.tell(ana, "Charade", "watched")
    await scene.tell(ana, "M", "dismissed")
    histories = Histories(scene.database)
    assert seen(await histories.of(ana)) == {
        (film_of("Charade"), Act.UP), (film_of("Charade"), Act.FINISHED), (film_of("M"), Act.HIDDEN),
    }  # fmt: skip


async def test_everybody_is_walked_with_their_pairs_and_what_they_predicted(scene: Scene) -> None:
    await scene.films("Charade", "M")
    ana, bea, cleo = [await account(scene) for _ in range(3)]
    evening = await scene.evening(ana, bea, "Charade", OVER)
    await scene.evening(bea, ana, "M", BEGUN)
    await scene.evening(cleo, ana, "M", BEGUN, state=State.REJECTED)
    await scene.service._handler.rate(cleo, film_of("M"), "up")
    await scene.database.table(OUTCOMES).insert(
        {
            "_id": f"prd_a:{ana[-8:]}", "pairKey": pair_key(bea, ana), "order": order_key(NOON, "prd_a"),
            "predictionId": "prd_a", "sessionId": evening["_id"], "settledAt": NOON,
            "people": [{"userId": bea, "name": "bea", "brier": 0.1, "points": 1.0, "right": True}],
        }
    )  # fmt: skip
    histories = Histories(scene.database)
    pages = [acts async for acts in histories.everybody()]
    own = [act for acts in pages for act in acts.own]
    joint = [act for acts in pages for act in acts.joint]
    pairs = set().union(*(acts.pairs for acts in pages))
    assert {(act.user_id, act.video_id, act.act) for act in own} >= {
        (ana, film_of("Charade"), Act.FINISHED), (bea, film_of("Charade"), Act.FINISHED),
        (ana, film_of("M"), Act.BEGUN), (bea, film_of("M"), Act.BEGUN), (cleo, film_of("M"), Act.UP),
        (bea, film_of("Charade"), Act.PREDICTED),
    }  # fmt: skip
    assert len([act for act in own if act.video_id == film_of("Charade")]) == 3
    together = {(act.user_id, act.video_id) for act in joint}
    assert together >= {(pair_of(ana, bea), film_of("Charade")), (pair_of(ana, bea), film_of("M"))}
    assert {pair_of(ana, bea), pair_of(ana, cleo)} <= pairs


async def test_two_have_met_when_they_accepted_a_session_and_are_called_as_they_were_there(scene: Scene) -> None:
    ana, bea, histories = somebody(), somebody(), Histories(scene.database)
    await scene.evening(ana, bea, state=State.PENDING)
    assert await histories.met(bea, ana) is None
    await scene.evening(bea, ana)
    met = await histories.met(ana, bea)
    assert met is not None
    assert met.names == {ana: f"name-of-{ana[-4:]}", bea: f"name-of-{bea[-4:]}"}


async def test_a_sign_in_is_over_only_for_people_who_are_known_here(scene: Scene) -> None:
    histories = Histories(scene.database)
    assert await histories.is_signed_out(await account(scene), "tok_x")
    assert not await histories.is_signed_out(somebody(), "tok_x")
