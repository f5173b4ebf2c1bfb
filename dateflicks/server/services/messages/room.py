"""A room: one session's talk in memory, whoever listens to it, and what is still to be written, one after another.

What happens is told in the order in which it was written. A seat that catches up is told nothing else meanwhile: it
finds in the database what it has missed, and is live from the moment at which there is nothing left to find.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final, Protocol

import msgspec

from dateflicks.core.errors import Unavailable
from dateflicks.protocol.chat import MessageFrame, ReadTold, ResumeFrame, TypingTold
from dateflicks.server.services.messages.marks import Outbox, ReadMarks
from dateflicks.server.services.messages.records import change_of, message_of
from dateflicks.server.services.messages.sequence import DenseSequence
from dateflicks.server.storage.records import Document
from dateflicks.server.storage.table import Table

FRESH_SECONDS: Final = 0.25  # after a look: what somebody writes here meanwhile is told without another one
QUEUE_MAX: Final = 200  # what waits in one room to be written; when it is full, what comes is refused and not kept
_ENCODER: Final = msgspec.json.Encoder()


class Listener(Protocol):
    """One connection of one participant."""

    @property
    def is_open(self) -> bool:
        """Whether frames still reach the peer."""

    def send(self, frame: bytes) -> bool:
        """Send a text frame; False when the peer is gone or too far behind."""

    async def drained(self) -> bool:
        """Wait until the peer has read most of what was sent; False when it is gone."""

    def close(self, code: int, reason: str = "") -> None:
        """End the connection."""


@dataclass(slots=True, eq=False)
class Seat:
    """A listener and whose it is; `told` and `told_changes` are the numbers of the last message and change it knows.

    `asked` is what it resumes from while it catches up, and None when it is live. A new one is neither: what is said
    before its first frame is kept from it, because that frame may ask for what comes before.
    """

    room: "Room"
    user_id: str
    name: str
    listener: Listener
    told: int
    told_changes: int
    asked: ResumeFrame | None = None
    is_new: bool = True
    is_catching_up: bool = False

    @property
    def is_live(self) -> bool:
        """Whether what happens is told as it happens."""
        return self.asked is None and not self.is_new

    def send(self, frame: msgspec.Struct) -> bool:
        """Encode and send a frame."""
        return self.listener.send(_ENCODER.encode(frame))


@dataclass(frozen=True, slots=True)
class Job:
    """Something to be written, and whom to tell when it cannot be."""

    act: Callable[[], Awaitable[None]]
    refuse: Callable[[Exception], None]


@dataclass(slots=True, eq=False)
class Doubts:
    """What may have been written without our knowing it: looked for until nothing can land any more."""

    changes: set[int] = field(default_factory=set)
    looks: int = 0  # that are still to be taken
    task: asyncio.Task[None] | None = None


class Room:
    """One session's. `lock` is held by whoever writes or reads on; `touched` is when it was last used (monotonic)."""

    def __init__(self, session_id: str, messages: Table, changes: Table, marks: Outbox) -> None:
        self.session_id = session_id
        self.messages = DenseSequence(messages, session_id, self.tell_message, unique="messageId")
        self.changes = DenseSequence(changes, session_id, self._found_change)
        self.marks = ReadMarks(session_id, marks)
        self.seats: list[Seat] = []
        self.queue: deque[Job] = deque()
        self.working: asyncio.Task[None] | None = None
        self.doubts = Doubts()
        self.lock = asyncio.Lock()
        self.is_loaded = False
        self.touched = 0.0
        self._looked_at = float("-inf")

    async def load(self) -> None:
        """Know where the session stands. Raises Unavailable, StorageFault."""
        began = asyncio.get_running_loop().time()
        await asyncio.gather(self.messages.find_head(), self.changes.find_head(), self.marks.load())
        self.is_loaded, self._looked_at = True, began

    async def read_on(self) -> None:
        """Tell what others have written, or we without knowing it. Raises Unavailable, StorageFault."""
        began = asyncio.get_running_loop().time()
        await self.messages.read_on()
        await self.changes.read_on()
        self._looked_at = began
        for number in sorted(self.doubts.changes):
            await self._tell_again(number)
            if not self.doubts.looks:
                self.doubts.changes.discard(number)

    def knows(self, after: int, changes: int) -> bool:
        """Whether what stands behind these numbers is known without another look: many come back at one moment."""
        is_fresh = asyncio.get_running_loop().time() - self._looked_at < FRESH_SECONDS
        in_doubt = bool(self.doubts.changes or self.doubts.looks)
        return is_fresh and not in_doubt and after <= self.messages.head and changes <= self.changes.head

    @property
    def is_idle(self) -> bool:
        """Whether nobody would miss it in memory."""
        return not (self.seats or self.queue or self.working or self.doubts.task or self.lock.locked())

    def put(self, job: Job) -> None:
        """Have it done after what waits already. Raises Unavailable when too much does."""
        if len(self.queue) >= QUEUE_MAX:
            raise Unavailable(
                "Too much waits here to be saved. Nothing was changed; try again in a moment.", code="busy"
            )
        self.queue.append(job)

    # --- telling ------------------------------------------------------------------------------------------------

    def tell_message(self, document: Document) -> None:
        """Tell a message to all who are live."""
        seq = document["seq"]
        frame = _ENCODER.encode(MessageFrame(message=message_of(document)))
        for seat in tuple(self.seats):
            if seat.is_live and seat.told < seq:
                seat.told = seq
                seat.listener.send(frame)

    def tell_change(self, document: Document, number: int, *, again: bool = False) -> None:
        """Tell what a change has made of a message to all who are live."""
        frame = change_of(document, number)
        encoded = None if frame is None else _ENCODER.encode(frame)
        for seat in tuple(self.seats):
            if seat.is_live and (again or seat.told_changes < number):
                seat.told_changes = max(seat.told_changes, number)
                if encoded is not None:
                    seat.listener.send(encoded)

    def tell_typing(self, user_id: str, name: str) -> None:
        """Tell the others that somebody writes."""
        self._tell_others(user_id, TypingTold(by=user_id, name=name))

    def tell_read(self, user_id: str, seq: int) -> None:
        """Tell the others how far somebody has read."""
        self._tell_others(user_id, ReadTold(by=user_id, seq=seq))

    def tell_marks(self, seat: Seat) -> None:
        """Tell one seat how far all others have read."""
        for user_id, seq in self.marks.others(seat.user_id):
            seat.send(ReadTold(by=user_id, seq=seq))

    def _tell_others(self, user_id: str, frame: msgspec.Struct) -> None:
        encoded = _ENCODER.encode(frame)
        for seat in tuple(self.seats):
            if seat.user_id != user_id:
                seat.listener.send(encoded)

    def _found_change(self, entry: Document) -> None:
        self.doubts.changes.add(entry["seq"])

    async def _tell_again(self, number: int) -> None:
        """Tell what has become of a change of which we did not know whether it was made."""
        for entry in await self.changes.page(number, number):
            for document in await self.messages.page(entry["message"], entry["message"]):
                self.tell_change(document, number, again=True)
