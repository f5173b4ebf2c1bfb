"""The rules of the messages service, without a web framework: rooms, and what may be said, changed and told in them.

In each room one thing is written after another, by one task that lives as long as something waits: a message takes the
place behind the last one, is on disk, and only then acknowledged to its sender and told to all. What waits is bounded,
and refused when it is too much. A write that went unanswered leaves a doubt: the room then looks, as soon as the
database answers, for what may have landed late.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final, assert_never

from dateflicks.core import limits
from dateflicks.core.errors import Conflict, RuleError, TooMany, Unauthenticated, Unavailable
from dateflicks.protocol.chat import (
    AckFrame,
    ChatClientFrame,
    DeletedFrame,
    DeleteFrame,
    EditFrame,
    Message,
    MessagePage,
    MessageRequest,
    ReadFrame,
    ResumeFrame,
    SendFrame,
    TypingFrame,
)
from dateflicks.server.bus.local import Bus, LocalBus
from dateflicks.server.ending import end
from dateflicks.server.observe.metrics import Metrics
from dateflicks.server.services.messages.catching import CatchingUp
from dateflicks.server.services.messages.changing import change
from dateflicks.server.services.messages.film import FilmPositions
from dateflicks.server.services.messages.history import HistoryQuery, is_open_ended, page_of, span_of
from dateflicks.server.services.messages.marks import Outbox
from dateflicks.server.services.messages.others import Others
from dateflicks.server.services.messages.records import Draft, change_of, message_of, to_document
from dateflicks.server.services.messages.room import Job, Listener, Room, Seat
from dateflicks.server.services.messages.saying import draft_of, no_such_reply
from dateflicks.server.storage.records import Document, OutcomeUnknown
from dateflicks.server.storage.table import Table
from dateflicks.server.web.limiter import Limiter
from dateflicks.server.websocket.decoding import error_frame
from dateflicks.server.websocket.frames import WENT_WRONG, Code

log = logging.getLogger(__name__)

IDLE_SECONDS: Final = 300.0  # a room with nobody there is dropped from memory after this long
ROOMS_MAX: Final = 5_000  # in memory; of those with nobody there the one that was used longest ago goes first
LOOK_SECONDS: Final = (0.0, 1.0, 3.0, 10.0)  # between looks for what landed late, once the database answers
FIRST_FRAME_SECONDS: Final = 0.5  # for a new connection to resume before it is told what is said: a long way and back
FINISH_SECONDS: Final = 3.0  # for what waits when the service stops
TOO_MANY: Final = "You say more than this service takes at a time. Try again in a moment."
AGAIN: Final = (
    "The database did not answer in time, and this may or may not have been saved. "
    "Send it again with the same clientId: it is stored once."
)


@dataclass(frozen=True, slots=True)
class Tables:
    """Where it is kept."""

    messages: Table
    changes: Table
    marks: Outbox


class MessagesHandler:
    """All rooms of this process; `wait_up` waits until the database answers, `now` is Unix time."""

    def __init__(
        self,
        tables: Tables,
        film: FilmPositions,
        bus: Bus,
        wait_up: Callable[[], Awaitable[None]],
        *,
        per_second: float = limits.CHAT_PER_SECOND,
        burst: int = limits.CHAT_BURST,
        now: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        metrics: Metrics | None = None,
        is_erased: Callable[[str], bool] = lambda _user_id: False,
    ) -> None:
        """`is_erased` says of whom nothing is to be written by name."""
        metrics = metrics or Metrics()
        self._is_erased = is_erased
        self._acks = metrics.acks
        self._tables = tables
        self._film = film
        self._wait_up = wait_up
        self._now = now
        self._monotonic = monotonic
        self._limiter = Limiter(burst, burst / per_second, TOO_MANY)
        self._catching_up = CatchingUp(wait_up, is_alone=isinstance(bus, LocalBus))
        self._rooms: dict[str, Room] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.others = Others(bus, self, self._begin, self._took, metrics)

    # --- connections --------------------------------------------------------------------------------------------

    async def room(self, session_id: str) -> Room:
        """A session's room, in memory. Raises Unavailable, StorageFault."""
        room = self._rooms.get(session_id)
        if room is None:
            self._make_place()
            room = Room(session_id, self._tables.messages, self._tables.changes, self._tables.marks)
            self._rooms[session_id] = room
        room.touched = self._monotonic()
        if not room.is_loaded:
            async with room.lock:
                if not room.is_loaded:
                    await room.load()
        return room

    def sit_down(self, room: Room, user_id: str, name: str, listener: Listener) -> Seat:
        """Somebody connects: they are told what comes from now on, and what was before when they resume."""
        seat = Seat(room, user_id, name, listener, room.messages.head, room.changes.head)
        self._rooms.setdefault(room.session_id, room)
        room.seats.append(seat)
        asyncio.get_running_loop().call_later(FIRST_FRAME_SECONDS, self._settle, seat)
        return seat

    def stand_up(self, seat: Seat) -> None:
        """A connection has ended."""
        seat.room.touched = self._monotonic()
        seat.room.seats.remove(seat)

    def hear(self, seat: Seat, frame: ChatClientFrame, at: float) -> None:
        """A frame of theirs, and when it came (monotonic). Raises TooMany, Invalid, Unavailable (too much waits)."""
        if not isinstance(frame, ResumeFrame):
            self._settle(seat)
        match frame:
            case SendFrame():
                self._hear_message(seat, frame, at)
            case EditFrame() | DeleteFrame():
                self._hear_change(seat, frame, at)
            case TypingFrame():
                seat.room.tell_typing(seat.user_id, seat.name)
                self.others.typing(seat)
            case ReadFrame():
                self._hear_read(seat, frame)
            case ResumeFrame():
                if self._catching_up.ask(seat, frame):
                    self._catch_up(seat)
            case _:
                assert_never(frame)

    def _hear_message(self, seat: Seat, frame: SendFrame, at: float) -> None:
        self._take(seat.user_id, at)
        film = self._film.at(seat.room.session_id, self._now())
        draft = draft_of(frame, seat.user_id, seat.name, film)

        async def act() -> None:
            document = await self._say(seat.room, draft)
            seat.send(AckFrame(client_id=frame.client_id, id=document["messageId"], seq=document["seq"]))
            self._acks.observe(max(0.0, self._monotonic() - at))

        self._put(seat.room, Job(act, lambda error: _refuse(seat, error, frame.client_id)))

    def _hear_change(self, seat: Seat, frame: EditFrame | DeleteFrame, at: float) -> None:
        self._take(seat.user_id, at)
        word = "edit" if isinstance(frame, EditFrame) else "delete"

        async def act() -> None:
            head = seat.room.changes.head
            changing = change(seat.room, self._tables.messages, seat.user_id, frame, self._now())
            document = await self._doubting(seat.room, changing)
            if seat.room.changes.head > head:
                self.others.changed(seat.room, seat.room.changes.head)
            told = change_of(document, head)
            if isinstance(told, DeletedFrame) and seat.room.changes.head == head:
                seat.send(told)  # it was deleted before: said again to whoever asked again

        self._put(seat.room, Job(act, lambda error: _refuse(seat, error, word)))

    def _hear_read(self, seat: Seat, frame: ReadFrame) -> None:
        seq = min(frame.seq, seat.room.messages.head)
        if seat.room.marks.move(seat.user_id, seq):
            seat.room.tell_read(seat.user_id, seq)
            self.others.read(seat.room, seat.user_id, seq)

    # --- REST, and lines of the film ----------------------------------------------------------------------------

    async def post(self, session_id: str, user_id: str, name: str, said: MessageRequest) -> Message:
        """Say something. Raises TooMany, Invalid, Conflict (the clientId was used for something else), Unavailable."""
        self._take(user_id, self._monotonic())
        draft = draft_of(said, user_id, name, self._film.at(session_id, self._now()))
        return message_of(await self.say(session_id, draft))

    async def say(self, session_id: str, draft: Draft) -> Document:
        """Have a draft written in its turn, and told; as it is stored. Raises Conflict, Invalid, Unavailable."""
        room = await self.room(session_id)
        done: asyncio.Future[Document] = asyncio.get_running_loop().create_future()

        async def act() -> None:
            document = await self._say(room, draft)
            if not done.done():
                done.set_result(document)

        def refuse(error: Exception) -> None:
            if not done.done():
                done.set_exception(error)

        self._put(room, Job(act, refuse))
        return await done

    async def history(self, session_id: str, query: HistoryQuery) -> MessagePage:
        """A page. Raises Invalid, Unavailable, StorageFault."""
        span = span_of(query)
        room = await self.room(session_id)
        if is_open_ended(span, query.limit, room.messages.head):  # there may be more than is known
            async with room.lock:
                await room.messages.read_on()
        return await page_of(room, span, query.limit)

    def get(self, session_id: str) -> Room | None:
        """A room, if it is in memory."""
        return self._rooms.get(session_id)

    def with_seats(self) -> list[Room]:
        """The rooms in which somebody sits."""
        return [room for room in self._rooms.values() if room.seats and room.is_loaded]

    def has_people(self, session_id: str) -> bool:
        """Whether somebody of this session is connected here."""
        room = self._rooms.get(session_id)
        return room is not None and bool(room.seats)

    async def was_said(self, session_id: str, draft: Draft) -> bool:
        """Whether a draft is among the messages already, whoever wrote it. Raises Unavailable."""
        return await self._tables.messages.find_one("messageId", draft.id_in(session_id)) is not None

    # --- life ---------------------------------------------------------------------------------------------------

    def sweep(self) -> None:
        """Forget rooms with nobody there for long."""
        before = self._monotonic() - IDLE_SECONDS
        for room in tuple(self._rooms.values()):
            if room.is_idle and room.touched < before:
                del self._rooms[room.session_id]

    async def finish(self) -> None:
        """Write what waits, as far as it can be, and let go."""
        working = {room.working for room in self._rooms.values() if room.working is not None}
        if working:
            await asyncio.wait(working, timeout=FINISH_SECONDS)
        await end(self._tasks)

    # --- inside -------------------------------------------------------------------------------------------------

    def _take(self, user_id: str, at: float) -> None:
        self._limiter.take(user_id, at)
        self.others.takes(user_id)

    def _took(self, user_id: str) -> None:
        with contextlib.suppress(TooMany):
            self._limiter.take(user_id, self._monotonic())

    def _settle(self, seat: Seat) -> None:
        """Whoever has not resumed with the first frame, or soon, wants to hear what is said from now on."""
        if seat.is_new and seat.listener.is_open and self._catching_up.settle(seat):
            self._catch_up(seat)

    def _catch_up(self, seat: Seat) -> None:
        self._begin(self._catching_up.run(seat), f"catching up in {seat.room.session_id}")

    def _put(self, room: Room, job: Job) -> None:
        room.put(job)
        if room.working is None:
            room.working = self._begin(self._work(room), f"writing in {room.session_id}")

    async def _work(self, room: Room) -> None:
        try:
            while room.queue:
                job = room.queue.popleft()
                try:
                    async with room.lock:
                        await job.act()
                except RuleError as error:
                    job.refuse(error)
                except Exception as error:
                    log.exception("something could not be written", extra={"session": room.session_id})
                    job.refuse(error)
        finally:
            room.working = None

    async def _say(self, room: Room, draft: Draft) -> Document:
        if draft.author is not None and self._is_erased(draft.author):
            if draft.kind != "system":
                raise Unauthenticated("This token was signed out. Sign in again.", code="signed-out")
            draft = draft.without_name()
        if draft.reply_to is not None:
            answered = await self._tables.messages.find_one("messageId", draft.reply_to)
            if answered is None or answered["sessionId"] != room.session_id:
                raise no_such_reply()
        document = to_document(room.session_id, draft, draft.id_in(room.session_id), self._now())
        stored = await self._doubting(room, room.messages.append(document), draft.client_id)
        if stored["seq"] == room.messages.head + 1:
            room.messages.advance()
            room.tell_message(stored)
            self.others.said(room, stored)
        elif stored["seq"] > room.messages.head:  # another process has just written it
            await room.messages.read_on()
        if stored["digest"] not in (None, draft.digest):
            raise Conflict(
                "This clientId was used for something else: what is new has a new one.", code="client-id-reused"
            )
        return stored

    async def _doubting(self, room: Room, writing: Awaitable[Document], client_id: str | None = None) -> Document:
        """Write, and look for it later when nobody knows whether it was written."""
        try:
            return await writing
        except OutcomeUnknown as error:
            self._doubt(room)
            if client_id is None:
                raise
            raise Unavailable(AGAIN) from error

    def _doubt(self, room: Room) -> None:
        room.doubts.looks = len(LOOK_SECONDS)
        if room.doubts.task is None:
            room.doubts.task = self._begin(self._look(room), f"looking in {room.session_id}")

    async def _look(self, room: Room) -> None:
        """Look again and again for what may have landed late, and tell it."""
        try:
            while room.doubts.looks:
                await asyncio.sleep(LOOK_SECONDS[-room.doubts.looks])
                await self._wait_up()
                try:
                    async with room.lock:
                        room.doubts.looks -= 1
                        await room.read_on()
                except Unavailable:
                    room.doubts.looks = len(LOOK_SECONDS)
                    await asyncio.sleep(LOOK_SECONDS[1])
        except Exception:
            log.exception("nobody knows what was written", extra={"session": room.session_id})
        finally:
            room.doubts.task = None

    def _begin(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _make_place(self) -> None:
        if len(self._rooms) < ROOMS_MAX:
            return
        idle = [room for room in self._rooms.values() if room.is_idle]
        if idle:
            del self._rooms[min(idle, key=lambda room: room.touched).session_id]


def _refuse(seat: Seat, error: Exception, reply_to: str) -> None:
    if isinstance(error, RuleError):
        seat.send(error_frame(error, reply_to))
    else:
        seat.listener.close(Code.OUR_FAULT, WENT_WRONG)
