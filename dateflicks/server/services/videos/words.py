"""Text as it is searched: folded into words, and how far one word is from another. Nothing folded is ever shown.

Words hold letters, digits and the marks of scripts that need them, and nothing else: whatever is typed, what comes out
of here means nothing to a query language.
"""

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

from dateflicks.core.catalogue.titles import fold_title

WORD_MAX_CHARACTERS: Final = 32  # longer ones are cut, on both sides alike
TEXT_MAX_CHARACTERS: Final = 2_000  # of one field of one work; what is behind is not found
QUERY_WORDS_MAX: Final = 12
SHORT_MAX: Final = 3  # words up to this long are taken as they are spelt
MIDDLE_MAX: Final = 7  # one slip up to this length, two in longer words

_LETTERS: Final = str.maketrans(
    {"ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i", "&": " and ", "_": " "}
)
_APOSTROPHES: Final = re.compile(r"['’ʼ`´]")
_ASCII_WORD: Final = re.compile(r"[a-z0-9]+")
_MARKED: Final = ("LATIN", "GREEK", "CYRILLIC")
_YEAR: Final = re.compile(r"(?:18[7-9]|19\d|20\d)\d")


def words_of(text: str) -> list[str]:
    """The words of a text, in its order: without case, marks of Latin, Greek and Cyrillic letters, and punctuation.

    Scripts that put no spaces between words have a word for each character.
    """
    text = _APOSTROPHES.sub("", text[:TEXT_MAX_CHARACTERS].casefold())
    if text.isascii():
        found = _ASCII_WORD.findall(text.translate(_LETTERS))
    else:
        found = unicodedata.normalize("NFC", "".join(_spaced(text))).split()
    return [word[:WORD_MAX_CHARACTERS] for word in found]


def joined_of(text: str) -> list[str]:
    """What punctuation divides, as one word: `spiderman` of `Spider-Man`, `et` of `E.T.`."""
    found = []
    for part in text[:TEXT_MAX_CHARACTERS].split():
        words = words_of(part)
        if len(words) > 1 and all(word.isascii() for word in words):
            found.append("".join(words)[:WORD_MAX_CHARACTERS])
    return found


def exact_keys(title: str) -> set[str]:
    """Under what a title is known as a whole: all its words, and those without its article."""
    return {" ".join(words) for words in (words_of(title), words_of(fold_title(title))) if words}


def year_in(words: list[str]) -> str | None:
    """The last word when it may be the year of a film that the others name, or the first one."""
    if len(words) > 1:
        for word in (words[-1], words[0]):
            if _YEAR.fullmatch(word):
                return word
    return None


def slips_allowed(word: str) -> int:
    """How many letters may be missing, too many, wrong, or in each other's place."""
    return 0 if len(word) <= SHORT_MAX else 1 if len(word) <= MIDDLE_MAX else 2


def distance(one: str, other: str, most: int) -> int:
    """How many slips lie between two words; `most` + 1 for anything above `most`."""
    if abs(len(one) - len(other)) > most:
        return most + 1
    before: list[int] = []
    row = list(range(len(other) + 1))
    for at, letter in enumerate(one, 1):
        following = [at]
        for place, candidate in enumerate(other, 1):
            cost = min(row[place] + 1, following[-1] + 1, row[place - 1] + (letter != candidate))
            if at > 1 and place > 1 and letter == other[place - 2] and one[at - 2] == candidate:
                cost = min(cost, before[place - 2] + 1)
            following.append(cost)
        if min(following) > most:
            return most + 1
        before, row = row, following
    return min(row[-1], most + 1)


def _spaced(text: str) -> Iterable[str]:
    base_is_marked = True
    for character in unicodedata.normalize("NFKD", text).casefold().translate(_LETTERS):
        category = unicodedata.category(character)
        if category[0] == "M":
            if not base_is_marked:
                yield character
        elif category[0] in "LN":
            base_is_marked = character.isascii() or unicodedata.name(character, "").startswith(_MARKED)
            yield f" {character} " if _stands_alone(character) else character
        else:
            yield " "


def _stands_alone(character: str) -> bool:
    """Ideographs, kana, Thai, Lao, Khmer, Burmese: their words have no spaces between them."""
    code = ord(character)
    return 0x2E80 <= code <= 0x9FFF or 0xF900 <= code <= 0xFAFF or 0x20000 <= code <= 0x3FFFF or _has_no_spaces(code)


def _has_no_spaces(code: int) -> bool:
    return 0x0E00 <= code <= 0x0EFF or 0x1000 <= code <= 0x109F or 0x1780 <= code <= 0x17FF
