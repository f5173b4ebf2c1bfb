"""What is measured of one server under one crowd; the same for ours, for relays that do nothing else, and for Syncplay.

Processor time is the server's own, as the kernel counts it, so that what the crowds cost does not matter to it; delays
are what the crowds saw. Where ours is measured without its database, the engine is stopped for these seconds: playback
goes on from memory then, and is written when it returns.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager
from typing import Final

import msgspec

from benchmarks import kernel
from benchmarks.loadbench.crowd import Found, Kind
from benchmarks.loadbench.processes import Crowds, Served, crowds
from benchmarks.syncbench.figures import percentile

SETTLE_SECONDS: Final = 1.5
WARM_SECONDS: Final = 1.0
FROZEN_SECONDS_MAX: Final = 12.0  # an engine that is silent for longer is replaced


class Load(msgspec.Struct, kw_only=True):
    """A server with all the changes that it can carry, or with so many a second; times in microseconds."""

    server: str
    what: str
    cpu: float  # per change that both heard of
    per_core: float  # changes that one core would carry
    per_second: float  # that this machine carried beside the crowds
    database_cpu: float = 0.0
    p50: float
    p99: float
    errors: int = 0


class Lives(msgspec.Struct, kw_only=True):
    """Pairs that do what people do."""

    server: str
    pairs: int
    share: float  # of one core
    said: float  # texts a second, of all clients
    cpu: float  # microseconds for each of them
    changes: int
    p50: float
    p99: float
    database_share: float = 0.0
    errors: int = 0


class Idle(msgspec.Struct, kw_only=True):
    """Sockets that are open, and what it cost to open them."""

    server: str
    sockets: int
    kilobytes: float  # each
    join_ms: list[float] = []  # processor time for each, of the first quarter and of all
    base_megabytes: float = 0.0
    answered: int = 0  # pairs that made a change at the end of the wait
    errors: int = 0
    samples: list[str] = []


@contextlib.asynccontextmanager
async def gathered(served: Served, kind: Kind, pairs: int, processes: int, key: str = "") -> AsyncIterator[Crowds]:
    """So many pairs, all connected."""
    async with crowds(served, min(processes, pairs)) as here:
        await here.invite(kind, pairs, key)
        await here.enter()
        await asyncio.sleep(SETTLE_SECONDS)
        yield here


async def saturated(here: Crowds, what: str, seconds: float, *, frozen: bool = False) -> Load:
    """As many changes as go."""
    served = here.served
    with _without_database(served, seconds) if frozen else contextlib.nullcontext():
        await here.hurry(WARM_SECONDS)
        before, database = served.cpu(), served.database_cpu()
        found = await here.hurry(seconds)
        cpu, database = served.cpu() - before, served.database_cpu() - database
    return _load(served, what, found, cpu, database)


async def light(here: Crowds, what: str, seconds: float, rate: float, *, frozen: bool = False) -> Load:
    """So many changes a second."""
    served = here.served
    with _without_database(served, seconds) if frozen else contextlib.nullcontext():
        before, database = served.cpu(), served.database_cpu()
        found = await here.stroll(seconds, rate)
        cpu, database = served.cpu() - before, served.database_cpu() - database
    return _load(served, what, found, cpu, database)


async def lived(here: Crowds, pairs: int, seconds: float, every: float) -> Lives:
    """As people do; `every` is how often a pair makes a change."""
    served = here.served
    if served.name == "ours":
        await here.hurry(0.01)  # into the middle of a film
    before, database = served.cpu(), served.database_cpu()
    found = await here.live(seconds, every)
    cpu, database = served.cpu() - before, served.database_cpu() - database
    return Lives(
        server=served.name,
        pairs=pairs,
        share=cpu / found.seconds,
        said=found.said / found.seconds,
        cpu=cpu / max(found.said, 1) * 1e6,
        changes=found.changes,
        p50=_percentile(found, 0.5),
        p99=_percentile(found, 0.99),
        database_share=database / found.seconds,
        errors=found.errors,
    )


async def idle(
    served: Served, kind: Kind, sockets: int, processes: int, *, hold: float = 0.0, key: str = "", name: str = ""
) -> Idle:
    """Open so many, a quarter first; leave them alone for a while, and have each pair make a change."""
    pairs = sockets // 2
    async with crowds(served, processes) as here:
        await here.invite(kind, pairs, key)
        memory, cpu = served.memory(), served.cpu()
        first = await here.enter(pairs // 4)
        quarter = served.cpu() - cpu
        rest = await here.enter(pairs - pairs // 4)
        whole = served.cpu() - cpu
        await asyncio.sleep(SETTLE_SECONDS)
        grown = served.memory() - memory
        resting = await here.rest(hold)
        answered = await here.hurry(0.0) if hold else Found()
        every = (first, rest, resting, answered)
        return Idle(
            server=name or served.name,
            sockets=2 * pairs,
            kilobytes=grown / (2 * pairs) / 1e3,
            join_ms=[quarter / (2 * (pairs // 4)) * 1e3, whole / (2 * pairs) * 1e3],
            base_megabytes=memory / 1e6,
            answered=answered.changes,
            errors=sum(one.errors for one in every),
            samples=[sample for one in every for sample in one.samples],
        )


def _load(served: Served, what: str, found: Found, cpu: float, database: float) -> Load:
    changes = max(found.changes, 1)
    return Load(
        server=served.name,
        what=what,
        cpu=cpu / changes * 1e6,
        per_core=changes / cpu if cpu else 0.0,
        per_second=changes / found.seconds,
        database_cpu=database / changes * 1e6,
        p50=_percentile(found, 0.5),
        p99=_percentile(found, 0.99),
        errors=found.errors,
    )


def _percentile(found: Found, share: float) -> float:
    return float(percentile(found.delays, share)) if found.delays else float("nan")


def _without_database(served: Served, seconds: float) -> AbstractContextManager[None]:
    """The database, where there is one, does nothing for so long."""
    if seconds > FROZEN_SECONDS_MAX:
        raise ValueError(f"without its database for {FROZEN_SECONDS_MAX:g} s at most")
    return contextlib.nullcontext() if served.database is None else kernel.frozen(served.database)
