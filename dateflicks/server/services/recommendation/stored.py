"""What live runs have stored, remembered: without its `rev` nothing of a live run changes, not even what it lacks."""

import logging
from collections import OrderedDict
from collections.abc import Hashable, Sequence
from typing import Final, TypeVar

from dateflicks.server.recommendation.runs import Listing, Reader, Run
from dateflicks.server.services.recommendation.folding import Rows
from dateflicks.server.storage.records import StorageFault

log = logging.getLogger(__name__)

LISTS_MAX: Final = 200  # about 10 MB
ROWS_MAX: Final = 1_000  # about 15 MB
Items = Sequence[tuple[str, float]]
Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Stored:
    """Lists and rows of neighbours. All raise Unavailable when what is asked for is not known and the database away."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._lists: OrderedDict[tuple[str, int, str], Listing | None] = OrderedDict()
        self._rows: OrderedDict[tuple[str, str], Items] = OrderedDict()

    async def listing(self, run: Run, unit: str) -> Listing | None:
        """The list that a run made for a unit, if there is anything in it."""
        key = (run.id, run.rev, unit)
        if key not in self._lists:
            try:
                found = await self._reader.listing(run.id, unit)
            except StorageFault as fault:  # one list that somebody has spoilt is not everybody's end
                log.error("a list cannot be used: %s", fault)
                found = None
            _keep(self._lists, key, found if found is not None and _tells(found) else None, LISTS_MAX)
        return self._lists[key]

    async def rows(self, run: Run, video_ids: Sequence[str]) -> Rows:
        """What having watched these films (200 at most) adds, as this run saw it."""
        missing = [one for one in video_ids if (run.id, one) not in self._rows]
        found = await self._reader.neighbours(run.id, missing) if missing else {}
        rows = {one: self._rows[run.id, one] for one in video_ids if (run.id, one) in self._rows}
        for one in missing:
            rows[one] = found[one].items if one in found else ()
            _keep(self._rows, (run.id, one), rows[one], ROWS_MAX)
        return rows


def _tells(listing: Listing) -> bool:
    """Whether a list says anything: one that finds every film as good as any other was made of nothing."""
    scores = [one.score for one in listing.items if not one.is_new]
    return len(scores) == 1 or len(set(scores)) > 1


def _keep(kept: "OrderedDict[Key, Value]", key: Key, value: Value, most: int) -> None:
    kept[key] = value
    while len(kept) > most:
        kept.popitem(last=False)
