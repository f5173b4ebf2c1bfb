"""What a run's process does: bound itself, use the database that others run, do the job, and tell how it went.

It is the only place where the code of sources runs. Whatever that writes to standard output goes to standard error; the
real one belongs to what we tell whoever has started us, a JSON object a line. When that one is gone, the run ends too.
"""

import asyncio
import contextlib
import logging
import os
import resource
import signal
import threading
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from dateflicks.core.errors import Unavailable
from dateflicks.server.catalogue import records as catalogue
from dateflicks.server.catalogue.paging import pages_of
from dateflicks.server.catalogue.records import VIDEOS
from dateflicks.server.catalogue.retention import Retention
from dateflicks.server.catalogue.works import Works
from dateflicks.server.catalogue.writing import Writer
from dateflicks.server.jobs.declared import Job
from dateflicks.server.jobs.records import JobRun
from dateflicks.server.jobs.referring import Referring
from dateflicks.server.jobs.supervising import Wish
from dateflicks.server.providers import ledger as kept
from dateflicks.server.providers.discovery import BrokenSource, config_of, find, load
from dateflicks.server.providers.ledger import DatabaseLedger
from dateflicks.server.providers.records import (
    Counters,
    CountingWriter,
    Ledger,
    MemoryLedger,
    RunRecord,
    SourceState,
    Status,
)
from dateflicks.server.providers.running import Plan, broken_record, kind_of, run_source
from dateflicks.server.providers.source import SourceError, VideoSource
from dateflicks.server.services.session import records as sessions
from dateflicks.server.storage.database import Database, DatabaseSettings
from dateflicks.server.storage.records import StorageFault, opaque
from dateflicks.settings.errors import SettingsError
from dateflicks.settings.providers import ProvidersSettings
from dateflicks.settings.recommenders import RecommendersSettings

log = logging.getLogger(__name__)

NICE: Final = 10
MEMORY_FACTOR: Final = 4  # of addresses to memory, which is watched from outside where that can be done
ADDRESSES_LEAST: Final = 1024**3
PARENT_SECONDS: Final = 0.5
ORPHAN_SECONDS: Final = 10.0  # for a run whose parent is gone, to come to its end
DAY_SECONDS: Final = 86_400.0
ORPHANED: Final = 75  # EX_TEMPFAIL
COLLECTIONS: Final = (*catalogue.COLLECTIONS, *kept.COLLECTIONS, sessions.USERS, sessions.SESSIONS)

Tell = Callable[[dict[str, Any]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What is to be done, and where: `folder` is that of the embedded database."""

    job: Job
    run_id: str
    wish: Wish
    settings: ProvidersSettings
    recommenders: RecommendersSettings
    database: DatabaseSettings
    folder: Path
    grace_seconds: float = 8.0


def execute(work: Work) -> None:
    """Do it; to be called once, in a process of its own."""
    tell = _telling()
    run = work.recommenders.run if work.job.kind == "recommender" else work.settings.run
    _bound_ourselves(run.memory_mib)
    asyncio.run(_execute(work, tell))


def _telling() -> Tell:
    """Keep standard output for us, whatever anybody prints."""
    channel = os.dup(1)
    os.dup2(2, 1)

    def tell(what: dict[str, Any]) -> None:
        with contextlib.suppress(OSError):
            os.write(channel, msgspec.json.encode(what) + b"\n")

    return tell


def _bound_ourselves(memory_mib: int) -> None:
    """Be the last to be served, and never take the machine down."""
    with contextlib.suppress(OSError):
        os.nice(NICE)
    addresses = max(memory_mib * 1024 * 1024 * MEMORY_FACTOR, ADDRESSES_LEAST)
    limits = {resource.RLIMIT_AS: addresses, resource.RLIMIT_CORE: 0}
    for kind, limit in limits.items():
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(kind, (limit, limit))


async def _execute(work: Work, tell: Tell) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stopping.set)
    loop.add_signal_handler(signal.SIGINT, stopping.set)
    _end_with_parent(loop, stopping)
    if work.job.kind == "recommender":
        from dateflicks.server.jobs import recommending  # it brings numpy, which no other job needs

        await recommending.execute(work, stopping, tell)
        return
    async with Database.open(work.database, work.folder, COLLECTIONS, role="guest") as database:
        if work.job.kind == "source":
            record = await _run_source(work, database, stopping, tell)
        else:
            record = await _run_collection(work, database, stopping)
        tell({"record": msgspec.to_builtins(record)})


def _end_with_parent(loop: asyncio.AbstractEventLoop, stopping: asyncio.Event) -> None:
    """Watch whoever has started us from a thread, which goes on whatever a source does to our loop."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(PARENT_SECONDS)
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(stopping.set)
        time.sleep(ORPHAN_SECONDS)
        os._exit(ORPHANED)

    threading.Thread(target=watch, daemon=True, name="parent").start()


# --- sources --------------------------------------------------------------------------------------------------------


async def _run_source(work: Work, database: Database, stopping: asyncio.Event, tell: Tell) -> JobRun:
    name, settings, wish = work.job.subject, work.settings, work.wish
    plan = Plan(
        id=work.run_id,
        mode=work.job.mode,
        trigger=wish.trigger,
        limit=wish.limit,
        is_confirmed=wish.is_confirmed,
        timeout_seconds=settings.run.timeout_seconds,
        grace_seconds=work.grace_seconds,
        contact=settings.contact,
    )
    try:
        source = load(find(name, settings.allow, settings.deny))
        config = config_of(source, settings)
    except (BrokenSource, SettingsError) as error:
        broken = error if isinstance(error, BrokenSource) else BrokenSource(str(error))
        return run_of_record(work.job, broken_record(name, plan, broken))
    try:
        ledger = await _ledger(work, database, source)
        writer = CountingWriter() if wish.is_dry else _writer(work, database)
        record = await run_source(
            source,
            plan,
            config=config,
            writer=writer,
            ledger=ledger,
            stopping=stopping,
            progress=lambda counters: tell({"counters": msgspec.to_builtins(counters)}),
        )
    except (SourceError, Unavailable, StorageFault) as error:
        return failed(work, error)
    if not wish.is_dry:
        with contextlib.suppress(Unavailable):
            tell({"titles": await _count(database, name)})
    return run_of_record(work.job, record)


def _writer(work: Work, database: Database) -> Writer:
    run = work.settings.run
    return Writer(
        database,
        work.job.subject,
        work.run_id,
        removed_share=run.removal_share,
        removed_least=run.removal_least,
    )


async def _ledger(work: Work, database: Database, source: VideoSource) -> Ledger:
    """Where the source's places are kept; a dry run forgets them."""
    may_be_learned_from = getattr(source, "may_be_learned_from", False)  # older packages do not say
    ledger = DatabaseLedger(database, source.name, source.attribution, may_be_learned_from=may_be_learned_from is True)
    if work.wish.since is None and not work.wish.is_dry:
        return ledger
    state = await ledger.load()
    if work.wish.since is not None:
        state = went_back(state, work.wish.since)
    if work.wish.is_dry:
        return MemoryLedger(state)
    await ledger.save(state)
    return ledger


def went_back(state: SourceState, since: float) -> SourceState:
    """The state with which a source looks for what has changed since then. Raises SourceError.

    By convention a source keeps that time as `since` in its state: Unix seconds, a date, or a date and time.
    """
    place = state.incremental or {}
    before = place.get("since")
    if isinstance(before, bool) or not isinstance(before, int | float | str):
        raise SourceError("There is no time to go back to: it does not look for changes, or was never read in full.")
    moment = datetime.fromtimestamp(since, UTC)
    wanted: int | float | str
    if isinstance(before, str):
        wanted = moment.date().isoformat() if len(before) == len("2026-01-01") else moment.isoformat()
    else:
        wanted = type(before)(since)
    return msgspec.structs.replace(state, incremental={**place, "since": wanted}, validators={})


async def _count(database: Database, source: str) -> int:
    """How many titles a source offers: counted, as its sweep counts them."""
    count = 0
    async for page in pages_of(database.table(VIDEOS), source):
        count += sum(one["status"] == "active" for one in page)
    return count


def run_of_record(job: Job, record: RunRecord) -> JobRun:
    """A source's record as a run of a job."""
    values = msgspec.structs.asdict(record)
    cursors = {name: opaque(values[name]) for name in ("cursor_before", "cursor_after")}
    return JobRun(**{**values, **cursors, "job": job.name})


# --- the collection -------------------------------------------------------------------------------------------------


async def _run_collection(work: Work, database: Database, stopping: asyncio.Event) -> JobRun:
    """Make films, or delete what is not to be kept; ended anywhere, for the next run does it again."""
    began, cpu = time.time(), time.process_time()
    task = asyncio.create_task(_collection(work, database), name=work.job.name)
    async with _ended_by(stopping, task):
        await asyncio.wait({task})
    status: Status = "partial"
    counters, error = Counters(), None
    if not task.cancelled():
        error = task.exception()
        if error is not None and not isinstance(error, Exception):
            raise error
        counters = Counters() if error else task.result()
        status = "failed" if error else "ok" if counters.written else "unchanged"
    if error is not None:
        log.error("%s failed", work.job.name, exc_info=error)
    return replace(
        failed(work, error) if error else blank(work),
        started_at=began,
        ended_at=time.time(),
        status=status,
        counters=counters,
        cpu_seconds=round(time.process_time() - cpu, 3),
        peak_memory_bytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    )


async def _collection(work: Work, database: Database) -> Counters:
    works = Works(database)
    if work.job.kind == "merge":
        made = await (works.rebuild() if work.job.mode == "full" else works.update())
        return Counters(seen=made.looked_at, changed=made.written, removed=made.ended)
    retention = Retention(database, works, keep_seconds=work.settings.run.keep_gone_days * DAY_SECONDS)
    blanked = await retention.blank_expired()
    purged = await retention.purge(Referring(database))
    return Counters(seen=blanked + purged, changed=blanked, removed=purged)


@contextlib.asynccontextmanager
async def _ended_by(stopping: asyncio.Event, task: "asyncio.Task[Any]") -> AsyncIterator[None]:
    async def end() -> None:
        await stopping.wait()
        task.cancel()

    ending = asyncio.create_task(end(), name="stop")
    try:
        yield
    finally:
        ending.cancel()


def blank(work: Work) -> JobRun:
    """The record of a run that has begun."""
    job = work.job
    return JobRun(
        id=work.run_id,
        source=job.subject,
        job=job.name,
        mode=job.mode,
        trigger=work.wish.trigger,
        started_at=time.time(),
    )


def failed(work: Work, error: BaseException) -> JobRun:
    """The record of one that an error has ended."""
    return replace(
        blank(work),
        ended_at=time.time(),
        status="failed",
        error_kind=kind_of(error),
        error_class=type(error).__name__,
        error=str(error) or type(error).__name__,
    )
