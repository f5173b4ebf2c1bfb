"""What may not be kept, or need not: facts whose time is over by their source's terms, and offers long gone."""

import time
from collections.abc import Awaitable, Callable, Collection
from typing import Final

from dateflicks.server.catalogue.cleaning import blank_facts
from dateflicks.server.catalogue.paging import pages_from, those
from dateflicks.server.catalogue.records import VIDEOS, WORKS, later, stamps
from dateflicks.server.catalogue.works import Works
from dateflicks.server.storage.database import Database
from dateflicks.server.storage.records import Document

TOMBSTONE_SECONDS: Final = 90 * 86_400.0
_BATCH: Final = 100

Referred = Callable[[Collection[str]], Awaitable[Collection[str]]]


class Retention:
    """Does what the terms and our own rules ask for; to be run once a day. `now` is Unix time. Raises Unavailable."""

    def __init__(
        self,
        database: Database,
        works: Works,
        *,
        keep_seconds: float = TOMBSTONE_SECONDS,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._videos = database.table(VIDEOS)
        self._films = database.table(WORKS)
        self._works = works
        self._keep = keep_seconds
        self._now = now

    async def blank_expired(self) -> int:
        """Blank the facts that may not be kept any longer; how many offers had them. Where it is seen stays.

        The films of these are made anew.
        """
        blanked, stamp = 0, 0.0
        async for page in pages_from(self._videos, "fieldsExpireAt", 0.0, below=self._now(), limit=_BATCH):
            over: list[Document] = []
            for offer, changed_at in zip(page, stamps(self._now(), stamp, len(page)), strict=True):
                kept = {"externalIds": offer["externalIds"], "licence": offer["licence"]}
                over.append(
                    offer
                    | blank_facts()
                    | kept
                    | {
                        "title": None,
                        "fieldsExpireAt": None,
                        "contentHash": "",
                        "changedAt": later(changed_at, offer["changedAt"]),
                    }
                    | {"rev": offer["rev"] + 1}
                )
                stamp = changed_at
            left = await self._videos.replace_many(over)  # those were fetched anew this very moment
            blanked += len(over) - len(left)
            await self._works.relink([one["_id"] for one in over])
        return blanked

    async def purge(self, referred: Referred) -> int:
        """Delete offers that have been gone for `keep_seconds`, and films without any; how many documents.

        `referred` is asked which of these films something still refers to: they stay, with their offers.
        """
        before, purged = self._now() - self._keep, 0
        async for page in pages_from(self._videos, "removedAt", 0.0, below=before, limit=_BATCH):
            films = {one["workId"] for one in page if one["workId"]}
            kept = set(await referred(films)) if films else set()
            over = [one for one in page if one["workId"] not in kept]
            await self._works.forget(over)
            purged += len(over)
        async for page in pages_from(self._films, "endedAt", 0.0, below=before, limit=_BATCH):
            ids = [one["_id"] for one in page]
            kept = set(await referred(ids))
            there = await those(self._films, ids)
            over_ids = [one for one in ids if one in there and one not in kept and there[one]["endedAt"] is not None]
            purged += await self._films.delete_many(over_ids)
        return purged
