"""The fence: what it lets through, and that it sees each thing that must never be sent."""

import contextlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from pymongo import AsyncMongoClient, UpdateOne, WriteConcern
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import PyMongoError

from dateflicks.server.storage.fence import Fence, problems_of
from dateflicks.server.storage.records import Document
from tests.server.storage.engines import embedded

Things = AsyncCollection[Document]


async def changed_in_place(things: Things) -> None:
    await things.find_one_and_update({"_id": "a1"}, {"$set": {"x": 1}})


async def deleted_in_place(things: Things) -> None:
    await things.find_one_and_delete({"_id": "a1"})


async def operator(things: Things) -> None:
    await things.update_one({"_id": "a1"}, {"$set": {"x": 1}})


async def pipeline(things: Things) -> None:
    await things.update_one({"_id": "a1"}, [{"$set": {"x": 1}}])


async def many(things: Things) -> None:
    await things.update_many({"_id": "a1"}, {"$inc": {"x": 1}})


async def by_other_field(things: Things) -> None:
    await things.replace_one({"name": "x"}, {"x": 1})


async def bulk(things: Things) -> None:
    await things.bulk_write([UpdateOne({"_id": "a1"}, {"$set": {"x": 1}})])


async def filters_of_arrays(things: Things) -> None:
    await things.update_one({"_id": "a1"}, {"$set": {"x.$[one]": 1}}, array_filters=[{"one": 1}])


async def unlimited(things: Things) -> None:
    await things.find({"name": "x"}).to_list()


async def far_limited(things: Things) -> None:
    await things.find({"name": "x"}).limit(201).to_list()


async def unfiltered(things: Things) -> None:
    await things.find({}).limit(1).to_list()


async def either(things: Things) -> None:
    await things.find({"$or": [{"name": "x"}, {"name": "y"}]}).limit(1).to_list()


async def both(things: Things) -> None:
    await things.find({"$and": [{"name": "x"}, {"kind": "y"}]}).limit(1).to_list()


async def among(things: Things) -> None:
    await things.find({"name": {"$in": ["x", "y"]}}).limit(1).to_list()


async def pattern(things: Things) -> None:
    await things.find({"name": {"$regex": "^x"}}).limit(1).to_list()


async def ids_in_range(things: Things) -> None:
    await things.find({"_id": {"$gte": "a", "$lt": "b"}}).limit(1).to_list()


async def dated(things: Things) -> None:
    await things.find({"name": "2025-11-25"}).limit(1).to_list()


async def all_but_one_field(things: Things) -> None:
    await things.find({"name": "x"}, {"name": 0}).limit(1).to_list()


async def part_of_a_field(things: Things) -> None:
    await things.find({"name": "x"}, {"name.first": 1}).limit(1).to_list()


async def sorted_by_two(things: Things) -> None:
    await things.find({"name": "x"}).sort([("a", 1), ("b", 1)]).limit(1).to_list()


async def skipped(things: Things) -> None:
    await things.find({"name": "x"}).skip(1).limit(1).to_list()


async def number_as_id(things: Things) -> None:
    await things.insert_one({"_id": 1})


async def digits_as_id(things: Things) -> None:
    await things.insert_one({"_id": "1"})


async def no_id(things: Things) -> None:
    await things.insert_one({"x": 1})


async def number_looked_up(things: Things) -> None:
    await things.find_one({"_id": 1})


async def numbers_looked_up(things: Things) -> None:
    await things.find({"_id": {"$in": ["a", 1]}}).limit(2).to_list()


async def number_replaced(things: Things) -> None:
    await things.replace_one({"_id": 1}, {"x": 1})


async def number_deleted(things: Things) -> None:
    await things.delete_one({"_id": 1})


async def deleted_by_other_field(things: Things) -> None:
    await things.delete_many({"name": "x"})


async def counted(things: Things) -> None:
    await things.count_documents({"name": "x"})


async def aggregated(things: Things) -> None:
    await things.aggregate([{"$match": {"name": "x"}}])


async def distinct(things: Things) -> None:
    await things.distinct("name")


async def dropped(things: Things) -> None:
    await things.drop()


async def index_with_an_underscore(things: Things) -> None:
    await things.create_index([("a_b", 1)])


async def index_with_a_dot(things: Things) -> None:
    await things.create_index([("a.b", 1)])


async def partial_index(things: Things) -> None:
    await things.create_index([("a", 1)], partialFilterExpression={"b": 1})


async def expiring_index(things: Things) -> None:
    await things.create_index([("a", 1)], expireAfterSeconds=60)


async def pragma(things: Things) -> None:
    await things.database.command({"journal_mode": 1})


async def transaction(things: Things) -> None:
    async with things.database.client.start_session() as session:
        await session.start_transaction()
        await things.insert_one({"_id": "a1"}, session=session)
        await session.abort_transaction()


async def unacknowledged(things: Things) -> None:
    await things.with_options(write_concern=WriteConcern(w=0)).insert_one({"_id": "a1"})


@pytest.mark.parametrize(
    ("send", "problem"),
    [
        (changed_in_place, "findAndModify: not on the list"),
        (deleted_in_place, "findAndModify: not on the list"),
        (operator, "update operators"),
        (pipeline, "update operators"),
        (many, "updates change one document"),
        (by_other_field, "updates go by id"),
        (bulk, "update operators"),
        (filters_of_arrays, "update with ['arrayFilters']"),
        (unlimited, "limit must be"),
        (far_limited, "limit must be"),
        (unfiltered, "no filter"),
        (either, "$or reads the whole collection"),
        (both, "$and reads the whole collection"),
        (among, "name: ['$in'] reads the whole collection"),
        (pattern, "name: ['$regex'] reads the whole collection"),
        (ids_in_range, "_id: ['$gte', '$lt'] reads the whole collection"),
        (dated, "does not start with a letter"),
        (all_but_one_field, "fields are asked for by plain words"),
        (part_of_a_field, "fields are asked for by plain words"),
        (sorted_by_two, "sort by one field"),
        (skipped, "with ['skip']"),
        (number_as_id, "ids are text"),
        (digits_as_id, "does not start with a letter"),
        (no_id, "ids are text"),
        (number_looked_up, "ids are text"),
        (numbers_looked_up, "ids are text"),
        (number_replaced, "ids are text"),
        (number_deleted, "ids are text"),
        (deleted_by_other_field, "deletes go by id"),
        (counted, "aggregate: not on the list"),
        (aggregated, "aggregate: not on the list"),
        (distinct, "distinct: not on the list"),
        (dropped, "drop: not on the list"),
        (index_with_an_underscore, "no _ or . in indexed fields"),
        (index_with_a_dot, "no _ or . in indexed fields"),
        (partial_index, "index with ['partialFilterExpression']"),
        (expiring_index, "index with ['expireAfterSeconds']"),
        (pragma, "journal_mode: not on the list"),
        (transaction, "transactions share one connection"),
        (unacknowledged, "w=0 breaks the connection's next command"),
    ],
)
async def test_what_must_never_be_sent_is_seen(
    socket_uri: str, breaches: list[str], send: Callable[[Things], Awaitable[None]], problem: str
) -> None:
    fence = Fence()
    async with AsyncMongoClient[Document](socket_uri, event_listeners=[fence]) as client:
        with contextlib.suppress(PyMongoError):  # the engine may refuse it as well; it was sent
            await send(client["Things"]["things"])

    assert any(problem in one for one in fence.breaches), fence.breaches
    assert fence.breach_count >= 1
    assert breaches  # by which every other test would have failed
    breaches.clear()


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("ping", {"ping": 1}),
        ("saslStart", {}),
        ("find", {"find": "things", "filter": {"_id": "a1"}, "limit": 1, "singleBatch": True, "lsid": {}, "$db": "T"}),
        ("find", {"find": "t", "filter": {"kind": "k", "n": {"$gte": 1, "$lte": 2}}, "sort": {"n": -1}, "limit": 200}),
        ("getMore", {"getMore": 1, "collection": "things"}),
        ("insert", {"insert": "things", "documents": [{"_id": "a1"}], "ordered": True, "writeConcern": {"j": True}}),
        ("update", {"update": "t", "updates": [{"q": {"_id": "a1", "rev": 1}, "u": {"_id": "a1"}, "upsert": False}]}),
        ("delete", {"delete": "things", "deletes": [{"q": {"_id": {"$in": ["a1", "a2"]}}, "limit": 0}]}),
        ("createIndexes", {"createIndexes": "things", "indexes": [{"key": {"a": 1, "b": 1}, "name": "a_1_b_1"}]}),
        ("insert", {"insert": "things", "documents": [{"_id": "a1"}], "txnNumber": 1, "$clusterTime": {}}),
    ],
)  # fmt: skip
def test_what_we_send_is_on_the_list(name: str, command: dict[str, Any]) -> None:
    assert list(problems_of(name, command)) == []


def test_too_many_ids_are_seen() -> None:
    command = {"find": "things", "filter": {"_id": {"$in": [f"a{number}" for number in range(201)]}}, "limit": 200}

    assert list(problems_of("find", command)) == ["more than 200 ids"]


async def test_the_fence_counts_commands_and_forgets_old_breaches_but_not_their_number(
    folder: Path, breaches: list[str]
) -> None:
    async with embedded(folder) as database:
        assert database.fence.command_count > 0
        assert database.fence.breach_count == 0
        assert database.engine is not None
        async with AsyncMongoClient[Document](database.engine.uri, event_listeners=[database.fence]) as client:
            for _ in range(105):
                await client["Things"].command({"journal_mode": 1})

        assert database.fence.breach_count == 105
        assert len(database.fence.breaches) == 100
    breaches.clear()
