"""The embedded engine as a process: private, one for a folder, replaced when it dies, gone when we are."""

import asyncio
import contextlib
import os
import signal
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dateflicks.server.storage import embedded as embedded_module
from dateflicks.server.storage.embedded import EmbeddedEngine
from dateflicks.server.storage.folder import FolderInUse
from tests.server.storage.engines import PLAIN, embedded, pid_of
from tests.waiting import until


@pytest.fixture
def open_umask() -> Iterator[None]:
    """The most careless umask there is."""
    before = os.umask(0)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return not _is_zombie(pid)


def _is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return False


async def test_only_the_owner_can_reach_what_is_stored(folder: Path, open_umask: None) -> None:
    async with embedded(folder) as database:
        await database.table(PLAIN).insert({"_id": "a1"})

        ours = folder / "mongo"
        found = {path.relative_to(ours).as_posix(): mode(path) for path in ours.rglob("*")}
        assert mode(ours) == 0o700
        assert found.pop("databases") == 0o700
        assert {"lock", "engine.log", "engine.pid", "databases/Things.db", "databases/Things.db-wal"} <= set(found)
        assert set(found.values()) == {0o600}


async def test_the_socket_is_private(tmp_path_factory: pytest.TempPathFactory, open_umask: None) -> None:
    folder = tmp_path_factory.mktemp("s")

    async with embedded(folder):
        found = [path for path in (folder / "mongo").iterdir() if path.is_socket()]
        assert [(path.name, mode(path)) for path in found] == [("engine.sock", 0o600)]
        assert mode(folder / "mongo") == 0o700


async def test_a_folder_that_was_open_to_others_is_closed(folder: Path) -> None:
    (folder / "mongo" / "databases").mkdir(parents=True)
    (folder / "mongo").chmod(0o755)

    async with embedded(folder):
        assert mode(folder / "mongo") == 0o700


async def test_a_stop_leaves_no_process_and_no_socket(folder: Path) -> None:
    async with embedded(folder) as database:
        pid = pid_of(database)
        assert is_running(pid)
        assert (folder / "mongo" / "engine.pid").read_text() == f"{pid}\n"
        table = database.table(PLAIN)

    assert not is_running(pid)
    assert {path.name for path in (folder / "mongo").iterdir()} == {"databases", "lock", "seat", "engine.log"}
    assert not database.is_up()
    with pytest.raises(Exception, match="out of reach"):
        await table.get("a1")


async def test_a_second_instance_is_kept_off_the_folder_in_words(folder: Path) -> None:
    async with embedded(folder) as database:
        await database.table(PLAIN).insert({"_id": "a1"})

        with pytest.raises(FolderInUse) as caught:
            async with asyncio.timeout(1), embedded(folder):
                pass

        assert str(folder) in str(caught.value)
        assert f"process {os.getpid()}" in str(caught.value)
        assert len(str(caught.value).splitlines()) == 3
        assert await database.table(PLAIN).get("a1") is not None  # and the first one works on

    async with embedded(folder) as database:
        assert await database.table(PLAIN).get("a1") is not None


@pytest.mark.parametrize("name", ["x" * 120, "with space, ü, 100% and %41?&#"])
async def test_a_data_folder_has_any_name(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name / "data"

    async with embedded(folder) as database:
        await database.table(PLAIN).insert({"_id": "a1"})

    assert (folder / "mongo" / "databases" / "Things.db").exists()


async def test_the_socket_of_a_long_path_is_in_a_short_private_folder_that_is_tidied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    runtime = tmp_path_factory.mktemp("r")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))

    async with embedded(tmp_path / ("x" * 120)) as database:
        assert database.is_up()
        (short,) = runtime.iterdir()
        assert mode(short) == 0o700
        assert mode(short / "engine.sock") == 0o600

    assert list(runtime.iterdir()) == []


async def test_a_short_folder_that_somebody_else_has_made_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    runtime = tmp_path_factory.mktemp("r")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    folder = tmp_path / ("x" * 120)
    async with embedded(folder):
        (usual,) = runtime.iterdir()
    usual.mkdir()
    usual.chmod(0o777)  # theirs

    async with embedded(folder) as database:
        assert database.is_up()
        assert list(usual.iterdir()) == []

    assert list(runtime.iterdir()) == [usual]


async def test_a_runtime_folder_that_is_not_there_is_done_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("r") / "gone"))

    async with embedded(tmp_path / ("x" * 120)) as database:
        assert database.is_up()


async def test_what_a_killed_server_left_does_not_stand_in_the_way(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("s")
    left = folder / "mongo"
    left.mkdir()
    (left / "engine.sock").write_text("stale")
    (left / "engine.pid").write_text("1\n")
    (left / "lock").write_text("1\n")

    async with embedded(folder) as database:
        assert database.is_up()


async def test_a_process_id_that_cannot_be_noted_costs_nothing(folder: Path) -> None:
    (folder / "mongo" / "engine.pid").mkdir(parents=True)

    async with embedded(folder) as database:
        await database.table(PLAIN).insert({"_id": "a1"})
        pid = pid_of(database)

    assert not is_running(pid)
    async with embedded(folder) as database:
        assert await database.table(PLAIN).get("a1") is not None


async def test_an_engine_that_cannot_start_says_why_and_leaves_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "broken.py"
    program.write_text("raise SystemExit('no such engine')")
    monkeypatch.setattr(embedded_module, "_PROGRAM", program)
    monkeypatch.setattr("dateflicks.server.storage.database.START_SECONDS", 0.5)

    with pytest.raises(Exception, match="did not start: no such engine"):
        async with embedded(folder):
            pass

    monkeypatch.undo()
    async with embedded(folder) as database:
        assert database.is_up()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
async def test_an_engine_that_ends_is_replaced_and_what_was_acknowledged_is_there(
    folder: Path, how: signal.Signals
) -> None:
    async with embedded(folder) as database:
        table = database.table(PLAIN)
        first = pid_of(database)
        for number in range(20):
            await table.insert({"_id": f"a{number}", "n": number})

        os.kill(first, how)

        assert database.engine is not None
        engine = database.engine
        await until(lambda: engine.pid not in (None, first))
        await until(database.is_up)
        assert len(await table.get_many([f"a{number}" for number in range(20)])) == 20
        await table.insert({"_id": "b1"})
        assert not is_running(first)

    assert engine.pid is None


async def test_a_call_in_the_moment_of_death_waits_for_the_next_engine(folder: Path) -> None:
    async with embedded(folder) as database:
        table = database.table(PLAIN)
        await table.insert({"_id": "a1"})

        os.kill(pid_of(database), signal.SIGKILL)

        assert await table.get("a1") is not None  # tried again within the call's two seconds
        await table.insert({"_id": "a2"})


async def test_a_call_that_finds_the_engine_gone_waits_for_the_next_one_too(folder: Path) -> None:
    async with embedded(folder) as database:
        table = database.table(PLAIN)
        await table.insert({"_id": "a1"})

        os.kill(pid_of(database), signal.SIGKILL)
        database._health.suspect()
        await until(lambda: not database.is_up())

        assert await table.get("a1") is not None


SERVER = """
import asyncio, pathlib, sys
from dateflicks.server.storage.database import Database, DatabaseSettings
from tests.server.storage.engines import PLAIN, pid_of

async def main():
    async with Database.open(DatabaseSettings(), pathlib.Path(sys.argv[1]), [PLAIN]) as database:
        await database.table(PLAIN).insert({"_id": "a1"})
        print(pid_of(database), flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


async def served(folder: Path) -> tuple[asyncio.subprocess.Process, int]:
    """A server in a process of its own that has written a document, and its engine's process."""
    server = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SERVER, str(folder), stdout=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[3]
    )
    assert server.stdout is not None
    engine = int(await server.stdout.readline())
    assert is_running(engine)
    return server, engine


@pytest.mark.slow
async def test_the_engine_ends_when_its_server_is_killed(folder: Path) -> None:
    server, engine = await served(folder)

    server.kill()
    await server.wait()

    await until(lambda: not is_running(engine))
    async with embedded(folder) as database:
        assert await database.table(PLAIN).get("a1") is not None


@pytest.mark.slow
async def test_a_folder_is_taken_for_as_long_as_the_engine_of_a_killed_server_lives(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, engine = await served(folder)
    os.kill(engine, signal.SIGSTOP)
    try:
        server.kill()
        await server.wait()
        with monkeypatch.context() as patch:
            patch.setattr("dateflicks.server.storage.folder.LOCK_SECONDS", 0.2)
            with pytest.raises(FolderInUse, match=f"process {engine}"):
                async with embedded(folder):
                    pass
    finally:
        os.kill(engine, signal.SIGCONT)

    async with embedded(folder) as database:  # waits for the engine to end
        assert not is_running(engine)
        assert await database.table(PLAIN).get("a1") is not None


async def test_a_watch_that_does_not_end_holds_up_no_stop(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    is_enough = asyncio.Event()

    async def watch() -> None:
        while not is_enough.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await is_enough.wait()

    engine = EmbeddedEngine(folder)
    engine._watch = asyncio.create_task(watch(), name="obstinate")
    await asyncio.sleep(0)
    async with asyncio.timeout(30):
        await engine.stop()

    assert [getattr(record, "task", None) for record in caplog.records] == ["obstinate"]
    is_enough.set()
