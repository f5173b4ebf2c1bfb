"""docs/sync.md, the page on how players are held in step, says the numbers that are in force."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from dateflicks.client import follower, viewer
from dateflicks.client.players import echoes, estimate, stalls
from dateflicks.core import clock, limits
from dateflicks.core.playback import review
from tests.conftest import require
from tests.docs.pages import REPOSITORY, blocks_of
from tests.docs.wire_tables import SYNC_PAGE, page_with_tables

TEXT: Final = SYNC_PAGE.read_text(encoding="utf-8")
PROSE: Final = " ".join(TEXT.split("## How well")[0].split())


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:g} ms"


def _percent(share: float) -> str:
    return f"{share * 100:g} %"


def _s(seconds: float) -> str:
    return f"{seconds:g} s"


@pytest.mark.parametrize(
    "said",
    [
        f"within {_ms(limits.BAND_SECONDS)} either way",
        f"below −{_ms(limits.BAND_SECONDS)} for {_s(limits.BAND_HOLD_SECONDS)}",
        f"heard within {_s(limits.REPORT_FRESH_SECONDS)}",
        f"at most one `minimum` in {_s(limits.MINIMUM_INTERVAL_SECONDS)}",
        f"{_s(limits.PULL_BACK_BUDGET_SECONDS)} of film are gone back in a minute",
        f"*excused* for {_s(limits.EXCUSE_SECONDS)}",
        f"due in {_s(stalls.LOOK_BACK_SECONDS)}",
        f"After {_s(limits.STALL_GRACE_SECONDS)} the line stands",
        f"After {_s(limits.WAIT_SECONDS)} the late one is excused",
        (
            f"{_ms(limits.LEAD_EXTRA_SECONDS)} and one and a half times the slowest line, between "
            f"{_ms(limits.LEAD_MIN_SECONDS)} and {_s(limits.LEAD_MAX_SECONDS)}"
        ),
        f"after {_s(limits.SEEK_READY_SECONDS)} at most",
        f"seek {_s(follower.CUE_SECONDS)} ahead of the line",
        f"where they are for {_s(review.RECOVER_SECONDS)}",
        f"every {_s(viewer.REPORT_SOON_SECONDS)} for {_s(viewer.REPORT_SOON_FOR_SECONDS)} after a change",
        f"while it is more than {_ms(viewer.REPORT_SOON_ERROR_SECONDS)} off",
        f"otherwise every {_s(viewer.REPORT_SECONDS)}",
        f"contradict what was known by {_ms(clock.CONTRADICTION_SECONDS)}",
        f"slower than {_ms(estimate.SLOW_ANSWER_SECONDS)}",
        f"median of the last {_s(estimate.SOUND_WINDOW_SECONDS)}",
        f"up to {_ms(follower.CALM_SECONDS)} (once steering, until {_ms(follower.DONE_SECONDS)})",
        f"1 + {follower.GAIN:g}/s × e",
        f"at most {_percent(follower.CLAMP)} ({_percent(follower.GENTLE_CLAMP)} with `gentle`)",
        f"ahead by {_ms(follower.BAND_SECONDS)} to {_s(follower.HOLD_MAX_SECONDS)}",
        f"within {_ms(follower.COARSE_BAND_SECONDS)}",
        f"For {_s(follower.SETTLE_SECONDS)} after a hold or a seek nothing is decided",
        f"neither comes again within {_s(follower.COARSE_INTERVAL_SECONDS)}",
        f"remembered for {_s(echoes.REMEMBERED_SECONDS)}",
    ],
)
def test_a_number_on_the_page_is_the_one_in_force(said: str) -> None:
    assert said in PROSE


def test_the_numbers_that_have_no_number_in_the_sentence_are_as_it_says() -> None:
    assert (limits.LEAD_FACTOR, limits.PULL_BACK_WINDOW_SECONDS, review.DESERTED_SECONDS) == (1.5, 60, 60)
    assert (clock.BURST, clock.INTERVAL_SECONDS, clock.CALM_INTERVAL_SECONDS, clock.CONTRADICTIONS) == (10, 1.0, 5.0, 3)
    assert clock.HISTORY_SECONDS == 15 * 60


def test_the_table_of_numbers_is_that_of_the_code() -> None:
    assert page_with_tables(TEXT) == TEXT, "run: python -m tests.docs.wire_tables"


def test_the_readme_quotes_figures_of_this_page() -> None:
    readme = (SYNC_PAGE.parents[1] / "README.md").read_text(encoding="utf-8")
    quoted = readme.split("## How well it holds together")[1].split("\n[In step]")[0]
    measured = TEXT.split("## How well")[1]
    figures = re.findall(r"\d+(?:\.\d+)?(?:–\d+)? (?:ms|s)\b", quoted)
    assert len(figures) > 10
    missing = [one for one in figures if one not in measured and one.split()[0] not in measured]
    assert not missing


@pytest.mark.long
@pytest.mark.mpv
@pytest.mark.timeout(400)
@pytest.mark.flaky(reruns=1)  # the machine is not theirs alone
def test_the_commands_that_measure_and_draw_do_so(tmp_path: Path) -> None:
    require("mpv", "ffmpeg")
    (block,) = [one for one in blocks_of(SYNC_PAGE) if one.language == "sh"]
    measure, draw = block.commands
    words = shlex.split(shlex.split(measure)[2].removeprefix("ARGS="))
    assert measure.startswith("make bench-sync ARGS=")
    words[words.index("--seconds") + 1] = "5"
    if shutil.which("syncplay-server") is None:
        words.remove("--with-syncplay")
    drawing = draw.replace(".venv/bin/python", sys.executable)
    environ = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    for command in (shlex.join([sys.executable, "-m", "benchmarks.sync", *words]), drawing):
        done = subprocess.run(
            ["bash", "-c", command], cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=300, check=False
        )
        assert done.returncode in (0, 1), (
            done.stderr
        )  # 1: a figure was missed, on a machine that has other things to do
    assert (tmp_path / "drift.svg").read_text(encoding="utf-8").startswith("<svg")
