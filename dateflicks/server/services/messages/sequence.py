"""A session's documents in one collection, numbered from 1 without gaps, whoever writes them.

The number is part of the document's `_id`, which the database lets nobody take twice: so the place behind the last one
is taken by exactly one writer, and what all others find there they read before they try the next. Hence the numbers
stay dense with several writers, with writes that went unanswered and landed late, and after a crash between any two
lines.
"""

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from dateflicks.core.errors import Unavailable
from dateflicks.core.limits import PAGE_MAX
from dateflicks.server.storage.records import Document, Duplicate
from dateflicks.server.storage.table import Table

TRIES: Final = 40  # at a place that others have taken: each shows at least one of theirs
LOOK_TRIES: Final = 8  # between two looks at what others have written; then those who meet wait, not equally long
WAIT_SECONDS: Final = 0.02
DIGITS: Final = 12
_POWERS: Final = 40  # 2 ** 40 messages are more than a session can hold
_RANDOM: Final = random.SystemRandom()
BUSY: Final = "Others write here at this moment. Nothing was saved; try again."


class DenseSequence:
    """`head` is the number of the last document that is known; one writer at a time within this process.

    `on_found` is called, in order, with what others have written (or an earlier try of ours that was not answered).
    """

    def __init__(
        self, table: Table, session_id: str, on_found: Callable[[Document], None], *, unique: str | None = None
    ) -> None:
        self._table = table
        self._session_id = session_id
        self._on_found = on_found
        self._unique = unique
        self.head = 0

    def id_of(self, number: int) -> str:
        """The `_id` of the document with this number."""
        return f"{self._session_id}:{number:0{DIGITS}d}"

    async def find_head(self) -> None:
        """Find the last document: a few reads however many there are, because there are no gaps. Raises Unavailable."""
        powers = [2**exponent for exponent in range(_POWERS)]
        low = max(await self._existing(powers), default=0)  # there is one here,
        high = low * 2 if low else 1  # and none here
        while high - low > 1:
            step = max(1, -(-(high - low) // PAGE_MAX))
            probes = list(range(low + step, high, step))
            found = max(await self._existing(probes), default=low)
            low, high = found, min(high, found + step)
        self.head = low

    async def page(self, first: int, last: int) -> list[Document]:
        """The documents with these numbers (200 at most), in order. Raises Unavailable."""
        return await self.several(range(first, last + 1))

    async def several(self, numbers: Sequence[int]) -> list[Document]:
        """The documents with these numbers (200 at most), in order. Raises Unavailable."""
        found = await self._table.get_many([self.id_of(number) for number in numbers]) if numbers else {}
        return [found[one] for one in sorted(found)]

    async def read_on(self) -> list[Document]:
        """What stands behind the head by now, in order; the head moves on. Raises Unavailable."""
        everything: list[Document] = []
        size = 8  # in the usual case there is nothing
        while True:
            found = await self.page(self.head + 1, self.head + size)
            for document in found:
                if document["_id"] != self.id_of(self.head + 1):
                    break
                self.advance()
                self._on_found(document)
                everything.append(document)
            if len(found) < size:
                return everything
            size = PAGE_MAX

    async def append(self, document: Mapping[str, Any]) -> Document:
        """Write the document behind the last one, and return it; `advance` once it is told.

        Where the unique field says that it is there already, that one is returned. Raises Unavailable, OutcomeUnknown.
        """
        number = self.head + 1
        for attempt in range(TRIES):
            placed = {"_id": self.id_of(number), "seq": number, **document}
            try:
                stored = await self._table.insert(placed)
            except Duplicate as taken:
                if taken.field == "_id" and attempt % LOOK_TRIES:
                    # Whoever looks before each try comes too late for as long as somebody else writes on.
                    number = max(number, self.head) + 1
                    continue
            else:
                await self._read_up_to(number - 1)
                return stored
            if (known := await self._known(document, await self.read_on())) is not None:
                return known
            number = self.head + 1
            if attempt:
                await asyncio.sleep(_RANDOM.uniform(0, WAIT_SECONDS))
        raise Unavailable(BUSY)

    async def _read_up_to(self, last: int) -> None:
        """What others have written before the place that was found, of which it is known that it is there."""
        if self.head < last:
            for document in await self.page(self.head + 1, last):
                if document["seq"] == self.head + 1:  # nobody has told of it meanwhile
                    self.advance()
                    self._on_found(document)

    def advance(self) -> None:
        """The next document is known."""
        self.head += 1

    async def _known(self, document: Mapping[str, Any], found: Sequence[Document]) -> Document | None:
        if self._unique is None:
            return None
        value = document[self._unique]
        for one in found:
            if one[self._unique] == value:
                return one
        return await self._table.find_one(self._unique, value)

    async def _existing(self, numbers: Sequence[int]) -> list[int]:
        found = await self._table.get_many([self.id_of(number) for number in numbers])
        return [number for number in numbers if self.id_of(number) in found]
