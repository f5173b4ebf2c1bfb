"""What people have said of two offers, which wins over the rules: the same film, or not. One word for each pair."""

import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from dateflicks.core.catalogue.identity import Decision
from dateflicks.server.catalogue.paging import pages_from_text
from dateflicks.server.catalogue.records import OVERRIDES, decision_of, override_id
from dateflicks.server.storage.database import Database


class Decisions:
    """All of them in memory: there are as many as people have had patience for."""

    def __init__(self, database: Database, *, now: Callable[[], float] = time.time) -> None:
        self._overrides = database.table(OVERRIDES)
        self._now = now
        self._all: dict[str, Decision] = {}
        self._of: dict[str, list[Decision]] = {}

    @property
    def all(self) -> Sequence[Decision]:
        """Those that were loaded."""
        return list(self._all.values())

    @property
    def same(self) -> Mapping[str, Sequence[Decision]]:
        """Those that make offers one film, by offer."""
        found: dict[str, list[Decision]] = defaultdict(list)
        for one in self._all.values():
            if one.same:
                found[one.offer].append(one)
                found[one.other].append(one)
        return found

    def of(self, offer: str) -> Sequence[Decision]:
        """Those that an offer is part of."""
        return self._of.get(offer, ())

    async def load(self) -> None:
        """Read them."""
        self._all, self._of = {}, defaultdict(list)
        async for page in pages_from_text(self._overrides, "place", "ovr:"):
            self._all |= {one["_id"]: decision_of(one) for one in page}
        for said in self._all.values():
            self._of[said.offer].append(said)
            self._of[said.other].append(said)

    async def say(self, offer: str, other: str, *, is_same: bool, by: str | None) -> None:
        """Keep what a person says; it takes the place of what was said of these two before."""
        key = override_id(offer, other)
        await self._overrides.upsert(
            {
                "_id": key,
                "place": key,
                "rev": 1,
                "offer": offer,
                "other": other,
                "verdict": "same" if is_same else "different",
                "by": by,
                "at": self._now(),
            }
        )

    async def unsay(self, offer: str, other: str) -> bool:
        """Forget it; False when there was nothing."""
        return await self._overrides.delete(override_id(offer, other))
