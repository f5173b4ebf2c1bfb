"""What a recommender may learn from, what its settings are chosen on, and what is held back to the end.

Of each person 70 % is for training, 10 % for validation and 20 % for the test, by chance (`rand`) or in the order of
time (`time`: the last 20 % are the test, the 10 % before them validation; what has one time stays in the order of the
file). Shares are rounded to whole films, half up, and training keeps at least one: so who has fewer than three films
has none in the test and is not counted, but learned from. A published split stays what it is (`published`), and 10 %
of each one's training, by chance, are for validation, unless there is a published part for that too.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from dateflicks.server.recommenders.evaluating.reading import TEST, TRAIN, VALIDATION, DataError, Ratings
from dateflicks.server.recommenders.recommender import Interactions

How = Literal["rand", "time", "published"]
TEST_SHARE: Final = 0.2
VALIDATION_SHARE: Final = 0.1
SEED: Final = 42


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Ratings, and the part that each of them belongs to; all parts have the same rows and columns."""

    ratings: Ratings
    parts: NDArray[np.int8]
    how: How
    seed: int

    @property
    def measured(self) -> int:
        """How many people have something in the test."""
        return len(np.unique(self.ratings.users[self.parts == TEST]))

    def data(self, parts: Collection[int]) -> Interactions:
        """These parts, to learn from. `now` is the last time of them."""
        chosen = np.isin(self.parts, list(parts))
        return interactions_of(self.ratings, chosen)

    def matrix(self, part: int) -> csr_array:
        """What belongs to one part: users × films, ones."""
        return self.data((part,)).weights


def split_of(ratings: Ratings, how: How, seed: int = SEED) -> Split:
    """Split these. Raises DataError where they cannot be split so."""
    if how == "published":
        if ratings.parts is None:
            raise DataError(f"{ratings.taken[0]} has no published split; take --split rand or time.")
        parts = ratings.parts.copy()
        if not (parts == VALIDATION).any():
            training = np.flatnonzero(parts == TRAIN)
            order = _by_chance(ratings.users[training], ratings.films[training], seed)
            parts[training[_last(ratings.users[training], order, VALIDATION_SHARE)]] = VALIDATION
        return Split(ratings=ratings, parts=parts, how=how, seed=seed)
    if ratings.parts is not None:
        raise DataError(f"{ratings.taken[0]} is split already; take --split published.")
    if how == "time" and not ratings.has_times:
        raise DataError(f"{ratings.taken[0]} tells no times, so that it cannot be split by them; take --split rand.")
    if how == "time":
        order = np.lexsort((np.arange(len(ratings)), ratings.times, ratings.users))
    else:
        order = _by_chance(ratings.users, ratings.films, seed)
    parts = np.full(len(ratings), TRAIN, dtype=np.int8)
    parts[_last(ratings.users, order, VALIDATION_SHARE, beyond=TEST_SHARE)] = VALIDATION
    parts[_last(ratings.users, order, TEST_SHARE)] = TEST
    return Split(ratings=ratings, parts=parts, how=how, seed=seed)


def interactions_of(ratings: Ratings, chosen: NDArray[np.bool_] | None = None) -> Interactions:
    """Ratings, or those chosen of them, as recommenders take them: each weighs 1."""
    kept = slice(None) if chosen is None else chosen
    users, films, times = ratings.users[kept], ratings.films[kept], ratings.times[kept]
    order = np.lexsort((films, users))
    people, width = len(ratings.user_ids), len(ratings.film_ids)
    starts = np.zeros(people + 1, dtype=np.int32)
    np.cumsum(np.bincount(users, minlength=people), out=starts[1:])
    weights = csr_array((np.ones(len(users), np.float32), films[order], starts), shape=(people, width))
    weights.has_canonical_format = True
    return Interactions(
        user_ids=ratings.user_ids,
        film_ids=ratings.film_ids,
        weights=weights,
        times=times[order],
        now=float(times.max()) if len(times) else 0.0,
    )


def _by_chance(users: NDArray[np.int32], films: NDArray[np.int32], seed: int) -> NDArray[np.int64]:
    """Each one's entries in an order that chance makes, the same whatever the order in the file."""
    numbers = np.empty(len(users))
    numbers[np.lexsort((films, users))] = np.random.default_rng(seed).random(len(users))
    order: NDArray[np.int64] = np.lexsort((numbers, users))
    return order


def _last(
    users: NDArray[np.int32], order: NDArray[np.int64], share: float, *, beyond: float = 0.0
) -> NDArray[np.int64]:
    """The last share of each one's entries in this order (users ascending), before the share `beyond` it."""
    counts = np.bincount(users)
    starts = np.cumsum(counts) - counts
    from_end = (counts[users[order]] - 1) - (np.arange(len(users)) - starts[users[order]])
    after = np.floor(counts * beyond + 0.5)
    size = np.minimum(np.floor(counts * share + 0.5), np.maximum(counts - 1 - after, 0))
    here = users[order]
    found: NDArray[np.int64] = order[(from_end >= after[here]) & (from_end < (after + size)[here])]
    return found
