"""Workers, the database and Redis of one deployment, killed at random while people talk as fast as they can."""

import asyncio
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, overload

from benchmarks.faultbench.account import Account, Findings, check
from benchmarks.faultbench.evening import stored_talk, until_quiet, watched
from benchmarks.faultbench.library import LibraryClient
from benchmarks.faultbench.plain import PlainClient
from dateflicks.protocol.ids import new_id
from dateflicks.server.auth.tokens import Signer
from tests.faults.town import Town, town, until
from tests.server.processes import kill

KEY: Final = "the key of a deployment that is broken on purpose"
WORKERS: Final = 3
KINDS: Final = ("worker", "worker", "database", "bus")  # as often as that
REST_SECONDS: Final = (0.2, 1.0)  # after all have been acknowledged something, until the next kill
STEADY_SECONDS: Final = 10.5  # what dies again sooner is taken to be broken, and waited with
PATIENCE_SECONDS: Final = 30.0  # for all to be acknowledged something after a kill
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


@dataclass(slots=True)
class Acks:
    """When a client was last acknowledged something (monotonic)."""

    last: float = 0.0

    def note(self) -> None:
        """Something was."""
        self.last = time.monotonic()


@dataclass(slots=True, kw_only=True)
class Kill:
    """One kill: of what, and how long it took until somebody, and until everybody, was acknowledged something again."""

    kind: str
    first_seconds: float
    all_seconds: float


@dataclass(kw_only=True)
class Result:
    """What was done, and what came of it."""

    seed: int
    seconds: float = 0.0
    kills: list[Kill] = field(default_factory=list)
    findings: Findings = field(default_factory=Findings)


async def run_kills(count: int, sessions: int, seed: int, folder: Path, told: Callable[[Kill], None]) -> Result:
    """Kill so often while people talk in so many sessions, and hold what they know to what is kept."""
    result, began, chance = Result(seed=seed), time.monotonic(), random.Random(seed)
    async with town(folder, WORKERS, variables=FREE) as place:
        clients, acks, texts = _clients(place, sessions, seed)
        accounts = list(clients.values())
        running = [asyncio.create_task(client.run()) for client in clients]

        async def all_of_it() -> None:
            await until(lambda: all(one.last for one in acks), "the first words of everybody")
            dying = _Dying(chance)
            for _ in range(count):
                result.kills.append(await _kill(place, dying, acks, chance))
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


async def _kill(place: Town, dying: _Dying, acks: list[Acks], chance: random.Random) -> Kill:
    assert place.redis is not None
    back: asyncio.Task[None] | None = None
    kind, number = dying.next()
    at = time.monotonic()
    if kind == "worker":
        kill(place.workers[number].pid)
    elif kind == "database":
        await until(lambda: place.has_engine, "a database to kill")
        at = time.monotonic()
        kill(place.engine)
    else:
        await place.redis.kill()
        back = asyncio.create_task(_back(place, chance.uniform(*BUS_SECONDS)))
    await until(lambda: any(one.last > at for one in acks), f"a word acknowledged after a kill of {kind}")
    first = min(one.last for one in acks if one.last > at) - at
    waiting = set(range(len(acks)))
    deadline, longest = at + PATIENCE_SECONDS, 0.0
    while waiting and time.monotonic() < deadline:
        for number in [one for one in waiting if acks[one].last > at]:
            longest = max(longest, acks[number].last - at)
            waiting.discard(number)
        await asyncio.sleep(0.005)
    if back is not None:
        await back
    if kind == "worker":
        await until(lambda: len(place.workers) == WORKERS, "another worker")
    return Kill(kind=kind, first_seconds=first, all_seconds=PATIENCE_SECONDS if waiting else longest)


async def _back(place: Town, seconds: float) -> None:
    assert place.redis is not None
    await asyncio.sleep(seconds)
    await place.redis.start()


def _clients(
    place: Town, sessions: int, seed: int
) -> tuple[dict[LibraryClient | PlainClient, Account], list[Acks], list[Texts]]:
    """Two for each session, one of each kind."""
    found: dict[LibraryClient | PlainClient, Account] = {}
    acks, texts = [], []
    signer = Signer(KEY.encode())
    for number in range(2 * sessions):
        is_plain = number % 2 == 1
        if not is_plain:
            session_id = new_id("ses")
        name = f"{'plain' if is_plain else 'library'} {number // 2 + 1}"
        account = Account(name, session_id, new_id("usr"), is_one_by_one=not is_plain)
        ticket = signer.issue_ticket(session_id, account.user_id, name, "guest" if is_plain else "host")
        own, said, heard = random.Random(f"{seed} {name}"), Texts(name), Acks()
        if is_plain:
            found[PlainClient(place.port, ticket, said, account, own, heard.note)] = account
        else:
            found[LibraryClient(place.url, ticket, said, account, own, heard.note)] = account
        acks.append(heard)
        texts.append(said)
    return found, acks, texts
