"""On films that are easily taken for one another: nearly all offers find theirs, and none another's."""

import random
from collections import defaultdict

import pytest

from dateflicks.server.storage.records import Document
from tests.server.catalogue.collection import Collected
from tests.server.catalogue.films import Film, Told, films, offers

LINKED = 0.95


async def fill(collected: Collected, told: list[Told], *, steps: int = 1) -> None:
    """Write what the sources tell, and make films of it so many times on the way."""
    size = -(-len(told) // steps)
    for start in range(0, len(told), size):
        by_source: dict[str, list[Told]] = defaultdict(list)
        for one in told[start : start + size]:
            by_source[one.source].append(one)
        for source, some in by_source.items():
            writer = collected.writer(source)
            for at in range(0, len(some), 500):
                await writer.write([one.item for one in some[at : at + 500]])
        await collected.works.update()
        collected.time += 3_600


def truth(told: list[Told]) -> dict[tuple[str, str], Film]:
    return {(one.source, one.item.source_id): one.film for one in told}


async def test_nearly_all_are_linked_and_none_to_another_film(collected: Collected) -> None:
    told = offers()
    assert len(films()) >= 140
    await fill(collected, told)

    film_of = truth(told)
    held: dict[str, list[Document]] = defaultdict(list)
    for one in await collected.all_offers():
        held[one["workId"]].append(one)
    wrong = [
        [(one["source"], one["title"], one["year"]) for one in group]
        for group in held.values()
        if len({film_of[one["source"], one["sourceId"]].number for one in group}) > 1
    ]
    loose = [one for one in told if not one.item.external_ids]
    with_ids = {key for key, group in held.items() if any(one["externalIds"] for one in group)}
    linked = [one for one in loose if (await collected.offer(one.source, one.item.source_id))["workId"] in with_ids]

    assert wrong == []
    assert len(linked) / len(loose) >= LINKED, f"{len(linked)} of {len(loose)}"
    assert len(with_ids) == len(films())


@pytest.mark.long
async def test_what_is_not_linked_is_told_with_the_films_that_it_may_be(collected: Collected) -> None:
    told = offers()
    await fill(collected, told)

    asked = await collected.works.conflicts(limit=200)

    assert asked
    for one in asked:
        candidates = await collected.films.get_many(one["candidates"])
        assert len(candidates) >= 2
        assert one["conflict"] == "several"
        assert {film["title"] for film in candidates.values()}


@pytest.mark.long
async def test_films_come_out_the_same_in_any_order_and_by_any_number_of_steps(collected: Collected) -> None:
    told = [
        one for one in offers() if one.film.number % 3 == 0 or one.film.title in ("Dracula", "Pinocchio", "Titanic")
    ]
    random.Random(7).shuffle(told)
    await fill(collected, told, steps=9)
    by_steps = await collected.groups()
    before = {one["_id"]: one for one in await collected.all_films()}

    made = await collected.works.rebuild()

    assert await collected.groups() == by_steps
    assert (made.relinked, made.written, made.ended) == (0, 0, 0)
    assert {one["_id"]: one for one in await collected.all_films()} == before
