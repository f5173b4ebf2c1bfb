"""The table of the sync bench."""

import io

from rich.console import Console

from benchmarks.sync import Run, show
from benchmarks.syncbench.figures import Row, Target, row
from benchmarks.syncbench.scenarios import SCENARIOS

TO_A_FRAME = Target("to a frame", "s", 3.0, 2.0, known="Syncplay never")


def shown(rows: list[Row], errors: dict[str, str] | None = None) -> list[str]:
    run = Run(
        version="0",
        revision="abc",
        python="3.11",
        mpv="mpv 0.35.1",
        syncplay="Syncplay 1.6.9",
        machine="2",
        load=[0.5],
        seed=1,
        floor_ms=0.4,
        seconds=60.0,
        rows=rows,
        figures={},
        errors=errors or {},
        not_measured={},
    )
    output = io.StringIO()
    show(run, Console(file=output, width=160))
    return [line for line in output.getvalue().splitlines() if "to a frame" in line]


def test_syncplay_stands_below_ours_without_target_or_verdict() -> None:
    ours, theirs = shown(
        [
            row("apart-0.5", TO_A_FRAME, 1.9, is_quiet=True),
            row("apart-0.5", TO_A_FRAME, 9.0, is_quiet=True, by="syncplay"),
        ]
    )

    assert "apart-0.5" in ours
    assert "≤ 3" in ours
    assert "1.9 s" in ours
    assert "met, moonshot too" in ours
    assert "syncplay" in theirs
    assert "9 s" in theirs
    assert not any(word in theirs for word in ("≤", "met", "missed", "known"))


def test_what_was_looked_for_and_did_not_come_is_told_from_what_could_not_be_measured() -> None:
    rows = [row("apart-0.5", TO_A_FRAME, None, is_quiet=True, by="syncplay")]

    assert "never" in shown(rows)[0]
    assert "never" not in shown(rows, {"apart-0.5, Syncplay": "RuntimeError: it did not start"})[0]


def test_each_scenario_has_targets_and_is_named_as_it_is_called() -> None:
    for name, scenario in SCENARIOS.items():
        assert scenario.name == name
        assert scenario.targets
        assert len({target.figure for target in scenario.targets}) == len(scenario.targets)


def test_the_control_has_to_do_badly() -> None:
    (target,) = SCENARIOS["control"].targets

    assert row("control", target, 0.18, is_quiet=True).verdict == "met"
    assert row("control", target, 0.95, is_quiet=True).verdict == "missed"
