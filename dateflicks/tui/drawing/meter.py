"""The sync meter: how far each one is from what all agreed on, and how it was in the last minutes.

Its scale is finest at the centre, as a magnifying glass: players are held within a millisecond, the tolerance is 150,
and who comes late is seconds off.
"""

import math

from dateflicks.tui.drawing import words
from dateflicks.tui.drawing.cells import fill
from dateflicks.tui.drawing.rows import Row, Segment, fitted, merged, row_width, spread
from dateflicks.tui.glyphs import Glyphs, own_text
from dateflicks.tui.model.state import DRIFT_BUCKETS, Person, WatchState
from dateflicks.tui.themes import Style

REACH_SECONDS = 3.0  # who is further off stands at the edge
_TICKS = (0.01, 0.1, 1.0)


def offset_cells(drift: float, half: int) -> int:
    """How many cells from the centre a drift stands, on a meter that has `half` to each side."""
    size = min(math.log1p(math.floor(abs(drift) * 1000 + 0.5)) / math.log1p(REACH_SECONDS * 1000), 1.0)
    cells = round(size * half)
    if cells == 0 and abs(drift) >= 0.0005:
        cells = min(1, half)
    return cells if drift > 0 else -cells


def folded(state: WatchState, width: int, glyphs: Glyphs) -> list[Row]:
    """One row: the own drift, all marks on one meter, the other's drift, and the verdict."""
    verdict, style = words.verdict(state)
    right: list[Segment] = [("  ", "text"), (own_text(verdict, glyphs), style), (" ", "text")]
    me = next((one for one in state.people if one.is_me), None)
    other = state.other
    own = _number(None if me is None else state.drift, glyphs)
    left: list[Segment] = [(" drift  " if width >= 72 else " ", "dim"), ("you ", "text"), (f"{own:>7}", "strong")]
    if other is not None:
        name = words.person_name(other, 8)
        number = _number(words.drift_of(state, other), glyphs)
        theirs: list[Segment] = [(f"   {name} ", "text"), (f"{number:>7}", "strong")]
    else:
        theirs = []
    room = width - row_width(left) - row_width(theirs) - row_width(right) - 2
    half = min(12, (room - 3) // 2)
    if half >= 4:
        left += [("  ", "text"), *_strip(state, half, glyphs, list(state.people))]
    return [spread([*left, *theirs], right, width, glyphs)]


def verdict(state: WatchState, width: int, glyphs: Glyphs) -> list[Row]:
    """One row: the verdict alone, above a meter that has a row for each."""
    text, style = words.verdict(state)
    return [fitted([("  ", "text"), (own_text(text, glyphs), style)], width, glyphs)]


def wide(state: WatchState, width: int, glyphs: Glyphs) -> list[Row]:
    """A row for the scale, and one for each person: who, where on the meter, how far off, and what they do."""
    half = max(4, min(30, (width - 46) // 2))
    rows = [fitted([(" " * 17, "dim"), (_scale(half, glyphs), "dim")], width, glyphs)]
    for one in state.people:
        drift = words.drift_of(state, one)
        row: list[Segment] = [
            ("  ", "text"),
            (fill(words.person_name(one, 8), 9, glyphs.ellipsis), "strong"),
            (fill(one.role, 6, glyphs.ellipsis), words.mark_style(one)),
            *_strip(state, half, glyphs, [one]),
            (f"  {_number(drift, glyphs):>8}", "strong"),
            (f"  {_doing(state, one)}", "dim"),
        ]
        rows.append(fitted(row, width, glyphs))
    return rows


def history(state: WatchState, width: int, glyphs: Glyphs) -> list[Row]:
    """One row: the worst drift of each few seconds over the last minutes, the newest to the right."""
    buckets = state.drift_history
    known = [one for one in buckets if one is not None]
    worst = f"worst {words.size_text(max(known))}" if known else "nothing measured yet"
    label = " last 5 min  "
    right: list[Segment] = [(f"  {worst}", "text" if known else "dim"), (" ", "text")]
    cells = max(1, min(DRIFT_BUCKETS, width - len(label) - row_width(right)))
    values = [*([None] * DRIFT_BUCKETS), *buckets][-DRIFT_BUCKETS:]
    bars: list[Segment] = []
    for index in range(cells):
        part = values[index * DRIFT_BUCKETS // cells : (index + 1) * DRIFT_BUCKETS // cells] or [values[-1]]
        sizes = [one for one in part if one is not None]
        if not sizes:
            bars.append((" ", "dim"))
            continue
        level = min(int(offset_cells(max(sizes), 2 * len(glyphs.blocks)) / 2), len(glyphs.blocks) - 1)
        bars.append((glyphs.blocks[level], "good" if max(sizes) <= state.band else "warning"))
    return [fitted([(label, "dim"), *merged(bars), *right], width, glyphs)]


def tolerance(state: WatchState) -> str:
    """What the brackets mean, for the title above the meter."""
    return f"tolerance {state.band * 1000:.0f} ms"


# --- inside -----------------------------------------------------------------------------------------------------


def _strip(state: WatchState, half: int, glyphs: Glyphs, people: list[Person]) -> list[Segment]:
    """The meter of 2 × half + 3 cells: edges, brackets at the tolerance, and a letter for each of these people."""
    cells: list[Segment] = [(glyphs.level, "dim")] * (2 * half + 1)
    cells[half] = (glyphs.centre, "dim")
    bracket = min(max(1, offset_cells(state.band, half)), half)
    cells[half - bracket] = ("[", "text")
    cells[half + bracket] = ("]", "text")
    letters = words.marks(state)
    for one in sorted(people, key=lambda each: each.is_me, reverse=True):
        drift = words.drift_of(state, one)
        if drift is None:
            continue
        style: Style = words.mark_style(one)
        cell, letter = half + offset_cells(drift, half), letters[one.user_id]
        is_shared = cells[cell][0] in letters.values()
        cells[cell] = (glyphs.on, "good") if is_shared else (letter, style)
    return list(merged([(glyphs.edge, "dim"), *cells, (glyphs.edge, "dim")]))


def _scale(half: int, glyphs: Glyphs) -> str:
    """Numbers above the meter, where they have room: the same to both sides."""
    line = [" "] * (2 * half + 3)
    line[half + 1] = "0"
    for tick in reversed(_TICKS):
        name = f"{tick:.0f}s" if tick >= 1 else f"{tick * 1000:.0f}"
        size = len(name) + 1
        right = min(half + 1 + offset_cells(tick, half) - size // 2, len(line) - size)
        left = len(line) - right - size
        if all(one == " " for start in (left, right) for one in line[max(0, start - 1) : start + size + 1]):
            line[right : right + size] = f"+{name}"
            line[left : left + size] = f"{glyphs.minus}{name}"
    return "".join(line)


def _number(drift: float | None, glyphs: Glyphs) -> str:
    return own_text("— ms", glyphs) if drift is None else words.signed(drift, glyphs)


def _doing(state: WatchState, person: Person) -> str:
    if not words.is_synced(state):
        return "" if person.is_me else "not known"
    if not person.is_here:
        return "away"
    if person.is_buffering:
        return "buffering"
    return "excused" if person.is_excused else {"play": "plays", "pause": "paused", "stop": "stopped"}[person.status]
