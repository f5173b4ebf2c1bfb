"""Words that were meant are found among many that look much like them."""

import random
import sqlite3
from collections.abc import Iterator

import pytest

from dateflicks.server.services.videos import spelling

SYLLABLES = [one + other for one in "bdklmnrst" for other in "aeo"] + ["gra", "stel", "vor", "win", "ter"]
LONG = ["schwarzenegger", "antonioni", "mastroianni", "eisenstein"]


@pytest.fixture(scope="module")
def connection() -> Iterator[sqlite3.Connection]:
    """Ten thousand words of few syllables, and some names."""
    chance = random.Random(20_261_125)
    made = {"".join(chance.choices(SYLLABLES, k=chance.randint(2, 4))) for _ in range(10_000)}
    connection = sqlite3.connect(":memory:")
    for statement in spelling.SCHEMA:
        connection.execute(statement)
    spelling.Vocabulary().learn(connection, sorted(made) + LONG)
    yield connection
    connection.close()


def words(connection: sqlite3.Connection) -> list[str]:
    rows = connection.execute(
        "SELECT word FROM vocabulary WHERE length(word) BETWEEN 5 AND 12 ORDER BY number LIMIT 4000"
    )
    return [row[0] for row in rows][::40]


def slipped(word: str, kind: str, at: int) -> str:
    """The word with one slip in it."""
    return {
        "missing": word[:at] + word[at + 1 :],
        "too many": word[:at] + word[at] + word[at:],
        "wrong": word[:at] + "x" + word[at + 1 :],
        "swapped": word[: at - 1] + word[at] + word[at - 1] + word[at + 1 :],
    }[kind]


@pytest.mark.parametrize("kind", ["missing", "too many", "wrong", "swapped"])
def test_a_word_is_found_with_a_slip_in_its_middle(connection: sqlite3.Connection, kind: str) -> None:
    chosen = words(connection)
    lost = []
    for word in chosen:
        wrong = slipped(word, kind, len(word) // 2)
        if wrong == word or spelling.is_word(connection, wrong):
            continue
        found = spelling.meant_by(connection, wrong, even_if_known=False)
        # Of very many equally near ones not all are taken: whatever is taken is as near.
        if word not in found and len(found) < spelling.MEANT_MAX:
            lost.append((word, wrong, found))
    assert len(lost) <= len(chosen) // 50, lost


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("schwarzeneger", "schwarzenegger"),
        ("swarzenegger", "schwarzenegger"),
        ("shwarzeneger", "schwarzenegger"),
        ("antonini", "antonioni"),
        ("mastrioanni", "mastroianni"),
        ("mastroiani", "mastroianni"),
        ("eisnestien", "eisenstein"),
        ("zenegg", "schwarzenegger"),
    ],
)
def test_a_name_is_found_as_people_misspell_it(connection: sqlite3.Connection, typed: str, meant: str) -> None:
    assert meant in spelling.meant_by(connection, typed, even_if_known=False)


def test_a_known_word_means_itself_unless_more_is_asked_for(connection: sqlite3.Connection) -> None:
    assert spelling.meant_by(connection, "antonioni", even_if_known=False) == []
    word = words(connection)[0]
    assert word not in spelling.meant_by(connection, word, even_if_known=True)


def test_what_is_like_nothing_means_nothing(connection: sqlite3.Connection) -> None:
    for word in ("qqqqqqqq", "x", "zz", "1234567890", "\u7f85"):
        assert spelling.meant_by(connection, word, even_if_known=True) == []


def test_words_that_a_failed_write_did_not_keep_are_learned_again() -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    for statement in spelling.SCHEMA:
        connection.execute(statement)
    vocabulary = spelling.Vocabulary()
    connection.execute("BEGIN")
    vocabulary.learn(connection, ["nosferatu"])
    connection.execute("ROLLBACK")
    vocabulary.forget()
    vocabulary.learn(connection, ["nosferatu"])
    assert spelling.meant_by(connection, "nosferattu", even_if_known=False) == ["nosferatu"]
    connection.close()
