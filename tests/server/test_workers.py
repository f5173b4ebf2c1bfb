"""Several processes behind one port: who dies is replaced, nobody outlives the parent, no end is without a reason."""

import asyncio
import itertools
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx2
import pytest

from dateflicks.cli.exits import Exit
from dateflicks.server import workers as workers_module
from dateflicks.server.bus import redis as redis_module
from dateflicks.server.bus.local import LocalBus
from dateflicks.server.bus.redis import RedisBus
from dateflicks.server.clock import ServerClock
from dateflicks.server.workers import Crew, Seat
from dateflicks.settings.services import ServerSettings, SessionSettings
from tests.journeys.deployment import Server, running_server
from tests.redis_server import running_redis
from tests.server.processes import engine_of, is_running, kill, workers_of

COUNT = 2
DEADLINE = 40.0


def wait_until(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + DEADLINE
    while not holds():
        assert time.monotonic() < deadline, f"not within {DEADLINE:g} s: {what}"
        threading.Event().wait(0.01)


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_redis(tmp_path_factory.mktemp("redis")) as uri:
        yield uri


@pytest.fixture
def crew(tmp_path: Path, redis: str) -> Iterator[Server]:
    """`serve session` with two workers."""
    folder = tmp_path / "data"
    folder.mkdir()
    variables = {"DATEFLICKS_SESSION_BUS_URI": redis, "DATEFLICKS_SESSION_BUS_DEPLOYMENT": deployment_of(tmp_path)}
    with running_server(folder, "--workers", str(COUNT), service="session", variables=variables) as server:
        yield server


def deployment_of(folder: Path) -> str:
    return "".join(char for char in folder.name.lower() if char.isalnum())


def health(server: Server) -> int:
    return httpx2.get(f"{server.url}/health", trust_env=False, timeout=DEADLINE).status_code


@pytest.mark.long  # in every run those of tests/faults are killed
async def test_a_worker_that_is_killed_is_replaced_the_others_answer_meanwhile_and_are_told_at_once(
    crew: Server, redis: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_module, "SILENCE_SECONDS", 600.0)  # only a word says that somebody is gone
    gone: list[str] = []
    async with RedisBus(redis, deployment=deployment_of(tmp_path)).open() as bus:
        bus.on_gone(gone.append)
        before = workers_of(crew.process.pid)
        await _until(lambda: {one.worker_id for one in before} <= set(bus.workers))
        kill(before[0].pid)
        for _ in range(20):
            assert health(crew) == 200, "the port listens, and somebody answers"
        await _until(lambda: before[0].worker_id in gone)
        await _until(lambda: len(workers_of(crew.process.pid)) == COUNT)
        after = workers_of(crew.process.pid)
        assert after[1].pid == before[1].pid
        assert after[0].worker_id != before[0].worker_id
        assert after[0].place["clock"]["clock_id"] == before[1].place["clock"]["clock_id"]
        await _until(lambda: after[0].worker_id in bus.workers)
        kill(before[1].pid)
        await _until(lambda: before[1].worker_id in gone)
        assert health(crew) == 200, "the new one answers alone"


async def _until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE):
        while not holds():  # noqa: ASYNC110 - processes tell nobody
            await asyncio.sleep(0.01)


def test_a_parent_that_is_asked_to_stop_ends_all_its_workers_and_its_database_in_time(crew: Server) -> None:
    parent = crew.process.pid
    others = [*(one.pid for one in workers_of(parent)), engine_of(parent)]
    assert None not in others
    crew.ask_to_stop()
    assert crew.process.wait(DEADLINE) == 0
    assert not [pid for pid in others if pid is not None and is_running(pid)]


def test_a_parent_that_is_killed_takes_its_workers_and_its_database_along(crew: Server) -> None:
    parent = crew.process.pid
    others = [pid for pid in (*(one.pid for one in workers_of(parent)), engine_of(parent)) if pid is not None]
    crew.kill()
    wait_until(lambda: not any(is_running(pid) for pid in others), "the end of those who were left behind")


async def test_a_host_that_has_no_room_for_another_process_is_tried_again_until_it_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seat, stop, tries = Seat(), asyncio.Event(), itertools.count()

    async def run(*_: object) -> int:
        number = next(tries)
        if number == 0:
            seat.ready.set()
            return -signal.SIGKILL
        if number < 3:
            raise BlockingIOError(11, "Resource temporarily unavailable")
        stop.set()
        return 0

    monkeypatch.setattr(Crew, "_run", run)
    crew = Crew(count=1, command=[], hosting=SessionSettings(), folder=tmp_path, on_ready=lambda _: None)
    with socket.socket() as listener:
        await crew._keep(0, listener, ServerClock(), LocalBus(), stop, seat)
    assert next(tries) == 4


async def test_a_worker_that_says_that_it_serves_when_it_is_being_renewed_is_not_the_new_one() -> None:
    seat, said = Seat(), asyncio.StreamReader()
    said.feed_data(b"ready\n")
    said.feed_eof()
    seat.renewal.set()
    process: Any = SimpleNamespace(stdout=said)
    await workers_module._hear(process, seat)
    assert (seat.ready.is_set(), seat.serving.is_set()) == (True, False)


async def test_a_worker_that_says_very_much_in_one_line_is_heard_all_the_same() -> None:
    told = f"import sys; sys.stdout.write('x' * 300_000 + '\\n{workers_module.READY}\\n')"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", told, stdout=asyncio.subprocess.PIPE)
    seat = Seat()
    await asyncio.wait_for(workers_module._hear(process, seat), 20)
    assert await process.wait() == 0
    assert seat.serving.is_set()


async def test_a_worker_is_heard_also_when_nobody_reads_what_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    def write(_: bytes) -> int:
        raise BrokenPipeError

    seat, said = Seat(), asyncio.StreamReader()
    said.feed_data(b"a warning\n" + workers_module.READY.encode() + b"\n")
    said.feed_eof()
    process: Any = SimpleNamespace(stdout=said)
    with monkeypatch.context() as closed:
        closed.setattr("sys.stderr", SimpleNamespace(buffer=SimpleNamespace(write=write)))
        await workers_module._hear(process, seat)
    assert seat.serving.is_set()


# A worker that serves nothing: it notes who it is and what it was started with, and ends when it is asked to.
_STAND_IN = """
import os, signal, sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any
folder = Path(sys.argv[1])
version = (folder / "version").read_text()
if version == "wrong" and sys.argv[-1] == "trial":
    sys.exit(2)
if sys.argv[-1] != "trial":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    (folder / f"{version}-{os.getpid()}").write_text(sys.argv[-1])
    if version != "hangs":
        os.write(1, b"ready\\n")
    sys.stdin.buffer.read()
"""


async def test_workers_are_renewed_one_after_the_other_and_not_at_all_by_what_would_not_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    monkeypatch.setattr(workers_module, "RENEW_SECONDS", 2.0)
    monkeypatch.setattr(workers_module, "GRACE_SECONDS", 0.5)
    command = [sys.executable, "-S", "-c", _STAND_IN, str(tmp_path)]
    server = ServerSettings(shutdown_seconds=0.5)
    hosting = SessionSettings(server=server)
    crew = Crew(count=COUNT, command=command, hosting=hosting, folder=tmp_path, on_ready=lambda _: None)
    seats, stop, asked = [Seat() for _ in range(COUNT)], asyncio.Event(), asyncio.Event()

    def running(version: str) -> set[int]:
        found = {int(one.name.rpartition("-")[2]) for one in tmp_path.glob(f"{version}-*")}
        return {pid for pid in found if is_running(pid)}

    (tmp_path / "version").write_text("old")
    with socket.socket() as listener:
        keeping = [
            asyncio.create_task(crew._keep(number, listener, ServerClock(), LocalBus(), stop, seat))
            for number, seat in enumerate(seats)
        ]
        renewing = asyncio.create_task(crew._renew_when_asked(asked, seats))
        await _until(lambda: all(seat.serving.is_set() for seat in seats))
        before = running("old")
        assert len(before) == COUNT

        (tmp_path / "version").write_text("wrong")
        asked.set()
        await _until(lambda: "none was renewed" in caplog.text)
        assert running("old") == before

        (tmp_path / "version").write_text("new")
        asked.set()
        most_missing = 0
        async with asyncio.timeout(DEADLINE):
            while "all workers were renewed" not in caplog.text:
                most_missing = max(most_missing, COUNT - sum(seat.serving.is_set() for seat in seats))
                await asyncio.sleep(0.002)
        assert most_missing == 1, "one at a time"
        after = running("new")
        assert (len(after), running("old")) == (COUNT, set())

        (tmp_path / "version").write_text("hangs")
        asked.set()
        await _until(lambda: "the others stay as they are" in caplog.text)
        assert len(running("new") & after) == COUNT - 1
        renewing.cancel()
        stop.set()
        await asyncio.wait([renewing, *keeping])
        assert not [one.result() for one in keeping if one.result()]
    assert not running("*")


def started(folder: Path, **variables: str) -> "subprocess.CompletedProcess[str]":
    """`serve session` with two workers, to its end."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "TMPDIR") if name in os.environ}
    flags = ["--port", "0", "--data", str(folder), "--workers", str(COUNT)]
    return subprocess.run(
        [sys.executable, "-m", "dateflicks", "serve", "session", *flags],
        env={**kept, "HOME": str(folder), **variables},
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )  # fmt: skip


def test_a_worker_that_cannot_start_ends_everything_with_its_reason(tmp_path: Path, redis: str) -> None:
    ended = started(tmp_path, DATEFLICKS_SESSION_BUS_URI=redis, DATEFLICKS_SESSION_AUTH_KEY="too short")
    assert ended.returncode not in (0, -signal.SIGKILL)
    assert "did not start" in ended.stderr
    assert "key" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_several_workers_without_what_joins_them_are_refused_in_words(tmp_path: Path) -> None:
    ended = started(tmp_path)
    assert ended.returncode == Exit.USAGE
    assert "`bus.uri` is `local`" in ended.stderr
    assert "redis://" in ended.stderr
    assert "Traceback" not in ended.stderr
