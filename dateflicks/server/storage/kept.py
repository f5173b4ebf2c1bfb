"""What is kept in a database, looked at as a whole: for whoever keeps a deployment, never for the services.

Services read by an index and a page at a time (`table.py`). A backup reads everything, and what there is has to be
counted; each engine has its own way to do that without keeping others waiting, and both are told alike here.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from dateflicks.server.storage.records import Collection, Document, Index


@dataclass(frozen=True, slots=True)
class Found:
    """A collection as it is: how many documents it has, how many bytes they take (None: not told), and its indexes."""

    name: str
    documents: int
    size: int | None
    indexes: tuple[Index, ...]

    def lacks(self, declared: Collection) -> list[Index]:
        """The declared indexes that are not there, or not as they are declared."""
        real = {index.fields: index for index in self.indexes}
        return [
            index
            for index in declared.indexes
            if (found := real.get(index.fields)) is None or (index.unique and not found.unique)
        ]

    def exceeds(self, declared: Collection | None) -> list[Index]:
        """The indexes that nobody has declared."""
        wanted = {index.fields for index in declared.indexes} if declared is not None else set()
        return [index for index in self.indexes if index.fields not in wanted]


class Kept(Protocol):
    """All that is kept, read as it was when it was opened as far as the engine can do that; `consistency` says how far.

    All raise Unavailable, StorageFault.
    """

    engine: str
    version: str
    consistency: str

    async def databases(self) -> list[str]:
        """Which logical databases there are."""
        ...

    async def collections(self, database: str, *, sized: bool = False) -> list[Found]:
        """The collections of one, by name; `sized` ones with their bytes, which takes longer."""
        ...

    def documents(self, database: str, collection: str) -> AsyncIterator[Sequence[Document]]:
        """All documents of a collection in the order of their ids, some at a time."""
        ...

    async def get(self, database: str, collection: str, id: str) -> Document | None:  # noqa: A002
        """One document."""
        ...
