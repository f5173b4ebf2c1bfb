"""The report of an experiment with one arm for each unit, on people who were simulated, and on a few by hand."""

from collections.abc import Sequence
from dataclasses import replace

import msgspec
import numpy as np
import pytest

from dateflicks.core.experiments.assignment import Experiment, Mode, Phase, Unit, Variant, assignment_of
from dateflicks.server.recommenders.reporting.evidence import Evening, Evidence, Opinion, Shown
from dateflicks.server.recommenders.reporting.outcomes import DAY, HOUR, PRIMARY, SECONDARY, Outcomes, outcomes_of
from dateflicks.server.recommenders.reporting.report import Report, Verdict, report_of
from tests.server.recommenders.reporting.crowds import START, Crowd, lived

NOW = START + 20 * DAY


def experiment(*weights: float, **changes: object) -> Experiment:
    """Of the arms blend, edlae and als."""
    names = ("blend", "edlae", "als")[: len(weights) or 2]
    variants = tuple(
        Variant(name=name, algorithm=name, version="1", weight=weight)
        for name, weight in zip(names, weights or (1.0, 1.0), strict=True)
    )
    one = Experiment(name="lists", salt="salt", variants=variants, started_at=START - HOUR, planned_units=600)
    return replace(one, **changes)  # type: ignore[arg-type]  # named by tests


def reported(crowd: Crowd, *, seed: int = 3, people: int = 500, days: int = 4, **changes: object) -> Report:
    """After this crowd has lived with the experiment."""
    one = experiment(**changes)
    return report_of(one, lived(np.random.default_rng(seed), one, crowd, people=people, days=days), NOW)


def by_hand(shown: Sequence[Shown], evenings: Sequence[Evening] = (), opinions: Sequence[Opinion] = ()) -> Outcomes:
    """Of one unit, `usr1`."""
    evidence = Evidence(list(shown), {"usr1": list(evenings)}, {"usr1": list(opinions)})
    return outcomes_of(experiment(), evidence)


def shown(day: float = 0, *films: str, unit: str = "usr1", arm: str = "blend") -> Shown:
    """A list at eleven."""
    return Shown(unit, arm, START + day * DAY, dict.fromkeys(films or ("vid_a", "vid_b"), arm))


def evening(film: str, day: float, *, is_finished: bool = False) -> Evening:
    """Asked an hour after the list of a day, accepted an hour later."""
    at = START + day * DAY + HOUR
    return Evening(film, at, at + HOUR, is_finished)


def total(outcomes: Outcomes, name: str, at: float = NOW) -> tuple[float, float]:
    """How much of an outcome there is, in how many lists."""
    outcome = next(one for one in (PRIMARY, *SECONDARY) if one.name == name)
    sample = outcomes.series(outcome).until(at)
    return float(sample.outcomes.sum()), float(sample.lists.sum())


# --- simulated people -----------------------------------------------------------------------------------------------


def test_a_known_effect_is_found_and_told_in_a_sentence() -> None:
    report = reported(Crowd(treatment=3.0))
    assert (report.verdict, report.arm) == (Verdict.BETTER, "edlae")
    lead = report.comparisons[0]
    assert lead.low is not None
    assert 0 < lead.low < lead.difference
    assert report.sentence.startswith("edlae leads to more accepted invitations than blend: between +0.")
    assert [one.outcome for one in report.comparisons] == ["accepted", "finished", "rating", "again"]


def test_an_arm_that_is_worse_is_told_as_such() -> None:
    report = reported(Crowd(treatment=0.2))
    assert (report.verdict, report.arm) == (Verdict.WORSE, "edlae")
    assert report.sentence.startswith("edlae leads to fewer accepted invitations than blend")


def test_without_an_effect_it_says_how_many_are_needed_and_how_many_there_are() -> None:
    report = reported(Crowd(appetite=0.2), people=60, unit=Unit.PAIR)
    assert report.verdict is Verdict.UNDECIDED
    assert report.needed is not None
    assert report.needed > report.have
    assert report.sentence == (
        f"Not decided yet: it needs about {report.needed:,} pairs per arm; you have {report.have}."
    )


def test_fourteen_pairs_are_too_few_to_say_anything() -> None:
    report = reported(Crowd(), people=28, unit=Unit.PAIR)
    assert report.verdict is Verdict.EARLY
    assert report.comparisons[0].low is None
    assert report.sentence.startswith("Too early to say: it needs about ")


def test_arms_that_are_alike_are_told_as_alike_once_that_is_sure() -> None:
    one = experiment(planned_units=2_000)
    many = [f"usr{number}" for number in range(2_000)]
    arms = [part.variant.name for unit in many if (part := assignment_of(one, unit)) and part.variant]
    lists = [shown(day, unit=unit, arm=arm) for unit, arm in zip(many, arms, strict=True) for day in range(3)]
    taken = {unit: [evening("vid_a", day) for day in range(2 + number % 2)] for number, unit in enumerate(many)}
    report = report_of(one, Evidence(sorted(lists, key=lambda list_: list_.at), taken), NOW)
    assert report.verdict is Verdict.ALIKE
    assert report.sentence.startswith("No arm is better than blend by 20% or more, nor worse (between -0.")


def test_a_broken_split_raises_the_alarm_and_nothing_is_concluded() -> None:
    one = experiment()
    evidence = lived(np.random.default_rng(3), one, Crowd(treatment=3.0), people=1_000, days=1, share_lost=0.3)
    report = report_of(one, evidence, NOW)
    assert report.split.is_broken
    assert report.split.p < 0.001
    assert (report.verdict, report.arm) == (Verdict.BROKEN, None)
    assert report.sentence.startswith("The split is broken: blend has ")
    assert sum(map(sum, (day.units for day in report.split.days))) == report.units
    sound = report_of(one, lived(np.random.default_rng(3), one, Crowd(), people=1_000, days=1), NOW)
    assert not sound.split.is_broken


def test_weights_that_were_changed_meanwhile_do_not_look_like_a_broken_split() -> None:
    change = START + 0.5 * DAY
    before = experiment(1.0, 1.0)
    after = experiment(9.0, 1.0, phases=(Phase(START - HOUR, (1.0, 1.0)), Phase(change, (9.0, 1.0))))
    lists = []
    for number in range(800):
        at = START if number < 400 else START + DAY
        part = assignment_of(before if at < change else after, f"usr{number}")
        assert part is not None
        assert part.variant is not None
        lists.append(Shown(f"usr{number}", part.variant.name, at, {"vid_a": part.variant.name}))
    report = report_of(after, Evidence(lists), NOW)
    assert not report.split.is_broken
    assert [arm.expected for arm in report.arms] == pytest.approx([200 + 360, 200 + 40])
    assert report_of(replace(after, phases=()), Evidence(lists), NOW).split.is_broken  # were it not for the phases


def test_the_fixed_interval_is_told_from_the_planned_end_on_alone() -> None:
    early, late = reported(Crowd(), days=1, planned_units=501), reported(Crowd(), days=1, planned_units=500)
    assert early.comparisons[0].fixed_low is None
    decisive = late.comparisons[0]
    assert decisive.low is not None
    assert decisive.fixed_low is not None
    assert decisive.low < decisive.fixed_low < decisive.difference


def test_days_are_told_and_the_last_one_is_now() -> None:
    report = reported(Crowd(), days=3)
    assert [point.day for point in report.points][:2] == ["2025-01-01", "2025-01-02"]
    assert len(report.points) == 21
    last, lead = report.points[-1], report.comparisons[0]
    assert (last.difference, last.low, last.high) == (lead.difference, lead.low, lead.high)


def test_several_arms_are_each_held_against_the_first() -> None:
    one = experiment(1.0, 1.0, 1.0)
    lists = [shown(0, unit=f"usr{number}", arm=("blend", "edlae", "als")[number % 3]) for number in range(300)]
    report = report_of(one, Evidence(lists), NOW)
    assert [(row.arm, row.control) for row in report.comparisons[:2]] == [("edlae", "blend"), ("als", "blend")]


def test_a_report_of_nothing_says_so_and_every_report_is_json() -> None:
    report = report_of(experiment(), Evidence([]), NOW)
    assert (report.sentence, report.verdict, report.points) == ("Nothing was shown yet.", Verdict.EARLY, [])
    for one in (report, reported(Crowd(), people=30, days=1)):
        assert msgspec.json.decode(msgspec.json.encode(one), type=Report) == one


def test_a_guard_rail_that_surely_got_worse_is_told_with_the_good_news() -> None:
    one, rng = experiment(), np.random.default_rng(3)
    evidence = lived(rng, one, Crowd(treatment=3.0), people=500, days=4)
    slow = [replace(row, milliseconds=float(rng.normal(90 if row.arm == "edlae" else 30, 5))) for row in evidence.shown]
    report = report_of(one, Evidence(slow, evidence.evenings), NOW)
    latency = next(row for row in report.guards if row.outcome == "latency")
    assert latency.is_harmed
    assert latency.rate == pytest.approx(90, abs=2)
    assert report.sentence.endswith("But beware: more milliseconds per list.")


# --- by hand --------------------------------------------------------------------------------------------------------


def test_an_invitation_counts_for_the_last_list_before_it_that_had_the_film() -> None:
    outcomes = by_hand([shown(0), shown(0.5), shown(0.6, "vid_c")], [evening("vid_a", 0.6)])
    assert [len(one.evenings) for one in outcomes.exposed] == [0, 1, 0]


@pytest.mark.parametrize(
    ("film", "day"), [("vid_z", 0.1), ("vid_a", -0.5), ("vid_a", 1.0)], ids=["another film", "before", "a day later"]
)
def test_what_a_list_did_not_lead_to_does_not_count(film: str, day: float) -> None:
    assert total(by_hand([shown(0)], [evening(film, day)]), "accepted") == (0.0, 1.0)


def test_a_film_counts_once_for_a_list_however_often_it_was_accepted() -> None:
    outcomes = by_hand([shown(0)], [evening("vid_a", 0), evening("vid_a", 0.2), evening("vid_b", 0.3)])
    assert total(outcomes, "accepted") == (2.0, 1.0)


def test_a_list_counts_when_its_time_is_over() -> None:
    outcomes = by_hand([shown(0), shown(1)], [evening("vid_a", 0)])
    assert total(outcomes, "accepted", START + DAY) == (1.0, 1.0)
    assert total(outcomes, "accepted", START + 2 * DAY) == (1.0, 2.0)
    assert total(outcomes, "again", START + 2 * DAY) == (0.0, 0.0)


def test_films_that_were_finished_ratings_and_second_films_are_counted_for_each_list() -> None:
    outcomes = by_hand(
        [shown(0), shown(3)],
        [evening("vid_a", 0, is_finished=True), evening("vid_b", 3.0), evening("vid_q", 5.0)],
        [
            Opinion("vid_a", START + HOUR, 1.0),
            Opinion("vid_b", START + 4 * DAY, -1.0),
            Opinion("vid_b", START + 15 * DAY, 1.0),
        ],
    )
    assert total(outcomes, "finished") == (1.0, 2.0)
    assert total(outcomes, "rating") == (0.0, 2.0)
    assert total(outcomes, "again") == (2.0, 2.0)


def test_a_unit_stays_in_the_arm_that_it_saw_first() -> None:
    outcomes = by_hand([shown(0), shown(1, arm="edlae"), shown(2, arm="gone")])
    assert (len(outcomes.exposed), outcomes.crossed, outcomes.unknown, outcomes.first_arm) == (1, 1, 1, (0,))


def test_interleaved_lists_are_of_all_arms() -> None:
    one = experiment(mode=Mode.INTERLEAVE)
    mixed = Shown("usr1", "", START, {"vid_a": "blend", "vid_b": "edlae"})
    assert len(outcomes_of(one, Evidence([mixed])).exposed) == 1
