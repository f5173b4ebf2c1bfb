"""Ratings are read as they are published, whatever else lies in the folder, and bad lines are told."""

from pathlib import Path

import numpy as np
import pytest

from dateflicks.server.recommenders.evaluating.reading import TEST, TRAIN, VALIDATION, DataError, Ratings, read_ratings

ROWS = [("1", "20", 4, 300), ("1", "10", 3, 200), ("2", "10", 5, 100), ("11", "20", 1, 50)]


def told(ratings: Ratings) -> list[tuple[str, str, float]]:
    """Who, what, when, in the order of the files."""
    return [
        (ratings.user_ids[user], ratings.film_ids[film], at)
        for user, film, at in zip(ratings.users, ratings.films, ratings.times.tolist(), strict=True)
    ]


EXPECTED = [(user, film, float(at)) for user, film, _, at in ROWS]


def written(separator: str, header: str = "", *, end: str = "\n") -> str:
    return end.join([*([header] if header else []), *(separator.join(map(str, row)) for row in ROWS), ""])


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("u.data", written("\t")),
        ("u.data", written("\t", "user_id\titem_id\trating\ttimestamp")),
        ("u.data", written(" ")),
        ("ratings.dat", written("::")),
        ("ratings.dat", written("\t")),
        ("ratings.csv", written(",", "userId,movieId,rating,timestamp")),
        ("ratings.csv", written(",")),
        ("ratings.csv", written(";", "userId;movieId;rating;timestamp")),
        ("RATINGS.CSV", written(",", "userId,movieId,rating,timestamp")),
        ("ratings.csv", '"' + written('","', 'userId","movieId","rating","timestamp', end='"\n"')[:-1]),
        ("ratings.csv", "\n".join(["timestamp,rating,movieId,userId", *(f"{t},{r},{f},{u}" for u, f, r, t in ROWS)])),
        ("ml.inter", written("\t", "user_id:token\titem_id:token\trating:float\ttimestamp:float")),
        ("ml.inter", written("\t")),
        ("u.data", written("\t", end="\r\n")),
        ("u.data", "\ufeff" + written("\t")),
        ("ratings.csv", "\ufeff" + written(",", "userId,movieId,rating,timestamp", end="\r\n")),
        ("u.data", written("\t").replace("\n", "\n\n  \n")),
        ("u.data", written("\t").rstrip("\n")),
    ],
)  # fmt: skip
def test_every_form_says_the_same(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_bytes(text.encode())
    ratings = read_ratings(tmp_path)
    assert told(ratings) == EXPECTED
    assert ratings.user_ids == ("1", "2", "11")
    assert ratings.film_ids == ("10", "20")
    assert ratings.parts is None
    assert ratings.has_times
    assert told(read_ratings(tmp_path / name)) == EXPECTED


def test_ids_may_be_words_and_times_and_ratings_may_be_missing(tmp_path: Path) -> None:
    (tmp_path / "ratings.csv").write_text("user,item\nzoë,b\nana,a\nana,b\n", encoding="utf-8")
    ratings = read_ratings(tmp_path)
    assert ratings.user_ids[0] == "ana"
    assert ratings.film_ids == ("a", "b")
    assert (ratings.has_times, set(ratings.times)) == (False, {0.0})


def test_what_was_rated_twice_counts_once_with_the_latest_time(tmp_path: Path) -> None:
    (tmp_path / "u.data").write_text("1\t5\t3\t100\n1\t6\t3\t100\n1\t5\t4\t300\n1\t5\t1\t200\n")
    ratings = read_ratings(tmp_path)
    assert told(ratings) == [("1", "6", 100.0), ("1", "5", 300.0)]
    assert ratings.repeated == 2


def test_of_several_kinds_one_is_taken_and_the_others_are_named(tmp_path: Path) -> None:
    (tmp_path / "u.data").write_text(written("\t"))
    (tmp_path / "ratings.csv").write_text("userId,movieId,rating,timestamp\n7,7,1,1\n")
    (tmp_path / "train.txt").write_text("1 10\n")
    (tmp_path / "test.txt").write_text("1 20\n")
    (tmp_path / "u.item").write_bytes("10|Cité (1995)|01-Jan-1995\n".encode("latin-1"))
    (tmp_path / "README").write_text("ratings")
    ratings = read_ratings(tmp_path)
    assert [path.name for path in ratings.taken] == ["u.data"]
    assert [path.name for path in ratings.passed_over] == ["ratings.csv", "train.txt", "test.txt"]
    assert [path.name for path in read_ratings(tmp_path, is_split=True).taken] == ["train.txt", "test.txt"]
    assert read_ratings(tmp_path / "ratings.csv").user_ids == ("7",)


@pytest.mark.parametrize("comma", [" ", ","])
def test_a_published_split_stays_what_it_is(tmp_path: Path, comma: str) -> None:
    (tmp_path / "train.txt").write_text("0 3 4 5\n1 3\n2\n".replace(" ", comma))
    (tmp_path / "test.txt").write_text("0 6 3\n1 4\n".replace(" ", comma))
    ratings = read_ratings(tmp_path)
    assert ratings.kind == "lists"
    assert not ratings.has_times
    assert [(user, film) for user, film, _ in told(ratings)] == [
        ("0", "3"), ("0", "4"), ("0", "5"), ("1", "3"), ("0", "6"), ("1", "4")
    ]  # fmt: skip
    assert ratings.parts is not None
    assert ratings.parts.tolist() == [TRAIN] * 4 + [TEST] * 2
    assert ratings.repeated == 1
    assert ratings.user_ids == ("0", "1", "2")


def test_lists_without_ids_are_by_line_and_pairs_are_pairs(tmp_path: Path) -> None:
    (tmp_path / "train.txt").write_text("3 4 5\n3 5 6 7 8\n")
    (tmp_path / "valid.txt").write_text("6\n4\n")
    (tmp_path / "test.txt").write_text("7\n9 10\n")
    ratings = read_ratings(tmp_path / "test.txt")
    assert ratings.user_ids == ("0", "1")
    assert ratings.parts is not None
    assert np.bincount(ratings.parts).tolist() == [8, 2, 3]
    assert ratings.parts.tolist().count(VALIDATION) == 2
    (tmp_path / "valid.txt").unlink()
    (tmp_path / "train.txt").write_text("1 3\n1 4\n2 3\n")
    (tmp_path / "test.txt").write_text("1 5\n2 4\n")
    assert told(read_ratings(tmp_path)) == [
        ("1", "3", 0), ("1", "4", 0), ("2", "3", 0), ("1", "5", 0), ("2", "4", 0)
    ]  # fmt: skip


def test_split_tables_are_a_published_split_too(tmp_path: Path) -> None:
    header = "user_id:token\titem_id:token\trating:float\ttimestamp:float\n"
    for part, line in (("train", "1\t2\t3\t4"), ("valid", "1\t3\t3\t5"), ("test", "1\t4\t3\t6")):
        (tmp_path / f"ml.{part}.inter").write_text(header + line + "\n")
    ratings = read_ratings(tmp_path)
    assert ratings.parts is not None
    assert dict(zip([film for _, film, _ in told(ratings)], ratings.parts.tolist(), strict=True)) == {
        "2": TRAIN, "3": VALIDATION, "4": TEST
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("u.data", "1\t2\t3\t4\n1\t2\t3\n", "u.data, line 2: there are 3 columns instead of 4."),
        ("u.data", "1\t2\t3\t4\n1\t2\tgood\t4\n", "u.data, line 2: the rating 'good' is no number."),
        ("u.data", "1\t2\t3\t4\n\n1\t2\t3\tnan\n", "u.data, line 3: the time 'nan' is no number."),
        ("u.data", "1\t2\t3\t4\n\t2\t3\t4\n", "u.data, line 2: the user is empty."),
        ("ratings.dat", "1::2::3::4\n1::::3::4\n", "ratings.dat, line 2: the film is empty."),
        ("ratings.csv", "userId,rating,timestamp\n1,2,3\n", "ratings.csv, line 1: there is no column of films."),
        ("ratings.csv", "a,b,c,d\n1,2,3,4\n", "ratings.csv, line 1: the rating 'c' is no number."),
        ("ratings.csv", "userId,movieId,rating,timestamp\n", "ratings.csv has no ratings."),
        ("u.data", "", "u.data is empty."),
        ("u.data", "PK\x03\x04", "u.data is no text: unpack it, or write it as UTF-8."),
    ],
)
def test_what_cannot_be_read_is_told_with_its_line(tmp_path: Path, name: str, text: str, complaint: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(DataError) as caught:
        read_ratings(tmp_path)
    assert str(caught.value) == f"{tmp_path}/{complaint}"


def test_a_person_with_two_lines_is_no_list(tmp_path: Path) -> None:
    (tmp_path / "train.txt").write_text("1 3 4 5 6\n2 4\n1 5\n")
    (tmp_path / "test.txt").write_text("1 7\n")
    with pytest.raises(DataError, match=r"train\.txt, line 3: 1 has a line already \(1\)"):
        read_ratings(tmp_path)


def test_where_nothing_can_be_read_it_is_said_what_could(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="There is no folder"):
        read_ratings(tmp_path / "nowhere")
    with pytest.raises(DataError, match=r"has no ratings that can be read: u\.data, "):
        read_ratings(tmp_path)
    (tmp_path / "ml-1m.zip").write_bytes(b"PK")
    with pytest.raises(DataError, match=r"Unpack ml-1m\.zip first\."):
        read_ratings(tmp_path)
    (tmp_path / "ml-1m").mkdir()
    (tmp_path / "ml-1m" / "ratings.dat").write_text(written("::"))
    with pytest.raises(DataError, match=r"Did you mean .*/ml-1m\?"):
        read_ratings(tmp_path)
    with pytest.raises(DataError, match="has no published split"):
        read_ratings(tmp_path / "ml-1m", is_split=True)
    (tmp_path / "notes.md").write_text("")
    with pytest.raises(DataError, match="of no kind that can be read"):
        read_ratings(tmp_path / "notes.md")
    (tmp_path / "train.txt").write_text("1 2\n")
    with pytest.raises(DataError, match="the others are not beside it"):
        read_ratings(tmp_path / "train.txt")
