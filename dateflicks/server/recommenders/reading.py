"""What recommenders learn from, read once for a run: who did what with which film, which films there are, and what is
known of them. People and films are rows and columns; pairs come as the rows of a second matrix.
"""

import hashlib
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from dateflicks.core.ranking.interactions import Bond, Interaction, bonds_of
from dateflicks.server.catalogue.paging import pages_from
from dateflicks.server.catalogue.records import WORKS
from dateflicks.server.recommendation.history import Histories
from dateflicks.server.recommenders.features import read_features
from dateflicks.server.recommenders.prior import Prior, stacked, widened
from dateflicks.server.recommenders.recommender import Interactions
from dateflicks.server.storage.database import Database
from dateflicks.server.storage.records import Document

UNWATCHED_MAX: Final = 20_000  # films that nobody has watched yet, the newest of them; each costs a column
MERGES_MAX: Final = 16  # films that turned out to be another, one after the other

Column = Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Film:
    """A film of the collection, as far as lists need it; `ids` are those at IMDb and elsewhere."""

    id: str
    title: str = ""
    year: int | None = None
    added_at: float = 0.0
    is_there: bool = True
    ids: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """All of it. `people` are how many of the rows are our own: those of others come after them, and get no lists.

    `out` has an entry where one of ours has finished a film, or wants none of it. `pairs` are two people each, by the
    numbers of their rows; what they watched together is in the row of the same number of `joint`. `is_there` and
    `added_at` (Unix seconds) are of each film.
    """

    data: Interactions
    people: int
    out: csr_array
    pairs: tuple[tuple[int, int], ...]
    joint: Interactions
    is_there: NDArray[np.bool_]
    added_at: NDArray[np.float64]
    films: tuple[Film, ...]

    @property
    def own(self) -> Interactions:
        """What our own people did, on the columns of all."""
        weights = csr_array(self.data.weights[: self.people])
        users = self.data.user_ids[: self.people]
        return replace(self.data, user_ids=users, weights=weights, times=self.data.times[: weights.nnz])

    @property
    def has_nothing(self) -> bool:
        """Whether there is nothing at all that could be learned from."""
        return self.data.weights.nnz == 0 and self.data.features is None

    def digest(self, *also: Any) -> str:
        """The same for the same data: what a run would be made of again, but for the time."""
        seen = hashlib.sha256()
        data, joint = self.data, self.joint
        for one in (data.user_ids, data.film_ids, joint.user_ids, self.people, self.pairs, *also):
            seen.update(repr(one).encode(errors="surrogatepass") + b"\0")
        matrices = [data.weights, joint.weights, self.out, *([data.features] if data.features is not None else [])]
        arrays = [part for one in matrices for part in (one.data, one.indices, one.indptr)]
        for array in (*arrays, data.times, joint.times, self.is_there, self.added_at):
            seen.update(np.ascontiguousarray(array).tobytes() + b"\0")
        return seen.hexdigest()[:32]


async def read(database: Database, *, now: Callable[[], float] = time.time) -> Reading:
    """Everything, as of now. Raises Unavailable."""
    cut = now()
    films = await read_films(database)
    own: dict[str, list[Interaction]] = {}
    joint: dict[str, list[Interaction]] = {}
    pairs: set[str] = set()
    async for acts in Histories(database).everybody():
        for kept, found in ((own, acts.own), (joint, acts.joint)):
            for act in found:
                kept.setdefault(act.user_id, []).append(act)
        pairs |= acts.pairs
    known = _arranged(films, own, joint, pairs, cut)
    features = await read_features(database, {film: at for at, film in enumerate(known.data.film_ids)})
    return _with_features(known, features)


async def read_films(database: Database) -> dict[str, Film]:
    """All films of the collection by id, and those that turned out to be another by theirs. Raises Unavailable."""
    films: dict[str, Film] = {}
    into: dict[str, str] = {}
    async for page in pages_from(database.table(WORKS), "updatedAt", 0.0):
        for work in page:
            films[work["_id"]] = _film(work)
            if work.get("mergedInto"):
                into[work["_id"]] = work["mergedInto"]
    for merged in into:
        target = merged
        for _ in range(MERGES_MAX):
            target = into.get(target, target)
        if target in films:
            films[merged] = films[target]
    return films


def with_priors(reading: Reading, priors: Sequence[Prior]) -> Reading:
    """The same with other people below, and the films that only they know beside: for learning, never for lists."""
    if not priors:
        return reading
    together = stacked(reading.data, priors, reading.films)
    wider = len(together.film_ids) - len(reading.films)
    joint = replace(reading.joint, film_ids=together.film_ids, weights=widened(reading.joint.weights, together))
    return replace(
        reading,
        data=together,
        out=widened(reading.out, together),
        joint=joint,
        is_there=np.pad(reading.is_there, (0, wider)),
        added_at=np.pad(reading.added_at, (0, wider)),
    )


def _film(work: Document) -> Film:
    return Film(
        id=work["_id"],
        title=work.get("title") or "",
        year=work.get("year"),
        added_at=float(work.get("addedAt") or 0.0),
        is_there=work.get("status") == "active" and work.get("kind", "film") == "film",
        ids=work.get("externalIds") or {},
    )


def _arranged(
    films: Mapping[str, Film],
    own: Mapping[str, Sequence[Interaction]],
    joint: Mapping[str, Sequence[Interaction]],
    pairs: Iterable[str],
    cut: float,
) -> Reading:
    bonds = {user: _bonds(acts, films) for user, acts in own.items()}
    together = {pair: _bonds(acts, films) for pair, acts in joint.items()}
    watched = {film for known in (*bonds.values(), *together.values()) for film in known}
    there = {film.id: film for film in films.values() if film.is_there and film.id not in watched}
    newest = sorted(there, key=lambda one: (-there[one].added_at, one))[:UNWATCHED_MAX]
    film_ids = tuple(sorted({*watched, *newest}))
    user_ids = tuple(sorted(bonds))
    columns = {film: at for at, film in enumerate(film_ids)}
    rows = {user: at for at, user in enumerate(user_ids)}
    known = [tuple(pair.split(":")) for pair in sorted(pairs)]
    numbered = [(rows[one], rows[other]) for one, other in known if one in rows and other in rows]
    pair_ids = tuple(f"{user_ids[one]}:{user_ids[other]}" for one, other in numbered)
    there_now = [films[film] if film in films else Film(id=film, is_there=False) for film in film_ids]
    return Reading(
        data=_interactions(user_ids, film_ids, [bonds[user] for user in user_ids], columns, cut),
        people=len(user_ids),
        out=_out([bonds[user] for user in user_ids], columns),
        pairs=tuple(numbered),
        joint=_interactions(pair_ids, film_ids, [together.get(pair, {}) for pair in pair_ids], columns, cut),
        is_there=np.asarray([film.is_there for film in there_now], bool),
        added_at=np.asarray([film.added_at for film in there_now], np.float64),
        films=tuple(there_now),
    )


def _bonds(acts: Sequence[Interaction], films: Mapping[str, Film]) -> dict[str, Bond]:
    """By film, where those that turned out to be one count as one."""
    known = (
        Interaction(act.user_id, films[act.video_id].id, act.act, act.at)
        if act.video_id in films and films[act.video_id].id != act.video_id
        else act
        for act in acts
    )
    return bonds_of(known)


def _interactions(
    user_ids: tuple[str, ...],
    film_ids: tuple[str, ...],
    bonds: Sequence[Mapping[str, Bond]],
    columns: Column,
    cut: float,
) -> Interactions:
    entries = [
        sorted((columns[film], bond.weight, bond.at) for film, bond in known.items() if bond.weight > 0)
        for known in bonds
    ]
    weights = _matrix([[(column, weight) for column, weight, _ in row] for row in entries], len(film_ids))
    times = np.asarray([at for row in entries for _, _, at in row], np.float64)
    return Interactions(user_ids=user_ids, film_ids=film_ids, weights=weights, times=times, now=cut)


def _out(bonds: Sequence[Mapping[str, Bond]], columns: Column) -> csr_array:
    return _matrix(
        [
            sorted((columns[film], 1.0) for film, bond in known.items() if bond.is_seen or bond.is_refused)
            for known in bonds
        ],
        len(columns),
    )


def _matrix(rows: Sequence[Sequence[tuple[int, float]]], width: int) -> csr_array:
    ends = np.concatenate(([0], np.cumsum([len(row) for row in rows], dtype=np.int64))).astype(np.int32)
    columns = np.asarray([column for row in rows for column, _ in row], np.int32)
    values = np.asarray([value for row in rows for _, value in row], np.float32)
    return csr_array((values, columns, ends), shape=(len(rows), width))


def _with_features(known: Reading, features: csr_array | None) -> Reading:
    return replace(known, data=replace(known.data, features=features))
