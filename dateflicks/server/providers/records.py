"""What is kept of a source between its runs, and of each run; and who keeps it and writes what a source yields."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import msgspec

from dateflicks.server.providers.source import Item, Mode, Removed

Trigger = Literal["schedule", "manual", "start", "change"]
Status = Literal["ok", "unchanged", "partial", "failed", "timeout", "killed", "skipped", "missed", "lost"]
Kind = Literal["auth", "quota", "transient", "schema", "missing", "bug", "broken", "storage"]


class Counters(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How many of what: records as they came and what became of them, requests and bytes."""

    seen: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0
    quarantined: int = 0
    requests: int = 0
    bytes: int = 0

    @property
    def written(self) -> int:
        """What a run changed in the collection."""
        return self.new + self.changed + self.removed


class RunRecord(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One run of one source. Times are Unix seconds; `error` holds no secret; `resume_at` is when a quota is back.

    `removals_held` were not removed, for they were too many to be believed.
    """

    id: str
    source: str
    mode: Mode
    trigger: Trigger
    started_at: float
    ended_at: float
    status: Status
    counters: Counters = Counters()
    removals_held: int = 0
    peak_memory_bytes: int = 0
    cpu_seconds: float = 0.0
    cursor_before: dict[str, Any] | None = None
    cursor_after: dict[str, Any] | None = None
    error_kind: Kind | None = None
    error_class: str | None = None
    error: str | None = None
    resume_at: float | None = None


class SourceState(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Where a source is to go on: in a full run that broke off, and with what has changed since the last one."""

    full: dict[str, Any] | None = None
    incremental: dict[str, Any] | None = None
    validators: dict[str, list[str]] = {}


@dataclass(frozen=True, slots=True)
class Written:
    """What became of a batch; `quarantined` are those that could not be stored, by what was wrong."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    quarantined: int = 0


@dataclass(frozen=True, slots=True)
class Swept:
    """How many offers are gone since a full run did not see them, and how many were too many to be believed."""

    removed: int = 0
    held: int = 0


class Writer(Protocol):
    """Writes what one run of one source yields. Raises Unavailable when the database is away."""

    async def write(self, items: Sequence[Item]) -> Written:
        """Up to 500 offers, each new or over the one before; of two of one name the later counts."""

    async def remove(self, gone: Sequence[Removed]) -> int:
        """Mark these as gone; how many were there."""

    async def sweep(self, *, is_confirmed: bool) -> Swept:
        """Mark all offers of the source as gone that this run has not written."""


class Ledger(Protocol):
    """Keeps what is kept of one source."""

    async def load(self) -> SourceState:
        """Where to go on."""

    async def save(self, state: SourceState) -> None:
        """Keep it."""

    async def record(self, run: RunRecord) -> None:
        """Keep what became of a run."""


class MemoryLedger:
    """Keeps it for as long as the process lives: for trials, and for runs that must leave no trace."""

    def __init__(self, state: SourceState | None = None) -> None:
        self.state = state or SourceState()
        self.runs: list[RunRecord] = []

    async def load(self) -> SourceState:
        """Where to go on."""
        return self.state

    async def save(self, state: SourceState) -> None:
        """Keep it."""
        self.state = state

    async def record(self, run: RunRecord) -> None:
        """Keep what became of a run."""
        self.runs.append(run)


class CountingWriter:
    """Writes nothing: what a run would yield is counted, all of it as new."""

    async def write(self, items: Sequence[Item]) -> Written:
        """Count them."""
        return Written(new=len(items))

    async def remove(self, gone: Sequence[Removed]) -> int:
        """Count them."""
        return len(gone)

    async def sweep(self, *, is_confirmed: bool) -> Swept:
        """Nothing is gone."""
        del is_confirmed
        return Swept()
