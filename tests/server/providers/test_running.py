"""One run of one source: what is written when, from where it goes on, and what its record says of what went wrong."""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from dateflicks.server.catalogue.sources import RUNS
from dateflicks.server.providers.fetching import BreakerOpen
from dateflicks.server.providers.ledger import COLLECTIONS, DatabaseLedger, document_of
from dateflicks.server.providers.pacing import FetchLimits
from dateflicks.server.providers.records import Counters, CountingWriter, MemoryLedger, RunRecord, SourceState
from dateflicks.server.providers.running import Plan, broken_record, run_source
from dateflicks.server.providers.source import (
    AuthError,
    Checkpoint,
    Complete,
    Context,
    Mode,
    NotOffered,
    QuotaError,
    Removed,
    SchemaError,
    TransientError,
)
from tests.providers import server as provider
from tests.providers.server import RecordedServer
from tests.server.providers.sources import Config, Kept, Scripted, item, of
from tests.server.storage.engines import embedded

State = Mapping[str, Any] | None


async def run(source: Scripted, kept: Kept | None = None, ledger: MemoryLedger | None = None, **plan: Any) -> RunRecord:
    given = {name: plan.pop(name) for name in ("config", "stopping", "progress") if name in plan}
    given.setdefault("config", Config())
    kept, ledger = kept or Kept(), ledger or MemoryLedger()
    async with asyncio.timeout(40):
        record = await run_source(
            source, Plan(**{"id": "run-1", **plan}), writer=kept, ledger=ledger, sleep=_no_time, **given
        )
    assert ledger.runs[-1] == record
    return record


async def _no_time(_: float) -> None:
    await asyncio.sleep(0)


async def test_what_is_yielded_is_written_and_counted() -> None:
    kept = Kept()
    record = await run(of(item(1), item(2), Removed(source_id="f9"), item(2, title="Two"), Complete(full=True)), kept)
    assert [one.title for one in kept.there.values()] == ["Film 1", "Two"]
    assert kept.gone == ["f9"]
    assert (record.status, record.error) == ("ok", None)
    assert record.counters == Counters(seen=3, new=2)
    assert record.ended_at >= record.started_at
    assert record.peak_memory_bytes > 1_000_000
    assert record.cpu_seconds >= 0


async def test_a_second_run_that_finds_all_as_it_was_says_so() -> None:
    kept, ledger, source = Kept(), MemoryLedger(), of(item(1), Complete(full=True))
    assert (await run(source, kept, ledger)).status == "ok"
    record = await run(source, kept, ledger)
    assert (record.status, record.counters.unchanged) == ("unchanged", 1)


async def test_batches_have_five_hundred_at_most_and_progress_is_told() -> None:
    kept, told = Kept(), list[Counters]()
    await run(of(*(item(number) for number in range(1_100)), Complete(full=True)), kept, progress=told.append)
    assert [len(batch) for batch in kept.batches] == [500, 500, 100]
    assert [one.new for one in told][:3] == [500, 1_000, 1_100]


async def test_a_place_is_kept_only_once_what_came_before_it_is_written() -> None:
    kept, ledger = Kept(), MemoryLedger()
    seen: list[tuple[int, SourceState]] = []

    async def fetch(context: Context, state: State, mode: Mode) -> AsyncIterator[Any]:
        yield item(1)
        yield Checkpoint(state={"page": 1})
        seen.append((len(kept.there), ledger.state))
        yield item(2)
        seen.append((len(kept.there), ledger.state))
        kept.is_away = True
        yield Checkpoint(state={"page": 2})

    record = await run(Scripted(fetch), kept, ledger)
    assert seen == [(1, SourceState(full={"page": 1}))] * 2
    assert ledger.state == SourceState(full={"page": 1})
    assert (record.status, record.error_kind) == ("partial", "storage")
    assert record.cursor_after == {"page": 1}


async def test_a_full_run_that_broke_off_goes_on_and_removes_nothing() -> None:
    kept, ledger = Kept(), MemoryLedger()
    given: list[tuple[State, Mode]] = []

    async def fetch(context: Context, state: State, mode: Mode) -> AsyncIterator[Any]:
        given.append((state, mode))
        if state is None:
            yield item(1)
            yield Checkpoint(state={"page": 1})
            raise TransientError("The line is dead.")
        yield item(2)
        yield Complete(full=True, state={"since": 5})

    first = await run(Scripted(fetch), kept, ledger)
    assert (first.status, first.error_kind, first.error) == ("partial", "transient", "The line is dead.")
    second = await run(Scripted(fetch), kept, ledger)
    assert given == [(None, "full"), ({"page": 1}, "full")]
    assert (second.status, second.cursor_before, second.cursor_after) == ("ok", {"page": 1}, {"since": 5})
    assert kept.sweeps == []
    assert len(kept.there) == 2
    assert ledger.state == SourceState(incremental={"since": 5})


async def test_after_a_full_run_only_changes_are_asked_for_until_everything_is_wanted() -> None:
    given: list[tuple[State, Mode]] = []
    kept, ledger = Kept(), MemoryLedger()

    async def fetch(context: Context, state: State, mode: Mode) -> AsyncIterator[Any]:
        given.append((state, mode))
        yield item(len(given))
        yield Complete(full=mode == "full", state={"since": len(given)})

    for mode in ("incremental", "incremental", "full"):
        await run(Scripted(fetch), kept, ledger, mode=mode)
    assert given == [(None, "full"), ({"since": 1}, "incremental"), (None, "full")]
    assert kept.sweeps == [False, False]


async def test_a_complete_full_run_removes_what_it_has_not_seen() -> None:
    kept = Kept()
    kept.there = {("f7", ""): item(7)}
    record = await run(of(item(1), Complete(full=True)), kept)
    assert record.counters.removed == 1
    assert list(kept.there) == [("f1", "")]


@pytest.mark.parametrize(
    "source",
    [
        of(item(1), Complete(full=False)),
        of(item(1)),
        of(item(1), TransientError("no")),
        of(item(1, title=""), item(2), Complete(full=True)),
    ],
    ids=["not everything", "no end", "a failure", "one left out"],
)
async def test_nothing_else_removes_anything(source: Scripted) -> None:
    kept = Kept()
    await run(source, kept)
    assert kept.sweeps == []


async def test_a_limit_ends_it_early_and_removes_nothing() -> None:
    kept = Kept()
    record = await run(of(*(item(number) for number in range(50)), Complete(full=True)), kept, limit=7)
    assert (record.status, record.counters.seen, len(kept.there)) == ("partial", 7, 7)
    assert kept.sweeps == []


@pytest.mark.parametrize(
    ("error", "kind", "status"),
    [
        (AuthError("The key is wrong."), "auth", "failed"),
        (QuotaError("Enough.", 60), "quota", "partial"),
        (TransientError("No line."), "transient", "partial"),
        (BreakerOpen("Too much."), "transient", "partial"),
        (NotOffered("Not there."), "missing", "failed"),
        (KeyError("title"), "bug", "failed"),
        (RecursionError("round"), "bug", "failed"),
        (TimeoutError("late"), "transient", "partial"),
        (SystemExit(3), "bug", "failed"),
    ],
)
async def test_an_error_is_told_by_its_kind_and_what_came_before_stays(
    error: BaseException, kind: str, status: str
) -> None:
    kept = Kept()
    record = await run(of(item(1), error), kept)
    assert (record.error_kind, record.status, record.error_class) == (kind, status, type(error).__name__)
    assert len(kept.there) == 1
    assert (record.resume_at is not None) == (kind == "quota")


async def test_a_run_that_fails_before_anything_came_has_failed() -> None:
    assert (await run(of(TransientError("No line.")))).status == "failed"
    assert (await run(of(BreakerOpen("Too much.")))).status == "partial"


async def test_an_error_of_a_source_tells_no_secret(caplog: pytest.LogCaptureFixture) -> None:
    async def fetch(context: Context, state: State, mode: Mode) -> AsyncIterator[Any]:
        try:
            raise ValueError(f"https://films.example.org/?api_key={context.config.token}")
        except ValueError:
            context.log.exception("It failed with %s", context.config.token)
        yield item(1, title=context.config.token)
        raise RuntimeError(f"no film at {context.config.token}\x1b[2J")

    with caplog.at_level(logging.INFO):
        record = await run(Scripted(fetch), config=Config(token="very-secret"))
    assert record.error is not None
    assert "very-secret" not in record.error + caplog.text
    assert "ValueError" in caplog.text
    assert "\x1b" not in record.error


@pytest.mark.parametrize(
    "changes",
    [
        {"title": "  "},
        {"title": None},
        {"source_id": ""},
        {"source_id": 7},
        {"url": "javascript:alert(1)"},
        {"url": "films.example.org"},
        {"url": "https://user:pass@films.example.org/"},
        {"url": "https://films.example.org/?X-Plex-Token=abc"},
        {"url": "https://films.example.org/very-secret/1"},
        {"url": "https://films.example.org/\x1b[2J"},
        {"year": "1963"},
        {"year": True},
        {"duration_seconds": float("nan")},
        {"alt_titles": "abc"},
        {"alt_titles": (None,)},
        {"external_ids": {"imdb": 7}},
        {"offer_type": "stolen"},
        {"playable": "yes"},
        {"poster": "https://films.example.org/?token=abc"},
    ],
)
async def test_one_item_that_makes_no_sense_is_left_out(changes: dict[str, Any]) -> None:
    kept = Kept()
    source = of(item(1), item(2, **changes), item(3), Complete(full=True))
    record = await run(source, kept, config=Config(token="very-secret"))
    assert [one.source_id for one in kept.there.values()] == ["f1", "f3"]
    assert (record.status, record.counters.quarantined, record.counters.seen) == ("ok", 1, 3)


async def test_more_than_a_twentieth_of_a_page_fails_the_run_and_the_pages_before_stay() -> None:
    kept = Kept()
    good, bad = [item(number) for number in range(40)], [item(number, title="") for number in range(100, 103)]
    record = await run(of(*good, Checkpoint(state={"page": 1}), *good[:20], *bad, Complete(full=True)), kept)
    assert (record.status, record.error_kind, record.error_class) == ("failed", "schema", "SchemaError")
    assert record.error is not None
    assert record.error.startswith("3 of 23 records are not as documented: 'f100': title is empty")
    assert kept.batches == [[one.source_id for one in good]]
    assert record.cursor_after == {"page": 1}


async def test_a_twentieth_is_borne() -> None:
    good, bad = [item(number) for number in range(38)], [item(number, title="") for number in (100, 101)]
    record = await run(of(*good, *bad, Complete(full=True)))
    assert (record.status, record.counters.quarantined) == ("ok", 2)


async def test_what_a_source_puts_aside_itself_counts_as_well() -> None:
    async def fetch(context: Context, state: State, mode: Mode) -> AsyncIterator[Any]:
        for number in range(10):
            yield item(number)
        for number in range(int((state or {}).get("bad", 0))):
            context.put_aside(f"film {number}", "has no title")
        yield Complete(full=False)

    fine, broken = MemoryLedger(SourceState(full={"bad": 1})), MemoryLedger(SourceState(full={"bad": 2}))
    assert (await run(Scripted(fetch), ledger=fine)).counters.quarantined == 1
    record = await run(Scripted(fetch), ledger=broken)
    assert (record.error_kind, record.counters.new) == ("schema", 0)


async def test_garbage_without_end_has_an_end() -> None:
    async def fetch(context: Context, state: State, mode: Mode) -> AsyncIterator[Any]:
        while True:
            yield item(1, title="")

    def aside(context: Context, state: State, mode: Mode) -> AsyncIterator[Any]:
        while True:
            context.put_aside("film", "has no title")

    assert (await run(Scripted(fetch))).error_kind == "schema"
    assert (await run(Scripted(aside))).error_kind == "schema"


async def test_a_schema_error_of_the_source_fails_the_run_and_the_pages_before_stay() -> None:
    kept = Kept()
    record = await run(of(item(1), Checkpoint(state={}), item(2), SchemaError("no results in it")), kept)
    assert (record.status, record.error_kind, kept.batches) == ("failed", "schema", [["f1"]])


async def test_what_msgspec_refuses_for_a_source_is_a_schema_error() -> None:
    async def fetch(context: Context, state: State, mode: Mode) -> AsyncIterator[Any]:
        yield item(msgspec.convert("seven", int))

    assert (await run(Scripted(fetch))).error_kind == "schema"


@pytest.mark.parametrize(
    "what",
    [
        None,
        "Film",
        {"title": "Film"},
        Removed(source_id=""),
        Checkpoint(state={"page": object()}),
        Checkpoint(state={"page": "x" * 70_000}),
        Complete(full=True, state={"at": float("nan")}),
    ],
)
async def test_what_is_no_record_is_a_bug(what: Any) -> None:
    kept = Kept()
    record = await run(of(item(1), what), kept)
    assert (record.status, record.error_kind) == ("failed", "bug")
    assert len(kept.there) == 1


async def test_a_fetch_that_yields_nothing_is_a_bug_or_an_empty_run() -> None:
    def nothing(context: Context, state: State, mode: Mode) -> AsyncIterator[Any]:
        return None  # type: ignore[return-value]  # what is tested

    assert (await run(Scripted(nothing))).error_kind == "bug"
    assert (await run(of(Complete(full=True)))).status == "unchanged"


async def test_nothing_is_taken_after_the_end() -> None:
    kept = Kept()
    await run(of(item(1), Complete(full=True), item(2)), kept)
    assert list(kept.there) == [("f1", "")]


async def test_a_stop_lets_the_source_come_to_a_place_to_go_on_from() -> None:
    stopping, ledger = asyncio.Event(), MemoryLedger()

    async def fetch(context: Context, state: State, mode: Mode) -> AsyncIterator[Any]:
        number = 0
        while not context.stopping.is_set():
            number += 1
            yield item(number)
            if number == 3:
                stopping.set()
        yield Checkpoint(state={"after": number})

    record = await run(Scripted(fetch), ledger=ledger, stopping=stopping)
    assert (record.status, record.error, record.cursor_after) == ("partial", None, {"after": 3})
    assert ledger.state.full == {"after": 3}


async def test_a_run_that_takes_too_long_is_ended_and_what_it_has_written_stays() -> None:
    kept = Kept()

    async def fetch(context: Context, state: State, mode: Mode) -> AsyncIterator[Any]:
        yield item(1)
        yield Checkpoint(state={"page": 1})
        await asyncio.Event().wait()

    record = await run(Scripted(fetch), kept, timeout_seconds=0.5, grace_seconds=0.1)
    assert (record.status, record.cursor_after, len(kept.there)) == ("timeout", {"page": 1}, 1)
    assert record.error == "The source did not stop when it was asked to."


async def test_requests_of_a_stopped_run_end_and_are_no_failure() -> None:
    stopping = asyncio.Event()

    async def fetch(context: Context, state: State, mode: Mode) -> AsyncIterator[Any]:
        yield item(1)
        stopping.set()
        await context.http.get("https://films.example.org/more")

    record = await run(Scripted(fetch), stopping=stopping)
    assert (record.status, record.error, record.counters.new, record.counters.requests) == ("partial", None, 1, 0)


async def test_a_stop_by_cancelling_ends_the_source_too() -> None:
    began, ended = asyncio.Event(), asyncio.Event()

    async def fetch(context: Context, state: State, mode: Mode) -> AsyncIterator[Any]:
        try:
            began.set()
            await asyncio.Event().wait()
            yield item(1)
        finally:
            ended.set()

    running = asyncio.create_task(run(Scripted(fetch)))
    await began.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert ended.is_set()


async def test_a_breaker_that_opens_ends_the_run_and_what_came_before_stays() -> None:
    async def fetch(context: Context, state: State, mode: Mode) -> AsyncIterator[Any]:
        for number in range(100):
            try:
                await context.http.get(f"{context.config.base_url}/{number}")
            except BreakerOpen:
                raise
            except TransientError:
                yield item(number)

    with RecordedServer() as server:
        server.misbehave(provider.failing(500), always=True)
        kept = Kept()
        record = await run(Scripted(fetch), kept, config=Config(base_url=server.url), fetch_limits=FetchLimits(tries=1))
    assert (record.status, record.error_class, record.counters.requests) == ("partial", "BreakerOpen", 5)
    assert len(kept.there) == 5


async def test_versions_of_answers_are_known_once_the_run_that_heard_them_is_complete() -> None:
    statuses: list[int] = []

    async def fetch(context: Context, state: State, mode: Mode) -> AsyncIterator[Any]:
        statuses.append((await context.http.get(f"{context.config.base_url}/films", conditional=True)).status)
        yield item(1)
        if len(statuses) == 1:
            raise TransientError("just now")
        yield Complete(full=mode == "full", state={"since": 1})

    with RecordedServer() as server:
        server.route("/films", {"films": []})
        kept, ledger, config = Kept(), MemoryLedger(), Config(base_url=server.url)
        for mode in ("full", "full", "incremental", "full"):
            await run(Scripted(fetch), kept, ledger, mode=mode, config=config)
    assert statuses == [200, 200, 304, 200]


async def test_a_trial_writes_nothing_and_counts() -> None:
    record = await run_source(
        of(item(1), Complete(full=True)), Plan(id="t"), config=Config(), writer=CountingWriter(), ledger=MemoryLedger()
    )
    assert (record.status, record.counters.new) == ("ok", 1)


async def test_states_and_records_are_kept_in_the_database(tmp_path: Path) -> None:
    kept = Kept()
    async with embedded(tmp_path / "data", *COLLECTIONS, timeout_seconds=5.0) as database:
        ledger = DatabaseLedger(database, "scripted")
        assert await ledger.load() == SourceState()
        state = {"since.then": 1, "$odd": [{"a": True}]}
        first = await run_source(
            of(item(1), Complete(full=True, state=state)),
            Plan(id="run-1"),
            config=Config(),
            writer=kept,
            ledger=ledger,
        )
        second = await run_source(
            of(QuotaError("Enough.", 60)), Plan(id="run-2"), config=Config(), writer=kept, ledger=ledger
        )
        assert await ledger.load() == SourceState(incremental=state)
        runs = await database.table(RUNS).page("source", "scripted", order_by="startedAt")
        assert runs == [document_of(second), document_of(first)]


def test_a_source_that_is_broken_has_a_record_too() -> None:
    from dateflicks.server.providers.discovery import BrokenSource

    record = broken_record("odd", Plan(id="run-1"), BrokenSource("ImportError: no module"))
    assert (record.status, record.error_kind, record.error) == ("failed", "broken", "ImportError: no module")
