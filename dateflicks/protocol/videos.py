"""REST bodies of the videos service: what there is to watch, where each film is offered, and where all that comes from.

A film that several sources know is one video. Times of records are RFC 3339, lengths are seconds; what nobody has told
is null.
"""

import re
from typing import Annotated, Final, Literal

import msgspec

from dateflicks.core import limits
from dateflicks.protocol.bodies import Body

SEARCH_MAX_CHARACTERS: Final = 300
CURSOR_MAX_CHARACTERS: Final = 800
_FILTER_MAX: Final = 200
_YEARS: Final = re.compile(r"(\d{4})?(-)?(\d{4})?")

OfferType = Literal["owned", "free", "subscription", "rent", "buy"]
Sort = Literal["best", "title", "year", "added"]
Filter = Annotated[str, msgspec.Meta(max_length=_FILTER_MAX)]


class OfferBody(Body, frozen=True, kw_only=True):
    """One place to watch a film: `region` is null where it is offered everywhere.

    What is not `playable` opens elsewhere, in a browser or on a television, and is watched with the manual player.
    """

    source: str
    url: str
    region: str | None
    type: OfferType
    playable: bool
    licence: str | None


class VideoBody(Body, frozen=True, kw_only=True):
    """A film: `source`, `url` and `playable` are those of its best offer, which is the first of `offers`."""

    id: str
    source: str
    url: str
    playable: bool
    kind: str
    title: str
    original_title: str | None
    alt_titles: list[str]
    year: int | None
    duration_seconds: float | None
    genres: list[str]
    overview: str | None
    poster: str | None
    people: list[str]
    external_ids: dict[str, str]
    offers: list[OfferBody]
    added_at: str
    updated_at: str


class VideoAnswer(Body, frozen=True, kw_only=True):
    """One video, wrapped."""

    video: VideoBody


class VideoPage(Body, frozen=True, kw_only=True):
    """A page of videos; `isComplete` is false while the search index is still being filled."""

    items: list[VideoBody]
    next: str | None
    is_complete: bool = True


class VideosQuery(msgspec.Struct, frozen=True, kw_only=True):
    """`?q=&source=&genre=&year=&region=&playable=&sort=&limit=&cursor=`; of several, with commas, any will do."""

    q: Annotated[str, msgspec.Meta(max_length=SEARCH_MAX_CHARACTERS)] = ""
    source: Filter = ""
    genre: Filter = ""
    year: Annotated[str, msgspec.Meta(max_length=9)] = ""
    region: Annotated[str, msgspec.Meta(max_length=20)] = ""
    playable: bool | None = None
    sort: Sort = "best"
    limit: Annotated[int, msgspec.Meta(ge=1, le=limits.PAGE_MAX)] = limits.PAGE_DEFAULT
    cursor: Annotated[str, msgspec.Meta(max_length=CURSOR_MAX_CHARACTERS)] | None = None


class RunBody(Body, frozen=True, kw_only=True):
    """How a source's last run went."""

    started_at: str | None
    ended_at: str | None
    status: str


class SourceBody(Body, frozen=True, kw_only=True):
    """A source: its `count` of videos, and `ageSeconds` since it was last read with success; null: never."""

    name: str
    count: int
    last_run: RunBody | None
    last_success_at: str | None
    age_seconds: float | None
    attribution: str | None


class IndexBody(Body, frozen=True, kw_only=True):
    """What is searched: so many videos, as the collection was `asOf`; not complete while it is still being filled."""

    count: int
    is_complete: bool
    as_of: str | None


class SourcePage(Body, frozen=True, kw_only=True):
    """`GET /sources`: all of them, in one page."""

    items: list[SourceBody]
    next: str | None = None
    index: IndexBody


def years_of(text: str) -> tuple[int, int] | None:
    """`1963`, `1960-1969`, `1960-` or `-1969` as the first and the last year; None for no limit. Raises ValueError."""
    if not text:
        return None
    found = _YEARS.fullmatch(text.strip())
    if found is None or not (found[1] or found[3]) or (found[3] and not found[2]):
        raise ValueError("must be a year or a range such as 1960-1969, 1960- or -1969")
    first = int(found[1] or 0)
    last = int(found[3]) if found[3] else 9999 if found[2] else first
    if first > last:
        raise ValueError("must begin with the earlier year")
    return first, last
