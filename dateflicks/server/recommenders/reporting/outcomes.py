"""What became of exposed lists, as numbers for each unit. Each outcome is counted over every list that was shown, and
not over those that came to something, so that arms are compared on what was drawn for them; a list counts once the
time is over in which something may come of it.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dateflicks.core.experiments.assignment import Experiment
from dateflicks.server.recommenders.reporting.evidence import Evening, Evidence, Opinion, Shown, people_of
from dateflicks.server.recommenders.reporting.statistics import Floats, Sample

HOUR: Final = 3_600.0
DAY: Final = 24 * HOUR
ACCEPTED_WITHIN: Final = DAY
LATER_WITHIN: Final = 7 * DAY


@dataclass(slots=True)
class Exposed:
    """One list, and all that came of it: `evenings` are those that it led to."""

    shown: Shown
    unit: int
    arm: int
    evenings: list[Evening]
    opinions: list[Opinion]
    followed: bool = False  # by an evening with another film, within a week


@dataclass(frozen=True, slots=True)
class Outcome:
    """Something counted for each list that is older than `ripe_seconds`; `more_is_better` says which way is up."""

    name: str
    words: str
    ripe_seconds: float
    of: Callable[[Exposed], float | None]  # None: this list does not count
    more_is_better: bool = True


PRIMARY: Final = Outcome(
    "accepted", "accepted invitations per list, within a day", ACCEPTED_WITHIN, lambda one: float(len(one.evenings))
)
SECONDARY: Final = (
    Outcome(
        "finished",
        "films watched to the end per list",
        2 * DAY,
        lambda one: float(sum(evening.is_finished for evening in one.evenings)),
    ),
    Outcome(
        "rating",
        "thumbs up less thumbs down per list, within a week",
        LATER_WITHIN,
        lambda one: sum(opinion.value for opinion in one.opinions),
    ),
    Outcome("again", "lists with a second film within a week", 8 * DAY, lambda one: float(one.followed)),
)
GUARDS: Final = (
    Outcome(
        "fallback", "lists that the arm could not make", 0.0, lambda one: float(one.shown.is_fallback),
        more_is_better=False,
    ),
    Outcome("latency", "milliseconds per list", 0.0, lambda one: one.shown.milliseconds, more_is_better=False),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Outcomes:
    """All lists of an experiment with what became of them; units and people are numbers, in the order of the names."""

    units: tuple[str, ...]
    arms: tuple[str, ...]  # by name
    first_arm: tuple[int, ...]  # of each unit
    first_at: tuple[float, ...]
    exposed: tuple[Exposed, ...]  # of its first arm only, unless the lists are interleaved
    crossed: int  # units that were shown lists of another arm later
    unknown: int  # lists of arms that the experiment does not have

    def series(self, outcome: Outcome) -> "Series":
        """One outcome of every list that counts for it."""
        found = [(one.unit, one.shown.at + outcome.ripe_seconds, outcome.of(one)) for one in self.exposed]
        rows = [row for row in found if row[2] is not None]
        numbers: dict[str, int] = {}
        people = [[numbers.setdefault(one, len(numbers)) for one in people_of(unit)] for unit in self.units]
        width = max((len(row) for row in people), default=1)
        return Series(
            arms=np.array(self.first_arm, dtype=np.int64),
            people=np.array([row + row[-1:] * (width - len(row)) for row in people], np.int64).reshape(-1, width),
            units=np.array([row[0] for row in rows], dtype=np.int64),
            ripe_at=np.array([row[1] for row in rows], dtype=np.float64),
            values=np.array([row[2] for row in rows], dtype=np.float64),
        )


@dataclass(frozen=True, slots=True)
class Series:
    """An outcome over time: arms and people by unit; the unit, the time from which it counts, and the value by list."""

    arms: NDArray[np.int64]
    people: NDArray[np.int64]
    units: NDArray[np.int64]
    ripe_at: Floats
    values: Floats

    def until(self, at: float) -> Sample:
        """By unit, as far as it could be known at an instant."""
        ripe = self.ripe_at <= at
        lists = np.bincount(self.units[ripe], minlength=len(self.arms)).astype(np.float64)
        sums = np.bincount(self.units[ripe], self.values[ripe], minlength=len(self.arms)).astype(np.float64)
        known = lists > 0
        return Sample(self.arms[known], self.people[known], lists[known], sums[known])


def outcomes_of(experiment: Experiment, evidence: Evidence) -> Outcomes:
    """Put together what was shown and what was done. A unit stays in the arm that it saw first."""
    arms = tuple(one.name for one in experiment.variants)
    numbers = {name: number for number, name in enumerate(arms)} | {"": 0}  # "": interleaved from all
    units: dict[str, int] = {}
    first_arm: list[int] = []
    first_at: list[float] = []
    exposed: list[Exposed] = []
    crossed: set[str] = set()
    known = [one for one in evidence.shown if one.arm in numbers]
    for one in known:
        arm = numbers[one.arm]
        if one.unit not in units:
            units[one.unit] = len(units)
            first_arm.append(arm)
            first_at.append(one.at)
        if first_arm[units[one.unit]] != arm:
            crossed.add(one.unit)
            continue
        exposed.append(Exposed(one, units[one.unit], arm, [], []))
    by_unit: dict[str, list[Exposed]] = {}
    for each in exposed:
        by_unit.setdefault(each.shown.unit, []).append(each)
    for unit, lists in by_unit.items():
        _attribute(lists, evidence.evenings.get(unit, ()), evidence.opinions.get(unit, ()))
    return Outcomes(
        units=tuple(units),
        arms=arms,
        first_arm=tuple(first_arm),
        first_at=tuple(first_at),
        exposed=tuple(exposed),
        crossed=len(crossed),
        unknown=len(evidence.shown) - len(known),
    )


def _attribute(lists: Sequence[Exposed], evenings: Sequence[Evening], opinions: Sequence[Opinion]) -> None:
    """Give what a unit did to the last list before it that had the film, if it is not too long ago."""
    times = [one.shown.at for one in lists]
    for evening in evenings:
        one = _last_with(lists, times, evening.video_id, evening.invited_at)
        if one is None or evening.accepted_at > one.shown.at + ACCEPTED_WITHIN:
            continue
        if evening.video_id not in {other.video_id for other in one.evenings}:
            one.evenings.append(evening)
        one.followed |= any(
            other.video_id != evening.video_id and 0 < other.accepted_at - evening.accepted_at <= LATER_WITHIN
            for other in evenings
        )
    for opinion in opinions:
        one = _last_with(lists, times, opinion.video_id, opinion.at)
        if one is not None and opinion.at <= one.shown.at + LATER_WITHIN:
            one.opinions.append(opinion)


def _last_with(lists: Sequence[Exposed], times: list[float], video_id: str, at: float) -> Exposed | None:
    before = lists[: bisect_right(times, at)]
    return next((one for one in reversed(before) if video_id in one.shown.films), None)
