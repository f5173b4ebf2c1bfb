"""A run from its lease to its record: the job's process does the work, and whatever becomes of that process is told."""

import asyncio
import contextlib
import logging
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from dateflicks.core.errors import DateflicksError, Unavailable
from dateflicks.protocol.ids import new_id
from dateflicks.server.jobs.child import GRACE_SECONDS, Child, Ended
from dateflicks.server.jobs.declared import MERGE, Job, Kind, kind_of
from dateflicks.server.jobs.ladder import after
from dateflicks.server.jobs.leases import LEASE_SECONDS, Lease, LeaseHeld, Leases
from dateflicks.server.jobs.records import JobRun, JobState
from dateflicks.server.jobs.store import JobStore
from dateflicks.server.providers.records import Counters, Status, Trigger
from dateflicks.server.storage.database import Database

log = logging.getLogger(__name__)

KEEP_SECONDS: Final = 30.0  # how long a database that is away is waited for, to keep what became of a run
PAUSE_SECONDS: Final = 0.25
MIB: Final = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """How a job is to run, beyond what is declared. `patience` is how many seconds to wait for its lease.

    What runs for one `user` alone, by id, means nothing for when the job is due.
    """

    trigger: Trigger = "manual"
    limit: int | None = None
    since: float | None = None
    is_confirmed: bool = False
    is_dry: bool = False
    user: str | None = None
    patience: float = 0.0

    def arguments(self) -> list[str]:
        """What the process is told of it."""
        words = ["--trigger", self.trigger]
        words += ["--limit", str(self.limit)] if self.limit is not None else []
        words += ["--since", str(self.since)] if self.since is not None else []
        words += ["--user", self.user] if self.user is not None else []
        words += ["--confirm-removals"] if self.is_confirmed else []
        return words + (["--dry-run"] if self.is_dry else [])


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What a run of some kind may take, and what its process finds in its environment."""

    timeout_seconds: float
    memory_mib: int
    environ: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class _Heard:
    """What the process has told so far."""

    tell: Callable[[Counters], None]
    counters: Counters = field(default_factory=Counters)
    record: JobRun | None = None
    titles: int | None = None

    def take(self, told: dict[str, Any]) -> None:
        """One line of it; what makes no sense is passed over."""
        with contextlib.suppress(msgspec.ValidationError):
            if "counters" in told:
                self.counters = msgspec.convert(told["counters"], Counters)
                self.tell(self.counters)
            if "record" in told:
                self.record = msgspec.convert(told["record"], JobRun)
            if isinstance(told.get("titles"), int):
                self.titles = told["titles"]


class Supervisor:
    """Runs jobs as processes. `command` starts one, up to the name of the job, in the variables of `environ`.

    `others` are bounds of kinds of jobs that have their own.
    """

    def __init__(
        self,
        database: Database,
        command: Sequence[str],
        environ: Mapping[str, str],
        *,
        timeout_seconds: float,
        memory_mib: int,
        others: Mapping[Kind, Bounds] | None = None,
        grace_seconds: float = GRACE_SECONDS,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.store = JobStore(database)
        self.leases = Leases(database, now=now)
        self._database = database
        self._command = command
        self._environ = environ
        self._bounds = Bounds(timeout_seconds=timeout_seconds, memory_mib=memory_mib)
        self._others = dict(others or {})
        self._grace = grace_seconds
        self._now = now
        self._children: set[Child] = set()
        self._is_stopping = False

    def stop(self) -> None:
        """Ask all that runs to end; nothing begins any more."""
        self._is_stopping = True
        for child in self._children:
            child.ask("asked")

    async def run(self, job: Job, wish: Wish, on_progress: Callable[[Counters], None] = lambda _: None) -> JobRun:
        """Run a job now, and keep what became of it. Raises LeaseHeld, Unavailable (before it has begun)."""
        began = replace(_new_run(job, wish), started_at=self._now())
        if wish.is_dry:
            return await self._carry_out(job, wish, began, None, on_progress)
        lease = await self._take(job.subject, began.id, wish.patience)
        try:
            if lease.left is not None:
                await self.lose(job.subject, lease.left)
            await self.store.put(began)
            if wish.user is None:
                await self.store.change(job.subject, lambda state: _begun(state, began))
            return await self._carry_out(job, wish, began, lease, on_progress)
        except asyncio.CancelledError:
            run = replace(began, status="killed", ended_at=self._now(), error="Whoever ran it was interrupted.")
            with contextlib.suppress(Unavailable):
                await self.store.put(run)
            raise
        finally:
            with contextlib.suppress(Unavailable):  # then its time runs out
                await lease.release()

    async def note(self, job: Job, status: Status, why: str, trigger: Trigger = "schedule") -> JobRun:
        """Keep that a job did not run: `skipped` or `missed`."""
        now = self._now()
        run = replace(_new_run(job, Wish(trigger=trigger)), started_at=now, ended_at=now, status=status, error=why)
        await self.store.put(run)
        return run

    async def lose(self, subject: str, run_id: str) -> None:
        """Mark a run as lost whose owner is gone."""
        run = await self.store.lose(run_id)
        if run is not None:
            await self.store.change(subject, lambda state: after(state, run, self._now()))
            await self._note_change(kind_of(subject), run)

    async def _note_change(self, kind: Kind, run: JobRun) -> None:
        """There are films to be made, if a source's run has written anything, or nobody can tell."""
        if kind == "source" and (run.counters.written or run.status in ("killed", "lost")):
            now = self._now()
            await self.store.change(MERGE, lambda state: replace(state, changed_at=now))

    async def _take(self, subject: str, run_id: str, patience: float) -> Lease:
        deadline = time.monotonic() + patience
        while True:
            try:
                return await self.leases.take(subject, run_id)
            except LeaseHeld:
                if time.monotonic() > deadline or self._is_stopping:
                    raise
            await asyncio.sleep(PAUSE_SECONDS)

    # --- one run ------------------------------------------------------------------------------------------------

    async def _carry_out(
        self, job: Job, wish: Wish, began: JobRun, lease: Lease | None, on_progress: Callable[[Counters], None]
    ) -> JobRun:
        heard = _Heard(on_progress)
        bounds = self._others.get(job.kind, self._bounds)
        child = Child(
            job.name,
            timeout_seconds=bounds.timeout_seconds,
            memory_bytes=bounds.memory_mib * MIB,
            grace_seconds=self._grace,
            on_told=heard.take,
        )
        command = [*self._command, job.name, "--run", began.id, *wish.arguments()]
        try:
            await child.start(command, {**self._environ, **bounds.environ})
        except OSError as error:
            run = replace(began, status="failed", error_class="OSError", error=f"No process: {error.strerror}.")
            return await self._settle(job, replace(run, ended_at=self._now()), heard, lease, wish)
        self._children.add(child)
        if self._is_stopping:
            child.ask("asked")
        try:
            async with kept_while(lease, child):
                ended = await child.wait()
        finally:
            self._children.discard(child)
        return await self._settle(job, _told(began, heard, ended, bounds, self._now()), heard, lease, wish)

    async def _settle(self, job: Job, run: JobRun, heard: _Heard, lease: Lease | None, wish: Wish) -> JobRun:
        """Keep the record and what it means for the next run, each once: a failure that counts twice waits too long."""
        if lease is None:
            return run

        def changed(state: JobState) -> JobState:
            titles = state.titles if heard.titles is None else heard.titles
            return replace(after(state, run, self._now()), titles=titles)

        left: list[Callable[[], Awaitable[object]]] = [lambda: self.store.put(run)]
        if wish.user is None:
            left.append(lambda: self.store.change(job.subject, changed, command=f"{run.id} ended"))
        left.append(lambda: self._note_change(job.kind, run))
        deadline = time.monotonic() + KEEP_SECONDS
        while left:
            try:
                await left[0]()
            except Unavailable:
                if time.monotonic() > deadline:
                    log.error("what became of %s cannot be kept: the database is away", job.name)
                    return run
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(KEEP_SECONDS / 10):
                        await self._database.wait_up()
                await asyncio.sleep(PAUSE_SECONDS)
            else:
                del left[0]
        return run


def _told(began: JobRun, heard: _Heard, ended: Ended, bounds: Bounds, now: float) -> JobRun:
    """The run's record: what its process has told, or what became of that."""
    run = heard.record or replace(began, counters=heard.counters)
    status = run.status
    error, error_class = run.error, run.error_class
    if ended.why == "timeout":
        status, error = "timeout", f"It took longer than {bounds.timeout_seconds:g} s."
    elif ended.why == "memory":
        status, error, error_class = "killed", f"It took more than {bounds.memory_mib} MiB.", "MemoryError"
    elif status is None:
        is_killed = ended.why is not None or ended.code in (-9, -15)
        status, error = "killed" if is_killed else "failed", f"Its process {ended.told_by}."
    return replace(
        run,
        job=began.job,
        source=began.source,
        trigger=began.trigger,
        started_at=began.started_at,
        ended_at=now,
        host=began.host,
        status=status,
        error=error,
        error_class=error_class,
        error_kind=run.error_kind or ("bug" if status in ("failed", "killed") else None),
        peak_memory_bytes=max(run.peak_memory_bytes, ended.peak_memory_bytes),
        cpu_seconds=max(run.cpu_seconds, ended.cpu_seconds),
    )


def _new_run(job: Job, wish: Wish) -> JobRun:
    return JobRun(
        id=new_id("run"),
        source=job.subject,
        job=job.name,
        mode=job.mode,
        trigger=wish.trigger,
        started_at=0.0,
        host=socket.gethostname(),
    )


def _begun(state: JobState, run: JobRun) -> JobState:
    if run.mode == "full":
        return replace(state, began_at=run.started_at, full_began_at=run.started_at)
    return replace(state, began_at=run.started_at)


@contextlib.asynccontextmanager
async def kept_while(lease: Lease | None, child: Child) -> AsyncIterator[None]:
    """The lease is kept for as long as the block runs; when it cannot be, the process is ended."""
    if lease is None:
        yield
        return
    keeping = asyncio.create_task(_keep(lease, child), name="lease")
    try:
        yield
    finally:
        keeping.cancel()
        await asyncio.wait({keeping})


async def _keep(lease: Lease, child: Child) -> None:
    with contextlib.suppress(DateflicksError):
        await lease.attach(child.pid or 0)
    while True:
        await asyncio.sleep(LEASE_SECONDS / 4)
        is_ours = True
        with contextlib.suppress(DateflicksError):  # whatever it is, the lease's own time says when to end
            is_ours = await lease.renew()
        if not is_ours:
            child.kill("lease")
        elif lease.is_over:
            child.ask("lease")
