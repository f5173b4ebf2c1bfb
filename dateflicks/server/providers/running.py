"""One run of one source, from what is known to what is kept: its records are checked and written in batches, the place
to go on from is kept only once everything before it is written, and whatever goes wrong is told by its kind.
"""

import asyncio
import resource
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, assert_never

import msgspec

from dateflicks.core.errors import Unavailable
from dateflicks.server.providers.checking import fault_of_end, faults_of
from dateflicks.server.providers.context import BATCH_MAX, context_for
from dateflicks.server.providers.discovery import BrokenSource
from dateflicks.server.providers.fetching import BreakerOpen, Interrupted, Validators
from dateflicks.server.providers.pacing import FetchLimits
from dateflicks.server.providers.records import (
    Counters,
    Kind,
    Ledger,
    RunRecord,
    SourceState,
    Status,
    Swept,
    Trigger,
    Writer,
    Written,
)
from dateflicks.server.providers.source import (
    Checkpoint,
    Complete,
    Item,
    Mode,
    QuotaError,
    Removed,
    SchemaError,
    SourceError,
    VideoSource,
    Yield,
)
from dateflicks.server.storage.records import StorageFault

FAULTS_SHARE: Final = 0.05  # of a page; one alone is always borne, for pages may be short
GRACE_SECONDS: Final = 10.0  # for a source that is asked to stop

Progress = Callable[[Counters], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a run is to do. `limit` ends it after so many items, `is_confirmed` lets it remove however many are gone."""

    id: str
    mode: Mode = "incremental"
    trigger: Trigger = "manual"
    limit: int | None = None
    is_confirmed: bool = False
    timeout_seconds: float = 2 * 3_600.0
    grace_seconds: float = GRACE_SECONDS
    contact: str = ""
    fetch_limits: FetchLimits = field(default_factory=FetchLimits)


async def run_source(
    source: VideoSource,
    plan: Plan,
    *,
    config: msgspec.Struct,
    writer: Writer,
    ledger: Ledger,
    stopping: asyncio.Event | None = None,
    progress: Progress = lambda _: None,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> RunRecord:
    """Let the source yield and write it; its record, which is kept as well. Never raises for what a source does.

    `stopping` ends it early; what has been written stays, and a later run goes on from the last checkpoint. Raises
    Unavailable when the database is away already before it begins.
    """
    state = await ledger.load()
    run = _Run(source, plan, config, writer, ledger, state, stopping or asyncio.Event(), progress, sleep)
    record = await run.carry_out()
    with suppress(Unavailable):  # its record is lost; what it has written is not
        await ledger.record(record)
    return record


class _Run:
    """One run while it lasts."""

    def __init__(
        self,
        source: VideoSource,
        plan: Plan,
        config: msgspec.Struct,
        writer: Writer,
        ledger: Ledger,
        state: SourceState,
        stopping: asyncio.Event,
        progress: Progress,
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        is_full = "incremental" not in source.capabilities or state.incremental is None
        self.mode: Mode = "full" if is_full else plan.mode
        self._source = source
        self._plan = plan
        self._writer = writer
        self._ledger = ledger
        self._state = state
        self._before = state.full if self.mode == "full" else state.incremental
        self._stopping = stopping
        self._progress = progress
        # A full run is to be told everything, so that it says nothing of what is known.
        self._validators = Validators(state.validators if self.mode == "incremental" else {})
        self._context = context_for(
            source,
            config,
            stopping=stopping,
            validators=self._validators,
            contact=plan.contact,
            limits=plan.fetch_limits,
            sleep=sleep,
        )
        self._faults = self._context.faults
        self._redact = self._context.http.redactor
        self._counters = Counters()
        self._items: dict[tuple[str, str], Item] = {}
        self._gone: dict[tuple[str, str], Removed] = {}
        self._page_size = 0
        self._left_out = 0  # by the source or by its checks: they may be known offers, and do not count as gone
        self._swept = Swept()
        self._is_complete = False
        self._error: BaseException | None = None

    # --- from beginning to end ----------------------------------------------------------------------------------

    async def carry_out(self) -> RunRecord:
        """The whole run."""
        began, cpu = time.time(), time.process_time()
        has_timed_out = False
        async with self._context.http:
            task = asyncio.create_task(self._consume(), name=f"source {self._source.name}")
            try:
                has_timed_out = await self._wait_for(task)
            except asyncio.CancelledError:
                await _end(task, self._plan.grace_seconds)
                raise
        used = resource.getrusage(resource.RUSAGE_SELF)
        return self._record(
            has_timed_out,
            started_at=began,
            ended_at=time.time(),
            cpu_seconds=round(time.process_time() - cpu, 3),
            peak_memory_bytes=used.ru_maxrss * 1024,
        )

    async def _wait_for(self, task: asyncio.Task[None]) -> bool:
        """Wait for the end, ask for it when it is time, force it when that is of no use; whether it took too long."""
        stopped = asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait({task, stopped}, timeout=self._plan.timeout_seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopped.cancel()
        has_timed_out = not task.done() and not self._stopping.is_set()
        if not task.done():
            self._stopping.set()
            await asyncio.wait({task}, timeout=self._plan.grace_seconds)
        if not task.done():
            await _end(task, self._plan.grace_seconds)
            self._error = SourceError("The source did not stop when it was asked to.")
        return has_timed_out

    async def _consume(self) -> None:
        generator: Any = None
        try:
            generator = self._source.fetch(self._context, self._before, self.mode)
            async for what in generator:
                await self._take(what)
                if self._is_complete or self._has_enough():
                    break
            await self._flush()
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a source raises is told by its record
            self._error = error
            await self._rescue(error)
        finally:
            if isinstance(generator, AsyncGenerator):
                with suppress(Exception):
                    await generator.aclose()

    def _has_enough(self) -> bool:
        limit = self._plan.limit
        return limit is not None and self._counters.seen >= limit

    async def _rescue(self, error: BaseException) -> None:
        """Write what came before the error, unless that is what is wrong; a checkpoint before it is kept already."""
        if isinstance(error, SchemaError | msgspec.ValidationError | Unavailable | StorageFault):
            return
        try:
            await self._flush()
        except (SchemaError, Unavailable, StorageFault) as further:
            self._context.log.warning("What came before the error could not be written: %s", further)

    # --- what is yielded ----------------------------------------------------------------------------------------

    async def _take(self, what: Yield) -> None:
        if isinstance(what, Item):
            await self._take_item(what)
            return
        if not isinstance(what, Removed | Checkpoint | Complete):
            raise TypeError(f"a source yields Item, Removed, Checkpoint and Complete, not {type(what).__name__}")
        if problem := fault_of_end(what):
            raise TypeError(problem)
        match what:
            case Removed():
                name = (what.source_id, what.region)
                self._items.pop(name, None)
                self._gone[name] = what
                if len(self._gone) >= BATCH_MAX:
                    await self._write()
            case Checkpoint():
                await self._flush()
                await self._go_on_from(dict(what.state))
            case Complete():
                await self._flush()
                await self._complete(what)
            case _:
                assert_never(what)

    async def _take_item(self, item: Item) -> None:
        self._counters = msgspec.structs.replace(self._counters, seen=self._counters.seen + 1)
        fault = next(faults_of(item, self._redact), None)
        if fault is not None:
            self._faults.append(f"{item.source_id!r}: {fault}")
        else:
            self._page_size += 1
            name = (item.source_id, item.region)
            self._gone.pop(name, None)
            self._items[name] = item
        if self._page_size + len(self._faults) >= BATCH_MAX:
            await self._flush()

    async def _flush(self) -> None:
        """The end of a page: judge it, and write it if most of it makes sense."""
        faults, size = [*self._faults], self._page_size + len(self._faults)
        self._faults.clear()
        self._page_size = 0
        self._left_out += len(faults)
        self._count(quarantined=len(faults))
        for fault in faults[:10]:
            self._context.log.warning("Left out: %s", self._redact.line(fault))
        if len(faults) > max(1.0, size * FAULTS_SHARE):
            self._items.clear()
            self._gone.clear()
            raise SchemaError(f"{len(faults)} of {size} records are not as documented: {faults[0]}")
        await self._write()

    async def _write(self) -> None:
        written, removed = Written(), 0
        if self._items:
            items, self._items = [*self._items.values()], {}
            written = await self._writer.write(items)
        if self._gone:
            gone, self._gone = [*self._gone.values()], {}
            removed = await self._writer.remove(gone)
        self._count(
            new=written.new,
            changed=written.changed,
            unchanged=written.unchanged,
            quarantined=written.quarantined,
            removed=removed,
        )
        self._tell()

    async def _go_on_from(self, place: dict[str, Any]) -> None:
        key = "full" if self.mode == "full" else "incremental"
        self._state = msgspec.structs.replace(self._state, **{key: place})
        await self._ledger.save(self._state)

    async def _complete(self, end: Complete) -> None:
        """The source has come to its end: sweep out what it has no more, and keep where to go on."""
        has_seen_all = end.full and self.mode == "full" and self._before is None and not self._left_out
        if has_seen_all and self._plan.limit is None and not self._stopping.is_set():
            self._swept = await self._writer.sweep(is_confirmed=self._plan.is_confirmed)
            self._count(removed=self._swept.removed)
        state = self._state
        place = None if end.state is None else dict(end.state)
        if self.mode == "full":
            state = msgspec.structs.replace(state, full=None, incremental=place)
        elif place is not None:
            state = msgspec.structs.replace(state, incremental=place)
        if not self._left_out:
            state = msgspec.structs.replace(state, validators=self._validators.kept())
        if state != self._state:
            await self._ledger.save(state)
        self._state = state
        self._is_complete = True

    def _count(self, **more: int) -> None:
        counted = {name: getattr(self._counters, name) + number for name, number in more.items()}
        self._counters = msgspec.structs.replace(self._counters, **counted)

    def _tell(self) -> None:
        http = self._context.http
        self._counters = msgspec.structs.replace(self._counters, requests=http.requests, bytes=http.bytes)
        self._progress(self._counters)

    # --- the record ---------------------------------------------------------------------------------------------

    def _record(self, has_timed_out: bool, **measured: Any) -> RunRecord:
        self._tell()
        error = None if isinstance(self._error, Interrupted) and self._stopping.is_set() else self._error
        resume_at = time.time() + error.reset_seconds if isinstance(error, QuotaError) else None
        return RunRecord(
            id=self._plan.id,
            source=self._source.name,
            mode=self.mode,
            trigger=self._plan.trigger,
            status=self._status(has_timed_out, error),
            counters=self._counters,
            removals_held=self._swept.held,
            cursor_before=None if self._before is None else dict(self._before),
            cursor_after=self._state.full if self.mode == "full" and not self._is_complete else self._state.incremental,
            error_kind=None if error is None else kind_of(error),
            error_class=None if error is None else type(error).__name__,
            error=None if error is None else self._redact.line(str(error) or type(error).__name__),
            resume_at=resume_at,
            **measured,
        )

    def _status(self, has_timed_out: bool, error: BaseException | None) -> Status:
        if has_timed_out:
            return "timeout"
        if error is not None:
            is_to_go_on = isinstance(error, BreakerOpen) or (
                kind_of(error) in ("transient", "quota", "storage") and self._counters.written > 0
            )
            return "partial" if is_to_go_on else "failed"
        if not self._is_complete:
            return "partial"
        return "ok" if self._counters.written else "unchanged"


async def _end(task: asyncio.Task[None], seconds: float) -> None:
    """Cancel a task, and wait so long for it: a source may swallow even that, and is then left behind."""
    task.cancel()
    await asyncio.wait({task}, timeout=seconds)


def kind_of(error: BaseException) -> Kind:
    """What to do about an error, by whoever plans the next run."""
    if isinstance(error, BrokenSource):
        return "broken"
    if isinstance(error, SourceError):
        return error.kind
    if isinstance(error, msgspec.ValidationError):
        return "schema"  # what a source lets msgspec check for it
    if isinstance(error, Unavailable | StorageFault):
        return "storage"
    if isinstance(error, TimeoutError | ConnectionError):
        return "transient"
    return "bug"


def broken_record(name: str, plan: Plan, error: BrokenSource) -> RunRecord:
    """The record of a run that could not begin, for there is no such source, or it is broken."""
    now = time.time()
    return RunRecord(
        id=plan.id,
        source=name,
        mode=plan.mode,
        trigger=plan.trigger,
        started_at=now,
        ended_at=now,
        status="failed",
        error_kind="broken",
        error_class=type(error.__cause__ or error).__name__,
        error=str(error),
    )
