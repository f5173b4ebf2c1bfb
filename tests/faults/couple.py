"""Two people who watch with the real client library, and what they would notice: where the film is, word for word.

Their players are simulated, on the real clock; each is looked at fifty times a second, so that whatever moves it is
seen. They talk all the time, and everything that they are told and shown is kept for a checker.
"""

import asyncio
import contextlib
import itertools
import secrets
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, Literal

from benchmarks.faultbench.account import Account, Findings, Promise, Told, check
from benchmarks.faultbench.history import Observed, Observer, check_timelines
from dateflicks.client.chat_updates import CaughtUp, ChatLine, DraftChanged, DraftGone, Said
from dateflicks.client.evening import Evening
from dateflicks.client.films import Film
from dateflicks.client.http import ServiceClient
from dateflicks.client.players.simulated import SimulatedPlayer
from dateflicks.client.screen import Screen
from dateflicks.client.viewer import Notice
from dateflicks.client.watching import LinkChanged
from dateflicks.client.watching import Told as TimecodeTold
from dateflicks.protocol.bodies import SessionBody, SessionRequest, VideoRef
from dateflicks.protocol.chat import Message, MessagePage
from dateflicks.settings.client import ClientSettings, ConsentSettings
from tests.faults.town import DEADLINE, until
from tests.faults.unhindered import unhindered

FREE = ClientSettings(
    player="simulated", consent=ConsentSettings(play="free", pause="free", stop="free", seek="free")
)  # fmt: skip
LOOK_SECONDS = 0.02
JUMP_SECONDS = 0.080  # what a player does between two looks beyond this was done to it
IN_STEP_SECONDS = 0.100
LENGTH = 3_600.0
BACK_SECONDS = 3.0  # after the return of what was away, everybody is in step
ASK_AGAIN_SECONDS = 5.0
Status = Literal["play", "pause", "stop"]


@dataclass(frozen=True, slots=True)
class Look:
    """Where a player was."""

    at: float
    position: float
    is_moving: bool


@dataclass
class Watcher:
    """One of the two."""

    name: str
    client: ServiceClient
    session: SessionBody
    evening: Evening
    account: Account
    looks: list[Look] = field(default_factory=list)
    lines: list[tuple[float, bool]] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    told: Observer = field(default_factory=lambda: Observer(""))

    @property
    def player(self) -> SimulatedPlayer:
        """Theirs."""
        player = self.evening.watching.player
        assert isinstance(player, SimulatedPlayer)
        return player

    @property
    def position(self) -> float:
        """Where their film is now."""
        head = self.player.playhead(time.monotonic())
        assert head is not None
        return head.position

    @property
    def status(self) -> str:
        """What they were told last of the film."""
        frame = self.evening.viewer.timecode
        return "" if frame is None else frame.status

    def has_settled(self, status: str) -> bool:
        """Whether they were told that this is agreed."""
        frame = self.evening.viewer.timecode
        return frame is not None and frame.status == status and frame.pending is None

    @property
    def presence(self) -> list[bool]:
        """Whether each of the two is there, as far as they were told."""
        frame = self.evening.viewer.timecode
        return [] if frame is None else [one.connected for one in frame.participants.values()]

    @property
    def is_connected(self) -> bool:
        """Whether their line stands."""
        return self.evening.viewer.connected

    @property
    def clock_id(self) -> str | None:
        """The server's clock that they follow."""
        return self.evening.viewer.clock.clock_id

    def jumps(self, since: float) -> list[float]:
        """By how much their player was moved, each time that it was, in seconds; nobody asked for it."""
        looks = [one for one in self.looks if one.at >= since]
        found = []
        for before, after in itertools.pairwise(looks):
            passed = after.at - before.at
            moved = after.position - before.position
            slowest, fastest = (0.0, passed * 1.1) if before.is_moving or after.is_moving else (0.0, 0.0)
            if moved > fastest + JUMP_SECONDS:
                found.append(moved - passed)
            elif moved < slowest - JUMP_SECONDS:
                found.append(moved)
        return found

    def still(self, since: float, until: float | None = None) -> float:
        """How long their film has not moved since then, in seconds."""
        looks = [one for one in self.looks if one.at >= since and (until is None or one.at <= until)]
        return sum(after.at - before.at for before, after in itertools.pairwise(looks) if not after.is_moving)

    def apart(self, since: float) -> float:
        """How long their line was gone since then, at the longest, in seconds."""
        gone, longest = None, 0.0
        for at, is_open in self.lines:
            if at < since:
                continue
            if not is_open and gone is None:
                gone = at
            elif is_open and gone is not None:
                longest, gone = max(longest, at - gone), None
        return longest if gone is None else float("inf")

    # --- what they say ------------------------------------------------------------------------------------------

    def say(self, text: str) -> None:
        """Say something; it is kept by the library until it is on the server."""
        assert self.evening.conversation is not None
        client_id = self.evening.conversation.say(text)
        assert client_id is not None
        self.account.said[client_id] = text

    @property
    def waits(self) -> int:
        """How much of what they said nobody has acknowledged."""
        return len(self.account.said) - len(self.account.acknowledged)

    def hear(self, update: Any) -> None:
        """Everything that their evening tells them."""
        account, now = self.account, time.monotonic()
        match update:
            case TimecodeTold(frame=frame):
                self.told.seen.append(
                    Observed(frame.revision, frame.status, frame.rate, frame.current_position, frame.at)
                )
            case LinkChanged(is_open=is_open):
                self.lines.append((now, is_open))
            case Said(message=message):
                account.shown.append(_told(message))
            case DraftChanged(draft=draft) if draft.state == "sent":
                account.acknowledged.setdefault(draft.client_id, Promise())
            case DraftChanged(draft=draft) if draft.state == "failed":
                account.faults.append(f"refused: {draft}")
            case DraftGone(client_id=client_id, seq=seq):
                account.acknowledged.setdefault(client_id, Promise(seq))
            case ChatLine(is_open=True):
                account.openings += 1
            case CaughtUp(is_anew=True):
                account.faults.append(f"what was shown does not join on to {update.seq}")
            case Notice():
                self.notices.append(update)


@dataclass
class Couple:
    """Both of them."""

    session: SessionBody
    host: Watcher
    guest: Watcher
    talking: list[asyncio.Task[None]] = field(default_factory=list)

    @property
    def both(self) -> tuple[Watcher, Watcher]:
        """The two."""
        return self.host, self.guest

    # --- what they do -------------------------------------------------------------------------------------------

    async def ask(self, status: Status, by: Watcher | None = None) -> None:
        """One of them asks for it, and the other agrees; whoever sees that nothing happens asks again."""
        asker, asked_at = by or self.host, float("-inf")

        def has_settled() -> bool:
            nonlocal asked_at
            if all(one.has_settled(status) for one in self.both):
                return True
            if time.monotonic() - asked_at > ASK_AGAIN_SECONDS:
                asked_at = time.monotonic()
                asker.evening.watching.ask(status)
            return False

        await until(has_settled, f"{status} for both")

    async def play(self, seconds: float = 1.0) -> None:
        """Begin the film, and let it run in step for a while."""
        await self.ask("play")
        await until(lambda: self.is_running and self.distance < IN_STEP_SECONDS, "a film that runs for both")
        await asyncio.sleep(seconds)

    async def seek(self, to: float) -> None:
        """One asks to move, the other agrees."""
        self.host.evening.watching.seek(to)
        await until(lambda: all(abs(one.position - to) < 5.0 for one in self.both), f"both at {to:g} s")

    # --- what they notice ---------------------------------------------------------------------------------------

    @property
    def is_running(self) -> bool:
        """Whether the film moves for both."""
        return all(len(one.looks) > 0 and one.looks[-1].is_moving for one in self.both)

    @property
    def distance(self) -> float:
        """How far apart their films are now, in seconds."""
        now = time.monotonic()
        heads = [one.player.playhead(now) for one in self.both]
        first, second = (head.position for head in heads if head is not None)
        return abs(first - second)

    @property
    def is_whole(self) -> bool:
        """Whether both are connected, told of each other, and in step."""
        return (
            all(one.is_connected and one.presence and all(one.presence) for one in self.both)
            and self.distance < IN_STEP_SECONDS
        )

    async def in_step_again(self, within: float = DEADLINE) -> float:
        """Wait until both are connected and in step, and stay so for half a second; the unhindered instant it was."""
        while True:
            await until(lambda: self.is_whole, "both connected and in step", within)
            at, ends = unhindered(), time.monotonic() + 0.5
            while self.is_whole and time.monotonic() < ends:  # noqa: ASYNC110 - what is looked at tells nobody
                await asyncio.sleep(LOOK_SECONDS)
            if self.is_whole:
                return at

    async def in_step_soon(self, back: float) -> None:
        """The same, and soon enough after the unhindered instant at which what was broken was whole again."""
        took = await self.in_step_again() - back
        assert took <= BACK_SECONDS, f"in step after {took:.2f} s in which the machine was free"

    def check_unmoved(self, since: float, stall: float = 0.0) -> None:
        """Nobody was moved by more than a stall that there was, and the film is where it would be but for that."""
        for one in self.both:
            for jump in one.jumps(since):
                assert abs(jump) <= stall + 0.3, f"{one.name} was moved by {jump:.2f} s; the stall was {stall:g} s"

    def check_went_on(self, since: float, stall: float = 0.0) -> None:
        """The film ran for both all the time, but for a stall."""
        for one in self.both:
            looks = [look for look in one.looks if look.at >= since]
            passed, ran = looks[-1].at - looks[0].at, looks[-1].position - looks[0].position
            assert passed - stall - 0.5 <= ran <= passed + 0.5, f"{one.name}: {ran:.2f} s of film in {passed:.2f} s"

    async def end_untouched(self, since: float) -> None:
        """Nobody has noticed anything since: assert it, pause and settle."""
        self.check_unmoved(since)
        self.check_went_on(since)
        assert not [notice for one in self.both for notice in one.notices if notice.kind == "error"]
        await self.ask("pause", self.guest)
        await self.settle()

    async def settle(self) -> Findings:
        """Wait until nothing is on its way, and hold what both know to what is kept; assert that all of it is right."""
        for task in self.talking:
            task.cancel()
        await until(
            lambda: (
                not any(one.waits for one in self.both)
                and self.host.account.shown == self.guest.account.shown
                and len(self.host.account.shown) >= sum(len(one.account.said) for one in self.both)
            ),
            "everything that was said, at both",
        )
        await until(self._agree, "the same film for both")
        stored = await _stored(self.host)
        findings = check([one.account for one in self.both], {self.session.id: stored})
        assert findings.is_good, findings.wrongs
        wrongs = check_timelines([one.told for one in self.both])
        assert not wrongs, wrongs
        await self._is_kept_so()
        return findings

    async def _is_kept_so(self) -> None:
        """What is asked of whoever does not keep the film is as it was put down last, which is a moment ago."""
        assert isinstance(self.session.ticket, str)
        async with asyncio.timeout(DEADLINE):
            while True:
                kept = await self.host.client.timecode(self.session.id, ticket=self.session.ticket)
                if kept.status == self.host.told.seen[-1].status:
                    return
                await asyncio.sleep(0.1)

    def _agree(self) -> bool:
        first, second = (one.told.seen[-1] for one in self.both)
        return (first.revision, first.status) == (second.revision, second.status)


def _told(message: Message) -> Told:
    """A message; a line of the film is nobody's word, whoever it is about."""
    is_line = message.type == "system"
    return Told(message.seq, message.id, None if is_line else message.author, message.client_id, message.content)


async def _stored(watcher: Watcher) -> list[Told]:
    """The talk as the database has it, oldest first."""
    assert isinstance(watcher.session.ticket, str)
    found: list[Told] = []
    after = 0
    while True:
        page = await watcher.client.call(
            "messages",
            "GET",
            f"/messages/{watcher.session.id}",
            MessagePage,
            ticket=watcher.session.ticket,
            query={"after": str(after), "limit": "200"},
        )
        for one in sorted(page.items, key=lambda item: item.seq):
            found.append(_told(one))
        if not page.items:
            return found
        after = found[-1].seq


@contextlib.asynccontextmanager
async def couple(url: str, guest_url: str | None = None, *, talks: bool = True) -> AsyncIterator[Couple]:
    """Two new people in an accepted session, both connected, the film at its beginning; they talk all the time.

    `guest_url` is another way to the same deployment.
    """
    async with contextlib.AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(ServiceClient(one)) for one in (url, guest_url or url)]
        session = await _accepted(*clients)
        watchers = []
        for name, client in zip(("host", "guest"), clients, strict=True):
            screen = await stack.enter_async_context(await Screen.open(FREE))
            await screen.load(Film("film.mkv", "film.mkv"))
            own = await client.session(session.id)
            evening = await Evening.attend(client, own, screen, FREE, kept_talk={"seq": 0, "changes": 0})
            account = Account(name, session.id, evening.viewer.user_id, is_one_by_one=False)
            watcher = Watcher(name, client, own, evening, account, told=Observer(name))
            evening.listen(watcher.hear)
            watchers.append(watcher)
        made = Couple(watchers[0].session, watchers[0], watchers[1])
        running = [asyncio.create_task(one.evening.run(), name=f"evening of {one.name}") for one in watchers]
        beside = [asyncio.create_task(_look(one), name=f"eye on {one.name}") for one in watchers]
        if talks:
            made.talking += [asyncio.create_task(_talk(one), name=f"words of {one.name}") for one in watchers]
        try:
            await until(lambda: made.is_whole, "both at the beginning")
            yield made
            assert not any(task.done() for task in running), [task for task in running if task.done()]
        finally:
            for one in watchers:
                one.evening.stop()
            beside += made.talking
            for task in beside:
                task.cancel()
            _, hanging = await asyncio.wait([*running, *beside], timeout=DEADLINE)
            for task in hanging:
                task.cancel()


async def _accepted(host: ServiceClient, guest: ServiceClient) -> SessionBody:
    signed = await host.register(f"host-{secrets.token_hex(5)}", "seven small foxes")
    host.token = signed.token
    video = VideoRef(url="https://films.example.org/the-third-man.mkv", title="The Third Man", length=LENGTH)
    session = await host.create_session(SessionRequest(video=video, link=True))
    assert isinstance(session.invitation, str)
    taken = await guest.redeem(session.invitation, f"guest-{secrets.token_hex(5)}")
    assert isinstance(taken.token, str)
    guest.token = taken.token
    if taken.session.state == "pending":
        await guest.accept(session.id)
    return session


async def _look(watcher: Watcher) -> None:
    while True:
        now = time.monotonic()
        head = watcher.player.playhead(now)
        if head is not None:
            watcher.looks.append(Look(now, head.position, head.rate > 0.0))
        await asyncio.sleep(LOOK_SECONDS)


async def _talk(watcher: Watcher) -> None:
    for number in itertools.count():
        if watcher.waits < 20:
            watcher.say(f"{watcher.name} {number}")
        await asyncio.sleep(0.35)
