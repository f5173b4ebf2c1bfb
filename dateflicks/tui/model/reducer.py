"""The reducer: from one state to the next. One function, total over all events; it never raises."""

from dataclasses import replace

from dateflicks.tui.model.events import Event, SessionOpened
from dateflicks.tui.model.state import WatchState


def reduce(state: WatchState, event: Event, now: float) -> WatchState:
    """The state after `event` at `now`; times before the newest one that is known count as that one."""
    if isinstance(event, SessionOpened):
        return WatchState(session_id=event.session_id, me=event.me, now=now)
    return replace(state, now=max(now, state.now))
