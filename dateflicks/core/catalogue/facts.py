"""What one offer says of a film, and what of it can make sense at all."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from dateflicks.core.catalogue.titles import title_keys
from dateflicks.core.limits import POSITION_MAX_SECONDS

OfferType = Literal["owned", "free", "subscription", "rent", "buy"]
Kind = Literal["film", "other"]
Status = Literal["active", "gone", "quarantined"]

YEAR_MIN: Final = 1874  # the oldest sequence of pictures that anybody calls a film
YEARS_AHEAD: Final = 10  # films are announced this early
DURATION_MAX_SECONDS: Final = POSITION_MAX_SECONDS
HARD_IDS: Final[Mapping[str, re.Pattern[str]]] = {
    "imdb": re.compile(r"tt0*([1-9]\d{0,9})"),
    "wikidata": re.compile(r"Q([1-9]\d{0,11})"),
    "tmdb": re.compile(r"0*([1-9]\d{0,9})"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One film at one source in one region. `id` names it; times are Unix seconds, lengths seconds.

    After `expires_at` its facts may be used no more; where it can be seen stays.
    """

    id: str
    source: str
    source_id: str
    url: str
    region: str = ""
    kind: Kind = "film"
    status: Status = "active"
    title: str | None = None
    original_title: str | None = None
    alt_titles: tuple[str, ...] = ()
    year: int | None = None
    duration_seconds: float | None = None
    genres: tuple[str, ...] = ()
    overview: str | None = None
    poster: str | None = None
    people: tuple[str, ...] = ()
    external_ids: Mapping[str, str] = field(default_factory=dict)
    offer_type: OfferType = "free"
    playable: bool = False
    licence: str | None = None
    first_seen: float = 0.0
    last_seen: float = 0.0
    expires_at: float | None = None

    @property
    def titles(self) -> tuple[str, ...]:
        """All titles that it is known by, each once."""
        return tuple(dict.fromkeys(one for one in (self.title, self.original_title, *self.alt_titles) if one))

    @property
    def title_keys(self) -> frozenset[str]:
        """Its titles, folded."""
        return title_keys(self.titles)

    def is_expired(self, now: float) -> bool:
        """Whether the source's terms forbid to use its facts by now."""
        return self.expires_at is not None and self.expires_at <= now


def hard_ids(given: Mapping[str, str]) -> dict[str, str]:
    """The ids that prove which film it is, each written in one way; what has another's shape is dropped."""
    found: dict[str, str] = {}
    for kind, shape in HARD_IDS.items():
        match = shape.fullmatch(str(given.get(kind, "")).strip())
        if match:
            found[kind] = {"imdb": f"tt{match[1]:0>7}", "wikidata": f"Q{match[1]}", "tmdb": match[1]}[kind]
    return found


def is_plausible_year(year: int, this_year: int) -> bool:
    """Whether a film can be of this year."""
    return YEAR_MIN <= year <= this_year + YEARS_AHEAD


def is_plausible_duration(seconds: float) -> bool:
    """Whether anything can be this long; NaN is not."""
    return 0.0 < seconds <= DURATION_MAX_SECONDS
