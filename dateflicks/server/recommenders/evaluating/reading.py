"""Folders of ratings as they are published, read into arrays: `u.data`, `ratings.dat`, `ratings.csv`, `*.inter`, and
`train.txt` with `test.txt` (lists of films, split already).

Every rating is an interaction, whatever its value. What people did twice counts once, with the latest time. A line
that cannot be read is told with its file and number; nothing is skipped in silence.
"""

import math
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from dateflicks.server.recommenders.recommender import RecommenderError

Kind = Literal["u.data", "ratings.dat", "ratings.csv", "inter", "lists"]
Ints = NDArray[np.int32]

TRAIN, VALIDATION, TEST = 0, 1, 2
_LISTS: Final = {"train": TRAIN, "valid": VALIDATION, "validation": VALIDATION, "val": VALIDATION, "test": TEST}
_COLUMNS: Final = {
    "user": {"user", "userid", "user_id", "uid"},
    "film": {"item", "itemid", "item_id", "movie", "movieid", "movie_id", "film", "filmid", "film_id", "iid"},
    "rating": {"rating", "ratings", "score", "label"},
    "time": {"timestamp", "time", "ts", "unix_timestamp"},
}
_ORDER: Final = ("user", "film", "rating", "time")
_SEPARATORS: Final = {"u.data": "\t", "ratings.dat": "::", "ratings.csv": ",", "inter": "\t"}
_NAMES: Final[dict[str, Kind]] = {"u.data": "u.data", "ratings.dat": "ratings.dat", "ratings.csv": "ratings.csv"}


class DataError(RecommenderError):
    """Data to evaluate on, or to learn from, that cannot be read; the text says which file and line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratings:
    """Who watched what and when, one entry for each person and film, in the order of the files.

    `users` and `films` are rows of `user_ids` and `film_ids` (in the order of ids); `times` are Unix seconds, all zero
    where the files tell none; `parts` are the published ones (TRAIN, VALIDATION, TEST), or None. `taken` names the
    files that were read, `passed_over` others of a known kind that lie beside them.
    """

    user_ids: tuple[str, ...]
    film_ids: tuple[str, ...]
    users: Ints
    films: Ints
    times: NDArray[np.float64]
    kind: Kind
    taken: tuple[Path, ...]
    passed_over: tuple[Path, ...] = ()
    parts: NDArray[np.int8] | None = None
    has_times: bool = True
    repeated: int = 0

    def __len__(self) -> int:
        return len(self.users)


def read_ratings(at: Path, *, is_split: bool | None = None) -> Ratings:
    """The ratings of a folder, or of one file of it. Raises DataError.

    `is_split` asks for the published split (True) or for ratings that are not split yet (False), where a folder has
    both; otherwise ratings with times come first.
    """
    found = _choices(at)
    fitting = [one for one in found if is_split is None or one.is_split == is_split]
    if not fitting:
        raise DataError(_nothing_fits(at, found, is_split))
    chosen = fitting[0]
    rest = tuple(path for one in found if one is not chosen for path in one.paths)
    if chosen.kind == "lists":
        return _lists(chosen.paths, rest)
    return _tables(chosen, rest)


# --- which files ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Choice:
    kind: Kind
    paths: tuple[Path, ...]
    parts: tuple[int, ...] = ()

    @property
    def is_split(self) -> bool:
        return bool(self.parts)


def _choices(at: Path) -> list[_Choice]:
    """What can be read here, the best first."""
    if at.is_file():
        return [_choice_of(at)]
    if not at.is_dir():
        raise DataError(f"There is no folder {at}.")
    try:
        files = sorted(path for path in at.iterdir() if path.is_file())
    except OSError as error:
        raise DataError(f"The folder {at} cannot be read: {error.strerror or error}.") from error
    named = {path.name.lower(): path for path in files}
    found = [_Choice(kind, (named[name],)) for name, kind in _NAMES.items() if name in named]
    inters = [path for path in files if path.name.lower().endswith(".inter")]
    split = [path for path in inters if _part_of_inter(path) is not None]
    found += [_Choice("inter", (path,)) for path in inters if path not in split]
    parted = [
        _Choice("inter", tuple(split), tuple(_part_of_inter(path) or TRAIN for path in split)),
        _of_lists([path for path in files if path.suffix.lower() == ".txt" and path.stem.lower() in _LISTS]),
    ]
    return found + [one for one in parted if {TRAIN, TEST} <= set(one.parts)]


def _choice_of(path: Path) -> _Choice:
    name = path.name.lower()
    if name in _NAMES:
        return _Choice(_NAMES[name], (path,))
    if name.endswith(".inter") and _part_of_inter(path) is None:
        return _Choice("inter", (path,))
    if name.endswith(".inter") or (path.suffix.lower() == ".txt" and path.stem.lower() in _LISTS):
        beside = [one for one in _choices(path.parent) if path in one.paths]
        if beside:
            return beside[0]
        raise DataError(f"{path} is one part of a split, and the others are not beside it: train and test are needed.")
    by_suffix: dict[str, Kind] = {".csv": "ratings.csv", ".dat": "ratings.dat", ".data": "u.data", ".tsv": "u.data"}
    if path.suffix.lower() in by_suffix:
        return _Choice(by_suffix[path.suffix.lower()], (path,))
    raise DataError(f"{path} is of no kind that can be read: {_KINDS}.")


def _part_of_inter(path: Path) -> int | None:
    words = path.name.lower().split(".")
    return _LISTS.get(words[-2]) if len(words) >= 2 else None


def _of_lists(paths: Sequence[Path]) -> _Choice:
    by_part = {_LISTS[path.stem.lower()]: path for path in paths}
    ordered = sorted(by_part)
    return _Choice("lists", tuple(by_part[part] for part in ordered), tuple(ordered))


_KINDS: Final = "u.data, ratings.dat, ratings.csv, *.inter, or train.txt with test.txt"


def _nothing_fits(at: Path, found: Sequence[_Choice], is_split: bool | None) -> str:
    if found and is_split:
        return f"{at} has no published split: no train.txt with test.txt."
    if found:
        return f"{at} has a published split only, which is not split again."
    below = sorted({path.parent for pattern in ("u.data", "ratings.*", "*.inter") for path in at.glob(f"*/{pattern}")})
    packed = sorted(at.glob("*.zip"))
    hint = f" Did you mean {below[0]}?" if below else f" Unpack {packed[0].name} first." if packed else ""
    return f"{at} has no ratings that can be read: {_KINDS}.{hint}"


# --- tables of ratings ------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Rows:
    """What has been read so far: rows of ids, times, and which part each belongs to."""

    users: dict[str, int] = field(default_factory=dict)
    films: dict[str, int] = field(default_factory=dict)
    user_at: "array[int]" = field(default_factory=lambda: array("i"))
    film_at: "array[int]" = field(default_factory=lambda: array("i"))
    times: "array[float]" = field(default_factory=lambda: array("d"))
    parts: "array[int]" = field(default_factory=lambda: array("b"))

    def done(self, kind: Kind, taken: Sequence[Path], rest: Sequence[Path], **facts: bool) -> Ratings:
        """All of it in the order of ids, each pair once with its latest time. Raises DataError when it is nothing."""
        if not self.user_at:
            raise DataError(f"{taken[0]} has no ratings.")
        is_split, has_times = facts.get("is_split", False), facts.get("has_times", False)
        user_ids, user_rows = _in_order(self.users)
        film_ids, film_rows = _in_order(self.films)
        users, films = user_rows[np.asarray(self.user_at)], film_rows[np.asarray(self.film_at)]
        times = np.asarray(self.times, dtype=np.float64)
        parts = np.asarray(self.parts, dtype=np.int8) if is_split else None
        kept = _latest(users, films, times, parts, len(film_ids))
        return Ratings(
            user_ids=user_ids,
            film_ids=film_ids,
            users=users[kept],
            films=films[kept],
            times=times[kept],
            kind=kind,
            taken=tuple(taken),
            passed_over=tuple(rest),
            parts=None if parts is None else parts[kept],
            has_times=has_times,
            repeated=len(users) - len(kept),
        )


def _in_order(ids: dict[str, int]) -> tuple[tuple[str, ...], Ints]:
    """Ids as numbers when they are, or else as text; and for each row as read its place among them."""
    is_numbered = all(one.isascii() and one.isdigit() and len(one) < 19 for one in ids)
    ordered = sorted(ids, key=(lambda one: (int(one), one)) if is_numbered else None)
    places = np.empty(len(ids), dtype=np.int32)
    places[[ids[one] for one in ordered]] = np.arange(len(ids), dtype=np.int32)
    return tuple(ordered), places


def _latest(
    users: Ints, films: Ints, times: NDArray[np.float64], parts: NDArray[np.int8] | None, width: int
) -> NDArray[np.int64]:
    """Which entries to keep: of each person and film the latest, and in a published split the earliest part."""
    cells = users.astype(np.int64) * width + films
    _, counts = np.unique(cells, return_counts=True)
    if counts.max() == 1:
        return np.arange(len(cells))
    order = np.lexsort((np.arange(len(cells)), times, -parts if parts is not None else np.zeros(len(cells)), cells))
    last = np.append(cells[order][1:] != cells[order][:-1], True)
    kept: NDArray[np.int64] = np.sort(order[last])
    return kept


def _tables(chosen: _Choice, rest: Sequence[Path]) -> Ratings:
    rows = _Rows()
    have_times = []
    for at, path in enumerate(chosen.paths):
        before = len(rows.user_at)
        have_times.append(_table(path, chosen.kind, rows))
        rows.parts.extend([chosen.parts[at] if chosen.is_split else TRAIN] * (len(rows.user_at) - before))
    return rows.done(chosen.kind, chosen.paths, rest, is_split=chosen.is_split, has_times=all(have_times))


def _table(path: Path, kind: Kind, rows: _Rows) -> bool:
    """Read one table; returns whether it tells times."""
    lines = _lines(path)
    number, first = next(lines, (0, ""))
    if not number:
        raise DataError(f"{path} is empty.")
    split = _splitter(first, _SEPARATORS[kind])
    words = split(first)
    columns = _columns(words)
    if columns is None:
        columns = {name: at for at, name in enumerate(_ORDER) if at < len(words)}
        lines = chain([(number, first)], lines)
    if not {"user", "film"} <= columns.keys():
        raise DataError(f"{path}, line {number}: there is no column of {'people' if 'film' in columns else 'films'}.")
    _fill(path, lines, split, columns, rows)
    return "time" in columns


def _fill(
    path: Path,
    lines: Iterable[tuple[int, str]],
    split: Callable[[str], list[str]],
    columns: dict[str, int],
    rows: _Rows,
) -> None:
    users, films = rows.users, rows.films
    user_column, film_column = columns["user"], columns["film"]
    rating_column, time_column = columns.get("rating"), columns.get("time")
    width = max(columns.values()) + 1
    for number, line in lines:
        words = split(line)
        try:
            user, film = words[user_column].strip(), words[film_column].strip()
            rating = float(words[rating_column]) if rating_column is not None else 1.0
            time = float(words[time_column]) if time_column is not None else 0.0
            if not (user and film and math.isfinite(rating) and math.isfinite(time)):
                raise ValueError
        except (IndexError, ValueError):
            raise DataError(_what_is_wrong(path, number, words, width, columns)) from None
        rows.user_at.append(users.setdefault(user, len(users)))
        rows.film_at.append(films.setdefault(film, len(films)))
        rows.times.append(time)


def _what_is_wrong(path: Path, number: int, words: Sequence[str], width: int, columns: dict[str, int]) -> str:
    where = f"{path}, line {number}"
    if len(words) < width:
        return f"{where}: there are {len(words)} columns instead of {width}."
    for name in ("user", "film"):
        if not words[columns[name]].strip():
            return f"{where}: the {name} is empty."
    for name in ("rating", "time"):
        if name in columns and not _is_number(words[columns[name]]):
            return f"{where}: the {name} '{words[columns[name]].strip()[:40]}' is no number."
    return f"{where}: it cannot be read."


def _is_number(word: str) -> bool:
    try:
        return math.isfinite(float(word))
    except ValueError:
        return False


def _columns(words: Sequence[str]) -> dict[str, int] | None:
    """What the columns are by the names in the first line; None when it has no names."""
    names = [word.partition(":")[0].strip().lower() for word in words]
    found = {kind: at for at, name in enumerate(names) for kind, known in _COLUMNS.items() if name in known}
    return found or None


def _splitter(line: str, separator: str) -> Callable[[str], list[str]]:
    """How to take lines apart: by the separator of the kind, or by another one if that is what the first line has."""
    used = next((one for one in (separator, "\t", "::", ";", ",") if one in line), None)
    if '"' in line:
        import csv

        delimiter = used if used and len(used) == 1 else ","
        return lambda text: next(csv.reader([text], delimiter=delimiter), [])
    return str.split if used is None else lambda text: text.split(used)


# --- lists of films ---------------------------------------------------------------------------------------------


def _lists(paths: Sequence[Path], rest: Sequence[Path]) -> Ratings:
    """A line for each person: their id and then films; or films alone, when the lines of all files are as many."""
    read = [(path, _LISTS[path.stem.lower()], [(at, line.replace(",", " ").split()) for at, line in _lines(path)])
            for path in paths]  # fmt: skip
    is_named = all(len({words[0] for _, words in lines}) == len(lines) for _, _, lines in read)
    if not is_named and all(2 <= len(words) <= 4 for _, _, lines in read for _, words in lines):
        return _pairs(read, paths, rest)
    if not is_named and len({len(lines) for _, _, lines in read}) > 1:
        raise DataError(_told_twice(read))
    rows = _Rows()
    for _, part, lines in read:
        for place, (_, words) in enumerate(lines):
            user = rows.users.setdefault(words[0] if is_named else str(place), len(rows.users))
            for film in words[1:] if is_named else words:
                rows.user_at.append(user)
                rows.film_at.append(rows.films.setdefault(film, len(rows.films)))
                rows.times.append(0.0)
                rows.parts.append(part)
    return rows.done("lists", paths, rest, is_split=True)


def _pairs(
    read: Sequence[tuple[Path, int, list[tuple[int, list[str]]]]], paths: Sequence[Path], rest: Sequence[Path]
) -> Ratings:
    """A line for each rating: person, film, and perhaps how good and when."""
    rows = _Rows()
    has_times = all(len(words) == len(_ORDER) for _, _, lines in read for _, words in lines)
    columns = {name: at for at, name in enumerate(_ORDER) if at < (len(_ORDER) if has_times else 2)}
    for path, part, lines in read:
        before = len(rows.user_at)
        _fill(path, ((at, "\t".join(words)) for at, words in lines), lambda text: text.split("\t"), columns, rows)
        rows.parts.extend([part] * (len(rows.user_at) - before))
    return rows.done("lists", paths, rest, is_split=True, has_times=has_times)


def _told_twice(read: Sequence[tuple[Path, int, list[tuple[int, list[str]]]]]) -> str:
    for path, _, lines in read:
        seen: dict[str, int] = {}
        for at, words in lines:
            if words[0] in seen:
                return (
                    f"{path}, line {at}: {words[0][:40]} has a line already ({seen[words[0]]}); each is one person's."
                )
            seen[words[0]] = at
    return f"{read[0][0]} cannot be read."


# --- lines ------------------------------------------------------------------------------------------------------


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Lines with text, numbered from 1, without what ends them. Any encoding will do: ids are compared, not shown."""
    try:
        with path.open(encoding="latin-1") as stream:
            for number, line in enumerate(stream, start=1):
                if number == 1:
                    if line.startswith(("ÿþ", "þÿ", "PK\x03\x04", "\x1f\x8b")):
                        raise DataError(f"{path} is no text: unpack it, or write it as UTF-8.")
                    line = line.removeprefix("ï»¿")  # noqa: PLW2901 - the mark of UTF-8, read as what we read
                if line.strip():
                    yield number, line.strip("\r\n ")
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}.") from error
