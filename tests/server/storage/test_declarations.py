"""What can be declared: the rules that keep an index on one engine the same as on the other."""

import time
from pathlib import Path

import pytest

from dateflicks.server.storage.database import Database
from dateflicks.server.storage.records import Collection, Duplicate, Index, Place, StorageFault
from tests.server.storage.engines import Engine, embedded


@pytest.mark.parametrize("field", ["", "_id", "a_b", "a.b", "1a", "a b", "$a", "a'"])
def test_an_indexed_field_is_a_plain_word(field: str) -> None:
    with pytest.raises(ValueError, match="plain words"):
        Index((field,))
    with pytest.raises(ValueError, match="plain words"):
        Index(("kind", field))


def test_an_index_has_fields() -> None:
    with pytest.raises(ValueError, match="plain words"):
        Index(())


def test_only_one_field_can_be_unique() -> None:
    with pytest.raises(ValueError, match="only an index on one field"):
        Index(("a", "b"), unique=True)


@pytest.mark.parametrize("name", ["", "a_b", "a.b", "1a", "sqlite_master", "system.users", "a-b"])
def test_names_are_plain_words(name: str) -> None:
    with pytest.raises(ValueError, match="plain words"):
        Collection("Things", name)
    with pytest.raises(ValueError, match="plain words"):
        Collection(name, "things")


def test_an_index_on_two_fields_needs_one_on_the_first_beside_it() -> None:
    with pytest.raises(ValueError, match="needs an index on kind alone"):
        Collection("Things", "things", (Index(("kind", "order")), Index(("order",))))


@pytest.mark.parametrize(
    "indexes",
    [
        (Index(("kind",)), Index(("kind",))),
        (Index(("kind",)), Index(("kind",), unique=True)),
        (Index(("kind",)), Index(("Kind",))),
        (Index(("kind",)), Index(("kind", "order")), Index(("kind", "order"))),
        (Index(("kind",)), Index(("kind", "order")), Index(("kind", "Order"))),
    ],
)
def test_two_indexes_whose_names_would_collide_are_refused(indexes: tuple[Index, ...]) -> None:
    with pytest.raises(ValueError, match="two indexes"):
        Collection("Things", "things", indexes)


def test_a_collection_knows_its_fields() -> None:
    collection = Collection(
        "Things", "things", (Index(("name",), unique=True), Index(("kind",)), Index(("kind", "order")))
    )

    assert collection.looked_up == {"name", "kind"}
    assert collection.indexed == {"name", "kind", "order"}
    assert collection.unique == ("name",)


def test_a_place_is_the_value_that_orders_and_the_id() -> None:
    assert Place.of({"_id": "a1", "order": 3, "x": 1}, "order") == Place(3, "a1")


@pytest.mark.asyncio(loop_scope="module")
async def test_a_collection_is_declared_before_it_is_used(engine: Engine) -> None:
    declared = Collection(engine.logical, "declared", (Index(("name",), unique=True),))
    await engine.database.ensure([declared])

    engine.database.table(declared)
    for other in (Collection(engine.logical, "other"), Collection(engine.logical, "declared")):
        with pytest.raises(ValueError, match="has not been ensured"):
            engine.database.table(other)


@pytest.mark.asyncio(loop_scope="module")
async def test_a_collection_is_declared_in_one_way_only(engine: Engine) -> None:
    await engine.database.ensure([Collection(engine.logical, "one", (Index(("name",)),))])

    await engine.database.ensure([Collection(engine.logical, "one", (Index(("name",)),))])
    for twin in (
        Collection(engine.logical, "one"),
        Collection(engine.logical, "one", (Index(("name",), unique=True),)),
        Collection(engine.logical, "One", (Index(("name",)),)),
        Collection(engine.logical.lower(), "one", (Index(("name",)),)),
    ):
        with pytest.raises(ValueError, match="declared twice"):
            await engine.database.ensure([twin])


async def test_logical_databases_are_apart(folder: Path) -> None:
    here, there = Collection("Here", "things"), Collection("There", "things")

    async with embedded(folder, here, there) as database:
        await database.table(here).insert({"_id": "a1"})
        assert await database.table(there).get("a1") is None

    assert {path.stem for path in (folder / "mongo" / "databases").glob("*.db")} >= {"Here", "There"}


async def test_an_index_that_should_have_become_unique_and_did_not_is_found(folder: Path) -> None:
    was = Collection("Things", "users", (Index(("name",)),))
    shall = Collection("Things", "users", (Index(("name",), unique=True),))
    async with embedded(folder, was) as database:
        await database.table(was).insert({"_id": "a1", "name": "ada"})

    with pytest.raises(StorageFault, match="name should be unique and is not"):
        async with embedded(folder, shall):
            pass

    async with embedded(folder, was) as database:  # and trying has left nothing behind
        found = await database.table(was).between("name", at_least="a", below="zz")
        assert [one["_id"] for one in found] == ["a1"]


async def test_a_collection_that_cannot_be_ensured_stands_in_nobody_elses_way(folder: Path) -> None:
    was = Collection("Things", "users", (Index(("name",)),))
    shall = Collection("Things", "users", (Index(("name",), unique=True),))
    other = Collection("Things", "other", (Index(("kind",)),))
    async with embedded(folder, was):
        pass

    async with embedded(folder, other) as database:
        with pytest.raises(StorageFault):
            await database.ensure([shall])
        with pytest.raises(ValueError, match="has not been ensured"):
            database.table(shall)
        assert database.is_up()
        await database.ensure([was])
        await database.table(was).insert({"_id": "a1", "name": "ada"})
        await database.table(other).insert({"_id": "a1", "kind": "k"})


async def test_a_unique_index_outlives_a_restart_and_ensuring_again(folder: Path) -> None:
    users = Collection("Things", "users", (Index(("name",), unique=True), Index(("mail",), unique=True)))

    async def taken(database: Database) -> None:
        for document in ({"_id": "a2", "name": "ada", "mail": "m2"}, {"_id": "a2", "name": "bob", "mail": "m1"}):
            with pytest.raises(Duplicate):
                await database.table(users).insert(document)

    async with embedded(folder, users) as database:
        await database.table(users).insert({"_id": "a1", "name": "ada", "mail": "m1"})
        await taken(database)
    async with embedded(folder, users) as database:
        await taken(database)
        assert len(await database.table(users).between("name", at_least="a")) == 1


async def test_what_a_killed_try_of_an_index_has_left_is_gone_after_the_next_one(folder: Path) -> None:
    users = Collection("Things", "users", (Index(("name",), unique=True),))
    old, of_others = f"probe{int(time.time()) - 3_600:08x}", f"probe{int(time.time()):08x}"
    left = [{"_id": f"{mark}00{end}", "name": f"{mark}00a"} for mark, end in ((old, "a"), (of_others, "b"))]
    theirs = {"_id": "a1", "name": f"{old}x"}  # somebody chose such a name
    async with embedded(folder, users) as database:
        await database.table(users).insert_many([*left, theirs])

    async with embedded(folder, users) as database:
        found = await database.table(users).between("name", at_least="a")
        assert sorted(one["_id"] for one in found) == sorted(["a1", left[1]["_id"]])
