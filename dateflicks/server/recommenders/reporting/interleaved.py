"""The report of an interleaved experiment: whose films in the one list people chose, a vote for each of them.

A person votes for the arm of whose films they accepted more; people who are in several pairs vote once with all of
them. The share of votes has an anytime interval; half of them is what arms get that are equally good.
"""

from collections import Counter
from collections.abc import Iterable
from math import ceil
from typing import Final

import msgspec
import numpy as np

from dateflicks.core.experiments.assignment import Experiment
from dateflicks.server.recommenders.reporting.evidence import Evidence, day_of, people_of
from dateflicks.server.recommenders.reporting.outcomes import DAY, PRIMARY, Exposed, outcomes_of
from dateflicks.server.recommenders.reporting.report import POINTS_MAX, Point, Verdict
from dateflicks.server.recommenders.reporting.statistics import (
    ALPHA,
    POWER,
    SPLIT_ALPHA,
    WORTHWHILE,
    binomial_interval,
    normal_quantile,
    split_p,
)

HALF: Final = 0.5


class TeamReport(msgspec.Struct, frozen=True, kw_only=True):
    """One arm in counts: films in the lists, first places, and films of it that people accepted."""

    name: str
    algorithm: str
    version: str
    films: int
    first: int
    credits: int


class Duel(msgspec.Struct, frozen=True, kw_only=True):
    """One arm beside the first: votes that it won of all that were not even, with the anytime interval."""

    arm: str
    control: str
    won: int
    votes: int
    share: float
    low: float
    high: float


class InterleavedReport(msgspec.Struct, frozen=True, kw_only=True):
    """An interleaved experiment as it stands. `p` is how often chance deals the first places so unevenly."""

    experiment: str
    mode: str
    unit: str
    state: str
    started_at: float
    read_at: float
    planned_units: int
    units: int
    lists: int
    have: int
    needed: int
    is_broken: bool
    p: float
    arms: list[TeamReport]
    duels: list[Duel]
    points: list[Point]
    verdict: Verdict
    arm: str | None
    sentence: str


def interleaved_report(experiment: Experiment, evidence: Evidence, now: float) -> InterleavedReport:
    """What an interleaved experiment has shown until now (Unix seconds)."""
    outcomes = outcomes_of(experiment, evidence)
    teams, control = outcomes.arms, outcomes.arms[0]
    first = Counter(one.shown.first for one in outcomes.exposed)
    firsts = np.array([first[team] for team in teams], dtype=np.float64)
    p = split_p(firsts, np.full(len(teams), firsts.mean()))
    group = groups_of(outcomes.units)
    alpha = ALPHA / (len(teams) - 1)
    duels = [_duel(outcomes.exposed, group, team, control, now, alpha) for team in teams[1:]]
    films = Counter(team for one in outcomes.exposed for team in one.shown.films.values())
    earned = Counter(team for one in outcomes.exposed for team in _credits(one, now))
    verdict, arm = _verdict(duels, is_broken=p < SPLIT_ALPHA)
    report = InterleavedReport(
        experiment=experiment.name,
        mode=experiment.mode.value,
        unit=experiment.unit.value,
        state=experiment.state.value,
        started_at=experiment.started_at,
        read_at=now,
        planned_units=experiment.planned_units,
        units=len(outcomes.units),
        lists=len(outcomes.exposed),
        have=min((one.votes for one in duels), default=0),
        needed=votes_needed(alpha),
        is_broken=p < SPLIT_ALPHA,
        p=p,
        arms=[
            TeamReport(
                name=one.name,
                algorithm=one.algorithm,
                version=one.version,
                films=films[one.name],
                first=first[one.name],
                credits=earned[one.name],
            )
            for one in experiment.variants
        ],
        duels=duels,
        points=_points(outcomes.exposed, group, teams, now, alpha),
        verdict=verdict,
        arm=arm,
        sentence="",
    )
    return msgspec.structs.replace(report, sentence=sentence_of(report))


def groups_of(units: Iterable[str]) -> list[int]:
    """A number for each unit, the same for units that are connected by people whom they share."""
    group: dict[str, str] = {}

    def root(person: str) -> str:
        while (above := group.setdefault(person, person)) != person:
            person = above
        return person

    rows = [people_of(unit) for unit in units]
    for row in rows:
        for person in row[1:]:
            group[root(person)] = root(row[0])
    numbers: dict[str, int] = {}
    return [numbers.setdefault(root(row[0]), len(numbers)) for row in rows]


def votes_needed(alpha: float = ALPHA) -> int:
    """Votes by which a preference worth knowing of is found four times out of five, looked at once, at the end."""
    return ceil((normal_quantile(alpha / 2) + normal_quantile(1 - POWER)) ** 2 / WORTHWHILE**2)


def sentence_of(report: InterleavedReport) -> str:
    """What a person should know, in a sentence or two."""
    if report.is_broken:
        dealt = ", ".join(f"{one.name} {one.first:,}" for one in report.arms)
        return f"The lists are not drafted fairly: first places are {dealt}. Nothing is concluded."
    if not report.units:
        return "Nothing was shown yet."
    duel = next((one for one in report.duels if one.arm == report.arm), None)
    if duel is None:
        return f"Not decided yet: it needs about {report.needed:,} people who chose; you have {report.have:,}."
    better, worse = (duel.arm, duel.control) if report.verdict is Verdict.BETTER else (duel.control, duel.arm)
    won = duel.won if report.verdict is Verdict.BETTER else duel.votes - duel.won
    return (
        f"People choose {better} over {worse}: {won:,} of {duel.votes:,}. Confirm it with mode 'ab' before promoting."
    )


def _credits(one: Exposed, at: float) -> list[str]:
    """Whose films a list led to."""
    if one.shown.at + PRIMARY.ripe_seconds > at:
        return []
    return [one.shown.films[evening.video_id] for evening in one.evenings]


def _duel(exposed: Iterable[Exposed], group: list[int], team: str, control: str, at: float, alpha: float) -> Duel:
    balance: Counter[int] = Counter()
    for one in exposed:
        earned = _credits(one, at)
        balance[group[one.unit]] += earned.count(team) - earned.count(control)
    won, lost = sum(one > 0 for one in balance.values()), sum(one < 0 for one in balance.values())
    low, high = binomial_interval(won, won + lost, alpha)
    share = won / (won + lost) if won + lost else HALF
    return Duel(arm=team, control=control, won=won, votes=won + lost, share=share, low=low, high=high)


def _verdict(duels: list[Duel], *, is_broken: bool) -> tuple[Verdict, str | None]:
    if is_broken:
        return Verdict.BROKEN, None
    best = max(duels, key=lambda one: one.low)
    if best.low > HALF:
        return Verdict.BETTER, best.arm
    if all(one.high < HALF for one in duels):
        return Verdict.WORSE, max(duels, key=lambda one: one.high).arm
    return Verdict.UNDECIDED, None


def _points(
    exposed: tuple[Exposed, ...], group: list[int], teams: tuple[str, ...], now: float, alpha: float
) -> list[Point]:
    """The share of votes less half, day after day, the last one being now."""
    if not exposed:
        return []
    found = []
    days = min(int((now - exposed[0].shown.at) // DAY), POINTS_MAX - 1)
    chosen = [one for one in exposed if one.evenings]
    for at in (now - DAY * back for back in range(days, -1, -1)):
        for team in teams[1:]:
            duel = _duel(chosen, group, team, teams[0], at, alpha)
            low, high, value = duel.low - HALF, duel.high - HALF, duel.share - HALF
            found.append(Point(day=day_of(at), arm=team, difference=value, low=low, high=high))
    return found
