"""What is searched for, as the index is asked for it: one expression for each kind of answer, the best kind first.

An expression is put together from words that hold letters and digits only (`words`), each in quotes, and from tokens of
our own (`entries`); nothing that was typed is ever part of its syntax.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from dateflicks.server.services.videos.entries import ANYTHING, EVERYWHERE, exact_token, facet_token, offer_token
from dateflicks.server.services.videos.words import QUERY_WORDS_MAX, exact_keys, words_of, year_in

Sort = Literal["best", "title", "year", "added"]

FIRST_YEAR: Final = 1870
LAST_YEAR: Final = 2100
_NAMES: Final = "{title original}"
_TITLES: Final = "{title original others}"
_ALL: Final = "{title original others people year}"

Alternatives = Callable[[str], Sequence[str]]
"""Words of the collection that somebody may have meant who typed this one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is asked for: text, and what the works must be like; of several sources or genres any will do."""

    text: str = ""
    sources: tuple[str, ...] = ()
    genres: tuple[str, ...] = ()
    years: tuple[int, int] | None = None
    region: str | None = None
    playable: bool | None = None
    sort: Sort = "best"

    @property
    def words(self) -> list[str]:
        """What is searched for."""
        return words_of(self.text)[:QUERY_WORDS_MAX]


def kinds_of(words: Sequence[str]) -> list[str]:
    """The expressions of the answers that need no guess, the best kind first, each for what no better one finds."""
    kinds = [_exact(words), _begins(words), _titles(words), _people(words), _parts(words)]
    return [without(kind, _any(kinds[:at])) if at else kind for at, kind in enumerate(kinds)]


def all_of(words: Sequence[str]) -> str:
    """One expression for all answers that need no guess."""
    return _any([_exact(words), _parts(words)])


def guess_of(words: Sequence[str], alternatives: Alternatives, is_word: Callable[[str], bool]) -> str:
    """The expression of what may have been meant by those who slipped."""
    readings = [list(words), *_rejoined(words, is_word)]
    return _any([_reading(reading, alternatives, is_word) for reading in readings])


def without(expression: str, others: str) -> str:
    """What the first finds and the others do not."""
    return f"({expression}) NOT ({others})"


def filters_of(wanted: Wanted) -> str | None:
    """The expression of what the works must be like; None when they may be like anything."""
    found = []
    if wanted.sources or wanted.region is not None or wanted.playable:
        places = (ANYTHING,) if wanted.region is None else (wanted.region, EVERYWHERE)
        tokens = (
            offer_token(source, place, playable=bool(wanted.playable))
            for source in wanted.sources or (ANYTHING,)
            for place in places
        )
        found.append(_facets(tokens))
    if wanted.genres:
        found.append(_facets(facet_token("genre", genre) for genre in wanted.genres))
    if wanted.years is not None:
        found.append(_facets(_years(*wanted.years)))
    if wanted.playable is False:
        everything = _all_facets(found) if found else _facets([facet_token("all", "")])
        return without(everything, _facets([offer_token(ANYTHING, ANYTHING, playable=True)]))
    return _all_facets(found) if found else None


def both(expression: str | None, filters: str | None) -> str | None:
    """What both find."""
    if expression is None or filters is None:
        return expression if filters is None else filters
    return f"({expression}) AND ({filters})"


# --- kinds of answers -------------------------------------------------------------------------------------------


def _exact(words: Sequence[str]) -> str:
    found = _column("exact", [exact_token(key) for key in sorted(exact_keys(" ".join(words)))])
    if year := year_in(list(words)):
        rest = _column("exact", [exact_token(key) for key in sorted(exact_keys(" ".join(_rest(words, year))))])
        found = f'({found}) OR ({rest} AND year : "{year}")'
    return found


def _begins(words: Sequence[str]) -> str:
    found = f"{_NAMES} : ^ {_phrase(words)}"
    if year := year_in(list(words)):
        found = f'({found}) OR ({_NAMES} : ^ {_phrase(_rest(words, year))} AND year : "{year}")'
    return found


def _titles(words: Sequence[str]) -> str:
    return _dated(words, _TITLES)


def _people(words: Sequence[str]) -> str:
    return _dated(words, "people")


def _dated(words: Sequence[str], columns: str) -> str:
    """All of them in these columns, or all but the year that it is of."""
    found = f"{columns} : ({_every(words)})"
    if year := year_in(list(words)):
        found = f'({found}) OR ({columns} : ({_every(_rest(words, year))}) AND year : "{year}")'
    return found


def _parts(words: Sequence[str]) -> str:
    return f"{_ALL} : ({' AND '.join(_beginning(word) for word in dict.fromkeys(words))})"


def _reading(words: Sequence[str], alternatives: Alternatives, is_word: Callable[[str], bool]) -> str:
    parts = []
    for word in dict.fromkeys(words):
        meant = [_beginning(word), *(f'"{other}"' for other in alternatives(word))]
        meant += [f'("{one}" AND "{other}")' for one, other in _halves(word) if is_word(one) and is_word(other)]
        parts.append(f"({' OR '.join(meant)})")
    return f"{_ALL} : ({' AND '.join(parts)})"


def _rejoined(words: Sequence[str], is_word: Callable[[str], bool]) -> list[list[str]]:
    """The same with two neighbours as one word, where there is such a word: `spider man` as `spiderman`."""
    found = []
    for at in range(len(words) - 1):
        joined = words[at] + words[at + 1]
        if is_word(joined):
            found.append([*words[:at], joined, *words[at + 2 :]])
    return found


def _halves(word: str) -> list[tuple[str, str]]:
    return [(word[:at], word[at:]) for at in range(3, len(word) - 2)] if word.isascii() else []


# --- words ------------------------------------------------------------------------------------------------------


def _beginning(word: str) -> str:
    """A word, or the beginning of one; a single letter is a word, or too much would begin with it."""
    return f'"{word}"*' if len(word) > 1 else f'"{word}"'


def _phrase(words: Sequence[str]) -> str:
    return f'"{" ".join(words)}"{"*" if len(words[-1]) > 1 else ""}'


def _every(words: Sequence[str]) -> str:
    return " AND ".join(f'"{word}"' for word in dict.fromkeys(words))


def _rest(words: Sequence[str], year: str) -> list[str]:
    return list(words[:-1]) if words[-1] == year else list(words[1:])


def _any(expressions: Sequence[str]) -> str:
    return " OR ".join(f"({one})" for one in expressions)


# --- filters ----------------------------------------------------------------------------------------------------


def _facets(tokens: Iterable[str]) -> str:
    return _column("facets", list(tokens))


def _all_facets(found: Sequence[str]) -> str:
    return " AND ".join(f"({one})" for one in found)


def _column(name: str, tokens: Sequence[str]) -> str:
    quoted = " OR ".join(f'"{token}"' for token in tokens)
    return f"{name} : ({quoted})"


def _years(first: int, last: int) -> list[str]:
    """The years of a range, whole decades as one."""
    found = []
    year, last = max(first, FIRST_YEAR), min(last, LAST_YEAR)
    while year <= last:
        if year % 10 == 0 and year + 9 <= last:
            found.append(facet_token("decade", str(year // 10)))
            year += 10
        else:
            found.append(facet_token("year", str(year)))
            year += 1
    return found or [facet_token("year", "none")]
