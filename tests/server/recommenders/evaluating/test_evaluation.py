"""On people with planted tastes the real recommenders find these; settings are chosen on what is not the test."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dateflicks.core.ranking.recency import HALF_LIFE_FILMS
from dateflicks.server.recommenders.discovery import find, load
from dateflicks.server.recommenders.evaluating.evaluation import HALF_LIVES, Evaluation, Wanted, changed, evaluate
from dateflicks.server.recommenders.evaluating.metrics import Mean, measure
from dateflicks.server.recommenders.evaluating.reading import TEST, TRAIN, VALIDATION, read_ratings
from dateflicks.server.recommenders.evaluating.splitting import How, Split, split_of
from dateflicks.server.recommenders.evaluating.synthetic import Synthetic, synthetic
from dateflicks.server.recommenders.recommender import RecommenderError
from tests.server.recommenders.evaluating.folders import write_folder
from tests.server.recommenders.evaluating.recommenders import (
    Asking,
    Bare,
    Counting,
    Dying,
    Failing,
    Greedy,
    Inner,
    Settings,
    Watching,
)

HERE = Wanted(is_apart=False, is_tuned=False)


@pytest.fixture(scope="module")
def planted() -> Synthetic:
    return synthetic(users=500, films=400, has_drift=False)


@pytest.fixture(scope="module")
def drifting() -> Synthetic:
    return synthetic(users=500, films=400)


@pytest.fixture(scope="module")
def splits(planted: Synthetic, drifting: Synthetic) -> dict[How, Split]:
    return {"rand": split_of(planted.ratings, "rand"), "time": split_of(drifting.ratings, "time")}


def by_oracle(planted: Synthetic, split: Split) -> float:
    seen = split.data((TRAIN, VALIDATION)).weights
    return Mean.of(measure(planted.oracle(split.how), seen, split.matrix(TEST), 20).ndcg).value


def real(name: str, split: Split, wanted: Wanted = HERE) -> Evaluation:
    recommender = load(find(name))
    return evaluate(recommender, recommender.config(), split, wanted)


@pytest.mark.parametrize("name", ["blend", "edlae", "als", "neighbourhood"])
def test_planted_tastes_are_found(planted: Synthetic, splits: dict[How, Split], name: str) -> None:
    if name == "als":
        pytest.importorskip("implicit")
    popular = real("popularity", splits["rand"])
    found = real(name, splits["rand"])
    oracle = by_oracle(planted, splits["rand"])
    assert found.ndcg > 2 * popular.ndcg
    assert found.ndcg > 0.75 * oracle
    assert found.coverage > 2 * popular.coverage
    assert 0.0 < found.ndcg_error < 0.02
    assert found.measured_users == 500


def test_a_taste_that_moved_on_is_followed_only_by_letting_the_past_fade(
    drifting: Synthetic, splits: dict[How, Split]
) -> None:
    recommender = load(find("neighbourhood"))
    split = splits["time"]
    fading = evaluate(recommender, recommender.config(), split, HERE)
    by_chance = replace(split, how="rand")  # the same parts; by chance nothing fades
    flat = evaluate(recommender, recommender.config(), by_chance, HERE)
    assert (fading.half_life_films, flat.half_life_films) == (HALF_LIFE_FILMS, None)
    assert fading.ndcg > flat.ndcg + 3 * flat.ndcg_error
    assert fading.ndcg > 0.6 * by_oracle(drifting, split)


def test_settings_and_fading_are_chosen_on_the_validation_part(splits: dict[How, Split]) -> None:
    told: list[tuple[int, int, str]] = []
    found = evaluate(Counting(), Settings(), splits["rand"], Wanted(is_apart=False), lambda *step: told.append(step))
    assert [(one.settings, one.error) for one in found.tried] == [
        ({}, None), ({"inner": {"sign": -1.0}}, None), ({"power": 13.0}, "it does not like thirteen"),
        ({"power": 1.0}, None), ({"power": 2.0}, None),
    ]  # fmt: skip
    assert found.settings == {"power": 1.0}
    assert [one.ndcg for one in found.tried][:1] != [None]
    assert [(done, of) for done, of, _ in told] == [(at, 6) for at in range(7)]
    assert real("popularity", splits["time"], Wanted(is_apart=False)).half_life_films == HALF_LIFE_FILMS
    untuned = evaluate(Counting(), Settings(), splits["rand"], HERE)
    assert (untuned.settings, untuned.tried) == ({}, [])
    assert untuned.ndcg < found.ndcg


def test_how_the_past_fades_is_chosen_first_and_anew_with_the_best_settings(splits: dict[How, Split]) -> None:
    asking = Asking()
    told: list[tuple[int, int, str]] = []
    found = evaluate(asking, Settings(), splits["time"], Wanted(is_apart=False), lambda *step: told.append(step))
    assert found.settings == {"power": 1.0}
    of_all = len(HALF_LIVES)
    assert asking.asked == [of_all, 1, 1, 1, of_all - 1, 1]
    assert found.half_life_films == HALF_LIFE_FILMS  # the same list for all, however the past fades
    assert [done for done, _, _ in told] == list(range(8))
    assert {of for _, of, _ in told} == {7}


def test_what_is_tried_changes_settings_within_settings() -> None:
    assert changed(Settings(), {"power": 2.0, "inner": {"sign": -1.0}}) == Settings(2.0, Inner(-1.0))
    with pytest.raises(RecommenderError, match="do not fit"):
        changed(Settings(), {"nothing": 1})


def test_the_test_is_never_learned_from(splits: dict[How, Split]) -> None:
    split, watching = splits["rand"], Watching()
    evaluate(watching, Settings(), split, Wanted(is_apart=False))
    learned = watching.learned
    assert len(learned) == 6
    test, validation = split.matrix(TEST), split.matrix(VALIDATION)
    assert all((one * test).nnz == 0 for one in learned)
    assert all((one * validation).nnz == 0 for one in learned[:-1])
    assert (learned[-1] * validation).nnz == validation.nnz


def test_the_same_question_has_the_same_answer(splits: dict[How, Split], tmp_path: Path) -> None:
    def figures(split: Split) -> tuple[float, ...]:
        found = real("blend", split)
        return (found.ndcg, found.recall, found.coverage)

    assert figures(splits["rand"]) == figures(splits["rand"])
    write_folder(synthetic(users=60, films=50, clusters=3), tmp_path / "ml")
    one, other = (split_of(read_ratings(tmp_path / "ml"), "rand") for _ in range(2))
    assert np.array_equal(one.parts, other.parts)
    drawn = split_of(synthetic(users=60, films=50, clusters=3).ratings, "rand")
    assert (drawn.data((TRAIN,)).weights != one.data((TRAIN,)).weights).nnz == 0


def test_who_has_too_little_is_learned_from_and_not_measured() -> None:
    planted = synthetic(users=20, films=40, watched=12).ratings
    few = np.ones(len(planted), bool)
    few[np.flatnonzero(planted.users == 3)[2:]] = False
    ratings = replace(planted, users=planted.users[few], films=planted.films[few], times=planted.times[few])
    split = split_of(ratings, "rand")
    found = evaluate(Counting(), Settings(), split, HERE)
    assert (found.users, found.measured_users, split.measured) == (20, 19, 19)


def test_where_there_is_nothing_to_choose_by_settings_stay() -> None:
    ratings = synthetic(users=20, films=40, watched=3).ratings
    few = np.concatenate([np.flatnonzero(ratings.users == user)[:3] for user in range(20)])
    short = replace(ratings, users=ratings.users[few], films=ratings.films[few], times=ratings.times[few])
    found = evaluate(Counting(), Settings(), split_of(short, "time"), Wanted(is_apart=False))
    assert (found.validation, found.tried, found.settings) == (0, [], {})


@pytest.mark.slow
def test_a_process_of_its_own_counts_its_own_memory_and_dies_alone() -> None:
    split = split_of(synthetic(users=20, films=40, watched=10).ratings, "rand")
    apart = Wanted(is_tuned=False, threads=2)
    found = evaluate(Greedy(), Settings(), split, apart)
    assert 60 < found.memory_added_mib < 90
    assert found.memory_peak_mib > found.memory_added_mib
    with pytest.raises(RecommenderError, match=r"dying was not measured.*has died"):
        evaluate(Dying(), Settings(), split, apart)
    for wanted in (apart, HERE):
        with pytest.raises(RecommenderError, match="failing failed: ZeroDivisionError: by nothing"):
            evaluate(Failing(), Settings(), split, wanted)


def test_a_recommender_that_needs_no_more_than_the_interface_is_enough(splits: dict[How, Split]) -> None:
    assert evaluate(Bare(), Settings(power=1.0), splits["rand"], Wanted(is_apart=False)).tried == []
