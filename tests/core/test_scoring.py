"""What calls are worth: the numbers of the formula, and that nobody gains by saying what they do not believe."""

from functools import reduce
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dateflicks.core.scoring import (
    Score,
    Standing,
    brier_of,
    least_confidence,
    rounded,
    score_of,
    share_to_come,
)

OPTIONS = tuple("abcdef")
shares = st.floats(0, 1)


@st.composite
def beliefs(draw: st.DrawFn) -> dict[str, float]:
    """What somebody thinks of two to six options; it adds up to one."""
    weights = draw(st.lists(st.integers(0, 1_000), min_size=2, max_size=6).filter(any))
    return {option: weight / sum(weights) for option, weight in zip(OPTIONS, weights, strict=False)}


def expected(belief: dict[str, float], option: str, confidence: float, share: float) -> float:
    """The points that somebody who believes this can expect of a call."""
    options = tuple(belief)
    return sum(chance * score_of(options, option, confidence, one, share).points for one, chance in belief.items())


@pytest.mark.parametrize(
    ("count", "confidence", "is_right", "share", "brier", "points"),
    [
        (2, 1.0, True, 0.0, 0.0, 100),
        (2, 1.0, True, 1.0, 0.0, 200),
        (2, 1.0, False, 0.0, 2.0, -300),
        (2, 0.5, True, 1.0, 0.5, 0),
        (2, 0.8, True, 0.5, 0.08, 126),
        (2, 0.8, False, 0.5, 1.28, -234),
        (4, 0.25, False, 0.3, 0.75, 0),
        (4, 1.0, False, 0.0, 2.0, -500 / 3),
        (3, 0.5, True, 0.0, 0.375, 43.75),
    ],
)
def test_the_formula_in_numbers(
    count: int, confidence: float, is_right: bool, share: float, brier: float, points: float
) -> None:
    options = OPTIONS[:count]
    score = score_of(options, "a", confidence, "a" if is_right else "b", share)
    assert score.brier == pytest.approx(brier)
    assert score.points == pytest.approx(points)
    assert score.is_right is is_right


@given(beliefs(), shares, st.data())
def test_nobody_can_expect_more_than_by_naming_the_most_likely_as_sure_as_they_are(
    belief: dict[str, float], share: float, data: st.DataObject
) -> None:
    likeliest = max(belief, key=belief.__getitem__)
    honest = expected(belief, likeliest, belief[likeliest], share)
    least = 1 / len(belief)
    option = data.draw(st.sampled_from(sorted(belief)))
    confidence = data.draw(st.floats(least, 1.0))

    assert expected(belief, option, confidence, share) <= honest + 1e-6


@given(beliefs(), shares)
def test_the_best_call_is_the_honest_one_and_no_other(belief: dict[str, float], share: float) -> None:
    likeliest = max(belief, key=belief.__getitem__)
    honest = expected(belief, likeliest, belief[likeliest], share)
    steps = [least_confidence(len(belief)) + step / 50 for step in range(50)]
    for option, confidence in product(belief, steps):
        is_honest = abs(confidence - belief[likeliest]) < 0.001 and belief[option] == belief[likeliest]
        if confidence <= 1 and not is_honest:
            nothing_known = abs(confidence - 1 / len(belief)) < 0.001 and belief[likeliest] < 1 / len(belief) + 0.01
            assert nothing_known or expected(belief, option, confidence, share) < honest


@given(beliefs(), shares, shares)
def test_how_early_it_is_called_changes_nothing_of_what_pays_best(
    belief: dict[str, float], early: float, late: float
) -> None:
    calls = [(option, least_confidence(len(belief)) + step / 20) for option in belief for step in range(21)]
    calls = [(option, confidence) for option, confidence in calls if confidence <= 1]
    values = [expected(belief, option, confidence, 0.0) for option, confidence in calls]
    best = max(values)
    for share in (early, late):
        scaled = [expected(belief, option, confidence, share) for option, confidence in calls]
        assert max(scaled) == pytest.approx(best * (1 + share), abs=1e-6)
        assert scaled[values.index(best)] == pytest.approx(max(scaled), abs=1e-6)


@given(beliefs(), shares)
def test_whoever_says_what_they_believe_expects_no_loss_and_gains_by_calling_early(
    belief: dict[str, float], share: float
) -> None:
    likeliest = max(belief, key=belief.__getitem__)
    honest = expected(belief, likeliest, belief[likeliest], share)
    assert honest >= -1e-9
    assert honest >= expected(belief, likeliest, belief[likeliest], share / 2) - 1e-9


@given(st.integers(2, 6), st.floats(0, 1), st.booleans())
def test_the_quadratic_score_is_between_perfect_and_worst(count: int, confidence: float, is_right: bool) -> None:
    options = OPTIONS[:count]
    brier = brier_of(options, "a", confidence, "a" if is_right else "b")
    assert -1e-9 <= brier <= 2 + 1e-9


@given(st.integers(2, 6), st.data())
def test_knowing_nothing_is_worth_nothing_whatever_comes(count: int, data: st.DataObject) -> None:
    options = OPTIONS[:count]
    outcome = data.draw(st.sampled_from(options))
    assert score_of(options, "a", 1 / count, outcome, 1.0).points == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(
    ("position", "length", "share"),
    [
        (0, 100, 1), (25, 100, 0.75), (100, 100, 0), (150, 100, 0),
        (None, 100, 0), (10, None, 0), (10, 0, 0), (None, None, 0),
    ],
)  # fmt: skip
def test_the_share_to_come_is_nothing_when_nobody_knows(
    position: float | None, length: float | None, share: float
) -> None:
    assert share_to_come(position, length) == share


@given(st.integers(2, 6))
def test_the_least_confidence_can_be_said_with_any_number_of_decimals_from_four_on(count: int) -> None:
    for decimals in range(4, 12):
        assert rounded(round(1 / count, decimals)) == least_confidence(count)


@given(st.lists(st.builds(Score, st.floats(0, 2), st.floats(-500, 200), st.booleans())))
def test_a_standing_is_the_sum_of_its_scores(scores: list[Score]) -> None:
    standing = reduce(Standing.plus, scores, Standing())
    assert standing.calls == len(scores)
    assert standing.right == sum(score.is_right for score in scores)
    assert standing.points == pytest.approx(sum(score.points for score in scores))
    if scores:
        assert standing.brier == pytest.approx(sum(score.brier for score in scores) / len(scores))
    else:
        assert standing == Standing()
        assert standing.brier is None
