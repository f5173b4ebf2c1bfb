"""The top of the watch screen: whether we are together, what the film does, and where on it everybody is."""

from collections import Counter

from dateflicks.tui.drawing import words
from dateflicks.tui.drawing.cells import clean, width_of
from dateflicks.tui.drawing.rows import Row, Segment, first_fit, fitted, merged, row_width, spread
from dateflicks.tui.glyphs import Glyphs, own_text
from dateflicks.tui.model.state import Person, WatchState
from dateflicks.tui.themes import Style

PERCENT_CELLS = 6
_ASKING = {"play": "asking to play", "pause": "asking to pause", "stop": "asking to stop"}


def header(state: WatchState, width: int, glyphs: Glyphs) -> list[Row]:
    """One row: the title and with whom; the line, its round trip and the player to the right."""
    title = clean(state.film.title) or "no title"
    others = [words.person_name(one, 14) for one in state.people if not one.is_me]
    company = own_text(f" · with {' and '.join(others[:3])}", glyphs) if others else ""
    left: list[Segment] = [(" ", "text"), (title, "title")]
    if width >= 72:
        left = [(" ", "text"), ("dateflicks", "accent"), (" | ", "dim"), (title, "title"), (company, "text")]
    return [spread(left, first_fit(_standing(state, width, glyphs), max(12, width - 16)), width, glyphs)]


def _standing(state: WatchState, width: int, glyphs: Glyphs) -> list[list[Segment]]:
    """Line and player, from all that there is to say to the least."""
    link = _link(state, glyphs)
    player = _player(state, glyphs)
    trip = words.round_trip_text(state.link.round_trip) if state.link.is_open else ""
    end: list[Segment] = [(" ", "text")]
    gap: list[Segment] = [("  ", "text")]
    numbers: list[Segment] = [(f"  {trip:>6}", "text")] if trip else []
    is_fine = state.player.is_attached and not state.player.trouble
    full = [*gap, *player, *gap, *link, *numbers, *end]
    short = [*gap, *link, *numbers, *end] if is_fine else [*gap, *player, *gap, *link, *end]
    return [full, short, [*gap, *link, *end]] if width >= 72 else [short, [*gap, *link, *end]]


def _link(state: WatchState, glyphs: Glyphs) -> list[Segment]:
    if words.is_synced(state):
        return [(f"{glyphs.on} live", "good")]
    if state.link.lost_at is not None:
        return [(f"{glyphs.off} offline", "bad")]
    word = "nobody here yet" if state.invitation and words.is_new(state) else "connecting"
    return [(f"{glyphs.off} {word}", "dim")]


def _player(state: WatchState, glyphs: Glyphs) -> list[Segment]:
    player = state.player
    name = clean(player.name) or "player"
    if player.is_attached and not player.trouble:
        return [(f"{name} {glyphs.yes}", "dim")]
    if words.is_new(state) and not player.trouble:
        return [(f"{glyphs.off} {name}", "dim")]
    trouble = clean(player.trouble) or ("stands still" if player.is_attached else "not there")
    return [(f"{glyphs.no} {name}: {trouble}"[:40], "bad")]


def transport(state: WatchState, width: int, glyphs: Glyphs) -> list[Row]:
    """One row: what the film does, where it is, how long it is; who is host and who guest, or the verdict if narrow."""
    film = state.film
    position = words.position_text(film.position_at(state.now), film.length)
    length = words.position_text(film.length, film.length) if film.length else "?:??"
    sign, word = words.status_glyph(state, glyphs), words.status_word(state)
    is_running = film.status == "play" and words.is_synced(state)
    wish = _wish(state, glyphs)
    style: Style = "good" if is_running else "warning"
    full: list[Segment] = [(f" {sign} {word}  ", style), (position, "strong"), (f" / {length}", "dim"), *wish]
    short: list[Segment] = [(f" {sign} ", style), (position, "strong"), (f" / {length}", "dim"), *wish]
    verdict, verdict_style = words.verdict(state)
    verdict_part: list[Segment] = [("  ", "text"), (own_text(verdict, glyphs), verdict_style), (" ", "text")]
    right = _roles(state) if width >= 72 else verdict_part
    left = full if width >= 72 or row_width(full) + row_width(right) <= width else short
    if row_width(left) + row_width(right) > width and wish:
        right = []
    return [spread(left, right, width, glyphs)]


def _wish(state: WatchState, glyphs: Glyphs) -> list[Segment]:
    """What the own person asked for and nobody has answered yet: shown as asked, never as done."""
    wish = state.wish
    if wish is None:
        return []
    if wish.kind == "seek":
        where = "" if wish.target is None else f" for {words.position_text(wish.target, state.film.length)}"
        return [(own_text(f"  {glyphs.seek} asking{where}…", glyphs), "warning")]
    sign = {"play": glyphs.play, "pause": glyphs.pause, "stop": glyphs.stop}[wish.kind]
    return [(own_text(f"  {sign} {_ASKING[wish.kind]}…", glyphs), "warning")]


def _roles(state: WatchState) -> list[Segment]:
    found: list[Segment] = []
    for one in state.people:
        role = one.role if one.is_here and words.is_synced(state) else "?" if not words.is_synced(state) else "away"
        if one.is_me:
            role = one.role
        found += [("   ", "text"), (f"{words.person_name(one, 12)}: ", "dim"), (role, words.mark_style(one))]
    return [*found, (" ", "text")]


def bar_cells(width: int) -> int:
    """How many cells of a row the timeline itself has."""
    return max(1, width - 1 - PERCENT_CELLS)


def timeline(state: WatchState, width: int, glyphs: Glyphs) -> list[Row]:
    """One row: the film from end to end with a mark for each person, and how much of it is behind us."""
    film, cells = state.film, bar_cells(width)
    position = film.position_at(state.now)
    share = position / film.length if film.length > 0 else 0.0
    done = round(share * cells)
    row: list[Segment] = [(" ", "text")]
    placed = _placed(state, cells)
    for index in range(cells):
        if index in placed:
            mark, person = placed[index]
            row.append((mark, words.mark_style(person)))
        else:
            row.append((glyphs.done, "accent") if index < done else (glyphs.left, "dim"))
    percent = f"{share * 100:.0f}%" if film.length > 0 else "--%"
    row.append((f"{percent:>{PERCENT_CELLS - 1}} ", "dim"))
    return [fitted(row, width, glyphs)]


def _placed(state: WatchState, cells: int) -> dict[int, tuple[str, Person]]:
    """Where the marks stand. Those on one cell stand side by side, always in one order: a millisecond more
    or less is the meter's to show, not theirs."""
    film = state.film
    if film.length <= 0:
        return {}
    letters = words.marks(state)
    where: list[tuple[int, str, Person]] = []
    for one in state.people:
        position = _position(state, one)
        if position is not None:
            where.append((round(position / film.length * (cells - 1)), letters[one.user_id], one))
    where.sort(key=lambda each: (each[0], each[1] == "H", each[1]))
    found: dict[int, tuple[str, Person]] = {}
    limit = cells - 1
    for index in range(len(where) - 1, -1, -1):
        wanted, letter, one = where[index]
        cell = max(min(wanted, limit), min(index, cells - 1))
        if cell not in found:
            found[cell] = (letter, one)
        limit = cell - 1
    return found


def _position(state: WatchState, person: Person) -> float | None:
    """Where somebody's own player is; unknown for who is away, and for all others without a line."""
    film = state.film
    if person.is_me and state.position is not None:
        return min(max(state.position, 0.0), film.length)
    if not person.is_here or not words.is_synced(state):
        return None
    drift = words.drift_of(state, person)
    if drift is not None:
        return min(max(film.position_at(state.now) + drift, 0.0), film.length)
    return None if person.position is None else min(max(person.position, 0.0), film.length)


def reactions(state: WatchState, width: int, glyphs: Glyphs) -> list[Row]:
    """One row under the timeline: where there were reactions, and how many, as heights."""
    film, cells = state.film, bar_cells(width)
    counts: Counter[int] = Counter()
    if film.length > 0:
        for one in state.chat.entries:
            if one.kind == "reaction" and one.position is not None and not one.is_deleted:
                share = min(max(one.position / film.length, 0.0), 1.0)
                counts[min(int(share * cells), cells - 1)] += 1
    if not counts:
        return [fitted((), width, glyphs)]
    most = max(4, *counts.values())
    blocks = glyphs.blocks
    strip = "".join(
        blocks[(counts[index] * len(blocks) - 1) // most] if index in counts else " " for index in range(cells)
    )
    total = sum(counts.values())
    label = f"{total:>{PERCENT_CELLS - 1}} " if width_of(str(total)) < PERCENT_CELLS else ""
    return [fitted(merged([(" ", "text"), (strip, "accent"), (label, "dim")]), width, glyphs)]
