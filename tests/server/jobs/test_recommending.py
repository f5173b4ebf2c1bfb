"""Recommenders as jobs: each run a process within its bounds, told as runs are; a failure leaves lists as they are."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
import pytest_asyncio

from dateflicks.server.jobs.declared import RECOMMEND, Job, declared, is_reserved, kind_of, recommending
from dateflicks.server.jobs.recommending import COLLECTIONS
from dateflicks.server.jobs.supervising import Bounds, Supervisor, Wish
from dateflicks.server.plugins import Found
from dateflicks.server.recommendation.runs import Reader, Run
from dateflicks.server.services.session.records import USERS, name_key
from dateflicks.server.storage.database import Database
from dateflicks.settings.errors import SettingsError
from dateflicks.settings.providers import ProvidersSettings
from dateflicks.settings.recommenders import RecommendersSettings
from tests.cli.process import is_running
from tests.server.jobs.odd import CODE, Odd
from tests.server.jobs.test_supervising import the_child
from tests.server.services.recommendation.scene import Scene, somebody
from tests.waiting import until

JOB: Final = Job(name="recommend-odd", subject="recommend-odd", kind="recommender")


@pytest.fixture
def odd(tmp_path: Path) -> Odd:
    return Odd(tmp_path)


@pytest_asyncio.fixture
async def home(database: Database) -> AsyncIterator[Database]:
    """Two who have watched a film together, in the database of the data folder."""
    await database.ensure(COLLECTIONS)
    scene = Scene(database)
    await scene.films("Charade", "M", "Ordet")
    ana, bea = somebody(), somebody()
    for user in (ana, bea):
        await database.table(USERS).insert({"_id": user, "name": user, "nameKey": name_key(user)})
    await scene.evening(ana, bea, "Charade")
    yield database


Supervised = Callable[..., Supervisor]


@pytest.fixture
def supervised_odd(home: Database, odd: Odd, tmp_path: Path) -> Supervised:
    def make(**bounds: Any) -> Supervisor:
        environ = {**os.environ, "DATEFLICKS_HOME": str(tmp_path / "home"), "PYTHONPATH": str(odd.site)}
        command = [sys.executable, "-P", "-m", "dateflicks", "--settings", str(odd.settings), "jobs", "exec"]
        wanted: dict[str, Any] = {"timeout_seconds": 60.0, "memory_mib": 512, **bounds}
        ours = Bounds(**wanted, environ={"OPENBLAS_NUM_THREADS": "1"})
        others: dict[Any, Bounds] = {"recommender": ours}
        return Supervisor(home, command, environ, timeout_seconds=0.01, memory_mib=64, others=others, grace_seconds=0.5)

    return make


async def live(database: Database) -> Run | None:
    return await Reader(database).live("odd")


@pytest.mark.slow
async def test_a_run_makes_lists_and_one_that_fails_changes_nothing(
    home: Database, supervised_odd: Supervised, odd: Odd
) -> None:
    supervisor = supervised_odd()
    first = await supervisor.run(JOB, Wish())
    assert (first.status, first.error, first.counters.seen, first.counters.new) == ("ok", None, 2, 3)
    assert odd.half_way.read_text() == "1"
    made = await live(home)
    assert made is not None
    assert (made.id, made.users, made.pairs) == (first.id, 2, 1)
    assert "open sesame" not in made.parameters
    ana, *_ = [one["_id"] for one in await home.table(USERS).between("nameKey", at_least="name:", limit=2)]
    due = await supervisor.store.state(JOB.subject)
    own = await supervisor.run(JOB, Wish(user=ana))
    assert (own.status, own.error, own.counters.new) == ("ok", None, 2)
    assert await supervisor.store.state(JOB.subject) == due
    made = msgspec.structs.replace(made, rev=made.rev + 1)
    assert await live(home) == made
    odd.behaves("raises")
    raised = await supervisor.run(JOB, Wish())
    assert (raised.status, raised.error) == ("failed", "The password [not shown] is of no use.")
    assert await live(home) == made
    newest = (await Reader(home).runs("odd"))[0]
    assert (newest.state, "open sesame" in (newest.error or "")) == ("failed", False)
    assert (await supervisor.store.state(JOB.subject)).rung == 1


@pytest.mark.long
@pytest.mark.parametrize(
    ("how", "bounds", "status", "words"),
    [
        ("hangs", {"timeout_seconds": 6.0}, "timeout", "It took longer than 6 s."),
        ("eats", {"memory_mib": 300}, "killed", "It took more than 300 MiB."),
        ("crashes", {}, "failed", "Its process was ended by SIGSEGV."),
        ("garbage", {}, "failed", "3 of the 3 scores that it gave are no finite numbers."),
    ],
)
async def test_however_a_recommender_fails_its_run_says_so_and_the_last_lists_stay(
    home: Database, supervised_odd: Supervised, odd: Odd, how: str, bounds: dict[str, float], status: str, words: str
) -> None:
    assert (await supervised_odd().run(JOB, Wish())).status == "ok"
    made = await live(home)
    odd.behaves(how)
    found = await supervised_odd(**bounds).run(JOB, Wish())
    assert (found.status, (found.error or "").partition(" (")[0]) == (status, words)
    assert await live(home) == made
    assert await Reader(home).listing(made.id if made else "", "everybody") is not None
    odd.behaves("well")
    assert (await supervised_odd().run(JOB, Wish())).status == "unchanged"


@pytest.mark.long
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
async def test_a_run_that_is_ended_half_way_leaves_the_last_lists_and_the_next_one_makes_them_anew(
    home: Database, supervised_odd: Supervised, odd: Odd, number: signal.Signals
) -> None:
    supervisor = supervised_odd()
    assert (await supervisor.run(JOB, Wish())).status == "ok"
    made = await live(home)
    odd.behaves("hangs")
    run = asyncio.create_task(supervisor.run(JOB, Wish()))
    await until(odd.half_way.exists, seconds=30.0)
    child = the_child()
    os.kill(child, number)
    ended = await run
    assert ended.status == ("partial" if number is signal.SIGTERM else "killed")
    assert not is_running(child)
    assert await live(home) == made
    assert (await Reader(home).runs("odd"))[0].state == ("failed" if number is signal.SIGTERM else "building")
    (odd.site / "odd_one.py").write_text(
        CODE.replace('name = "odd"', 'name = "odd"\n    version = "2"'), encoding="utf-8"
    )
    odd.behaves("well")
    assert (await supervisor.run(JOB, Wish())).status == "ok"
    newest = await live(home)
    assert newest is not None
    assert newest.version == "2"
    assert "building" not in {one.state for one in await Reader(home).runs("odd")}


@pytest.mark.long
async def test_a_recommender_that_cannot_be_loaded_is_told_as_broken(
    home: Database, supervised_odd: Supervised, odd: Odd
) -> None:
    (odd.site / "odd_one.py").write_text("import no_such_package", encoding="utf-8")
    supervisor = supervised_odd()
    broken = await supervisor.run(JOB, Wish())
    assert (broken.status, broken.error_kind, broken.error_class) == ("failed", "broken", "ModuleNotFoundError")
    state = await supervisor.store.state(JOB.subject)
    assert state.attention == "broken: ModuleNotFoundError: No module named 'no_such_package'"
    assert await live(home) is None


def found(name: str, problem: str | None = None) -> Found:
    return Found(name=name, package="odd", version="1", reference="odd:Odd", problem=problem)


def test_each_recommender_that_is_used_is_a_job_with_its_schedule() -> None:
    settings = RecommendersSettings(plugins={"odd": {"schedule": "5 1 * * *", "how": "well"}})
    jobs = recommending(settings, [found("blend"), found("edlae"), found("odd"), found("bad", "broken")])
    assert [(job.name, job.kind, job.schedule) for job in jobs] == [
        ("recommend-blend", "recommender", "12 * * * *"),
        ("recommend-edlae", "recommender", ""),
        ("recommend-odd", "recommender", "5 1 * * *"),
    ]
    assert [job.is_by_hand for job in jobs] == [False, True, False]
    assert {kind_of(job.subject) for job in jobs} == {"recommender"}
    assert [kind_of(one) for one in ("merge", "retention", "archive")] == ["merge", "retention", "source"]


@pytest.mark.parametrize("own", [{"schedule": "hourly"}, {"schedule": 5}])
def test_a_schedule_that_is_none_is_told_with_its_place(own: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match=r"recommenders\.toml.*odd"):
        recommending(RecommendersSettings(plugins={"odd": own}), [found("odd")])


def test_a_source_cannot_be_called_as_the_job_of_a_recommender() -> None:
    assert is_reserved(f"{RECOMMEND}odd")
    assert declared(ProvidersSettings(), [found(f"{RECOMMEND}odd")])[0].kind == "merge"
