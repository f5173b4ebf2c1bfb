"""A video source that does, half way, what its settings say: all that a source should not."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any, ClassVar

import msgspec

from dateflicks.server.providers.source import (
    BaseSource,
    Capability,
    Checkpoint,
    Complete,
    Context,
    Item,
    Mode,
    Removed,
    Yield,
)

LEAKED_BYTES = 4_000_000


class ChaosSettings(msgspec.Struct, frozen=True):
    """`how` it behaves, and how many `titles` it has."""

    how: str = "well"
    titles: int = 400


class ChaosVideoSource(BaseSource):
    """Half of its titles are sound, whatever comes then."""

    name: ClassVar[str] = "chaos"
    config: ClassVar[type[msgspec.Struct]] = ChaosSettings
    capabilities: ClassVar[frozenset[Capability]] = frozenset({"incremental"})
    attribution: ClassVar[str] = "Films by Chaos."

    async def fetch(self, context: Context, state: Mapping[str, Any] | None, mode: Mode) -> AsyncIterator[Yield]:
        settings: ChaosSettings = context.config
        if settings.how == "nothing":
            yield Complete(full=True, state={"at": 0})  # it says that this was all there is
            return
        half = settings.titles // 2
        for number in range(half):
            yield _film(number)
        yield Checkpoint(state={"at": half})
        match settings.how:
            case "raise":
                raise RuntimeError("Chaos has raised this.")
            case "hang":
                time.sleep(3_600)  # noqa: ASYNC251 - nobody else runs in this loop any more, as is meant
            case "wait":
                await _deaf()
            case "segfault":
                os.kill(os.getpid(), signal.SIGSEGV)
            case "leak":
                hog = []
                while True:
                    hog.append(bytearray(os.urandom(1) * LEAKED_BYTES))
            case "spin":
                while True:
                    pass
            case "garbage":
                for one in _garbage():
                    yield one
            case "killed":
                os.kill(os.getpid(), signal.SIGKILL)
            case "exit":
                os._exit(0)
            case "babble":
                while True:
                    print('{"record": {"status": "ok"}}' * 1_000, file=sys.stdout)
                    print("x" * 1_000_000, file=sys.stderr)
        for number in range(half, settings.titles):
            yield _film(number)
        yield Complete(full=mode == "full", state={"at": 0})


def _film(number: int) -> Item:
    return Item(
        source_id=f"c{number}",
        url=f"https://chaos.example.org/{number}",
        title=f"Chaos Number {number}",
        year=1950 + number % 70,
        playable=True,
    )


async def _deaf() -> None:
    """Wait, and not be stopped by anybody who asks."""
    while True:
        try:
            await asyncio.sleep(3_600)
        except asyncio.CancelledError:
            continue


def _garbage() -> list[Any]:
    """What is no record, and what is one in form alone."""
    film = "https://chaos.example.org/garbage"
    return [
        *(Item(source_id=f"g{number}", url="javascript:alert(1)", title="\x1b[2J\u202e" * 9) for number in range(200)),
        Item(source_id="g-long", url=film, title="x" * 5_000_000, overview="y" * 5_000_000),
        Item(source_id="g-year", url=film, title="From the year ten million", year=10_000_000),
        Item(source_id="g-nan", url=film, title="No length", duration_seconds=float("nan")),
        Item(source_id="g-types", url=film, title=12, people="nobody", external_ids=["tt1"]),  # type: ignore[arg-type]
        Removed(source_id="c0\0"),
        "a title",
        None,
        {"title": "A mapping"},
    ]
