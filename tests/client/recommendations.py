"""Recommendations as the service writes them, for tests of its clients."""

from collections.abc import Sequence
from typing import Any

from tests.scripted_server import ScriptedServer

ANA, BEA = "usr_" + "a" * 26, "usr_" + "b" * 26


def film_id(number: int) -> str:
    """The id of a film of these tests."""
    return f"vid_{number:026d}".replace("0", "a").replace("1", "b").replace("8", "c").replace("9", "d")


def fit_json(user_id: str = ANA, fit: float | None = 0.92, *reasons: str, has_seen: bool = False) -> dict[str, Any]:
    """How well a film suits one person, and the titles that speak for it, each with half the weight of the last."""
    return {
        "userId": user_id,
        "fit": fit,
        "reasons": [
            {"videoId": film_id(90 + number), "title": title, "weight": 0.5**number}
            for number, title in enumerate(reasons, 1)
        ],
        "hasSeen": has_seen,
    }


def pick_json(number: int = 1, title: str = "Charade", **changes: Any) -> dict[str, Any]:
    """One film of a list."""
    return {
        "userId": ANA, "videoId": film_id(number), "score": 0.82, "why": f"because of {title}", "title": title,
        "variant": "blend 1.0", "fits": [fit_json()], "basis": "own", "isNew": False, "year": 1963,
        "durationSeconds": 6780.0, "playable": True, **changes,
    }  # fmt: skip


def pair_json(number: int, title: str, fits: tuple[float, float], seen: Sequence[str] = (), **changes: Any) -> Any:
    """One film of a list for ana and bea."""
    both = [
        fit_json(ANA, fits[0], "Laura", has_seen=ANA in seen),
        fit_json(BEA, fits[1], "D.O.A.", "Detour", has_seen=BEA in seen),
    ]
    return pick_json(number, title, **{"fits": both, "basis": "pair", "score": sum(fits) / 2, **changes})


def picks_json(*items: Any, **changes: Any) -> dict[str, Any]:
    """A page of a list."""
    return {
        "items": list(items), "next": None, "variant": "blend 1.0", "generatedAt": "2026-11-25T19:00:00.000Z",
        "note": None, **changes,
    }  # fmt: skip


def recommends(server: ScriptedServer, *items: Any, **changes: Any) -> ScriptedServer:
    """From now on the server has this list; what is told it takes."""
    names = ("session", "timecode", "videos", "recommendation")
    server.on("GET", "/services", {"services": dict.fromkeys(names, server.url)})
    server.on("GET", "/recommendations", picks_json(*items, **changes))
    server.on("GET", "/recommendations/ratings", {"items": [], "next": None})
    server.on("POST", "/recommendations/events", None, 204)
    for one in items:
        said = {"videoId": one["videoId"], "rating": "up", "ratedAt": "2026-11-25T19:00:00.000Z"}
        server.on("PUT", f"/recommendations/ratings/{one['videoId']}", said)
    return server


def told(server: ScriptedServer, event: str) -> list[dict[str, Any]]:
    """The events of one kind that were told."""
    bodies = [asked.body for asked in server.asked if asked.path == "/recommendations/events"]
    return [body for body in bodies if body["event"] == event]
