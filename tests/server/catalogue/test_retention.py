"""What may not be kept is blanked, and what is long gone is deleted unless something refers to it."""

from collections.abc import Collection

from dateflicks.server.catalogue.retention import Retention
from tests.server.catalogue.collection import DAY, Collected, item


async def nobody(films: Collection[str]) -> Collection[str]:
    return ()


async def everybody(films: Collection[str]) -> Collection[str]:
    return films


def retention(collected: Collected) -> Retention:
    return Retention(collected.database, collected.works, now=collected.now)


async def test_facts_are_blanked_when_their_time_is_over_and_where_it_is_seen_stays(collected: Collected) -> None:
    kept_for_days = [item("1", year=1963, overview="Words.", external_ids={"tmdb": "571"}, keep_days=180)]
    await collected.run("netflix", kept_for_days)
    await collected.run("archive", [item("a", "Birds", year=1963, duration_seconds=7_140.0), item("b", "Others")])
    await collected.works.update()
    collected.time += 179 * DAY
    assert await retention(collected).blank_expired() == 0

    collected.time += 2 * DAY
    assert await retention(collected).blank_expired() == 1
    assert await retention(collected).blank_expired() == 0

    found = await collected.offer("netflix", "1")
    assert (found["title"], found["overview"], found["year"], found["titleKeys"]) == (None, None, None, [])
    assert (found["status"], found["url"]) == ("active", "https://films.test/1")
    assert found["externalIds"] == {"tmdb": "571"}
    film = await collected.film_of("archive", "a")
    assert film["title"] == "Birds"
    assert "Words." not in repr(await collected.all_films())


async def test_a_film_of_which_nothing_may_be_told_is_not_shown_until_its_facts_are_back(collected: Collected) -> None:
    await collected.run("netflix", [item("1", keep_days=10)])
    await collected.works.update()
    collected.time += 11 * DAY
    await retention(collected).blank_expired()
    film = await collected.film_of("netflix", "1")
    assert (film["status"], film["title"]) == ("gone", None)

    written, _ = await collected.run("netflix", [item("1", keep_days=10)])
    await collected.works.update()

    assert written.changed == 1
    again = await collected.film_of("netflix", "1")
    assert (again["status"], again["title"], again["_id"]) == ("active", "The Birds", film["_id"])


async def test_what_has_been_gone_for_ninety_days_is_deleted_with_its_film(collected: Collected) -> None:
    await collected.run("archive", [item("1"), item("2", "Others")])
    await collected.works.update()
    film = await collected.film_of("archive", "1")
    await collected.run("archive", [item("2", "Others")])
    collected.time += 89 * DAY
    await collected.works.update()
    assert await retention(collected).purge(nobody) == 0

    collected.time += 2 * DAY
    assert await retention(collected).purge(everybody) == 0
    assert await retention(collected).purge(nobody) == 1

    assert [one["sourceId"] for one in await collected.all_offers()] == ["2"]
    ended = await collected.films.get(film["_id"])
    assert ended is not None
    assert (ended["status"], ended["members"]) == ("gone", [])
    collected.time += 91 * DAY
    assert await retention(collected).purge(everybody) == 0
    assert await retention(collected).purge(nobody) == 1
    assert [one["title"] for one in await collected.all_films()] == ["Others"]


async def test_what_is_purged_does_not_take_along_what_is_still_there(collected: Collected) -> None:
    ids = {"imdb": "tt0056869"}
    await collected.run("archive", [item("1", external_ids=ids)])
    await collected.run("netflix", [item("571", external_ids=ids)])
    await collected.works.update()
    await collected.run("archive", [])
    await collected.works.update()
    collected.time += 91 * DAY

    assert await retention(collected).purge(nobody) == 1

    film = await collected.film_of("netflix", "571")
    assert (film["status"], len(film["members"])) == ("active", 1)
