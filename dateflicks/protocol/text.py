"""Other people's text, cleaned where it enters: what is stored moves no cursor, hides nothing, turns nothing round.

Kept are letters, marks, numbers, punctuation, symbols and spaces of every script, in NFC; marks on something to stand
on; and what joins and varies where it means something: ZWJ inside an emoji or a conjunct, ZWNJ between letters, one
variation selector, the tags of a flag. Escape sequences go whole, so that no `[2J` stays behind. Cleaning what is clean
changes nothing, and takes time in proportion to the text, whatever is in it. Whoever prints text cleans it again
(`printable`), whatever was stored.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

MARKS_MAX: Final = 4  # combining marks on one base: more than any living script stacks
HANGING_MAX: Final = 8  # with the vowel signs that stand beside it: Burmese has five
JOINTS_MAX: Final = 4  # in one emoji: a family has three
TAGS_MAX: Final = 7  # of one flag: five letters and the end
LINES_MAX: Final = 100  # blank lines push what others said off the screen

_ESCAPE_SEQUENCES: Final = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"  # CSI: colours, cursor, clearing
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c|$)?"  # OSC, DCS, SOS, PM, APC
    r"|\x1b[ -/]*[0-~]?"  # the short ones
)
_BREAKS: Final = re.compile(r"\r\n?|[\n\v\f\x85\u2028\u2029]")
_BLANKS: Final = re.compile(r"\n{3,}")
_SPACES: Final = re.compile(r"\s{2,}|\t")  # one of another kind stays: French has them before its exclamation marks
_LAST_SPACES: Final = re.compile(r"(?<![^\S\n])[^\S\n]++(?=\n|\Z)")  # looked at from where a run begins, once
_PLAIN: Final = re.compile(r"(?:[!-~]+(?: [!-~]+)*)?")
_DROPPED: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_MARKS: Final = frozenset({"Mn", "Me"})
_HANGING: Final = frozenset({"Mn", "Me", "Mc"})
_INVISIBLE: Final = frozenset("\u115f\u1160\u3164\uffa0\u2800\u034f\u17b4\u17b5")  # letters that show nothing
_ZWNJ: Final = "\u200c"
_ZWJ: Final = "\u200d"
_JOINERS: Final = frozenset({_ZWJ, _ZWNJ})
_TAGS: Final = range(0xE0020, 0xE0080)  # spell the flags of England, Scotland and Wales, behind a black flag
_LAST_TAG: Final = "\U000e007f"
_BLACK_FLAG: Final = "\U0001f3f4"
_PRESENTATION: Final = frozenset("\ufe0e\ufe0f")
_SELECTORS: Final = re.compile("[\u180b-\u180d\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_OF_IDEOGRAPHS: Final = range(0xE0100, 0xE01F0)  # those selectors vary letters alone
_JAMO: Final = re.compile("[\u1160-\u11ff\ud7b0-\ud7fb]")  # vowels and ends of old Korean: drawn onto what is before
_SKIN_TONES: Final = range(0x1F3FB, 0x1F400)
_VIRAMA_CLASS: Final = 9
_RUN_MAX: Final = 30  # marks in a row that are looked at, as in Unicode's stream-safe format: sorting them is quadratic
_ROUNDS_MAX: Final = 4
_REMEMBERED: Final = 4_096  # characters: more than a conversation in Chinese has


def clean_line(text: str, max_characters: int) -> str:
    """One line: breaks and runs of white space are single spaces; cut after `max_characters`."""
    if len(text) <= max_characters and _PLAIN.fullmatch(text):
        return text
    flat = _cleaned(text).replace("\n", " ")
    return _cut(_SPACES.sub(" ", flat).strip(), max_characters)


def clean_text(text: str, max_characters: int, *, lines_max: int = LINES_MAX) -> str:
    """Several lines: newline and tab stay; cut after `max_characters`, and after so many lines."""
    if len(text) <= max_characters and _PLAIN.fullmatch(text):
        return text
    if text.isascii() and text.isprintable():
        return _cut(text.rstrip(), max_characters)
    lines = _BLANKS.sub("\n\n", _LAST_SPACES.sub("", _cleaned(text))).strip("\n").split("\n")
    return _cut("\n".join(lines[:lines_max]).rstrip("\n"), max_characters)


def is_clean_line(text: str, max_characters: int) -> bool:
    """Whether cleaning would change nothing: for what is refused rather than mended, such as an address."""
    return clean_line(text, max_characters) == text


def _cut(text: str, max_characters: int) -> str:
    """Cut, and tidied again where the cut left half of something; shorter with each round, so it ends."""
    cut = text
    while len(cut) > max_characters or cut != text:
        cut = cut[:max_characters]
        tidy = _cleaned(cut).rstrip()
        if tidy == cut:
            break
        cut = tidy
    return cut


def _cleaned(text: str) -> str:
    if text.isascii() and text.isprintable():
        return text
    return settled(_BREAKS.sub("\n", _ESCAPE_SEQUENCES.sub("", text)))


def settled(text: str) -> str:
    """Text without what is invisible or out of place, in NFC; escape sequences lose their ESC only.

    To the point where another round changes nothing: what is dropped can bring together what belongs dropped. Who
    makes that take long loses all that joins, varies and hangs.
    """
    if text.isascii() and text.isprintable():
        return text
    for _ in range(_ROUNDS_MAX):
        found = _Row(unicodedata.normalize("NFC", "".join(_kept(text)))).tidied()
        if found == text:
            return text
        text = found
    return unicodedata.normalize("NFC", "".join(character for character in text if not _is_attached(character)))


@lru_cache(_REMEMBERED)
def may_stay(character: str) -> bool:
    """Whether a character may be in a text at all, if it stands where it means something."""
    if character in "\n\t" or character in _JOINERS or ord(character) in _TAGS:
        return True
    return unicodedata.category(character) not in _DROPPED and character not in _INVISIBLE


def _kept(text: str) -> Iterator[str]:
    run = 0
    for character in text:
        if may_stay(character):
            run = run + 1 if unicodedata.combining(character) else 0
            if run <= _RUN_MAX:
                yield character


@lru_cache(_REMEMBERED)
def _is_attached(character: str) -> bool:
    """Whether it is nothing by itself: it joins, varies, or hangs on what is before."""
    return (
        unicodedata.category(character) in _HANGING
        or character in _JOINERS
        or ord(character) in _TAGS
        or _JAMO.match(character) is not None
    )


class _Row:
    """A text that is gone through from the left, and what of it stays."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._found: list[str] = []
        self._marks = 0  # on the present base,
        self._hanging = 0  # with all else that hangs on it
        self._tags = 0
        self._joints = 0  # of the present emoji

    def tidied(self) -> str:
        """What stays, in one round."""
        for at, character in enumerate(self._text):
            if not _is_attached(character):
                self._begin(character)
            elif not self._stays(character, self._text[at + 1 : at + 2]):
                continue
            self._found.append(character)
        return "".join(self._found)

    def _begin(self, character: str) -> None:
        self._marks = self._hanging = self._tags = 0
        is_joined = bool(self._found) and self._found[-1] == _ZWJ
        if not is_joined and ord(character) not in _SKIN_TONES:
            self._joints = 0

    def _stays(self, character: str, following: str) -> bool:
        """Whether what is attached has something to be attached to, and not too much hangs there already."""
        before = self._found[-1] if self._found else " "
        if before.isspace():
            return False
        if character in _JOINERS:
            return self._joins(character, before, following)
        if ord(character) in _TAGS:
            self._tags += 1
            return before == _BLACK_FLAG or (ord(before) in _TAGS and before != _LAST_TAG and self._tags <= TAGS_MAX)
        if _SELECTORS.match(character):
            if _SELECTORS.match(before) or (ord(character) in _OF_IDEOGRAPHS and not before.isalpha()):
                return False
        elif unicodedata.category(character) in _MARKS:
            self._marks += 1
        self._hanging += 1
        return self._marks <= MARKS_MAX and self._hanging <= HANGING_MAX

    def _joins(self, character: str, before: str, following: str) -> bool:
        if unicodedata.combining(before) == _VIRAMA_CLASS and following.isalpha():
            return True  # a conjunct that is to be drawn in a certain way
        if character == _ZWNJ:
            return (before.isalpha() or unicodedata.category(before) in _HANGING) and following.isalpha()
        if before in _PRESENTATION and len(self._found) > 1:
            before = self._found[-2]
        self._joints += 1
        return _is_emoji(before) and _is_emoji(following) and self._joints <= JOINTS_MAX


def _is_emoji(character: str) -> bool:
    """Symbols (So), skin tones (Sk) and arrows (Sm too): what emoji are made of."""
    return bool(character) and unicodedata.category(character) in ("So", "Sk", "Sm")
