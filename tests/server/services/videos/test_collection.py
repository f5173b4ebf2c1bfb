"""The collection of these tests has the shape of the real one."""

from typing import Any

from dateflicks.core.catalogue.identity import Group
from dateflicks.server.catalogue.making import work_of
from tests.server.services.videos.collection import vid, work


def test_a_film_has_the_fields_that_the_making_of_films_gives_it() -> None:
    unknown = ("title", "originalTitle", "year", "durationSeconds", "overview", "poster", "licence", "fieldsExpireAt")
    offer: dict[str, Any] = {
        **dict.fromkeys(unknown), "altTitles": [], "genres": [], "people": [], "_id": "off:a", "source": "archive",
        "sourceId": "x", "region": "", "url": "u", "kind": "film", "status": "active", "title": "M", "externalIds": {},
        "offer": {"type": "free"}, "playable": True, "firstSeen": 1.0, "lastSeen": 1.0, "changedAt": 1.0,
    }  # fmt: skip
    group = Group(members=("off:a",), confidence={"off:a": 1.0})
    made = work_of(vid("M", None), group, {"off:a": offer}, {}, 1.0, {})
    assert {*made, "rev", "updatedAt"} == set(work("M"))
    assert set(made["offers"][0]) == set(work("M")["offers"][0])
