"""Toasts: what is told once and goes by itself; and what a change of the film is called when it is told."""

from dataclasses import replace
from typing import Final

from dateflicks.client.sentences import clock_text
from dateflicks.protocol.frames import StatusWord, TimecodeFrame
from dateflicks.tui.model.state import TOASTS_KEPT, Toast, WatchState

_GOES_ON: Final[dict[StatusWord, str]] = {"play": "the film plays", "pause": "still paused", "stop": "still stopped"}


def told(state: WatchState, text: str, *, is_trouble: bool = False) -> WatchState:
    """Tell something; the same again only stays longer."""
    kept = tuple(one for one in state.toasts if one.text != text)
    toasts = (*kept, Toast(text=text, at=state.now, is_trouble=is_trouble))
    return replace(state, toasts=toasts[-TOASTS_KEPT:])


def of_timecode(before: WatchState, after: WatchState, frame: TimecodeFrame) -> str:
    """What a person who looks elsewhere should hear of a timecode; nothing where the screen says it all."""
    who = after.name(frame.by)
    is_mine = frame.by == after.me
    match frame.reason:
        case "refused" if is_mine and before.pending is not None and before.pending.is_mine:
            return f"Taken back: {_GOES_ON[frame.status]}."
        case "refused" if before.pending is not None and before.pending.by == frame.by:
            return f"{_begin(who)} took it back: {_GOES_ON[frame.status]}."
        case "refused":
            return f"{_begin(who)} said no: {_GOES_ON[frame.status]}."
        case "restored":
            return f"Nobody answered in time: {_GOES_ON[frame.status]}."
        case "join" if not is_mine:
            return f"{_begin(who)} is here."
        case "leave" if not is_mine:
            return f"{_begin(who)} has gone; the place is kept."
        case "minimum":
            return f"Back to {clock_text(frame.current_position)}, where {who} {'are' if is_mine else 'is'}."
        case "resume" if (
            not is_mine and frame.by in frame.participants and frame.participants[frame.by].excused is True
        ):
            return f"On again, for now without {who}."
        case "end":
            return "The film is over."
        case _:
            return ""


def _begin(who: str) -> str:
    """At the beginning of a sentence; somebody's own name stays as they write it."""
    return who.capitalize() if who in ("you", "somebody", "the host", "the guest") else who
