"""A run of a source whose films are invented, through all that a run goes through; and what it leaves, to be compared.

As a program it fills the collection of a folder whose database somebody else runs, and makes films of it; it can be
killed at any time.
"""

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, Final, Protocol

from benchmarks.filmbench import films
from dateflicks.protocol.ids import new_id
from dateflicks.server.catalogue import records
from dateflicks.server.catalogue.paging import pages_from, pages_of
from dateflicks.server.catalogue.works import Works
from dateflicks.server.catalogue.writing import Writer
from dateflicks.server.providers import ledger
from dateflicks.server.providers.ledger import DatabaseLedger
from dateflicks.server.providers.records import RunRecord
from dateflicks.server.providers.running import Plan, run_source
from dateflicks.server.providers.source import (
    BaseSource,
    Capability,
    Checkpoint,
    Complete,
    Context,
    Item,
    Mode,
    NoSettings,
    Yield,
)
from dateflicks.server.storage.database import Database, DatabaseSettings
from dateflicks.server.storage.records import Document

CHUNK: Final = 5_000
TIMEOUT_SECONDS: Final = 10.0
COLLECTIONS: Final = (*records.COLLECTIONS, *ledger.COLLECTIONS)
_WHEN: Final = frozenset({"rev", "firstSeen", "lastSeen", "lastSeenRun", "changedAt", "updatedAt", "addedAt"})
_OF_TIMES: Final = frozenset({"memberStamps", "contentHash"})  # of a film: when its offers changed


class Watcher(Protocol):
    """Who measures the chunks of a run."""

    async def ended(self, number: int) -> None:
        """All films below this number are written."""

    def begins(self) -> None:
        """Those of the next chunk are made up, which is no part of it, and come now."""


class Invented(BaseSource):
    """So many films; `watcher` is told of the chunks in which they come."""

    name: ClassVar[str] = films.SOURCE
    capabilities: ClassVar[frozenset[Capability]] = frozenset({"incremental"})

    def __init__(self, count: int, chunk: int = CHUNK, watcher: Watcher | None = None) -> None:
        self._count = count
        self._chunk = chunk
        self._watcher = watcher

    async def fetch(self, context: Context, state: Mapping[str, Any] | None, mode: Mode) -> AsyncIterator[Yield]:
        """All of them, from where a run was broken off."""
        del context
        start = int((state or {}).get("at", 0)) if mode == "full" else 0
        made: Iterator[Item] = map(films.film, range(start, self._count))
        for number in range(start, self._count):
            if number % self._chunk == 0:
                yield Checkpoint(state={"at": number})
                if self._watcher is not None:
                    await self._watcher.ended(number)
                    made = iter([*map(films.film, range(number, min(number + self._chunk, self._count)))])
                    self._watcher.begins()
            yield next(made)
        if self._watcher is not None:
            yield Checkpoint(state={"at": self._count})
            await self._watcher.ended(self._count)
        yield Complete(full=mode == "full", state={"at": 0})


async def fill(database: Database, source: Invented) -> tuple[RunRecord, int]:
    """One full run; its record, and how many offers it wrote."""
    run_id = new_id("run")
    writer = Writer(database, source.name, run_id)
    plan = Plan(id=run_id, mode="full", timeout_seconds=24 * 3_600.0)
    kept = DatabaseLedger(database, source.name)
    record = await run_source(source, plan, config=NoSettings(), writer=writer, ledger=kept)
    return record, writer.touched


async def picture(database: Database) -> tuple[dict[str, Document], dict[str, Document]]:
    """All offers and all films, but for when they were written."""
    offers: dict[str, Document] = {}
    works: dict[str, Document] = {}
    async for page in pages_of(database.table(records.VIDEOS), films.SOURCE):
        offers |= {one["_id"]: {name: value for name, value in one.items() if name not in _WHEN} for one in page}
    async for page in pages_from(database.table(records.WORKS), "updatedAt", 0.0):
        works |= {one["_id"]: _timeless(one) for one in page}
    return offers, works


def _timeless(work: Document) -> Document:
    kept = {name: value for name, value in work.items() if name not in _WHEN | _OF_TIMES}
    kept["offers"] = [{name: value for name, value in one.items() if name not in _WHEN} for one in work["offers"]]
    return kept


async def _main(folder: Path, titles: int, chunk: int) -> int:
    settings = DatabaseSettings(timeout_seconds=TIMEOUT_SECONDS)
    async with Database.open(settings, folder, COLLECTIONS, role="guest") as database:
        print("begun", flush=True)
        record, _ = await fill(database, Invented(titles, chunk))
        print("filled", flush=True)
        await Works(database).update()
    if record.status not in ("ok", "unchanged"):
        print(record, file=sys.stderr)
        return 1
    return 0


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.filmbench.filling", description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("titles", type=int)
    parser.add_argument("--chunk", type=int, default=CHUNK)
    options = parser.parse_args()
    return asyncio.run(_main(options.folder, options.titles, options.chunk))


if __name__ == "__main__":
    sys.exit(main())
