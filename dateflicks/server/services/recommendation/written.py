"""Flat records of other people's programs: `userId`, `videoId`, `score`, and no run. They are an algorithm too.

What they say is live as it is written; nothing in them is trusted to be what it should be.
"""

import math
from typing import Any, Final

from dateflicks.core.limits import PAGE_MAX
from dateflicks.protocol.ids import is_id
from dateflicks.protocol.text import is_clean_line
from dateflicks.server.services.recommendation.folding import Scored
from dateflicks.server.storage.records import Document
from dateflicks.server.storage.table import Table

WRITTEN: Final = "written"  # the algorithm of records that name none
NAME_MAX: Final = 64


class Written:
    """Those of one collection. Raises Unavailable."""

    def __init__(self, recommendations: Table) -> None:
        self._recommendations = recommendations

    async def of(self, unit: str) -> dict[str, list[Scored]]:
        """The lists that were written for a unit, by algorithm, the best first: of the best records, 200 in all."""
        found = await self._recommendations.page("userId", unit, order_by="score", limit=PAGE_MAX)
        lists: dict[str, dict[str, Scored]] = {}
        for document in found:
            if (one := _scored(document)) is not None:
                lists.setdefault(_algorithm(document), {}).setdefault(one.video_id, one)
        return {
            name: sorted(items.values(), key=lambda one: (-one.score, one.video_id)) for name, items in lists.items()
        }


def _scored(document: Document) -> Scored | None:
    video_id, score = document.get("videoId"), document.get("score")
    if document.get("run") is not None or not isinstance(video_id, str) or not is_id(video_id, "vid"):
        return None
    if isinstance(score, bool) or not isinstance(score, int | float) or not math.isfinite(score):
        return None
    return Scored(video_id, float(score))


def _algorithm(document: Document) -> str:
    name: Any = document.get("algorithm")
    return name if isinstance(name, str) and name and is_clean_line(name, NAME_MAX) else WRITTEN
