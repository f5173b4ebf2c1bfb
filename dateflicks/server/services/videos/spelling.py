"""The words of the collection, to find those that somebody may have meant who slipped or typed a part.

A word is known by its pairs of letters, each with the word's length, so that few words need a closer look: those that
share the rarest pairs. Two letters in each other's place spoil three pairs, so such words are also looked up as they
would be right. Triples of letters are for those who know the middle of a word only.
Words stay when their last work goes: they find nothing, and do no harm.
"""

import sqlite3
from collections import OrderedDict
from collections.abc import Iterable
from typing import Final

from dateflicks.server.services.videos.words import distance, slips_allowed

_TOKENS: Final = "tokenize=\"ascii tokenchars '_'\""
SCHEMA: Final = (
    "CREATE TABLE vocabulary (number INTEGER PRIMARY KEY, word TEXT NOT NULL UNIQUE)",
    f"CREATE VIRTUAL TABLE spelling USING fts5(pairs, triples, content='', {_TOKENS})",
)
LOOKED_AT: Final = 400  # candidates that are compared with the word letter by letter
MEANT_MAX: Final = 8
PARTS_MAX: Final = 24
PART_MIN: Final = 4  # letters of a part that may stand in the middle of a word
REMEMBERED: Final = 50_000  # words that need not be looked up once more while many works come in


class Vocabulary:
    """What one connection writes; the words that it wrote lately are remembered."""

    def __init__(self) -> None:
        self._lately: OrderedDict[str, None] = OrderedDict()

    def learn(self, connection: sqlite3.Connection, words: Iterable[str]) -> None:
        """Add the words that are new."""
        for word in words:
            if word in self._lately:
                continue
            self._lately[word] = None
            if len(self._lately) > REMEMBERED:
                self._lately.popitem(last=False)
            cursor = connection.execute("INSERT OR IGNORE INTO vocabulary (word) VALUES (?)", (word,))
            if cursor.rowcount:
                pairs = " ".join(f"{pair}{len(word)}" for pair in _runs(f"_{word}_", 2))
                connection.execute(
                    "INSERT INTO spelling (rowid, pairs, triples) VALUES (?, ?, ?)",
                    (cursor.lastrowid, pairs, " ".join(_runs(word, 3))),
                )

    def forget(self) -> None:
        """What was written lately was not kept."""
        self._lately.clear()


def is_word(connection: sqlite3.Connection, word: str) -> bool:
    """Whether the collection has this word."""
    return connection.execute("SELECT 1 FROM vocabulary WHERE word = ?", (word,)).fetchone() is not None


def meant_by(connection: sqlite3.Connection, word: str, *, even_if_known: bool) -> list[str]:
    """The words nearest to one, and those that it is a part of; none for a word that is known, unless asked for."""
    if not even_if_known and is_word(connection, word):
        return []
    most = slips_allowed(word)
    found = []
    if most:
        candidates = {*_near(connection, word, most), *_as_right(connection, word)}
        near = sorted((distance(word, other, most), other) for other in candidates if _shares(word, other, most))
        likely = [(slips, other) for slips, other in near if 0 < slips <= most]
        found = [other for slips, other in likely if slips == likely[0][0]][:MEANT_MAX]
    return list(dict.fromkeys([*found, *_around(connection, word)]))


def _near(connection: sqlite3.Connection, word: str, most: int) -> list[str]:
    pairs = _runs(f"_{word}_", 2)
    lengths = range(max(len(word) - most, 1), len(word) + most + 1)
    wanted = " OR ".join(f'"{pair}{length}"' for pair in dict.fromkeys(pairs) for length in lengths)
    return _words(connection, f"pairs : ({wanted})", LOOKED_AT)


def _as_right(connection: sqlite3.Connection, word: str) -> list[str]:
    """The words that it would be with one letter less, or two letters in each other's place."""
    less = [word[:at] + word[at + 1 :] for at in range(len(word))]
    swapped = [word[:at] + word[at + 1] + word[at] + word[at + 2 :] for at in range(len(word) - 1)]
    variants = list(dict.fromkeys(less + swapped))
    marks = ", ".join("?" * len(variants))
    rows = connection.execute(f"SELECT word FROM vocabulary WHERE word IN ({marks})", variants)  # noqa: S608
    return [row[0] for row in rows]


def _shares(word: str, other: str, most: int) -> bool:
    """Whether they can be so near at all: what each slip changes is two letters at most."""
    return len(set(word) ^ set(other)) <= 2 * most


def _around(connection: sqlite3.Connection, word: str) -> list[str]:
    if len(word) < PART_MIN:
        return []
    wanted = " AND ".join(f'"{triple}"' for triple in dict.fromkeys(_runs(word, 3)))
    found = [other for other in _words(connection, f"triples : ({wanted})", LOOKED_AT) if word in other[1:]]
    return sorted(found, key=lambda other: (len(other), other))[:PARTS_MAX]


def _words(connection: sqlite3.Connection, expression: str, limit: int) -> list[str]:
    rows = connection.execute(
        "SELECT vocabulary.word FROM spelling JOIN vocabulary ON vocabulary.number = spelling.rowid "
        "WHERE spelling MATCH ? ORDER BY spelling.rank LIMIT ?",
        (expression, limit),
    )
    return [row[0] for row in rows]


def _runs(text: str, length: int) -> list[str]:
    return [text[at : at + length] for at in range(len(text) - length + 1)]
