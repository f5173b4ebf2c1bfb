"""Two people and what they do on each kind of server: a change that one makes and both hear of, and signs of life.

A change is under way until both have heard: the partner, which is what is timed, and whoever made it, to whom it is the
acknowledgement (which is timed instead where `times_own` is set). What is refused is counted as an error, and the next
change is made anew.
"""

import asyncio
import random
import time
from collections.abc import Callable
from typing import Any, Final, Protocol

from benchmarks.loadbench.lines import JsonLine, Line, WebSocketLine
from dateflicks.protocol.ids import new_id
from dateflicks.server.auth.tokens import Signer

FILM_SECONDS: Final = 36_000.0
PING_SECONDS: Final = 5.0  # as often as the project's own client, some minutes into an evening,
REPORT_SECONDS: Final = 3.0  # and as often as it says where its player is
SIGN_SECONDS: Final = 10.0  # the least with which one could be seen to be there
SPREAD: Final = (0.7, 1.3)
NOBODY: Final = -1
TRIES: Final = 10  # to connect: a server that has too much to do says so
AGAIN_SECONDS: Final = 1.0
Done = Callable[[float], None]


class Pair(Protocol):
    """Two who are, or will be, connected."""

    errors: list[str]
    lines: list[Any]

    async def enter(self, port: int) -> None:
        """Both connect. Raises OSError, ConnectionError."""

    def change(self, done: Done) -> None:
        """One of them makes a change; `done` is called with the seconds until the partner heard."""

    @property
    def is_busy(self) -> bool:
        """Whether a change is under way."""

    def failed(self, why: str) -> None:
        """What was under way is not waited for any more."""

    def live(self) -> None:
        """Send what clients send while nobody does anything, until `leave`."""

    def leave(self) -> None:
        """Both are gone."""


class Both:
    """What all pairs share: two lines, and the change that is under way."""

    times_own = False

    def __init__(self) -> None:
        self.errors: list[str] = []
        self.lines: list[Any] = []
        self._done: Done | None = None
        self._actor = NOBODY
        self._sent = self._delay = 0.0
        self._missing: set[int] = set()
        self._timers: dict[object, asyncio.TimerHandle] = {}

    @property
    def is_busy(self) -> bool:
        """Whether a change is under way."""
        return self._done is not None

    async def connect(self, port: int, make: Callable[[], Line], heard: Callable[[int, bytes], None]) -> None:
        """One more line of theirs is open; whoever is told to come back in a moment does. Raises ConnectionError."""
        number = len(self.lines)
        for attempt in range(TRIES):
            line = make()
            line.heard = lambda text: heard(number, text)
            await asyncio.get_running_loop().create_connection(lambda line=line: line, "127.0.0.1", port)  # type: ignore[misc]
            try:
                await line.opened
                break
            except ConnectionError:
                if attempt == TRIES - 1:
                    raise
                await asyncio.sleep(AGAIN_SECONDS)
        line.lost = lambda: self.failed("a connection was lost")
        self.lines.append(line)

    def leave(self) -> None:
        """Both are gone."""
        for timer in self._timers.values():
            timer.cancel()
        self._done = None
        for line in self.lines:
            line.abort()

    def begin(self, actor: int, text: bytes, done: Done) -> None:
        """This one makes a change."""
        self._done, self._actor, self._missing = done, actor, {0, 1}
        self._sent = time.perf_counter()
        self.lines[actor].say(text)

    def arrived(self, number: int) -> None:
        """One of them has heard of it."""
        if number not in self._missing:
            return
        self._missing.discard(number)
        if (number == self._actor) is self.times_own:
            self._delay = time.perf_counter() - self._sent
        if not self._missing and self._done is not None:
            done, self._done = self._done, None
            done(self._delay)

    def failed(self, why: str) -> None:
        """What was under way was refused, or one of them is gone."""
        self.errors.append(why)
        self._missing = set()
        if self._done is not None:
            done, self._done = self._done, None
            done(NOBODY)

    def every(self, seconds: float, what: Callable[[], None]) -> None:
        """Do something about so often, from a random moment on."""
        key, loop = object(), asyncio.get_running_loop()

        def now() -> None:
            what()
            self._timers[key] = loop.call_later(seconds * random.uniform(*SPREAD), now)

        self._timers[key] = loop.call_later(random.uniform(0, seconds), now)


class RelayPair(Both):
    """On a relay that hands on what it gets: frames like those of a timecode."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self._path = f"/timecodes/{number}/events"
        self._text = _report(new_id("ses"), 1234.567891, "pause", 7, 1_785_000_000_123.456, is_host=True)
        self._next = 0

    async def enter(self, port: int) -> None:
        """Both connect."""
        for _ in range(2):
            await self.connect(port, lambda: WebSocketLine(self._path), self._heard)

    def change(self, done: Done) -> None:
        """The same frame from one, then from the other."""
        self._next = 1 - self._next
        self.begin(self._next, self._text, done)

    def live(self) -> None:
        """A relay has nothing to be kept alive."""

    def _heard(self, number: int, _: bytes) -> None:
        self.arrived(number)


class TimecodePair(Both):
    """In a session of the timecode service: play, agreed; pause, agreed; a move, agreed unless `moves` is false; and
    again. With `reports` false they only give signs of life between changes, as if nobody had to be in step.
    """

    def __init__(self, signer: Signer, *, reports: bool = True) -> None:
        super().__init__()
        self._reports = reports
        self.id = new_id("ses")
        self.users = (new_id("usr"), new_id("usr"))
        self._by = tuple(f'"by":"{user}"'.encode() for user in self.users)
        self.tickets = tuple(
            signer.issue_ticket(self.id, user, name, role)  # type: ignore[arg-type]
            for user, name, role in zip(self.users, ("ana", "ben"), ("host", "guest"), strict=True)
        )
        self.moves = True
        self._turn = 0
        self._to = 100.0
        self._revision = 0
        self._base = 0
        self._told = b""
        self._offset = 0.0  # the server's clock minus ours, in milliseconds

    async def enter(self, port: int) -> None:
        """Both connect."""
        for ticket in self.tickets:
            path = f"/timecodes/{self.id}/events"
            await self.connect(port, lambda path=path, ticket=ticket: WebSocketLine(path, ticket), self._heard)  # type: ignore[misc]
        self._ping(0)

    def change(self, done: Done) -> None:
        """What one of them has asked for, the other agrees to; else something new is asked for."""
        actor, deed = self._next()
        self._base = self._revision
        if deed == "seek":
            self.begin(actor, b'{"type":"seek","to":%.1f}' % self._to, done)
        else:
            self.begin(actor, self._report(actor, deed, "user"), done)

    def _next(self) -> tuple[int, str]:
        pending = _between(self._told, b'"pending":{', b"}")
        if pending:
            actor = 1 if self._by[0] in pending else 0
            if b'"kind":"seek"' in pending:
                self._to = _number(pending, b'"to":')
                return actor, "seek"
            return actor, _between(pending, b'"to":"', b'"').decode()
        self._turn += 1
        actor = self._turn % 2
        if b'"status":"play","lastStatusChange"' in self._told:
            return actor, "pause"
        if self.moves and self._turn % 3 == 0:
            self._to = self._to % (FILM_SECONDS / 2) + 60.0
            return actor, "seek"
        return actor, "play"

    def live(self) -> None:
        """Ping, and say where the players are."""
        for number in range(2):
            self.every(PING_SECONDS if self._reports else SIGN_SECONDS, lambda number=number: self._ping(number))  # type: ignore[misc]
            if self._reports:
                self.every(REPORT_SECONDS, lambda number=number: self._tick(number))  # type: ignore[misc]

    def _ping(self, number: int) -> None:
        self.lines[number].say(b'{"type":"ping","t0":%.3f}' % (time.perf_counter() * 1000))

    def _tick(self, number: int) -> None:
        word = _between(self._told, b'"status":"', b'"').decode() or "stop"
        self.lines[number].say(self._report(number, word, "tick"))

    def _report(self, number: int, status: str, cause: str) -> bytes:
        now = time.perf_counter() * 1000 + self._offset
        told = self._told
        position = _number(told, b'"currentPosition":')
        if _number(told, b'"rate":'):
            position += max(0.0, now - _number(told, b'"at":')) / 1000
        return _report(self.id, position, status, self._revision, now, is_host=number == 0, cause=cause)

    def _heard(self, number: int, text: bytes) -> None:
        if text.startswith(b'{"type":"timecode"'):
            revision = int(_number(text, b'"revision":'))
            if revision >= self._revision:
                self._revision, self._told = revision, text
            if self._missing and revision > self._base and self._by[self._actor] in text:
                self.arrived(number)
        elif text.startswith(b'{"type":"pong"'):
            now = time.perf_counter() * 1000
            self._offset = _number(text, b'"t1":') - (_number(text, b'"t0":') + now) / 2
        else:
            self.failed(text.decode())


class ChatPair(Both):
    """In a session's talk: messages, or with `says` false only that somebody writes, which is told and not kept."""

    def __init__(self, signer: Signer, *, says: bool, times_own: bool = False) -> None:
        super().__init__()
        self.times_own = times_own
        self.id = new_id("ses")
        self._tickets = [
            signer.issue_ticket(self.id, new_id("usr"), name, role)  # type: ignore[arg-type]
            for name, role in (("ana", "host"), ("ben", "guest"))
        ]
        self._says = says
        self._count = 0

    async def enter(self, port: int) -> None:
        """Both connect, and resume from the beginning."""
        for ticket in self._tickets:
            path = f"/messages/{self.id}/events"
            await self.connect(port, lambda path=path, ticket=ticket: WebSocketLine(path, ticket), self._heard)  # type: ignore[misc]
            self.lines[-1].say(b'{"type":"resume","after":0}')

    def change(self, done: Done) -> None:
        """One says something, or writes."""
        self._count += 1
        actor = self._count % 2
        if self._says:
            text = b"this is what somebody says as number %d in a talk about a film" % self._count
            said = b'{"type":"message","clientId":"c-%d","kind":"text","content":"%b"}' % (self._count, text)
            self.begin(actor, said, done)
        else:
            self.begin(actor, b'{"type":"typing"}', done)
            self._missing.discard(actor)  # nobody is told of their own

    def live(self) -> None:
        """Silence is answered by pongs."""

    def _heard(self, number: int, text: bytes) -> None:
        if text.startswith(b'{"type":"ack"'):
            if number == self._actor:
                self.arrived(number)
        elif text.startswith((b'{"type":"message"', b'{"type":"typing"')):
            if number != self._actor:
                self.arrived(number)
        elif text.startswith(b'{"type":"error"'):
            self.failed(text.decode())


class SyncplayPair(Both):
    """In a room of a Syncplay server, as its own client speaks: each State is answered with one."""

    def __init__(self, number: int, *, chats: bool) -> None:
        super().__init__()
        self._room = f"room-{number}-{random.getrandbits(40):x}"
        self._chats = chats
        self._count = 0
        self._paused = [True, True]
        self._asked = True
        self._greeted: list[asyncio.Future[None]] = []

    async def enter(self, port: int) -> None:
        """Both connect, say hello, and open a film."""
        for name in ("a", "b"):
            await self.connect(port, JsonLine, self._heard)
            self._greeted.append(asyncio.get_running_loop().create_future())
            self.lines[-1].say(
                b'{"Hello": {"username": "%b-%b", "room": {"name": "%b"}, "version": "1.2.255", "realversion": '
                b'"1.6.9", "features": {"sharedPlaylists": true, "chat": true, "featureList": true, "readiness": true, '
                b'"managedRooms": true}}}' % (name.encode(), self._room.encode(), self._room.encode())
            )
            await self._greeted[-1]
            self.lines[-1].say(b'{"Set": {"file": {"name": "film.mkv", "duration": 36000.0, "size": 1}}}')

    def change(self, done: Done) -> None:
        """One pauses, or lets go; or says something."""
        self._count += 1
        actor = self._count % 2
        if self._chats:
            text = b"this is what somebody says as number %d in a talk about a film" % self._count
            self.begin(actor, b'{"Chat": "%b"}' % text, done)
            return
        self._asked = not self._paused[actor]
        self._paused[actor] = self._asked
        self.begin(actor, self._state(actor, b"0", b', "ignoringOnTheFly": {"client": 1}'), done)

    def live(self) -> None:
        """The server asks for a State every second, and has it."""

    def _state(self, number: int, stamp: bytes, more: bytes) -> bytes:
        paused = b"true" if self._paused[number] else b"false"
        return (
            b'{"State": {"playstate": {"position": 100.5, "paused": %b, "doSeek": false}, '
            b'"ping": {"latencyCalculation": %b, "clientLatencyCalculation": %.6f, "clientRtt": 0.0004}%b}}'
            % (paused, stamp, time.time(), more)
        )

    def _heard(self, number: int, text: bytes) -> None:
        if text.startswith(b'{"State"'):
            self._paused[number] = b'"paused": true' in text
            ignored = _between(text, b'"server": ', b"}").partition(b",")[0]
            more = b', "ignoringOnTheFly": {"server": %b}' % ignored if ignored else b""
            self.lines[number].say(self._state(number, _between(text, b'"latencyCalculation": ', b","), more))
            if self._missing and not self._chats and ignored and self._paused[number] is self._asked:
                self.arrived(number)
        elif text.startswith(b'{"Chat"'):
            self.arrived(number)
        elif text.startswith(b'{"Hello"'):
            if not self._greeted[number].done():
                self._greeted[number].set_result(None)
        elif text.startswith(b'{"Error"'):
            self.failed(text.decode())


def _report(
    session_id: str, position: float, status: str, revision: int, sent_at: float, *, is_host: bool, cause: str = "user"
) -> bytes:
    return (
        b'{"type":"report","sessionId":"%b","currentPosition":%.6f,"status":"%b","isHost":%b,"sentAt":%.3f,'
        b'"revision":%d,"cause":"%b"}'
        % (
            session_id.encode(), position, status.encode(), b"true" if is_host else b"false", sent_at, revision,
            cause.encode(),
        )
    )  # fmt: skip


def _between(text: bytes, before: bytes, after: bytes) -> bytes:
    start = text.find(before)
    if start < 0:
        return b""
    start += len(before)
    end = text.find(after, start)
    return text[start:] if end < 0 else text[start:end]


def _number(text: bytes, before: bytes) -> float:
    found = _between(text, before, b",").rstrip(b"}")
    return float(found) if found else 0.0
