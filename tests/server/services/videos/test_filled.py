"""From what a source yields to what somebody finds: the collection's own writing, making and ending of films."""

from pathlib import Path

from dateflicks.server.catalogue.records import COLLECTIONS
from dateflicks.server.catalogue.works import Works
from dateflicks.server.catalogue.writing import Writer
from dateflicks.server.providers.source import Item, Removed
from tests.server.services.videos.deployment import Deployment, deployed

IMDB = {"imdb": "tt0063350"}
ARCHIVE = Item(
    source_id="night-of-the-living-dead", url="https://archive.org/download/night/night.mp4",
    title="Night of the Living Dead", year=1968, duration_seconds=5_760.0, genres=("Zombie",),
    people=("George A. Romero",), external_ids=IMDB, playable=True,
)  # fmt: skip
NETFLIX = Item(
    source_id="80", url="https://www.netflix.com/title/80", title="Die Nacht der lebenden Toten", region="DE",
    original_title="Night of the Living Dead", year=1968, external_ids=IMDB, offer_type="subscription",
)  # fmt: skip


async def write(deployment: Deployment, source: str, run: str, *items: Item) -> None:
    await deployment.database.ensure(COLLECTIONS)
    await Writer(deployment.database, source, run).write(items)
    await Works(deployment.database).update()
    await deployment.caught_up()


async def test_two_offers_of_a_film_are_one_video_which_plays_what_can_be_played(tmp_path: Path) -> None:
    async with deployed(tmp_path) as deployment:
        await write(deployment, "netflix", "run:a", NETFLIX)
        (alone,) = (await deployment.get("/videos", q="nacht der lebnden toten"))["items"]
        assert (alone["source"], alone["playable"]) == ("netflix", False)

        await write(deployment, "archive", "run:b", ARCHIVE)
        for text in ("nigth of the livng dead", "die nacht der lebenden toten", "romero", "nacht 1968"):
            (both,) = (await deployment.get("/videos", q=text))["items"]
            assert (both["id"], both["source"], both["playable"]) == (alone["id"], "archive", True)
        assert [offer["source"] for offer in both["offers"]] == ["archive", "netflix"]
        assert both["genres"] == ["horror"]
        assert await deployment.titles(source="netflix", region="de") == [both["title"]]

        writer = Writer(deployment.database, "archive", "run:c")
        await writer.remove([Removed(source_id=ARCHIVE.source_id)])
        await Works(deployment.database).update()
        await deployment.caught_up()
        assert await deployment.titles(playable="true") == []
        assert (await deployment.get(f"/videos/{alone['id']}"))["video"]["source"] == "netflix"
