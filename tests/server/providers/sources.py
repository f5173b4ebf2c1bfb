"""Sources that do what a test wants of them, and a writer that keeps what it is given in memory: what a run hands over,
and when. (What becomes of it in the database is tested where it is written.)
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any, ClassVar

import msgspec

from dateflicks.core.errors import Unavailable
from dateflicks.server.providers.records import Swept, Written
from dateflicks.server.providers.source import BaseSource, Capability, Context, Item, Mode, Removed, Yield

Fetch = Callable[[Context, Mapping[str, Any] | None, Mode], AsyncIterator[Any]]


class Config(msgspec.Struct, frozen=True):
    """A base address and a key."""

    base_url: str = ""
    token: str = ""


class Scripted(BaseSource):
    """Yields what its function yields."""

    name: ClassVar[str] = "scripted"
    config: ClassVar[type[msgspec.Struct]] = Config
    hosts: ClassVar[tuple[str, ...]] = ("films.example.org",)
    requests_per_second: ClassVar[float] = 1_000.0
    capabilities: ClassVar[frozenset[Capability]] = frozenset({"incremental"})

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch

    def fetch(self, context: Context, state: Mapping[str, Any] | None, mode: Mode) -> AsyncIterator[Yield]:
        return self._fetch(context, state, mode)


def of(*yields: Any) -> Scripted:
    """A source that yields these."""

    async def fetch(context: Context, state: Mapping[str, Any] | None, mode: Mode) -> AsyncIterator[Any]:
        for one in yields:
            await asyncio.sleep(0)
            if isinstance(one, BaseException):
                raise one
            yield one

    return Scripted(fetch)


def item(number: int, **changes: Any) -> Item:
    """One film."""
    values = {"source_id": f"f{number}", "url": f"https://films.example.org/{number}", "title": f"Film {number}"}
    return Item(**{**values, **changes})


class Kept:
    """The writer: what was handed over, in order, and what is there."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.there: dict[tuple[str, str], Item] = {}
        self.gone: list[str] = []
        self.sweeps: list[bool] = []
        self.is_away = False
        self._seen: set[tuple[str, str]] = set()

    async def write(self, items: Sequence[Item]) -> Written:
        if self.is_away:
            raise Unavailable("The database is away.")
        names = [(one.source_id, one.region) for one in items]
        new = sum(name not in self.there for name in names)
        changed = sum(name in self.there and self.there[name] != one for name, one in zip(names, items, strict=True))
        self.batches.append([one.source_id for one in items])
        self.there.update(zip(names, items, strict=True))
        self._seen.update(names)
        return Written(new=new, changed=changed, unchanged=len(items) - new - changed)

    async def remove(self, gone: Sequence[Removed]) -> int:
        self.gone += [one.source_id for one in gone]
        return sum(self.there.pop((one.source_id, one.region), None) is not None for one in gone)

    async def sweep(self, *, is_confirmed: bool) -> Swept:
        self.sweeps.append(is_confirmed)
        unseen = self.there.keys() - self._seen
        for name in unseen:
            del self.there[name]
        return Swept(removed=len(unseen))
