"""The figures of the talk's bench: what is said of them, and that its documents are what the service writes."""

import io
from pathlib import Path

from rich.console import Console

from benchmarks import messages
from benchmarks.filmbench.report import Machine
from benchmarks.messages import CROWDS, PAGES, SIZES, WAITS, Run, judged, tables
from tests.server.services.messages.deployment import deployed


def measured(*, load: float = 0.5, deep: float = 990.0, acknowledged: float = 1.0) -> Run:
    run = Run(rounds=1, machine=Machine(python="3.11", processors=2, architecture="x86_64", load=[load, 0.5]))
    run.pages_per_second = {kind: dict(zip(SIZES, (1_000.0, 995.0, deep), strict=True)) for kind in PAGES}
    run.kept_per_second = dict.fromkeys(CROWDS, 700.0)
    run.bare_per_second = dict.fromkeys(CROWDS, 1_000.0)
    run.wait_ms = {"acknowledged": acknowledged, "told on": 0.2, "bare insert": 0.7}
    run.rows = judged(run)
    return run


def test_what_holds_is_met() -> None:
    assert {one.verdict for one in measured().rows} == {"met"}


def test_pages_that_cost_more_in_a_long_talk_miss_and_on_a_busy_machine_say_nothing() -> None:
    assert [one.verdict for one in measured(deep=500.0).rows].count("missed") == len(PAGES)
    assert [one.verdict for one in measured(deep=500.0, load=99.0).rows].count("inconclusive") == len(PAGES)


def test_an_acknowledgement_that_takes_too_long_beside_a_frame_told_on_misses() -> None:
    assert [one.figure for one in measured(acknowledged=3.0).rows if one.verdict == "missed"] == [messages.TOLD.figure]


def test_the_tables_have_every_figure() -> None:
    output = io.StringIO()
    Console(file=output, width=140).print(*tables(measured()))

    text = output.getvalue()
    assert all(name in text for name in (*PAGES, *WAITS, messages.KEPT.figure, messages.TOLD.figure))
    assert "0.70" in text


async def test_a_document_of_the_bench_has_the_fields_of_one_of_the_service(tmp_path: Path) -> None:
    async with deployed(tmp_path / "data") as deployment:
        talk = deployment.talk()
        await deployment.post(talk, talk.ana, {"content": "hello"})
        (stored,) = await deployment.documents(talk, 1)

    assert stored.keys() == messages.message_document(talk.id, 1).keys()
