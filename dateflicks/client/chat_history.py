"""A session's talk over HTTP: pages both ways, where a moment is in it, and saying something without a line.

What is said carries a name of its own, so that it can be sent again when no answer came: it is kept once.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from typing import Final
from urllib.parse import quote

from dateflicks.client import errors
from dateflicks.client.tickets import Tickets
from dateflicks.core.limits import PAGE_MAX
from dateflicks.protocol.chat import Message, MessageAnswer, MessagePage, MessageRequest

SERVICE: Final = "messages"
PATIENCE_SECONDS: Final = 60.0  # how long a service may be away while something waits to be said
PAUSES_SECONDS: Final = (0.2, 0.5, 1.0, 2.0, 4.0)
OFTEN_SECONDS: Final = 1.0  # until the next try when the service does not say


class ChatHistory:
    """One person's way to one session's talk; every call raises ClientError."""

    def __init__(
        self,
        session_id: str,
        tickets: Tickets,
        *,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tickets = tickets
        self._pause = pause
        self._now = now
        self._path = f"/messages/{quote(session_id, safe='')}"

    # --- reading ------------------------------------------------------------------------------------------------

    async def newest(self, limit: int = PAGE_MAX) -> list[Message]:
        """The newest messages, in order; 200 at most, as with every page."""
        return await self._page(limit=str(limit))

    async def before(self, seq: int, limit: int = PAGE_MAX) -> list[Message]:
        """The messages just before this one, in order; none when the talk begins here."""
        return await self._page(before=str(seq), limit=str(limit)) if seq > 1 else []

    async def after(self, seq: int, limit: int = PAGE_MAX) -> list[Message]:
        """The messages just after this one, in order."""
        return await self._page(after=str(seq), limit=str(limit))

    async def head(self) -> int:
        """The number of the newest message, 0 when nothing was said."""
        newest = await self.newest(1)
        return newest[-1].seq if newest else 0

    async def all_after(self, seq: int = 0) -> AsyncIterator[Message]:
        """Every message after this one, in order, page after page."""
        while page := await self.after(seq):
            for message in page:
                yield message
            seq = page[-1].seq
            if len(page) < PAGE_MAX:
                return

    async def place_of(self, moment: datetime) -> int:
        """The number of the last message said before this moment, in a few requests however long the talk is."""
        low, high = 0, await self.head()
        while low < high:
            middle = (low + high + 1) // 2
            found = await self.after(middle - 1, 1)
            if found and datetime.fromisoformat(found[0].time) < moment:
                low = middle
            else:
                high = middle - 1
        return low

    async def _page(self, **query: str | None) -> list[Message]:
        return (await self._tickets.call(SERVICE, "GET", self._path, MessagePage, query=dict(query))).items

    # --- saying -------------------------------------------------------------------------------------------------

    async def say(self, request: MessageRequest, *, patience_seconds: float = PATIENCE_SECONDS) -> Message:
        """Say something, once it is kept; a service that has no time or is away is waited for. Raises ClientError."""
        gives_up_at = self._now() + patience_seconds
        tries = 0
        while True:
            try:
                body = {"message": request}
                return (await self._tickets.call(SERVICE, "POST", self._path, MessageAnswer, body=body)).message
            except errors.AskedTooOften as often:
                pause = OFTEN_SECONDS if often.retry_after is None else max(often.retry_after, 0.1)
                gives_up_at = max(gives_up_at, self._now() + pause + OFTEN_SECONDS)
            except errors.Unreachable:
                pause = PAUSES_SECONDS[min(tries, len(PAUSES_SECONDS) - 1)]
                tries += 1
                if self._now() + pause > gives_up_at:
                    raise
            await self._pause(pause)
