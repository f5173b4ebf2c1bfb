"""Runs of the sources that one can press play on, against a server that answers from recorded files."""

import asyncio
from typing import Any

import msgspec

from dateflicks.server.catalogue.writing import Writer
from dateflicks.server.providers.context import RunContext, context_for
from dateflicks.server.providers.pacing import FetchLimits
from dateflicks.server.providers.records import MemoryLedger, RunRecord
from dateflicks.server.providers.running import Plan, run_source
from dateflicks.server.providers.source import VideoSource
from tests.providers import server as provider
from tests.server.providers.sources import Kept

QUICK = FetchLimits(try_seconds=2.0)

PASSING: list[provider.Fault] = [
    provider.too_many(1),
    provider.failing(500),
    provider.failing(503),
    provider.cut_off,
    provider.silent,
]
"""What passes: whoever waits and asks again is answered."""


async def no_time(_: float) -> None:
    """Sleep in no time."""
    await asyncio.sleep(0)


async def run(
    source: VideoSource,
    config: msgspec.Struct,
    kept: Kept | Writer | None = None,
    ledger: MemoryLedger | None = None,
    *,
    mode: Any = "full",
    limits: FetchLimits | None = None,
    stopping: asyncio.Event | None = None,
    contact: str = "",
) -> RunRecord:
    """One run of a source, to its end."""
    async with asyncio.timeout(60):
        return await run_source(
            source,
            Plan(id="run-1", mode=mode, fetch_limits=limits or FetchLimits(), contact=contact),
            config=config,
            writer=kept or Kept(),
            ledger=ledger or MemoryLedger(),
            sleep=no_time,
            stopping=stopping,
        )


def asking(source: VideoSource, config: msgspec.Struct) -> RunContext:
    """What a source needs to be asked anything; close its `http` afterwards."""
    return context_for(source, config, sleep=no_time)


def ids(kept: Kept) -> set[str]:
    """What is there, by the source's own names."""
    return {source_id for source_id, _ in kept.there}
