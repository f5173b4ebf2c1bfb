"""Other people's text, cleaned where it enters: what is stored moves no cursor, hides nothing, turns nothing round.

Kept are letters, marks, numbers, punctuation, symbols and spaces of every script, in NFC, and the joiners where they
mean something: ZWJ inside an emoji, ZWNJ between letters. Escape sequences go whole, so that no `[2J` stays behind.
Cleaning what is clean changes nothing. Whoever prints text cleans it again (`printable`), whatever was stored.
"""

import re
import unicodedata
from typing import Final

MARKS_MAX: Final = 4  # combining marks on one base: more than any living script stacks
LINES_MAX: Final = 100  # blank lines push what others said off the screen

_ESCAPE_SEQUENCES: Final = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"  # CSI: colours, cursor, clearing
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c|$)?"  # OSC, DCS, SOS, PM, APC
    r"|\x1b[ -/]*[0-~]?"  # the short ones
)
_BREAKS: Final = re.compile(r"\r\n?|[\n\v\f\x85\u2028\u2029]")
_BLANKS: Final = re.compile(r"\n{3,}")
_SPACES: Final = re.compile(r"[ \t]+")
_LAST_SPACES: Final = re.compile(r"[ \t]+(?=\n|$)")
_PLAIN: Final = re.compile(r"[!-~]+(?: [!-~]+)*")
_DROPPED: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_MARKS: Final = frozenset({"Mn", "Me"})
_INVISIBLE: Final = frozenset("\u115f\u1160\u3164\uffa0\u2800\u034f\u17b4\u17b5")  # letters that show nothing
_ZWNJ: Final = "\u200c"
_ZWJ: Final = "\u200d"
_TAGS: Final = range(0xE0020, 0xE0080)  # spell the flags of England, Scotland and Wales, behind a black flag
_BLACK_FLAG: Final = "\U0001f3f4"
_PRESENTATION: Final = "\ufe0e\ufe0f"
_ROUNDS_MAX: Final = 4


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
    lines = _BLANKS.sub("\n\n", _LAST_SPACES.sub("", _cleaned(text))).strip("\n").split("\n")
    return _cut("\n".join(lines[:lines_max]), max_characters)


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
    """To the point where another round changes nothing: what is dropped can bring together what belongs dropped."""
    for _ in range(_ROUNDS_MAX):
        found = _once(text)
        if found == text:
            break
        text = found
    return text


def _once(text: str) -> str:
    text = _BREAKS.sub("\n", _ESCAPE_SEQUENCES.sub("", text))
    text = unicodedata.normalize("NFC", "".join(filter(_may_stay, text)))
    found: list[str] = []
    marks = 0
    for at, character in enumerate(text):
        if character in _PRESENTATION:
            if found and found[-1] not in _PRESENTATION and not found[-1].isspace():
                found.append(character)
            continue
        if character in (_ZWJ, _ZWNJ) or ord(character) in _TAGS:
            if _joins(found, character, text[at + 1 : at + 2]):
                found.append(character)
            continue
        marks = marks + 1 if unicodedata.category(character) in _MARKS else 0
        if marks <= MARKS_MAX:
            found.append(character)
    return "".join(found)


def _may_stay(character: str) -> bool:
    if character in "\n\t" or character in (_ZWJ, _ZWNJ) or ord(character) in _TAGS:
        return True
    return unicodedata.category(character) not in _DROPPED and character not in _INVISIBLE


def _joins(found: list[str], character: str, following: str) -> bool:
    """Whether a joiner stands where it means something: between two emoji, two letters, or in a flag."""
    if not found:
        return False
    before = found[-1]
    if character == _ZWJ:
        if before in _PRESENTATION and len(found) > 1:
            before = found[-2]
        return _is_emoji(before) and _is_emoji(following)
    if character == _ZWNJ:
        return before.isalpha() and following.isalpha()
    return before == _BLACK_FLAG or ord(before) in _TAGS


def _is_emoji(character: str) -> bool:
    """Symbols (So), skin tones (Sk) and arrows (Sm too): what emoji are made of."""
    return bool(character) and unicodedata.category(character) in ("So", "Sk", "Sm")
