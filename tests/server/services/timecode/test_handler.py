"""The handler by itself, on a clock that is moved by hand: whose failure is whose, what leaves memory, what races."""

import asyncio
import itertools
import time
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from dateflicks.core.errors import Conflict, NotFound, TooMany, Unavailable
from dateflicks.core.limits import PARTICIPANTS_MAX
from dateflicks.core.playback import Member, PlaybackControl, PlaybackRules, Role, Status, TimecodeRecord
from dateflicks.protocol import frames
from dateflicks.server.clock import ServerClock
from dateflicks.server.services.timecode import handler as module
from dateflicks.server.services.timecode.handler import TimecodeHandler
from dateflicks.server.services.timecode.records import to_document
from dateflicks.server.services.timecode.room import Seat
from dateflicks.server.storage.records import StorageFault
from tests.waiting import until

EVENING = 1.76e9
Document = dict[str, Any]


class Kept:
    """Records in memory; `gate`, where there is one, holds up what would ask the database."""

    def __init__(self) -> None:
        self.documents: dict[str, Document] = {}
        self.put_count = 0
        self.is_away = False
        self.gate: asyncio.Event | None = None

    async def get(self, session_id: str) -> Mapping[str, Any] | None:
        document = self.documents.get(session_id)
        await self._answered()
        return document

    async def insert(self, document: Document) -> bool:
        await self._answered()
        return self.documents.setdefault(document["_id"], document) is document

    def put(self, document: Document) -> None:
        self.put_count += 1
        self.documents[document["_id"]] = document

    async def delete(self, session_id: str) -> bool:
        was_there = self.documents.pop(session_id, None) is not None  # done long before its answer is here
        await self._answered()
        return was_there

    async def _answered(self) -> None:
        if self.gate is not None:
            await self.gate.wait()
        if self.is_away:
            raise Unavailable("away")


class Ears:
    """A connection that remembers what it was sent."""

    def __init__(self) -> None:
        self.frames: list[dict[str, Any]] = []
        self.code: int | None = None

    def send(self, frame: bytes) -> bool:
        self.frames.append(msgspec.json.decode(frame))
        return True

    def close(self, code: int, reason: str = "") -> None:
        self.code = code

    @property
    def reasons(self) -> list[str]:
        return [frame["reason"] for frame in self.frames]


class Silent:
    """Nobody listens to hints."""

    def publish(self, topic: str, body: Mapping[str, Any]) -> None:
        """It is lost."""


class House:
    """A handler, its records, and a clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = EVENING
        self.kept = Kept()
        clock = ServerClock(monotonic=lambda: self.now, unix=lambda: self.now)
        self.handler = TimecodeHandler(self.kept, clock, PlaybackRules(), Silent())

    def sit(self, session_id: str, user: str = "usr_host") -> tuple[Seat, Ears]:
        ears = Ears()
        role = Role.HOST if user == "usr_host" else Role.GUEST
        return self.handler.sit_down(session_id, Member(user, role, user), ears), ears

    async def both(self, session_id: str) -> tuple[tuple[Seat, Ears], tuple[Seat, Ears]]:
        await self.handler.create(session_id, 7_200.0)
        return self.sit(session_id), self.sit(session_id, "usr_guest")

    def ask(self, seat: Seat, status: Any) -> None:
        is_host = seat.member.role is Role.HOST
        report = frames.Report(
            session_id=seat.session_id, current_position=0.0, status=status, is_host=is_host, cause="user"
        )
        self.handler.hear(seat, report, self.now)

    def report(self, seat: Seat, position: float) -> None:
        is_host = seat.member.role is Role.HOST
        report = frames.Report(
            session_id=seat.session_id, current_position=position, status="stop", is_host=is_host, cause="tick"
        )
        self.handler.hear(seat, report, self.now)

    async def playing(self, session_id: str) -> tuple[tuple[Seat, Ears], tuple[Seat, Ears]]:
        host, guest = await self.both(session_id)
        for seat, _ in (host, guest):
            self.ask(seat, "play")
        return host, guest

    def wait(self, seconds: float) -> None:
        """Time passes in one leap."""
        self.now += seconds
        self.handler.carry_out(self.now)

    def control(self, session_id: str) -> PlaybackControl:
        return self.handler._playbacks.control(session_id)

    def knows(self, session_id: str) -> bool:
        return session_id in self.handler._playbacks


def fails(*_: Any) -> Any:
    raise ZeroDivisionError("a mistake of the program")


async def test_a_session_that_fails_is_dropped_and_said_once_and_the_others_go_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    house = House()
    rooms = {name: await house.both(name) for name in ("ses_a", "ses_b", "ses_c")}
    for (seat, _), _ in rooms.values():  # all deadlines fall together
        house.ask(seat, "play")
    house.control("ses_b").advance = fails  # type: ignore[assignment,method-assign]
    for _ in range(5):
        house.wait(61.0)
    for name in ("ses_a", "ses_c"):
        for _, ears in rooms[name]:
            assert len({frame["revision"] for frame in ears.frames if frame["reason"] == "restored"}) == 1
            assert ears.code is None
    assert [ears.code for _, ears in rooms["ses_b"]] == [1011, 1011]
    assert not house.knows("ses_b")
    assert len([record for record in caplog.records if "ses_b" in record.getMessage()]) == 1

    await house.handler.load("ses_b")  # what was pending has run out meanwhile
    house.sit("ses_b")
    assert house.control("ses_b").state.status.value is Status.STOP


async def test_a_session_that_cannot_be_told_regularly_is_dropped_and_the_others_are_told() -> None:
    house = House()
    rooms = [await house.both(name) for name in ("ses_a", "ses_b")]
    house.control("ses_a").to_timecode_event = fails  # type: ignore[assignment,method-assign]
    before = len(rooms[1][0][1].frames)
    house.wait(module.TELL_SECONDS)
    assert len(rooms[1][0][1].frames) == before + 1
    assert rooms[0][0][1].code == 1011


async def test_who_leaves_a_session_that_fails_leaves_the_others_alone() -> None:
    house = House()
    (host, _), (_, guest) = await house.both("ses_a")
    house.control("ses_a").leave = fails  # type: ignore[assignment,method-assign]
    house.handler.stand_up(host)
    assert guest.code == 1011
    house.handler.stand_up(host)


async def test_a_frame_that_makes_a_session_fail_ends_it_for_all_who_are_in_it_and_for_nobody_else() -> None:
    house = House()
    (_, other), _ = await house.both("ses_b")
    (host, ears), (_, guest) = await house.both("ses_a")
    house.control("ses_a").receive = fails  # type: ignore[assignment,method-assign]
    house.ask(host, "play")
    assert (ears.code, guest.code, other.code) == (1011, 1011, None)
    await house.handler.load("ses_a")
    house.sit("ses_a")


async def test_who_cannot_sit_down_because_a_session_fails_can_when_they_come_again() -> None:
    house = House()
    await house.handler.create("ses_a", 60.0)
    house.control("ses_a").join = fails  # type: ignore[assignment,method-assign]
    with pytest.raises(ZeroDivisionError):
        house.sit("ses_a")
    await house.handler.load("ses_a")
    house.sit("ses_a")


async def test_at_the_end_one_session_that_cannot_be_kept_keeps_no_other_from_it() -> None:
    house = House()
    for name in ("ses_a", "ses_b", "ses_c"):
        await house.playing(name)
    house.control("ses_b").to_record = fails  # type: ignore[assignment,method-assign]
    house.now += 3.0
    house.handler.end()
    house.handler.keep_all()
    assert house.kept.documents["ses_a"]["at"] == house.kept.documents["ses_c"]["at"] == house.now
    assert house.kept.documents["ses_b"]["at"] < house.now


async def test_at_the_end_only_what_moves_is_written_and_nobody_has_left() -> None:
    house = House()
    await house.both("ses_still")
    (host, _), (guest, _) = await house.playing("ses_moves")
    house.now += 3.0
    house.handler.end()
    for seat in (host, guest):
        house.handler.stand_up(seat)
    before = house.kept.put_count
    house.handler.keep_all()
    assert house.kept.put_count == before + 1
    kept = house.kept.documents["ses_moves"]
    assert sorted(kept["present"]) == ["usr_guest", "usr_host"]
    assert (kept["rate"], kept["at"]) == (1.0, house.now)


async def test_a_session_with_nobody_there_leaves_memory_and_comes_back_as_it_was() -> None:
    house = House()
    (host, _), (guest, _) = await house.playing("ses_a")
    house.wait(30.0)
    house.ask(guest, "pause")
    house.ask(host, "pause")
    house.handler.stand_up(host)
    house.wait(module.IDLE_SECONDS * 2)  # one of them is still there
    assert house.knows("ses_a")
    house.handler.stand_up(guest)
    left = house.control("ses_a").to_timecode_event(house.now)
    house.wait(module.IDLE_SECONDS - 1.0)
    assert house.knows("ses_a")
    house.wait(1.0)
    assert not house.knows("ses_a")
    assert house.handler._rooms == {}
    assert house.handler._next_wake() == float("inf")

    await house.handler.load("ses_a")
    _, ears = house.sit("ses_a")
    back = ears.frames[0]
    assert (back["status"], back["currentPosition"]) == (left.status.value, left.current_position)
    assert back["revision"] > left.revision


async def test_what_was_only_looked_at_leaves_memory_too() -> None:
    house = House()
    await house.handler.create("ses_made", 60.0)
    house.kept.documents["ses_read"] = house.kept.documents["ses_made"] | {"_id": "ses_read"}
    await house.handler.read("ses_read")
    house.wait(module.IDLE_SECONDS)
    assert not house.knows("ses_made")
    assert not house.knows("ses_read")


async def test_who_finds_a_full_party_leaves_nothing_behind() -> None:
    house = House()
    await house.handler.create("ses_a", 60.0)
    seats = [house.sit("ses_a", f"usr_{number}")[0] for number in range(PARTICIPANTS_MAX)]
    for seat in seats:
        house.handler.stand_up(seat)
    with pytest.raises(TooMany):
        house.sit("ses_a", "usr_ninth")
    house.wait(module.IDLE_SECONDS)
    assert not house.knows("ses_a")


async def test_a_record_that_cannot_be_read_is_a_failure_of_that_session_until_it_is_made_anew() -> None:
    house = House()
    await house.both("ses_well")
    house.kept.documents["ses_ill"] = {"_id": "ses_ill", "length": "long"}
    for _ in range(2):
        with pytest.raises(StorageFault, match="ses_ill"):
            await house.handler.load("ses_ill")
    await house.handler.read("ses_well")
    await house.handler.delete("ses_ill")
    await house.handler.create("ses_ill", 60.0)
    house.sit("ses_ill")


async def test_what_changes_while_a_session_is_being_deleted_does_not_bring_it_back() -> None:
    house = House()
    (host, ears), _ = await house.both("ses_a")
    house.kept.gate = asyncio.Event()
    deleting = asyncio.create_task(house.handler.delete("ses_a"))
    await asyncio.sleep(0)
    house.ask(host, "play")
    assert ears.frames[-1]["pending"]
    house.kept.gate.set()
    await deleting
    assert house.kept.documents == {}
    assert ears.code == 4404


async def test_a_deletion_that_failed_has_lost_nothing() -> None:
    house = House()
    (host, ears), _ = await house.both("ses_a")
    house.kept.gate, house.kept.is_away = asyncio.Event(), True
    deleting = asyncio.create_task(house.handler.delete("ses_a"))
    await asyncio.sleep(0)
    house.ask(host, "play")
    house.kept.gate.set()
    with pytest.raises(Unavailable):
        await deleting
    assert house.kept.documents["ses_a"]["pending"]["to"] == "play"
    assert ears.code is None


async def test_who_reads_a_record_while_it_is_deleted_does_not_bring_it_back() -> None:
    house = House()
    await house.handler.create("ses_a", 60.0)
    house.wait(module.IDLE_SECONDS)
    house.kept.gate = reading_may_end = asyncio.Event()
    reading = asyncio.create_task(house.handler.load("ses_a"))
    await asyncio.sleep(0)
    house.kept.gate = None
    await house.handler.delete("ses_a")
    reading_may_end.set()
    with pytest.raises(NotFound):
        await reading
    assert not house.knows("ses_a")


async def test_what_ran_out_while_it_was_not_in_memory_is_over_for_the_first_who_looks() -> None:
    house = House()
    (host, _), (guest, _) = await house.both("ses_a")
    house.ask(host, "play")
    for seat in (host, guest):
        house.handler.stand_up(seat)
    pending = dict(house.kept.documents["ses_a"])
    house.wait(module.IDLE_SECONDS)
    house.kept.documents["ses_a"] = pending  # as if the process had died before the deadline
    before = (await house.handler.read("ses_a")).revision
    assert house.kept.documents["ses_a"]["pending"] is None
    assert house.kept.documents["ses_a"]["revision"] == before > pending["revision"]


async def test_one_of_several_agreements_is_kept() -> None:
    house = House()
    (host, _), (guest, _) = await house.both("ses_a")
    third, _ = house.sit("ses_a", "usr_third")
    house.ask(host, "play")
    before = house.kept.put_count
    house.ask(guest, "play")
    assert house.kept.documents["ses_a"]["pending"]["awaited"] == ["usr_third"]
    assert house.kept.put_count == before + 1
    house.ask(third, "play")
    assert house.kept.documents["ses_a"]["pending"] is None
    assert house.kept.put_count == before + 2


async def test_when_the_newest_connection_ends_the_player_of_the_one_before_has_to_get_in_step_first() -> None:
    house = House()
    _, (older, _) = await house.playing("ses_a")
    newest, _ = house.sit("ses_a", "usr_guest")
    house.wait(1.0)

    def in_step() -> bool:
        return house.control("ses_a").state.participants["usr_guest"].in_step

    house.ask(newest, "play")
    assert not in_step()  # they are at the beginning, the film is not
    film = house.control("ses_a").state.timeline.position_at(house.now)
    report = frames.Report(session_id="ses_a", current_position=film, status="play", is_host=False, cause="tick")
    house.handler.hear(newest, report, house.now)
    assert in_step()
    house.handler.stand_up(newest)
    assert not in_step()
    house.handler.hear(older, report, house.now)
    assert in_step()


async def test_two_who_come_at_once_are_in_one_room() -> None:
    house = House()
    await house.handler.create("ses_a", 60.0)
    house.wait(module.IDLE_SECONDS)
    house.kept.gate = asyncio.Event()
    loads = [asyncio.create_task(house.handler.load("ses_a")) for _ in range(2)]
    await asyncio.sleep(0)
    house.kept.gate.set()
    await asyncio.gather(*loads)
    (_, first), _ = house.sit("ses_a"), house.sit("ses_a", "usr_guest")
    assert len(first.frames[-1]["participants"]) == 2


async def test_what_is_there_is_not_made_again() -> None:
    house = House()
    await house.handler.create("ses_a", 60.0)
    with pytest.raises(Conflict):
        await house.handler.create("ses_a", 60.0)
    await house.handler.delete("ses_a")
    with pytest.raises(NotFound):
        await house.handler.delete("ses_a")
    assert (await house.handler.create("ses_a", 90.0)).length == 90.0


async def test_what_time_brought_before_a_refused_act_is_due_at_once() -> None:
    house = House()
    (host, ears), (guest, _) = await house.both("ses_a")
    house.ask(host, "play")
    house.now += 60.0  # the guest is heard before the clockwork has looked
    with pytest.raises(Conflict):
        house.handler.hear(guest, frames.Refuse(), house.now)
    assert ears.reasons[-1] == "play"
    assert house.handler._next_wake() <= house.now
    house.wait(0.0)
    assert ears.reasons[-1] == "restored"


async def test_the_clockwork_wakes_for_what_became_due_earlier_than_it_slept_for() -> None:
    house = House()
    house.handler = TimecodeHandler(house.kept, ServerClock(), PlaybackRules(confirm_seconds=0.05), Silent())
    running = asyncio.create_task(house.handler.run())
    await asyncio.sleep(0)  # it sleeps until somebody comes
    (host, ears), _ = await house.both("ses_a")
    house.now = time.monotonic()
    house.ask(host, "play")
    await until(lambda: ears.reasons[-1] == "restored")
    running.cancel()
    await asyncio.wait([running])


async def test_a_look_at_2000_rooms_costs_only_those_that_are_due(monkeypatch: pytest.MonkeyPatch) -> None:
    house = House()
    for number in range(2_000):
        name = f"ses_{number}"
        record = TimecodeRecord(session_id=name, length=7_200.0, last_status_change=EVENING, at=EVENING)
        house.kept.documents[name] = to_document(record)
        await house.handler.load(name)
        house.sit(name)
    looked_at = itertools.count()
    for method in ("advance", "next_wake", "to_timecode_event", "to_record"):
        inner = getattr(PlaybackControl, method)

        def counted(*args: Any, inner: Any = inner) -> Any:
            next(looked_at)
            return inner(*args)

        monkeypatch.setattr(PlaybackControl, method, counted)
    for _ in range(100):
        house.wait(0.01)
    assert next(looked_at) == 0
    house.wait(module.TELL_SECONDS)
    assert next(looked_at) <= 4 * module.TURNS_MAX  # nobody is kept waiting while all are told
    for _ in range(2_000 // module.TURNS_MAX):
        house.wait(0.0)
    assert 2_000 <= next(looked_at) <= 4_000


async def test_where_somebody_has_gone_in_a_film_that_stands_is_told_soon_and_for_all_that_move_at_once() -> None:
    house = House()
    host, guest = await house.both("ses_a")
    for (seat, _), position in ((host, 60.0), (guest, 60.3)):
        house.report(seat, position)
    heard = len(host[1].frames)
    house.wait(module.MOVED_SECONDS)
    (told,) = host[1].frames[heard:]
    places = {user: one["position"] for user, one in told["participants"].items()}
    assert places == {"usr_host": 60.0, "usr_guest": 60.3}
    house.report(host[0], 60.01)
    house.wait(module.MOVED_SECONDS)
    assert len(host[1].frames) == heard + 1  # a player's noise is no news
    for _ in range(20):  # nor is anything said more often than that of somebody who cannot decide
        for position in (10.0, 20.0):
            house.report(guest[0], position)
    house.wait(module.MOVED_SECONDS)
    assert len(host[1].frames) == heard + 2


async def test_nothing_more_is_told_where_the_last_one_has_left_after_a_move() -> None:
    house = House()
    host, guest = await house.both("ses_a")
    house.report(host[0], 60.0)
    for seat, _ in (host, guest):
        house.handler.stand_up(seat)
    heard = len(host[1].frames) + len(guest[1].frames)
    house.wait(module.MOVED_SECONDS)
    assert len(host[1].frames) + len(guest[1].frames) == heard
    assert house.handler._next_wake() > house.now + 60.0
