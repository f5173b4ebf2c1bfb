"""What a source yields as it is stored: other people's text cleaned, genres in our words, ids in one spelling; and what
makes no sense put aside, with the reason.

What is put aside keeps its name and its title alone: nothing of it is shown or played, and an address in it may hold a
secret.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import fields
from datetime import UTC, datetime
from operator import attrgetter
from typing import Final
from urllib.parse import urlsplit

from dateflicks.core.catalogue.facts import hard_ids, is_plausible_duration, is_plausible_year
from dateflicks.core.catalogue.genres import genres_of
from dateflicks.core.catalogue.titles import TITLE_KEYS_MAX, title_keys
from dateflicks.core.limits import TITLE_MAX_CHARACTERS, URL_MAX_CHARACTERS
from dateflicks.protocol.text import clean_line, clean_text, is_clean_line
from dateflicks.server.catalogue.records import offer_id
from dateflicks.server.providers.checking import REGION_MAX, SOURCE_ID_MAX, fault_of_url, is_plain_address
from dateflicks.server.providers.source import Item
from dateflicks.server.storage.records import Document

OVERVIEW_MAX: Final = 2_000  # characters, as are those of a name and a licence
NAME_MAX: Final = 120
LICENCE_MAX: Final = 300
PEOPLE_MAX: Final = 40
GENRES_MAX: Final = 8
KEEP_DAYS_MAX: Final = 36_500
RULES: Final = 1  # another number when another document is made of the same item: all are written anew then
SCHEMES: Final = frozenset({"http", "https", "file"})  # and the source's own name, for references that it resolves
_DAY_SECONDS: Final = 86_400.0
_told: Final = attrgetter(*(field.name for field in fields(Item)))


def document_of(source: str, item: Item, now: float) -> Document:
    """An offer as it is stored the first time that it is seen, at this Unix time; `status` may be `quarantined`."""
    reason = "; ".join(_nonsense(source, item, now))
    return _named(source, item, now) | (_put_aside(item, reason) if reason else _facts(item, now))


def content_hash(item: Item) -> str:
    """What tells that an item is as it was, so that nothing has to be cleaned to find out."""
    return hashlib.sha256(repr([RULES, *_told(item)]).encode()).hexdigest()[:32]


def expires_at(item: Item, now: float) -> float | None:
    """Until when its facts may be kept, in Unix seconds, when they were fetched at this time."""
    if item.keep_days is None:
        return None
    return now + min(max(item.keep_days, 0), KEEP_DAYS_MAX) * _DAY_SECONDS


def _named(source: str, item: Item, now: float) -> Document:
    key = offer_id(source, item.source_id, item.region)
    return {
        "_id": key,
        "offerId": key,
        "rev": 1,
        "source": source,
        "sourceId": clean_line(item.source_id, SOURCE_ID_MAX),
        "region": clean_line(item.region, REGION_MAX),
        "workId": None,
        "linkKeys": [],
        "kind": item.kind,
        "offer": {"type": item.offer_type},
        "firstSeen": now,
        "lastSeen": now,
        "lastSeenRun": None,
        "removedAt": None,
        "changedAt": 0.0,
        "contentHash": content_hash(item),
    }


def _facts(item: Item, now: float) -> Document:
    title = clean_line(item.title, TITLE_MAX_CHARACTERS)
    original = clean_line(item.original_title or "", TITLE_MAX_CHARACTERS) or None
    others = [one for one in _lines(item.alt_titles, TITLE_MAX_CHARACTERS, TITLE_KEYS_MAX) if one != title]
    return {
        "status": "active",
        "reason": None,
        "url": item.url,
        "title": title,
        "originalTitle": original,
        "altTitles": others,
        "titleKeys": sorted(title_keys([title, original, *others])),
        "year": item.year,
        "durationSeconds": float(item.duration_seconds) if item.duration_seconds else None,
        "genres": list(genres_of(item.genres))[:GENRES_MAX],
        "overview": clean_text(item.overview or "", OVERVIEW_MAX) or None,
        "poster": item.poster if item.poster and _is_page(item.poster) else None,
        "people": _lines(item.people, NAME_MAX, PEOPLE_MAX),
        "externalIds": hard_ids(item.external_ids),
        "playable": item.playable,
        "licence": clean_line(item.licence or "", LICENCE_MAX) or None,
        "fieldsExpireAt": expires_at(item, now),
    }


def _put_aside(item: Item, reason: str) -> Document:
    return {
        "status": "quarantined",
        "reason": reason,
        "url": "",
        "title": clean_line(item.title, TITLE_MAX_CHARACTERS) or None,
        "fieldsExpireAt": None,
        "playable": False,
    } | blank_facts()


def blank_facts() -> Document:
    """The facts of a film, when none may be told; where it is stays."""
    return {
        "originalTitle": None,
        "altTitles": [],
        "titleKeys": [],
        "year": None,
        "durationSeconds": None,
        "genres": [],
        "overview": None,
        "poster": None,
        "people": [],
        "externalIds": {},
        "licence": None,
    }


def _nonsense(source: str, item: Item, now: float) -> Iterable[str]:
    """What of it cannot be, a phrase each."""
    if not item.source_id or not is_clean_line(item.source_id, SOURCE_ID_MAX):
        yield "its name in the source cannot be stored"
    if not is_clean_line(item.region, REGION_MAX):
        yield "its region is none"
    if not clean_line(item.title, TITLE_MAX_CHARACTERS):
        yield "it has no title"
    if item.year is not None and not is_plausible_year(item.year, datetime.fromtimestamp(now, UTC).year):
        yield f"no film is of the year {str(item.year)[:12]}"
    if item.duration_seconds and not is_plausible_duration(item.duration_seconds):
        yield f"nothing is {item.duration_seconds:.6g} seconds long"
    if problem := _fault_of_address(source, item.url):
        yield f"its address {problem}"


def _fault_of_address(source: str, url: str) -> str | None:
    if is_plain_address(url):
        return None
    if not is_clean_line(url, URL_MAX_CHARACTERS):
        return "is too long, or has what cannot be printed"
    if problem := fault_of_url(url):
        return problem
    parts = urlsplit(url)
    if "@" in parts.netloc:
        return "names a user"
    if parts.scheme not in SCHEMES and parts.scheme != source:
        return f"begins with {parts.scheme[:20]}, which nobody here opens"
    if parts.scheme in ("http", "https") and not parts.netloc:
        return "names no host"
    return None


def _is_page(url: str) -> bool:
    return urlsplit(url).scheme in ("http", "https") and _fault_of_address("", url) is None


def _lines(texts: Iterable[str], max_characters: int, most: int) -> list[str]:
    cleaned = (clean_line(one, max_characters) for one in texts)
    return list(dict.fromkeys(one for one in cleaned if one))[:most]
