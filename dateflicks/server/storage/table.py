"""The operations on one collection, with plain arguments: all that a service can ask of the database.

Each is one of the shapes that both engines answer from an index, and each write is safe to repeat, so that a try that
went unanswered is tried again instead of being reported as failed. Writes replace whole documents: on the embedded
engine an update operator stores a boolean as a number. `rev` counts a document's versions; `cmds` holds the last
commands that changed it, by which a repeated command knows itself.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Final

from pymongo import ReplaceOne
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import BulkWriteError, DuplicateKeyError

from dateflicks.core import limits
from dateflicks.server.storage.calls import Calls
from dateflicks.server.storage.faults import DUPLICATE_KEY
from dateflicks.server.storage.records import Collection, Document, Missing, Place, Scalar, Stale, UnsafeValue
from dateflicks.server.storage.values import check_document, check_filter_value, is_document_id

COMMANDS_KEPT: Final = 8
MANY_MAX: Final = 500  # documents in one call
PIECE: Final = 50  # of them in one command: the engine writes them under a lock that readers wait for
MANY_SECONDS: Final = 30.0  # a disk that syncs each of them takes its time
_OURS: Final = frozenset({"_id", "rev", "cmds"})


class Table:
    """One collection of one database. All operations raise Unavailable when it is away; a call ends within two seconds.

    Most make one call; `page` may make two, `pages` makes as many as there are pages. Those that write many documents
    make one for each 50, which may take half a minute.
    """

    def __init__(self, collection: Collection, driver: AsyncCollection[Document], calls: Calls) -> None:
        self.collection = collection
        self._driver = driver
        self._calls = calls

    # --- one document -------------------------------------------------------------------------------------------

    async def get(self, id: str) -> Document | None:  # noqa: A002
        """A document by its id, or None."""
        if not is_document_id(id):
            return None
        return await self._calls.read(self.collection, lambda: self._driver.find_one({"_id": id}))

    async def get_many(self, ids: Sequence[str], *, only: Sequence[str] = ()) -> dict[str, Document]:
        """The documents that exist among these ids (200 at most), by id; or `only` some fields of them, see `page`."""
        self._check_limit(max(len(ids), 1))
        wanted = [one for one in dict.fromkeys(ids) if is_document_id(one)]
        if not wanted:
            return {}
        found = await self._list({"_id": {"$in": wanted}}, len(wanted), only=only)
        return {document["_id"]: document for document in found}

    async def insert(self, document: Mapping[str, Any]) -> Document:
        """Write a new document and return it as stored, with `rev` 1 when it has none. Raises Duplicate."""
        stored = {"rev": 1, **document}
        check_document(self.collection, stored)

        async def one_try(again: bool) -> Document:
            try:
                await self._driver.insert_one(dict(stored))
            except DuplicateKeyError:
                if not again or await self._driver.find_one({"_id": stored["_id"]}) != stored:
                    raise
            return stored

        return await self._calls.write(self.collection, one_try)

    async def compare_and_set(
        self,
        id: str,  # noqa: A002
        rev: int,
        changes: Mapping[str, Any],
        *,
        command: str,
    ) -> Document:
        """Change top-level fields of the document if it is at `rev`, and return it as stored, at the next `rev`.

        `command` is new for each intent: a document that the same command has changed already is returned as it is.
        Raises Stale (with the document as it is now), Missing, Duplicate, OutcomeUnknown.
        """
        if not _OURS.isdisjoint(changes):
            raise UnsafeValue(f"{self.collection.name}: {sorted(_OURS & set(changes))} cannot be set")
        if not is_document_id(id):
            raise Missing

        async def one_try(_again: bool) -> Document:
            while True:
                current = await self._driver.find_one({"_id": id})
                if current is None:
                    raise Missing
                if command in current.get("cmds", ()):
                    return current
                if current.get("rev") != rev:
                    raise Stale(current)
                commands = [*current.get("cmds", ()), command][-COMMANDS_KEPT:]
                changed = {**current, **changes, "rev": rev + 1, "cmds": commands}
                check_document(self.collection, changed)
                if (await self._driver.replace_one({"_id": id, "rev": rev}, changed)).matched_count:
                    return changed

        return await self._calls.write(self.collection, one_try)

    async def replace(self, document: Mapping[str, Any], rev: int) -> bool:
        """Write the whole document, whose own `rev` is the next, over the one at `rev`.

        False when there is none at that `rev`, which may be because an earlier try of this call was carried out.
        """
        written = dict(document)
        check_document(self.collection, written)

        async def one_try(_again: bool) -> bool:
            result = await self._driver.replace_one({"_id": written["_id"], "rev": rev}, written)
            return result.matched_count > 0

        return await self._calls.write(self.collection, one_try)

    async def upsert(self, document: Mapping[str, Any]) -> None:
        """Write the whole document, new or over the one with its id: the last one to arrive stays. Raises Duplicate."""
        written = dict(document)
        check_document(self.collection, written)

        async def one_try(_again: bool) -> None:
            await self._driver.replace_one({"_id": written["_id"]}, written, upsert=True)

        await self._calls.write(self.collection, one_try)

    async def delete(self, id: str) -> bool:  # noqa: A002
        """Delete a document; False when there was none, as far as anybody can tell after an unanswered try."""
        if not is_document_id(id):
            return False

        async def one_try(again: bool) -> bool:
            return (await self._driver.delete_one({"_id": id})).deleted_count > 0 or again

        return await self._calls.write(self.collection, one_try)

    async def delete_many(self, ids: Sequence[str]) -> int:
        """Delete the documents with these ids (200 at most); how many there were, at least."""
        self._check_limit(max(len(ids), 1))
        wanted = [one for one in ids if is_document_id(one)]
        if not wanted:
            return 0

        async def one_try(_again: bool) -> int:
            return (await self._driver.delete_many({"_id": {"$in": wanted}})).deleted_count

        return await self._calls.write(self.collection, one_try)

    # --- many documents -----------------------------------------------------------------------------------------

    async def insert_many(self, documents: Sequence[Mapping[str, Any]]) -> list[str]:
        """Write new documents (500 at most), each with `rev` 1 when it has none; the ids of those that were there.

        After an unanswered try these may be ones that it has written. Raises Duplicate (another unique field).
        """
        there: list[str] = []
        for piece in _pieces(self._checked([{"rev": 1, **document} for document in documents])):
            there += await self._insert(piece)
        return there

    async def upsert_many(self, documents: Sequence[Mapping[str, Any]]) -> None:
        """Write whole documents (500 at most), new or over the ones with their ids. Raises Duplicate."""
        for piece in _pieces(self._checked(documents)):
            await self._upsert(piece)

    async def replace_many(
        self, documents: Sequence[Mapping[str, Any]], *, seconds: float | None = MANY_SECONDS
    ) -> list[str]:
        """Write whole documents (500 at most), whose own `rev` is the next, each over the one at the `rev` before.

        Returns the ids of those that somebody else has changed or deleted meanwhile; they are not written. `seconds` is
        for each 50 of them, None the time of a call for one document.
        """
        left: list[str] = []
        for piece in _pieces(self._checked(documents)):
            left += await self._replace(piece, seconds)
        return left

    # --- by an indexed field ------------------------------------------------------------------------------------

    async def find_one(self, field: str, value: Scalar) -> Document | None:
        """A document by an indexed field, or None."""
        found = await self.find(field, value, limit=1)
        return found[0] if found else None

    async def find(self, field: str, value: Scalar, *, limit: int = limits.PAGE_DEFAULT) -> list[Document]:
        """Documents by an indexed field, in no particular order."""
        self._check_field(field)
        check_filter_value(field, value)
        return await self._list({field: value}, limit)

    async def page(
        self,
        field: str,
        value: Scalar,
        *,
        order_by: str,
        after: Place | None = None,
        descending: bool = True,
        limit: int = limits.PAGE_DEFAULT,
        only: Sequence[str] = (),
    ) -> list[Document]:
        """Documents by one field in the order of another, from behind a place on; there is an index on the two.

        Equal values of `order_by` keep one order, so that pages neither repeat nor skip (up to 200 equal ones). With
        `only`, those fields of them and `_id`, for a fifth of the price; what a document lacks is None.
        """
        self._check_field(field)
        check_filter_value(field, value)
        if not any(index.fields == (field, order_by) for index in self.collection.indexes):
            raise ValueError(f"{self.collection.name} has no index on {field} and {order_by}")
        direction = -1 if descending else 1
        if after is None:
            return await self._list({field: value}, limit, (order_by, direction), only)
        self._check_limit(limit)
        check_filter_value(order_by, after.value)
        same = {field: value, order_by: {"$gte": after.value, "$lte": after.value}}
        ties = await self._list(same, limits.PAGE_MAX, (order_by, direction), only)
        ids = [document["_id"] for document in ties]
        rest = ties[ids.index(after.id) + 1 :] if after.id in ids else ties
        if len(rest) < limit:
            beyond = {field: value, order_by: {"$lt" if descending else "$gt": after.value}}
            rest += await self._list(beyond, limit - len(rest), (order_by, direction), only)
        return rest[:limit]

    async def pages(
        self,
        field: str,
        value: Scalar,
        *,
        order_by: str,
        after: Place | None = None,
        descending: bool = True,
        only: Sequence[str] = (),
    ) -> AsyncIterator[list[Document]]:
        """The same to the end, as pages of 200 at most, none of them empty."""
        while True:
            page = await self.page(
                field, value, order_by=order_by, after=after, descending=descending, limit=limits.PAGE_MAX, only=only
            )
            if page:
                yield page
            if len(page) < limits.PAGE_MAX:
                return
            after = Place.of(page[-1], order_by)

    async def between(
        self,
        field: str,
        *,
        at_least: Scalar | None = None,
        below: Scalar | None = None,
        descending: bool = False,
        limit: int = limits.PAGE_DEFAULT,
    ) -> list[Document]:
        """Documents whose indexed field lies in a range, in its order: what has expired, for instance."""
        self._check_field(field)
        wanted = {operator: bound for operator, bound in (("$gte", at_least), ("$lt", below)) if bound is not None}
        if not wanted:
            raise ValueError("a range needs a bound")
        for bound in wanted.values():
            check_filter_value(field, bound)
        return await self._list({field: wanted}, limit, (field, -1 if descending else 1))

    # --- inside -------------------------------------------------------------------------------------------------

    async def _insert(self, written: Sequence[Document]) -> list[str]:
        async def one_try(_again: bool) -> list[str]:
            try:
                await self._driver.insert_many([dict(document) for document in written], ordered=False)
            except BulkWriteError as error:
                failures = error.details.get("writeErrors", [])
                if not failures:
                    raise
                ids = [written[one["index"]]["_id"] for one in failures]
                if any(one.get("code") != DUPLICATE_KEY for one in failures) or await self._there(ids) < len(ids):
                    raise
                return ids
            return []

        return await self._calls.write(self.collection, one_try, seconds=MANY_SECONDS)

    async def _there(self, ids: Sequence[str]) -> int:
        """How many of these there are; within the turn of the call that asks, which must not wait for another one."""
        cursor = self._driver.find({"_id": {"$in": list(ids)}}, {"_id": 1}).limit(len(ids)).batch_size(len(ids))
        return len(await cursor.to_list())

    async def _upsert(self, written: Sequence[Document]) -> None:
        async def one_try(_again: bool) -> None:
            operations = [ReplaceOne({"_id": one["_id"]}, one, upsert=True) for one in written]
            await self._driver.bulk_write(operations, ordered=False)

        await self._calls.write(self.collection, one_try, seconds=MANY_SECONDS)

    async def _replace(self, written: Sequence[Document], seconds: float | None) -> list[str]:
        async def one_try(_again: bool) -> int:
            operations = [ReplaceOne({"_id": one["_id"], "rev": one["rev"] - 1}, one) for one in written]
            return (await self._driver.bulk_write(operations, ordered=False)).matched_count

        if await self._calls.write(self.collection, one_try, seconds=seconds) == len(written):
            return []
        stored = await self._those([one["_id"] for one in written])
        return [one["_id"] for one in written if stored.get(one["_id"]) != one]

    async def _list(
        self, wanted: Document, limit: int, order: tuple[str, int] | None = None, only: Sequence[str] = ()
    ) -> list[Document]:
        self._check_limit(limit)
        fields = dict.fromkeys(only, 1) or None

        async def fetch() -> list[Document]:
            cursor = self._driver.find(wanted, fields).limit(limit).batch_size(limit)
            if order is not None:
                cursor = cursor.sort(*order)
            return await cursor.to_list()

        found = await self._calls.read(self.collection, fetch)
        return [dict.fromkeys(only) | one for one in found] if only else found

    async def _those(self, ids: Sequence[str]) -> dict[str, Document]:
        found: dict[str, Document] = {}
        for start in range(0, len(ids), limits.PAGE_MAX):
            found |= await self.get_many(ids[start : start + limits.PAGE_MAX])
        return found

    def _checked(self, documents: Sequence[Mapping[str, Any]]) -> list[Document]:
        if len(documents) > MANY_MAX:
            raise ValueError(f"at most {MANY_MAX} documents at a time, not {len(documents)}")
        checked = [dict(document) for document in documents]
        for document in checked:
            check_document(self.collection, document)
        if len({document["_id"] for document in checked}) < len(checked):
            raise ValueError("the same document twice")
        return checked

    def _check_field(self, field: str) -> None:
        if field not in self.collection.looked_up:
            raise ValueError(f"{self.collection.name} has no index on {field} alone")

    def _check_limit(self, limit: int) -> None:
        if not 1 <= limit <= limits.PAGE_MAX:
            raise ValueError(f"between 1 and {limits.PAGE_MAX} documents at a time, not {limit}")


def _pieces(documents: Sequence[Document]) -> list[Sequence[Document]]:
    return [documents[start : start + PIECE] for start in range(0, len(documents), PIECE)]
