"""Which offers are one film, and that their order never matters."""

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dateflicks.core.catalogue.identity import Decision, Group, Identity, are_alike, do_lengths_agree, grouped
from tests.conftest import examples

MINUTE = 60.0


def offer(key: str, *titles: str, year: int | None = None, minutes: float | None = None, **facts: Any) -> Identity:
    ids = tuple(sorted((kind, facts.pop(kind)) for kind in ("imdb", "tmdb", "wikidata") if kind in facts))
    return Identity(
        key=key,
        item=facts.pop("item", key),
        ids=ids,
        title_keys=frozenset(titles),
        year=year,
        duration_seconds=None if minutes is None else minutes * MINUTE,
        **facts,
    )


def films(offers: list[Identity], *decisions: Decision) -> set[str]:
    """The groups, each as its members in a row; the same for every order of offers and decisions."""
    found = grouped(offers, decisions)
    for seed in range(5):
        order, said = list(offers), list(decisions)
        random.Random(seed).shuffle(order)
        random.Random(seed).shuffle(said)
        assert grouped(order, said) == found
    return {"".join(one.members) for one in found}


def group_of(key: str, offers: list[Identity], *decisions: Decision) -> Group:
    return next(one for one in grouped(offers, decisions) if key in one.members)


@pytest.mark.parametrize("kind", ["imdb", "tmdb", "wikidata"])
def test_the_same_id_is_the_same_film_whatever_else_is_said(kind: str) -> None:
    one = offer("a", "solaris", year=1972, minutes=167, **{kind: "1"})
    other = offer("b", "солярис", year=1990, minutes=20, **{kind: "1"})

    assert films([one, other]) == {"ab"}


def test_a_different_value_of_the_same_id_is_never_the_same_film() -> None:
    facts: dict[str, Any] = {"year": 2002, "minutes": 99}

    assert films([offer("a", "solaris", imdb="1", **facts), offer("b", "solaris", imdb="2", **facts)]) == {"a", "b"}
    assert films([offer("a", "x", imdb="1", tmdb="5"), offer("b", "x", imdb="2", tmdb="5")]) == {"a", "b"}


def test_ids_that_contradict_one_another_are_told_and_who_has_only_the_doubtful_one_stays_alone() -> None:
    offers = [
        offer("a", imdb="1", tmdb="5"),
        offer("b", imdb="2", tmdb="5"),
        offer("c", tmdb="5"),
        offer("d", imdb="1"),
    ]

    assert films(offers) == {"ad", "b", "c"}
    assert group_of("c", offers).conflict == "disagree"
    assert set(group_of("c", offers).candidates) == {"a", "b"}


def test_ids_join_over_several_offers() -> None:
    offers = [offer("a", imdb="1"), offer("b", imdb="1", tmdb="5"), offer("c", tmdb="5", wikidata="9")]

    assert films([*offers, offer("d", wikidata="9")]) == {"abcd"}


def test_one_bad_id_does_not_tear_apart_those_who_agree() -> None:
    good = [offer(key, imdb="1", tmdb="5") for key in "abc"]

    assert films([*good, offer("d", imdb="1", tmdb="6")]) == {"abc", "d"}


def test_one_item_in_several_regions_is_one_film() -> None:
    assert films([offer("a", "x", item="netflix|1"), offer("b", "y", item="netflix|1")]) == {"ab"}


def test_a_title_links_within_a_year_and_with_lengths_that_agree() -> None:
    film = offer("a", "charade", year=1963, minutes=113, imdb="1")

    assert films([film, offer("b", "charade", year=1964, minutes=110)]) == {"ab"}
    assert films([film, offer("b", "charade", year=1963)]) == {"ab"}
    assert films([film, offer("b", "charade", year=1965, minutes=113)]) == {"a", "b"}
    assert films([film, offer("b", "charade", year=1963, minutes=90)]) == {"a", "b"}
    assert films([film, offer("b", "charade", minutes=113)]) == {"a", "b"}
    assert films([film, offer("b", "charades", year=1963, minutes=113)]) == {"a", "b"}
    assert films([film, offer("b", "charade", year=1963, minutes=113, kind="other")]) == {"a", "b"}


def test_a_length_that_one_source_knows_counts_for_the_film() -> None:
    film = [offer("a", "titanic", year=1997, minutes=194, imdb="1"), offer("b", "titanic", year=1997, imdb="1")]

    assert films([*film, offer("c", "titanic", year=1996, minutes=173)]) == {"ab", "c"}
    assert films([*film, offer("c", "titanic", year=1996, minutes=190)]) == {"abc"}


def test_any_known_title_will_do() -> None:
    film = offer("a", "spirited away", "sen to chihiro no kamikakushi", year=2001, tmdb="129")

    assert films([film, offer("b", "chihiros reise", "sen to chihiro no kamikakushi", year=2001)]) == {"ab"}


def test_where_several_films_fit_nothing_is_linked_and_a_person_is_asked() -> None:
    offers = [
        offer("a", "pinocchio", year=2022, minutes=117, imdb="1"),
        offer("b", "pinocchio", year=2022, minutes=105, imdb="2"),
        offer("c", "pinocchio", year=2022),
        offer("d", "pinocchio", year=2022, minutes=116),
    ]

    assert films(offers) == {"ad", "b", "c"}
    asked = group_of("c", offers)
    assert (asked.conflict, asked.candidates) == ("several", ("a", "b"))
    assert group_of("a", offers).conflict is None


def test_offers_without_ids_are_linked_when_all_of_them_fit_one_another() -> None:
    chain = [offer("a", "home", year=2008), offer("b", "home", year=2009), offer("c", "home", year=2010)]

    assert films(chain[:2]) == {"ab"}
    assert films(chain) == {"a", "b", "c"}  # the middle one fits two that do not fit each other
    assert group_of("b", chain).conflict == "several"
    assert films([*chain[:2], offer("c", "home", year=2009, minutes=98)]) == {"abc"}


def test_films_of_two_catalogues_without_an_id_in_common_are_linked_by_their_title() -> None:
    offers = [offer("a", "heat", year=1995, minutes=170, imdb="1"), offer("b", "heat", year=1995, tmdb="949")]

    assert films(offers) == {"ab"}
    assert films([*offers, offer("c", "heat", year=1996, tmdb="12")]) == {"a", "b", "c"}


def test_how_sure_a_link_is_follows_from_what_it_is_made_of() -> None:
    film = offer("a", "charade", year=1963, minutes=113, imdb="1")
    offers = [
        film,
        offer("b", imdb="1"),
        offer("c", "charade", year=1963, minutes=113),
        offer("d", "charade", year=1964, minutes=113),
        offer("e", "charade", year=1964),
    ]

    assert dict(group_of("a", offers).confidence) == {"a": 1.0, "b": 1.0, "c": 0.95, "d": 0.85, "e": 0.75}


def test_a_person_joins_what_the_rules_keep_apart() -> None:
    offers = [offer("a", "solaris", imdb="1"), offer("b", "solaris", imdb="2"), offer("c", imdb="2")]

    assert films(offers, Decision("a", "b", same=True)) == {"abc"}
    assert group_of("a", offers, Decision("a", "b", same=True)).conflict is None


def test_a_person_takes_out_what_the_rules_join_and_the_others_stay_together() -> None:
    offers = [offer(key, "metropolis", year=1927, imdb="1") for key in "agmt"]
    soft = [offer("a", "metropolis", year=1927, imdb="1"), offer("b", "metropolis", year=1927)]

    assert films(offers, Decision("m", "a", same=False)) == {"agt", "m"}
    assert films(offers, Decision("a", "t", same=False)) == {"a", "gmt"}
    assert films(soft, Decision("b", "a", same=False)) == {"a", "b"}


def test_a_person_answers_what_was_asked() -> None:
    offers = [
        offer("a", "carrie", year=2013, imdb="1"),
        offer("b", "carrie", year=2013, imdb="2"),
        offer("c", "carrie", year=2013),
    ]

    assert films(offers) == {"a", "b", "c"}
    assert films(offers, Decision("c", "b", same=True)) == {"a", "bc"}
    assert films(offers, Decision("c", "b", same=False)) == {"ac", "b"}


def test_what_is_the_same_is_not_made_so_over_a_word_to_the_contrary() -> None:
    offers = [offer(key) for key in "abc"]
    said = [Decision("a", "b", same=True), Decision("b", "c", same=True), Decision("a", "c", same=False)]

    assert films(offers, *said) == {"ab", "c"}


def test_a_word_about_offers_that_are_not_here_is_not_looked_at() -> None:
    assert films([offer("a"), offer("b")], Decision("a", "x", same=True), Decision("y", "b", same=False)) == {"a", "b"}


def test_lengths_agree_within_three_minutes_or_a_twentieth() -> None:
    assert do_lengths_agree(30 * MINUTE, 33 * MINUTE)
    assert not do_lengths_agree(30 * MINUTE, 33.1 * MINUTE)
    assert do_lengths_agree(200 * MINUTE, 190 * MINUTE)
    assert not do_lengths_agree(200 * MINUTE, 189 * MINUTE)
    assert do_lengths_agree(None, 5.0)


offers_strategy = st.lists(
    st.builds(
        lambda title, year, minutes, imdb, tmdb, item: (title, year, minutes, imdb, tmdb, item),
        st.sampled_from(["x", "y", "z"]),
        st.sampled_from([None, 2000, 2001, 2002]),
        st.sampled_from([None, 90, 92, 95, 99]),
        st.sampled_from([None, None, "1", "2"]),
        st.sampled_from([None, None, "1", "2"]),
        st.sampled_from([None, None, "i"]),
    ),
    max_size=12,
)


def made(rows: list[tuple[str, int | None, int | None, str | None, str | None, str | None]]) -> list[Identity]:
    found = []
    for number, (title, year, minutes, imdb, tmdb, item) in enumerate(rows):
        ids = {kind: value for kind, value in (("imdb", imdb), ("tmdb", tmdb)) if value}
        found.append(offer(f"o{number:02}", title, year=year, minutes=minutes, item=item or f"o{number}", **ids))
    return found


@settings(deadline=None, max_examples=examples(300))
@given(offers_strategy, st.data())
def test_whatever_is_offered_films_are_a_partition_without_contradictions_in_any_order(
    rows: list[tuple[str, int | None, int | None, str | None, str | None, str | None]], data: st.DataObject
) -> None:
    offers = made(rows)
    keys = [one.key for one in offers]
    pairs = st.tuples(st.sampled_from(keys), st.sampled_from(keys), st.booleans()) if keys else st.nothing()
    said = data.draw(st.lists(pairs, max_size=3, unique_by=lambda one: frozenset(one[:2]))) if keys else []
    decisions = [Decision(one, other, same=same) for one, other, same in said if one != other]
    found = grouped(offers, decisions)

    assert sorted(key for one in found for key in one.members) == keys
    by_key = {one.key: one for one in offers}
    is_forced = any(one.same for one in decisions)
    for one in found:
        for kind in ("imdb", "tmdb"):
            values = {value for key in one.members for have, value in by_key[key].ids if have == kind}
            assert len(values) <= 1 or is_forced
        for said_one in decisions:
            assert said_one.same or not {said_one.offer, said_one.other} <= set(one.members)
    shuffled = data.draw(st.permutations(offers))
    assert grouped(shuffled, list(reversed(decisions))) == found


@settings(deadline=None, max_examples=examples(200))
@given(offers_strategy)
def test_what_offers_have_nothing_to_do_with_changes_nothing_for_them(
    rows: list[tuple[str, int | None, int | None, str | None, str | None, str | None]],
) -> None:
    offers = made(rows)
    connected = {one.key: {one.key} for one in offers}
    for one in offers:
        for other in offers:
            if one.item == other.item or set(one.ids) & set(other.ids) or are_alike(one, other):
                merged = connected[one.key] | connected[other.key]
                for key in merged:
                    connected[key] = merged
    alone = [
        group
        for part in {frozenset(part) for part in connected.values()}
        for group in grouped([one for one in offers if one.key in part])
    ]

    assert sorted(alone, key=lambda one: one.members) == grouped(offers)
