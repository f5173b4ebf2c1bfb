"""Each thing happens once: when it is resent, after a crash between any two writes, and with two services at once."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from dateflicks.core.errors import Unavailable
from dateflicks.server.bus.local import LocalBus
from dateflicks.server.services.prediction import handler
from dateflicks.server.services.prediction.records import COLLECTIONS, OUTCOMES, SETTLING, pair_key
from dateflicks.server.storage.database import Database, DatabaseSettings
from dateflicks.server.storage.table import Table
from tests.journeys.wire import Json
from tests.server.services.prediction.deployment import PATIENCE_SECONDS, Deployment, Evening, deployed, on
from tests.waiting import until

TALE = [
    ("ana", "", {"prediction": {"details": "he did it", "clientId": "one"}}),
    ("ana", "call", {"option": "yes", "confidence": 0.9}),
    ("ben", "call", {"option": "no", "confidence": 0.8}),
    ("ben", "lock", None),
    ("ana", "propose", {"outcome": "yes"}),
    ("ben", "confirm", None),
]
WRITES = len(TALE) + 3  # a settlement has a mark, which goes again, and the outcome of the pair
WRITING = ("insert", "compare_and_set", "upsert", "delete")


class Death:
    """A process that dies at its n-th write, before or after that is carried out: from there on it does nothing."""

    def __init__(self, at: int, *, is_written: bool) -> None:
        self.at = at
        self.is_written = is_written
        self.writes = 0
        self.is_dead = False

    @contextlib.contextmanager
    def comes(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        with monkeypatch.context() as patch:
            for name in (*WRITING, "get", "find", "between", "page"):
                patch.setattr(Table, name, self._mortal(getattr(Table, name), is_write=name in WRITING))
            yield

    def _mortal(self, method: Callable[..., Awaitable[Any]], *, is_write: bool) -> Callable[..., Awaitable[Any]]:
        async def call(*args: Any, **more: Any) -> Any:
            if self.is_dead:
                raise Unavailable("Dead.")
            self.writes += is_write
            if is_write and self.writes == self.at:
                self.is_dead = True
                if self.is_written:
                    await method(*args, **more)
                raise Unavailable("Dead.")
            return await method(*args, **more)

        return call


async def tell(deployment: Deployment, evening: Evening, known: Json, *, expect: Any = (200, 201)) -> Json:
    """The tale from its beginning; what was told before is told again, until a step is not answered."""
    for name, verb, body in TALE:
        person = getattr(evening, name)
        path = f"{evening.path}/{known['id']}/{verb}" if verb else evening.path
        answer = await deployment.rest.call("POST", path, body, token=person.ticket, expect=expect)
        if answer.status == 409:  # of a resent step whose time is past: the first was carried out
            continue
        if answer.status == 503:
            return known
        known |= answer.body["prediction"]
    return known


async def check(deployment: Deployment, evening: Evening, prediction: Json) -> None:
    """It is settled, and counts once everywhere."""
    assert (prediction["status"], prediction["outcome"]) == ("settled", "yes")
    items = await deployment.items(evening, evening.ben)
    assert len(items) == 1
    assert [(call["authorName"], call["option"]) for call in items[0]["calls"]] == [("ana", "yes"), ("ben", "no")]
    session = await deployment.call("GET", f"{evening.path}/scores", evening.ana.ticket)
    pair = await deployment.call("GET", f"/predictions/scores?with={evening.ben.id}", evening.ana.ticket)
    assert pair == session
    assert [(one["name"], one["points"], one["calls"]) for one in pair["items"]] == [
        ("ana", 96.0, 1),
        ("ben", -156.0, 1),
    ]
    key = pair_key(evening.ana.id, evening.ben.id)
    assert len(await deployment.database.table(OUTCOMES).find("pairKey", key)) == 1
    assert await deployment.database.table(SETTLING).between("at", at_least=0) == []


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[Database]:
    async with Database.open(DatabaseSettings(timeout_seconds=PATIENCE_SECONDS), folder, COLLECTIONS) as database:
        yield database
        assert not database.fence.breaches


async def test_a_tale_that_is_told_again_and_again_happens_once(own: Deployment) -> None:
    evening = own.evening()
    prediction = await tell(own, evening, {})
    told = dict(prediction)
    for _ in range(3):
        prediction = await tell(own, evening, prediction)
        assert prediction == told
    await check(own, evening, prediction)


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.parametrize("is_written", [False, True], ids=["before", "after"])
async def test_a_crash_at_any_write_loses_nothing_and_doubles_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_written: bool
) -> None:
    async with opened(tmp_path) as database:
        for at in range(1, WRITES + 1):
            death = Death(at, is_written=is_written)
            async with on(database) as first:
                evening = first.evening()
                with death.comes(monkeypatch):
                    prediction = await tell(first, evening, {}, expect=(200, 201, 409, 503))
                    assert death.is_dead
            async with on(database) as second:
                prediction = await tell(second, evening, prediction)
                await check(second, evening, prediction)


async def test_outcomes_that_a_crash_kept_from_being_written_are_found_when_the_table_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(tmp_path) as database:
        death = Death(len(TALE) + 2, is_written=False)
        async with on(database) as first:
            evening = first.evening()
            with death.comes(monkeypatch):
                await tell(first, evening, {}, expect=(200, 201, 503))
        async with on(database) as second:  # nobody resends anything
            pair = await second.call("GET", f"/predictions/scores?with={evening.ana.id}", evening.ben.ticket)
            assert pair["predictions"] == 1


async def test_a_mark_whose_settlement_never_came_goes_when_its_time_is_over(tmp_path: Path) -> None:
    async with opened(tmp_path) as database:
        marks = database.table(SETTLING)
        await marks.insert({"_id": "prd_gone", "at": 1.0})
        async with on(database) as deployment:
            evening = deployment.evening()
            prediction = await deployment.locked(evening, ana=("yes", 0.9))
            await deployment.service._tables.about_to_settle(prediction["id"])
            await deployment.call("GET", f"/predictions/scores?with={evening.ana.id}", evening.ben.ticket)
            assert [mark["_id"] for mark in await marks.between("at", at_least=0)] == [prediction["id"]]


async def test_a_client_id_makes_one_prediction_and_means_one_thing(own: Deployment) -> None:
    evening = own.evening()
    made = await asyncio.gather(*(own.predict(evening, evening.ana, clientId="a") for _ in range(8)))
    assert len({one["id"] for one in made}) == 1
    problem = await own.predict(evening, evening.ana, "something else", clientId="a", expect=409)
    assert problem["type"].endswith(":client-id-reused")
    other = await own.predict(evening, evening.ben, clientId="a")
    assert other["id"] != made[0]["id"]
    body = {"prediction": {"details": "by a header"}}
    for _ in range(2):
        await own.rest.call(
            "POST", evening.path, body, token=evening.ana.ticket, headers={"Idempotency-Key": "k"}, expect=201
        )
    assert len(await own.items(evening, evening.ana)) == 3


async def test_an_action_meant_for_another_revision_is_refused_unless_it_is_done_already(own: Deployment) -> None:
    evening = own.evening()
    made = await own.predict(evening, evening.ana)
    call: Json = {"option": "yes", "confidence": 0.9, "revision": 1}
    called = await own.act(evening, evening.ana, made, "call", **call)
    assert await own.act(evening, evening.ana, made, "call", **call) == called
    problem = await own.act(evening, evening.ben, made, "lock", revision=1, expect=409)
    assert problem["type"].endswith(":moved-on")
    locked = await own.act(evening, evening.ben, made, "lock", revision=2)
    assert locked["revision"] == 3
    await own.act(evening, evening.ana, made, "propose", outcome="yes", revision=2, expect=409)
    await own.act(evening, evening.ana, made, "propose", outcome="yes", revision=3)
    await own.act(evening, evening.ben, made, "confirm", revision=4)
    assert (await own.act(evening, evening.ben, made, "confirm", revision=4))["status"] == "settled"


@pytest.mark.slow
@pytest.mark.parametrize("has_one_bus", [True, False])
async def test_two_services_on_one_database_agree(tmp_path: Path, has_one_bus: bool) -> None:
    async with opened(tmp_path) as database, AsyncExitStack() as stack:
        bus = LocalBus()
        one = await stack.enter_async_context(on(database, bus=bus))
        two = await stack.enter_async_context(on(database, bus=bus if has_one_bus else None))
        evening = one.evening()
        people = [evening.ana, evening.ben, *(evening.person(f"p{number}") for number in range(6))]
        ears = await stack.enter_async_context(two.seat(evening, evening.ben))
        made = await one.predict(evening, evening.ana)
        await asyncio.gather(
            *(
                (one, two)[number % 2].act(evening, person, made, "call", option="yes", confidence=0.9)
                for number, person in enumerate(people)
            )
        )
        locks = await asyncio.gather(*(each.act(evening, evening.ana, made, "lock") for each in (one, two, one, two)))
        assert len({lock["lockedAt"] for lock in locks}) == 1
        assert len(locks[0]["calls"]) == len(people)
        await two.act(evening, evening.ana, made, "propose", outcome="yes")
        settled = await asyncio.gather(
            *(
                each.act(evening, person, made, "confirm", expect=(200, 409))
                for person in people[1:]
                for each in (one, two)
            )
        )
        assert "settled" in {answer["status"] for answer in settled}
        for each in (one, two):
            assert (await each.read(evening, evening.ana, made))["status"] == "settled"
            pair = await each.call("GET", f"/predictions/scores?with={evening.ben.id}", evening.ana.ticket)
            assert (pair["predictions"], [item["calls"] for item in pair["items"]]) == (1, [1, 1])
        if has_one_bus:
            assert (await ears.hears("settled"))["outcome"] == "yes"
        found = await database.table(OUTCOMES).find("pairKey", pair_key(evening.ana.id, evening.ben.id))
        assert len(found) == 1


async def test_the_film_locks_once_whoever_of_two_services_sees_it_first(tmp_path: Path) -> None:
    async with opened(tmp_path) as database, AsyncExitStack() as stack:
        bus = LocalBus()
        one = await stack.enter_async_context(on(database, bus=bus))
        two = await stack.enter_async_context(on(database, bus=bus))
        evening = one.evening()
        ana = await stack.enter_async_context(one.seat(evening, evening.ana))
        ben = await stack.enter_async_context(two.seat(evening, evening.ben))
        one.film(evening, 10)
        made = await one.predict(evening, evening.ana, locksAtPosition=20)
        await ben.hears("made")
        two.film(evening, 19.9, rate=1.0)
        assert await ana.hears("locked") == await ben.hears("locked")
        assert (await one.document(made))["rev"] == 2
        await until(lambda: not one.service._keeping._tasks and not two.service._keeping._tasks)
        assert ana.reasons == ben.reasons == ["made", "locked"]


async def test_sessions_that_nobody_needs_leave_memory_and_come_back_as_they_were(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dateflicks.server.services.prediction.rooms.IDLE_SECONDS", 0.05)
    async with deployed(tmp_path) as own:
        evening = own.evening()
        locked = await own.locked(evening, ana=("yes", 0.9))
        await until(lambda: len(own.service._keeping.rooms) == 0)
        assert await own.read(evening, evening.ana, locked) == locked
        async with own.seat(evening, evening.ben) as ben:
            await ben.hears("present")
            await own.act(evening, evening.ben, locked, "void")
            await ben.hears("void")
            assert len(own.service._keeping.rooms) == 1


async def test_no_more_rooms_are_kept_than_may_be_however_many_sessions_are_asked_for(
    own: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dateflicks.server.services.prediction.rooms.IDLE_ROOMS_MAX", 5)
    here = own.evening()
    async with own.seat(here, here.ana):
        for _ in range(20):
            evening = own.evening()
            await own.predict(evening, evening.ana)
        assert len(own.service._keeping.rooms) <= 6
        assert own.service._keeping.rooms.get(here.id) is not None


async def test_who_asks_for_too_much_is_told_when_to_come_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handler, "CHANGES_PER_WINDOW", 3)
    async with deployed(tmp_path) as own:
        evening = own.evening()
        made = await own.predict(evening, evening.ana)
        await own.act(evening, evening.ana, made, "lock")
        await own.act(evening, evening.ana, made, "void")
        path = f"{evening.path}/{made['id']}/void"
        answer = await own.rest.call("POST", path, token=evening.ana.ticket, expect=429)
        assert int(answer.headers["retry-after"]) > 0
        await own.act(evening, evening.ben, made, "void", expect=409)


@pytest.mark.parametrize("key", [b"", b"k" * 201, b"\xff\xfe"])
async def test_an_idempotency_key_that_does_not_fit_is_refused(own: Deployment, key: bytes) -> None:
    evening = own.evening()
    headers = {b"Idempotency-Key": key, b"Authorization": b"Bearer " + evening.ana.ticket.encode()}
    async with httpx2.AsyncClient() as client:
        body = {"prediction": {"details": "by a header"}}
        answer = await client.post(own.address.url + evening.path, json=body, headers=headers)
    assert answer.status_code == 422
    assert [one["field"] for one in answer.json()["errors"]] == ["Idempotency-Key"]
