"""The report of an experiment whose units have one arm each: whether the split held, then counts, then the difference
with its anytime interval, and what follows from it in one sentence.

Nothing is concluded from a broken split. The verdict is by the anytime interval of the first outcome alone; the other
outcomes and the guard rails are told beside it, and the interval of the planned end stands there from that end on.
"""

from enum import StrEnum
from typing import Final

import msgspec
import numpy as np

from dateflicks.core.experiments.assignment import Experiment, shares_of
from dateflicks.server.recommenders.reporting.evidence import Evidence, day_of
from dateflicks.server.recommenders.reporting.outcomes import (
    DAY,
    GUARDS,
    PRIMARY,
    SECONDARY,
    Outcome,
    Outcomes,
    Series,
    outcomes_of,
)
from dateflicks.server.recommenders.reporting.statistics import (
    ALPHA,
    SMALLEST,
    SPLIT_ALPHA,
    WORTHWHILE,
    Moments,
    anytime,
    difference,
    fixed,
    needed_per_arm,
    shared_variance,
    split_p,
)

POINTS_MAX: Final = 60  # days in the plot


class Verdict(StrEnum):
    """What may be concluded."""

    BROKEN = "broken split"
    EARLY = "too early"
    UNDECIDED = "undecided"
    BETTER = "better"
    WORSE = "worse"
    ALIKE = "alike"


class ArmReport(msgspec.Struct, frozen=True, kw_only=True):
    """One arm in counts. `expected` is how many units the weights would have given it; films are different ones."""

    name: str
    algorithm: str
    version: str
    weight: float
    units: int
    expected: float
    lists: int
    films: int
    share_of_films: float


class SplitDay(msgspec.Struct, frozen=True, kw_only=True):
    """How many units came on a day, by arm."""

    day: str
    units: list[int]


class Split(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the units are divided as they should be; `p` is how often chance alone would divide them as badly."""

    is_broken: bool
    p: float
    days: list[SplitDay]


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """One outcome of one arm beside the first arm. `low` and `high` bound the difference at all times, the fixed ones
    at the planned end; null where nothing can be said yet. `is_harmed` is a guard rail that surely got worse.
    """

    outcome: str
    words: str
    arm: str
    control: str
    units: int
    lists: int
    happened: float
    control_rate: float
    rate: float
    difference: float
    low: float | None
    high: float | None
    fixed_low: float | None = None
    fixed_high: float | None = None
    is_harmed: bool = False


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """The difference in the first outcome as it was known at the end of a day."""

    day: str
    arm: str
    difference: float
    low: float | None
    high: float | None


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """An experiment as it stands. `comparisons` begin with the outcome that decides; `have` units are in the smallest
    arm, of `needed` in each; `crossed` ones were shown another arm later, and count in their first.
    """

    experiment: str
    mode: str
    unit: str
    state: str
    started_at: float
    read_at: float
    planned_units: int
    units: int
    have: int
    needed: int | None
    crossed: int
    arms: list[ArmReport]
    split: Split
    comparisons: list[Comparison]
    guards: list[Comparison]
    points: list[Point]
    verdict: Verdict
    arm: str | None
    sentence: str


def report_of(experiment: Experiment, evidence: Evidence, now: float) -> Report:
    """What an experiment with one arm for each unit has shown until now (Unix seconds)."""
    outcomes = outcomes_of(experiment, evidence)
    counts = np.bincount(np.array(outcomes.first_arm, dtype=np.int64), minlength=len(outcomes.arms))
    expected = _expected(experiment, outcomes)
    p = split_p(counts.astype(np.float64), expected)
    split = Split(is_broken=p < SPLIT_ALPHA, p=p, days=_days(outcomes))
    others = [number for number, one in enumerate(experiment.variants) if number and (one.weight or counts[number])]
    alpha = ALPHA / max(len(others), 1)  # several arms are several chances to be wrong
    plan, is_over = float(experiment.planned_units), len(outcomes.units) >= experiment.planned_units

    def compared(outcome: Outcome) -> list[Comparison]:
        series = outcomes.series(outcome)
        return [_compared(series, outcomes, outcome, arm, now, plan, alpha, is_over=is_over) for arm in others]

    primary = compared(PRIMARY)
    needs, have = _needs(outcomes, others, now, alpha)
    verdict, arm = _verdict(primary, split)
    report = Report(
        experiment=experiment.name,
        mode=experiment.mode.value,
        unit=experiment.unit.value,
        state=experiment.state.value,
        started_at=experiment.started_at,
        read_at=now,
        planned_units=experiment.planned_units,
        units=len(outcomes.units),
        have=have,
        needed=needs,
        crossed=outcomes.crossed,
        arms=_arms(experiment, outcomes, counts.tolist(), expected.tolist()),
        split=split,
        comparisons=[*primary, *(one for outcome in SECONDARY for one in compared(outcome))],
        guards=[one for outcome in GUARDS for one in compared(outcome) if one.lists],
        points=_points(outcomes, others, now, plan, alpha),
        verdict=verdict,
        arm=arm,
        sentence="",
    )
    return msgspec.structs.replace(report, sentence=sentence_of(report))


def sentence_of(report: Report) -> str:
    """What a person should know, in a sentence or two."""
    who = "pairs" if report.unit == "pair" else "people"
    if report.verdict is Verdict.BROKEN:
        parts = ", ".join(f"{one.name} has {one.units:,} of about {one.expected:,.0f}" for one in report.arms)
        return f"The split is broken: {parts} {who}. Nothing is concluded; look for the day on which it began."
    if not report.units:
        return "Nothing was shown yet."
    lead = next((one for one in report.comparisons if one.arm == report.arm), None)
    if report.verdict in (Verdict.EARLY, Verdict.UNDECIDED) or lead is None:
        if report.have >= SMALLEST and report.needed is None:
            control = report.comparisons[0].control
            return f"Nothing can be compared yet: {control} has led to no accepted invitation that counts by now."
        if (first := report.comparisons[0]).low is not None and report.have >= (report.needed or 0):
            bounds = f"between {first.low:+.3f} and {first.high:+.3f} per list"
            return f"Not decided, with {report.have:,} {who} per arm: {first.arm} less {first.control} is {bounds}."
        words = "Too early to say" if report.verdict is Verdict.EARLY else "Not decided yet"
        needs = f"at least {SMALLEST}" if report.needed is None else f"about {report.needed:,}"
        return f"{words}: it needs {needs} {who} per arm; you have {report.have:,}."
    bounds = f"between {lead.low:+.3f} and {lead.high:+.3f}"
    if report.verdict is Verdict.ALIKE:
        share = f"{WORTHWHILE:.0%}"
        return f"No arm is better than {lead.control} by {share} or more, nor worse ({bounds} per list)."
    words = "more" if report.verdict is Verdict.BETTER else "fewer"
    harmed = sorted({one.words for one in report.guards if one.is_harmed and one.arm == lead.arm})
    end = f" But beware: more {' and more '.join(harmed)}." if harmed else ""
    return f"{lead.arm} leads to {words} accepted invitations than {lead.control}: {bounds} per list.{end}"


def _verdict(primary: list[Comparison], split: Split) -> tuple[Verdict, str | None]:
    if split.is_broken:
        return Verdict.BROKEN, None
    known = [(one.low, one.high, one) for one in primary if one.low is not None and one.high is not None]
    if not known:
        return Verdict.EARLY, None
    best = max(known, key=lambda row: row[0])
    if best[0] > 0:
        return Verdict.BETTER, best[2].arm
    if len(known) == len(primary):
        if all(high < 0 for _, high, _ in known):
            return Verdict.WORSE, max(known, key=lambda row: row[1])[2].arm
        if all(max(-low, high) < WORTHWHILE * one.control_rate for low, high, one in known):
            return Verdict.ALIKE, best[2].arm
    return Verdict.UNDECIDED, None


def _expected(experiment: Experiment, outcomes: Outcomes) -> "np.ndarray[tuple[int, ...], np.dtype[np.float64]]":
    """How many units each arm should have, by the weights that there were when each unit came."""
    expected = np.zeros(len(outcomes.arms))
    starts = [one.at for one in experiment.phases] or [experiment.started_at]
    came = np.array(outcomes.first_at)
    for start, end in zip(starts, [*starts[1:], np.inf], strict=True):
        within = (came < end) & ((came >= start) | (start == starts[0]))
        expected += int(within.sum()) * np.array(list(shares_of(experiment, start).values()))
    return expected


def _days(outcomes: Outcomes) -> list[SplitDay]:
    found: dict[str, list[int]] = {}
    for arm, at in zip(outcomes.first_arm, outcomes.first_at, strict=True):
        found.setdefault(day_of(at), [0] * len(outcomes.arms))[arm] += 1
    return [SplitDay(day=day, units=units) for day, units in sorted(found.items())]


def _arms(experiment: Experiment, outcomes: Outcomes, counts: list[int], expected: list[float]) -> list[ArmReport]:
    films: list[set[str]] = [set() for _ in outcomes.arms]
    lists = [0] * len(outcomes.arms)
    for one in outcomes.exposed:
        films[one.arm].update(one.shown.films)
        lists[one.arm] += 1
    every = len(set().union(*films))
    return [
        ArmReport(
            name=one.name,
            algorithm=one.algorithm,
            version=one.version,
            weight=one.weight,
            units=counts[number],
            expected=expected[number],
            lists=lists[number],
            films=len(films[number]),
            share_of_films=len(films[number]) / every if every else 0.0,
        )
        for number, one in enumerate(experiment.variants)
    ]


def _compared(
    series: Series,
    outcomes: Outcomes,
    outcome: Outcome,
    arm: int,
    now: float,
    plan: float,
    alpha: float,
    *,
    is_over: bool,
) -> Comparison:
    sample = series.until(now)
    moments = Moments.of(sample, len(outcomes.arms))
    found = difference(moments, arm, shared=shared_variance(sample, moments, arm))
    value, radius = float(found.value), float(anytime(found, plan, alpha))
    at_end = float(fixed(found, alpha)) if is_over else np.inf
    is_harmed = (value - radius > 0) if not outcome.more_is_better else (value + radius < 0)
    return Comparison(
        outcome=outcome.name,
        words=outcome.words,
        arm=outcomes.arms[arm],
        control=outcomes.arms[0],
        units=int(found.units),
        lists=int(moments.lists[arm] + moments.lists[0]),
        happened=float(moments.outcomes[arm] + moments.outcomes[0]),
        control_rate=float(moments.rates[0]),
        rate=float(moments.rates[arm]),
        difference=value,
        low=_finite(value - radius),
        high=_finite(value + radius),
        fixed_low=_finite(value - at_end),
        fixed_high=_finite(value + at_end),
        is_harmed=is_harmed,
    )


def _needs(outcomes: Outcomes, others: list[int], now: float, alpha: float) -> tuple[int | None, int]:
    """Units that each arm needs, and that the smallest one has."""
    moments = Moments.of(outcomes.series(PRIMARY).until(now), len(outcomes.arms))
    needs = [needed_per_arm(moments, arm, alpha=alpha) for arm in others]
    known = [one for one in needs if one is not None]
    return max(known, default=None), int(min((moments.units[arm] for arm in (0, *others)), default=0))


def _points(outcomes: Outcomes, others: list[int], now: float, plan: float, alpha: float) -> list[Point]:
    """Day after day, the last one being now."""
    if not outcomes.exposed:
        return []
    series, begin = outcomes.series(PRIMARY), outcomes.exposed[0].shown.at
    days = min(int((now - begin) // DAY), POINTS_MAX - 1)
    found = []
    for at in (now - DAY * back for back in range(days, -1, -1)):
        sample = series.until(at)
        moments = Moments.of(sample, len(outcomes.arms))
        for arm in others:
            apart = difference(moments, arm, shared=shared_variance(sample, moments, arm))
            value, radius = float(apart.value), float(anytime(apart, plan, alpha))
            low, high = _finite(value - radius), _finite(value + radius)
            found.append(Point(day=day_of(at), arm=outcomes.arms[arm], difference=value, low=low, high=high))
    return found


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None
