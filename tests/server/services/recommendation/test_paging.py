"""Pages: a list is gone through as it was when it was begun, less what is out by now; nothing comes twice."""

import pytest

from dateflicks.core.errors import Invalid
from tests.server.services.recommendation.scene import Scene, film_of, somebody

pytestmark = pytest.mark.asyncio(loop_scope="module")

TITLES = [f"Film {number}" for number in range(12)]


async def test_all_pages_are_the_whole_list_once(scene: Scene) -> None:
    await scene.films(*TITLES)
    ana = somebody()
    await scene.run("blend", {ana: TITLES[:7]})
    whole = await scene.listed(ana)
    found, cursor = list[str](), None
    while True:
        page = await scene.page(ana, limit=5, cursor=cursor)
        found += [one.title for one in page.items]
        if (cursor := page.next) is None:
            break
    assert found == whole
    assert sorted(found) == sorted(TITLES)
    scores = [one.score for one in (await scene.page(ana)).items]
    assert scores == sorted(scores, reverse=True)


async def test_a_new_run_between_two_pages_changes_nothing_of_the_list_that_was_begun(scene: Scene) -> None:
    await scene.films(*TITLES)
    ana = somebody()
    await scene.run("blend", {ana: TITLES})
    first = await scene.page(ana, limit=4)
    await scene.run("blend", {ana: TITLES[::-1]}, version="2")
    second = await scene.page(ana, limit=50, cursor=first.next)
    assert [one.title for one in first.items + second.items] == TITLES
    assert (await scene.listed(ana))[0] == TITLES[-1]


async def test_what_was_hidden_between_two_pages_is_out_of_the_second(scene: Scene) -> None:
    await scene.films(*TITLES)
    ana = somebody()
    await scene.run("blend", {ana: TITLES})
    first = await scene.page(ana, limit=4)
    await scene.service._handler.rate(ana, film_of(TITLES[5]), "hide")
    second = await scene.page(ana, limit=3, cursor=first.next)
    assert [one.title for one in second.items] == [TITLES[4], TITLES[6], TITLES[7]]
    third = await scene.page(ana, limit=3, cursor=second.next)
    assert [one.title for one in third.items] == TITLES[8:11]


async def test_a_process_that_knows_nothing_of_the_list_goes_on_behind_the_last_film(scene: Scene) -> None:
    await scene.films(*TITLES)
    ana = somebody()
    await scene.run("blend", {ana: TITLES})
    first = await scene.page(ana, limit=4)
    scene.begin()
    await scene.look()
    second = await scene.page(ana, limit=50, cursor=first.next)
    assert [one.title for one in second.items] == TITLES[4:]
    await scene.service._handler.rate(ana, film_of(TITLES[3]), "hide")
    scene.begin()
    await scene.look()
    again = await scene.page(ana, limit=50, cursor=first.next)
    assert [one.title for one in again.items] == TITLES[5:]


async def test_a_cursor_of_another_list_is_refused(scene: Scene) -> None:
    await scene.films(*TITLES)
    ana, bea = somebody(), somebody()
    await scene.evening(ana, bea)
    cursor = (await scene.page(ana, limit=4)).next
    assert cursor is not None
    for user, other, seen in ((bea, None, False), (ana, bea, False), (ana, None, True)):
        with pytest.raises(Invalid):
            await scene.page(user, other, seen=seen, cursor=cursor)
    for wrong in ("nonsense", "!", cursor[:-4], "WzEsMiwzLDRd"):
        with pytest.raises(Invalid):
            await scene.page(ana, cursor=wrong)
    assert len((await scene.page(ana, cursor="")).items) == len(TITLES)
