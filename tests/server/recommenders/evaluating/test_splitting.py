"""What is held back: so much of each person, by chance or in the order of time, and never what is learned from."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dateflicks.server.recommenders.evaluating.reading import TEST, TRAIN, VALIDATION, DataError, Ratings
from dateflicks.server.recommenders.evaluating.splitting import How, Split, split_of
from dateflicks.server.recommenders.evaluating.synthetic import synthetic


def ratings_of(counts: list[int], *, shuffle: int | None = None) -> Ratings:
    """People with so many films, watched in the order of their numbers."""
    users = np.repeat(np.arange(len(counts)), counts).astype(np.int32)
    films = np.concatenate([np.arange(count) for count in counts]).astype(np.int32)
    order = np.arange(len(users)) if shuffle is None else np.random.default_rng(shuffle).permutation(len(users))
    return Ratings(
        user_ids=tuple(map(str, range(len(counts)))), film_ids=tuple(map(str, range(max(counts)))),
        users=users[order], films=films[order], times=films[order].astype(float) + 1000, kind="u.data",
        taken=(Path("u.data"),),
    )  # fmt: skip


def counts_of(split: Split, user: int) -> list[int]:
    return [int(one) for one in np.bincount(split.parts[split.ratings.users == user], minlength=3)]


@pytest.mark.parametrize("how", ["rand", "time"])
@pytest.mark.parametrize(
    ("films", "expected"),
    [(100, [70, 10, 20]), (20, [14, 2, 4]), (1, [1, 0, 0]), (2, [2, 0, 0]), (3, [2, 0, 1]), (8, [5, 1, 2])],
)
def test_of_each_person_a_tenth_is_for_validation_and_a_fifth_for_the_test(
    how: How, films: int, expected: list[int]
) -> None:
    split = split_of(ratings_of([films, 37]), how)
    assert counts_of(split, 0) == expected


def test_by_time_the_last_are_the_test_and_those_before_them_validation() -> None:
    split = split_of(ratings_of([20, 10], shuffle=1), "time")
    for user, (validation, test) in enumerate([([14, 15], [16, 17, 18, 19]), ([7], [8, 9])]):
        mine = split.ratings.users == user
        assert sorted(split.ratings.films[mine & (split.parts == VALIDATION)]) == validation
        assert sorted(split.ratings.films[mine & (split.parts == TEST)]) == test


def test_of_one_time_the_order_of_the_file_counts() -> None:
    ratings = ratings_of([10], shuffle=3)
    split = split_of(replace(ratings, times=np.full(10, 5.0)), "time")
    assert np.flatnonzero(split.parts == TEST).tolist() == [8, 9]


def test_chance_is_the_same_for_one_seed_whatever_the_order_of_the_file() -> None:
    def tests(seed: int, shuffle: int | None) -> set[tuple[int, int]]:
        split = split_of(ratings_of([30, 50, 20], shuffle=shuffle), "rand", seed)
        held_back = split.parts == TEST
        return set(zip(split.ratings.users[held_back].tolist(), split.ratings.films[held_back].tolist(), strict=True))

    assert tests(42, None) == tests(42, 1) == tests(42, 2)
    assert tests(42, None) != tests(43, None)
    assert tests(42, None) != {(user, film) for user, count in enumerate([30, 50, 20]) for film in range(count)}


def test_a_published_split_keeps_its_test_and_a_tenth_of_its_training_is_for_validation() -> None:
    ratings = ratings_of([100, 30])
    published = np.where(ratings.films >= 20, TRAIN, TEST).astype(np.int8)
    split = split_of(replace(ratings, parts=published), "published")
    assert ((split.parts == TEST) == (published == TEST)).all()
    assert [counts_of(split, user) for user in (0, 1)] == [[72, 8, 20], [9, 1, 20]]
    own = published.copy()
    own[25] = VALIDATION
    assert (split_of(replace(ratings, parts=own), "published").parts == own).all()


def test_what_cannot_be_split_so_is_refused() -> None:
    ratings = ratings_of([10])
    with pytest.raises(DataError, match="tells no times"):
        split_of(replace(ratings, has_times=False), "time")
    with pytest.raises(DataError, match="no published split"):
        split_of(ratings, "published")
    with pytest.raises(DataError, match="split already"):
        split_of(replace(ratings, parts=np.zeros(10, np.int8)), "rand")


def test_parts_are_matrices_of_ones_with_times_that_share_nothing() -> None:
    split = split_of(synthetic(users=30, films=40, watched=10).ratings, "rand")
    data = split.data((TRAIN, VALIDATION))
    test = split.matrix(TEST)
    assert data.weights.shape == test.shape == (30, 40)
    assert (data.weights * test).nnz == 0
    assert data.weights.nnz + test.nnz == len(split.ratings)
    assert set(data.weights.data) == {1.0}
    assert data.weights.has_sorted_indices
    given = split.ratings
    known = dict(zip(zip(given.users.tolist(), given.films.tolist(), strict=True), given.times.tolist(), strict=True))
    rows = np.repeat(np.arange(30), np.diff(data.weights.indptr))
    found = zip(rows.tolist(), data.weights.indices.tolist(), data.times.tolist(), strict=True)
    assert all(known[user, film] == at for user, film, at in found)
    assert data.now == data.times.max()
