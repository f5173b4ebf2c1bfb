"""What an operator has done straight at the database, where no hint says so: it is told here to whom it concerns.

Each notice names tokens that were revoked, sessions that were changed, and people who were erased. It stays for longer
than a ticket is good, so that every process finds it, and one that has just begun tells of all; to be told of it twice
does no harm.
"""

import logging
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from dateflicks.core.errors import Unavailable
from dateflicks.core.limits import PAGE_MAX, TICKET_LIFETIME_SECONDS
from dateflicks.protocol.ids import new_id
from dateflicks.server.auth.signed_out import SignOuts
from dateflicks.server.bus.local import Bus
from dateflicks.server.services.session.handler import TOPIC
from dateflicks.server.storage.records import Document
from dateflicks.server.storage.table import Table

log = logging.getLogger(__name__)

LATE_SECONDS: Final = 600.0  # what is older was told; clocks of two machines differ by less
KEEP_SECONDS: Final = 2 * TICKET_LIFETIME_SECONDS


def notice(now: float, *, tokens: Sequence[str] = (), sessions: Sequence[str] = (), erased: str = "") -> Document:
    """What is to be put there, for at most 200 of each, and one who was erased."""
    document = {"_id": new_id("req"), "rev": 1, "at": now, "tokens": list(tokens), "sessions": list(sessions)}
    return {**document, "erased": erased} if erased else document


class Notices:
    """One process's; `now` is Unix time."""

    def __init__(
        self, notices: Table, sessions: Table, bus: Bus, sign_outs: SignOuts, *, now: Callable[[], float] = time.time
    ) -> None:
        self._notices = notices
        self._sessions = sessions
        self._bus = bus
        self._sign_outs = sign_outs
        self._now = now
        self._told: set[Any] = set()
        self._reach = KEEP_SECONDS

    async def look(self) -> None:
        """Tell of what is new. Raises Unavailable."""
        late = await self._notices.between("at", at_least=self._now() - self._reach, descending=True, limit=PAGE_MAX)
        for one in late:
            if one["_id"] in self._told:
                continue
            try:
                await self._tell(one)
            except Unavailable:
                raise
            except Exception:  # the others are told all the same, and of this one nobody hears each few seconds
                log.exception("what an operator has done could not be told", extra={"notice": one["_id"]})
        self._told = {one["_id"] for one in late}
        self._reach = LATE_SECONDS

    async def _tell(self, one: Document) -> None:
        for token_id in one["tokens"]:
            self._sign_outs.tell(token_id)
        if one.get("erased"):
            self._sign_outs.tell_erased(one["erased"])
        for document in (await self._sessions.get_many(one["sessions"])).values():
            self._bus.publish(TOPIC, {"document": document})

    async def sweep(self) -> None:
        """Forget what everybody has been told. Raises Unavailable."""
        over = await self._notices.between("at", below=self._now() - KEEP_SECONDS, limit=PAGE_MAX)
        if over:
            await self._notices.delete_many([one["_id"] for one in over])
