"""Workers, the database and Redis of one deployment, killed at random while people talk."""

import asyncio
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, overload

from benchmarks.faultbench.account import Account, Findings, check
from benchmarks.faultbench.diary import Diary
from benchmarks.faultbench.evening import stored_talk, until_quiet, watched
from benchmarks.faultbench.library import LibraryClient
from benchmarks.faultbench.pace import Pace
from benchmarks.faultbench.plain import PlainClient
from benchmarks.faultbench.timeline import Witness, pressure, timeline
from dateflicks.protocol.ids import new_id
from dateflicks.server.auth.tokens import Signer
from tests.faults.town import Town, town, until
from tests.server.processes import kill

KEY: Final = "the key of a deployment that is broken on purpose"
WORKERS: Final = 3
KINDS: Final = ("worker", "worker", "database", "bus")  # as often as that
LAST_WORKER: Final = "last worker"  # one beside which none serves: the others were killed, and are not back yet
REST_SECONDS: Final = (0.2, 1.0)  # after all have been acknowledged something, until the next kill
STEADY_SECONDS: Final = 10.5  # what dies again sooner is taken to be broken, and waited with
PATIENCE_SECONDS: Final = 30.0  # for all to be acknowledged something after a kill
LOOK_SECONDS: Final = 0.005  # between looks at who has been acknowledged something
BUS_SECONDS: Final = (0.1, 2.5)  # until Redis is there again
FREE: Final = {
    "DATEFLICKS_ALL_AUTH_KEY": KEY,
    "DATEFLICKS_MESSAGES_CHAT_PER_SECOND": "100000",
    "DATEFLICKS_MESSAGES_CHAT_BURST": "100000",
    **{
        f"DATEFLICKS_{service}_LIMITS_{name}": "100000"
        for service in ("MESSAGES", "TIMECODE")
        for name in ("FRAMES_PER_SECOND", "FRAMES_BURST", "SOCKETS_PER_ADDRESS")
    },
}


class Texts(Sequence[str]):
    """What one client says: without end, until it is to stop."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._given = 0
        self._length = 10_000_000

    def stop(self) -> None:
        """What was asked for so far is all."""
        self._length = self._given

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, number: int) -> str: ...

    @overload
    def __getitem__(self, number: slice) -> Sequence[str]: ...

    def __getitem__(self, number: Any) -> Any:
        self._given = max(self._given, number + 1)
        return f"{self._name} says {number}"

    def __iter__(self) -> Iterator[str]:
        while self._given < self._length:
            yield self[self._given]


@dataclass(slots=True, kw_only=True)
class Kill:
    """One kill: of what, and how long it took until those who were cut off by it, all where it cuts off nobody or
    everybody, were acknowledged what they said afterwards: the first of them, and the last."""

    kind: str
    cut_off: int
    first_seconds: float
    all_seconds: float
    timeline: list[tuple[float, str, str]] = field(default_factory=list)  # seconds since the kill, who, what
    waited: dict[str, float] = field(default_factory=dict)  # of that time: for a processor, for a disk, by anybody here


@dataclass(kw_only=True)
class Result:
    """What was done, and what came of it."""

    seed: int
    seconds: float = 0.0
    kills: list[Kill] = field(default_factory=list)
    findings: Findings = field(default_factory=Findings)


async def run_kills(
    count: int, sessions: int, per_second: float, seed: int, folder: Path, told: Callable[[Kill], None]
) -> Result:
    """Kill so often while people talk in so many sessions, and hold what they know to what is kept.

    Each says so much per second at most; 0 is as much as they can.
    """
    result, began, chance = Result(seed=seed), time.monotonic(), random.Random(seed)
    async with town(folder, WORKERS, variables=FREE) as place:
        clients, diaries, texts = _clients(place, sessions, per_second, seed)
        accounts = list(clients.values())
        running = [asyncio.create_task(client.run()) for client in clients]

        async def all_of_it() -> None:
            await until(lambda: all(one.served_after(began) for one in diaries), "the first words of everybody")
            dying = _Dying(chance)
            for _ in range(count):
                result.kills.append(await _kill(place, dying, diaries, chance))
                told(result.kills[-1])
                await asyncio.sleep(chance.uniform(*REST_SECONDS))
            for one in texts:
                one.stop()
            await until(lambda: all(client.is_finished for client in clients), "everything acknowledged")
            await until_quiet(accounts)

        try:
            why = await watched(all_of_it(), running, 60.0 + count * PATIENCE_SECONDS)
        except AssertionError as error:
            error.add_note("".join(place.server.said))
            raise
        finally:
            for task in running:
                task.cancel()
            await asyncio.wait(running)
        await place.stop()
        stored = await stored_talk(place.folder, {one.session_id for one in accounts})
    result.findings = check(accounts, stored)
    if why:
        result.findings.faults += 1
        result.findings.note(why)
    result.seconds = round(time.monotonic() - began, 1)
    return result


class _Dying:
    """Who is next: nobody again who has just been killed."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._killed_at: dict[tuple[str, int], float] = {}

    def next(self) -> tuple[str, int]:
        """A kind, and of workers which one."""
        while True:
            kind = self._chance.choice(KINDS)
            one = (kind, self._chance.randrange(WORKERS) if kind == "worker" else 0)
            now = time.monotonic()
            if kind == "bus" or now - self._killed_at.get(one, float("-inf")) > STEADY_SECONDS:
                self._killed_at[one] = now
                return one


async def _kill(place: Town, dying: _Dying, diaries: list[Diary], chance: random.Random) -> Kill:
    assert place.redis is not None
    back: asyncio.Task[None] | None = None
    witness: Witness | None = None
    kind, number = dying.next()
    is_last = kind == "worker" and not any(place.serves(one) for one in range(WORKERS) if one != number)
    if kind == "bus":
        await place.redis.kill()
        at = time.monotonic()
        back = asyncio.create_task(_back(place, chance.uniform(*BUS_SECONDS)))
    else:
        await until(lambda: place.has_engine, "a database")
        pid = place.engine if kind == "database" else place.workers[number].pid
        kill(pid)
        at = time.monotonic()
        witness = Witness(place, kind, pid, at)
    before, served = pressure(), dict[int, float]()
    deadline = at + PATIENCE_SECONDS
    while len(served) < len(diaries) and time.monotonic() < deadline:
        for one, diary in enumerate(diaries):
            if one not in served and (when := diary.served_after(at)) is not None:
                served[one] = when - at
        await asyncio.sleep(LOOK_SECONDS)
    found = _told(LAST_WORKER if is_last else kind, at, served, diaries)
    slow = sorted(range(len(diaries)), key=lambda one: served.get(one, PATIENCE_SECONDS))
    shown = [diaries[one] for one in dict.fromkeys((slow[0], slow[-1]))]
    after = pressure()
    found.waited = {what: round(after[what] - before[what], 2) for what in before}
    found.timeline = timeline(place, witness, shown, at, time.monotonic())
    if back is not None:
        await back
    if witness is not None:
        await witness.stop()
    if kind == "worker":
        await until(lambda: len(place.workers) == WORKERS, "another worker")
    return found


def _told(kind: str, at: float, served: dict[int, float], diaries: list[Diary]) -> Kill:
    """What a kill cost those whom it cut off: of a worker those who lost their line, else everybody."""
    everybody = range(len(diaries))
    cut_off = (
        [one for one in everybody if diaries[one].lost_at >= at] if kind in ("worker", LAST_WORKER) else list(everybody)
    )
    waited = [served.get(one, PATIENCE_SECONDS) for one in cut_off or everybody]
    return Kill(kind=kind, cut_off=len(cut_off), first_seconds=min(waited), all_seconds=max(waited))


async def _back(place: Town, seconds: float) -> None:
    assert place.redis is not None
    await asyncio.sleep(seconds)
    await place.redis.start()


def _clients(
    place: Town, sessions: int, per_second: float, seed: int
) -> tuple[dict[LibraryClient | PlainClient, Account], list[Diary], list[Texts]]:
    """Two for each session, one of each kind."""
    found: dict[LibraryClient | PlainClient, Account] = {}
    diaries, texts = [], []
    signer = Signer(KEY.encode())
    for number in range(2 * sessions):
        is_plain = number % 2 == 1
        if not is_plain:
            session_id = new_id("ses")
        name = f"{'plain' if is_plain else 'library'} {number // 2 + 1}"
        account = Account(name, session_id, new_id("usr"), is_one_by_one=not is_plain)
        ticket = signer.issue_ticket(session_id, account.user_id, name, "guest" if is_plain else "host")
        own, said, diary = random.Random(f"{seed} {name}"), Texts(name), Diary(name)
        pace = Pace(1 / per_second if per_second else 0.0)
        if is_plain:
            found[PlainClient(place.port, ticket, said, account, own, _nothing, diary, pace)] = account
        else:
            found[LibraryClient(place.url, ticket, said, account, own, _nothing, diary, pace)] = account
        diaries.append(diary)
        texts.append(said)
    return found, diaries, texts


def _nothing() -> None:
    """Diaries tell what is settled."""
