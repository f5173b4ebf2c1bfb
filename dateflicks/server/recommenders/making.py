"""The lists of one run, made of what was read and of what a model has learned from it: computed, not written."""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from dateflicks.core.ranking.arrivals import with_arrivals
from dateflicks.core.ranking.pairs import ForTwo, for_two
from dateflicks.server.recommendation.records import EVERYBODY
from dateflicks.server.recommendation.runs import NEIGHBOURS_MAX, Entry, Listing, Row, Run
from dateflicks.server.recommenders.matrix import OUT, histories, take_out, top
from dateflicks.server.recommenders.reading import Reading
from dateflicks.server.recommenders.recommender import Model, Scores
from dateflicks.server.recommenders.scoring import Because, additions, nobody, reasons, scores_of
from dateflicks.settings.recommenders import RecommendersSettings

DAY_SECONDS: Final = 86_400.0
DIGITS: Final = 6

Columns = NDArray[np.int64]


def has_arrived(reading: Reading, settings: RecommendersSettings) -> NDArray[np.bool_]:
    """Which films are there and have just come."""
    since = reading.data.now - settings.arrivals_days * DAY_SECONDS
    arrived: NDArray[np.bool_] = reading.is_there & (reading.added_at >= since)
    return arrived


class Making:
    """Makes them, some rows at a time. All raise RecommenderError when the model's scores make no sense."""

    def __init__(
        self, reading: Reading, model: Model, run: Run, settings: RecommendersSettings, now: Callable[[], float]
    ) -> None:
        self._reading = reading
        self._model = model
        self._run = run
        self._now = now
        self._ids = reading.data.film_ids
        self._gone = np.flatnonzero(~reading.is_there)
        half_life = settings.half_life_films or None
        self._people = histories(reading.own, half_life)
        self._couples = histories(reading.joint, half_life)
        arrived = np.flatnonzero(has_arrived(reading, settings))
        self._arrived = arrived[np.argsort(-reading.added_at[arrived], kind="stable")]
        self._arrivals_share = settings.arrivals_share
        self._length = settings.run.list_length
        self._in_lists = np.zeros(len(self._ids), bool)
        self._added = csr_array((len(self._ids), len(self._ids)), dtype=np.float32)

    @property
    def coverage(self) -> float | None:
        """Which share of the films that are there stands in any list that was made."""
        there = int(self._reading.is_there.sum())
        return round(int((self._in_lists & self._reading.is_there).sum()) / there, 4) if there else None

    def weigh(self) -> None:
        """Find out what each film adds to others: reasons and rows are made of it."""
        self._added = additions(self._model, self._reading.data, self._people)

    def for_everybody(self) -> list[Listing]:
        """What is shown to whoever is not known, where the algorithm has anything to say of them."""
        scores = nobody(self._model, len(self._ids))
        if not scores.size or float(np.ptp(scores)) == 0:
            return []
        scores[:, self._gone] = OUT
        return [self._listing(EVERYBODY, self._entries(scores[0], None))]

    def for_people(self, rows: slice) -> list[Listing]:
        """The lists of those in these rows: without what is gone, and what they have finished or want none of."""
        scores = scores_of(self._model, csr_array(self._people[rows]))
        take_out(scores, csr_array(self._reading.out[rows]))
        scores[:, self._gone] = OUT
        users = self._reading.data.user_ids[rows]
        made = [
            self._listing(user, self._entries(row, person))
            for user, row, person in zip(users, scores, range(rows.start, rows.stop), strict=True)
        ]
        return [listing for listing in made if listing.items]

    def for_pairs(self, which: slice) -> list[Listing]:
        """The lists of these pairs: without what is gone, and what either has finished or wants none of."""
        pairs = self._reading.pairs[which]
        people = sorted({person for pair in pairs for person in pair})
        own = scores_of(self._model, csr_array(self._people[people]))
        joint = scores_of(self._model, csr_array(self._couples[which]))
        watched = np.diff(self._couples.indptr)[which].tolist()
        by_person = dict(zip(people, own, strict=True))
        made = []
        for pair, unit, row, count in zip(pairs, self._reading.joint.user_ids[which], joint, watched, strict=True):
            open_to = self._reading.is_there.copy()
            open_to[self._reading.out[list(pair)].indices] = False
            candidates = np.flatnonzero(open_to)
            found = for_two(
                *(self._scores(by_person[person], candidates, person) for person in pair),
                joint=self._by_id(row, candidates),
                joint_films=count,
                limit=self._length,
            )
            if found:
                made.append(self._listing(unit, self._entries_for_two(found, candidates, pair)))
        return made

    def rows(self, rows: slice) -> list[Row]:
        """What these films add to others that are there; a film that adds nothing has no row."""
        found = []
        for film in range(rows.start, rows.stop):
            ours = slice(self._added.indptr[film], self._added.indptr[film + 1])
            columns, values = self._added.indices[ours], self._added.data[ours]
            there = self._reading.is_there[columns]
            columns, values = columns[there], values[there]
            best = np.argsort(-values, kind="stable")[:NEIGHBOURS_MAX]
            items = tuple(
                (self._ids[column], round(value, DIGITS))
                for column, value in zip(columns[best].tolist(), values[best].tolist(), strict=True)
            )
            if items:
                found.append(Row(run=self._run.id, video_id=self._ids[film], items=items))
        return found

    # --- entries ----------------------------------------------------------------------------------------------------

    def _entries(self, row: NDArray[np.float32], person: int | None) -> list[Entry]:
        columns, values = top(row[None], self._length)
        ranked = columns[0][np.isfinite(values[0])].tolist()
        open_to = self._arrived[np.isfinite(row[self._arrived])]
        placed = self._placed(ranked, open_to[np.argsort(-row[open_to], kind="stable")])
        wanted = [column for column, _ in placed]
        whys = [Because()] * len(wanted) if person is None else self._why(person, wanted)
        scores = _falling([None if is_new else float(row[column]) for column, is_new in placed])
        return [
            Entry(
                video_id=self._ids[column],
                score=score,
                why=tuple(self._ids[film] for film in why.films),
                shares=why.shares,
                is_new=is_new,
            )
            for (column, is_new), score, why in zip(placed, scores, whys, strict=True)
        ]

    def _entries_for_two(self, found: list[ForTwo], candidates: Columns, pair: tuple[int, int]) -> list[Entry]:
        columns = {self._ids[column]: column for column in candidates.tolist()}
        by_column = {columns[one.video_id]: one for one in found}
        placed = self._placed(list(by_column), self._arrived[np.isin(self._arrived, candidates)])
        wanted = [column for column, _ in placed]
        scores = _falling([None if is_new else by_column[column].score for column, is_new in placed])
        whys = zip(*(self._why(person, wanted) for person in pair), strict=True)
        return [
            Entry(
                video_id=self._ids[column],
                score=score,
                is_new=is_new,
                fits=by_column[column].fits if column in by_column else (None, None),
                whys=tuple(tuple(self._ids[film] for film in why.films) for why in because),
            )
            for (column, is_new), score, because in zip(placed, scores, whys, strict=True)
        ]

    def _placed(self, ranked: list[int], arrivals: Columns) -> list[tuple[int, bool]]:
        placed = with_arrivals(ranked, arrivals[: self._length].tolist(), self._arrivals_share, self._length)
        self._in_lists[[column for column, _ in placed]] = True
        return placed

    def _why(self, person: int, wanted: list[int]) -> list[Because]:
        ours = slice(self._people.indptr[person], self._people.indptr[person + 1])
        return reasons(self._added, self._people.indices[ours], self._people.data[ours], wanted)

    def _scores(self, row: NDArray[np.float32], candidates: Columns, person: int) -> dict[str, float]:
        """One's scores by film; who has watched nothing has no say."""
        has_any = self._people.indptr[person] < self._people.indptr[person + 1]
        return self._by_id(row, candidates) if has_any else {}

    def _by_id(self, row: Scores, candidates: Columns) -> dict[str, float]:
        values = row[candidates].tolist()
        return {self._ids[column]: value for column, value in zip(candidates.tolist(), values, strict=True)}

    def _listing(self, unit: str, entries: list[Entry]) -> Listing:
        return Listing(
            run=self._run.id,
            user_id=unit,
            algorithm=self._run.algorithm,
            version=self._run.version,
            generated_at=self._now(),
            data_cut=self._run.data_cut,
            items=tuple(entries),
        )


def _falling(scores: Sequence[float | None]) -> list[float]:
    """Scores down a list, where an arrival has that of what stands above it, or at the top what stands below."""
    last = next((score for score in scores if score is not None), 0.0)
    told = []
    for score in scores:
        last = last if score is None else score
        told.append(round(last, DIGITS))
    return told
