"""Films are made of offers, step by step, and stay what they were called."""

import asyncio
import random
from typing import Any

import pytest

from dateflicks.core.catalogue.identity import grouped
from dateflicks.core.errors import NotFound
from dateflicks.protocol.ids import is_id
from dateflicks.server.catalogue.keys import COMMON
from dateflicks.server.catalogue.records import identity_of, is_linkable, offer_id
from dateflicks.server.catalogue.works import Works
from dateflicks.server.providers.source import Item, Removed
from tests.server.catalogue.collection import DAY, START, Collected, item, name_of

BIRDS: dict[str, Any] = {"year": 1963, "duration_seconds": 7_140.0}


async def expected_groups(collected: Collected) -> set[frozenset[str]]:
    """What the rules make of all offers at once."""
    offers = {one["_id"]: one for one in await collected.all_offers() if is_linkable(one)}
    groups = grouped([identity_of(one) for one in offers.values()], await collected.works.decisions())
    return {frozenset(name_of(offers[key]) for key in one.members) for one in groups}


async def test_a_film_shows_what_its_offers_say_together_and_opens_the_best_of_them(collected: Collected) -> None:
    netflix = item("571", "The Birds", external_ids={"tmdb": "571"}, region="US", offer_type="subscription", **BIRDS)
    await collected.run("netflix", [netflix])
    collected.time += 60
    await collected.run("archive", [item("birds", "Birds, The", overview="They gather.", playable=True, **BIRDS)])
    await collected.works.update()

    film = await collected.film_of("netflix", "571", "US")
    assert is_id(film["_id"], "vid")
    assert (film["status"], film["title"], film["overview"]) == ("active", "The Birds", "They gather.")
    assert (film["source"], film["url"], film["playable"]) == ("archive", "https://films.test/birds", True)
    assert film["titles"] == ["The Birds", "Birds, The"]
    assert film["order"] == "tbirds"
    assert film["externalIds"] == {"tmdb": "571"}
    assert (film["addedAt"], film["conflict"], film["candidates"]) == (START, None, [])
    assert [(one["source"], one["region"], one["type"], one["confidence"]) for one in film["offers"]] == [
        ("archive", "", "free", 0.95),
        ("netflix", "US", "subscription", 1.0),
    ]


async def test_making_films_again_of_what_has_not_changed_writes_nothing(collected: Collected) -> None:
    await collected.run("archive", [item(str(number), f"Film {number}", year=2000) for number in range(250)])
    await collected.works.update()
    offers, films = await collected.all_offers(), await collected.all_films()

    with collected.commands() as sent:
        made = await collected.works.update()

    assert (made.looked_at, made.written) == (0, 0)
    assert set(sent) <= {"find", "ping", "update"}
    assert sent.count("update") == 2  # how far it has come, after each page
    assert await collected.all_offers() == offers
    assert await collected.all_films() == films


async def test_a_film_keeps_its_id_when_offers_come_and_change(collected: Collected) -> None:
    await collected.run("archive", [item("1", **BIRDS)])
    await collected.works.update()
    first = await collected.film_of("archive", "1")

    await collected.run("netflix", [item("571", external_ids={"imdb": "tt0056869"}, **BIRDS)])
    await collected.run("archive", [item("1", "Birds", **BIRDS)])
    await collected.works.update()

    film = await collected.film_of("netflix", "571")
    assert film["_id"] == first["_id"]
    assert len(film["members"]) == 2
    assert film["title"] == "The Birds"


async def test_a_film_has_the_same_id_wherever_it_is_first_known_by_its_strongest_id(collected: Collected) -> None:
    await collected.run("netflix", [item("1", external_ids={"imdb": "tt0056869", "tmdb": "571"})])
    await collected.works.update()
    one = await collected.film_of("netflix", "1")

    await collected.run("netflix", [], is_confirmed=True)
    collected.time += 100 * DAY
    await collected.works.update()
    await collected.works.forget([await collected.offer("netflix", "1")])
    await collected.run("apple", [item("x", "Birds", external_ids={"imdb": "tt0056869"})])
    await collected.works.update()

    assert (await collected.film_of("apple", "x"))["_id"] == one["_id"]


async def test_a_film_whose_offers_turn_out_to_be_anothers_points_there(collected: Collected) -> None:
    await collected.run("netflix", [item("1", external_ids={"imdb": "tt0056869"})])
    await collected.run("amazon", [item("2", external_ids={"tmdb": "571"})])
    await collected.works.update()
    films = {(await collected.film_of("netflix", "1"))["_id"], (await collected.film_of("amazon", "2"))["_id"]}
    assert len(films) == 2

    await collected.run("apple", [item("3", external_ids={"imdb": "tt0056869", "tmdb": "571"})])
    await collected.works.update()

    film = await collected.film_of("apple", "3")
    (other,) = films - {film["_id"]}
    ended = await collected.films.get(other)
    assert film["_id"] in films
    assert ended is not None
    assert (ended["status"], ended["mergedInto"], ended["offers"]) == ("merged", film["_id"], [])
    assert ended["title"] == "The Birds"
    assert ended["endedAt"] == START


async def test_a_film_that_nobody_offers_any_more_is_gone_and_comes_back_under_its_id(collected: Collected) -> None:
    await collected.run("archive", [item("1", **BIRDS)])
    await collected.works.update()
    before = await collected.film_of("archive", "1")
    await collected.run("archive", [])
    await collected.works.update()

    film = await collected.film_of("archive", "1")
    assert (film["status"], film["offers"], film["url"], film["title"]) == ("gone", [], None, "The Birds")

    await collected.run("archive", [item("1", **BIRDS)])
    await collected.works.update()
    film = await collected.film_of("archive", "1")
    assert (film["status"], film["_id"]) == ("active", before["_id"])


async def test_a_remake_that_comes_later_makes_a_doubtful_link_a_question(collected: Collected) -> None:
    await collected.run("netflix", [item("1", "Pinocchio", year=2022, external_ids={"imdb": "tt1488589"})])
    await collected.run("local", [item("p", "Pinocchio", year=2022)])
    await collected.works.update()
    assert len(await collected.groups()) == 1

    await collected.run("apple", [item("2", "Pinocchio", year=2022, external_ids={"imdb": "tt4593060"})])
    await collected.works.update()

    assert len(await collected.groups()) == 3
    (asked,) = await collected.works.conflicts()
    assert asked["conflict"] == "several"
    assert set(asked["candidates"]) == {
        (await collected.film_of("netflix", "1"))["_id"],
        (await collected.film_of("apple", "2"))["_id"],
    }


async def test_a_person_answers_and_takes_it_back(collected: Collected) -> None:
    await collected.run("netflix", [item("1", "Pinocchio", year=2022, external_ids={"imdb": "tt1488589"})])
    await collected.run("apple", [item("2", "Pinocchio", year=2022, external_ids={"imdb": "tt4593060"})])
    await collected.run("local", [item("p", "Pinocchio", year=2022)])
    await collected.works.update()
    file, film, other = offer_id("local", "p", ""), offer_id("netflix", "1", ""), offer_id("apple", "2", "")
    apart = await collected.groups()

    await collected.works.decide(file, film, is_same=True, by="ann")
    assert frozenset({"local/p", "netflix/1"}) in await collected.groups()
    assert await collected.works.conflicts() == []
    await collected.works.decide(file, film, is_same=False)
    assert frozenset({"local/p", "apple/2"}) in await collected.groups()
    await collected.works.undo(film, file)
    assert await collected.groups() == apart

    await collected.works.decide(film, other, is_same=True)  # ids or no ids
    assert len(await collected.groups()) == 1
    assert await collected.groups() == await expected_groups(collected)
    with pytest.raises(NotFound):
        await collected.works.undo(file, film)
    with pytest.raises(NotFound):
        await collected.works.decide(file, "off:" + "0" * 32, is_same=True)
    with pytest.raises(NotFound):
        await collected.works.decide(file, file, is_same=True)


async def test_a_link_that_was_wrong_is_undone_by_one_word_and_stays_so(collected: Collected) -> None:
    await collected.run("netflix", [item("1", external_ids={"imdb": "tt0056869"}, **BIRDS)])
    await collected.run("local", [item("b", **BIRDS)])
    await collected.works.update()
    before = await collected.film_of("netflix", "1")

    await collected.works.decide(offer_id("local", "b", ""), offer_id("netflix", "1", ""), is_same=False)
    await collected.run("local", [item("b", overview="New words.", **BIRDS)])
    await collected.works.update()
    await collected.works.rebuild()

    assert len(await collected.groups()) == 2
    assert (await collected.film_of("netflix", "1"))["_id"] == before["_id"]


async def test_a_title_that_very_many_have_in_one_year_says_nothing(collected: Collected) -> None:
    items = [item(str(number), "Untitled", year=1999) for number in range(COMMON)]
    await collected.run("archive", items)
    await collected.works.update()
    assert len(await collected.groups()) == 1

    await collected.run("archive", [*items, item("more", "Untitled", year=1999)])
    await collected.works.update()
    assert len(await collected.groups()) == COMMON + 1

    await collected.run("archive", [*items, item("more", "Untitled at last", year=1999)])
    await collected.works.update()
    assert len(await collected.groups()) == 2


def some_item(chance: random.Random, number: int) -> Item:
    """One that may be linked with many."""
    ids = {kind: chance.choice(("1", "2", "3")) for kind in ("tmdb",) if chance.random() < 0.3}
    if chance.random() < 0.25:
        ids["imdb"] = f"tt000000{chance.randint(1, 3)}"
    return item(
        f"{number}",
        chance.choice(("Home", "Rush", "The Gift")),
        alt_titles=tuple(chance.sample(("Home", "Nest", "Rush"), chance.choice((0, 0, 1)))),
        year=chance.choice((None, 2000, 2001, 2002, 2003)),
        duration_seconds=chance.choice((None, 5_400.0, 5_600.0, 6_200.0)),
        external_ids=ids,
        region=chance.choice(("", "", "US", "DE")),
    )


@pytest.mark.parametrize("seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(2, 6))])
async def test_whatever_happens_in_whatever_order_films_are_what_the_rules_make_of_all_offers(
    collected: Collected, seed: int
) -> None:
    chance = random.Random(seed)
    for _ in range(25):
        source = chance.choice(("archive", "netflix", "local"))
        writer = collected.writer(source)
        await writer.write([some_item(chance, chance.randint(1, 8)) for _ in range(chance.choice((1, 1, 4)))])
        if chance.random() < 0.3:
            await writer.remove([Removed(source_id=str(chance.randint(1, 8)), region=chance.choice(("", "US")))])
        offers = await collected.all_offers()
        if chance.random() < 0.2 and len(offers) > 1:
            one, other = chance.sample(offers, 2)
            await collected.works.decide(one["_id"], other["_id"], is_same=chance.random() < 0.5)
        if chance.random() < 0.2:
            await collected.works.forget([chance.choice(offers)])
        await collected.works.update()
        collected.time += chance.choice((1.0, 500.0))

        assert await collected.groups() == await expected_groups(collected)

    before = await collected.all_films()
    made = await collected.works.rebuild()
    assert (made.relinked, made.written, made.ended) == (0, 0, 0)
    assert await collected.all_films() == before


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.long) for seed in (1, 2))])
async def test_many_offers_at_once_and_one_at_a_time_make_the_same_films(collected: Collected, seed: int) -> None:
    chance = random.Random(f"offers {seed}")
    items = [some_item(chance, number) for number in range(30)]
    await collected.run("archive", items)
    await collected.works.update()
    at_once = await films_by_offers(collected)
    await collected.run("archive", [], is_confirmed=True)
    await collected.works.forget(await collected.all_offers())
    assert await collected.groups() == set()

    writer = collected.writer("archive")
    for one in items:
        await writer.write([one])
        await collected.works.update()

    assert await films_by_offers(collected) == at_once


async def films_by_offers(collected: Collected) -> dict[tuple[str, ...], dict[str, Any]]:
    """All films that have offers, told by these, but for when, and for ids, which tell what was there first."""
    films = {one["_id"]: one for one in await collected.all_films() if one["endedAt"] is None}
    by_time = {"_id", "rev", "updatedAt", "memberStamps", "contentHash"}
    return {
        tuple(one["members"]): {name: value for name, value in one.items() if name not in by_time}
        | {"candidates": {tuple(films[other]["members"]) for other in one["candidates"]}}
        for one in films.values()
    }


async def test_films_that_were_lost_altogether_are_made_anew_under_their_ids(collected: Collected) -> None:
    chance = random.Random(1)
    for source in ("archive", "netflix"):
        await collected.run(source, [some_item(chance, number) for number in range(40)])
    await collected.works.update()
    films = {one["_id"]: one for one in await collected.all_films() if one["endedAt"] is None}
    await collected.films.delete_many(list(films))

    await collected.works.rebuild()

    again = {one["_id"]: one for one in await collected.all_films()}
    for one in (*films.values(), *again.values()):
        del one["updatedAt"], one["rev"]
    assert again == films


async def test_a_film_whose_offers_know_nothing_of_it_ends_with_the_next_rebuild(collected: Collected) -> None:
    await collected.run("archive", [item("1", **BIRDS)])
    await collected.works.update()
    film = await collected.film_of("archive", "1")
    stray = film | {"_id": "vid_" + "a" * 26, "updatedAt": film["updatedAt"] + 1}
    await collected.films.upsert(stray)

    made = await collected.works.rebuild()

    assert made.ended == 1
    found = await collected.films.get(stray["_id"])
    assert found is not None
    assert (found["status"], found["mergedInto"]) == ("merged", film["_id"])


@pytest.mark.parametrize(("seed", "apart"), [(3, 2), pytest.param(14, 1, marks=pytest.mark.long)])
async def test_a_step_that_breaks_off_anywhere_is_done_by_the_next(collected: Collected, seed: int, apart: int) -> None:
    chance = random.Random(seed)
    for stop_after in range(1, 40, apart):
        writer = collected.writer(chance.choice(("archive", "netflix", "local")))
        await writer.write([some_item(chance, chance.randint(1, 12)) for _ in range(4)])
        await collected.cut_off(collected.works.update(), stop_after)
        collected.works = Works(collected.database, now=collected.now)  # as after a kill: nothing is remembered
        await collected.works.update()

        assert await collected.groups() == await expected_groups(collected)
        collected.time += 1.0


@pytest.mark.timeout(180)  # all of it happens at once, beside whatever else the machine does
async def test_sources_that_write_meanwhile_and_others_who_make_films_do_no_harm(collected: Collected) -> None:
    chance = random.Random(5)
    makers = [Works(collected.database, now=collected.now) for _ in range(2)]
    for _ in range(8):
        writers = [collected.writer(source) for source in ("archive", "netflix")]
        written = [one.write([some_item(chance, number) for number in range(1, 13)]) for one in writers]
        await asyncio.gather(*written, *(one.update() for one in makers))
        collected.time += 1.0

    await collected.works.update()
    assert await collected.groups() == await expected_groups(collected)
