"""What is known of films and may be learned from: genres, people, decades and words of offers whose source says so.

A film's own document is made of all its offers, so that nobody could tell any more whose words are in it; the offers
themselves are read instead, and those of other sources, TMDB's among them, never.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
from scipy.sparse import csr_array

from dateflicks.core.catalogue.titles import fold_title
from dateflicks.core.limits import PAGE_MAX
from dateflicks.server.catalogue.paging import pages_of
from dateflicks.server.catalogue.records import VIDEOS
from dateflicks.server.catalogue.sources import KIND, SOURCES
from dateflicks.server.storage.database import Database

FILMS_LEAST: Final = 2  # what is known of one film alone makes it like no other
FILMS_SHARE: Final = 0.5  # and what is known of every other film says nothing
WORDS_MAX: Final = 60  # of one offer's text
WORD_LEAST: Final = 4  # letters; shorter ones hold sentences together
PEOPLE_WEIGHT: Final = 1.0
WORD_WEIGHT: Final = 0.3  # many words tell together what one genre tells
_WORD: Final = re.compile(r"[^\W\d_]+")


async def open_sources(database: Database) -> list[str]:
    """The names of the sources that may be learned from, as their last run has said. Raises Unavailable."""
    found = await database.table(SOURCES).find("kind", KIND, limit=PAGE_MAX)
    return sorted(str(one["name"]) for one in found if one.get("mayBeLearnedFrom") is True)


async def read_features(database: Database, columns: Mapping[str, int]) -> csr_array | None:
    """Films × features by the films' columns; None when nothing may be learned from. Raises Unavailable."""
    known: list[dict[str, float]] = [{} for _ in columns]
    videos = database.table(VIDEOS)
    for source in await open_sources(database):
        async for page in pages_of(videos, source):
            for offer in page:
                column = columns.get(offer.get("workId") or "")
                if column is not None:
                    known[column].update(features_of(offer))
    return as_matrix(known)


def features_of(offer: Mapping[str, Any]) -> dict[str, float]:
    """What an offer tells of its film, with weights."""
    return {
        name: weight
        for names, weight in ((_facts(offer), PEOPLE_WEIGHT), (_words(offer), WORD_WEIGHT))
        for name in names
    }


def as_matrix(known: list[dict[str, float]]) -> csr_array | None:
    """Films × features without what tells nothing; None when nothing is left."""
    counts = Counter(name for features in known for name in features)
    most = max(len(known) * FILMS_SHARE, FILMS_LEAST)
    names = sorted(name for name, count in counts.items() if FILMS_LEAST <= count <= most)
    if not names:
        return None
    at = {name: number for number, name in enumerate(names)}
    columns, values, ends = [], [], [0]
    for features in known:
        kept = sorted((at[name], weight) for name, weight in features.items() if name in at)
        columns += [column for column, _ in kept]
        values += [weight for _, weight in kept]
        ends.append(len(columns))
    parts = (np.asarray(values, np.float32), np.asarray(columns, np.int32), np.asarray(ends, np.int32))
    return csr_array(parts, shape=(len(known), len(names)))


def _facts(offer: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"genre:{genre.casefold()}" for genre in offer.get("genres") or ())
    yield from (f"person:{fold_title(person)}" for person in offer.get("people") or ())
    if offer.get("year"):
        yield f"decade:{offer['year'] // 10}"


def _words(offer: Mapping[str, Any]) -> Iterator[str]:
    text = f"{offer.get('title') or ''} {offer.get('overview') or ''}".casefold()
    words = (word for word in _WORD.findall(text) if len(word) >= WORD_LEAST)
    yield from (f"word:{word}" for word in list(dict.fromkeys(words))[:WORDS_MAX])
