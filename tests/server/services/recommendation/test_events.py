"""What became of films, and what people say of them: written once, found again, and never in the way of a list."""

import pytest

from dateflicks.core.errors import Invalid, NotFound, TooMany
from dateflicks.protocol.recommendations import EventBody, Rating
from dateflicks.server.recommendation.experiments import OUTSIDE
from dateflicks.server.recommendation.records import pair_of
from dateflicks.server.services.recommendation import handler
from tests.server.services.recommendation.scene import NOON, Scene, film_of, list_of, somebody

pytestmark = pytest.mark.asyncio(loop_scope="module")

DAY = 86_400.0
FILMS = ("Charade", "The General", "M")


async def test_what_was_shown_is_kept_once_a_day_with_who_made_it_and_where_it_stood(scene: Scene) -> None:
    await scene.films(*FILMS)
    ana = somebody()
    run = await scene.run("blend", {ana: ["Charade", "M"]})
    await scene.page(ana)
    for position in (1, 7):
        await scene.tell(ana, "M", "shown", position=position)
    (one,) = await scene.exposures(ana)
    wanted = {
        "experiment": OUTSIDE, "variant": "", "unit": "user", "unitId": ana, "people": [ana], "userId": ana,
        "videoId": film_of("M"), "position": 1, "place": 1, "shownAt": NOON, "events": [], "madeBy": "blend 1",
        "basis": "own", "list": list_of(run, ana), "day": "d2027-01-15",
    }  # fmt: skip
    assert {name: one[name] for name in wanted} == wanted
    assert one["tookMs"] > 0
    scene.now += DAY
    await scene.tell(ana, "M", "shown", position=0)
    assert [found["shownAt"] for found in await scene.exposures(ana)] == [NOON, NOON + DAY]


async def test_what_is_done_later_belongs_to_the_last_time_it_was_shown_each_kind_once(scene: Scene) -> None:
    await scene.films(*FILMS)
    ana = somebody()
    await scene.tell(ana, "M", "shown")
    scene.now += DAY
    await scene.tell(ana, "M", "shown")
    scene.now += 3 * DAY
    for event in ("opened", "invited", "opened", "watched"):
        await scene.tell(ana, "M", event)
    first, last = await scene.exposures(ana)
    assert first["events"] == []
    assert [one["event"] for one in last["events"]] == ["opened", "invited", "watched"]
    assert last["events"][0] == {"event": "opened", "at": scene.now, "userId": ana}
    scene.now += 30 * DAY
    await scene.tell(ana, "M", "dismissed")
    assert len((await scene.exposures(ana))[-1]["events"]) == 3


async def test_what_was_never_shown_is_no_exposure(scene: Scene) -> None:
    await scene.films(*FILMS)
    ana = somebody()
    await scene.tell(ana, "M", "opened")
    assert await scene.exposures(ana) == []


async def test_what_two_were_shown_is_the_pairs_whoever_tells_it(scene: Scene) -> None:
    await scene.films(*FILMS)
    ana, bea = sorted((somebody(), somebody()))
    await scene.evening(ana, bea)
    await scene.tell(bea, "M", "shown", ana)
    await scene.tell(ana, "M", "shown", bea)
    await scene.tell(ana, "M", "invited", bea)
    (one,) = await scene.exposures(pair_of(ana, bea))
    assert (one["unit"], one["people"], one["userId"]) == ("pair", [ana, bea], bea)
    assert [event["userId"] for event in one["events"]] == [ana]
    assert await scene.exposures(ana) == []
    with pytest.raises(NotFound):
        await scene.tell(ana, "M", "shown", somebody())


async def test_an_unknown_film_is_not_found(scene: Scene) -> None:
    ana = somebody()
    for video_id in (film_of("Nothing"), "nonsense", "\0", "x" * 64):
        with pytest.raises(NotFound):
            await scene.service._handler.tell(ana, EventBody(video_id=video_id, event="shown"))
        with pytest.raises(NotFound):
            await scene.service._handler.rate(ana, video_id, "up")
        with pytest.raises(NotFound):
            await scene.service._handler.why(ana, video_id, None)


async def test_ratings_are_said_changed_taken_back_and_told_the_newest_first(scene: Scene) -> None:
    await scene.films(*FILMS)
    ana, rules = somebody(), scene.service._handler
    said: tuple[tuple[str, Rating], ...] = (("Charade", "up"), ("M", "down"), ("The General", "hide"))
    for title, rating in said:
        scene.now += 1
        answer = await rules.rate(ana, film_of(title), rating)
        assert (answer.video_id, answer.rating) == (film_of(title), rating)
    scene.now += 1
    again = await rules.rate(ana, film_of("M"), "down")
    assert again.rated_at == "2027-01-15T08:00:02.000Z"
    first = await rules.all_ratings(ana, None, 2)
    assert [one.rating for one in first.items] == ["hide", "down"]
    rest = await rules.all_ratings(ana, first.next, 2)
    assert ([one.rating for one in rest.items], rest.next) == (["up"], None)
    assert (await rules.rating(ana, film_of("M"))).rating == "down"
    taken = await rules.rate(ana, film_of("M"), None)
    assert (taken.rating, taken.rated_at) == (None, None)
    assert [one.rating for one in (await rules.all_ratings(ana, "", 50)).items] == ["hide", "up"]
    assert (await rules.rating(ana, film_of("M"))).rating is None
    assert (await rules.rating(somebody(), film_of("M"))).rating is None
    for cursor in ("nonsense", "!!", "MS4wIG5vdGhpbmc", "bmFuIHZpZF8"):
        with pytest.raises(Invalid):
            await rules.all_ratings(ana, cursor, 2)


async def test_to_dismiss_is_to_hide_and_can_be_taken_back(scene: Scene) -> None:
    await scene.films(*FILMS)
    ana, rules = somebody(), scene.service._handler
    await rules.rate(ana, film_of("M"), "up")
    await scene.tell(ana, "M", "dismissed")
    assert (await rules.rating(ana, film_of("M"))).rating == "hide"
    assert "M" not in await scene.listed(ana)
    await rules.rate(ana, film_of("M"), None)
    assert "M" in await scene.listed(ana)


async def test_to_have_watched_says_nothing_of_what_one_thinks(scene: Scene) -> None:
    await scene.films(*FILMS)
    ana, rules = somebody(), scene.service._handler
    await rules.rate(ana, film_of("M"), "up")
    for _ in range(2):
        await scene.tell(ana, "M", "watched")
    await scene.tell(ana, "Charade", "watched")
    assert [one.rating for one in (await rules.all_ratings(ana, None, 50)).items] == ["up"]
    assert await scene.listed(ana) == ["The General"]


async def test_who_asks_or_tells_too_much_is_told_to_wait(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handler, "ASKED_BURST", 2)
    monkeypatch.setattr(handler, "TOLD_PER_WINDOW", 2)
    await scene.films(*FILMS)
    scene.begin()._handler._evenly = lambda: 1.0  # however long it takes
    ana = somebody()
    for _ in range(2):
        await scene.tell(ana, "M", "shown")
        await scene.listed(ana)
    with pytest.raises(TooMany):
        await scene.listed(ana)
    with pytest.raises(TooMany):
        await scene.tell(ana, "M", "shown")
    await scene.listed(somebody())
