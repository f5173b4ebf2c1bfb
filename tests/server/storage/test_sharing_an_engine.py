"""One embedded engine for several processes: who runs it, who connects to it, and who takes it over."""

import asyncio
import contextlib
import errno
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from dateflicks.server.storage.database import Database, DatabaseSettings
from dateflicks.server.storage.embedded import Role
from dateflicks.server.storage.folder import EngineFolder, FolderInUse
from tests.server.storage.engines import PLAIN, pid_of
from tests.waiting import until


@contextlib.asynccontextmanager
async def shared(folder: Path, role: Role) -> AsyncIterator[Database]:
    settings = DatabaseSettings(timeout_seconds=10.0)
    async with Database.open(settings, folder, [PLAIN], role=role) as database:
        yield database


@pytest.mark.parametrize("role", ["worker", "guest"])
async def test_others_use_the_engine_that_the_services_run(folder: Path, role: Role) -> None:
    async with shared(folder, "service") as services:
        pid = pid_of(services)
        async with shared(folder, role) as other:
            await other.table(PLAIN).insert({"_id": "a1"})
            assert other.engine is not None
            assert (other.engine.pid, other.engine.uri) == (None, services.engine and services.engine.uri)
        assert await services.table(PLAIN).get("a1") is not None
        assert pid_of(services) == pid
        await services.table(PLAIN).insert({"_id": "a2"})


async def test_services_use_the_engine_of_a_worker_and_run_it_once_that_is_gone(folder: Path) -> None:
    async with contextlib.AsyncExitStack() as services_stack:
        async with shared(folder, "worker") as worker:
            await worker.table(PLAIN).insert({"_id": "a1"})
            services = await services_stack.enter_async_context(shared(folder, "service"))
            assert await services.table(PLAIN).get("a1") is not None
        assert services.engine is not None
        engine = services.engine
        await until(lambda: engine.pid is not None)
        await services.wait_up()
        await services.table(PLAIN).insert({"_id": "a2"})
        assert len(await services.table(PLAIN).get_many(["a1", "a2"])) == 2
    assert {path.name for path in (folder / "mongo").iterdir()} == {"databases", "lock", "seat", "engine.log"}


async def test_a_call_while_the_engine_changes_hands_waits_for_the_next_one(folder: Path) -> None:
    async with contextlib.AsyncExitStack() as first:
        await first.enter_async_context(shared(folder, "worker"))
        async with shared(folder, "worker") as second:
            call = asyncio.create_task(first.aclose())
            await second.table(PLAIN).insert({"_id": "a1"})
            await call
            await second.wait_up()
            assert await second.table(PLAIN).get("a1") is not None


async def test_of_services_there_is_one_process_whoever_runs_the_engine(folder: Path) -> None:
    async with shared(folder, "worker"), shared(folder, "service"):
        with pytest.raises(FolderInUse, match=f"process {os.getpid()}"):
            async with shared(folder, "service"):
                pass


async def test_a_guest_runs_no_engine(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dateflicks.server.storage.folder.LOCK_SECONDS", 0.1)
    with pytest.raises(FolderInUse, match="Nobody runs"):
        async with shared(folder, "guest"):
            pass


async def test_a_long_path_is_met_at_the_same_place_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    runtime, folder = tmp_path_factory.mktemp("r"), tmp_path / ("x" * 120)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    async with contextlib.AsyncExitStack() as second_stack:
        async with shared(folder, "worker"):
            monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
            second = await second_stack.enter_async_context(shared(folder, "worker"))
            await second.table(PLAIN).insert({"_id": "a1"})
        assert second.engine is not None
        engine = second.engine
        await until(lambda: engine.pid is not None)
        await second.wait_up()
        assert await second.table(PLAIN).get("a1") is not None
        assert str(runtime) in engine.uri.replace("%2F", "/")
    assert list(runtime.iterdir()) == []


WORKER = """
import asyncio, pathlib, sys
from dateflicks.server.storage.database import Database, DatabaseSettings
from tests.server.storage.engines import PLAIN

async def main():
    async with Database.open(DatabaseSettings(), pathlib.Path(sys.argv[1]), [PLAIN], role="worker") as database:
        await database.table(PLAIN).insert({"_id": "a1"})
        print("there", flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


async def test_an_engine_whose_process_was_killed_is_taken_over(folder: Path) -> None:
    worker = await asyncio.create_subprocess_exec(
        sys.executable, "-c", WORKER, str(folder), stdout=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[3]
    )
    assert worker.stdout is not None
    await worker.stdout.readline()
    async with shared(folder, "service") as services:
        assert services.engine is not None
        engine = services.engine
        worker.send_signal(signal.SIGKILL)
        await worker.wait()
        await until(lambda: engine.pid is not None)
        await services.wait_up()
        assert await services.table(PLAIN).get("a1") is not None


async def test_an_engine_that_cannot_be_taken_over_for_a_full_disk_is_once_there_is_room(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dateflicks.server.storage.embedded.LONGEST_PAUSE_SECONDS", 0.05)
    room, listen, refusals = asyncio.Event(), EngineFolder.listen, 0

    def listen_where_there_is_room(self: EngineFolder, at: Path | None = None) -> tuple[socket.socket, Path]:
        nonlocal refusals
        if room.is_set():
            return listen(self, at)
        refusals += 1
        raise OSError(errno.ENOSPC, "no space left on device")

    async with contextlib.AsyncExitStack() as first:
        await first.enter_async_context(shared(folder, "worker"))
        async with shared(folder, "worker") as second:
            monkeypatch.setattr(EngineFolder, "listen", listen_where_there_is_room)
            await first.aclose()
            await until(lambda: refusals > 1)
            room.set()
            await second.wait_up()
            await second.table(PLAIN).insert({"_id": "a1"})


def test_a_lock_that_cannot_be_looked_at_now_is_looked_at_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "mongo").mkdir(parents=True)
    ours = EngineFolder(folder)
    with monkeypatch.context() as crowded:
        crowded.setattr("os.open", _raise_too_many_files)
        assert ours.claim_at_once() is None
    lock = ours.claim_at_once()
    assert lock is not None
    os.close(lock)


def _raise_too_many_files(*_: object) -> int:
    raise OSError(errno.EMFILE, "too many open files")


async def test_whoever_asks_and_is_told_to_stop_stops(folder: Path) -> None:
    async with shared(folder, "service") as database:
        for step in range(120):
            asking = asyncio.create_task(database.ping())
            await asyncio.sleep(step * 10e-6)
            if asking.cancel():
                await asyncio.wait([asking])
                assert asking.cancelled(), f"cancelled after {step * 10} µs, it went on"
