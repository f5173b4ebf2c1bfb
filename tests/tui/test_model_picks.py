"""What is known of recommendations: whose list is looked at, in which order, and what is not shown any more."""

from typing import Any

import msgspec

from dateflicks.protocol.recommendations import RecommendationPage
from dateflicks.tui.model.picks import SEEN_SHOWN, Picks
from tests.client.recommendations import ANA, BEA, film_id, fit_json, pair_json, pick_json, picks_json

CLEO = "usr_" + "c" * 26
NOBODY = Picks().known_as(ANA, "ana", {})
PAIR = Picks().known_as(ANA, "ana", {BEA: "bea", CLEO: "cleo"})


def page(*items: Any, **changes: Any) -> RecommendationPage:
    return msgspec.convert(picks_json(*items, **changes), RecommendationPage)


BOTH = page(pair_json(1, "Charade", (0.9, 0.5)), pair_json(2, "Detour", (0.5, 0.8)), next="more")


def titles(picks: Picks) -> list[str]:
    return [one.film.title for one in picks.rows()]


def test_a_couple_is_shown_what_suits_both_and_whoever_is_alone_what_suits_them() -> None:
    assert (PAIR.whom, PAIR.other, PAIR.name_of(BEA), PAIR.name_of("usr_x")) == ("both", BEA, "bea", "the other")
    assert (NOBODY.whom, NOBODY.other, NOBODY.next_whom()) == ("me", None, NOBODY)
    assert NOBODY.known_as(ANA, "ana", {BEA: "bea"}).whom == "both"


def test_the_lists_of_both_and_of_the_other_are_one_in_two_orders() -> None:
    both = PAIR.told(BEA, BOTH)
    mine = both.next_whom()
    theirs = mine.next_whom()
    assert (mine.whom, mine.other, mine.listing, mine.rows()) == ("me", None, None, [])
    assert (theirs.whom, theirs.other) == ("them", BEA)
    assert (titles(both), titles(theirs)) == (["Charade", "Detour"], ["Detour", "Charade"])
    assert [(one.fit, one.number) for one in theirs.rows()] == [(0.8, 1), (0.5, 0)]
    assert [one.fit for one in both.rows()] == [0.7, 0.65]


def test_where_nobody_can_tell_how_well_a_film_fits_nothing_is_said_of_it() -> None:
    unknown = {"fits": [fit_json(ANA, None), fit_json(BEA, None)]}
    half = {"fits": [fit_json(ANA, 0.9), fit_json(BEA, None)]}
    told = PAIR.told(BEA, page(pick_json(1, "Charade", **unknown), pick_json(2, "Detour", **half)))
    assert [one.fit for one in told.rows()] == [None, 0.82]
    assert [one.fit for one in told.next_whom().next_whom().rows()] == [None, None]


def test_a_choice_stays_when_the_same_people_are_told_again() -> None:
    chosen = PAIR.with_partner(CLEO).next_whom()
    assert (chosen.partner, chosen.whom) == (CLEO, "me")
    again = chosen.told(None, page(pick_json())).known_as(ANA, "ana", {BEA: "bea", CLEO: "cleo"})
    assert (again.partner, again.whom, titles(again)) == (CLEO, "me", ["Charade"])
    assert chosen.with_partner("usr_x") == chosen
    assert chosen.known_as(ANA, "ana", {BEA: "bea"}).partner == BEA
    assert chosen.known_as(ANA, "ana", {}).whom == "me"


def test_somebody_else_begins_anew() -> None:
    other = PAIR.told(BEA, BOTH).known_as(BEA, "bea", {})
    assert (other.lists, other.partner, other.whom) == ({}, "", "me")


def test_what_only_one_has_seen_stands_at_the_end() -> None:
    items = [
        pair_json(1, "Charade", (0.9, 0.5)),
        pair_json(3, "Laura", (0.9, 0.9), seen=[ANA]),
        pair_json(4, "Gilda", (0.9, 0.9), seen=[ANA, BEA]),
        *(pair_json(10 + number, "More", (0.1, 0.1), seen=[BEA]) for number in range(SEEN_SHOWN)),
    ]
    told = PAIR.told(BEA, BOTH, page(*items).items)
    assert titles(told)[:4] == ["Charade", "Detour", "Laura", "More"]
    assert [one.is_seen for one in told.rows()[:3]] == [False, False, True]
    assert len(told.rows()) == 2 + SEEN_SHOWN


def test_more_of_a_list_comes_once() -> None:
    told = PAIR.told(BEA, BOTH).told_more(BEA, page(pair_json(2, "Detour", (0.5, 0.8)), pair_json(5, "M", (0.1, 0.1))))
    assert titles(told) == ["Charade", "Detour", "M"]
    assert told.listing is not None
    assert told.listing.cursor is None
    endless = PAIR.told(BEA, BOTH).told_more(BEA, page(pair_json(2, "Detour", (0.5, 0.8)), next="again"))
    assert endless.listing is not None
    assert endless.listing.cursor is None
    assert PAIR.told_more(BEA, BOTH) == PAIR


def test_what_this_person_wants_no_more_of_is_gone_until_that_is_taken_back() -> None:
    told = PAIR.told(BEA, BOTH)
    assert titles(told.rated(film_id(1), "hide")) == ["Detour"]
    assert titles(told.rated(film_id(1), "down")) == ["Detour"]
    liked = told.rated(film_id(1), "up")
    assert (titles(liked), liked.rows()[0].rating) == (["Charade", "Detour"], "up")
    assert liked.rated(film_id(1), None) == told


def test_a_list_that_has_come_makes_an_end_of_trouble() -> None:
    told = Picks(me=ANA, problem="no line", is_asking=True).told(None, page(note="popular"))
    assert (told.problem, told.is_asking) == ("", False)
    assert told.listing is not None
    assert told.listing.note == "popular"
