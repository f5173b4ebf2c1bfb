"""An evening full of faults: a messages service that is killed and restarted under talk, over lines that are cut."""

import asyncio
import random
import secrets
import time
from collections.abc import Awaitable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from benchmarks.faultbench.account import Account, Findings, Told, check
from benchmarks.faultbench.library import LibraryClient
from benchmarks.faultbench.line import MortalLine
from benchmarks.faultbench.plain import PlainClient
from benchmarks.faultbench.service import MessagesProcess
from dateflicks.protocol.ids import new_id
from dateflicks.server.auth.tokens import Signer
from dateflicks.server.services.messages.records import COLLECTIONS, MESSAGES
from dateflicks.server.storage.database import Database, DatabaseSettings

PAGE: Final = 200
PADDING_MAX: Final = 200  # characters of a message beyond what tells it from others
KILL_WITHIN: Final = (0.03, 0.95)  # of what is to be said
LATE_SECONDS: Final = 0.05  # a kill comes up to so long after its share was reached: between any two lines
DARK_SECONDS: Final = 0.5  # up to so long until the next service starts
QUIET_SECONDS: Final = 0.5  # without anything new, before it is asked whether all have everything

Client = LibraryClient | PlainClient


@dataclass(frozen=True, kw_only=True)
class Scale:
    """How much is said and how often something breaks; `cut_seconds` is the mean time between two cuts."""

    sessions: int = 20
    messages: int = 5_000
    kills: int = 5
    cut_seconds: float = 0.04
    patience_seconds: float = 300.0


@dataclass(kw_only=True)
class Result:
    """What was done to the service and its clients, and what came of it."""

    seed: int
    seconds: float = 0.0
    kills: int = 0
    cuts: int = 0
    longest_pause: float = 0.0  # seconds in which nobody got an acknowledgement
    findings: Findings = field(default_factory=Findings)


class Progress:
    """How much is settled over all clients, and since when nothing was."""

    def __init__(self) -> None:
        self.settled = 0
        self.longest_pause = 0.0
        self._last = time.monotonic()
        self._news = asyncio.Event()

    def note(self) -> None:
        """Something more is settled."""
        now = time.monotonic()
        self.longest_pause = max(self.longest_pause, now - self._last)
        self._last = now
        self.settled += 1
        self._news.set()

    async def reach(self, count: int) -> None:
        """Wait until so much is."""
        while self.settled < count:
            self._news.clear()
            await self._news.wait()


async def run_evening(scale: Scale, seed: int, folder: Path) -> Result:
    """Have all of it said, whatever breaks, and hold what the clients know to what the database has."""
    result = Result(seed=seed)
    began = time.monotonic()
    key = secrets.token_hex(32)
    async with MortalLine(random.Random(f"{seed} line")) as line:
        service = MessagesProcess(folder, key, f"http://127.0.0.1:{line.port}")
        line.target = await service.start()
        try:
            progress = Progress()
            clients = _clients(scale, seed, line.port, Signer(key.encode()), progress)
            accounts = list(clients.values())
            kills = random.Random(f"{seed} kills")
            shares = sorted(kills.uniform(*KILL_WITHIN) for _ in range(scale.kills))
            running = [asyncio.create_task(client.run()) for client in clients]
            cutting = asyncio.create_task(line.cut_at_random(scale.cut_seconds))

            async def all_of_it() -> None:
                for share in shares:
                    await progress.reach(int(share * scale.messages))
                    await asyncio.sleep(kills.uniform(0, LATE_SECONDS))
                    line.target = 0
                    await service.kill()
                    result.kills += 1
                    await asyncio.sleep(kills.uniform(0, DARK_SECONDS))
                    line.target = await service.start()
                await progress.reach(scale.messages)
                cutting.cancel()
                await until_quiet(accounts)

            try:
                why = await watched(all_of_it(), [*running, cutting], scale.patience_seconds)
            finally:
                for task in (*running, cutting):
                    task.cancel()
                await asyncio.wait([*running, cutting])
        finally:
            await service.end()
        result.cuts = line.cuts
    result.findings = check(accounts, await stored_talk(service.data, {one.session_id for one in accounts}))
    if why:
        result.findings.faults += 1
        unfinished = [account.name for client, account in clients.items() if not client.is_finished]
        result.findings.note(f"{why}; not finished: {', '.join(unfinished) or 'none'}")
    result.longest_pause = round(progress.longest_pause, 2)
    result.seconds = round(time.monotonic() - began, 1)
    return result


async def watched(work: Awaitable[None], others: list[asyncio.Task[None]], seconds: float) -> str:
    """Do it, unless it takes too long or one of the others, which have no end of their own, fails; then why."""
    working = asyncio.ensure_future(work)
    try:
        pending: set[asyncio.Future[None]] = {working, *others}
        deadline = time.monotonic() + seconds
        while not working.done():
            left = deadline - time.monotonic()
            done, pending = await asyncio.wait(pending, timeout=max(0.0, left), return_when=asyncio.FIRST_COMPLETED)
            if not done:
                return f"not done within {seconds:g} s"
            for one in done - {working}:
                if not one.cancelled() and (error := one.exception()) is not None:
                    return f"a client ended: {type(error).__name__}: {error}"
        await working
        return ""
    finally:
        working.cancel()


async def until_quiet(accounts: list[Account]) -> None:
    """Until all of a session show equally much, and nothing more comes: the check is strict, this only waits."""
    while True:
        before = [len(account.shown) for account in accounts]
        await asyncio.sleep(QUIET_SECONDS)
        counts: dict[str, set[int]] = {}
        for account in accounts:
            counts.setdefault(account.session_id, set()).add(len(account.shown))
        is_even = all(len(found) == 1 for found in counts.values())
        if is_even and [len(account.shown) for account in accounts] == before:
            return


def _clients(scale: Scale, seed: int, port: int, signer: Signer, progress: Progress) -> dict[Client, Account]:
    """Two for each session, one of each kind."""
    found: dict[Client, Account] = {}
    chance = random.Random(f"{seed} texts")
    count = 2 * scale.sessions
    sessions = [new_id("ses") for _ in range(scale.sessions)]
    for number in range(count):
        is_plain = number % 2 == 1
        name = f"{'plain' if is_plain else 'library'} {number // 2 + 1}"
        account = Account(name, sessions[number // 2], new_id("usr"), is_one_by_one=not is_plain)
        ticket = signer.issue_ticket(account.session_id, account.user_id, name, "guest" if is_plain else "host")
        share = scale.messages // count + (number < scale.messages % count)
        texts = [f"{name} says {each}" + "." * chance.randrange(PADDING_MAX) for each in range(share)]
        own = random.Random(f"{seed} {name}")
        if is_plain:
            found[PlainClient(port, ticket, texts, account, own, progress.note)] = account
        else:
            url = f"http://127.0.0.1:{port}"
            found[LibraryClient(url, ticket, texts, account, own, progress.note)] = account
    return found


async def stored_talk(data: Path, sessions: set[str]) -> dict[str, list[Told]]:
    """What the database itself has of each session, also behind a gap if there is one, without any service."""
    found: dict[str, list[Told]] = {}
    async with Database.open(DatabaseSettings(), data, COLLECTIONS) as database:
        table = database.table(MESSAGES)
        for session_id in sorted(sessions):
            found[session_id] = []
            first = 1
            while True:
                documents = await table.get_many([f"{session_id}:{seq:012d}" for seq in range(first, first + PAGE)])
                for _, one in sorted(documents.items()):
                    told = Told(one["seq"], one["messageId"], one["author"], one["clientId"], one["content"])
                    found[session_id].append(told)
                if not documents:
                    break
                first += PAGE
    return found
