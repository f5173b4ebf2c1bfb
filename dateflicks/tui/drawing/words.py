"""Words and numbers for the screen: positions, drifts, countdowns, who is who, and whether all are together."""

import math

from dateflicks.client.sentences import clock_text
from dateflicks.tui.drawing.cells import clean, cut
from dateflicks.tui.glyphs import Glyphs
from dateflicks.tui.model.state import Person, WatchState
from dateflicks.tui.themes import Style

NAME_CELLS = 16
_WORDS = {"play": "PLAYING", "pause": "PAUSED", "stop": "STOPPED"}
_STILL = {"pause": "paused", "stop": "stopped"}


def position_text(position: float, length: float = 0.0) -> str:
    """A position, with hours if the film has any."""
    text = clock_text(max(0.0, position))
    return f"0:{int(position) // 60:02d}:{int(position) % 60:02d}" if length >= 3600 > position >= 0 else text


def signed(drift: float, glyphs: Glyphs) -> str:
    """A drift as a signed number: milliseconds below a second, then seconds, then minutes."""
    sign = glyphs.minus if drift < 0 else "+"
    size = abs(drift)
    milliseconds = math.floor(size * 1000 + 0.5)
    if milliseconds == 0:
        return "+0 ms"
    if milliseconds < 1000:
        return f"{sign}{milliseconds} ms"
    if size < 59.95:
        return f"{sign}{size:.1f} s"
    return f"{sign}{clock_text(size)}"


def size_text(drift: float) -> str:
    """A drift without its sign, as in a sentence: 40 ms, 0.3 s."""
    size = abs(drift)
    if size < 0.0995:
        return f"{math.floor(size * 1000 + 0.5)} ms"
    return f"{size:.1f} s" if size < 59.95 else clock_text(size)


def round_trip_text(round_trip: float | None) -> str:
    """A round trip, or nothing while it is not known."""
    if round_trip is None:
        return ""
    if round_trip < 0.001:
        return "<1 ms"
    return f"{round_trip * 1000:.0f} ms" if round_trip < 1 else f"{round_trip:.1f} s"


def countdown(deadline: float, now: float) -> str:
    """What is left of a time, rounded up: 0:47."""
    return clock_text(math.ceil(max(0.0, deadline - now)))


def seconds_text(seconds: float) -> str:
    """A time that passes: 9 s, 4:05."""
    whole = int(max(0.0, seconds))
    return f"{whole} s" if whole < 100 else clock_text(whole)


def name_of(state: WatchState, user_id: str | None, cells: int = NAME_CELLS) -> str:
    """What to call somebody, fit to be drawn."""
    return shown_name(state.name(user_id), cells)


def shown_name(name: str, cells: int = NAME_CELLS) -> str:
    """A name, fit to be drawn."""
    return cut(clean(name), cells) or "somebody"


def person_name(person: Person, cells: int = NAME_CELLS) -> str:
    """Somebody's name, or "you"."""
    return "you" if person.is_me else shown_name(person.name or f"the {person.role}", cells)


def marks(state: WatchState) -> dict[str, str]:
    """One letter for each person: H for the host, G for the guest, 2, 3 … for more of them."""
    found: dict[str, str] = {}
    guests = 0
    for one in sorted(state.people, key=lambda each: each.user_id):
        if one.role == "host":
            found[one.user_id] = "H"
        else:
            guests += 1
            found[one.user_id] = "G" if guests == 1 else str(min(guests, 9))
    return found


def mark_style(person: Person) -> Style:
    """The colour of somebody's mark; the letter says who it is without it."""
    return "host" if person.role == "host" else "guest"


def is_synced(state: WatchState) -> bool:
    """Whether there is a line, so that what is known of the others is so."""
    return state.link.is_open and state.revision >= 0


def is_new(state: WatchState) -> bool:
    """Whether there has been no line yet: nothing is lost, it only has not begun."""
    return state.link.lost_at is None and state.revision < 0


def status_word(state: WatchState) -> str:
    """What the film does, in capitals."""
    film = state.film
    word = _WORDS["pause" if stands_here(state) else film.status]
    if film.status == "play" and film.rate == 0 and film.waiting_for and is_synced(state):
        word = "WAITING"
    return word if is_synced(state) or is_new(state) else f"{word} (unsynced)"


def stands_here(state: WatchState) -> bool:
    """Whether the film, which plays as far as is known of the others, was stopped here while the line is away."""
    return state.link.lost_at is not None and state.film.status == "play" and state.film.rate == 0


def status_glyph(state: WatchState, glyphs: Glyphs) -> str:
    """The same as a sign."""
    if stands_here(state):
        return glyphs.pause
    if state.film.status == "play":
        return glyphs.wait if state.film.rate == 0 and state.film.waiting_for else glyphs.play
    return glyphs.pause if state.film.status == "pause" else glyphs.stop


def drift_of(state: WatchState, person: Person) -> float | None:
    """How far somebody is ahead, as far as it is known now."""
    if person.is_me:
        return state.drift
    return person.drift if is_synced(state) and person.is_here else None


def verdict(state: WatchState) -> tuple[str, Style]:
    """Whether all are together, in a few words."""
    if state.is_over:
        return "over", "dim"
    if is_new(state) and state.invitation:
        return "no guest yet", "dim"
    if not state.link.is_open:
        return ("connecting", "dim") if is_new(state) else ("no line: unsynced", "bad")
    if state.revision < 0:
        return "connecting", "dim"
    if state.film.waiting_for:
        names = [name_of(state, one, 12) for one in state.film.waiting_for]
        return f"waiting for {' and '.join(names[:2])}", "warning"
    others = [one for one in state.people if not one.is_me]
    if not any(one.is_here for one in others):
        return (f"{person_name(others[0], 12)} is away" if others else "nobody else yet"), "warning"
    if not state.player.is_attached:
        return "no player: unsynced", "bad"
    stalled = next((one for one in state.people if one.is_here and one.is_buffering), None)
    if stalled is not None:
        return f"{person_name(stalled, 12)} {'are' if stalled.is_me else 'is'} buffering", "warning"
    if state.film.status != "play":
        return f"{_STILL[state.film.status]} together", "good"
    return _following(state)


def _following(state: WatchState) -> tuple[str, Style]:
    """How the one who is furthest off gets back in step."""
    drifts = [(drift, one) for one in state.people if (drift := drift_of(state, one)) is not None and one.is_here]
    drift, worst = max(drifts, key=lambda one: abs(one[0]), default=(None, None))
    if drift is None or worst is None:
        return "measuring", "dim"
    if abs(drift) <= state.band:
        return "in sync", "good"
    who = "" if worst.is_me else f"{person_name(worst, 12)} "
    if worst.is_excused:
        return f"{who}{size_text(drift)} {'behind' if drift < 0 else 'ahead'}, excused", "warning"
    if drift < 0:
        return f"{who}{size_text(drift)} behind, catching up", "warning"
    return f"{who}{size_text(drift)} ahead, falling back", "warning"
