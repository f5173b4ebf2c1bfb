"""The keys under which offers find one another: a document for each id and for each folded title in a year, with the
offers that have it.

So the neighbours of two hundred offers are a few reads by id. Several processes may change them: each change is written
over the version that was read, and done again when somebody was quicker.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from dateflicks.core.errors import Unavailable
from dateflicks.server.catalogue.paging import those
from dateflicks.server.catalogue.records import KEYS
from dateflicks.server.storage.database import Database
from dateflicks.server.storage.records import Document
from dateflicks.server.storage.table import MANY_MAX

COMMON: Final = 64  # offers under one title in one year; beyond it the title says nothing (`Untitled`, `Episode 1`)
TRIES: Final = 20


def is_common(key: str, count: int) -> bool:
    """Whether so many have this key that sharing it means nothing; ids always mean something."""
    return key.startswith("ttl:") and count > COMMON


class Keys:
    """Reads and changes them; what was read is remembered until `forget`."""

    def __init__(self, database: Database) -> None:
        self._keys = database.table(KEYS)
        self._read: dict[str, Document | None] = {}

    def forget(self) -> None:
        """Read anew from now on."""
        self._read.clear()

    async def load(self, keys: Iterable[str]) -> None:
        """Read these, unless they are known."""
        missing = [key for key in dict.fromkeys(keys) if key not in self._read]
        found = await those(self._keys, missing)
        self._read.update((key, found.get(key)) for key in missing)

    def holders(self, key: str) -> Sequence[str]:
        """Who has this key, which was loaded; nobody when it is common."""
        offers: Sequence[str] = (self._read[key] or {}).get("offers", ())
        return () if is_common(key, len(offers)) else offers

    def is_common(self, key: str) -> bool:
        """Whether this key, which was loaded, says nothing."""
        return is_common(key, len((self._read[key] or {}).get("offers", ())))

    async def change(self, added: Mapping[str, set[str]], removed: Mapping[str, set[str]]) -> set[str]:
        """Put offers under keys and take them away; returns the offers under keys that this made common, or not so."""
        turned: set[str] = set()
        left = list(dict.fromkeys((*added, *removed)))
        for _ in range(TRIES):
            await self.load(left)
            written: dict[str, Document] = {}
            for key in left:
                stored = self._read[key]
                before = set(stored["offers"]) if stored else set()
                after = (before | added.get(key, set())) - removed.get(key, set())
                if after != before:
                    written[key] = {"_id": key, "rev": stored["rev"] + 1 if stored else 1, "offers": sorted(after)}
                    if is_common(key, len(before)) != is_common(key, len(after)):
                        turned |= before | after
            left = await self._write(written)
            if not left:
                return turned
        raise Unavailable("Others keep changing the keys of the collection. Try again in a moment.")

    async def _write(self, written: Mapping[str, Document]) -> list[str]:
        """Returns those that somebody else was quicker with."""
        left: list[str] = []
        fresh = [one for one in written.values() if one["rev"] == 1]
        over = [one for one in written.values() if one["rev"] > 1]
        for start in range(0, len(fresh), MANY_MAX):
            left += await self._keys.insert_many(fresh[start : start + MANY_MAX])
        for start in range(0, len(over), MANY_MAX):
            left += await self._keys.replace_many(over[start : start + MANY_MAX])
        self._read.update(written)
        for key in left:
            del self._read[key]
        return left
