"""What a run yields is cleaned, written when it has changed, and marked as gone when it is."""

from typing import Any

import pytest
from pymongo.monitoring import CommandStartedEvent

from dateflicks.server.catalogue import writing
from dateflicks.server.providers.records import Swept, Written
from dateflicks.server.providers.source import Item, Removed
from tests.server.catalogue.collection import DAY, START, Collected, item


async def test_an_offer_is_stored_with_all_that_it_says(collected: Collected) -> None:
    await collected.writer("jellyfin").write(
        [
            item(
                "1",
                "The Birds",
                url="jellyfin://server/1",
                region="",
                original_title="The Birds",
                alt_titles=("Die Vögel", "The Birds", ""),
                year=1963,
                duration_seconds=7_140,
                genres=("Horror", "TV Movie"),
                overview="They gather.\n\nThey wait.",
                poster="https://films.test/1.jpg",
                people=("Tippi Hedren", "Tippi Hedren"),
                external_ids={"imdb": "tt56869", "other": "x"},
                offer_type="owned",
                playable=True,
                licence="CC0",
                keep_days=180,
            )
        ]
    )

    found = await collected.offer("jellyfin", "1")
    changed_at, content_hash = found.pop("changedAt"), found.pop("contentHash")
    assert abs(changed_at - START) < 1
    assert len(content_hash) == 32
    assert found == {
        "_id": found["offerId"],
        "offerId": found["offerId"],
        "rev": 1,
        "source": "jellyfin",
        "sourceId": "1",
        "region": "",
        "workId": None,
        "linkKeys": [],
        "kind": "film",
        "offer": {"type": "owned"},
        "status": "active",
        "reason": None,
        "url": "jellyfin://server/1",
        "title": "The Birds",
        "originalTitle": "The Birds",
        "altTitles": ["Die Vögel"],
        "titleKeys": ["birds", "vogel"],
        "year": 1963,
        "durationSeconds": 7_140.0,
        "genres": ["horror"],
        "overview": "They gather.\n\nThey wait.",
        "poster": "https://films.test/1.jpg",
        "people": ["Tippi Hedren"],
        "externalIds": {"imdb": "tt0056869"},
        "playable": True,
        "licence": "CC0",
        "firstSeen": START,
        "lastSeen": START,
        "lastSeenRun": "run1",
        "removedAt": None,
        "fieldsExpireAt": START + 180 * DAY,
    }


async def test_other_peoples_text_is_cleaned(collected: Collected) -> None:
    hostile = "\x1b[2JThe \u202eBirds\n\x07"
    await collected.writer().write(
        [item("1", hostile, overview=hostile, people=(hostile,), alt_titles=(hostile * 2,), licence=hostile)]
    )

    found = await collected.offer("archive", "1")
    for text in (found["title"], found["overview"], found["licence"], *found["people"], *found["altTitles"]):
        assert text.startswith("The Birds")
        assert text.isprintable()


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"year": 0}, "year 0"),
        ({"year": 19_630}, "year 19630"),
        ({"year": -(10**30)}, "year"),
        ({"duration_seconds": -1.0}, "-1 seconds"),
        ({"duration_seconds": 1e9}, "1e+09 seconds"),
        ({"duration_seconds": float("nan")}, "seconds"),
        ({"title": " \u200b "}, "no title"),
        ({"url": "https://ann:secret@films.test/1"}, "names a user"),
        ({"url": "plex://ann:secret@films.test/1"}, "names a user"),
        ({"url": "https://films.test/1?X-Plex-Token=secret"}, "secret"),
        ({"url": "javascript:alert(1)"}, "address"),
        ({"url": "smb://films.test/1"}, "begins with smb"),
        ({"url": "plex://server/1"}, "begins with plex"),
        ({"url": "https:///1"}, "names no host"),
        ({"url": "https://films.test/\x1b[2J"}, "printed"),
        ({"url": ""}, "address"),
        ({"region": "\x1b"}, "region"),
        ({"source_id": "a\nb"}, "name in the source"),
        ({"source_id": "half \ud800"}, "name in the source"),
    ],
)
async def test_what_makes_no_sense_is_put_aside_with_the_reason_and_nothing_of_it_is_shown(
    collected: Collected, facts: dict[str, Any], reason: str
) -> None:
    wrong = Item(**{"source_id": "1", "title": "The Birds", "url": "https://films.test/1"} | facts)

    written = await collected.writer().write([wrong, item("2")])
    await collected.works.update()

    assert written == Written(new=1, quarantined=1)
    found = await collected.offer("archive", wrong.source_id, wrong.region)
    assert found["status"] == "quarantined"
    assert reason in found["reason"]
    assert found["workId"] is None
    assert "secret@" not in repr(found)
    assert found["url"] == ""
    assert len(await collected.all_films()) == 1


@pytest.mark.parametrize(
    ("source", "url"),
    [
        ("archive", "http://films.test/1"),
        ("local", "file:///films/the%20birds.mkv"),
        ("jellyfin", "jellyfin://server/1"),
        ("third-party", "third-party:1"),
    ],
)
async def test_addresses_and_a_sources_own_references_are_kept(collected: Collected, source: str, url: str) -> None:
    assert await collected.writer(source).write([item("1", url=url)]) == Written(new=1)


async def test_unknown_lengths_posters_and_genres_are_left_out(collected: Collected) -> None:
    await collected.writer().write([item("1", duration_seconds=0, poster="javascript:1", genres=("Colourised",))])

    found = await collected.offer("archive", "1")
    assert (found["durationSeconds"], found["poster"], found["genres"]) == (None, None, [])


async def test_what_makes_no_sense_any_more_keeps_what_was_known(collected: Collected) -> None:
    await collected.run("archive", [item("1", year=1963)])

    written, _ = await collected.run("archive", [item("1", year=5)])

    assert written == Written(quarantined=1)
    found = await collected.offer("archive", "1")
    assert (found["status"], found["year"]) == ("active", 1963)


async def test_a_second_identical_run_writes_nothing(collected: Collected) -> None:
    items = [item(str(number), f"Film {number}", keep_days=180) for number in range(230)]
    items.append(item("wrong", year=5))
    await collected.run("archive", items)
    before = await collected.all_offers()
    collected.time += DAY

    with collected.commands() as sent:
        written, swept = await collected.run("archive", items)

    assert written == Written(unchanged=230, quarantined=1)
    assert swept == Swept()
    assert await collected.all_offers() == before
    reads = 2 + 3  # 231 of them by 200, and two pages, the second of which looks for equal ones first
    assert [name for name in sent if name != "ping"] == ["find"] * reads


async def test_only_what_changed_is_written(collected: Collected) -> None:
    await collected.run("archive", [item("1"), item("2")])
    collected.time += 60

    written, _ = await collected.run("archive", [item("1"), item("2", overview="New words."), item("3")])

    assert written == Written(new=1, changed=1, unchanged=1)
    found = await collected.offer("archive", "2")
    assert (found["overview"], found["rev"], found["firstSeen"]) == ("New words.", 2, START)
    assert (found["lastSeen"], found["lastSeenRun"]) == (START + 60, "run2")
    assert (await collected.offer("archive", "1"))["lastSeenRun"] == "run1"


async def test_of_two_items_of_one_name_the_later_counts(collected: Collected) -> None:
    assert await collected.writer().write([item("1", "First"), item("1", "Second")]) == Written(new=1)

    assert (await collected.offer("archive", "1"))["title"] == "Second"


async def test_facts_that_may_be_kept_for_a_time_are_renewed_in_the_second_half_of_it(collected: Collected) -> None:
    await collected.run("netflix", [item("1", keep_days=180)])

    for days, expected in ((80, Written(unchanged=1)), (20, Written(changed=1))):
        collected.time += days * DAY
        written, _ = await collected.run("netflix", [item("1", keep_days=180)])
        assert written == expected

    assert (await collected.offer("netflix", "1"))["fieldsExpireAt"] == START + 280 * DAY


async def test_what_a_complete_run_has_not_seen_is_gone_and_may_come_back(collected: Collected) -> None:
    await collected.run("archive", [item("1"), item("2")])
    await collected.run("url", [item("9")])
    collected.time += 60

    _, swept = await collected.run("archive", [item("1")])

    assert swept == Swept(removed=1)
    found = await collected.offer("archive", "2")
    assert (found["status"], found["removedAt"], found["title"]) == ("gone", START + 60, "The Birds")
    assert (await collected.offer("url", "9"))["status"] == "active"
    assert (await collected.run("archive", [item("1")]))[1] == Swept()

    written, _ = await collected.run("archive", [item("1"), item("2")])
    assert written == Written(changed=1, unchanged=1)
    found = await collected.offer("archive", "2")
    assert (found["status"], found["removedAt"], found["firstSeen"]) == ("active", None, START)


async def test_too_many_at_once_are_not_believed_to_be_gone_until_somebody_confirms_it(collected: Collected) -> None:
    items = [item(str(number)) for number in range(100)]
    await collected.run("archive", items)

    assert (await collected.run("archive", items[:69]))[1] == Swept(held=31)
    assert (await collected.offer("archive", "99"))["status"] == "active"
    assert (await collected.run("archive", items[:70]))[1] == Swept(removed=30)
    assert (await collected.run("archive", [], is_confirmed=True))[1] == Swept(removed=70)


async def test_twenty_may_always_go(collected: Collected) -> None:
    items = [item(str(number)) for number in range(21)]
    await collected.run("archive", items)

    assert (await collected.run("archive", []))[1] == Swept(held=21)
    assert (await collected.run("archive", items[:1]))[1] == Swept(removed=20)


async def test_what_a_source_says_is_gone_is_gone_once(collected: Collected) -> None:
    await collected.run("netflix", [item("1", region="US"), item("1", region="DE")])
    writer = collected.writer("netflix")

    gone = [Removed(source_id="1", region="US"), Removed(source_id="1", region="US"), Removed(source_id="7")]
    assert await writer.remove(gone) == 1
    assert await writer.remove(gone) == 0

    assert (await collected.offer("netflix", "1", "US"))["status"] == "gone"
    assert (await collected.offer("netflix", "1", "DE"))["status"] == "active"


async def test_writing_leaves_to_others_what_is_theirs(collected: Collected) -> None:
    await collected.run("archive", [item("1", year=1963)])
    await collected.works.update()
    linked = await collected.offer("archive", "1")

    await collected.run("archive", [item("1", year=1964)])

    found = await collected.offer("archive", "1")
    assert linked["workId"]
    assert (found["workId"], found["linkKeys"]) == (linked["workId"], linked["linkKeys"])


async def test_more_than_five_hundred_at_once_are_refused(collected: Collected) -> None:
    with pytest.raises(ValueError, match="at most 500"):
        await collected.writer().write([item(str(number)) for number in range(501)])


async def test_a_run_that_breaks_off_anywhere_and_is_done_again_leaves_what_an_undisturbed_one_would(
    collected: Collected,
) -> None:
    old = [item(str(number), year=1960) for number in range(40)]
    new = [item(str(number), year=1961 if number % 3 else 1960) for number in range(10, 60)]
    await collected.run("undisturbed", old)
    await collected.run("undisturbed", new)

    for stop_after in range(1, 8):
        source = f"cut{stop_after}"
        await collected.run(source, old)
        await collected.cut_off(collected.run(source, new), stop_after)
        await collected.run(source, new)

    told: dict[str, list[str]] = {}
    for one in await collected.all_offers():
        told.setdefault(one["source"], []).append(f"{one['sourceId']} {one['year']} {one['status']}")
    assert len(told) == 8
    for source in told:
        assert sorted(told[source]) == sorted(told["undisturbed"])


async def test_more_names_than_are_put_in_order_at_a_time_are_all_remembered(
    collected: Collected, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "_PART", 7)
    await collected.run("archive", [item(str(number)) for number in range(60)])

    _, swept = await collected.run("archive", [item(str(number)) for number in range(45)])

    assert swept.removed == 15
    assert {one["sourceId"] for one in await collected.all_offers() if one["status"] == "gone"} == {
        str(number) for number in range(45, 60)
    }


async def test_of_what_is_as_it_was_only_that_is_read(collected: Collected, monkeypatch: pytest.MonkeyPatch) -> None:
    items = [item(str(number)) for number in range(250)]
    await collected.run("archive", items)
    finds: list[CommandStartedEvent] = []
    monkeypatch.setattr(collected.database.fence, "started", finds.append)

    written, _ = await collected.run("archive", items)

    assert written == Written(unchanged=250)
    of_offers = [dict(one.command) for one in finds if one.command.get("find") == "videos"]
    assert of_offers
    assert all("projection" in one for one in of_offers)
