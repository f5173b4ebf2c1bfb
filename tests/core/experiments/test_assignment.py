"""Who belongs to which arm: fair by weight, the same wherever it is asked, and moving as few as can be when changed."""

import hashlib
from collections import Counter
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dateflicks.core.experiments.assignment import (
    Experiment,
    Mode,
    State,
    Unit,
    Variant,
    assigned,
    assignment_of,
    placed,
    point_of,
    shares_of,
)

UNITS = [f"usr{number}" for number in range(4_000)]


def experiment(*weights: float, name: str = "lists", **changes: object) -> Experiment:
    """One whose arms are called a, b, c and so on."""
    variants = tuple(
        Variant(name=arm, algorithm=f"algorithm-{arm}", weight=one) for arm, one in zip("abcdef", weights, strict=False)
    )
    return replace(Experiment(name=name, variants=variants), **changes)  # type: ignore[arg-type]  # named by tests


def arm_of(one: Experiment, unit: str) -> str | None:
    """The name of a unit's arm."""
    found = assignment_of(one, unit)
    return found.variant.name if found is not None and found.variant is not None else None


def arms(one: Experiment, units: list[str] = UNITS) -> list[str | None]:
    """Of many units."""
    return [arm_of(one, unit) for unit in units]


weights = st.lists(st.floats(0, 1_000), min_size=1, max_size=6).filter(lambda them: sum(them) > 1e-6)


def test_the_point_is_the_first_64_bits_of_the_hash_of_salt_and_unit() -> None:
    assert point_of("salt", "usrA:usrB") == int(hashlib.sha256(b"salt:usrA:usrB").hexdigest()[:16], 16)


def test_arms_get_units_by_their_weights() -> None:
    counts = Counter(arms(experiment(1, 1, 2)))
    assert counts["a"] == pytest.approx(1_000, abs=120)
    assert counts["b"] == pytest.approx(1_000, abs=120)
    assert counts["c"] == pytest.approx(2_000, abs=140)


@given(weights, st.integers(0, 99_999))
def test_with_full_coverage_everybody_has_an_arm_that_weighs_something(shares: list[float], number: int) -> None:
    one = experiment(*shares)
    name = arm_of(one, f"usr{number}")
    assert name is not None
    assert shares_of(one)[name] > 0


@given(weights, st.floats(0, 1), st.floats(0, 1), st.integers(0, 99_999))
def test_coverage_moves_units_in_and_out_but_never_to_another_arm(
    shares: list[float], coverage: float, other: float, number: int
) -> None:
    less, more = sorted((coverage, other))
    few = arm_of(experiment(*shares, coverage=less), f"usr{number}")
    many = arm_of(experiment(*shares, coverage=more), f"usr{number}")
    assert few in (None, many)


def test_coverage_takes_its_share_of_every_arm() -> None:
    counts = Counter(arms(experiment(1, 3, coverage=0.2)))
    assert counts["a"] == pytest.approx(200, abs=60)
    assert counts["b"] == pytest.approx(600, abs=100)


def test_a_change_of_weights_moves_no_more_units_than_it_must() -> None:
    before, after = arms(experiment(1, 1)), arms(experiment(3, 1))
    moved = Counter((old, new) for old, new in zip(before, after, strict=True) if old != new)
    assert set(moved) == {("b", "a")}
    assert moved["b", "a"] == pytest.approx(1_000, abs=120)


def test_an_arm_without_weight_gets_nobody() -> None:
    assert set(arms(experiment(0, 1))) == {"b"}
    assert set(arms(experiment(0, 0))) == {None}


def test_another_salt_draws_anew() -> None:
    first, second = arms(experiment(1, 1)), arms(experiment(1, 1, salt="again"))
    same = sum(one == other for one, other in zip(first, second, strict=True))
    assert same == pytest.approx(2_000, abs=160)


def test_what_is_stopped_takes_nobody() -> None:
    assert set(arms(experiment(1, 1, state=State.STOPPED))) == {None}


def test_interleaving_takes_units_without_giving_them_an_arm() -> None:
    found = assignment_of(experiment(1, 1, mode=Mode.INTERLEAVE), "usr1")
    assert found is not None
    assert found.variant is None
    half = experiment(1, 1, mode=Mode.INTERLEAVE, coverage=0.5)
    assert sum(assignment_of(half, unit) is not None for unit in UNITS) == pytest.approx(2_000, abs=160)


def test_of_several_experiments_the_one_that_started_first_decides_and_pairs_are_not_people() -> None:
    old = experiment(1, 1, name="old", coverage=0.5, started_at=1.0)
    new = experiment(1, 1, name="new", started_at=2.0)
    pairs = experiment(1, 1, name="pairs", unit=Unit.PAIR, started_at=0.0)
    found = Counter(one.experiment.name for unit in UNITS if (one := assigned((new, pairs, old), Unit.USER, unit)))
    assert found["old"] == pytest.approx(2_000, abs=160)
    assert found["old"] + found["new"] == len(UNITS)
    for_two = assigned((new, pairs, old), Unit.PAIR, "usr1:usr2")
    assert for_two is not None
    assert for_two.experiment is pairs


def test_experiments_of_one_namespace_share_no_unit() -> None:
    first = experiment(1, 1, name="first", namespace="lists", coverage=0.3)
    second = placed(experiment(1, 1, name="second", namespace="lists", coverage=0.5), (first,))
    assert second is not None
    assert placed(experiment(1, 1, name="third", namespace="lists", coverage=0.3), (first, second)) is None
    in_first, in_second = ({unit for unit in UNITS if arm_of(one, unit)} for one in (first, second))
    assert not in_first & in_second
    assert len(in_first) == pytest.approx(1_200, abs=120)
    assert len(in_second) == pytest.approx(2_000, abs=160)
    both = Counter(arm_of(second, unit) for unit in in_second)
    assert both["a"] == pytest.approx(both["b"], abs=200)


@given(st.lists(st.floats(0.05, 0.6), min_size=1, max_size=6), st.integers(0, 9_999))
def test_a_unit_is_in_at_most_one_experiment_of_a_namespace(coverages: list[float], number: int) -> None:
    held: list[Experiment] = []
    for index, coverage in enumerate(coverages):
        if (one := placed(experiment(1, 1, name=f"e{index}", namespace="n", coverage=coverage), held)) is not None:
            held.append(one)
    assert sum(assignment_of(one, f"usr{number}") is not None for one in held) <= 1
    stretches = sorted((one.low, one.low + one.coverage) for one in held)
    assert all(end <= low for (_, end), (low, _) in pairwise(stretches))


def test_one_that_comes_back_finds_its_own_stretch_where_that_is_free() -> None:
    first = experiment(1, 1, name="first", namespace="lists", coverage=0.3)
    second = placed(experiment(1, 1, name="second", namespace="lists", coverage=0.3), (first,))
    assert second is not None
    assert placed(second, (replace(first, state=State.STOPPED),)) == second
