"""Videos for tests of the client: as the service writes them, with only what matters named."""

from typing import Any

import msgspec

from dateflicks.protocol.videos import VideoBody

NIGHT = "vid_" + "n" * 26
CHARADE = "vid_" + "c" * 26
OTHER = "vid_" + "d" * 26


def offer_json(source: str = "archive", url: str = "https://archive.example/film.mp4", **more: Any) -> dict[str, Any]:
    return {"source": source, "url": url, "region": None, "type": "free", "playable": True, "licence": None, **more}


def netflix_json(**more: Any) -> dict[str, Any]:
    link = "https://www.netflix.com/title/1"
    return offer_json("netflix", link, region="DE", type="subscription", playable=False, **more)


def video_json(id: str = NIGHT, title: str = "Night of the Living Dead", **more: Any) -> dict[str, Any]:  # noqa: A002
    offers = more.pop("offers", [offer_json(), netflix_json()])
    best = offers[0] if offers else {"source": "", "url": "", "playable": False}
    return {
        "id": id, "source": best["source"], "url": best["url"], "playable": best["playable"], "kind": "film",
        "title": title, "originalTitle": None, "altTitles": [], "year": 1968, "durationSeconds": 5760.0,
        "genres": ["horror"], "overview": None, "poster": None, "people": ["George A. Romero", "Duane Jones"],
        "externalIds": {}, "offers": offers, "addedAt": "2026-11-24T01:43:00.123Z",
        "updatedAt": "2026-11-24T01:43:00.123Z", **more,
    }  # fmt: skip


def page_json(*videos: dict[str, Any], next: str | None = None) -> dict[str, Any]:  # noqa: A002 - the word on the wire
    return {"items": list(videos), "next": next, "isComplete": True}


def video(**more: Any) -> VideoBody:
    return msgspec.convert(video_json(**more), VideoBody)
