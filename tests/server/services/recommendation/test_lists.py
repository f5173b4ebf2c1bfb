"""One person's list: where its places come from, in which order, and what is never in it."""

import pytest

from dateflicks.core.handshake import State
from dateflicks.protocol.recommendations import RecommendationsQuery
from dateflicks.server.catalogue.records import WORKS
from dateflicks.server.recommendation import records
from dateflicks.server.recommendation.experiments import Choice, Experiments
from dateflicks.server.recommendation.records import EVERYBODY
from dateflicks.server.recommendation.runs import Entry
from dateflicks.server.services.recommendation import rankings
from dateflicks.server.services.recommendation.rankings import ALL_REFUSED, ALL_SEEN, NOTES
from tests.server.services.recommendation.scene import BEGUN, NOON, Scene, film_of, list_of, somebody

pytestmark = pytest.mark.asyncio(loop_scope="module")

FILMS = ("Charade", "The General", "Nosferatu", "Vampyr", "Ordet", "M")


async def test_ones_own_list_comes_first_then_what_most_watch_then_the_newest(scene: Scene) -> None:
    await scene.films(*FILMS)
    ana = somebody()
    await scene.run("popularity", {EVERYBODY: ["Vampyr", "Charade"]})
    await scene.run("blend", {ana: ["Nosferatu", "Charade"]})
    page = await scene.page(ana)
    assert [one.title for one in page.items] == ["Nosferatu", "Charade", "Vampyr", "M", "Ordet", "The General"]
    assert [one.basis for one in page.items] == ["own", "own", "popular", "new", "new", "new"]
    assert [one.variant for one in page.items[1:4]] == ["blend 1", "popularity 1", "newest"]
    assert (page.variant, page.note, page.generated_at) == ("blend 1", None, "2027-01-15T07:58:20.000Z")
    scores = [one.score for one in page.items]
    assert scores == sorted(scores, reverse=True)
    assert all(0 < one <= 1 for one in scores)
    assert page.items[0].fits[0].fit == 1.0
    assert page.items[2].fits[0].fit is None


async def test_without_any_run_the_newest_that_can_be_played_are_shown_and_it_is_said(scene: Scene) -> None:
    await scene.films("Charade", "The General")
    await scene.films("Elsewhere", playable=False)
    await scene.films("Once", status="gone")
    page = await scene.page(somebody())
    assert [one.title for one in page.items] == ["The General", "Charade", "Elsewhere"]
    assert [one.playable for one in page.items] == [True, True, False]
    assert (page.note, page.generated_at, page.next) == (NOTES["new"], None, None)


async def test_films_that_can_be_played_are_looked_for_behind_many_that_are_gone(scene: Scene) -> None:
    await scene.films("Charade")
    await scene.films(*(f"Gone {number}" for number in range(201)), status="gone")
    assert await scene.listed(somebody()) == ["Charade"]


async def test_who_has_no_list_gets_what_is_like_the_films_they_have_watched(scene: Scene) -> None:
    await scene.films(*FILMS)
    ana, bea = somebody(), somebody()
    await scene.evening(ana, bea, "Charade", at=NOON - 9_000)
    await scene.run("content", rows={"Charade": {"Ordet": 0.2, "M": 0.6, "Vampyr": -1.0}})
    await scene.run("popularity", {EVERYBODY: ["Nosferatu", "Charade"]})
    page = await scene.page(ana)
    assert [one.title for one in page.items][:3] == ["M", "Ordet", "Nosferatu"]
    assert page.items[0].basis == "content"
    assert page.items[0].why == "because you watched Charade"
    assert page.note == NOTES["content"]


async def test_the_arms_own_rows_count_before_those_of_content(scene: Scene) -> None:
    await scene.films(*FILMS)
    ana = somebody()
    await scene.evening(ana, somebody(), "Charade", at=NOON - 9_000)
    await scene.run("content", rows={"Charade": {"Ordet": 0.2}})
    await scene.run("blend", rows={"Charade": {"Vampyr": 0.2}})
    assert (await scene.listed(ana))[0] == "Vampyr"


async def test_when_the_algorithm_has_no_list_any_other_of_ones_own_will_do(scene: Scene) -> None:
    await scene.films(*FILMS)
    ana = somebody()
    await scene.run("popularity", {ana: ["Vampyr"], EVERYBODY: ["Vampyr"]})
    await scene.run("neighbourhood", {ana: ["Ordet", "M"]}, at=NOON - 500)
    page = await scene.page(ana)
    assert [one.title for one in page.items[:2]] == ["Ordet", "M"]
    assert page.items[0].variant == "neighbourhood 1"


async def test_what_was_finished_or_refused_is_out_whoever_made_the_list(scene: Scene) -> None:
    await scene.films(*FILMS)
    ana = somebody()
    await scene.run("blend", {ana: ["Charade", "The General", "Nosferatu", "Vampyr"]})
    await scene.evening(ana, somebody(), "Charade")
    await scene.evening(somebody(), ana, "The General")
    await scene.evening(ana, somebody(), "Nosferatu", BEGUN)
    await scene.service._handler.rate(ana, film_of("Vampyr"), "down")
    await scene.tell(ana, "M", "dismissed")
    assert await scene.listed(ana) == ["Nosferatu", "Ordet"]
    seen = await scene.page(ana, seen=True)
    assert [one.title for one in seen.items][:3] == ["Charade", "The General", "Nosferatu"]
    assert [one.fits[0].has_seen for one in seen.items[:3]] == [True, True, False]
    assert not {"Vampyr", "M"} & {one.title for one in seen.items}


async def test_a_session_that_was_not_accepted_or_did_not_play_says_nothing(scene: Scene) -> None:
    await scene.films("Charade", "M")
    ana, bea = somebody(), somebody()
    await scene.evening(ana, bea, "Charade", state=State.REJECTED)
    await scene.evening(ana, bea, "Charade", None)
    await scene.evening(ana, bea, "Charade", {"position": 0.0, "length": 6_000.0})
    await scene.evening(ana, bea, None)
    assert await scene.listed(ana) == ["M", "Charade"]


async def test_who_has_refused_everything_is_told_why_nothing_is_left(scene: Scene) -> None:
    await scene.films("Charade", "M")
    ana, bea = somebody(), somebody()
    await scene.evening(ana, bea, "M", BEGUN)
    assert (await scene.page(ana)).note != ALL_REFUSED
    await scene.service._handler.rate(ana, film_of("M"), "down")
    await scene.tell(ana, "Charade", "dismissed")
    for page in (await scene.page(ana), await scene.page(bea, ana)):
        assert (page.items, page.note) == ([], ALL_REFUSED)


async def test_who_has_seen_everything_is_shown_it_again_and_never_what_they_hid(scene: Scene) -> None:
    await scene.films("Charade", "M")
    ana = somebody()
    await scene.run("blend", {ana: ["Charade"]})
    await scene.evening(ana, somebody(), "Charade")
    await scene.tell(ana, "M", "dismissed")
    page = await scene.page(ana)
    assert ([one.title for one in page.items], page.note) == (["Charade"], ALL_SEEN)
    assert page.items[0].fits[0].has_seen


async def test_a_film_that_was_finished_after_the_run_is_folded_in(scene: Scene) -> None:
    await scene.films(*FILMS)
    ana = somebody()
    await scene.run(
        "blend",
        {ana: ["Charade", "Nosferatu", "Vampyr"]},
        {"Charade": {"Vampyr": 5.0, "Ordet": 1.0, "Nosferatu": -1.0}, "M": {"Nosferatu": 100.0}},
    )
    await scene.evening(ana, somebody(), "M", at=NOON - 9_000)  # which the run has known
    await scene.evening(ana, somebody(), "Charade", at=NOON)
    page = await scene.page(ana)
    assert [one.title for one in page.items[:3]] == ["Vampyr", "Ordet", "Nosferatu"]
    assert page.items[0].why == "because you watched Charade"
    assert page.items[0].basis == "own"


async def test_the_end_of_a_film_that_a_client_tells_counts_at_once(scene: Scene) -> None:
    await scene.films(*FILMS)
    ana = somebody()
    await scene.run("blend", {ana: ["Charade", "Nosferatu", "Vampyr"]}, {"Charade": {"Vampyr": 5.0}})
    query = RecommendationsQuery()
    before = await scene.service._handler.page(ana, query)
    assert before.items[0].title == "Charade"
    await scene.tell(ana, "Charade", "watched")
    after = await scene.service._handler.page(ana, query)
    assert [one.title for one in after.items[:2]] == ["Vampyr", "Nosferatu"]


async def test_a_rating_up_that_is_new_is_folded_in_and_a_rating_taken_back_is_not(scene: Scene) -> None:
    await scene.films(*FILMS)
    ana = somebody()
    await scene.run("blend", {ana: ["Nosferatu", "Vampyr"]}, {"M": {"Vampyr": 5.0}})
    await scene.service._handler.rate(ana, film_of("M"), "up")
    assert (await scene.listed(ana))[0] == "Vampyr"
    await scene.service._handler.rate(ana, film_of("M"), None)
    assert (await scene.listed(ana))[0] == "Nosferatu"


async def test_films_that_are_gone_are_left_out_and_merged_ones_are_what_they_became(scene: Scene) -> None:
    await scene.films(*FILMS)
    ana = somebody()
    await scene.run("blend", {ana: ["Charade", "The General", "Nosferatu", "Vampyr"]})
    await scene.evening(ana, somebody(), "Ordet")  # which turns out to be M
    works = scene.database.table(WORKS)
    for title, change in (
        ("Charade", {"status": "gone"}),
        ("The General", {"status": "merged", "mergedInto": film_of("Vampyr")}),
        ("Ordet", {"status": "merged", "mergedInto": film_of("M")}),
    ):
        stored = await works.get(film_of(title))
        assert stored is not None
        await works.upsert(stored | change)
    scene.forget_films()
    assert await scene.listed(ana) == ["Vampyr", "Nosferatu"]


async def test_a_merge_that_goes_round_in_circles_is_no_film(scene: Scene) -> None:
    await scene.films("Charade", "M")
    ana = somebody()
    works = scene.database.table(WORKS)
    stored = await works.get(film_of("M"))
    assert stored is not None
    await works.upsert(stored | {"status": "merged", "mergedInto": film_of("M")})
    scene.forget_films()
    await scene.run("blend", {ana: ["M", "Charade"]})
    assert await scene.listed(ana) == ["Charade"]


async def test_a_run_that_is_half_written_is_never_seen_and_one_that_goes_live_replaces_the_other(scene: Scene) -> None:
    await scene.films(*FILMS)
    ana = somebody()
    await scene.run("blend", {ana: ["Charade"]}, at=NOON - 300)
    await scene.run("blend", {ana: ["M"]}, version="2", is_live=False, at=NOON - 200)
    assert (await scene.listed(ana))[0] == "Charade"
    await scene.run("blend", {ana: ["Vampyr"]}, version="3")
    assert (await scene.listed(ana))[0] == "Vampyr"


async def test_flat_records_of_another_program_are_an_algorithm_of_their_own(scene: Scene) -> None:
    await scene.films(*FILMS)
    ana, bea = somebody(), somebody()
    await scene.written(ana, {"Charade": 0.5, "M": 2, "Ordet": "nonsense"})
    await scene.written(ana, {"Nosferatu": 9.0}, algorithm="mine")
    await scene.look()
    page = await scene.page(ana)
    assert [(one.title, one.variant, one.basis) for one in page.items[:1]] == [("Nosferatu", "mine", "own")]
    scene.begin(type(scene.settings)(algorithm="written"))
    await scene.run("blend", {ana: ["The General"], bea: ["The General"]})
    assert (await scene.listed(ana))[:2] == ["M", "Charade"]
    assert (await scene.listed(bea))[0] == "The General"


async def test_what_somebody_has_spoilt_is_left_out_and_the_rest_goes_on(scene: Scene) -> None:
    await scene.films(*FILMS)
    ana = somebody()
    run = await scene.run("blend", {ana: ["Charade"]})
    table = scene.database.table(records.RECOMMENDATIONS)
    stored = await table.get(list_of(run, ana))
    assert stored is not None
    await table.upsert(stored | {"items": [{"videoId": 7}]})
    await scene.written(ana, {"M": 1.0}, videoId="nonsense")
    assert (await scene.listed(ana))[0] == "M"  # the newest: nothing of it is anybody's list
    assert (await scene.page(ana)).items[0].basis == "new"


async def test_an_algorithm_that_was_made_everybodys_wins_over_the_settings(scene: Scene) -> None:
    await scene.films(*FILMS)
    ana = somebody()
    await scene.run("blend", {ana: ["Charade"]})
    await scene.run("edlae", {ana: ["Vampyr"]})
    await Experiments(scene.database).choose(Choice(algorithm="edlae"))
    await scene.look()
    assert (await scene.listed(ana))[0] == "Vampyr"


async def test_a_new_arrival_keeps_its_place_and_says_what_it_is(scene: Scene) -> None:
    await scene.films(*FILMS)
    ana = somebody()
    arrival = Entry(video_id=film_of("Ordet"), score=-5.0, is_new=True)
    await scene.run("blend", {ana: ["Charade", arrival, "Vampyr", "M"]}, {"Nosferatu": {"M": 100.0}})
    await scene.evening(ana, somebody(), "Nosferatu", at=NOON)
    page = await scene.page(ana)
    assert [one.title for one in page.items[:4]] == ["M", "Ordet", "Charade", "Vampyr"]
    assert [one.is_new for one in page.items[:2]] == [False, True]
    assert page.items[1].why == "because it has just arrived"
    assert page.items[1].fits[0].fit is None


async def test_reasons_are_the_films_that_weigh_most_by_name(scene: Scene) -> None:
    await scene.films(*FILMS)
    ana = somebody()
    why = (film_of("Charade"), film_of("The General"))
    entry = Entry(video_id=film_of("M"), score=1.0, why=why, shares=(0.6, 0.25))
    await scene.run("blend", {ana: [entry, Entry(video_id=film_of("Ordet"), score=0.5)]})
    page = await scene.page(ana)
    assert page.items[0].why == "because you watched Charade and The General"
    reasons = page.items[0].fits[0].reasons
    assert [(one.video_id, one.title, one.weight) for one in reasons] == [
        (why[0], "Charade", 0.6),
        (why[1], "The General", 0.25),
    ]
    assert page.items[1].why == "because it suits what you have watched"


async def test_a_list_costs_a_handful_of_calls_and_is_told_again_for_a_moment(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rankings, "FILL_TO", 3)
    await scene.films(*FILMS)
    ana, query = somebody(), RecommendationsQuery(limit=3)
    await scene.evening(ana, somebody(), "M", at=NOON)
    await scene.run("blend", {ana: [*FILMS] * 10}, {"M": {"Ordet": 0.1}})
    handler = scene.service._handler
    fence = scene.database.fence
    before = fence.command_count
    first = await handler.page(ana, query)
    assert fence.command_count - before <= 10  # of 40 places; a busy machine may have asked for one again
    before = fence.command_count
    assert await handler.page(ana, query) == first
    assert fence.command_count == before
