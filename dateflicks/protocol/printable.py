"""Other people's text, made safe to print: nothing left that moves a cursor, hides, or turns the line around.

Used at the sink, by whatever writes to a terminal, whether or not the text was cleaned when it was stored.
"""

import re
import unicodedata
from typing import Final

from dateflicks.protocol.text import may_stay, settled

_KEPT_FORMAT: Final = "\u200c\u200d"  # joiners: Persian needs one, emoji the other
_BREAKS: Final = re.compile(r"[\r\n\t\v\f\x85\u2028\u2029]+")
_PLAIN: Final = re.compile(r"[ -~]*")


def printable(text: str, *, keep_newlines: bool = False) -> str:
    """`text` without control, direction and invisible characters; line breaks become spaces unless kept."""
    if _PLAIN.fullmatch(text):
        return text
    lines = text.replace("\r\n", "\n").split("\n") if keep_newlines else [text]
    return "\n".join(settled(_BREAKS.sub(" ", line)) for line in lines)


def escaped_json(text: str) -> str:
    """JSON text with every character that `printable` would drop written as an escape: same value, safe to see."""
    if _PLAIN.fullmatch(text):
        return text
    return "".join(character if _is_harmless(character) else _escape(character) for character in text)


def _is_harmless(character: str) -> bool:
    if character in _KEPT_FORMAT or character == "\n":
        return True
    return unicodedata.category(character) not in ("Cc", "Cf") and may_stay(character)


def _escape(character: str) -> str:
    code = ord(character)
    if code > 0xFFFF:
        high, low = divmod(code - 0x10000, 0x400)
        return f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}"
    return f"\\u{code:04x}"
