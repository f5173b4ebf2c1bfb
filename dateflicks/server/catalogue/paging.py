"""Going through a collection page by page, so that a million documents take the memory of two hundred."""

import asyncio
import math
from collections.abc import AsyncIterator, Sequence

from dateflicks.core.limits import PAGE_MAX
from dateflicks.server.storage.records import Document
from dateflicks.server.storage.table import Table


async def those(table: Table, keys: Sequence[str]) -> dict[str, Document]:
    """The documents with these ids, however many."""
    found: dict[str, Document] = {}
    for start in range(0, len(keys), PAGE_MAX):
        found |= await table.get_many(keys[start : start + PAGE_MAX])
    return found


async def fields_of_those(table: Table, keys: Sequence[str], only: Sequence[str]) -> dict[str, Document]:
    """A few fields of the documents with these ids, which are so few that all may be asked for at once."""
    parts = [keys[start : start + PAGE_MAX] for start in range(0, len(keys), PAGE_MAX)]
    found: dict[str, Document] = {}
    for part in await asyncio.gather(*(table.get_many(one, only=only) for one in parts)):
        found |= part
    return found


def pages_of(videos: Table, source: str, *, only: Sequence[str] = ()) -> AsyncIterator[list[Document]]:
    """All offers of a source, in the order of their ids; or `only` some fields of them, `offerId` among these."""
    return videos.pages("source", source, order_by="offerId", descending=False, only=only)


async def pages_from(
    table: Table, field: str, at_least: float, *, below: float | None = None, limit: int = PAGE_MAX
) -> AsyncIterator[list[Document]]:
    """All documents whose indexed field is a number in this range, in its order.

    What is given another number meanwhile may be met again, or not at all when it leaves the range. At most a page of
    documents may have the same number; those beyond are passed over.
    """
    last: list[str] = []
    while True:
        page = await table.between(field, at_least=at_least, below=below, limit=limit)
        fresh = [one for one in page if one["_id"] not in last]
        if fresh:
            yield fresh
        if len(page) < limit:
            return
        end = page[-1][field]
        if end == at_least and limit < PAGE_MAX:
            limit = PAGE_MAX
            continue
        last = [one["_id"] for one in page if one[field] == end]
        at_least = end if end > at_least else math.nextafter(at_least, math.inf)


async def pages_from_text(table: Table, field: str, prefix: str) -> AsyncIterator[list[Document]]:
    """All documents whose indexed field, which is another for each, is text that begins so, in its order."""
    at_least, last = prefix, ""
    while True:
        page = await table.between(field, at_least=at_least, below=f"{prefix}\U0010ffff", limit=PAGE_MAX)
        if fresh := [one for one in page if one[field] != last]:
            yield fresh
        if len(page) < PAGE_MAX:
            return
        at_least = last = page[-1][field]
