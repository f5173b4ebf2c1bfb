"""From what people watched, over what a recommender learned, to what the service tells: the real parts in a row."""

import asyncio
from pathlib import Path

import pytest

from dateflicks.protocol.ids import new_id
from dateflicks.server.jobs.recommending import COLLECTIONS
from dateflicks.server.recommendation.runs import Reader
from dateflicks.server.recommenders.edlae import Edlae
from dateflicks.server.recommenders.popularity import Popularity
from dateflicks.server.recommenders.recommender import Recommender
from dateflicks.server.recommenders.running import Plan, run_recommender
from dateflicks.server.services.recommendation.stored import Stored
from dateflicks.server.services.session.records import USERS, name_key
from dateflicks.settings.recommendation import RecommendationSettings
from dateflicks.settings.recommenders import EdlaeSettings, PopularitySettings, RecommendersSettings
from tests.server.services.recommendation.scene import NOON, Scene, somebody

pytestmark = pytest.mark.asyncio(loop_scope="module")

DARK = tuple(f"Dark {number}" for number in range(6))
LIGHT = tuple(f"Light {number}" for number in range(6))


async def learn(
    scene: Scene,
    recommender: Recommender,
    config: EdlaeSettings | PopularitySettings,
    folder: Path,
    user: str | None = None,
) -> None:
    plan = Plan(
        run_id=new_id("run"), config=config, settings=RecommendersSettings(), stopping=asyncio.Event(),
        now=lambda: scene.now, folder=folder, user=user,
    )  # fmt: skip
    await run_recommender(recommender, plan, scene.database)
    await scene.look()


async def test_who_watches_what_others_watched_is_shown_what_these_watched_besides(
    scene: Scene, tmp_path: Path
) -> None:
    await scene.database.ensure(COLLECTIONS)
    scene.begin(RecommendationSettings(algorithm="edlae"))
    await scene.films(*DARK, *LIGHT, addedAt=1.0)
    people = [somebody() for _ in range(13)]
    for user in people:
        await scene.database.table(USERS).insert({"_id": user, "name": user, "nameKey": name_key(user)})
    ana, bea, *others = people
    for number, user in enumerate(others[:-1]):
        films = DARK if number % 2 else LIGHT
        for at in range(5):
            await scene.evening(user, others[-1], films[(number + at) % 6], at=NOON - 9_000 + at)
    for title in DARK[:3]:
        await scene.evening(ana, bea, title, at=NOON - 9_000)
    await learn(scene, Edlae(), EdlaeSettings(regularization=1.0), tmp_path)
    await learn(scene, Popularity(), PopularitySettings(), tmp_path)

    page = await scene.page(ana)
    assert {one.title for one in page.items[:3]} == set(DARK[3:])
    assert {(one.basis, one.variant) for one in page.items[:3]} == {("own", f"edlae {Edlae.version}")}
    assert page.items[0].why.startswith("because you watched Dark")
    assert not {one.title for one in page.items} & set(DARK[:3])
    both = await scene.page(bea, ana)
    assert {one.title for one in both.items[:3]} == set(DARK[3:])
    assert both.items[0].basis == "pair"
    assert all(fit.fit is not None for fit in both.items[0].fits)
    assert both.items[0].why.startswith("because you both watched Dark")

    cleo = somebody()
    assert (await scene.page(cleo)).items[0].basis == "popular"
    await scene.tell(cleo, LIGHT[0], "watched")
    alike = (await scene.page(cleo)).items
    assert (alike[0].basis, alike[0].why) == ("content", f"because you watched {LIGHT[0]}")
    assert alike[0].title in LIGHT
    scene.now += 10
    await scene.tell(ana, page.items[0].title, "watched")
    assert page.items[0].title not in await scene.listed(ana)


async def test_a_list_that_was_made_anew_for_one_person_is_seen_where_the_old_one_was_remembered(
    scene: Scene, tmp_path: Path
) -> None:
    await scene.database.ensure(COLLECTIONS)
    await scene.films(*DARK, addedAt=1.0)
    ana, bea, cid = somebody(), somebody(), somebody()
    for user in (ana, bea, cid):
        await scene.database.table(USERS).insert({"_id": user, "name": user, "nameKey": name_key(user)})
    for title in DARK[:3]:
        await scene.evening(ana, bea, title, at=NOON - 9_000)
    await scene.evening(bea, cid, DARK[3], at=NOON - 9_000)  # else no film that she has not seen is like no other
    await learn(scene, Popularity(), PopularitySettings(), tmp_path)
    reader = Reader(scene.database)
    stored = Stored(reader)

    async def made_at() -> float:
        live = await reader.live("popularity")
        assert live is not None
        found = await stored.listing(live, ana)
        assert found is not None
        return found.generated_at

    first = await made_at()
    scene.now += 60.0
    await learn(scene, Popularity(), PopularitySettings(), tmp_path, user=ana)
    assert await made_at() == first + 60.0
