"""Figures and verdicts of the sync bench."""

import math

import pytest

from benchmarks.syncbench.figures import Target, percentile, row

AT_MOST = Target("drift p95", "ms", 3.0, 0.8, known="110")
AT_LEAST = Target("progress", "x", 0.9995, 0.9999, is_floor=True)


@pytest.mark.parametrize(
    ("share", "expected"), [(0.0, 1.0), (0.25, 1.0), (0.5, 2.0), (0.51, 3.0), (0.95, 4.0), (1.0, 4.0)]
)
def test_a_percentile_is_one_of_the_values(share: float, expected: float) -> None:
    assert percentile([4.0, 2.0, 3.0, 1.0], share) == expected


def test_there_is_no_percentile_of_nothing() -> None:
    with pytest.raises(ValueError, match="nothing was measured"):
        percentile([], 0.5)


@pytest.mark.parametrize(
    ("target", "value", "verdict", "is_moonshot"),
    [
        (AT_MOST, 0.8, "met", True),
        (AT_MOST, 3.0, "met", False),
        (AT_MOST, 3.01, "missed", False),
        (AT_LEAST, 1.0, "met", True),
        (AT_LEAST, 0.9995, "met", False),
        (AT_LEAST, 0.99, "missed", False),
        (AT_MOST, None, "missed", False),
        (AT_MOST, math.nan, "inconclusive", False),
        (AT_MOST, math.inf, "missed", False),
        (Target("drift p95", "ms", 3.0), 0.0, "met", False),
    ],
)
def test_a_value_is_judged_by_its_target(target: Target, value: float | None, verdict: str, is_moonshot: bool) -> None:
    found = row("steady", target, value, is_quiet=True)

    assert (found.verdict, found.is_moonshot) == (verdict, is_moonshot)


def test_a_miss_on_a_busy_machine_says_nothing_but_a_hit_does() -> None:
    assert row("steady", AT_MOST, 9.0, is_quiet=False).verdict == "inconclusive"
    assert row("steady", AT_MOST, 1.0, is_quiet=False).verdict == "met"


def test_others_are_measured_and_not_judged() -> None:
    found = row("steady", AT_MOST, 110.0, is_quiet=True, by="syncplay")

    assert (found.by, found.measured, found.verdict) == ("syncplay", 110.0, None)
