"""What is kept of sources and their runs, in the database. States and cursors are a source's own JSON, of which the
database sees nothing.
"""

from contextlib import suppress
from typing import Final

import msgspec

from dateflicks.core.errors import Unavailable
from dateflicks.server.catalogue.sources import KIND, RUNS, SOURCES
from dateflicks.server.providers.records import RunRecord, SourceState
from dateflicks.server.storage.database import Database
from dateflicks.server.storage.records import Document, Duplicate, opaque, revealed

COLLECTIONS: Final = (SOURCES, RUNS)
TRIES: Final = 5  # to change a document that others change too
_TEXTS: Final = ("cursorBefore", "cursorAfter")


class DatabaseLedger:
    """The `Ledger` of one source. Raises Unavailable when the database is away.

    The source's document is shared with whoever plans its runs: what is not ours in it stays as it is.
    """

    def __init__(
        self, database: Database, source: str, attribution: str = "", *, may_be_learned_from: bool = False
    ) -> None:
        self._sources = database.table(SOURCES)
        self._runs = database.table(RUNS)
        self._source = source
        self._told = {"attribution": attribution, "mayBeLearnedFrom": may_be_learned_from}

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
        await self._note({"state": opaque(state)})

    async def record(self, run: RunRecord) -> None:
        """Keep what became of a run, over what may be kept of its beginning."""
        await self._runs.upsert(document_of(run))
        await self._note({"lastRun": {"id": run.id, "status": run.status, "endedAt": run.ended_at}})

    async def _note(self, changes: Document) -> None:
        """Change these fields of the source's document, which is made if need be."""
        key = source_id(self._source)
        ours = {"kind": KIND, "name": self._source, **self._told, **changes}
        for _ in range(TRIES):
            stored = await self._sources.get(key)
            if stored is None:
                with suppress(Duplicate):
                    await self._sources.insert({"_id": key, **ours})
                    return
                continue
            changed = {**stored, **ours, "rev": stored["rev"] + 1}
            if ours.items() <= stored.items() or await self._sources.replace(changed, stored["rev"]):
                return
        raise Unavailable(f"Others keep changing what is known of {self._source}. Try again in a moment.")


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
