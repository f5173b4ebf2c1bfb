"""The metrics of several workers, asked of one of them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from dateflicks.server.observe.metrics import Metrics
from dateflicks.server.web.colleagues import Colleagues, together


def counted(frames: int) -> Metrics:
    metrics = Metrics()
    metrics.frames.labels("timecode", "report").inc(frames)
    metrics.drift.observe(0.1)
    return metrics


@contextlib.asynccontextmanager
async def workers(folder: Path, *each: Metrics) -> AsyncIterator[list[Colleagues]]:
    async with contextlib.AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(Colleagues(folder, number, len(each), metrics.exposition).open())
            for number, metrics in enumerate(each)
        ]


def values(exposition: bytes, name: str) -> dict[str, float]:
    """By worker."""
    return {
        sample.labels["worker"]: sample.value
        for family in text_string_to_metric_families(exposition.decode())
        for sample in family.samples
        if sample.name == name
    }


@pytest.mark.parametrize("deep", ["data", "/".join(["a rather long name"] * 12)])
async def test_any_worker_answers_for_all_however_long_the_folder_is_called(tmp_path: Path, deep: str) -> None:
    async with workers(tmp_path / deep, counted(1), counted(2), counted(3)) as all_of_them:
        for one in all_of_them:
            exposition = await one.exposition()
            assert values(exposition, "dateflicks_frames_total") == {"0": 1, "1": 2, "2": 3}
            assert values(exposition, "dateflicks_worker_up") == {"0": 1, "1": 1, "2": 1}
        folder = tmp_path / deep
        assert all((path.stat().st_mode & 0o777) == 0o600 for path in folder.glob("*.sock"))
    assert not list((tmp_path / deep).glob("*.sock"))


async def test_one_that_is_gone_is_told_as_such(tmp_path: Path) -> None:
    async with Colleagues(tmp_path, 0, 2, counted(1).exposition).open() as one:
        exposition = await one.exposition()
    assert values(exposition, "dateflicks_worker_up") == {"0": 1, "1": 0}
    assert values(exposition, "dateflicks_frames_total") == {"0": 1}


async def test_one_that_hangs_holds_nobody_up_for_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dateflicks.server.web.colleagues.ANSWER_SECONDS", 0.05)
    ending = asyncio.Event()

    async def hang(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await ending.wait()
        writer.close()

    server = await asyncio.start_unix_server(hang, tmp_path / "metrics-1.sock")
    async with Colleagues(tmp_path, 0, 2, counted(1).exposition).open() as one:
        assert values(await one.exposition(), "dateflicks_worker_up") == {"0": 1, "1": 0}
    ending.set()
    server.close()


@pytest.mark.parametrize("part", [b"", b"# HELP dateflicks_tasks Ta", b"# HELP dateflicks_tasks Tasks.\n"])
async def test_one_that_dies_while_it_speaks_is_told_as_gone(tmp_path: Path, part: bytes) -> None:
    async def speak(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(part)
        writer.close()

    server = await asyncio.start_unix_server(speak, tmp_path / "metrics-1.sock")
    async with Colleagues(tmp_path, 0, 2, counted(1).exposition).open() as one:
        assert values(await one.exposition(), "dateflicks_worker_up") == {"0": 1, "1": 0}
    server.close()


async def test_one_that_never_comes_to_an_end_is_told_as_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dateflicks.server.web.colleagues.ANSWER_MAX_BYTES", 1_000)
    async with workers(tmp_path, counted(1), counted(2)) as (one, _):
        assert values(await one.exposition(), "dateflicks_worker_up") == {"0": 1, "1": 0}


async def test_each_family_is_named_once() -> None:
    text = together({0: counted(1).exposition(), 1: counted(2).exposition(), 2: None}).decode()
    named = [line for line in text.splitlines() if line.startswith("# TYPE ")]
    assert len(named) == len(set(named))
    assert 'dateflicks_tasks{worker="0"} ' in text
