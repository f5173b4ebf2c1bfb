"""What many pairs cost a server, beside servers that do nothing else, and beside Syncplay's.

    python -m benchmarks.load
    python -m benchmarks.load --only relay --rounds 5 --seconds 8 --pairs 400
    python -m benchmarks.load --only live --people 2000 --minutes 10
    python -m benchmarks.load --only idle --sockets 18000 --hold 60
    python -m benchmarks.load --only workers --workers 4
    python -m benchmarks.load --only history --messages 1000000       takes long: the messages are written first

Pairs in processes of their own speak to a real `dateflicks serve` as clients do. In turns, so that all see the same
machine, so do they to a relay in C that does nothing (where there is a compiler), to one on the bare `websockets`
library, to one on the web framework's own handler, and to Syncplay's server (where it is installed). All figures are
ratios to these, of medians over the rounds. The parts:

    relay    a change that both hear of: processor time, without and with the database; delays under a light load
    live     people who watch: pings, reports, and a change now and then
    idle     sockets that only are there: memory, and whether all are well after a while
    joins    what it costs to connect, with the ticket checked and the state told, and whether it stays the same
    chat     messages kept: their acknowledgement beside a frame that is not kept, and beside bare inserts
    workers  the same between two processes, with a Redis
    writes   what is asked of the database, by the server's own count
    history  pages of a long history, by processor time

Ends with 1 when one misses its target on a machine that is quiet enough.

One file, though long: each part is a table of figures and its verdicts, and all share the servers that they measure.
"""

import argparse
import asyncio
import contextlib
import math
import os
import random
import secrets
import shutil
import statistics
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec
import neosqlite
from rich.console import Console
from rich.table import Table

from benchmarks.filmbench.calls import connected
from benchmarks.filmbench.report import Machine, plain_table, tell, this_machine, verdicts
from benchmarks.kernel import files_allowed
from benchmarks.loadbench.measuring import Idle, Lives, Load, gathered, idle, light, lived, saturated
from benchmarks.loadbench.processes import (
    Served,
    compiler,
    null_relay,
    ours,
    redis,
    relay,
    syncplay_server,
)
from benchmarks.messages import Bench, bare_engine, message_document, prepared
from benchmarks.syncbench.figures import Row, Target, row
from dateflicks.protocol.ids import new_id
from dateflicks.server.auth.tokens import Signer
from dateflicks.server.services.messages.records import DATABASE, MESSAGES

PARTS: Final = ("relay", "live", "idle", "joins", "chat", "workers", "writes", "history")
USUAL: Final = PARTS[:-1]
RATE: Final = 500.0  # changes a second that are a light load
ROOM: Final = 100  # messages of a session in a long history
PAGES: Final = 400
BATCH: Final = 1_000
SPARE_FILES: Final = 200
TICKS_SECONDS: Final = 6.0  # two reports of each
NEVER_SECONDS: Final = 1e9  # a change that comes after all that is measured
NAN: Final = float("nan")

T1: Final = Target("T1 change: processor time / Syncplay's pause", "x", 0.65, 0.45, known="lab 0.49")
T1_CHAT: Final = Target("T1 change: processor time / Syncplay's chat", "x", 0.65, 0.45, known="lab 0.49")
T1_WRITING: Final = Target("T1 a frame that is told on / Syncplay's chat", "x", 0.65, 0.45, known="lab 0.49")
T2: Final = Target("T2 change: processor time / relay in C", "x", 4.5, 3.0, known="lab 2.6-3.4")
T2_WRITING: Final = Target("T2 a frame that is told on / relay in C", "x", 4.5, 3.0, known="lab 2.6-3.4")
T3: Final = Target("T3 change, light load: p50 / relay in C", "x", 1.8, 1.4, known="lab 1.44")
T3_WRITING: Final = Target("T3 a frame that is told on: p50 / relay in C", "x", 1.8, 1.4, known="lab 1.44")
T4: Final = Target("T4 people who watch: share of a core / Syncplay", "x", 0.33, 0.15)
T4_SIGNS: Final = Target("T4 signs of life alone: share of a core / Syncplay", "x", 0.33, 0.15)
T5: Final = Target("T5 people who watch: p99 of a change", "ms", 50.0, 10.0)
T5_BESIDE: Final = Target("T5 people who watch: p99 / Syncplay", "x", 1.0)
T6: Final = Target("T6 memory of an idle socket", "kB", 28.0, 20.0)
T7: Final = Target("T7 idle sockets that were well", "share", 1.0, is_floor=True)
T8: Final = Target("T8 to connect: all / the first quarter", "x", 1.15)
T8_COST: Final = Target("T8 to connect: processor time", "ms", 2.0, 1.2)
T9: Final = Target("T9 acknowledged / told on, p50", "x", 7.0, 4.0, known="5.8")
T10: Final = Target("T10 between processes / told on in one, p50", "x", 10.0, 6.0, known="7.8")
T11: Final = Target("T11 acknowledged by 100 / bare inserts", "x", 0.6, 0.85, is_floor=True)
T12: Final = {
    "join": Target("T12 reads for a pair to connect, each", "", 3.0, 2.0),
    "tick": Target("T12 commands for a report or a ping", "", 0.0),
    "change": Target("T12 writes for a change", "", 1.0),
    "message": Target("T12 writes for a message", "", 1.0),
}
T13: Final = Target("T13 a page of the long / the short history", "x", 1.2, 1.05)


class Options(msgspec.Struct, kw_only=True):
    """What is measured, and how much of it."""

    parts: list[str]
    rounds: int
    seconds: float
    pairs: int
    people: int
    live_seconds: float
    sockets: int
    hold: float
    processes: int
    workers: int
    messages: int


class Run(msgspec.Struct):
    """One run, as it is written with --json."""

    options: Options
    machine: Machine | None = None
    without: list[str] = []  # what could not be measured beside, and why
    loads: list[Load] = []
    lives: list[Lives] = []
    idles: list[Idle] = []
    chat: dict[str, float] = {}
    commands: dict[str, float] = {}
    history_ms: dict[int, float] = {}
    rows: list[Row] = []


class Stage:
    """Where things run: a folder, and the deployment's key."""

    def __init__(self, folder: Path, run: Run, say: Callable[[str], None]) -> None:
        self.folder = folder
        self.key = secrets.token_hex(32)
        self.run = run
        self.options = run.options
        self.say = say
        self._numbers = 0

    def place(self) -> Path:
        """A new folder."""
        self._numbers += 1
        place = self.folder / str(self._numbers)
        place.mkdir()
        return place

    @property
    def has_floor(self) -> bool:
        """Whether the relay in C can be made."""
        return compiler() is not None

    @property
    def has_syncplay(self) -> bool:
        """Whether Syncplay's server is there."""
        return shutil.which("syncplay-server") is not None

    def judge(self, scenario: str, target: Target, value: float) -> None:
        """One more figure with a target."""
        self.run.rows.append(row(scenario, target, value, is_quiet=this_machine(os.getloadavg()[0]).is_quiet))

    @contextlib.asynccontextmanager
    async def ours(self, service: str) -> AsyncIterator[Served]:
        """A service of ours."""
        async with ours(service, self.place(), self.key) as served:
            yield served

    @contextlib.asynccontextmanager
    async def beside(self, *, relays: bool = True) -> AsyncIterator[dict[str, Served]]:
        """All that ours is measured beside, by name."""
        async with contextlib.AsyncExitStack() as stack:
            found: dict[str, Served] = {}
            if relays:
                if self.has_floor:
                    found["floor"] = await stack.enter_async_context(null_relay(self.place()))
                for kind in ("websockets", "sanic"):
                    found[kind] = await stack.enter_async_context(relay(kind))
            if self.has_syncplay:
                found["syncplay"] = await stack.enter_async_context(syncplay_server(self.place()))
            yield found


# --- the parts --------------------------------------------------------------------------------------------------


async def measure_relay(stage: Stage) -> None:
    """T1, T2, T3."""
    o = stage.options
    found: dict[str, list[Load]] = {}

    def note(name: str, load: Load) -> None:
        found.setdefault(name, []).append(load)

    async with (
        stage.beside() as others,
        stage.ours("timecode") as timecode,
        stage.ours("messages") as messages,
        contextlib.AsyncExitStack() as stack,
    ):
        kinds: list[tuple[str, Served, str, bool]] = [
            *((name, one, "relay", False) for name, one in others.items() if name != "syncplay"),
            *(
                (kind, one, kind, False)
                for one in [others.get("syncplay")]
                if one
                for kind in ("syncplay", "syncplay-chat")
            ),
            ("ours", timecode, "timecode", True),
            ("ours, writing", messages, "typing", False),
        ]
        crowds = {
            name: await stack.enter_async_context(
                gathered(served, kind, o.pairs, o.processes, stage.key)  # type: ignore[arg-type]  # one of the kinds
            )
            for name, served, kind, _ in kinds
        }
        for turn in range(o.rounds):
            for name, _, kind, frozen in kinds:
                note(name, await saturated(crowds[name], kind, o.seconds, frozen=frozen))
                note(f"{name}, light", await light(crowds[name], f"{kind}, light", o.seconds, RATE, frozen=frozen))
            note("ours, kept", await saturated(crowds["ours"], "timecode, kept", o.seconds))
            stage.say(f"relay: round {turn + 1} of {o.rounds}")
    medians = {name: _median(loads) for name, loads in found.items()}
    stage.run.loads += medians.values()
    own, writing = medians["ours"], medians["ours, writing"]
    if stage.has_syncplay:
        stage.judge("relay", T1, own.cpu / medians["syncplay"].cpu)
        stage.judge("relay", T1_CHAT, own.cpu / medians["syncplay-chat"].cpu)
        stage.judge("relay", T1_WRITING, writing.cpu / medians["syncplay-chat"].cpu)
    if stage.has_floor:
        stage.judge("relay", T2, own.cpu / medians["floor"].cpu)
        stage.judge("relay", T2_WRITING, writing.cpu / medians["floor"].cpu)
        stage.judge("relay", T3, medians["ours, light"].p50 / medians["floor, light"].p50)
        stage.judge("relay", T3_WRITING, medians["ours, writing, light"].p50 / medians["floor, light"].p50)


def _median(loads: Sequence[Load]) -> Load:
    """Field by field, over the rounds."""
    first = loads[0]
    fields = ("cpu", "per_core", "per_second", "database_cpu", "p50", "p99")
    values = {name: statistics.median(getattr(one, name) for one in loads) for name in fields}
    return msgspec.structs.replace(first, **values, errors=sum(one.errors for one in loads))


async def measure_live(stage: Stage) -> None:
    """T4, T5."""
    o = stage.options
    lives: dict[str, Lives] = {}
    async with stage.beside(relays=False) as others, stage.ours("timecode") as own:
        for name, served, kind in (
            ("ours", own, "timecode"),
            ("ours, signs of life", own, "timecode-signs"),
            ("syncplay", others.get("syncplay"), "syncplay"),
        ):
            if served is None:
                continue
            async with gathered(served, kind, o.people, o.processes, stage.key) as here:  # type: ignore[arg-type]
                lives[name] = msgspec.structs.replace(await lived(here, o.people, o.live_seconds, 30.0), server=name)
                stage.say(f"live: {name}, {o.people} pairs, {lives[name].share:.1%} of a core")
    stage.run.lives += lives.values()
    stage.judge("live", T5, lives["ours"].p99 / 1_000)
    if "syncplay" in lives:
        stage.judge("live", T4, lives["ours"].share / lives["syncplay"].share)
        stage.judge("live", T4_SIGNS, lives["ours, signs of life"].share / lives["syncplay"].share)
        stage.judge("live", T5_BESIDE, lives["ours"].p99 / lives["syncplay"].p99)


async def measure_idle(stage: Stage) -> None:
    """T6, T7."""
    o = stage.options
    found: list[Idle] = []
    async with stage.beside() as others:
        for name, served in others.items():
            if name == "syncplay" and o.sockets > 4_000:
                continue  # it would take minutes: it looks at everybody when somebody comes
            kind = "syncplay" if name == "syncplay" else "relay"
            found.append(await idle(served, kind, o.sockets, o.processes))  # type: ignore[arg-type]
    # Whether all are well is asked by what is told on: two thousand messages at one moment would ask the disk.
    for service, kind in (("timecode", "timecode"), ("messages", "typing")):
        async with stage.ours(service) as served:
            here = await idle(
                served, kind, o.sockets, o.processes, hold=o.hold, key=stage.key, name=f"ours, {service}"  # type: ignore[arg-type]
            )  # fmt: skip
        found.append(here)
        stage.say(f"idle: {service}, {here.sockets} sockets, {here.kilobytes:.1f} kB each, {here.errors} errors")
        stage.judge("idle", _named(T6, service), here.kilobytes)
        well = min(here.answered * 2 / here.sockets, 1.0) if not here.errors else 0.0
        stage.judge("idle", _named(T7, service), well)
    stage.run.idles += found


async def measure_joins(stage: Stage) -> None:
    """T8."""
    o = stage.options
    quarters: list[float] = []
    wholes: list[float] = []
    for turn in range(o.rounds):
        async with stage.ours("timecode") as served:
            here = await idle(served, "timecode", o.sockets, o.processes, key=stage.key, name="ours, joins")
        quarters.append(here.join_ms[0])
        wholes.append(here.join_ms[1])
        stage.run.idles.append(here)
        stage.say(f"joins: round {turn + 1} of {o.rounds}, {here.join_ms[1]:.2f} ms")
    stage.judge("joins", T8, statistics.median(whole / first for whole, first in zip(wholes, quarters, strict=True)))
    stage.judge("joins", T8_COST, statistics.median(wholes))


async def measure_chat(stage: Stage) -> None:
    """T9, T11."""
    o = stage.options
    waits: dict[str, list[float]] = {}
    kept: list[float] = []
    bare: list[float] = []
    place = stage.place()
    await prepared(place / "bare")
    async with stage.ours("messages") as served, bare_engine(place / "bare") as engine:
        bench = Bench(served.port, Signer(stage.key.encode()), {}, engine)
        for turn in range(o.rounds):
            bare.append(await bench.inserted(100, o.seconds))
            kept.append(await bench.kept(100, o.seconds))
            for kind, times in (await bench.waits()).items():
                waits.setdefault(kind, []).extend(times)
            stage.say(f"chat: round {turn + 1} of {o.rounds}")
    medians = {kind: statistics.median(times) for kind, times in waits.items()}
    stage.run.chat |= {f"{kind}, ms": ms for kind, ms in medians.items()}
    stage.run.chat |= {"kept by 100, per second": statistics.median(kept)}
    stage.run.chat |= {"bare inserts by 100, per second": statistics.median(bare)}
    stage.judge("chat", T9, medians["acknowledged"] / medians["told on"])
    stage.judge("chat", T11, statistics.median(kept) / statistics.median(bare))


async def measure_workers(stage: Stage) -> None:
    """T10, and what a change costs that has to go to another process."""
    o = stage.options
    if shutil.which("redis-server") is None:
        stage.run.without.append("workers: redis-server is not installed")
        return
    async with contextlib.AsyncExitStack() as stack:
        bus = await stack.enter_async_context(redis(stage.place()))
        alone = await stack.enter_async_context(stage.ours("messages"))
        several = {
            service: await stack.enter_async_context(
                ours(service, stage.place(), stage.key, workers=o.workers, bus=bus)
            )
            for service in ("messages", "timecode")
        }
        one = await stack.enter_async_context(gathered(alone, "typing", 4, 1, stage.key))
        apart = {}
        for service, kind in (("messages", "messages"), ("timecode", "timecode")):
            here = await stack.enter_async_context(gathered(several[service], kind, 24, 1, stage.key))  # type: ignore[arg-type]
            pairs = (await here.split()).changes
            stage.say(f"workers: {pairs} of 24 pairs of {service} are with two processes")
            apart[service] = here
        found: dict[str, list[Load]] = {"told on": [], "messages": [], "timecode": []}
        for _ in range(o.rounds):
            found["told on"].append(await light(one, "writing, one process", o.seconds, 20.0))
            found["messages"].append(await light(apart["messages"], "message, two processes", o.seconds, 20.0))
            found["timecode"].append(await light(apart["timecode"], "change, two processes", o.seconds, 20.0))
    medians = {name: _median(loads) for name, loads in found.items()}
    stage.run.loads += medians.values()
    stage.judge("workers", T10, medians["messages"].p50 / medians["told on"].p50)


async def measure_writes(stage: Stage) -> None:
    """T12."""
    pairs, changes = 20, 200
    counted: dict[str, float] = {}
    async with stage.ours("timecode") as timecode, stage.ours("messages") as messages:
        async with gathered(timecode, "timecode", pairs, 1, stage.key) as here:
            before = await _commands(timecode)
            found = await here.live(TICKS_SECONDS, NEVER_SECONDS)
            counted["tick"] = _of(await _commands(timecode), before) / max(found.said, 1)
        async with gathered(timecode, "timecode", pairs, 1, stage.key) as here:
            before = await _commands(timecode)
            found = await here.stroll(changes / 20.0, 20.0)
            after = await _commands(timecode)
            counted["change"] = _of(after, before, "update", "insert") / max(found.changes, 1)
        async with gathered(messages, "messages", pairs, 1, stage.key) as here:
            before = await _commands(messages)
            found = await here.stroll(changes / 20.0, 20.0)
            after = await _commands(messages)
            counted["message"] = _of(after, before, "update", "insert") / max(found.changes, 1)
        before = await _commands(messages)
        async with gathered(messages, "messages", pairs, 1, stage.key):
            counted["join"] = _of(await _commands(messages), before, "find") / (2 * pairs)
    stage.run.commands |= counted
    for name, target in T12.items():
        stage.judge("writes", target, counted[name])


async def _commands(served: Served) -> dict[str, float]:
    """How many of each command the server says that it has sent, without those that ask each second if it is there."""
    await asyncio.sleep(1.0)  # what is written behind
    async with connected(served.port) as calls:
        text = (await calls.get("/metrics")).decode()
    found: dict[str, float] = {}
    for line in text.splitlines():
        if line.startswith("dateflicks_database_seconds_count"):
            found[line.partition('command="')[2].partition('"')[0]] = float(line.rpartition(" ")[2])
    found.pop("ping", None)
    return found


def _of(after: Mapping[str, float], before: Mapping[str, float], *names: str) -> float:
    if not after:
        return NAN
    return sum(after.get(name, 0.0) - before.get(name, 0.0) for name in names or after)


async def measure_history(stage: Stage) -> None:
    """T13."""
    o = stage.options
    signer = Signer(stage.key.encode())
    for size in (o.messages // 10, o.messages):
        place = stage.place()
        sessions = [new_id("ses") for _ in range(size // ROOM)]
        await prepared(place / "data")
        await asyncio.to_thread(_fill, place / "data", sessions)
        stage.say(f"history: {size} messages are there")
        async with ours("messages", place, stage.key) as served, connected(served.port) as calls:
            chosen = random.Random(1).sample(sessions, min(PAGES, len(sessions)))
            before = 0.0
            for number, session_id in enumerate([*chosen[:50], *chosen]):
                if number == 50:  # what the first ones read is not counted
                    before = served.cpu() + served.database_cpu()
                ticket = signer.issue_ticket(session_id, new_id("usr"), "somebody", "guest")
                await calls.get(f"/messages/{session_id}?limit=50", ticket)
            stage.run.history_ms[size] = (served.cpu() + served.database_cpu() - before) / len(chosen) * 1_000
    short, long = stage.run.history_ms[o.messages // 10], stage.run.history_ms[o.messages]
    stage.judge("history", T13, long / short)


def _fill(folder: Path, sessions: Sequence[str]) -> None:
    """With what the engine is built on, ten times as fast as over its wire."""
    documents = (message_document(session_id, seq) for session_id in sessions for seq in range(1, ROOM + 1))
    with neosqlite.Connection(str(next(folder.rglob(f"{DATABASE}.db")))) as database:
        for batch in _batches(documents):
            database[MESSAGES.name].insert_many(batch)


def _batches(documents: Iterable[dict[str, object]]) -> Iterable[list[dict[str, object]]]:
    batch: list[dict[str, object]] = []
    for one in documents:
        batch.append(one)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


_MEASURES: Final[dict[str, Callable[[Stage], Awaitable[None]]]] = {
    "relay": measure_relay,
    "live": measure_live,
    "idle": measure_idle,
    "joins": measure_joins,
    "chat": measure_chat,
    "workers": measure_workers,
    "writes": measure_writes,
    "history": measure_history,
}


def _named(target: Target, service: str) -> Target:
    return Target(f"{target.figure}, {service}", target.unit, target.target, target.moonshot, target.is_floor)


def measure(options: Options, say: Callable[[str], None]) -> Run:
    """All that is asked for."""
    run = Run(options)
    load = os.getloadavg()[0]
    allowed = files_allowed()
    if options.sockets + SPARE_FILES > allowed:
        raise SystemExit(f"{options.sockets} sockets need more files than the {allowed} that are allowed: ulimit -n")
    with tempfile.TemporaryDirectory(prefix="dateflicks-load-") as folder:
        stage = Stage(Path(folder), run, say)
        if not stage.has_floor:
            run.without.append("the relay in C: there is no C compiler")
        if not stage.has_syncplay:
            run.without.append("Syncplay: not installed (apt-get install syncplay-server)")
        for part in options.parts:
            asyncio.run(_part(stage, part))
    run.machine = this_machine(load)
    return run


async def _part(stage: Stage, part: str) -> None:
    try:
        await _MEASURES[part](stage)
    except Exception as error:  # noqa: BLE001 - what the other parts have found is to be seen too
        stage.run.without.append(f"{part}: {type(error).__name__}: {error}")


# --- what is shown ----------------------------------------------------------------------------------------------


def tables(run: Run) -> list[Table]:
    """All that was found."""
    found: list[Table] = []
    floor = next((one.cpu for one in run.loads if one.server == "floor" and one.what == "relay"), NAN)
    if run.loads:
        columns = ("", "what", "a core carries /s", "µs each", "× floor", "database µs", "p50 µs", "p99 µs", "errors")
        rows = [
            (
                one.server, one.what, f"{one.per_core:,.0f}", f"{one.cpu:.1f}", _shown(one.cpu / floor),
                f"{one.database_cpu:.1f}", f"{one.p50:,.0f}", f"{one.p99:,.0f}", str(one.errors),
            )
            for one in run.loads
        ]  # fmt: skip
        found.append(plain_table("changes that both hear of", columns, rows))
    if run.lives:
        found.append(lives_table(run.lives))
    if run.idles:
        names = ("", "sockets", "kB each", "base MB", "to connect, ms: a quarter", "all", "errors")
        sockets = [
            (
                one.server, f"{one.sockets:,}", f"{one.kilobytes:.1f}", f"{one.base_megabytes:.0f}",
                *(f"{ms:.2f}" for ms in one.join_ms), str(one.errors),
            )
            for one in run.idles
        ]  # fmt: skip
        found.append(plain_table("sockets", names, sockets))
    words = {**run.chat, **{f"database commands for a {name}": count for name, count in run.commands.items()}}
    words |= {f"a page of {size:,} messages, ms of processor": ms for size, ms in run.history_ms.items()}
    if words:
        found.append(plain_table("others", ("", "measured"), [(name, f"{one:.2f}") for name, one in words.items()]))
    return found


def lives_table(lives: Sequence[Lives]) -> Table:
    """People who watch, whoever serves them."""
    columns = (
        "",
        "pairs",
        "of a core",
        "its database",
        "sent /s",
        "µs for each",
        "changes",
        "p50 ms",
        "p99 ms",
        "errors",
    )
    rows = [
        (
            one.server, f"{one.pairs:,}", f"{one.share:.1%}", f"{one.database_share:.1%}", f"{one.said:,.0f}",
            f"{one.cpu:.0f}", str(one.changes), f"{one.p50 / 1e3:.2f}", f"{one.p99 / 1e3:.1f}", str(one.errors),
        )
        for one in lives
    ]  # fmt: skip
    return plain_table("people who watch", columns, rows)


def _shown(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.1f}"


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description=__doc__.split("\n")[0])
    parser.add_argument("--only", action="append", choices=PARTS, help="this part; may be repeated")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4.0, help="of each measurement, 10 at most")
    parser.add_argument("--pairs", type=int, default=200, help="that make changes as fast as they can")
    parser.add_argument("--people", type=int, default=500, help="pairs that live")
    parser.add_argument("--minutes", type=float, default=0.5, help="that they live")
    parser.add_argument("--sockets", type=int, default=4_000, help="that are idle, or join")
    parser.add_argument("--hold", type=float, default=25.0, help="seconds that they are idle")
    parser.add_argument("--processes", type=int, default=2, help="that make up each crowd")
    parser.add_argument("--workers", type=int, default=2, help="processes of the server, where there are several")
    parser.add_argument("--messages", type=int, default=1_000_000, help="of the long history")
    parser.add_argument("--json", action="store_true", help="write the run as JSON on stdout")
    given = parser.parse_args()
    words = Console(stderr=True, highlight=False)
    options = Options(
        parts=given.only or list(USUAL), rounds=given.rounds, seconds=min(given.seconds, 10.0), pairs=given.pairs,
        people=given.people, live_seconds=given.minutes * 60, sockets=given.sockets, hold=given.hold,
        processes=given.processes, workers=given.workers, messages=given.messages,
    )  # fmt: skip
    run = measure(options, lambda text: words.print(text, markup=False))
    assert run.machine is not None
    for why in run.without:
        words.print(f"without {why}", markup=False)
    return tell(run, run.rows, [*tables(run), verdicts(run.rows, run.machine)], as_json=given.json)


if __name__ == "__main__":
    sys.exit(main())
