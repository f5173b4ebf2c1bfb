"""What is kept of sources and their runs, in the database. States and cursors are a source's own JSON, of which the
database sees nothing.
"""

from typing import Any, Final

import msgspec

from dateflicks.server.providers.records import RunRecord, SourceState
from dateflicks.server.storage.database import Database
from dateflicks.server.storage.records import Collection, Document, Index, StorageFault, opaque, revealed

DATABASE: Final = "VideoDb"
SOURCES: Final = Collection(DATABASE, "sources", (Index(("kind",)),))
RUNS: Final = Collection(DATABASE, "runs", (Index(("source",)), Index(("source", "startedAt")), Index(("startedAt",))))
COLLECTIONS: Final = (SOURCES, RUNS)
KIND: Final = "source"
_TEXTS: Final = ("cursorBefore", "cursorAfter")


class DatabaseLedger:
    """The `Ledger` of one source. Raises Unavailable when the database is away."""

    def __init__(self, database: Database, source: str) -> None:
        self._sources = database.table(SOURCES)
        self._runs = database.table(RUNS)
        self._source = source

    async def load(self) -> SourceState:
        """Where to go on; from the start when what is kept cannot be read."""
        found = await self._sources.get(source_id(self._source))
        if found is None:
            return SourceState()
        try:
            return msgspec.convert(revealed(found["state"]), SourceState)
        except (KeyError, TypeError, msgspec.MsgspecError):
            return SourceState()

    async def save(self, state: SourceState) -> None:
        """Keep it."""
        kept = {"_id": source_id(self._source), "rev": 1, "kind": KIND, "name": self._source, "state": opaque(state)}
        await self._sources.upsert(kept)

    async def record(self, run: RunRecord) -> None:
        """Keep what became of a run, over what may be kept of its beginning."""
        await self._runs.upsert(document_of(run))

    async def last_runs(self, limit: int = 20) -> list[RunRecord]:
        """The last runs of the source, newest first."""
        found = await self._runs.page("source", self._source, order_by="startedAt", limit=limit)
        return [run_of(document) for document in found]


def source_id(name: str) -> str:
    """The id of a source's document."""
    return f"src:{name}"


def document_of(run: RunRecord) -> Document:
    """A run as it is stored; its id must start with a letter."""
    document: Document = msgspec.to_builtins(run)
    document["_id"] = document.pop("id")
    document["rev"] = 1
    for name in _TEXTS:
        document[name] = opaque(document[name])
    return document


def run_of(document: Document) -> RunRecord:
    """A stored run. Raises StorageFault when it cannot be read."""
    try:
        values: dict[str, Any] = {**document, "id": document["_id"]}
        for name in _TEXTS:
            values[name] = revealed(values[name])
        return msgspec.convert(values, RunRecord)
    except (KeyError, TypeError, msgspec.MsgspecError) as error:
        raise StorageFault(f"the run {document.get('_id')} cannot be read: {error}") from error
