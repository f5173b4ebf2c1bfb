"""A database that hangs, or is away when we start: nobody waits longer than two seconds, and all goes on later."""

import asyncio
import os
import signal
import socket
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from pymongo.monitoring import CommandFailedEvent

from dateflicks.core.errors import Unavailable
from dateflicks.server.storage import calls as calls_module
from dateflicks.server.storage import embedded as embedded_module
from dateflicks.server.storage import health
from dateflicks.server.storage.database import Database, DatabaseAddressWrong, DatabaseSettings
from dateflicks.server.storage.records import Collection, Duplicate, Index, OutcomeUnknown
from tests.server.storage.engines import PLAIN, embedded, pid_of
from tests.waiting import until

USERS = Collection("Things", "users", (Index(("name",), unique=True),))
PROMISE_SECONDS = 2.0
SERVE = """
import asyncio, sys
from nx_27017.handler import NeoSQLiteHandler
from nx_27017.server import run_server

asyncio.run(run_server("127.0.0.1", int(sys.argv[1]), NeoSQLiteHandler(data_dir=sys.argv[2])))
"""


async def seconds_of(call: Awaitable[object]) -> tuple[float, Exception]:
    began = time.monotonic()
    with pytest.raises(Unavailable) as caught:
        await call
    return time.monotonic() - began, caught.value


def first_failure(database: Database, name: str, monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Set when a command of this name goes unanswered."""
    failed = asyncio.Event()

    def listen(event: CommandFailedEvent) -> None:
        if event.command_name == name:
            failed.set()

    monkeypatch.setattr(database.fence, "failed", listen)
    return failed


@pytest.mark.slow
async def test_while_the_engine_hangs_calls_end_in_two_seconds_and_then_at_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "JUST_GONE_SECONDS", 0.5)  # less than the ping takes that finds out
    async with embedded(folder) as database:
        table = database.table(PLAIN)
        await table.insert({"_id": "a1", "n": 1})
        pid = pid_of(database)

        os.kill(pid, signal.SIGSTOP)
        calls: list[Callable[[], Awaitable[object]]] = [
            lambda: table.insert({"_id": "a2"}),
            lambda: table.get("a1"),
            lambda: table.compare_and_set("a1", 1, {"n": 2}, command="c1"),
            lambda: table.upsert({"_id": "a3"}),
            lambda: table.delete("b9"),
        ]
        ended = await asyncio.gather(*(seconds_of(call()) for call in calls))

        assert max(seconds for seconds, _ in ended) < PROMISE_SECONDS
        assert [type(error) for _, error in ended[:2]] == [OutcomeUnknown, Unavailable]  # the insert was sent
        await until(lambda: not database.is_up())
        assert max([(await seconds_of(call()))[0] for call in calls]) < 0.1
        with pytest.raises(Unavailable):
            await database.ping()

        os.kill(pid, signal.SIGCONT)
        async with asyncio.timeout(5):
            await database.wait_up()
        assert pid_of(database) == pid
        assert (await table.compare_and_set("a1", 1, {"n": 2}, command="c1"))["n"] == 2
        await database.ping()


async def test_a_change_that_came_no_further_than_reading_is_known_not_to_have_happened(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls_module, "CALL_SECONDS", 0.4)
    async with embedded(folder, timeout_seconds=0.3) as database:
        table = database.table(PLAIN)
        await table.insert({"_id": "a1"})
        failed = first_failure(database, "find", monkeypatch)

        os.kill(pid_of(database), signal.SIGSTOP)
        _, error = await seconds_of(table.compare_and_set("a1", 1, {"n": 1}, command="c1"))
        os.kill(pid_of(database), signal.SIGCONT)

        assert failed.is_set()  # something had been sent
        assert type(error) is Unavailable


async def test_a_write_that_went_unanswered_and_was_carried_out_is_no_duplicate_of_itself(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with embedded(folder, USERS, timeout_seconds=0.3) as database:
        table = database.table(USERS)
        await table.insert({"_id": "a0", "name": "eve"})
        failed = first_failure(database, "insert", monkeypatch)

        os.kill(pid_of(database), signal.SIGSTOP)
        insert = asyncio.create_task(table.insert({"_id": "a1", "name": "ada"}))
        async with asyncio.timeout(2):
            await failed.wait()
        os.kill(pid_of(database), signal.SIGCONT)

        assert await insert == {"_id": "a1", "name": "ada", "rev": 1}
        assert await table.get("a1") == {"_id": "a1", "name": "ada", "rev": 1}


async def test_a_change_that_went_unanswered_and_was_carried_out_is_made_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with embedded(folder, timeout_seconds=0.3) as database:
        table = database.table(PLAIN)
        await table.insert({"_id": "a1", "n": 0})
        failed = first_failure(database, "update", monkeypatch)
        started = database.fence.started
        pid = pid_of(database)

        def stop_before_the_write(event: object) -> None:
            if getattr(event, "command_name", "") == "update" and not failed.is_set():
                os.kill(pid, signal.SIGSTOP)
            started(event)  # type: ignore[arg-type]  # passed on as it came

        monkeypatch.setattr(database.fence, "started", stop_before_the_write)
        change = asyncio.create_task(table.compare_and_set("a1", 1, {"n": 1}, command="c1"))
        async with asyncio.timeout(2):
            await failed.wait()
        os.kill(pid, signal.SIGCONT)

        assert await change == {"_id": "a1", "n": 1, "rev": 2, "cmds": ["c1"]}
        assert await table.get("a1") == await change


async def test_a_delete_that_went_unanswered_is_not_reported_as_nothing_there(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with embedded(folder, timeout_seconds=0.3) as database:
        table = database.table(PLAIN)
        await table.insert({"_id": "a1"})
        failed = first_failure(database, "delete", monkeypatch)

        os.kill(pid_of(database), signal.SIGSTOP)
        delete = asyncio.create_task(table.delete("a1"))
        async with asyncio.timeout(2):
            await failed.wait()
        os.kill(pid_of(database), signal.SIGCONT)

        assert await delete is True
        assert await table.get("a1") is None


@pytest.mark.slow
async def test_an_engine_that_hangs_for_long_is_replaced(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded_module, "HANG_SECONDS", 0.5)
    monkeypatch.setattr(health, "IDLE_SECONDS", 0.1)
    async with embedded(folder, timeout_seconds=0.3) as database:
        table = database.table(PLAIN)
        await table.insert({"_id": "a1"})
        hung = pid_of(database)

        os.kill(hung, signal.SIGSTOP)
        await until(lambda: not database.is_up())
        async with asyncio.timeout(10):
            await database.wait_up()

        assert pid_of(database) != hung
        assert await table.get("a1") is not None


@pytest.mark.slow
async def test_without_traffic_it_is_noticed_too(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "IDLE_SECONDS", 0.1)
    async with embedded(folder, timeout_seconds=0.3) as database:
        assert database.is_up()

        os.kill(pid_of(database), signal.SIGSTOP)
        await until(lambda: not database.is_up(), seconds=6.0)
        os.kill(pid_of(database), signal.SIGCONT)
        await until(database.is_up, seconds=6.0)


def closed_port() -> int:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port: int = unused.getsockname()[1]
        return port


@pytest.mark.slow
async def test_a_mongodb_that_is_away_at_the_start_is_waited_for_and_its_indexes_made(tmp_path: Path) -> None:
    port = closed_port()
    began = time.monotonic()

    async with Database.open(
        DatabaseSettings(f"mongodb://127.0.0.1:{port}/", 0.5), tmp_path, [PLAIN, USERS]
    ) as database:
        assert time.monotonic() - began < PROMISE_SECONDS
        assert not database.is_up()
        users = database.table(USERS)
        for call in (users.get("a1"), users.insert({"_id": "a1", "name": "ada"}), database.ping()):
            seconds, _ = await seconds_of(call)
            assert seconds < PROMISE_SECONDS
        await database.ensure([Collection("Things", "later", (Index(("kind",)),))])

        data = str(tmp_path / "other")
        server = await asyncio.create_subprocess_exec(sys.executable, "-c", SERVE, str(port), data)
        try:
            async with asyncio.timeout(10):
                await database.wait_up()
            assert database.is_up()
            await users.insert({"_id": "a1", "name": "ada"})
            with pytest.raises(Duplicate):
                await users.insert({"_id": "a2", "name": "ada"})
        finally:
            server.kill()
            await server.wait()


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "inside",
        "localhost:27017",
        "inside:",
        "http://localhost/",
        "mongodb://",
        "mongodb://host:port/",
        "mongodb://host/?w=0",
    ],
)
async def test_a_connection_string_that_is_none_is_refused_in_words(tmp_path: Path, uri: str) -> None:
    with pytest.raises(DatabaseAddressWrong, match=r"mongo\.uri"):
        async with Database.open(DatabaseSettings(uri), tmp_path):
            pass
