"""Titles made comparable: without case, marks, punctuation and the article that they begin with.

Two titles that fold alike may be one film's; nothing is shown that was folded. Marks are taken from Latin, Greek and
Cyrillic letters alone: in other scripts they are what tells one word from another.
"""

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

TITLE_KEYS_MAX: Final = 40  # known titles of one offer: one per language that a source has

_ARTICLES: Final = frozenset(
    {"the", "a", "an"}
    | {"le", "la", "les", "un", "une"}
    | {"der", "die", "das", "den", "ein", "eine"}
    | {"el", "los", "las", "una", "os"}
    | {"il", "lo", "gli"}
    | {"het", "een", "det", "ett"}
)
_ELISION: Final = re.compile(r"(?:l|un)['’ʼ](?=\w)")
_TRAILING: Final = re.compile(r"^(.*\S)\s*,\s*(\w+|l['’ʼ])$")
_YEAR: Final = re.compile(r"\s*[(\[](?:18|19|20)\d\d[)\]]\s*$")
_LETTERS: Final = str.maketrans(
    {"ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i", "&": " and "}
)
_APOSTROPHES: Final = re.compile(r"['’ʼ`´]")
_NO_WORD: Final = re.compile(r"[\W_]+")
_MARKED: Final = ("LATIN", "GREEK", "CYRILLIC")


def fold_title(title: str) -> str:
    """A title as it is compared: `The Third Man` and `third man` are one; never empty for a title with any text."""
    plain = _plain(_YEAR.sub("", title) or title)
    words = _words(_APOSTROPHES.sub("", _without_article(plain)))
    return words or " ".join(plain.split())


def title_keys(titles: Iterable[str | None]) -> frozenset[str]:
    """All titles that something is known by, folded."""
    keys = dict.fromkeys(key for title in titles if title and (key := fold_title(title)))
    return frozenset(list(keys)[:TITLE_KEYS_MAX])


def sort_key(title: str) -> str:
    """Where a title stands in an alphabetical list; starts with a letter, so that it can be looked up."""
    return f"t{fold_title(title)}"


def _words(title: str) -> str:
    """Letters, digits and the marks that are left, with one space for all that is between."""
    if title.isascii():
        return " ".join(_NO_WORD.sub(" ", title).split())
    kept = (one if one.isalnum() or unicodedata.category(one).startswith("M") else " " for one in title)
    return " ".join("".join(kept).split())


def _plain(title: str) -> str:
    """Case, compatibility forms and marks gone; what marks mean in other scripts stays."""
    if title.isascii():
        return title.lower().replace("&", " and ").strip()
    kept: list[str] = []
    base_is_marked = True
    for character in unicodedata.normalize("NFKD", title.casefold()):
        if not unicodedata.combining(character):
            base_is_marked = character.isascii() or unicodedata.name(character, "").startswith(_MARKED)
        elif base_is_marked:
            continue
        kept.append(character)
    return unicodedata.normalize("NFC", "".join(kept).casefold()).translate(_LETTERS).strip()


def _without_article(title: str) -> str:
    """Without the article before it, or behind it after a comma, when something is left."""
    if (trailing := _TRAILING.match(title)) and (trailing[2] in _ARTICLES or _ELISION.match(f"{trailing[2]}x")):
        return trailing[1]
    if elision := _ELISION.match(title):
        return title[elision.end() :]
    first, _, rest = title.partition(" ")
    return rest if first in _ARTICLES and rest.strip() else title
