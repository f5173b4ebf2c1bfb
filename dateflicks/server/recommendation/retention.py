"""What is not kept for ever: what people were shown outside of experiments, which only tells what lists were like."""

from typing import Final

from dateflicks.core.limits import PAGE_MAX
from dateflicks.server.recommendation.experiments import OUTSIDE
from dateflicks.server.recommendation.records import EXPOSURES
from dateflicks.server.storage.database import Database

KEEP_SECONDS: Final = 180 * 86_400.0
PAGES_MAX: Final = 50  # at a time; the next run goes on


async def forget_exposures(database: Database, now: float) -> int:
    """Delete those that are older than half a year; how many. Those of experiments stay. Raises Unavailable."""
    table, deleted = database.table(EXPOSURES), 0
    for _ in range(PAGES_MAX):
        page = await table.page("experiment", OUTSIDE, order_by="shownAt", descending=False, limit=PAGE_MAX)
        over = [one["_id"] for one in page if one["shownAt"] < now - KEEP_SECONDS]
        if over:
            deleted += await table.delete_many(over)
        if len(over) < PAGE_MAX:
            break
    return deleted
