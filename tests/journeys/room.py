"""Two people in one session of the timecode service: what each says, hears, and where the film is for both."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from tests.journeys.deployment import Deployment
from tests.journeys.people import Person
from tests.journeys.wire import RECORD_TIME, WITHIN, Feed, Json, Matches, Rest, open_feed

STATUSES = {"play", "pause", "stop"}
REASONS = {
    "start",
    "play",
    "pause",
    "stop",
    "seek",
    "minimum",
    "wait",
    "resume",
    "join",
    "leave",
    "restored",
    "refused",
    "end",
}
POSITION_LIMIT = 172_800


def is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def check_timecode(frame: Json) -> None:
    """What holds for every timecode that is ever sent."""
    if frame["type"] != "timecode":
        return
    assert is_number(frame["length"])
    assert is_number(frame["currentPosition"])
    assert 0 <= frame["currentPosition"] <= min(frame["length"], POSITION_LIMIT) + 1e-9
    assert frame["status"] in STATUSES
    assert frame["rate"] in (0, 1)
    assert frame["rate"] == 0 or frame["status"] == "play"
    assert frame["reason"] in REASONS
    # Of the live times only at, sentAt, t1, t2 and deadline are milliseconds; before the first change there is none.
    assert frame["lastStatusChange"] is None or RECORD_TIME.fullmatch(frame["lastStatusChange"])
    assert is_number(frame["at"])
    assert type(frame["revision"]) is int
    assert isinstance(frame["clockId"], str)
    assert frame["by"] is None or frame["by"] in frame["participants"]
    assert set(frame["waitingFor"]) <= set(frame["participants"])
    check_pending(frame["pending"], frame["participants"])
    for who in frame["participants"].values():
        assert who["role"] in {"host", "guest"}
        assert isinstance(who["connected"], bool)
        assert isinstance(who["buffering"], bool)
        # Somebody who has not said anything yet may have no word, no position and no drift.
        assert who["status"] in STATUSES | {None}
        assert who["position"] is None or is_number(who["position"])
        assert who["drift"] is None or is_number(who["drift"])


def check_pending(pending: Json | None, participants: Json) -> None:
    if pending is None:
        return
    assert pending["kind"] in {"status", "seek"}
    assert pending["by"] in participants
    assert is_number(pending["deadline"])
    if pending["kind"] == "status":
        assert {pending["from"], pending["to"]} <= STATUSES
    else:
        assert is_number(pending["from"])
        assert is_number(pending["to"])


def position_at(frame: Json, instant_ms: float) -> float:
    """Where this timecode puts the film at an instant of the server's clock."""
    elapsed = max(0.0, instant_ms - frame["at"]) / 1000
    return float(min(frame["length"], frame["currentPosition"] + frame["rate"] * elapsed))


def is_connected(frame: Json, seat: "Seat") -> bool:
    return bool(frame["participants"].get(seat.id, {}).get("connected"))


def is_same_timeline(one: Json, other: Json) -> bool:
    """Whether two timecodes put the film at the same place, now and later (a millisecond is rounding)."""
    instant = max(one["at"], other["at"])
    apart = abs(position_at(one, instant) - position_at(other, instant))
    return bool(one["rate"] == other["rate"] and one["status"] == other["status"] and apart <= 0.001)


class Seat:
    """One participant's connection, with the clock exchange that the positions need."""

    def __init__(self, feed: Feed, person: Person, session_id: str, is_host: bool) -> None:
        self.feed = feed
        self.id = person.id
        self.session_id = session_id
        self.is_host = is_host
        self.offset_ms = 0.0

    async def synchronise(self) -> None:
        """Learn the offset of the server's clock from the shortest of a few exchanges."""
        best = float("inf")
        for _ in range(4):
            pong = await self.feed.ping()
            t3 = self.feed.arrival_of(pong) * 1000
            trip = (t3 - pong["t0"]) - (pong["t2"] - pong["t1"])
            if trip < best:
                best, self.offset_ms = trip, ((pong["t1"] - pong["t0"]) + (pong["t2"] - t3)) / 2

    def to_server_ms(self, instant: float) -> float:
        return instant * 1000 + self.offset_ms

    @property
    def now_ms(self) -> float:
        return self.to_server_ms(time.monotonic())

    @property
    def timecodes(self) -> list[Json]:
        return [frame for frame in self.feed.frames if frame["type"] == "timecode"]

    @property
    def latest(self) -> Json:
        return self.timecodes[-1]

    @property
    def position(self) -> float:
        """Where the film is now, as far as this participant was told."""
        return position_at(self.latest, self.now_ms)

    async def timecode(
        self, matches: Matches, what: str, *, after: Json | None = None, since: int = 0, within: float = WITHIN
    ) -> Json:
        """The first timecode that matches, of a later revision than `after` or from the mark `since` on."""

        def is_it(frame: Json) -> bool:
            is_newer = after is None or frame.get("revision", -1) > after["revision"]
            return frame["type"] == "timecode" and is_newer and bool(matches(frame))

        return await self.feed.expect(is_it, what, since=since, within=within)

    def report_frame(self, status: str, position: float | None = None, **more: object) -> Json:
        measured = {"currentPosition": self.position if position is None else position, "sentAt": self.now_ms}
        frame = {"type": "report", "sessionId": self.session_id, "status": status, "isHost": self.is_host}
        return frame | measured | {"revision": self.latest["revision"]} | more

    async def report(self, status: str, position: float | None = None, **more: object) -> None:
        """A report as a careful client sends it: measured now, under the newest revision. `more` overrides."""
        await self.feed.send(**self.report_frame(status, position, **more))

    async def ask(self, status: str, position: float | None = None) -> None:
        """The user pressed a key."""
        await self.report(status, position, cause="user")

    async def tick(self, position: float | None = None, **more: object) -> None:
        await self.report("play", position, cause="tick", **more)

    async def refuse(self) -> None:
        await self.feed.send(type="refuse")

    async def seek(self, to: float) -> None:
        await self.feed.send(type="seek", to=to)


@dataclass
class Room:
    """An accepted session with a film, and both people connected to its timecode."""

    deployment: Deployment
    rest: Rest
    session: Json
    host: Seat
    guest: Seat
    tickets: dict[str, str]

    @property
    def id(self) -> str:
        return str(self.session["id"])

    @property
    def path(self) -> str:
        return f"/timecodes/{self.id}/events"

    async def both(self, matches: Matches, what: str, *, after: Json, within: float = WITHIN) -> Json:
        """What both are told; they must have been told the same."""
        told = await self.host.timecode(matches, f"{what} for the host", after=after, within=within)
        also = await self.guest.timecode(matches, f"{what} for the guest", after=after, within=within)
        assert is_same_timeline(told, also), (told, also)
        assert (told["revision"], told["pending"]) == (also["revision"], also["pending"])
        return told

    async def pending(self, kind: str, asker: Seat, to: object, *, after: Json) -> Json:
        def is_asked(frame: Json) -> bool:
            asked = frame["pending"] or {}
            return (asked.get("kind"), asked.get("by"), asked.get("to")) == (kind, asker.id, to)

        return await self.both(is_asked, f"pending {kind} to {to}", after=after)

    async def settled(self, status: str, reason: str | None, *, after: Json, within: float = WITHIN) -> Json:
        def is_it(frame: Json) -> bool:
            return frame["pending"] is None and frame["status"] == status and reason in (None, frame["reason"])

        return await self.both(is_it, f"settled {status} ({reason or 'any reason'})", after=after, within=within)

    async def told_alike(self) -> None:
        """Wait until nothing is pending, and both were told so: a ping says nothing of what is under way to them."""
        async with asyncio.timeout(WITHIN):
            while not self._is_told_alike():  # noqa: ASYNC110 - of two connections, whichever comes last
                await asyncio.sleep(0.02)

    def _is_told_alike(self) -> bool:
        host, guest = self.host.latest, self.guest.latest
        return not host["pending"] and not guest["pending"] and bool(host["revision"] == guest["revision"])

    async def play(self) -> Json:
        """From stillness to a film that both agreed to play."""
        before = self.host.latest
        await self.host.ask("play")
        asked = await self.pending("status", self.host, "play", after=before)
        await self.guest.ask("play")
        return await self.settled("play", "play", after=asked)

    async def watch(
        self,
        until: Callable[[], bool],
        *,
        within: float,
        host: float | None = 0.0,
        guest: float | None = 0.0,
        every: float = 0.25,
    ) -> None:
        """Let the film go on while both stream where they are: so far from the timeline, or nothing where None."""
        deadline = time.monotonic() + within
        while not until():
            assert time.monotonic() < deadline, f"not within {within} s; the host heard {self.host.feed.tail()}"
            for seat, offset in ((self.host, host), (self.guest, guest)):
                if offset is not None:
                    await seat.tick(max(0.0, min(seat.latest["length"], seat.position + offset)))
            await asyncio.sleep(every)

    async def watch_for(self, seconds: float, *, host: float | None = 0.0, guest: float | None = 0.0) -> None:
        end = time.monotonic() + seconds
        await self.watch(lambda: time.monotonic() >= end, within=seconds + WITHIN, host=host, guest=guest)

    async def start_of(self, timeline: Json) -> None:
        """Wait until a scheduled start has come."""
        await self.watch(lambda: self.host.now_ms > timeline["at"], within=WITHIN, every=0.05)


def arrival_ms(seat: Seat, frame: Json) -> float:
    """When a frame came, on the server's clock as far as the exchanges tell."""
    return seat.to_server_ms(seat.feed.arrival_of(frame))


async def nothing_happened(room: Room, since: Json, *speakers: Seat) -> None:
    """What the speakers sent has been looked at, and what both know is as it was."""
    for seat in speakers or (room.host, room.guest):
        await seat.feed.ping()
    for seat in (room.host, room.guest):
        await seat.feed.ping()
        for frame in seat.timecodes:
            if frame["revision"] > since["revision"]:
                assert (frame["status"], frame["pending"]) == (since["status"], since["pending"]), frame


async def is_well(seat: Seat) -> None:
    """Somebody who did nothing wrong is answered, and what they ask is heard and taken back.

    What is under way may overtake what they ask (a change, or the end of another connection of theirs): then they ask
    again, as anybody would.
    """
    await seat.feed.ping()
    deadline = time.monotonic() + WITHIN
    while True:
        before, since = seat.latest, seat.feed.mark
        other = "play" if before["status"] != "play" else "pause"
        await seat.ask(other)
        try:
            asked = await seat.feed.expect(
                lambda frame: frame.get("code") == "stale" or _is_asked_by(seat, frame), "own", since=since, within=1.0
            )
        except AssertionError:
            if time.monotonic() > deadline or seat.feed.is_closed:
                raise
            continue
        if asked["type"] == "timecode":
            break
    assert asked["pending"]["to"] == other
    await seat.refuse()
    back = await seat.timecode(lambda frame: frame["pending"] is None, "taken back", after=asked)
    assert back["status"] == before["status"]


def _is_asked_by(seat: Seat, frame: Json) -> bool:
    return frame["type"] == "timecode" and (frame["pending"] or {}).get("by") == seat.id


@asynccontextmanager
async def take_seat(
    deployment: Deployment, person: Person, session_id: str, ticket: str, *, is_host: bool
) -> AsyncIterator[Seat]:
    """Connect, hear the first timecode, learn the clock."""
    path = f"/timecodes/{session_id}/events"
    async with open_feed(deployment, path, ticket, address=person.address, check=check_timecode) as feed:
        seat = Seat(feed, person, session_id, is_host)
        await seat.timecode(lambda _: True, "first timecode")
        await seat.synchronise()
        yield seat
        revisions = [frame["revision"] for frame in seat.timecodes]
        assert revisions == sorted(revisions), f"revision went back: {revisions}"


@asynccontextmanager
async def seats(
    deployment: Deployment, host: Person, guest: Person, session: Json, tickets: dict[str, str]
) -> AsyncIterator[tuple[Seat, Seat]]:
    """Both connected, and each told of the other."""
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(
            take_seat(deployment, host, session["id"], tickets[host.id], is_host=True)
        )
        second = await stack.enter_async_context(
            take_seat(deployment, guest, session["id"], tickets[guest.id], is_host=False)
        )
        for seat in (first, second):
            await seat.timecode(
                lambda frame: is_connected(frame, first) and is_connected(frame, second),
                "both connected",
            )
        yield first, second


async def make_timecode(rest: Rest, session: Json, ticket: str, length: float) -> Json:
    body = {"timecode": {"sessionId": session["id"], "length": length}}
    timecode: Json = (await rest.call("POST", "/timecodes", body, token=ticket, expect=201)).body["timecode"]
    return timecode
