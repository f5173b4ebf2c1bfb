"""Banners: a change that waits for its answer, with the server's countdown and two keys; and a line that is away."""

import math
from typing import Final

from dateflicks.tui.drawing import words
from dateflicks.tui.drawing.cells import clean, cut, width_of
from dateflicks.tui.drawing.rows import Row, Segment, first_fit, fitted, row_width, spread, wrapped
from dateflicks.tui.glyphs import Glyphs, own_text
from dateflicks.tui.keys import Keymap
from dateflicks.tui.model.state import Pending, WatchState
from dateflicks.tui.themes import Style

SETTLES_SECONDS: Final = 2.0
BEGINNING_SECONDS: Final = 1.0  # a film that stands before this has not begun
_TELL_ME: Final = "say where you are."  # what the player by hand ends with when it has to know
_GROUND: Style = "banner"
_STATUS = {"play": "PLAYING", "pause": "PAUSED", "stop": "STOPPED"}
_YES = {"play": "play", "pause": "pause", "stop": "stop", "seek": "go there"}
_NO = {"play": "keep playing", "pause": "stay paused", "stop": "stay stopped"}


def banners(state: WatchState, width: int, glyphs: Glyphs, keys: Keymap) -> list[Row]:
    """What has to be said just now, the line first; no rows where there is nothing."""
    rows = [*offline(state, width, glyphs, keys), *by_hand(state, width, glyphs)]
    if state.pending is not None and state.link.is_open and not _is_about_to_go(state, state.pending):
        rows += pending(state, state.pending, width, glyphs, keys)
        return rows
    return [*rows, *ready(state, width, glyphs, keys)]


def ready(state: WatchState, width: int, glyphs: Glyphs, keys: Keymap) -> list[Row]:
    """How to begin, once both are there and the film has not begun."""
    other = next((one for one in state.people if one.is_here and not one.is_me), None)
    film = state.film
    begins = film.status == "stop" and film.rate == 0 and film.position < BEGINNING_SECONDS
    if other is None or not begins or state.is_over or state.wish is not None or not words.is_synced(state):
        return []
    right = _keys([(keys.shown("play-pause", ascii_only=glyphs.is_ascii), "start the film")])
    who = words.person_name(other)
    room = width - row_width(right) - 1
    says = [f"You and {who} are both here", f"{who} is here", ""]
    text = next((one for one in says if width_of(one) <= room), "")
    return [spread([(glyphs.bar, _GROUND), (own_text(text, glyphs), "banner-strong")], right, width, glyphs, _GROUND)]


def by_hand(state: WatchState, width: int, glyphs: Glyphs) -> list[Row]:
    """What a player that its person steers by hand has to tell them, in at most three rows."""
    says = clean(state.player.says)
    if not says:
        return []
    if says.endswith(_TELL_ME):
        says = f"{says} Type /at 41:12"
    parts = wrapped(f"Your player: {own_text(says, glyphs)}", max(10, width - 2), 3)
    return [fitted([(glyphs.bar, _GROUND), (part, "banner-strong")], width, glyphs, _GROUND) for part in parts]


def pending(state: WatchState, asked: Pending, width: int, glyphs: Glyphs, keys: Keymap) -> list[Row]:
    """Who wants what, until when, and how to answer; in wide screens with a bar that runs out."""
    left = words.countdown(asked.deadline, state.now)
    what = _what(state, asked)
    after = _afterwards(asked)
    who = "you" if asked.is_mine else words.shown_name(asked.by_name)
    sign, refuse = keys.shown("agree", ascii_only=glyphs.is_ascii), keys.shown("refuse", ascii_only=glyphs.is_ascii)
    answers: list[list[tuple[str, str]]]
    if asked.is_mine:
        if asked.is_answered:
            answers, ending = [[]], f" — taking it back, {left}"
        else:
            answers, ending = [[(refuse, "take back")], [(refuse, "")]], f" — waiting for an answer, {after} in {left}"
        says = [f"You ask to {what}{ending}"]
        if not asked.is_answered:
            says += [f"You ask to {what} — waiting for an answer, {left}", f"You ask to {what} — no answer yet, {left}"]
        says += [f"You ask to {what}: {left}", f"{what}? {left}"]
    elif asked.is_answered:
        answers = [[]]
        says = [f"{who} wants to {what} — answered, waiting for the service", f"{who}: {what}, answered"]
    else:
        yes, no = _YES[asked.kind], _NO.get(str(asked.origin), "stay here")
        answers = [[(sign, yes), (refuse, no)], [(sign, "yes"), (refuse, "no")], [(sign, ""), (refuse, "")]]
        says = _wishes(state, asked, glyphs)
    right = first_fit([_keys(one) for one in answers], max(10, width * 2 // 5))
    room = width - row_width(right) - 1
    text = next((one for one in says if width_of(one) <= room), says[-1])
    rows = [spread([(glyphs.bar, _GROUND), (own_text(text, glyphs), "banner-strong")], right, width, glyphs, _GROUND)]
    if width >= 84 and not asked.is_answered:
        rows.append(_running_out(state, asked, width, glyphs))
    return rows


def wish(state: WatchState) -> str:
    """What the other asks for and this person has not answered: bea wants to PAUSE; nothing where it is nothing."""
    asked = state.pending
    if asked is None or asked.is_mine or asked.is_answered or not state.link.is_open:
        return ""
    return f"{words.shown_name(asked.by_name)} wants to {_what(state, asked)}"


def wishes(state: WatchState, glyphs: Glyphs) -> list[str]:
    """The same with what happens when nobody answers, and when, in fewer and fewer words."""
    return _wishes(state, state.pending, glyphs) if state.pending is not None and wish(state) else []


def offline(state: WatchState, width: int, glyphs: Glyphs, keys: Keymap) -> list[Row]:
    """Since when the line is away, when it is tried again, and what goes on meanwhile."""
    link = state.link
    if link.is_open or link.lost_at is None:
        return []
    away = words.seconds_text(state.now - link.lost_at)
    left = None if link.retry_at is None else math.ceil(link.retry_at - state.now)
    when = "now" if left is None or left <= 0 else f"in {left} s"
    why = f" ({clean(link.why)})" if clean(link.why) else ""
    key = keys.shown("resync", ascii_only=glyphs.is_ascii)
    says = [
        f"No line for {away}{why} — try {link.tries} {when}",
        f"No line for {away} — try {link.tries} {when}",
        f"No line {away}: try {link.tries} {when}",
    ]
    right = first_fit([_keys([(key, "now")], "bad-banner"), _keys([(key, "")], "bad-banner")], max(8, width // 4))
    room = width - row_width(right) - 1
    text = next((one for one in says if width_of(one) <= room), says[-1])
    first = spread(
        [(glyphs.bar, "bad-banner"), (own_text(text, glyphs), "bad-banner-strong")], right, width, glyphs, "bad-banner"
    )
    queued = state.chat.queued
    waits = f"; {queued} message{'' if queued == 1 else 's'} queued" if queued else ""
    here = "stands" if words.stands_here(state) or state.film.status != "play" else "goes on"
    goes_on = [f" the film {here} here, unsynced{waits}", f" unsynced{waits}"]
    second = next((one for one in goes_on if width_of(one) <= width - 1), goes_on[-1])
    return [first, fitted([(glyphs.bar, "bad-banner"), (second, "bad-banner")], width, glyphs, "bad-banner")]


# --- inside -----------------------------------------------------------------------------------------------------


def _is_about_to_go(state: WatchState, asked: Pending) -> bool:
    """What is agreed to by itself is settled a round trip later: a banner for that long would only flicker."""
    return asked.is_granted and state.now < asked.deadline - state.confirm_seconds + SETTLES_SECONDS


def _wishes(state: WatchState, asked: Pending, glyphs: Glyphs) -> list[str]:
    who, what, after = words.shown_name(asked.by_name), _what(state, asked), _afterwards(asked)
    left, target = words.countdown(asked.deadline, state.now), what.removeprefix("GO TO ")
    return [
        f"{who} wants to {what} — {after} in {left}",
        f"{who}: {what}? {after} {left}",
        f"{who}: {what}? {left}",
        f"{cut(who, 8, glyphs.ellipsis)}: {target}? {left}",
        f"{target}? {left}",
    ]


def _what(state: WatchState, asked: Pending) -> str:
    if isinstance(asked.target, str):
        return asked.target.upper()
    return f"GO TO {words.position_text(asked.target, state.film.length)}"


def _afterwards(asked: Pending) -> str:
    """What happens by itself when nobody answers."""
    return f"reverts to {_STATUS[asked.origin]}" if isinstance(asked.origin, str) else "forgotten"


def _keys(answers: list[tuple[str, str]], ground: Style = "banner") -> list[Segment]:
    """Keys and what they do: `[y] pause   [n] keep playing`."""
    key_style: Style = "banner-key" if ground == "banner" else "bad-banner-key"
    row: list[Segment] = []
    for key, label in answers:
        if key:
            row += [("  ", ground), (f"[{key}]", key_style), (f" {label}" if label else "", ground)]
    return [*row, (" ", ground)] if row else []


def _running_out(state: WatchState, asked: Pending, width: int, glyphs: Glyphs) -> Row:
    share = min(max((asked.deadline - state.now) / max(state.confirm_seconds, 1.0), 0.0), 1.0)
    cells = width - 4
    full = math.ceil(share * cells)
    bar = glyphs.full * full + glyphs.empty * (cells - full)
    return fitted([(glyphs.bar, _GROUND), (" ", _GROUND), (bar, _GROUND)], width, glyphs, _GROUND)
