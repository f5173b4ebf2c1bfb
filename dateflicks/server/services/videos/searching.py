"""Searching the index: the kinds of answers one after the other, from a spot on, so many at most.

An answer has its kind from the question and itself alone, and its place among others of the kind from itself alone. So
whoever turns pages while works come and go is told no work twice and misses none, but for one that changed meanwhile.
"""

from dataclasses import dataclass
from typing import Final

from dateflicks.server.services.videos.index import Reader, Row
from dateflicks.server.services.videos.matching import Wanted, all_of, both, filters_of, guess_of, kinds_of, without

FEW: Final = 10  # with fewer answers than this, those that may have been meant are told behind them
ALIKE: Final = (
    5  # the kind behind the five of `matching`: words of the question may be misspelt or the middle of others
)
BOLD: Final = 6  # the same where nothing else was found: words that exist may be misspelt too
BEFORE_ALL: Final = -1


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a page ended: the kind and the row of its last answer, and how many sure answers came up to there."""

    kind: int
    key: str | int | float
    place: int
    seen: int


@dataclass(frozen=True, slots=True)
class Answers:
    """The ids of one page, best first, and where the next one begins."""

    ids: tuple[str, ...]
    next: Spot | None


def answers(reader: Reader, wanted: Wanted, spot: Spot | None, limit: int) -> Answers:
    """One page. Raises SearchTooLong, sqlite3.Error."""
    words = wanted.words
    if wanted.text.strip() and not words:
        return Answers((), None)  # nothing but punctuation
    with reader.search():
        if wanted.sort != "best":
            return _sorted(reader, wanted, words, spot, limit)
        if words:
            return _best(reader, wanted, words, spot, limit)
        filters = filters_of(wanted)
        after = spot.place if spot else BEFORE_ALL
        rows = reader.all(after, limit + 1) if filters is None else reader.found(filters, after, limit + 1)
        return _page([(0, row) for row in rows], limit, FEW)


def count_of(reader: Reader, source: str) -> int:
    """How many works a source offers. Raises SearchTooLong, sqlite3.Error."""
    filters = filters_of(Wanted(sources=(source,)))
    assert filters is not None
    with reader.search():
        return reader.count(filters)


def _best(reader: Reader, wanted: Wanted, words: list[str], spot: Spot | None, limit: int) -> Answers:
    filters, seen = filters_of(wanted), spot.seen if spot else 0
    found: list[tuple[int, Row]] = []
    for kind, expression in enumerate(kinds_of(words)):
        if len(found) <= limit and kind >= (spot.kind if spot else 0):
            found += _of_kind(reader, kind, both(expression, filters), spot, limit + 1 - len(found))
    total = seen + len(found)
    if len(found) <= limit and (total < FEW or (spot is not None and spot.kind >= ALIKE)):
        kind = spot.kind if spot is not None and spot.kind >= ALIKE else BOLD if total == 0 else ALIKE
        expression = without(_guess(reader, words, is_bold=kind == BOLD), all_of(words))
        found += _of_kind(reader, kind, both(expression, filters), spot, limit + 1 - len(found))
    return _page(found, limit, seen)


def _of_kind(reader: Reader, kind: int, expression: str | None, spot: Spot | None, limit: int) -> list[tuple[int, Row]]:
    assert expression is not None
    after = spot.place if spot and spot.kind == kind else BEFORE_ALL
    return [(kind, row) for row in reader.found(expression, after, limit)]


def _sorted(reader: Reader, wanted: Wanted, words: list[str], spot: Spot | None, limit: int) -> Answers:
    filters = filters_of(wanted)
    after = Row("", spot.key, spot.place) if spot else None
    kind, rows = spot.kind if spot else 0, list[Row]()
    if kind != BOLD:
        rows = reader.sorted(wanted.sort, both(all_of(words) if words else None, filters), after, limit + 1)
    if words and (kind == BOLD or (spot is None and not rows)):
        kind = BOLD
        rows = reader.sorted(wanted.sort, both(_guess(reader, words, is_bold=True), filters), after, limit + 1)
    return _page([(kind, row) for row in rows], limit, FEW)


def _guess(reader: Reader, words: list[str], *, is_bold: bool) -> str:
    return guess_of(words, lambda word: reader.meant_by(word, even_if_known=is_bold), reader.is_word)


def _page(found: list[tuple[int, Row]], limit: int, seen: int) -> Answers:
    shown = found[:limit]
    spot = None
    if len(found) > limit:
        kind, last = shown[-1]
        spot = Spot(kind, last.key, last.place, min(seen + len(shown), FEW))
    return Answers(tuple(row.id for _, row in shown), spot)
