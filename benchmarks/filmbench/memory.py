"""What processes that work on the collection take of memory: each stage is one process, as its job is one.

As a program it does one stage in the folder of a collection whose database somebody else runs, and writes its memory in
MiB after each part of it, a line each; the last line is the most that it ever had.
"""

import argparse
import asyncio
import contextlib
import os
import sys
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from benchmarks.filmbench import films
from benchmarks.filmbench.filling import COLLECTIONS, TIMEOUT_SECONDS, Invented, fill
from benchmarks.kernel import memory_mib
from dateflicks.core.limits import PAGE_MAX
from dateflicks.server.catalogue.paging import pages_of
from dateflicks.server.catalogue.records import VIDEOS, WORKS
from dateflicks.server.catalogue.retention import Retention
from dateflicks.server.catalogue.works import Works
from dateflicks.server.catalogue.writing import Writer
from dateflicks.server.providers.source import Removed
from dateflicks.server.services.videos.following import Following
from dateflicks.server.services.videos.shelf import Shelf
from dateflicks.server.storage.database import Database, DatabaseSettings

STAGES: Final = ("run of a source", "films made", "films made anew", "index filled")
LAST_STAGES: Final = ("a half withdrawn", "retention")
LOOK_SECONDS: Final = 0.25
CHILD_SECONDS: Final = 24 * 3_600.0


class Stage(msgspec.Struct):
    """The memory of one stage's process, and of the database beside it, in MiB."""

    name: str
    titles: int
    peak_mib: float
    quarters_mib: list[float]  # on average, in each quarter of its time
    engine_mib: float


async def stages(folder: Path, sizes: Sequence[int], say: Callable[[str], None]) -> list[Stage]:
    """All stages while a collection grows to each of these sizes, in order."""
    found: list[Stage] = []
    settings = DatabaseSettings(timeout_seconds=TIMEOUT_SECONDS)
    async with Database.open(settings, folder, COLLECTIONS, role="worker") as database:
        assert database.engine is not None
        for titles in sizes:
            for name in (*STAGES, *(LAST_STAGES if titles == sizes[-1] else ())):
                values = await _child(folder, name, titles)
                engine = memory_mib(database.engine.pid or 0)
                found.append(Stage(name, titles, values[-1], _quarters(values[:-1]), engine))
                say(f"{titles} titles, {name}: at most {values[-1]:.0f} MiB")
    return found


def slope(found: Sequence[Stage], name: str) -> float | None:
    """How much more a stage takes at most for each further 100,000 titles; None for one size alone."""
    peaks = [(one.titles, one.peak_mib) for one in found if one.name == name]
    (first, least), (last, most) = peaks[0], peaks[-1]
    return (most - least) * 100_000 / (last - first) if last > first else None


def _quarters(values: Sequence[float]) -> list[float]:
    size = max(len(values) // 4, 1)
    parts = [values[start : start + size] for start in range(0, size * 4, size)]
    return [round(sum(part) / len(part), 1) for part in parts if part]


async def _child(folder: Path, stage: str, titles: int) -> list[float]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.filmbench.memory", os.fspath(folder), stage, str(titles)),
        stdout=asyncio.subprocess.PIPE,
        limit=1 << 24,
    )
    try:
        async with asyncio.timeout(CHILD_SECONDS):
            output, _ = await process.communicate()
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
    assert process.returncode == 0, f"{stage} failed"
    return [float(line) for line in output.split()]


# --- a stage --------------------------------------------------------------------------------------------------------


async def _run(database: Database, titles: int) -> None:
    films.learn()
    record, _ = await fill(database, Invented(titles))
    assert record.status in ("ok", "unchanged"), record


async def _withdraw(database: Database, titles: int) -> None:
    films.learn()
    writer = Writer(database, films.SOURCE, "withdrawn")
    for start in range(0, titles // 2, PAGE_MAX):
        numbers = range(start, min(start + PAGE_MAX, titles // 2))
        await writer.remove([Removed(source_id=films.film(number).source_id) for number in numbers])
    await Works(database).update()
    async for _ in pages_of(database.table(VIDEOS), films.SOURCE):
        pass


async def _index(database: Database, titles: int) -> None:
    with tempfile.TemporaryDirectory(prefix="dateflicks-index-") as folder:
        shelf = Shelf(Path(folder))
        await shelf.open()
        following = Following(database.table(WORKS), shelf, poll_seconds=1.0)
        await following.begin()
        task = asyncio.create_task(following.run())
        while not following.is_complete:  # noqa: ASYNC110 - it says so to nobody
            await asyncio.sleep(LOOK_SECONDS)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert shelf.count >= titles // 2
        await shelf.close()


async def _retention(database: Database) -> None:
    async def nothing(_: object) -> set[str]:
        return set()

    retention = Retention(database, Works(database), keep_seconds=0.0)
    await retention.blank_expired()
    await retention.purge(nothing)


async def _main(folder: Path, stage: str, titles: int) -> None:
    works: dict[str, Callable[[Database], Awaitable[object]]] = {
        "run of a source": lambda database: _run(database, titles),
        "films made": lambda database: Works(database).update(),
        "films made anew": lambda database: Works(database).rebuild(),
        "index filled": lambda database: _index(database, titles),
        "a half withdrawn": lambda database: _withdraw(database, titles),
        "retention": _retention,
    }
    settings = DatabaseSettings(timeout_seconds=TIMEOUT_SECONDS)
    async with Database.open(settings, folder, COLLECTIONS, role="guest") as database:
        watching = asyncio.create_task(_watch())
        await works[stage](database)
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
    print(memory_mib(os.getpid(), peak=True), flush=True)


async def _watch() -> None:
    while True:
        print(memory_mib(os.getpid()), flush=True)
        await asyncio.sleep(LOOK_SECONDS)


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.filmbench.memory", description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("stage", choices=(*STAGES, *LAST_STAGES))
    parser.add_argument("titles", type=int)
    options = parser.parse_args()
    asyncio.run(_main(options.folder, options.stage, options.titles))
    return 0


if __name__ == "__main__":
    sys.exit(main())
