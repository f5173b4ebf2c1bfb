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


def shape(line: str) -> str:
    """A line without what is another each time, and with one space wherever there are some."""
    line = _CONTROL.sub("", line).strip()
    for pattern, name in _OTHER_EACH_TIME:
        line = pattern.sub(name, line)
    return line


def is_answered(shown: Sequence[str], told: str) -> bool:
    """Whether a program told what the page shows. A line of its own `…` is any lines, elsewhere it is any words."""
    wanted = "".join(
        r"(?:[^\n]*\n)*" if line.strip() == "…" else _words(shape(line)) + r"\n" for line in shown if line.strip()
    )
    lines = [found for line in told.splitlines() if (found := shape(line))]
    return re.fullmatch(wanted, "".join(f"{line}\n" for line in lines)) is not None


def _words(line: str) -> str:
    return r"[^\n]*".join(re.escape(part) for part in line.split("…"))
