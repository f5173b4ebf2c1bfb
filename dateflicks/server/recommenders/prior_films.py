"""What a folder of ratings says of its films, so that they can be found among others: titles, year, ids elsewhere.

Read are `links.csv`, `movies.csv`, `movies.dat`, `u.item` and `*.item`. Their titles come as `Third Man, The (1949)`,
with other titles in brackets before the year. Where the films' own numbers are those of IMDb (seven digits or more,
as MovieTweetings has them), these are taken.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from dateflicks.core.catalogue.facts import hard_ids
from dateflicks.core.catalogue.identity import YEARS_APART
from dateflicks.core.catalogue.titles import title_keys

TITLE_MAX: Final = 300
IMDB_DIGITS: Final = 7
_YEAR: Final = re.compile(r"\s*\(\s*((?:18|19|20)\d\d)\s*(?:[-–]\s*\d*\s*)?\)\s*$")
_OTHER: Final = re.compile(r"\s*\((?:a\.?k\.?a\.?\s+)?([^()]*(?:\([^()]*\)[^()]*)*)\)\s*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class PriorFilm:
    """A film by what others may know it by."""

    titles: tuple[str, ...] = ()
    year: int | None = None
    ids: Mapping[str, str] = field(default_factory=dict)


class KnownFilm(Protocol):
    """A film of the collection, as far as it is compared."""

    @property
    def title(self) -> str:
        """Its title, or nothing."""

    @property
    def year(self) -> int | None:
        """When it came out."""

    @property
    def ids(self) -> Mapping[str, str] | None:
        """Its ids at IMDb and elsewhere, by kind."""


class Finder:
    """Finds films of a prior among those of the collection: by an id, or else by title and year.

    A year may be one off where there is no film of that very year. What would be several films is none.
    """

    def __init__(self, films: Sequence[KnownFilm]) -> None:
        self._by_id: dict[tuple[str, str], set[int]] = {}
        self._by_title: dict[tuple[str, int], set[int]] = {}
        for place, film in enumerate(films):
            self._add(place, (film.title,), film.year, film.ids or {})

    def _add(self, place: int, titles: Iterable[str], year: int | None, ids: Mapping[str, str]) -> None:
        for one in hard_ids(ids).items():
            self._by_id.setdefault(one, set()).add(place)
        if year is not None:
            for title in title_keys(titles):
                self._by_title.setdefault((title, year), set()).add(place)

    def find(self, film: PriorFilm) -> int | None:
        """The place of that film, or None."""
        for one in hard_ids(film.ids).items():
            if (place := _only(self._by_id.get(one, ()))) is not None:
                return place
        if film.year is None:
            return None
        keys = title_keys(film.titles)
        for off in sorted(range(-YEARS_APART, YEARS_APART + 1), key=abs):
            found = {place for title in keys for place in self._by_title.get((title, film.year + off), ())}
            if found:
                return _only(found)
        return None


def _only(places: Iterable[int]) -> int | None:
    found = list(places)
    return found[0] if len(found) == 1 else None


def read_films(folder: Path, film_ids: Sequence[str]) -> dict[str, PriorFilm]:
    """What is known of these films, by their number in the folder; those of which nothing is known are left out."""
    files = {path.name.lower(): path for path in sorted(folder.iterdir()) if path.is_file()}
    wanted = set(film_ids)
    titles = {film: (title, year) for film, title, year in _titles(files) if film in wanted}
    ids: dict[str, dict[str, str]] = {film: found for film, found in _links(files) if film in wanted}
    if not ids and all(film.isdigit() and len(film) >= IMDB_DIGITS for film in film_ids):
        ids = {film: {"imdb": f"tt{film}"} for film in film_ids}
    found = {}
    for film in film_ids:
        names, year = parse_title(*titles[film]) if film in titles else ((), None)
        if names or film in ids:
            found[film] = PriorFilm(titles=names, year=year, ids=hard_ids(ids.get(film, {})))
    return found


def parse_title(text: str, year: int | None = None) -> tuple[tuple[str, ...], int | None]:
    """All titles of `City of Lost Children, The (Cité des enfants perdus, La) (1995)`, and its year.

    A `year` that is told apart counts for more than the one in the title.
    """
    rest = text.strip()[:TITLE_MAX]
    if dated := _YEAR.search(rest):
        year, rest = year or int(dated[1]), rest[: dated.start()]
    others: list[str] = []
    while (other := _OTHER.search(rest)) and other.start() > 0:
        others.append(other[1].strip())
        rest = rest[: other.start()]
    return tuple(dict.fromkeys(one for one in (rest.strip(), *reversed(others)) if one)), year


def _titles(files: Mapping[str, Path]) -> Iterator[tuple[str, str, int | None]]:
    """Film, title with its year in brackets, and the year where it is told apart."""
    for row in _table(files.get("movies.csv"), ","):
        if (film := row.get("movieid")) and (title := row.get("title")):
            yield film, title, None
    for name, separator in (("movies.dat", "::"), ("u.item", "|")):
        for line in _text(files.get(name)):
            words = line.split(separator)
            if len(words) >= 2:
                yield words[0].strip(), words[1], None
    for name, path in files.items():
        for row in _table(path if name.endswith(".item") and name != "u.item" else None, "\t"):
            title = row.get("movie_title") or row.get("title")
            if (film := row.get("item_id")) and title:
                year = row.get("release_year", "")
                yield film, title, int(year) if re.fullmatch(r"(18|19|20)\d\d", year) else None


def _links(files: Mapping[str, Path]) -> Iterator[tuple[str, dict[str, str]]]:
    for row in _table(files.get("links.csv"), ","):
        imdb, tmdb = row.get("imdbid", ""), row.get("tmdbid", "").removesuffix(".0")
        ids = hard_ids({"imdb": imdb if imdb.startswith("tt") else f"tt{imdb}", "tmdb": tmdb})
        if (film := row.get("movieid")) and ids:
            yield film, ids


def _table(path: Path | None, separator: str) -> Iterator[dict[str, str]]:
    """Rows by the names of the columns, in small letters and without their types."""
    lines = iter(csv.reader(_text(path), delimiter=separator))
    names = [name.partition(":")[0].strip().lower() for name in next(lines, [])]
    for words in lines:
        yield {name: word.strip() for name, word in zip(names, words, strict=False)}


def _text(path: Path | None) -> Iterator[str]:
    """Lines of a file that is UTF-8, or else Latin-1 as the older ones are."""
    if path is None:
        return
    given = path.read_bytes()
    try:
        text = given.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = given.decode("latin-1")
    yield from (line for line in re.split(r"\r\n|\r|\n", text.replace("\x00", "")) if line.strip())
