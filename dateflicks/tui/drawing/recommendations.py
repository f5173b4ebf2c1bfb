"""What is recommended: for whom, how fresh, and a row for each film with how well it fits and why; the marked one in
full.
"""

from datetime import datetime
from typing import Final

from dateflicks.client.recommendations import fit_of, fits_text, percent
from dateflicks.client.sentences import clock_text
from dateflicks.tui.drawing import words
from dateflicks.tui.drawing.bar import bar, trouble
from dateflicks.tui.drawing.cells import clean, cut, fill, width_of
from dateflicks.tui.drawing.rows import Row, Segment, fitted, row_width, rule, wrapped
from dateflicks.tui.glyphs import Glyphs, own_text
from dateflicks.tui.keys import Keymap
from dateflicks.tui.lobby_rows import ago
from dateflicks.tui.model.picks import WHOM, Pick, Picks

NAME_CELLS: Final = 12
LOW_ROWS: Final = 16  # a terminal with fewer has none for what can be done without
COLUMN_CELLS: Final = 60  # from here on, why a film is there stands beside it
BAR_CELLS: Final = 72  # from here on there is room for a bar, and for the fits of both
WIDE_CELLS: Final = 100
_SECTION: Final = ""


def head(picks: Picks, width: int, height: int, glyphs: Glyphs, now: datetime) -> list[Row]:
    """Whose list it is, which of three is looked at, what made it and when; below, what a person should know of it."""
    count = len(picks.rows())
    films = f"{count} film{'' if count == 1 else 's'}" if count else ""
    rows = [bar(_title(picks), [(films, "text")] if films else [], width, glyphs)]
    if picks.me:
        rows.append(_choice(picks, width, glyphs, now))
    if picks.problem:
        lines = wrapped(own_text(clean(picks.problem), glyphs), max(10, width - 2))
        rows += trouble(lines if height >= LOW_ROWS else lines[:2], width, glyphs)
    elif picks.listing is not None and picks.listing.note:
        note = own_text(clean(picks.listing.note), glyphs)
        lines = wrapped(note, max(10, width - 2), 3) if height >= LOW_ROWS else [note]
        rows += [fitted([(" ", "text"), (line, "dim")], width, glyphs) for line in lines]
    if count and width - 1 >= BAR_CELLS:
        rows.append(fitted(_columns(picks, width - 1, glyphs), width, glyphs))
    return rows


def listing(picks: Picks, width: int, glyphs: Glyphs, marked: str | None = None) -> list[tuple[str, list[Row]]]:
    """The id of each film and its rows, whose last cell is the scrollbar's; a title between them has no id."""
    found: list[tuple[str, list[Row]]] = []
    inner = width - 1
    is_below, widths = False, _widths(picks, inner, has_fits=_has_fits(picks))
    for one in picks.rows():
        if one.is_seen and not is_below:
            is_below = True
            found.append((_SECTION, [rule("seen by one of you", "", inner, glyphs)]))
        is_marked = one.film.video_id == marked
        found.append((one.film.video_id, _film(picks, one, inner, widths, glyphs, is_marked=is_marked)))
    return [(name, [fitted(row, width, glyphs) for row in rows]) for name, rows in found]


def empty(picks: Picks, width: int, glyphs: Glyphs, keys: Keymap) -> list[Row]:
    """What to do where there is no list."""

    def key(name: str) -> str:
        return f"[{keys.shown(name, ascii_only=glyphs.is_ascii)}]"

    if picks.is_asking:
        texts = ["Asking the server" + glyphs.ellipsis]
    elif picks.problem:
        texts = []
    elif not picks.me:
        texts = ["You are not signed in.", f"{key('sign-out')} in the lobby signs in."]
    elif picks.listing is not None and picks.listing.note:  # which says why
        texts = [f"{key('refresh-list')} asks again."]
    else:
        texts = [
            "Nothing is recommended yet.",
            "Whoever runs the server fills its collection: dateflicks providers run all",
            f"{key('refresh-list')} asks again.",
        ]
    found = [part for text in texts for part in ("", *wrapped(own_text(text, glyphs), max(10, width - 4)))]
    return [fitted([("  ", "text"), (row, "text")], width, glyphs) for row in found]


def reasons(picks: Picks, one: Pick, glyphs: Glyphs) -> list[str]:
    """Everything that speaks for a film, in lines: for each person how it fits and the films that weigh most."""
    film = one.film
    lines = [own_text(clean(film.why), glyphs)] if film.why else []
    for fit in film.fits:
        name = "You" if fit.user_id == picks.me else words.shown_name(picks.name_of(fit.user_id), NAME_CELLS)
        known = f"fits {percent(fit.fit)}" if fit.fit is not None else "nobody can tell yet"
        because = ", because of" if fit.reasons else ""
        seen = " (seen it)" if fit.has_seen else ""
        lines += ["", own_text(f"{name}{seen}: {known}{because}", glyphs)]
        lines += [f"  {glyphs.dot} {clean(reason.title)}, {percent(reason.weight)}" for reason in fit.reasons]
    basis = {
        "own": "what you did and said yourself",
        "pair": "what the two of you did and said",
        "content": "films that are like those you liked",
        "popular": "what everybody watches",
        "new": "what has just arrived",
        "none": "nothing: it stands in no list of yours",
    }[film.basis]
    return [*lines, "", f"Made from {basis}, by {clean(film.variant)}."]


def strip(share: float, cells: int, glyphs: Glyphs) -> str:
    """A bar of so many cells, filled from the left to an eighth of a cell."""
    eighths = round(share * cells * 8)
    whole, rest = divmod(eighths, 8)
    text = glyphs.eighths[-1] * whole + (glyphs.eighths[rest - 1] if rest else "")
    return text + " " * (cells - len(text))


# --- inside -----------------------------------------------------------------------------------------------------


def _title(picks: Picks) -> str:
    mine, theirs = (words.shown_name(name, NAME_CELLS) for name in (picks.my_name, picks.name_of(picks.partner)))
    if not picks.me:
        return "what to watch"
    return {"me": f"for {mine}", "them": f"for {theirs}", "both": f"for {mine} & {theirs}"}[picks.whom]


def _choice(picks: Picks, width: int, glyphs: Glyphs, now: datetime) -> Row:
    """`for  ( ana )  ( bea )  [ both ]`, and what made the list; where it is narrow, the choice alone."""
    names = {"me": picks.my_name, "them": picks.name_of(picks.partner), "both": "both"}
    left: list[Segment] = [(" for ", "dim")]
    for whom in WHOM if picks.partner else ("me",):
        name = words.shown_name(names[whom], NAME_CELLS if width >= COLUMN_CELLS else 8)
        is_chosen = whom == picks.whom
        left.append((f" [ {name} ]" if is_chosen else f" ( {name} )", "strong" if is_chosen else "text"))
    if not picks.partner and width >= COLUMN_CELLS:
        left.append(("  lists for two come with your first evening together", "dim"))
    parts: list[str] = []
    if picks.listing is not None:
        made = ago(picks.listing.generated_at, now)
        parts = [made and f"fresh {made.removesuffix(' ago')}", clean(picks.listing.variant)]
        parts[1] = parts[1] and f"arm: {cut(parts[1], 28, glyphs.ellipsis)}"
    right = ""
    for part in parts:
        wider = f"{part}   {right}" if right else part
        if part and row_width(left) + width_of(wider) + 3 <= width:
            right = wider
    room = width - row_width(left) - width_of(right) - 1
    return fitted([*left, (" " * max(0, room), "text"), (right, "dim"), (" ", "text")], width, glyphs)


def _columns(picks: Picks, width: int, glyphs: Glyphs) -> Row:
    title, strip_cells, fits = _widths(picks, width, has_fits=_has_fits(picks))
    theirs = words.shown_name(picks.name_of(picks.partner), fits - 6) if fits else ""
    names = f"{'you':<5}{theirs}" if fits else ""
    line = f"   {'film':<{title}}{'fit' if strip_cells else '':>6}{'':<{strip_cells or 1}}{fill(names, fits)}why"
    return fitted([(line, "dim")], width, glyphs)


def _has_fits(picks: Picks) -> bool:
    """Whether anybody can tell of any film how well it fits."""
    return any(one.fit is not None for one in picks.rows())


def _widths(picks: Picks, width: int, *, has_fits: bool) -> tuple[int, int, int]:
    """Cells for the title, for the bar with what parts it from the rest, and for the fits of both."""
    if width < COLUMN_CELLS:
        return width - 9, 0, 0
    if width < BAR_CELLS or not has_fits:
        return max(20, width // 3), 0, 0
    title, strip_cells, fits = (24, 6, 11) if width < WIDE_CELLS else (36, 12, 18)
    return title, strip_cells + 2, fits if picks.other else 0


def _film(
    picks: Picks, one: Pick, width: int, widths: tuple[int, int, int], glyphs: Glyphs, *, is_marked: bool
) -> list[Row]:
    film = one.film
    title, strip_cells, fits = widths
    sign = {"up": "+", None: " "}.get(one.rating, " ")
    name = clean(film.title) or "a film"
    year = f" ({film.year})" if film.year else ""
    shown = cut(name, max(8, title - len(year)), glyphs.ellipsis) + year
    row: list[Segment] = [
        (f"{glyphs.marked if is_marked else ' '}{sign} ", "marked" if is_marked else "good"),
        (fill(shown, title, glyphs.ellipsis), "marked" if is_marked else "text"),
        (f" {glyphs.dash if one.fit is None else percent(one.fit):>5}", "strong"),
    ]
    why = _why(picks, one, glyphs)
    if width >= COLUMN_CELLS:
        if strip_cells:
            row += [(" ", "text"), (strip(one.fit or 0.0, strip_cells - 2, glyphs), "accent")]
        row.append((" ", "text"))
        if fits:
            row.append((fill(_both(picks, one), fits), "text"))
        row.append((why, "text" if is_marked else "dim"))
    rows = [fitted(row, width, glyphs)]
    if is_marked:
        rows += _more(picks, one, why, width, row_width(row) > width or width < COLUMN_CELLS, glyphs)
    return rows


def _more(picks: Picks, one: Pick, why: str, width: int, is_cut: bool, glyphs: Glyphs) -> list[Row]:
    """Below the marked film: how it fits each, where it plays, and why where that had no room."""
    film = one.film
    parts = [fits_text(film, picks.me, lambda name: words.shown_name(picks.name_of(name), NAME_CELLS))]
    if film.duration_seconds:
        parts.append(clock_text(film.duration_seconds))
    if not film.playable:
        parts.append("opens elsewhere")
    line = own_text(" · ".join(part for part in parts if part), glyphs)
    lines = [line] if line else []
    if is_cut and why:
        lines += wrapped(why, max(10, width - 4), 2)
    return [fitted([("    ", "text"), (text, "text")], width, glyphs) for text in lines]


def _both(picks: Picks, one: Pick) -> str:
    """The fits of both, each below its name."""
    shown = [fit_of(one.film, user_id) for user_id in (picks.me, picks.partner)]
    return "".join(f"{'' if fit is None or fit.fit is None else round(fit.fit * 100):<5}" for fit in shown)


def _why(picks: Picks, one: Pick, glyphs: Glyphs) -> str:
    found = clean(one.film.why)
    seen = [fit.user_id for fit in one.film.fits if fit.has_seen]
    if one.is_seen and seen:
        who = "you have" if seen[0] == picks.me else f"{words.shown_name(picks.name_of(seen[0]), NAME_CELLS)} has"
        found = f"{who} seen it; {found}" if found else f"{who} seen it"
    if one.film.is_new:
        found = f"new here; {found}" if found else "new here"
    return own_text(found, glyphs)
