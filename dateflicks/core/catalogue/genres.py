"""Genres in one vocabulary: what sources call them, in whichever way they spell it, becomes one of these words."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from dateflicks.core.catalogue.titles import fold_title

GENRES: Final = (
    "action",
    "adventure",
    "animation",
    "biography",
    "comedy",
    "crime",
    "documentary",
    "drama",
    "family",
    "fantasy",
    "history",
    "horror",
    "music",
    "mystery",
    "noir",
    "romance",
    "science-fiction",
    "short",
    "silent",
    "sport",
    "thriller",
    "war",
    "western",
)
_NAMES: Final = {
    "action": "action and adventure|martial arts|superhero|swashbuckler|actionfilm|azione|accion",
    "adventure": "action and adventure|abenteuer|aventure|avventura|aventura",
    "animation": "anime|animated|cartoon|cartoons|animacion|animazione|zeichentrick|children and animation",
    "biography": "biopic|biographical|biografie|documentary and biography",
    "comedy": "comedies|screwball comedy|black comedy|romantic comedy|slapstick|komodie|comedie|commedia|comedia",
    "crime": "gangster|heist|krimi|policier|crimen|crime and gangster|film noir",
    "documentary": "documentaries|docu|dokumentarfilm|documentaire|documentario|documental|nature",
    "drama": "dramas|melodrama|drame|dramma|costume drama|period drama",
    "family": "kids|children|kids and family|children and family|familie|familial|famiglia|familiar",
    "fantasy": "fantasie|fantastique|fantasia|fairy tale",
    "history": "historical|historie|histoire|storia|historia|epic|historical drama",
    "horror": "zombie|slasher|monster|vampire|horreur|orrore|terror",
    "music": "musical|musicals|concert|musik|musique|musica|music and musicals",
    "mystery": "mystere|mistero|misterio|whodunit|detective|mystery and thriller|suspense and mystery",
    "noir": "film noir|neo noir|film noirs",
    "romance": "romantic|love story|romantic comedy|romantik|liebesfilm|romantique|romantico",
    "science-fiction": "sci fi|scifi|sf|sci fi and fantasy|scifi and fantasy|science fiction and fantasy",
    "short": "shorts|short film|kurzfilm|court metrage",
    "silent": "silent films|stummfilm|muet",
    "sport": "sports|boxing",
    "thriller": "suspense|psychological thriller|thrillers|mystery and thriller|suspense and mystery|krimi thriller",
    "war": "war and politics|military|kriegsfilm|guerre|guerra|world war ii",
    "western": "westerns|spaghetti western|wilder westen",
}
_FANTASY_TOO: Final = ("sci fi and fantasy", "scifi and fantasy", "science fiction and fantasy")
_REMEMBERED: Final = 1_024  # names: more than any source has
_TAILS: Final = (" film", " films", " movie", " movies")


def _table() -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {genre.replace("-", " "): [genre] for genre in GENRES}
    for genre, names in _NAMES.items():
        for name in names.split("|"):
            found.setdefault(name, []).append(genre)
    for name in _FANTASY_TOO:
        found[name].append("fantasy")
    return {name: tuple(genres) for name, genres in found.items()}


_TABLE: Final = _table()


def genres_of(names: Iterable[str]) -> tuple[str, ...]:
    """The genres that these names mean, in order, each once; names that mean none, such as `TV Movie`, are dropped."""
    return tuple(dict.fromkeys(genre for name in names for genre in _genres_of(name)))


@lru_cache(_REMEMBERED)
def _genres_of(name: str) -> tuple[str, ...]:
    folded = fold_title(name)
    for tail in ("", *_TAILS):
        if folded.endswith(tail) and (genres := _TABLE.get(folded.removesuffix(tail))):
            return genres
    return ()
