"""Runs of recommenders and what they make: lists for people and pairs, and rows of neighbours, written aside and then
switched to by one change of the run's document. Who reads sees whole runs only.

An older run stays for a while after the switch, for those who read it at that very moment, and for as long as an
experiment has its version frozen.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any, Final, Literal, TypeVar

import msgspec

from dateflicks.core.experiments.assignment import State as Experimenting
from dateflicks.core.limits import PAGE_MAX
from dateflicks.server.recommendation.experiments import Experiments
from dateflicks.server.recommendation.records import (
    NEIGHBOURS,
    RECOMMENDATIONS,
    RUNS,
    list_id,
    neighbours_id,
)
from dateflicks.server.storage.database import Database
from dateflicks.server.storage.records import Document, StorageFault, opaque, revealed
from dateflicks.server.storage.table import MANY_MAX, Table

T = TypeVar("T", bound=msgspec.Struct)
State = Literal["building", "live", "retired", "failed"]
GRACE_SECONDS: Final = 120.0  # how long what is retired may still be read: longer than any request, and any poll
LOOKED_THROUGH: Final = PAGE_MAX  # of an algorithm's runs, the newest first
NEIGHBOURS_MAX: Final = 100  # films in one row


class Run(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One run of one algorithm. Times are Unix seconds; `data_cut` is when what it learned from was read.

    `parameters`, `offline` and `figures` are JSON as text; `data_hash` is the same for the same data.
    """

    id: str
    algorithm: str
    version: str
    parameters: str = "{}"
    data_cut: float = 0.0
    data_hash: str = ""
    users: int = 0
    pairs: int = 0
    videos: int = 0
    interactions: int = 0
    started_at: float
    finished_at: float | None = None
    retired_at: float | None = None
    state: State = "building"
    offline: str = "null"
    figures: str = "{}"
    error: str | None = None
    rev: int = 1


class Entry(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """One film in a list. `why` are the two watched films, at most, that weigh most for it, and `shares` how much (0 to
    1, of all that weighs for it); `score` is in the units of the algorithm. `is_new` is a place kept for an arrival.

    In a list for two `fits` and `whys` say the same for each of them, in the order of their ids.
    """

    video_id: str
    score: float
    why: tuple[str, ...] = ()
    shares: tuple[float, ...] = ()
    is_new: bool = False
    fits: tuple[float | None, ...] = ()
    whys: tuple[tuple[str, ...], ...] = ()


class Listing(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What a run made for a unit: a person, a pair (`records.pair_of`), or everybody; the best first."""

    run: str
    user_id: str
    algorithm: str
    version: str
    generated_at: float
    data_cut: float
    items: tuple[Entry, ...]


class Row(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What having watched a film adds to the scores of others, in the units of the run's lists, the most first."""

    run: str
    video_id: str
    items: tuple[tuple[str, float], ...]


class Reader:
    """What runs have made. All raise Unavailable when the database is away."""

    def __init__(self, database: Database) -> None:
        self._runs = database.table(RUNS)
        self._lists = database.table(RECOMMENDATIONS)
        self._neighbours = database.table(NEIGHBOURS)

    async def live(self, algorithm: str, version: str | None = None) -> Run | None:
        """The newest live run of an algorithm, of this version if one is named."""
        for run in await self.runs(algorithm):
            if run.state == "live" and version in (None, run.version):
                return run
        return None

    async def all_live(self) -> list[Run]:
        """The newest live run of each algorithm, the newest first."""
        found = await self._runs.between("startedAt", at_least=0.0, descending=True, limit=LOOKED_THROUGH)
        newest: dict[str, Run] = {}
        for run in map(run_of, found):
            if run.state == "live":
                newest.setdefault(run.algorithm, run)
        return list(newest.values())

    async def run(self, id: str) -> Run | None:  # noqa: A002 - the word of the domain
        """One run."""
        document = await self._runs.get(id)
        return None if document is None else run_of(document)

    async def runs(self, algorithm: str, *, limit: int = LOOKED_THROUGH) -> list[Run]:
        """The last runs of an algorithm, whatever became of them, the newest first."""
        found = await self._runs.page("algorithm", algorithm, order_by="startedAt", limit=limit)
        return [run_of(one) for one in found]

    async def listing(self, run: str, unit: str) -> Listing | None:
        """The list that a run made for a unit."""
        document = await self._lists.get(list_id(run, unit))
        return None if document is None else _read(document, Listing)

    async def listings(self, run: str, units: Sequence[str]) -> dict[str, Listing]:
        """The lists that a run made for these units (200 at most), by unit."""
        found = await self._lists.get_many([list_id(run, unit) for unit in units])
        return {one.user_id: one for one in (_read(document, Listing) for document in found.values())}

    async def neighbours(self, run: str, video_ids: Sequence[str]) -> dict[str, Row]:
        """What having watched these films (200 at most) adds to the scores of a run, by film."""
        found = await self._neighbours.get_many([neighbours_id(run, one) for one in video_ids])
        return {one.video_id: one for one in (_read(document, Row) for document in found.values())}


class Writer:
    """Writes one run aside and switches to it; one run of an algorithm at a time, whose lease the caller holds.

    All raise Unavailable when the database is away.
    """

    def __init__(self, database: Database, *, now: Callable[[], float] = time.time) -> None:
        self._runs = database.table(RUNS)
        self._lists = database.table(RECOMMENDATIONS)
        self._neighbours = database.table(NEIGHBOURS)
        self._experiments = Experiments(database)
        self._reader = Reader(database)
        self._now = now

    async def begin(self, run: Run) -> Run:
        """A run is being built; what earlier ones have left behind half-way is told as failed first."""
        for left in await self._reader.runs(run.algorithm):
            if left.state == "building" and left.id != run.id:
                await self.fail(left, "Whoever built it was gone before its end.")
        await self._runs.insert(document_of_run(run))
        return run

    async def put_lists(self, listings: Sequence[Listing]) -> None:
        """Write lists of a run, which nobody reads before it is live, however many."""
        await _put(self._lists, [_document(list_id(one.run, one.user_id), one) for one in listings])

    async def amend(self, run: Run, listings: Sequence[Listing]) -> None:
        """Put other lists in place of some of a live run, and count it as changed for those who remember any."""
        await self.put_lists(listings)
        await self._runs.upsert(document_of_run(msgspec.structs.replace(run, rev=run.rev + 1)))

    async def put_neighbours(self, rows: Sequence[Row]) -> None:
        """Write rows of a run that is not live yet, however many."""
        await _put(self._neighbours, [_document(neighbours_id(one.run, one.video_id), one) for one in rows])

    async def go_live(self, run: Run) -> Run:
        """The one change by which everybody reads this run from now on."""
        live = msgspec.structs.replace(run, state="live", finished_at=self._now(), rev=run.rev + 1)
        await self._runs.upsert(document_of_run(live))
        return live

    async def fail(self, run: Run, error: str) -> None:
        """It came to nothing. What it has written is deleted later."""
        now = self._now()
        failed = msgspec.structs.replace(
            run, state="failed", error=error, finished_at=now, retired_at=now, rev=run.rev + 1
        )
        await self._runs.upsert(document_of_run(failed))

    async def retire(self, algorithm: str) -> None:
        """But for the newest live run, and the newest of each version that an experiment holds on to, all retire."""
        frozen = await self.frozen()
        served: set[str] = set()  # versions of which a newer run is live
        for run in await self._reader.runs(algorithm):
            if run.state != "live":
                continue
            is_needed = not served or (run.version not in served and (run.algorithm, run.version) in frozen)
            served.add(run.version)
            if not is_needed:
                retired = msgspec.structs.replace(run, state="retired", retired_at=self._now(), rev=run.rev + 1)
                await self._runs.upsert(document_of_run(retired))

    async def clear(self, algorithm: str, *, kept: int) -> int:
        """Delete what runs have made that are over since the grace, and all but the last `kept` of the runs themselves.

        Returns how many runs were deleted.
        """
        deleted, before = 0, self._now() - GRACE_SECONDS
        over = [run for run in await self._reader.runs(algorithm) if run.state in ("retired", "failed")]
        for number, run in enumerate(over):
            if run.retired_at is not None and run.retired_at > before:
                continue
            if run.state == "failed" or number >= kept:
                await self._empty(run.id)
            if number >= kept:
                deleted += await self._runs.delete(run.id)
        return deleted

    async def frozen(self) -> frozenset[tuple[str, str]]:
        """The algorithms and versions that experiments hold on to, and the one that was made everybody's."""
        running = [one for one in await self._experiments.all() if one.state is Experimenting.RUNNING]
        found = {(arm.algorithm, arm.version) for experiment in running for arm in experiment.variants}
        choice = await self._experiments.choice()
        return frozenset(found | ({(choice.algorithm, choice.version)} if choice is not None else set()))

    async def _empty(self, run: str) -> None:
        for table in (self._lists, self._neighbours):
            while found := await table.find("run", run, limit=PAGE_MAX):
                await table.delete_many([one["_id"] for one in found])


def run_of(document: Document) -> Run:
    """A stored run. Raises StorageFault when it cannot be read."""
    return _read({**document, "id": document["_id"]}, Run)


def document_of_run(run: Run) -> Document:
    """A run as it is stored."""
    document: Document = msgspec.to_builtins(run)
    document["_id"] = document.pop("id")
    return document


def as_text(value: Any) -> str:
    """Parameters or figures as they are kept."""
    return opaque(value)


def from_text(text: str) -> Any:
    """Parameters or figures as they were."""
    return revealed(text)


def _document(id: str, struct: msgspec.Struct) -> Document:  # noqa: A002
    """As it is stored: with lists for tuples, which the driver knows nothing of."""
    return {"_id": id, "rev": 1, **msgspec.json.decode(msgspec.json.encode(struct))}


async def _put(table: Table, documents: Sequence[Document]) -> None:
    for start in range(0, len(documents), MANY_MAX):
        await table.upsert_many(documents[start : start + MANY_MAX])


def _read(document: Document, kind: type[T]) -> T:
    try:
        return msgspec.convert(document, kind)
    except msgspec.ValidationError as error:
        raise StorageFault(f"{document.get('_id')} cannot be read: {error}") from error
