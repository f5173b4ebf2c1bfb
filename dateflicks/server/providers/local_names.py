"""What a file's name says of the film in it: `Title (Year)`, as people and media servers name films, and ids in
brackets by a reading of our own; all other ways of naming when guessit is installed. A film only with a year or an id.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import PurePosixPath
from typing import Any, Final

_BRACKETED_YEAR: Final = re.compile(r"[(\[{](18[89]\d|19\d\d|20\d\d)[)\]}]")
_ID: Final = re.compile(r"[\[{(]\s*(imdb|tmdb)(?:id)?[-=: ]\s*(tt\d{6,10}|\d{1,8})\s*[\]})]", re.IGNORECASE)
_BARE_IMDB: Final = re.compile(r"\b(tt\d{7,8})\b")
_EPISODE: Final = re.compile(r"(?:^|[\s._\[(-])(?:s\d{1,2}[\s._-]*e\d{1,3}|\d{1,2}x\d{2,3})(?!\d)", re.IGNORECASE)
_PART: Final = re.compile(r"[\s._\[(-](?:cd|dis[ck]|dvd)[\s._-]?\d{1,2}[\])]?$", re.IGNORECASE)
_EXTRA: Final = re.compile(
    r"-(?:trailer|sample|featurette|behindthescenes|deleted|interview|scene|short|other)\d*$"
    r"|(?:^|[\s._])(?:trailer|sample)\d*$",
    re.IGNORECASE,
)
_EXTRAS: Final = frozenset({"Trailer", "Sample", "Extras", "Bonus"})  # in guessit's words
_NAMED: Final = 2  # parts of a path that tell of a film: the folder that it has for itself, and the file


@dataclass(frozen=True, slots=True)
class Name:
    """What a name says."""

    title: str
    year: int | None = None
    imdb: str | None = None
    tmdb: str | None = None


def name_of(path: str) -> Name | None:
    """The film by the path of its file below the folder that is read; None when it is none, or only a part of one."""
    parts = PurePosixPath(path).parts[-_NAMED:]
    stem = PurePosixPath(parts[-1]).stem if parts else ""
    if not stem or _EPISODE.search(stem) or _EXTRA.search(stem) or _PART.search(stem):
        return None
    for one in (stem, *parts[:-1]):
        if (found := _read(one, parts)) is not None:
            return found
    return _guessed("/".join(parts), parts)


def reader() -> str:
    """How names are read here: what was read in another way is to be read anew."""
    guess = _guess()
    return "own 1" if guess is None else f"own 1, guessit {guess[1]}"


def _read(text: str, parts: tuple[str, ...]) -> Name | None:
    """`Title (Year)`, with whatever else follows; or a title with an id."""
    years = [*_BRACKETED_YEAR.finditer(text)]
    year = next((one for one in years if _tidy(text[: one.start()])), None)
    known = _ID.search(text)
    ends = [one.start() for one in (year, known) if one is not None]
    title = _tidy(text[: min(ends)]) if ends else ""
    if not title:
        return None
    ids = _ids(parts)
    return Name(title, int(year[1]) if year else _year_elsewhere(parts), ids.get("imdb"), ids.get("tmdb"))


def _year_elsewhere(parts: tuple[str, ...]) -> int | None:
    found = next((match for one in reversed(parts) if (match := _BRACKETED_YEAR.search(one))), None)
    return int(found[1]) if found else None


def _ids(parts: tuple[str, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in reversed(parts):
        for kind, value in _ID.findall(part):
            is_imdb = value.lower().startswith("tt")
            if is_imdb == (kind.lower() == "imdb"):
                found.setdefault(kind.lower(), value.lower())
        if (bare := _BARE_IMDB.search(part)) is not None:
            found.setdefault("imdb", bare[1])
    return found


def _tidy(text: str) -> str:
    """A title out of a name: dots and underscores that stand for spaces are spaces."""
    spaced = text.replace("_", " ")
    if " " not in spaced.strip():
        spaced = spaced.replace(".", " ")
    return " ".join(spaced.split()).strip(" -.,").rstrip(" -.,([{")


# --- guessit ----------------------------------------------------------------------------------------------------------


@cache
def _guess() -> tuple[Callable[[str], Mapping[str, Any]], str] | None:
    """guessit and its version, if it is there; it is large, and imported when first needed."""
    try:
        from guessit import __version__, guessit
    except ImportError:
        return None
    return guessit, __version__


def _guessed(text: str, parts: tuple[str, ...]) -> Name | None:
    guess = _guess()
    if guess is None:
        return None
    try:
        found = guess[0](text)
    except Exception:  # noqa: BLE001 - its rules meet names that nobody has thought of
        return None
    title, year = found.get("title"), found.get("year")
    others = found.get("other", [])
    is_extra = not _EXTRAS.isdisjoint(others if isinstance(others, list) else [others])
    if found.get("type") != "movie" or is_extra or "cd" in found or not isinstance(title, str) or not title.strip():
        return None
    ids = _ids(parts)
    imdb, tmdb = found.get("imdb_id") or ids.get("imdb"), found.get("tmdb_id") or ids.get("tmdb")
    if not isinstance(year, int) and not imdb and not tmdb:
        return None
    return Name(
        " ".join(title.split()),
        year if isinstance(year, int) else None,
        str(imdb) if imdb else None,
        str(tmdb) if tmdb else None,
    )
