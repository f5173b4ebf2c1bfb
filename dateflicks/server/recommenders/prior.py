"""What another population watched, put under what little a home has: priors, kept below the data folder of the server.

A home of two has too few films to learn from. `stacked` puts the people of the priors as further rows under the local
ones, and films that the collection does not have as further columns: for learning, never for lists.

    together = stacked(reading.data, load_all(folder), reading.films)    # films: one for each of data.film_ids
    model = recommender.fit(together, context)
    scores = model.score(widened(histories, together))[:, : len(reading.data.film_ids)]

A prior is a folder `priors/NAME` with `prior.json` (what it is, and under which licence it was taken), `films.json` and
`people.npz`; it is made under another name and moved there when it is whole.
"""

import contextlib
import os
import re
import shutil
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from dateflicks.protocol.decoding import UNREADABLE
from dateflicks.server.recommenders.evaluating.reading import Ratings
from dateflicks.server.recommenders.evaluating.splitting import interactions_of
from dateflicks.server.recommenders.prior_films import Finder, KnownFilm, PriorFilm, read_films
from dateflicks.server.recommenders.recommender import Interactions, RecommenderError

FOLDER: Final = "priors"
PREFIX: Final = "prior:"  # what ids of people and films begin with that are a prior's
LICENCE_MAX: Final = 40_000
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_UNREADABLE: Final = (
    OSError, EOFError, KeyError, IndexError, ValueError, TypeError, zipfile.BadZipFile, zlib.error, *UNREADABLE
)  # fmt: skip
_FILMS: Final = list[tuple[str, tuple[str, ...], int | None, dict[str, str]]]  # id, titles, year, ids elsewhere
_LICENCES: Final = re.compile(r"(licen[cs]e|copying|readme|terms)[^/]*", re.IGNORECASE)


class PriorError(RecommenderError):
    """A prior that is not there, or cannot be used; the text says which."""


class About(msgspec.Struct, frozen=True, kw_only=True):
    """What a prior is: counts, where it came from, and the terms that somebody agreed to (`accepted_at`, Unix time)."""

    name: str
    came_from: str
    kind: str
    people: int
    films: int
    interactions: int
    with_ids: int
    licence_files: list[str]
    licence: str
    accepted_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Prior:
    """Who watched what: people × films, in ones; `times` are Unix seconds, one for each entry."""

    name: str
    film_ids: tuple[str, ...]
    films: tuple[PriorFilm, ...]
    weights: csr_array
    times: NDArray[np.float64]


def prior_of(ratings: Ratings, folder: Path, name: str) -> Prior:
    """A prior made of ratings, and of what their folder says of the films."""
    data, known = interactions_of(ratings), read_films(folder, ratings.film_ids)
    return Prior(
        name=name,
        film_ids=data.film_ids,
        films=tuple(known.get(film, PriorFilm()) for film in data.film_ids),
        weights=data.weights,
        times=data.times,
    )


# --- stacking ---------------------------------------------------------------------------------------------------


def stacked(data: Interactions, priors: Sequence[Prior], films: Sequence[KnownFilm]) -> Interactions:
    """The same data with the people of the priors under its own; `films` are those of `data.film_ids`, in that order.

    Local people and films come first, in their order. Films that only priors have are further columns, with ids that
    begin with `prior:`; one film of several priors is one column, where an id says so. Without priors it is `data`.
    """
    if not priors:
        return data
    finder, width = Finder(films), len(data.film_ids)
    added: dict[str, int] = {}
    people = list(data.user_ids)
    rows, columns = [np.repeat(np.arange(len(people)), np.diff(data.weights.indptr))], [data.weights.indices]
    values, times = [data.weights.data], [data.times]
    for prior in priors:
        places = _places(prior, finder, added, width)
        rows.append(np.repeat(np.arange(prior.weights.shape[0]) + len(people), np.diff(prior.weights.indptr)))
        columns.append(places[prior.weights.indices])
        values.append(prior.weights.data)
        times.append(prior.times)
        people += [f"{PREFIX}{prior.name}:{number}" for number in range(prior.weights.shape[0])]
    shape = (len(people), width + len(added))
    weights, entries = _matrix(np.concatenate(rows), np.concatenate(columns), np.concatenate(values), shape)
    return Interactions(
        user_ids=tuple(people),
        film_ids=(*data.film_ids, *added),
        weights=weights,
        times=np.concatenate(times)[entries],
        features=_taller(data.features, shape[1]),
        now=data.now,
    )


def widened(histories: csr_array, together: Interactions) -> csr_array:
    """Histories of local people with a column for each film of what was stacked."""
    parts = (histories.data, histories.indices, histories.indptr)
    return csr_array(parts, shape=(histories.shape[0], len(together.film_ids)), copy=False)


def _places(prior: Prior, finder: Finder, added: dict[str, int], width: int) -> NDArray[np.int32]:
    """The column of each film of a prior: a local one, or one that is added."""
    places = np.empty(len(prior.film_ids), np.int32)
    for place, (film_id, film) in enumerate(zip(prior.film_ids, prior.films, strict=True)):
        found = finder.find(film)
        if found is None:
            known = next((f"{kind}:{value}" for kind, value in sorted(film.ids.items())), None)
            found = width + added.setdefault(f"{PREFIX}{known or f'{prior.name}:{film_id}'}", len(added))
        places[place] = found
    return places


def _matrix(
    rows: NDArray[np.int64], columns: NDArray[np.int32], values: NDArray[np.float32], shape: tuple[int, int]
) -> tuple[csr_array, NDArray[np.int64]]:
    """In order, each cell once (two films of a prior may be one here); and which entries those are."""
    cells = rows.astype(np.int64) * shape[1] + columns
    _, entries = np.unique(cells, return_index=True)
    ends = np.zeros(shape[0] + 1, np.int32)
    np.cumsum(np.bincount(rows[entries], minlength=shape[0]), out=ends[1:])
    return csr_array((values[entries].astype(np.float32), columns[entries], ends), shape=shape), entries


def _taller(features: csr_array | None, films: int) -> csr_array | None:
    """Features with rows for films of which nothing is known."""
    if features is None:
        return None
    ends = np.concatenate((features.indptr, np.full(films - features.shape[0], features.indptr[-1])))
    return csr_array((features.data, features.indices, ends), shape=(films, features.shape[1]))


# --- keeping ----------------------------------------------------------------------------------------------------


def licences(folder: Path) -> tuple[list[str], str]:
    """The files of a folder that say under which terms it may be used, and their text."""
    found = sorted(path for path in folder.iterdir() if path.is_file() and _LICENCES.fullmatch(path.name))
    found.sort(key=lambda path: path.name.lower().startswith("readme"))
    texts = [path.read_bytes()[:LICENCE_MAX].decode("utf-8", errors="replace").strip() for path in found]
    return [path.name for path in found], "\n\n".join(texts)[:LICENCE_MAX]


def name_from(folder: Path) -> str:
    """A name for the prior in this folder."""
    return re.sub(r"[^a-z0-9]+", "-", folder.resolve().name.lower()).strip("-")[:40] or "prior"


def check_name(name: str) -> None:
    """Raises PriorError when nothing can be called so."""
    if not _NAME.fullmatch(name):
        raise PriorError(f"'{name}' is no name for a prior: small letters, digits, - and _, at most 40.")


def keep(prior: Prior, about: About, data: Path) -> None:
    """Keep it in this data folder. Raises PriorError when there is one of that name, OSError when it cannot be kept."""
    check_name(prior.name)
    folder = data / FOLDER
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    made = folder / f".{prior.name}.{os.getpid()}"
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir(mode=0o700)
    try:
        facts = [(film_id, film.titles, film.year, dict(film.ids))
                 for film_id, film in zip(prior.film_ids, prior.films, strict=True)]  # fmt: skip
        (made / "films.json").write_bytes(msgspec.json.encode(facts))
        (made / "prior.json").write_bytes(msgspec.json.format(msgspec.json.encode(about), indent=2))
        np.savez_compressed(
            made / "people.npz",
            ends=prior.weights.indptr.astype(np.int64),
            films=prior.weights.indices.astype(np.int32),
            times=prior.times.astype(np.int64),
        )
        try:
            made.rename(folder / prior.name)
        except OSError as error:
            if (folder / prior.name).exists():
                raise PriorError(f"There is a prior '{prior.name}' already.") from error
            raise
    finally:
        shutil.rmtree(made, ignore_errors=True)


def kept(data: Path) -> list[About]:
    """What is kept in this data folder, by name. Raises PriorError when one of them cannot be read."""
    return [_about(data / FOLDER / name) for name in names(data)]


def names(data: Path) -> list[str]:
    """The names of what is kept in this data folder, readable or not."""
    folder = data / FOLDER
    return sorted(path.name for path in folder.iterdir() if _NAME.fullmatch(path.name)) if folder.is_dir() else []


def load(data: Path, name: str) -> Prior:
    """One of them. Raises PriorError."""
    folder = data / FOLDER / name
    if not _NAME.fullmatch(name) or not folder.is_dir():
        raise PriorError(f"There is no prior '{name}'.")
    try:
        facts = msgspec.json.decode((folder / "films.json").read_bytes(), type=_FILMS)
        with (folder / "people.npz").open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
            ends, films, times = arrays["ends"], arrays["films"], arrays["times"]
        shape = (len(ends) - 1, len(facts))
        weights = csr_array((np.ones(len(films), np.float32), films, ends.astype(np.int32)), shape=shape)
        weights.check_format(full_check=True)
        if len(times) != len(films):
            raise ValueError("times of another length")
    except _UNREADABLE as error:
        raise _broken(name, error) from error
    return Prior(
        name=name,
        film_ids=tuple(film_id for film_id, *_ in facts),
        films=tuple(PriorFilm(titles=titles, year=year, ids=ids) for _, titles, year, ids in facts),
        weights=weights,
        times=times.astype(np.float64),
    )


def load_all(data: Path) -> list[Prior]:
    """All of them, by name. Raises PriorError."""
    return [load(data, about.name) for about in kept(data)]


def remove(data: Path, name: str) -> None:
    """Forget it. Raises PriorError when it is not there, OSError when it cannot be removed."""
    folder = data / FOLDER / name
    if not _NAME.fullmatch(name) or not folder.is_dir():
        raise PriorError(f"There is no prior '{name}'.")
    gone = folder.with_name(f".{name}.gone.{os.getpid()}")
    folder.rename(gone)  # at once for whoever reads
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(gone)


def _about(folder: Path) -> About:
    try:
        return msgspec.json.decode((folder / "prior.json").read_bytes(), type=About)
    except (OSError, *UNREADABLE) as error:
        raise _broken(folder.name, error) from error


def _broken(name: str, error: Exception) -> PriorError:
    why = f"{type(error).__name__}: {error}"
    return PriorError(f"The prior '{name}' cannot be read ({why[:200]}). Remove it and add it anew.")
