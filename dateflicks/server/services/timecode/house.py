"""Everybody who is connected to this process, wherever the playback of their session is kept.

Where it is kept here, a chair has a seat at the handler. Where another process keeps it, what a person says is sent
there, and what everybody is told comes back and is handed on; pings are answered where the socket is. When the keeper
is gone, one of the others takes the playback over from its record, and all chairs move; nobody is disconnected for it.

    here                         bus                        keeper
    chair ── sit, hear, stand ──────────────▶ far seat ── handler
    chair ◀──────────────── say, close ────── far seat

While the bus is away `Detour` carries the same letters through the database, a few times a second.
"""

import asyncio
import contextlib
import logging
import random
from collections.abc import Mapping
from typing import Any, Final, Protocol

import msgspec

from dateflicks.core.errors import NotFound, RuleError, Unavailable
from dateflicks.core.playback import Member
from dateflicks.protocol import frames
from dateflicks.protocol.bodies import TimecodeBody
from dateflicks.protocol.ids import new_id
from dateflicks.protocol.timecode import record_body
from dateflicks.server.bus.local import Bus
from dateflicks.server.clock import ServerClock
from dateflicks.server.ending import end
from dateflicks.server.services.timecode.chair import Chair
from dateflicks.server.services.timecode.detour import Detour, Letter
from dateflicks.server.services.timecode.far import FarSeats
from dateflicks.server.services.timecode.handler import DELETED, TimecodeHandler, check_place
from dateflicks.server.services.timecode.kept import KeptElsewhere, KeptRecords
from dateflicks.server.services.timecode.records import recorded_event
from dateflicks.server.services.timecode.room import Listener
from dateflicks.server.storage.records import StorageFault
from dateflicks.server.websocket.decoding import error_frame
from dateflicks.server.websocket.frames import WENT_WRONG, Code

log = logging.getLogger(__name__)

TOPIC: Final = "timecode-seats"
KEPT_TOPIC: Final = "timecode-kept"
AGAIN_SECONDS: Final = 0.2
LETTERS_KNOWN: Final = 5_000
SPREAD_SECONDS: Final = 0.03  # so that of several who find a keeper gone one is first
LENGTH_SECONDS: Final = 2.0  # for the keeper to take in a length that somebody else was told
LOOKING_SECONDS: Final = 2.0  # for who comes meanwhile; then they take what there is
_RANDOM: Final = random.SystemRandom()


class Database(Protocol):
    """Whether the database answers."""

    async def wait_up(self) -> None:
        """Wait until it does."""


class House:
    """All chairs of this process, and the seats that those of others have here."""

    def __init__(
        self,
        handler: TimecodeHandler,
        records: KeptRecords,
        bus: Bus,
        clock: ServerClock,
        detour: Detour,
        database: Database,
    ) -> None:
        self._handler = handler
        self._records = records
        self._bus = bus
        self._clock = clock
        self._detour = detour
        self._database = database
        self._chairs: dict[str, dict[str, Chair]] = {}  # by session, by id
        self._by_id: dict[str, Chair] = {}
        self._far = FarSeats(handler, clock, self._take, self.post)
        self._keepers: dict[str, str] = {}  # of sessions that are kept elsewhere, as far as is known here
        self._moving: dict[str, asyncio.Task[None]] = {}
        self._looking: asyncio.Task[None] | None = None
        self._letters: dict[str, None] = {}  # that came of late
        self._is_ending = False
        self._encode = msgspec.json.Encoder().encode

    @contextlib.asynccontextmanager
    async def open(self) -> Any:
        """Listen to the others for as long as the block runs."""
        with contextlib.ExitStack() as stack:
            stack.callback(self._bus.subscribe(TOPIC, self._hear_letter))
            stack.callback(self._bus.subscribe(KEPT_TOPIC, self._hear_kept))
            self._bus.on_gone(self._hear_gone)
            self._bus.on_return(self._hear_return)
            detour = asyncio.create_task(self._detour.run(self), name="timecode detour")
            try:
                yield self
            finally:
                looking = [] if self._looking is None else [self._looking]
                await end([detour, *self._far.end(), *self._moving.values(), *looking])

    # --- REST ---------------------------------------------------------------------------------------------------

    async def create(self, session_id: str, length: float) -> TimecodeBody:
        """As the handler."""
        return await self._handler.create(session_id, length)

    async def read(self, session_id: str) -> TimecodeBody:
        """The present state, wherever it is kept. Raises NotFound, Unavailable, StorageFault."""
        try:
            return await self._handler.read(session_id)
        except KeptElsewhere:
            return await self._recorded(session_id)

    async def set_length(self, session_id: str, length: float) -> TimecodeBody:
        """Correct the length, wherever it is kept. Raises as `read`."""
        try:
            return await self._handler.set_length(session_id, length)
        except KeptElsewhere as elsewhere:
            self.post(elsewhere.keeper, {"do": "length", "session": session_id, "length": length})
            try:
                async with asyncio.timeout(LENGTH_SECONDS):
                    while (body := await self._recorded(session_id)).length != length:  # noqa: ASYNC110 - another process writes it
                        await asyncio.sleep(AGAIN_SECONDS / 4)
            except TimeoutError:
                raise Unavailable("Nobody knows yet whether the length was taken in. Try again in a moment.") from None
            return body

    async def delete(self, session_id: str) -> None:
        """Forget a session's playback, wherever it is kept. Raises NotFound, Unavailable, StorageFault."""
        try:
            await self._handler.delete(session_id)
        except NotFound:
            self._tell_deleted(session_id)
            raise
        self._tell_deleted(session_id)  # and not where nobody knows whether it is: whoever watches goes on

    def _tell_deleted(self, session_id: str) -> None:
        self._bus.publish(KEPT_TOPIC, {"session": session_id, "deleted": True, "by": self._bus.worker_id})

    async def _recorded(self, session_id: str) -> TimecodeBody:
        document = await self._records.look(session_id)
        if document is None:
            raise NotFound("No timecode has been created for this session.")
        return record_body(recorded_event(document, self._clock.now()))

    # --- connections --------------------------------------------------------------------------------------------

    async def load(self, session_id: str) -> None:
        """Find out where a playback is kept, here if nobody else does. Raises NotFound, Unavailable, StorageFault."""
        if self._looking is not None:
            await asyncio.wait([self._looking], timeout=LOOKING_SECONDS)
        try:
            await self._take(session_id)
        except KeptElsewhere as elsewhere:
            self._keepers[session_id] = elsewhere.keeper

    async def _take(self, session_id: str) -> None:
        """Have it in memory here. Raises KeptElsewhere."""
        is_new = session_id not in self._handler
        await self._handler.load(session_id)
        self._keepers.pop(session_id, None)
        if is_new:
            epoch = self._records.epoch(session_id)
            self._bus.publish(KEPT_TOPIC, {"session": session_id, "by": self._bus.worker_id, "epoch": epoch})

    def sit_down(self, session_id: str, member: Member, listener: Listener, *, looks_on: bool = False) -> Chair:
        """Somebody connects. `load` must have succeeded. Raises NotFound, TooMany (where it is kept here)."""
        chair = Chair(new_id("req"), session_id, member, listener, looks_on)
        if session_id in self._handler:
            chair.seat = self._handler.sit_down(session_id, member, listener, looks_on=looks_on)
        else:
            self._sit_far(chair, self._keepers.get(session_id, ""))
        self._chairs.setdefault(session_id, {})[chair.id] = chair
        self._by_id[chair.id] = chair
        if not chair.seat and not chair.keeper:
            self._move(session_id)
        return chair

    def stand_up(self, chair: Chair) -> None:
        """A connection is gone."""
        if self._by_id.pop(chair.id, None) is None:
            return
        chairs = self._chairs[chair.session_id]
        del chairs[chair.id]
        if not chairs:
            del self._chairs[chair.session_id]
            self._keepers.pop(chair.session_id, None)
        if chair.seat is not None:
            self._handler.stand_up(chair.seat)
        elif not self._is_ending:
            self._write(chair, "stand")

    def hear(self, chair: Chair, frame: frames.TimecodeClientFrame, received_at: float) -> None:
        """A frame of a participant. Raises RuleError for what is wrong with its content."""
        if isinstance(frame, frames.Ping):
            self._handler.answer_ping(chair.listener, frame, received_at)
        elif chair.seat is not None:
            self._handler.hear(chair.seat, frame, received_at)
        else:
            check_place(frame, looks_on=chair.looks_on)
            self._write(chair, "hear", frame=self._encode(frame).decode())

    def measured(self, chair: Chair, round_trip: float) -> None:
        """The transport has measured a round trip to this participant, in seconds."""
        if chair.seat is not None:
            self._handler.measured(chair.seat, round_trip)
        else:
            self._write(chair, "measured", seconds=round_trip)

    def end(self) -> None:
        """The service is about to stop: who is cut off from here on has not left, and finds the film going on."""
        self._is_ending = True
        self._handler.end()

    # --- letters ------------------------------------------------------------------------------------------------

    def post(self, worker_id: str, letter: Mapping[str, Any]) -> None:
        """Send a letter to another process, by whatever way there is."""
        letter = {**letter, "from": self._bus.worker_id, "id": new_id("req")}
        self._bus.send(worker_id, TOPIC, letter)
        if not self._bus.is_up:  # as far as we know: what comes by both ways is heard once
            self._detour.post(worker_id, letter)

    def far_chairs(self) -> dict[str, list[Chair]]:
        """Those whose playback is kept elsewhere, by session."""
        found = {
            session_id: [chair for chair in chairs.values() if chair.seat is None]
            for session_id, chairs in self._chairs.items()
        }
        return {session_id: chairs for session_id, chairs in found.items() if chairs}

    def deliver(self, letter: Letter) -> None:
        """A letter that came through the database."""
        self._hear_letter(TOPIC, letter)

    def _is_known(self, letter_id: str) -> bool:
        """Whether a letter has come before, by another way; from now on it has."""
        if letter_id in self._letters:
            return True
        self._letters[letter_id] = None
        if len(self._letters) > LETTERS_KNOWN:
            del self._letters[next(iter(self._letters))]
        return False

    def _write(self, chair: Chair, what: str, **more: Any) -> None:
        if chair.keeper:
            self.post(chair.keeper, {"do": what, "chair": chair.id, "session": chair.session_id, **more})

    def _sit_far(self, chair: Chair, keeper: str) -> None:
        chair.seat, chair.keeper = None, keeper
        if keeper:
            member = chair.member
            about = {"userId": member.user_id, "role": member.role.value, "name": member.name}
            self._write(chair, "sit", member=about, looksOn=chair.looks_on)

    def _hear_letter(self, _: str, letter: Mapping[str, Any]) -> None:
        try:
            if self._is_known(str(letter["id"])):
                return
            source = str(letter["from"])
            match letter["do"]:
                case "say":
                    if (chair := self._by_id.get(letter["chair"])) is not None and chair.keeper == source:
                        chair.tell(str(letter["frame"]).encode())
                case "close":
                    if (chair := self._by_id.get(letter["chair"])) is not None and chair.keeper == source:
                        chair.listener.close(int(letter["code"]), str(letter["reason"]))
                case "not-here":
                    self._lost(str(letter["session"]), source)
                case "sit" | "length" | "hear" | "measured" | "stand":
                    self._far.hear(source, letter)
                case _:
                    log.warning("a letter of another version was not understood")
        except (KeyError, TypeError, ValueError, msgspec.MsgspecError):
            log.warning("a letter from another process makes no sense")

    # --- who keeps what -----------------------------------------------------------------------------------------

    def overtaken(self, session_id: str) -> None:
        """Another process keeps this playback now, or has deleted it: what is here of it is out of date."""
        log.info("a playback is not kept here any more", extra={"session": session_id})
        self._handler.let_go(session_id)
        self._far.forget(session_id)
        for chair in self._chairs.get(session_id, {}).values():
            chair.seat, chair.keeper = None, ""
        self._move(session_id)

    def _hear_kept(self, _: str, hint: Mapping[str, Any]) -> None:
        session_id, keeper = hint.get("session"), hint.get("by")
        if not isinstance(session_id, str) or not isinstance(keeper, str) or keeper == self._bus.worker_id:
            return
        if hint.get("deleted"):
            self._deleted(session_id)
            return
        epoch = hint.get("epoch")
        if self._records.keeps(session_id):
            if isinstance(epoch, int) and epoch > self._records.epoch(session_id):
                self._records.let_go(session_id)
                self.overtaken(session_id)
            return
        self._keepers[session_id] = keeper if session_id in self._chairs else ""
        for chair in self._chairs.get(session_id, {}).values():
            if chair.keeper != keeper:
                self._sit_far(chair, keeper)
        if session_id not in self._chairs:
            del self._keepers[session_id]

    def _deleted(self, session_id: str) -> None:
        if session_id in self._handler:
            self._records.let_go(session_id)
            self._handler.drop_deleted(session_id)
        for chair in list(self._chairs.get(session_id, {}).values()):
            chair.listener.close(Code.NO_SESSION, DELETED)

    def _lost(self, session_id: str, keeper: str) -> None:
        """It is not kept where we thought."""
        for chair in self._chairs.get(session_id, {}).values():
            if chair.keeper == keeper:
                chair.keeper = ""
        if self._keepers.get(session_id) == keeper:
            del self._keepers[session_id]
        self._move(session_id)

    def _hear_gone(self, worker_id: str) -> None:
        """A process is gone: what it kept is taken over, and its people may come back to another one."""
        for session_id in [
            one for one, chairs in self.far_chairs().items() if any(c.keeper == worker_id for c in chairs)
        ]:
            self._lost(session_id, worker_id)
        self._far.hear_gone(worker_id)

    def _hear_return(self) -> None:
        """Letters may have been lost, and word of who took over what is kept here, such as from a frozen process."""
        if self._looking is None and not self._is_ending:
            self._looking = asyncio.create_task(self._look_again(), name="whether it is kept here")
        for chairs in self.far_chairs().values():
            for chair in chairs:
                self._sit_far(chair, chair.keeper)

    async def _look_again(self) -> None:
        try:
            await self._records.look_again()
        except (Unavailable, StorageFault) as error:  # then it shows when the next change is written
            log.debug("nobody knows whether what is kept here still is: %s", error)
        finally:
            self._looking = None

    def _move(self, session_id: str) -> None:
        if session_id not in self._chairs or session_id in self._moving or self._is_ending:
            return
        self._moving[session_id] = asyncio.create_task(self._find(session_id), name=f"a place for {session_id}")

    async def _find(self, session_id: str) -> None:
        try:
            await self._find_place(session_id)
        finally:
            del self._moving[session_id]  # at once, and not a moment later: who is lost then has to be moved again

    async def _find_place(self, session_id: str) -> None:
        """Where the playback is kept now, here if nobody does, and all chairs with it."""
        await asyncio.sleep(_RANDOM.uniform(0, SPREAD_SECONDS))
        self._handler.interrupted()
        while chairs := [one for one in self._chairs.get(session_id, {}).values() if not one.seat and not one.keeper]:
            try:
                await self.load(session_id)
                for chair in chairs:
                    self._sit_again(chair)
            except NotFound:
                for chair in chairs:
                    chair.listener.close(Code.NO_SESSION, DELETED)
                return
            except Unavailable:
                await asyncio.sleep(AGAIN_SECONDS)
                await self._database.wait_up()
            except Exception:
                log.exception("nobody knows where a playback is kept", extra={"session": session_id})
                for chair in chairs:
                    chair.listener.close(Code.OUR_FAULT, WENT_WRONG)
                return

    def _sit_again(self, chair: Chair) -> None:
        if chair.id not in self._by_id or chair.seat is not None or chair.keeper:
            return
        if chair.session_id not in self._handler:
            self._sit_far(chair, self._keepers.get(chair.session_id, ""))
            return
        try:
            chair.seat = self._handler.sit_down(chair.session_id, chair.member, chair.listener, looks_on=chair.looks_on)
        except RuleError as error:
            chair.listener.send(self._encode(error_frame(error, None)))
            chair.listener.close(4403, "there is no place")
