"""Which offer is best, and whose facts are shown."""

from typing import Any

import pytest

from dateflicks.core.catalogue.choosing import by_worth, facts_of
from dateflicks.core.catalogue.facts import Offer


def offer(name: str, source: str = "url", **facts: Any) -> Offer:
    return Offer(**{"id": name, "source": source, "source_id": name, "url": f"https://x.test/{name}"} | facts)


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ({"playable": True, "offer_type": "buy"}, {"offer_type": "owned"}),
        ({"offer_type": "owned"}, {"offer_type": "free"}),
        ({"offer_type": "free"}, {"offer_type": "subscription"}),
        ({"offer_type": "subscription"}, {"offer_type": "rent"}),
        ({"offer_type": "rent"}, {"offer_type": "buy"}),
        ({"last_seen": 2.0}, {"last_seen": 1.0}),
    ],
)
def test_one_offer_is_better_than_another(better: dict[str, Any], worse: dict[str, Any]) -> None:
    for names in (("a", "b"), ("b", "a")):
        one, other = offer(names[0], **better), offer(names[1], **worse)
        assert by_worth([other, one]) == by_worth([one, other]) == [one, other]


def test_what_is_gone_or_put_aside_is_nobodys_best() -> None:
    assert by_worth([offer("a", status="gone"), offer("b", status="quarantined")]) == []


def test_each_fact_comes_from_the_source_that_knows_best_among_those_that_have_it() -> None:
    facts = facts_of(
        [
            offer("a", "local", title="birds.1963.remux", year=1964, duration_seconds=7_140.0),
            offer("b", "netflix", title="The Birds", year=1963, genres=("horror",), external_ids={"tmdb": "571"}),
            offer("c", "archive", title="Birds", overview="They gather.", genres=("drama", "horror"), people=("T H",)),
        ],
        now=0.0,
    )

    assert (facts.title, facts.year, facts.overview) == ("The Birds", 1963, "They gather.")
    assert facts.duration_seconds == 7_140.0
    assert facts.genres == ("horror", "drama")
    assert facts.titles == ("The Birds", "Birds", "birds.1963.remux")
    assert facts.people == ("T H",)
    assert facts.external_ids == {"tmdb": "571"}


def test_facts_whose_time_is_over_are_not_used_and_where_it_is_seen_stays() -> None:
    kept = offer("a", "netflix", title="The Birds", year=1963, expires_at=100.0)
    other = offer("b", "local", title="birds")

    assert facts_of([kept, other], now=99.0).title == "The Birds"
    assert facts_of([kept, other], now=100.0).title == "birds"
    assert facts_of([kept], now=100.0).title is None
    assert by_worth([kept]) == [kept]


def test_among_equals_the_one_that_is_there_and_has_looked_last_is_believed() -> None:
    old = offer("a", title="Old", last_seen=1.0)
    new = offer("b", title="New", last_seen=2.0)
    gone = offer("c", title="Gone", last_seen=3.0, status="gone")

    for offers in ([old, new, gone], [gone, new, old]):
        assert facts_of(offers, 0.0).title == "New"
        assert facts_of(offers, 0.0, trust={"url": 1}).titles == ("New", "Old", "Gone")


def test_nothing_is_said_of_nothing() -> None:
    assert facts_of([], 0.0).title is None
