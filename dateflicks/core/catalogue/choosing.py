"""What a film's offers say together: which of them is best, and whose facts are shown.

Facts come from the sources that know films best, one fact at a time; among equals from whoever has looked last. What a
source's terms forbid to use any longer is not used.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from dateflicks.core.catalogue.facts import HARD_IDS, Offer, OfferType

T = TypeVar("T")

TRUST: Final[Mapping[str, int]] = {  # how well a source knows films: edited catalogues, libraries that ask those, names
    "netflix": 30,
    "amazon": 30,
    "apple": 30,
    "jellyfin": 20,
    "plex": 20,
    "archive": 10,
    "url": 5,
    "local": 1,
}
TRUST_OTHERS: Final = 8
OFFER_ORDER: Final[tuple[OfferType, ...]] = ("owned", "free", "subscription", "rent", "buy")
PEOPLE_MAX: Final = 20
GENRES_MAX: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is shown of a film; `titles` are all that it is known by, the shown one first."""

    title: str | None = None
    original_title: str | None = None
    titles: tuple[str, ...] = ()
    kind: str = "film"
    year: int | None = None
    duration_seconds: float | None = None
    genres: tuple[str, ...] = ()
    overview: str | None = None
    poster: str | None = None
    people: tuple[str, ...] = ()
    external_ids: Mapping[str, str] = field(default_factory=dict)


def by_worth(offers: Iterable[Offer]) -> list[Offer]:
    """The offers that are still there, best first: playable, then owned before bought, then the freshest."""
    active = [one for one in offers if one.status == "active"]
    return sorted(active, key=_worth)


def facts_of(offers: Iterable[Offer], now: float, trust: Mapping[str, int] = TRUST) -> Facts:
    """What these offers say of their film together, at this Unix time."""
    usable = [one for one in offers if one.status != "quarantined" and not one.is_expired(now)]
    told = sorted(usable, key=lambda one: _credit(one, trust))
    titled = [one for one in told if one.title]
    titles = dict.fromkeys(title for one in titled for title in one.titles)
    return Facts(
        title=titled[0].title if titled else None,
        original_title=_first(titled, lambda one: one.original_title),
        titles=tuple(titles),
        kind=told[0].kind if told else "film",
        year=_first(told, lambda one: one.year),
        duration_seconds=_first(told, lambda one: one.duration_seconds),
        genres=_together(told, lambda one: one.genres)[:GENRES_MAX],
        overview=_first(told, lambda one: one.overview),
        poster=_first(told, lambda one: one.poster),
        people=(_first(told, lambda one: one.people) or ())[:PEOPLE_MAX],
        external_ids=_ids(told),
    )


def _worth(one: Offer) -> tuple[Any, ...]:
    return not one.playable, OFFER_ORDER.index(one.offer_type), -one.last_seen, one.id


def _credit(one: Offer, trust: Mapping[str, int]) -> tuple[Any, ...]:
    return -trust.get(one.source, TRUST_OTHERS), one.status != "active", -one.last_seen, one.id


def _first(offers: Sequence[Offer], fact: Callable[[Offer], T | None]) -> T | None:
    return next((found for one in offers if (found := fact(one))), None)


def _together(offers: Sequence[Offer], facts: Callable[[Offer], Iterable[T]]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(fact for one in offers for fact in facts(one)))


def _ids(offers: Sequence[Offer]) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in offers:
        for kind, value in one.external_ids.items():
            if kind in HARD_IDS:
                found.setdefault(kind, value)
    return dict(sorted(found.items()))
