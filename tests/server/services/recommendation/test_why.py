"""Why one film: what the list knows of it, and what can be found out when it says nothing."""

import pytest

from dateflicks.server.recommendation.runs import Entry
from tests.server.services.recommendation.scene import NOON, Scene, film_of, somebody

pytestmark = pytest.mark.asyncio(loop_scope="module")

FILMS = ("Charade", "The General", "Nosferatu", "M")


async def test_a_film_of_the_list_is_told_as_it_stands_there(scene: Scene) -> None:
    await scene.films(*FILMS)
    ana = somebody()
    entry = Entry(video_id=film_of("M"), score=1.0, why=(film_of("Charade"),), shares=(0.75,))
    await scene.run("blend", {ana: [entry, "Nosferatu"]})
    found = await scene.service._handler.why(ana, film_of("M"), None)
    assert found == (await scene.page(ana)).items[0]
    assert (found.why, found.variant, found.basis) == ("because you watched Charade", "blend 1", "own")


async def test_reasons_that_the_list_left_out_are_found_in_the_rows(scene: Scene) -> None:
    await scene.films(*FILMS)
    ana, bea = sorted((somebody(), somebody()))
    await scene.evening(ana, bea, "Charade", at=NOON - 9_000)
    await scene.evening(bea, somebody(), "The General", at=NOON - 9_000)
    rows = {"Charade": {"M": 1.0}, "The General": {"M": 3.0}}
    await scene.run("blend", {ana: ["M"], bea: ["M"]}, rows)
    own = await scene.service._handler.why(ana, film_of("M"), None)
    assert own.why == "because you watched Charade"
    assert [reason.weight for reason in own.fits[0].reasons] == [1.0]
    both = await scene.service._handler.why(ana, film_of("M"), bea)
    assert both.why == f"because you watched Charade, and name-of-{bea[-4:]} watched The General"


async def test_who_has_only_said_that_they_like_a_film_is_not_told_that_they_have_watched_it(scene: Scene) -> None:
    await scene.films(*FILMS)
    ana, bea = sorted((somebody(), somebody()))
    await scene.evening(ana, bea, "Charade", at=NOON - 9_000)
    await scene.service._handler.rate(ana, film_of("The General"), "up")
    await scene.service._handler.rate(bea, film_of("The General"), "up")
    of_both = (film_of("Charade"), film_of("The General"))
    entry = Entry(video_id=film_of("M"), score=1.0, why=of_both, shares=(0.7, 0.3))
    other = Entry(video_id=film_of("Nosferatu"), score=0.5, why=(film_of("The General"),), shares=(1.0,))
    await scene.run("blend", {ana: [entry, other], bea: [other]})
    own = {item.video_id: item.why for item in (await scene.page(ana)).items}
    assert own[film_of("M")] == "because you watched Charade and liked The General"
    assert own[film_of("Nosferatu")] == "because you liked The General"
    both = {item.video_id: item.why for item in (await scene.page(ana, bea)).items}
    assert both[film_of("Nosferatu")] == "because you both liked The General"


async def test_a_film_that_is_in_no_list_says_so(scene: Scene) -> None:
    await scene.films(*FILMS)
    ana = somebody()
    await scene.service._handler.rate(ana, film_of("M"), "hide")
    found = await scene.service._handler.why(ana, film_of("M"), None)
    assert (found.score, found.basis, found.why) == (0.0, "none", "it is not among the films to recommend now")


async def test_what_was_seen_has_its_reasons_too(scene: Scene) -> None:
    await scene.films(*FILMS)
    ana = somebody()
    await scene.evening(ana, somebody(), "Charade")
    await scene.run("blend", {ana: ["Charade", "M"]})
    found = await scene.service._handler.why(ana, film_of("Charade"), None)
    assert (found.basis, found.fits[0].has_seen) == ("own", True)
