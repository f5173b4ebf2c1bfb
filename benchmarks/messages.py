"""What the talk costs: pages of its history at any depth, and messages kept, beside what the bare database does.

    python -m benchmarks.messages
    python -m benchmarks.messages --rounds 5 --seconds 4 --json

A real service (a process of its own, with the embedded database) is asked for pages of 50 out of sessions of 1,000,
10,000 and 100,000 messages over one connection, in turns: pages per second, as a ratio to those of the smallest. Then
1, 10 and 100 people say one thing after the other, each when the last is acknowledged, in turns with as many writers
straight to an engine of its own with the same data: acknowledged messages per second as a ratio to bare inserts. Last,
how long an acknowledgement takes as a ratio to a frame that is told on and not kept (typing), in turns on one line,
and beside a bare insert, which is most of it.
All ratios are of medians of one run. Ends with 1 when one misses its target on a machine that is quiet enough.
"""

import argparse
import asyncio
import contextlib
import itertools
import os
import secrets
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec
import neosqlite
from pymongo import AsyncMongoClient
from rich.console import Console
from rich.table import Table

from benchmarks.faultbench.service import MessagesProcess
from benchmarks.faultbench.sockets import PlainSocket, opened
from benchmarks.filmbench.calls import connected
from benchmarks.filmbench.report import Machine, plain_table, tell, this_machine, verdicts
from benchmarks.syncbench.figures import Row, Target, row
from dateflicks.protocol.ids import new_id
from dateflicks.server.auth.tokens import Signer
from dateflicks.server.services.messages.records import COLLECTIONS, DATABASE, MESSAGES, Draft, to_document
from dateflicks.server.storage.database import CONNECTIONS_MAX, Database, DatabaseSettings

SIZES: Final = (1_000, 10_000, 100_000)
LIMIT: Final = 50
CROWDS: Final = (1, 10, 100)
BATCH: Final = 1_000
PAGES_AT_A_TIME: Final = 25
TELLINGS: Final = 100  # of each kind in a round
Document = dict[str, Any]
Query = Callable[[int], tuple[str, int]]

PAGES: Final[dict[str, Query]] = {  # the query, and the number of the first message that has to come
    "newest": lambda size: ("", size - LIMIT + 1),
    "middle, towards the oldest": lambda size: (f"before={size // 2}&", size // 2 - LIMIT),
    "oldest, from behind": lambda _: (f"before={LIMIT + 1}&", 1),
    "oldest": lambda _: ("after=0&", 1),
    "middle, towards the newest": lambda size: (f"after={size // 2}&", size // 2 + 1),
    "newest, from before": lambda size: (f"after={size - LIMIT}&", size - LIMIT + 1),
}
WAITS: Final = ("acknowledged", "told on", "bare insert")  # a message, a frame of typing, a document
KEPT: Final = Target("kept by 100 / bare inserts", "x", 0.6, 0.85, is_floor=True)
TOLD: Final = Target("acknowledged / told on, p50", "x", 7.0, 4.0, known="5.8")


class Run(msgspec.Struct):
    """One run of the bench, as it is written with --json."""

    rounds: int
    machine: Machine
    filled_per_second: float = 0.0
    pages_per_second: dict[str, dict[int, float]] = {}
    kept_per_second: dict[int, float] = {}
    bare_per_second: dict[int, float] = {}
    wait_ms: dict[str, float] = {}  # medians
    rows: list[Row] = []


class Bench:
    """A service at `port`, the talks it has by their sizes, and an engine of its own to be written to barely."""

    def __init__(self, port: int, signer: Signer, talks: Mapping[int, str], bare: "AsyncMongoClient[Document]") -> None:
        self.port = port
        self._signer = signer
        self._talks = talks
        self._bare = bare

    def ticket(self, session_id: str) -> str:
        """A place in a session for somebody new."""
        return self._signer.issue_ticket(session_id, new_id("usr"), "somebody", "guest")

    # --- pages --------------------------------------------------------------------------------------------------

    async def pages(self, rounds: int) -> dict[str, dict[int, float]]:
        """Pages per second by kind of page and size of talk; the first round fills caches."""
        found: dict[str, dict[int, list[float]]] = {kind: {size: [] for size in self._talks} for kind in PAGES}
        tickets = {size: self.ticket(session_id) for size, session_id in self._talks.items()}
        async with connected(self.port) as calls:
            for turn in range(rounds * 4 + 1):
                for (kind, query), (size, session_id) in itertools.product(PAGES.items(), self._talks.items()):
                    text, first = query(size)
                    path = f"/messages/{session_id}?{text}limit={LIMIT}"
                    if turn == 0:
                        items = msgspec.json.decode(await calls.get(path, tickets[size]))["items"]
                        assert [one["seq"] for one in items] == list(range(first, first + LIMIT)), (kind, size)
                        continue
                    began = time.perf_counter()
                    for _ in range(PAGES_AT_A_TIME):
                        await calls.get(path, tickets[size])
                    found[kind][size].append(PAGES_AT_A_TIME / (time.perf_counter() - began))
        return {kind: {size: statistics.median(times) for size, times in by.items()} for kind, by in found.items()}

    # --- messages -----------------------------------------------------------------------------------------------

    async def kept(self, people: int, seconds: float) -> float:
        """Acknowledged messages per second of so many people, two to a session where there are two."""
        sessions = [new_id("ses") for _ in range((people + 1) // 2)]
        async with contextlib.AsyncExitStack() as stack:
            sockets = []
            for number in range(people):
                session_id = sessions[number // 2]
                sockets.append(await stack.enter_async_context(opened(self.port, session_id, self.ticket(session_id))))
            return await _per_second([_speak(socket) for socket in sockets], seconds)

    async def inserted(self, writers: int, seconds: float) -> float:
        """Documents like messages per second that so many writers insert into the bare engine."""
        table = self._bare[DATABASE][MESSAGES.name]

        async def write(count: Callable[[], None]) -> None:
            session_id = new_id("ses")
            for number in itertools.count(1):
                await table.insert_one(message_document(session_id, number))
                count()

        return await _per_second([write] * writers, seconds)

    async def waits(self) -> dict[str, list[float]]:
        """Milliseconds of each kind of wait (`WAITS`), one after the other."""
        table = self._bare[DATABASE][MESSAGES.name]
        session_id = new_id("ses")
        found: dict[str, list[float]] = {kind: [] for kind in WAITS}

        async def timed(kind: str, work: Awaitable[object]) -> None:
            began = time.perf_counter()
            await work
            found[kind].append((time.perf_counter() - began) * 1_000)

        async with (
            opened(self.port, session_id, self.ticket(session_id)) as ana,
            opened(self.port, session_id, self.ticket(session_id)) as bea,
        ):
            for number in range(1, TELLINGS + 1):
                await timed("acknowledged", _said(ana, _frame(number), ana, b'"type":"ack"'))
                await _heard(bea, b'"type":"message"')
                await timed("told on", _said(ana, {"type": "typing"}, bea, b'"type":"typing"'))
                await timed("bare insert", table.insert_one(message_document(session_id, number)))
        return found


Work = Callable[[Callable[[], None]], Awaitable[None]]


async def _per_second(works: Iterable[Work], seconds: float) -> float:
    """How often they all count in so many seconds, after they have run for a fifth of that."""
    counted = 0

    def count() -> None:
        nonlocal counted
        counted += 1

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_run(work, count)) for work in works]
        await asyncio.sleep(seconds / 5)
        before, began = counted, time.perf_counter()
        await asyncio.sleep(seconds)
        rate = (counted - before) / (time.perf_counter() - began)
        for task in tasks:
            task.cancel()
    return rate


async def _run(work: Work, count: Callable[[], None]) -> None:
    await work(count)


def _speak(socket: PlainSocket) -> Work:
    async def speak(count: Callable[[], None]) -> None:
        for number in itertools.count():
            await _said(socket, _frame(number), socket, b'"type":"ack"')
            count()

    return speak


async def _said(socket: PlainSocket, frame: Document, hears: PlainSocket, what: bytes) -> None:
    socket.send(frame)
    await _heard(hears, what)


async def _heard(socket: PlainSocket, what: bytes) -> None:
    while what not in (text := await socket.receive_text()):
        assert b'"type":"error"' not in text, text


def _frame(number: int) -> Document:
    return {"type": "message", "clientId": f"c-{number}", "kind": "text", "content": _content(number)}


def _content(number: int) -> str:
    return f"this is what somebody says as number {number} in a talk about a film"


def message_document(session_id: str, seq: int) -> Document:
    """A document as the service would write it."""
    draft = Draft(
        kind="text", content=_content(seq), author="usr_" + "b" * 26, author_name="somebody", position=float(seq),
        client_id=f"f-{seq}",
    )  # fmt: skip
    document = to_document(session_id, draft, draft.id_in(session_id), 1_700_000_000.0 + seq)
    return {"_id": f"{session_id}:{seq:012d}", "seq": seq, **document, "rev": 1}


def _fill(folder: Path, talks: Mapping[int, str]) -> float:
    """Write the talks of those sizes with what the engine is built on, ten times as fast as over its wire."""
    asyncio.run(prepared(folder))
    began = time.perf_counter()
    with neosqlite.Connection(str(next(folder.rglob(f"{DATABASE}.db")))) as database:
        for size, session_id in talks.items():
            for first in range(1, size + 1, BATCH):
                last = min(first + BATCH, size + 1)
                database[MESSAGES.name].insert_many([message_document(session_id, seq) for seq in range(first, last)])
    return sum(talks) / (time.perf_counter() - began)


async def prepared(folder: Path) -> None:
    """Have the collections and their indexes there."""
    async with bare_engine(folder):
        pass


@contextlib.asynccontextmanager
async def bare_engine(folder: Path) -> AsyncIterator["AsyncMongoClient[Document]"]:
    """The driver itself, on an embedded engine whose collections are as the service has them."""
    async with Database.open(DatabaseSettings(), folder, COLLECTIONS) as database:
        assert database.engine is not None
        client: AsyncMongoClient[Document] = AsyncMongoClient(
            database.engine.uri, journal=True, maxPoolSize=CONNECTIONS_MAX
        )
        async with client:
            yield client


def measure(rounds: int, seconds: float, say: Callable[[str], None]) -> Run:
    """Fill two databases with the same, then measure in turns."""
    load = os.getloadavg()[0]
    run = Run(rounds=rounds, machine=this_machine(load))
    talks = {size: new_id("ses") for size in SIZES}
    key = secrets.token_hex(32)
    with tempfile.TemporaryDirectory(prefix="dateflicks-messages-") as folder:
        service = MessagesProcess(Path(folder), key)
        run.filled_per_second = _fill(service.data, talks)
        say(f"{sum(talks)} messages written, {run.filled_per_second:.0f} per second")
        shutil.copytree(service.data, Path(folder) / "bare")
        asyncio.run(_measure(run, service, Path(folder) / "bare", Signer(key.encode()), talks, seconds, say))
    run.machine = this_machine(load)
    run.rows = judged(run)
    return run


async def _measure(
    run: Run,
    service: MessagesProcess,
    folder: Path,
    signer: Signer,
    talks: Mapping[int, str],
    seconds: float,
    say: Callable[[str], None],
) -> None:
    async with contextlib.AsyncExitStack() as stack:
        bare = await stack.enter_async_context(bare_engine(folder))
        port = await service.start()
        stack.push_async_callback(service.end)
        bench = Bench(port, signer, talks, bare)
        run.pages_per_second = await bench.pages(run.rounds)
        say("pages measured")
        kept: dict[int, list[float]] = {people: [] for people in CROWDS}
        inserted: dict[int, list[float]] = {people: [] for people in CROWDS}
        waits: dict[str, list[float]] = {kind: [] for kind in WAITS}
        for turn in range(run.rounds):
            for people in CROWDS:
                inserted[people].append(await bench.inserted(people, seconds))
                kept[people].append(await bench.kept(people, seconds))
            for kind, found in (await bench.waits()).items():
                waits[kind] += found
            say(f"round {turn + 1} of {run.rounds}")
        run.kept_per_second = {people: statistics.median(found) for people, found in kept.items()}
        run.bare_per_second = {people: statistics.median(found) for people, found in inserted.items()}
        run.wait_ms = {kind: statistics.median(found) for kind, found in waits.items()}


def judged(run: Run) -> list[Row]:
    """The figures that have a target."""
    smallest, largest = min(SIZES), max(SIZES)
    is_quiet = run.machine.load[0] <= run.machine.processors  # a hundred writers are what makes it busy at the end
    rows = []
    for kind, by in run.pages_per_second.items():
        target = Target(f"{kind}, {largest} / {smallest}", "x", 0.83, 0.95, is_floor=True)
        rows.append(row("pages", target, by[largest] / by[smallest], is_quiet=is_quiet))
    people = max(CROWDS)
    rows.append(row("messages", KEPT, run.kept_per_second[people] / run.bare_per_second[people], is_quiet=is_quiet))
    rows.append(row("messages", TOLD, run.wait_ms["acknowledged"] / run.wait_ms["told on"], is_quiet=is_quiet))
    return rows


def tables(run: Run) -> list[Table]:
    """What was measured, in words and numbers."""
    smallest = min(SIZES)
    return [
        plain_table(
            f"pages of {LIMIT} per second, and as a ratio to the smallest talk",
            ("page", *(f"{size:,} messages" for size in SIZES)),
            [
                (kind, *(f"{by[size]:.0f}  ({by[size] / by[smallest]:.2f})" for size in SIZES))
                for kind, by in run.pages_per_second.items()
            ],
        ),
        plain_table(
            "messages acknowledged per second, beside bare inserts by as many writers",
            ("people", "acknowledged", "bare inserts", "ratio"),
            [
                (str(people), f"{kept:.0f}", f"{bare:.0f}", f"{kept / bare:.2f}")
                for (people, kept), bare in zip(run.kept_per_second.items(), run.bare_per_second.values(), strict=True)
            ],
        ),
        plain_table("how long it takes, p50", ("", "ms"), [(kind, f"{ms:.2f}") for kind, ms in run.wait_ms.items()]),
        verdicts(run.rows, run.machine),
    ]


def main() -> int:
    """The command; exit status 1 when a ratio was missed on a machine that was quiet enough."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.messages", description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3.0, help="how long each crowd talks in a round")
    parser.add_argument("--json", action="store_true", help="write the run as JSON on stdout")
    options = parser.parse_args()
    words = Console(stderr=True, highlight=False)
    run = measure(options.rounds, options.seconds, lambda text: words.print(text, markup=False))
    return tell(run, run.rows, tables(run), as_json=options.json)


if __name__ == "__main__":
    sys.exit(main())
