"""The report of interleaved lists: a vote for each person, fewer people for a decision, and who is one person."""

from dataclasses import replace

import msgspec
import numpy as np

from dateflicks.core.experiments.assignment import Experiment, Mode, Variant
from dateflicks.server.recommenders.reporting.evidence import Evening, Evidence, Shown
from dateflicks.server.recommenders.reporting.interleaved import (
    InterleavedReport,
    groups_of,
    interleaved_report,
    votes_needed,
)
from dateflicks.server.recommenders.reporting.outcomes import DAY, HOUR
from dateflicks.server.recommenders.reporting.report import Verdict, report_of
from tests.server.recommenders.reporting.crowds import START, Crowd, lived

NOW = START + 30 * DAY


def experiment(mode: Mode = Mode.INTERLEAVE, salt: str = "salt") -> Experiment:
    """Of two arms."""
    arms = tuple(Variant(name=name, algorithm=name) for name in ("blend", "edlae"))
    return Experiment(name="lists", salt=salt, mode=mode, variants=arms, planned_units=300)


def reported(crowd: Crowd, *, people: int, days: int = 7, seed: int = 5) -> InterleavedReport:
    """After this crowd has lived with the experiment."""
    one = experiment()
    return interleaved_report(one, lived(np.random.default_rng(seed), one, crowd, people=people, days=days), NOW)


def test_what_people_choose_is_found_and_told_in_a_sentence() -> None:
    report = reported(Crowd(treatment=2.5), people=150)
    assert (report.verdict, report.arm) == (Verdict.BETTER, "edlae")
    assert report.duels[0].low > 0.5
    assert report.sentence.startswith(f"People choose edlae over blend: {report.duels[0].won} of ")
    first, second = report.arms
    assert second.credits > first.credits
    assert first.films == second.films  # ten places, five for each
    assert msgspec.json.decode(msgspec.json.encode(report), type=InterleavedReport) == report


def test_the_arm_that_people_choose_less_is_told_as_such() -> None:
    report = reported(Crowd(treatment=0.4), people=150)
    assert (report.verdict, report.arm) == (Verdict.WORSE, "edlae")
    assert report.sentence.startswith("People choose blend over edlae: ")


def test_without_a_preference_nothing_is_decided() -> None:
    verdicts = {reported(Crowd(), people=60, seed=seed).verdict for seed in range(5)}
    assert verdicts == {Verdict.UNDECIDED}
    assert votes_needed() == 197
    assert reported(Crowd(), people=60).sentence.startswith("Not decided yet: it needs about 197 people who chose")


def test_it_decides_with_fewer_people_than_arms_that_are_kept_apart() -> None:
    crowd, decided = Crowd(treatment=2.5), {Mode.INTERLEAVE: 0, Mode.AB: 0}
    for seed in range(5):
        for mode, people in ((Mode.INTERLEAVE, 120), (Mode.AB, 240)):
            one = experiment(mode, salt=f"salt {seed}")
            evidence = lived(np.random.default_rng(seed), one, crowd, people=people, days=7)
            report = (interleaved_report if mode is Mode.INTERLEAVE else report_of)(one, evidence, NOW)
            decided[mode] += report.verdict is Verdict.BETTER
    assert decided[Mode.AB] < decided[Mode.INTERLEAVE] == 5


def test_one_person_votes_once_however_often_they_chose() -> None:
    shown = [Shown("usr1", "", START + day * DAY, {"vid_a": "blend", "vid_b": "edlae"}, "blend") for day in range(20)]
    evenings = [Evening("vid_b", one.at + HOUR, one.at + 2 * HOUR) for one in shown]
    report = interleaved_report(experiment(), Evidence(shown, {"usr1": evenings}), NOW)
    assert report.arms[1].credits == 20
    assert (report.duels[0].won, report.duels[0].votes) == (1, 1)


def test_units_that_share_people_vote_together() -> None:
    assert groups_of(["usr1:usr2", "usr3:usr4", "usr2:usr5", "usr6:usr7", "usr5:usr4"]) == [0, 0, 0, 1, 0]
    assert groups_of(["usr1", "usr2", "usr1"]) == [0, 1, 0]


def test_lists_that_one_team_always_begins_are_not_believed() -> None:
    evidence = lived(np.random.default_rng(5), experiment(), Crowd(treatment=2.0), people=60, days=7)
    evidence.shown = [replace(one, first="edlae") for one in evidence.shown]
    report = interleaved_report(experiment(), evidence, NOW)
    assert (report.verdict, report.is_broken) == (Verdict.BROKEN, True)
    assert report.sentence.startswith("The lists are not drafted fairly: first places are blend 0, edlae 420.")


def test_nothing_shown_is_told() -> None:
    assert interleaved_report(experiment(), Evidence([]), NOW).sentence == "Nothing was shown yet."


def test_a_list_counts_for_votes_when_its_time_is_over() -> None:
    shown = Shown("usr1", "", NOW - HOUR, {"vid_a": "blend"}, "blend")
    evening = Evening("vid_a", NOW - HOUR / 2, NOW - HOUR / 3)
    assert interleaved_report(experiment(), Evidence([shown], {"usr1": [evening]}), NOW).duels[0].votes == 0
