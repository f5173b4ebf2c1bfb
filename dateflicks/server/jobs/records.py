"""What is kept of jobs and their runs. Times are Unix seconds.

A run has a document from its beginning on, without a status until it has ended; the services show it as running.
"""

from typing import Any, Final

import msgspec

from dateflicks.server.catalogue.sources import RUNS
from dateflicks.server.providers.records import Counters, Kind, Status, Trigger
from dateflicks.server.providers.source import Mode
from dateflicks.server.storage.records import Collection, Document, Index, StorageFault

JOBS: Final = Collection("VideoDb", "jobs", (Index(("kind",)),))
LEASES: Final = Collection("VideoDb", "leases")
COLLECTIONS: Final = (JOBS, LEASES, RUNS)
KIND: Final = "job"


class JobRun(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One run of one job; `source` is the job's subject, a source's name for most. `host` is where it ran.

    Cursors are JSON as text. A run without a status goes on, or was left behind by whoever had it.
    """

    id: str
    source: str
    job: str = ""
    mode: Mode = "incremental"
    trigger: Trigger
    started_at: float
    ended_at: float | None = None
    status: Status | None = None
    counters: Counters = Counters()
    removals_held: int = 0
    peak_memory_bytes: int = 0
    cpu_seconds: float = 0.0
    cursor_before: str = "null"
    cursor_after: str = "null"
    error_kind: Kind | None = None
    error_class: str | None = None
    error: str | None = None
    resume_at: float | None = None
    host: str = ""

    @property
    def is_good(self) -> bool:
        """Whether the collection is now as the source has it."""
        return self.status in ("ok", "unchanged")


class JobState(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One subject between its runs: how high on the ladder, what a person must look at, when it began and was good.

    `titles` are what a source offers, as counted after the last run that changed something. `changed_at` is when there
    was last something to be done, for the job that makes films of what sources have changed.
    """

    paused_at: float | None = None
    rung: int = 0
    retry_at: float | None = None
    attention: str | None = None
    is_held: bool = False  # it does not run by itself before that person has looked
    began_at: float | None = None
    full_began_at: float | None = None
    good_at: float | None = None
    titles: int | None = None
    changed_at: float | None = None

    @property
    def has_work(self) -> bool:
        """Whether something has changed since it last began, or it has not come to a good end since then."""
        if self.changed_at is None:
            return False
        return self.began_at is None or self.began_at < self.changed_at or self.attention is not None


def document_of_run(run: JobRun) -> Document:
    """A run as it is stored."""
    document: Document = msgspec.to_builtins(run)
    document["_id"] = document.pop("id")
    return document | {"rev": 1}


def run_of(document: Document) -> JobRun:
    """A stored run. Raises StorageFault when it cannot be read."""
    try:
        values: dict[str, Any] = {**document, "id": document["_id"]}
        run = msgspec.convert(values, JobRun)
    except (KeyError, msgspec.ValidationError) as error:
        raise StorageFault(f"the run {document.get('_id')} cannot be read: {error}") from error
    return run if run.job else msgspec.structs.replace(run, job=run.source)


def state_of(document: Document | None) -> JobState:
    """What is stored of a subject; nothing yet is a beginning."""
    try:
        return JobState() if document is None else msgspec.convert(document, JobState)
    except msgspec.ValidationError as error:
        raise StorageFault(f"{document and document.get('_id')} cannot be read: {error}") from error
