"""What a page shows of a program's answers, held against what it answers here: numbers, times, ids, codes, addresses
and paths are others each time, and what a page leaves out stands there as `…`."""

import re
from collections.abc import Sequence
from typing import Final

_CONTROL: Final = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[()][A-Z0-9]|[\r\x07]")
_OTHER_EACH_TIME: Final = (
    (re.compile(r"\b[a-z0-9]{5}(?:-[a-z0-9]{5}){1,3}\b"), "CODE"),
    (re.compile(r"\b(?:ses|usr|msg|prd|vid|off|run|req|clk)_\w+"), "ID"),
    (re.compile(r"(?:https?://)?\d+\.\d+\.\d+\.\d+(?::\d+)?"), "ADDRESS"),
    (re.compile(r"(?:(?<=\s)|^)(?:~|\.|/[\w.-]+)(?:/[\w.-]+)+"), "PATH"),
    (re.compile(r"\d+(?:[.:,]\d+)*"), "N"),
    (re.compile(r"\s+"), " "),
)


def shape(text: str) -> str:
    """A text without what is another each time, and with one space wherever there is space: lines break elsewhere."""
    text = _CONTROL.sub("", text).strip()
    for pattern, name in _OTHER_EACH_TIME:
        text = pattern.sub(name, text)
    return text


def is_answered(shown: Sequence[str], told: str) -> bool:
    """Whether a program told what the page shows, where `…` is any words."""
    wanted = ".*".join(re.escape(part.strip()) for part in shape("\n".join(shown)).split("…"))
    return re.fullmatch(wanted.replace(".*", " ?.* ?"), shape(told)) is not None
