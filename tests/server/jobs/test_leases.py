"""Leases: one owner at a time, whatever becomes of it."""

import asyncio

import pytest

from dateflicks.server.jobs.child import Child
from dateflicks.server.jobs.leases import LEASE_SECONDS, SLACK_SECONDS, Lease, LeaseHeld, Leases
from dateflicks.server.jobs.records import LEASES
from dateflicks.server.jobs.supervising import kept_while
from dateflicks.server.storage.database import Database
from dateflicks.server.storage.records import StorageFault
from tests.waiting import until

ELSEWHERE = {"place": "another machine", "host": "elsewhere"}


class Clock:
    """Stands until it is moved."""

    def __init__(self) -> None:
        self.time = 1_790_000_000.0

    def __call__(self) -> float:
        return self.time


async def put(database: Database, **changes: object) -> None:
    """Make the lease that was taken one of somebody else's."""
    table = database.table(LEASES)
    stored = await table.get("lease:films")
    assert stored is not None
    await table.upsert({**stored, **changes, "rev": stored["rev"] + 1})


async def test_of_many_who_want_it_one_has_it(database: Database) -> None:
    wanted = await asyncio.gather(
        *(Leases(database).take("films", f"run_{number}") for number in range(8)), return_exceptions=True
    )
    assert sum(not isinstance(one, BaseException) for one in wanted) == 1
    assert sum(isinstance(one, LeaseHeld) for one in wanted) == 7


async def test_what_is_given_back_can_be_taken_at_once_and_nothing_was_left_behind(database: Database) -> None:
    leases = Leases(database)
    lease = await leases.take("films", "run_a")
    assert await leases.is_held("films")
    await leases.take("other", "run_b")
    await lease.release()
    assert not await leases.is_held("films")
    assert (await leases.take("films", "run_c")).left is None


async def test_that_of_another_machine_is_held_until_its_time_is_over(database: Database) -> None:
    clock = Clock()
    leases = Leases(database, now=clock)
    await leases.take("films", "run_a")
    await put(database, **ELSEWHERE)
    clock.time += LEASE_SECONDS + SLACK_SECONDS - 1
    with pytest.raises(LeaseHeld, match=r"films is being run by process .* of elsewhere"):
        await leases.take("films", "run_b")
    clock.time += 2
    assert (await leases.take("films", "run_b")).left == "run_a"


async def test_a_lease_is_kept_by_renewing_it_and_lost_to_who_has_taken_it(database: Database) -> None:
    clock = Clock()
    leases = Leases(database, now=clock)
    lease = await leases.take("films", "run_a")
    clock.time += LEASE_SECONDS
    assert await lease.renew()
    await put(database, **ELSEWHERE)
    clock.time += LEASE_SECONDS
    assert await leases.is_held("films")
    clock.time += LEASE_SECONDS
    assert lease.is_over
    other = await leases.take("films", "run_b")
    assert not await lease.renew()
    await lease.release()
    assert await leases.is_held("films")
    assert await other.renew()


async def test_that_of_a_process_of_this_machine_that_is_gone_is_free_at_once(database: Database) -> None:
    leases = Leases(database)
    await leases.take("films", "run_a")
    await put(database, pid=2**22 + 1, began="p", child=2**22 + 1, childBegan="p1")
    if leases._place:
        assert await leases.left("films") == "run_a"
        assert await leases.left("films") is None
        await leases.take("films", "run_b")


async def test_it_is_held_for_as_long_as_the_process_that_does_the_work_lives(database: Database) -> None:
    leases = Leases(database)
    child = await asyncio.create_subprocess_exec("sleep", "60")
    try:
        lease = await leases.take("films", "run_a")
        assert await lease.attach(child.pid)
        await put(database, pid=2**22 + 1, began="p1")
        assert await leases.is_held("films")
        assert await leases.left("films") is None
    finally:
        child.kill()
        await child.wait()
    if leases._place:
        assert await leases.left("films") == "run_a"


async def test_a_run_is_asked_to_end_when_its_lease_is_over_whatever_keeps_it_from_being_renewed(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dateflicks.server.jobs.supervising.LEASE_SECONDS", 0.04)
    clock, asked = Clock(), list[str]()
    lease = await Leases(database, now=clock).take("films", "run_1")

    async def refused(_: Lease) -> bool:
        raise StorageFault("The database refused it.")

    monkeypatch.setattr(Lease, "renew", refused)
    child = Child("films", timeout_seconds=60.0, memory_bytes=2**30)
    monkeypatch.setattr(child, "ask", asked.append)
    async with kept_while(lease, child):
        clock.time += LEASE_SECONDS + 1.0
        await until(lambda: asked)
    assert set(asked) == {"lease"}
