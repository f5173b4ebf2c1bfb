"""TMDB as the recorded answers have it. Films that are in its lists alone get an answer of their own made of that, so
that each list is of films that can be asked for.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from tests.providers.server import JSON_TYPE, RECORDED, RecordedServer, Reply

TOKEN: Final = "tmdb-token"
FOLDER: Final = RECORDED / "tmdb"
DISCOVER: Final = "/3/discover/movie"
LISTS: Final = {8: ("netflix-us-1", "netflix-us-2"), 9: ("prime-us",), 350: ("apple-us",)}
NAMES: Final = {8: "Netflix", 9: "Amazon Prime Video", 350: "Apple TV+"}


def recorded(name: str) -> Any:
    """One recorded answer."""
    return json.loads((FOLDER / f"{name}.json").read_text())


def error(name: str, status: int, headers: Mapping[str, str] | None = None) -> Reply:
    """A recorded error."""
    body = (FOLDER / "errors" / f"{name}.json").read_bytes()
    return Reply(body, status, {"Content-Type": JSON_TYPE, **(headers or {})})


def film(entry: Mapping[str, Any], provider: int | None, region: str = "US") -> dict[str, Any]:
    """The answer for a film of a list, which one provider offers in one region, or nobody anywhere."""
    names = {one["id"]: one["name"] for one in recorded("genres")["genres"]}
    made = {key: value for key, value in entry.items() if key != "genre_ids"}
    made["genres"] = [{"id": number, "name": names[number]} for number in entry.get("genre_ids", [])]
    made |= {"runtime": 100, "imdb_id": None, "external_ids": {"imdb_id": None, "wikidata_id": None}}
    made["watch/providers"] = {"results": {}}
    if provider is not None:
        offer = {"provider_id": provider, "provider_name": NAMES.get(provider, ""), "display_priority": 1}
        made["watch/providers"]["results"][region] = {"flatrate": [offer]}
    return made


def films() -> dict[int, dict[str, Any]]:
    """All films by number."""
    found: dict[int, dict[str, Any]] = {}
    for provider, pages in LISTS.items():
        for page in pages:
            for entry in recorded(f"lists/{page}")["results"]:
                path = FOLDER / "films" / f"{entry['id']}.json"
                found[entry["id"]] = json.loads(path.read_text()) if path.exists() else film(entry, provider)
    return found


def tmdb(server: RecordedServer) -> RecordedServer:
    """Let a server answer as TMDB does."""
    server.denied = error("401", 401)
    server.missing = error("404", 404)
    server.route("/3/genre/movie/list", "genres.json")
    server.route("/3/watch/providers/movie", "providers-us.json")
    server.route("/3/movie/changes", "changes.json")
    server.route(DISCOVER, "lists/empty.json")
    for provider, pages in LISTS.items():
        providers = "9|119" if provider == 9 else provider
        for number, page in enumerate(pages, 1):
            params = {"with_watch_providers": providers, "watch_region": "US", "page": number}
            server.route(DISCOVER, f"lists/{page}.json", params)
    for number, one in films().items():
        server.route(f"/3/movie/{number}", one)
    return server


def listed(server: RecordedServer, provider: int, *entries: Mapping[str, Any], region: str = "US") -> None:
    """Let a provider offer these films in a region from now on, on one page."""
    page = {"page": 1, "results": [*entries], "total_pages": 1, "total_results": len(entries)}
    server.route(DISCOVER, page, {"with_watch_providers": provider, "watch_region": region, "page": 1})
