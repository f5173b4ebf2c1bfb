"""People with planted tastes: data of which it is known how well anybody could do, for tests and to try things out.

Films belong to clusters, some are watched more than others, and each person loves one cluster, likes a second one and
watches some of everything. Half way through, the person's taste moves on: what they loved becomes what they like, and a
new love comes. How much each film drew each person is known, and thereby the best that anybody could say.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dateflicks.server.recommenders.evaluating.metrics import Scorer
from dateflicks.server.recommenders.evaluating.reading import Ratings
from dateflicks.server.recommenders.evaluating.splitting import How
from dateflicks.server.recommenders.recommender import Scores

FIRST_AT: Final = 946_684_800  # 2000-01-01
BETWEEN_SECONDS: Final = 86_400
LOVED, LIKED, ANY = 0.70, 0.22, 0.08
SKEW: Final = 0.6  # how fast films within a cluster become less known


@dataclass(frozen=True, slots=True, kw_only=True)
class Synthetic:
    """Ratings, and what they were drawn from: users × films, before and after taste moved on; each film's cluster."""

    ratings: Ratings
    early: NDArray[np.float32]
    late: NDArray[np.float32]
    clusters: NDArray[np.int64]

    def oracle(self, how: How) -> Scorer:
        """The best that can be said of a test: by time it is of the end, by chance of both halves."""
        truth: Scores = self.late if how == "time" else self.early + self.late
        return lambda rows: truth[rows]


def synthetic(
    users: int = 800, films: int = 400, clusters: int = 8, watched: int = 40, seed: int = 42, *, has_drift: bool = True
) -> Synthetic:
    """So many people with about `watched` films each (half to one and a half times as many)."""
    chance = np.random.default_rng(seed)
    of_film = np.arange(films) % clusters
    chance.shuffle(of_film)
    known = _known(chance.permutation(films), of_film, clusters)
    loved = chance.integers(clusters, size=users)
    liked = (loved + chance.integers(1, clusters, size=users)) % clusters
    before = (loved + chance.integers(1, clusters, size=users)) % clusters if has_drift else loved
    early, late = _draw(of_film, known, before, loved), _draw(of_film, known, loved, liked)
    rows, columns, times = [], [], []
    for user in range(users):
        count = int(chance.integers(max(watched // 2, 3), watched * 3 // 2 + 1))
        seen = _watch(chance, early[user], late[user], min(count, films // 2), has_drift=has_drift)
        rows.append(np.full(len(seen), user, np.int32))
        columns.append(seen)
        start = FIRST_AT + int(chance.integers(BETWEEN_SECONDS))
        times.append(start + np.arange(len(seen)) * BETWEEN_SECONDS)
    return Synthetic(
        ratings=Ratings(
            user_ids=tuple(str(number + 1) for number in range(users)),
            film_ids=tuple(str(number + 1) for number in range(films)),
            users=np.concatenate(rows),
            films=np.concatenate(columns).astype(np.int32),
            times=np.concatenate(times).astype(np.float64),
            kind="u.data",
            taken=(Path("synthetic"),),
        ),
        early=early.astype(np.float32),
        late=late.astype(np.float32),
        clusters=of_film,
    )


def _known(order: NDArray[np.int64], of_film: NDArray[np.int64], clusters: int) -> NDArray[np.float64]:
    """How well known each film is within its cluster, the first of this order best; sums to 1 there."""
    known = np.zeros(len(of_film))
    for cluster in range(clusters):
        members = order[of_film[order] == cluster]
        weights = (np.arange(len(members)) + 1.0) ** -SKEW
        known[members] = weights / weights.sum()
    return known


def _draw(
    of_film: NDArray[np.int64], known: NDArray[np.float64], loved: NDArray[np.int64], liked: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Users × films: how likely each is the next."""
    clusters = int(of_film.max()) + 1
    shares = np.full((len(loved), clusters), ANY / clusters)
    shares[np.arange(len(loved)), loved] += LOVED
    shares[np.arange(len(loved)), liked] += LIKED
    drawn: NDArray[np.float64] = shares[:, of_film] * known
    return drawn


def _watch(
    chance: np.random.Generator,
    early: NDArray[np.float64],
    late: NDArray[np.float64],
    count: int,
    *,
    has_drift: bool,
) -> NDArray[np.int64]:
    """What one person watches, in order, nothing twice."""
    first = count // 2 if has_drift else 0
    seen = chance.choice(len(early), size=first, replace=False, p=early / early.sum())
    left = late.copy()
    left[seen] = 0.0
    then = chance.choice(len(late), size=count - first, replace=False, p=left / left.sum())
    found: NDArray[np.int64] = np.concatenate([seen, then])
    return found
