"""Which films sessions point at: looked up once for a run, by whoever has made any."""

from collections.abc import Collection

from dateflicks.server.catalogue.paging import pages_from_text
from dateflicks.server.services.session.records import SESSIONS, USERS
from dateflicks.server.storage.database import Database


class Referring:
    """Tells which films sessions refer to. Where nobody is known at all sessions are elsewhere: then all are kept."""

    def __init__(self, database: Database) -> None:
        self._users = database.table(USERS)
        self._sessions = database.table(SESSIONS)
        self._films: set[str] | None = None
        self._is_elsewhere = False

    async def __call__(self, films: Collection[str]) -> Collection[str]:
        """Those of these that must stay. Raises Unavailable."""
        if self._films is None:
            self._films, self._is_elsewhere = set(), True
            async for page in pages_from_text(self._users, "nameKey", "name:"):
                self._is_elsewhere = False
                for user in page:
                    await self._read(user["_id"], self._films)
        return films if self._is_elsewhere else self._films.intersection(films)

    async def _read(self, host: str, films: set[str]) -> None:
        async for page in self._sessions.pages("hostUserId", host, order_by="order"):
            films.update(str(one["videoId"]) for one in page if one.get("videoId"))
