"""What people's calls were worth: of one session, and of a pair over all their sessions.

A settlement is marked before it is written, then the outcomes of its pairs are, then the mark is taken away. Whoever
dies in between leaves the mark, and whoever comes next writes what is missing; an outcome has one id and follows from
its prediction alone, so however often it is written, it counts once.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from dateflicks.core import limits
from dateflicks.core.errors import Unavailable
from dateflicks.core.prediction import Prediction, State
from dateflicks.core.scoring import Score, Standing
from dateflicks.protocol.predictions import Scores
from dateflicks.server.services.prediction.records import from_document, outcome_documents, pair_key
from dateflicks.server.services.prediction.views import score_body
from dateflicks.server.storage.records import Document
from dateflicks.server.storage.table import Table

log = logging.getLogger(__name__)

MARK_SECONDS: Final = 60.0  # a mark without a settlement is one that never came: no write takes longer than two
AGAIN_SECONDS: Final = 1.0


class Tables:
    """One process's; `now` is Unix time."""

    def __init__(
        self, predictions: Table, outcomes: Table, settling: Table, now: Callable[[], float] = time.time
    ) -> None:
        self._predictions = predictions
        self._outcomes = outcomes
        self._settling = settling
        self._now = now
        self._left = asyncio.Event()  # something is marked that may have to be written

    async def about_to_settle(self, prediction_id: str) -> None:
        """Mark a settlement before it is written. Raises Unavailable."""
        try:
            await self._settling.upsert({"_id": prediction_id, "at": self._now()})
        finally:
            self._left.set()

    async def settled(self, prediction: Prediction) -> None:
        """Write the outcomes of a settlement, or leave that to `mend`; never raises Unavailable."""
        try:
            await self._write(prediction)
        except Unavailable:
            self._left.set()

    async def run(self) -> None:
        """Write what an earlier process or an outage has left, now and whenever there is some, until cancelled."""
        self._left.set()
        while True:
            await self._left.wait()
            self._left.clear()
            is_done = False
            try:
                is_done = await self.mend()
            except Unavailable:
                pass
            except Exception:
                log.exception("the outcomes that are left could not be written; tried again")
            if not is_done:
                self._left.set()
            await asyncio.sleep(AGAIN_SECONDS)

    async def mend(self) -> bool:
        """Write the outcomes of every marked settlement; False while one may be under way. Raises Unavailable."""
        is_done = True
        marks = await self._settling.between("at", at_least=0, limit=limits.PAGE_MAX)
        for mark in marks:
            try:
                is_done &= await self._mend_one(mark)
            except (KeyError, TypeError, ValueError):
                log.exception("a prediction cannot be read, and is not scored", extra={"prediction": mark["_id"]})
        return is_done and len(marks) < limits.PAGE_MAX

    async def _mend_one(self, mark: Document) -> bool:
        """False while its settlement may be under way."""
        document = await self._predictions.get(mark["_id"])
        if document is not None and (prediction := from_document(document).prediction).state is State.SETTLED:
            await self._write(prediction)
        elif mark["at"] + MARK_SECONDS < self._now():
            await self._settling.delete(mark["_id"])
        else:
            return False
        return True

    async def pair(self, one: str, other: str) -> Scores:
        """The table of two people over all their sessions. Raises Unavailable."""
        await self.mend()
        found = _Fold()
        async for page in self._outcomes.pages("pairKey", pair_key(one, other), order_by="order"):
            for document in page:
                found.add(document)
        return found.table()

    async def _write(self, prediction: Prediction) -> None:
        for document in outcome_documents(prediction):
            await self._outcomes.upsert(document)
        await self._settling.delete(prediction.id)


def session_table(newest_first: Sequence[Prediction]) -> Scores:
    """The table of one session's settled predictions."""
    found = _Fold()
    for prediction in newest_first:
        if prediction.state is State.SETTLED:
            found.count += 1
            for call in prediction.calls:
                score = prediction.score(call)
                assert score is not None
                found.add_score(call.user_id, call.name, score)
    return found.table()


class _Fold:
    """Standings by person, from the newest outcome on: the name is the one they had last."""

    def __init__(self) -> None:
        self.count = 0
        self._standings: dict[str, tuple[str, Standing]] = {}

    def add(self, outcome: Document) -> None:
        """A stored outcome."""
        self.count += 1
        for person in outcome["people"]:
            self.add_score(person["userId"], person["name"], _score(person))

    def add_score(self, user_id: str, name: str, score: Score) -> None:
        """What one call was worth."""
        name, standing = self._standings.get(user_id, (name, Standing()))
        self._standings[user_id] = (name, standing.plus(score))

    def table(self) -> Scores:
        """All of it, the best first."""
        bodies = [score_body(user_id, name, standing) for user_id, (name, standing) in self._standings.items()]
        bodies.sort(key=lambda body: (-body.points, body.name, body.user_id))
        return Scores(items=bodies, predictions=self.count)


def _score(person: Any) -> Score:
    return Score(float(person["brier"]), float(person["points"]), bool(person["right"]))
