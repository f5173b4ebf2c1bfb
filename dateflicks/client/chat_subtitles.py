"""A talk as subtitles (SubRip): what was said, at the film position where it was said.

People talk most while the film stands still, so many messages share one position. At most four lines are on the screen;
a fifth waits until the oldest has been there for a moment, and so comes a little later than it was said. Cues follow
one another and never overlap: a new line makes a new cue with those that are still to be read.
"""

import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from dateflicks.client.chat_sentences import spoken
from dateflicks.protocol.chat import Message
from dateflicks.protocol.printable import printable

LINES: Final = 4
SHOW_MIN_MS: Final = 1_500  # before another line may take its place
READ_BASE_MS: Final = 2_000
READ_PER_CHARACTER_MS: Final = 60  # about 17 characters a second, as subtitlers reckon
READ_MAX_MS: Final = 8_000
TOGETHER_MS: Final = 1_000  # lines that would go within this time go together: what is left for a blink only disturbs

_TAG: Final = re.compile(r"<(?=[A-Za-z/!])")
_OVERRIDE: Final = re.compile(r"\{(?=\\|[A-Za-z]:)")


@dataclass(frozen=True, slots=True)
class _Line:
    text: str
    start: int  # milliseconds of film
    end: int


def subtitles(messages: Iterable[Message]) -> tuple[str, int]:
    """The file's text, and how many messages are not in it because nobody knows their position.

    What was taken back and what the film did are no subtitles, and are not counted.
    """
    said = [one for one in messages if one.deleted_at is None and one.type != "system"]
    placed = sorted((one for one in said if one.position is not None), key=lambda one: (one.position, one.seq))
    cues = enumerate(_cues(_going_together(_lines(placed))), start=1)
    text = "".join(f"{number}\n{_clock(start)} --> {_clock(end)}\n{text}\n\n" for number, (start, end, text) in cues)
    return text, len(said) - len(placed)


def _lines(messages: Iterable[Message]) -> list[_Line]:
    """When each line is there: in order, and never more than there is room for."""
    lines: list[_Line] = []
    for message in messages:
        assert message.position is not None
        start = round(message.position * 1_000)
        if len(lines) >= LINES:
            before = lines[-LINES]
            start = max(start, before.start + SHOW_MIN_MS)
            if before.end > start:
                lines[-LINES] = _Line(before.text, before.start, start)
        if lines:
            start = max(start, lines[-1].start)
        text = _harmless(spoken(message))
        lines.append(_Line(text, start, start + min(READ_BASE_MS + READ_PER_CHARACTER_MS * len(text), READ_MAX_MS)))
    return lines


def _going_together(lines: list[_Line]) -> list[_Line]:
    """The lines, some of them a little longer there, as far as there is room."""
    for at in range(len(lines) - 2, -1, -1):
        one, after = lines[at : at + 2]
        if after.start < one.end and abs(one.end - after.end) < TOGETHER_MS:
            end = max(one.end, after.end)
            for index, line in ((at, one), (at + 1, after)):
                room = lines[index + LINES].start if index + LINES < len(lines) else end
                lines[index] = _Line(line.text, line.start, max(line.end, min(end, room)))
    return lines


def _cues(lines: list[_Line]) -> Iterator[tuple[int, int, str]]:
    """A cue from each moment at which something comes or goes to the next one."""
    moments = sorted({moment for line in lines for moment in (line.start, line.end)})
    begun = 0
    for start, end in itertools.pairwise(moments):
        while begun < len(lines) and lines[begun].start <= start:
            begun += 1
        shown = [line.text for line in lines[max(0, begun - LINES) : begun] if line.end >= end]
        if shown:
            yield start, end, "\n".join(shown)


def _harmless(text: str) -> str:
    """One line without what a player would take for the format's own: cues, tags, overrides."""
    text = printable(text).replace("-->", "→")
    return _OVERRIDE.sub("(", _TAG.sub("‹", text)).strip()


def _clock(milliseconds: int) -> str:
    seconds, rest = divmod(milliseconds, 1_000)
    return f"{seconds // 3_600:02d}:{seconds % 3_600 // 60:02d}:{seconds % 60:02d},{rest:03d}"
