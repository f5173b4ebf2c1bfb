"""A little of `make fuzz` in every run, more of it in long ones, and what it has found, so that it stays mended."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from tests.strangers.fuzzing import sequences
from tests.strangers.fuzzing.running import failed, tried
from tests.strangers.fuzzing.targets import TARGETS

ROOT = Path(__file__).parents[2]
FEW = 1_200
FEW_SECONDS = 1.0


@pytest.mark.parametrize("name", TARGETS)
def test_good_inputs_are_good(name: str) -> None:
    for seed in TARGETS[name].seeds:
        assert failed(TARGETS[name], seed) is None


@pytest.mark.slow
@pytest.mark.parametrize("name", TARGETS)
def test_inputs_near_to_good_ones_break_nothing(name: str) -> None:
    assert tried(name, inputs=FEW, seconds=FEW_SECONDS, seed=1).failures == []


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", TARGETS)
def test_a_million_inputs_near_to_good_ones_break_nothing(name: str) -> None:
    run = tried(name, inputs=1_000_000, seconds=300.0, seed=2)
    print(run)
    assert run.failures == []


@pytest.mark.slow
@pytest.mark.timeout(180)
@pytest.mark.parametrize("evenings", [1, pytest.param(60, marks=pytest.mark.long)])
def test_evenings_out_of_order_end_in_one_truth_that_no_stranger_knows(evenings: int) -> None:
    run = sequences.played(seconds=120.0, seed=7, evenings=evenings)
    assert run.failures == []
    assert run.inputs >= min(evenings, 2) * sequences.STEPS


FOUND = {
    "an address that is half of one": ("films", b"k3v9x-tzq41-09ajm-hd2we@[::1"),
    "a port that is none": ("films", b"http://films.example:port"),
    "a variable that is no text": ("settings", b"abcdefg\nLIMITS_FRAMES_BURST=\xff60"),
    "a file that is nested without end": ("settings", b"abc\nx = " + b"[" * 5_000),
    "a blank line where a text is cut": ("said", b"x\n\n" * 30),
}


@pytest.mark.parametrize(("name", "data"), FOUND.values(), ids=FOUND)
def test_what_was_found_stays_mended(name: str, data: bytes) -> None:
    assert failed(TARGETS[name], data) is None


@pytest.mark.slow
def test_the_one_that_follows_what_is_reached_goes_where_it_is_there(tmp_path: Path) -> None:
    if importlib.util.find_spec("atheris") is None:
        pytest.skip("atheris is not here: `make fuzz` brings it")
    command = [sys.executable, "-m", "tests.strangers.fuzzing.guided", "films", "-max_total_time=2", "-runs=500"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr[-2_000:]
