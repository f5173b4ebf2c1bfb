"""What The Movie Database (TMDB) says of a film, read: its facts, and who offers it where and how. No I/O."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from dateflicks.server.providers.answers import needed_object, needed_whole, objects, one_object, text, whole
from dateflicks.server.providers.source import Item, OfferType, SchemaError

KEEP_DAYS: Final = 180  # by TMDB's terms: its facts are kept for six months at most
PEOPLE_MAX: Final = 12
POSTERS: Final = "https://image.tmdb.org/t/p/w500"
PAGES: Final = "https://www.themoviedb.org/movie"
_WAYS: Final[Mapping[str, OfferType]] = {  # TMDB's word, best first; "ads" costs nothing but time
    "flatrate": "subscription",
    "free": "free",
    "ads": "free",
    "rent": "rent",
    "buy": "buy",
}


@dataclass(frozen=True, slots=True)
class Offered:
    """One vendor's offer in one region; `url` is a page that leads to it."""

    way: OfferType
    url: str


def offers_of(film: Mapping[str, Any], provider_ids: Collection[int]) -> dict[str, Offered]:
    """The offers of these providers, by region. Raises SchemaError: what cannot be read does not count as withdrawn."""
    number = needed_whole(film.get("id"), "id")
    providers = needed_object(film.get("watch/providers"), "watch/providers")
    regions = needed_object(providers.get("results"), "watch/providers.results")
    found: dict[str, Offered] = {}
    for region, value in regions.items():
        offered = needed_object(value, f"watch/providers.results.{region}")
        way = _best_way(offered, provider_ids)
        if way is not None:
            page = text(offered.get("link")) or f"{PAGES}/{number}/watch?locale={region}"
            found[region] = Offered(way, page)
    return found


def _best_way(offered: Mapping[str, Any], provider_ids: Collection[int]) -> OfferType | None:
    for word, way in _WAYS.items():
        if any(whole(one.get("provider_id")) in provider_ids for one in objects(offered.get(word))):
            return way
    return None


def item_of(film: Mapping[str, Any], region: str, offered: Offered, genres: Mapping[int, str]) -> Item:
    """The film as it is offered there; `genres` are names by number. Raises SchemaError."""
    number = needed_whole(film.get("id"), "id")
    title = text(film.get("title")) or text(film.get("original_title"))
    if title is None:
        raise SchemaError("title is no text")
    minutes = whole(film.get("runtime"))
    poster = text(film.get("poster_path"))
    return Item(
        source_id=str(number),
        region=region,
        url=offered.url,
        title=title,
        original_title=text(film.get("original_title")),
        year=_year(film.get("release_date")),
        duration_seconds=minutes * 60.0 if minutes else None,
        genres=_genres(film, genres),
        overview=text(film.get("overview")),
        poster=f"{POSTERS}{poster}" if poster and poster.startswith("/") else None,
        people=_people(one_object(film.get("credits"))),
        external_ids=_ids(film, number),
        offer_type=offered.way,
        playable=False,
        keep_days=KEEP_DAYS,
    )


def _year(date: Any) -> int | None:
    return whole((text(date) or "")[:4])


def _genres(film: Mapping[str, Any], names: Mapping[int, str]) -> tuple[str, ...]:
    found = []
    for genre in objects(film.get("genres")):
        name = names.get(whole(genre.get("id")) or 0) or text(genre.get("name"))
        if name:
            found.append(name)
    return tuple(found)


def _people(made_by: Mapping[str, Any]) -> tuple[str, ...]:
    """Who directed it, then who plays in it, in their order."""
    crew = [one for one in objects(made_by.get("crew")) if one.get("job") == "Director"]
    names = [text(one.get("name")) for one in (*crew, *objects(made_by.get("cast")))]
    return tuple(dict.fromkeys(name for name in names if name))[:PEOPLE_MAX]


def _ids(film: Mapping[str, Any], number: int) -> dict[str, str]:
    elsewhere = one_object(film.get("external_ids"))
    imdb = text(film.get("imdb_id")) or text(elsewhere.get("imdb_id"))
    wikidata = text(elsewhere.get("wikidata_id"))
    found = {"tmdb": str(number), "imdb": imdb, "wikidata": wikidata}
    return {kind: value for kind, value in found.items() if value}
