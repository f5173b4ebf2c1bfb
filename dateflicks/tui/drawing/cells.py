"""How wide text is in a terminal, and text cut or filled to a width. The one place that asks Rich, whose table Textual
draws by: with another one, rows would not fit.

Other people's text is made printable here, and loses what terminals do not agree about the width of: joined emoji come
apart, variation selectors and skin tones go, flags become letters.
"""

import re
from functools import lru_cache
from typing import Final

from rich.cells import cell_len

from dateflicks.protocol.printable import printable

_DISPUTED: Final = re.compile("[\u200d\u20e3\ufe0e\ufe0f\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]")
_FLAG_LETTERS: Final = re.compile("[\U0001f1e6-\U0001f1ff]")
_LONGEST: Final = 600  # characters of somebody else's text that are looked at for one row


@lru_cache(maxsize=4096)
def width_of(text: str) -> int:
    """The cells that a text takes."""
    return len(text) if text.isascii() else cell_len(text)


@lru_cache(maxsize=4096)
def clean(text: str) -> str:
    """Other people's text, fit for one row."""
    text = _DISPUTED.sub("", printable(text[:_LONGEST]))
    return _FLAG_LETTERS.sub(lambda found: chr(ord(found[0]) - 0x1F1E6 + ord("A")), text).strip()


def cut(text: str, width: int, ellipsis: str = "…") -> str:
    """The text, or as much of it as fits `width` cells with an ellipsis."""
    if width_of(text) <= width:
        return text
    room = width - width_of(ellipsis)
    if room < 0:
        return ""
    end = min(len(text), room)  # hardly ever too little: few characters have no width
    while end < len(text) and width_of(text[: end + 1]) <= room:
        end += 1
    while end and width_of(text[:end]) > room:
        end -= 1
    return text[:end].rstrip() + ellipsis


def fill(text: str, width: int, ellipsis: str = "…") -> str:
    """The text in exactly `width` cells, with spaces behind it."""
    text = cut(text, width, ellipsis)
    return text + " " * (width - width_of(text))
