"""One call to the database: a time limit for each try and for the whole, and a second try for what passes by itself.

A call ends within two seconds in all cases, or within the time that writing many documents was given. What was never
sent is Unavailable; a write that was sent and not answered is OutcomeUnknown, unless a later try found out.

Calls take turns in the order in which they came. The driver's pool does not see to it: whoever gives a connection
back and asks for one at once is faster than those who wait, and of fifty busy rooms some would wait for too long.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import pymongo
from bson.errors import BSONError
from pymongo.errors import PyMongoError

from dateflicks.core.errors import Unavailable
from dateflicks.server.storage.faults import is_transient, stop_when_told_to, told_to_stop, translated
from dateflicks.server.storage.fence import SENT, Sent
from dateflicks.server.storage.health import Health
from dateflicks.server.storage.records import Collection, OutcomeUnknown, StorageFault

T = TypeVar("T")

CALL_SECONDS: Final = 1.8  # the promise is two seconds; the rest is for what comes before and after
GRACE_SECONDS: Final = 0.1  # the driver keeps its own deadline; this is for when it does not
FIRST_PAUSE_SECONDS: Final = 0.05
LAST_TRY_SECONDS: Final = 0.02  # the least a try gets: a loop that was held up may wake behind its deadline
AWAY: Final = "The database is out of reach. Nothing was changed; try again in a moment."
UNKNOWN: Final = (
    "The database did not answer in time, and this may or may not have been saved. Look before you repeat it."
)


class Calls:
    """How the tables of one database make their calls; `try_seconds` limits each try.

    `turns` has fewer places than the driver has connections: a probe finds one free. Within an `operation` nobody calls
    again: those who hold a turn would wait for each other.
    """

    def __init__(self, health: Health, try_seconds: float, turns: asyncio.Semaphore) -> None:
        self._health = health
        self._try_seconds = try_seconds
        self._turns = turns

    async def read(self, collection: Collection, operation: Callable[[], Awaitable[T]]) -> T:
        """Raises Unavailable, StorageFault."""

        async def one_try(_again: bool) -> T:
            return await operation()

        return await self._call(collection, one_try, AWAY, Unavailable)

    async def write(
        self, collection: Collection, operation: Callable[[bool], Awaitable[T]], *, seconds: float | None = None
    ) -> T:
        """`operation` is told whether an earlier try may have been carried out already.

        `seconds` is for what takes longer than one document does: the limit of the whole call, and of each try.
        Raises Unavailable, OutcomeUnknown, StorageFull, Duplicate, StorageFault.
        """
        return await self._call(collection, operation, UNKNOWN, OutcomeUnknown, seconds)

    async def _call(
        self,
        collection: Collection,
        operation: Callable[[bool], Awaitable[T]],
        unanswered: str,
        when_unanswered: type[Unavailable],
        seconds: float | None = None,
    ) -> T:
        now = asyncio.get_running_loop().time
        deadline, stops = now() + (seconds or CALL_SECONDS), told_to_stop()
        if not self._health.is_up and not await self._health.is_up_soon(CALL_SECONDS):
            raise Unavailable(AWAY)
        try_seconds = seconds or self._try_seconds
        pause = FIRST_PAUSE_SECONDS
        sent = Sent()
        while True:
            try:
                done = await self._try(operation, sent, max(deadline - now(), LAST_TRY_SECONDS), try_seconds)
                stop_when_told_to(stops)
                return done
            except BSONError as error:  # a document that is too large, mainly; never sent
                raise StorageFault(f"{collection.database}.{collection.name}: {error}") from error
            except (PyMongoError, TimeoutError) as error:
                stop_when_told_to(stops)
                if isinstance(error, PyMongoError) and not is_transient(error):
                    raise translated(collection, error) from error
                self._health.suspect()
                if now() + pause >= deadline:
                    if sent.writes:
                        self._health.outcomes_unknown += 1
                        raise when_unanswered(unanswered) from error
                    raise Unavailable(AWAY) from error
            await asyncio.sleep(pause)
            pause *= 2

    async def _try(
        self, operation: Callable[[bool], Awaitable[T]], sent: Sent, remaining: float, try_seconds: float
    ) -> T:
        token = SENT.set(sent)
        now = asyncio.get_running_loop().time
        deadline = now() + remaining
        try:
            async with asyncio.timeout(remaining + GRACE_SECONDS), self._turns:
                with pymongo.timeout(max(min(try_seconds, deadline - now()), LAST_TRY_SECONDS)):
                    return await operation(sent.writes > 0)
        finally:
            SENT.reset(token)
