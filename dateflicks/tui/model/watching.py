"""How the film's line, the people and what is asked for change: by timecodes, by looks at the own player, by wishes."""

from dataclasses import replace
from typing import Final

import msgspec

from dateflicks.core.limits import SEEK_TOLERANCE_SECONDS
from dateflicks.protocol import frames
from dateflicks.protocol.timecode import seconds
from dateflicks.tui.model.events import Answered, Sampled, Wished
from dateflicks.tui.model.state import BUCKET_SECONDS, DRIFT_BUCKETS, Kind, Pending, Person, WatchState, Wish
from dateflicks.tui.model.telling import of_timecode, told

WISH_SECONDS: Final = 5.0  # a wish is asked again for a second and a round trip; then the person may as well know


def timecode(state: WatchState, frame: frames.TimecodeFrame) -> WatchState:
    """A timecode has come."""
    if frame.revision < state.revision or (state.session_id and frame.session_id != state.session_id):
        return state
    offset = state.offset if frame.clock_id == state.clock_id else None
    film = replace(
        state.film,
        length=frame.length or state.film.length,
        status=frame.status,
        position=frame.current_position,
        at=state.now if offset is None else seconds(frame.at) - offset,
        rate=frame.rate,
        reason=frame.reason,
        waiting_for=tuple(frame.waiting_for),
    )
    people = _people(state, frame)
    after = replace(
        state,
        film=film,
        people=people,
        pending=_pending(state, frame, offset),
        revision=frame.revision,
        at_ms=frame.at,
        clock_id=frame.clock_id,
        offset=offset,
        invitation="" if any(one.is_here and not one.is_me for one in people) else state.invitation,
    )
    if frame.limits is not msgspec.UNSET:
        after = replace(after, band=frame.limits.band_seconds, confirm_seconds=frame.limits.confirm_seconds)
    if state.wish is not None and _is_answered(state.wish, frame, state.me):
        after = replace(after, wish=None)
    is_news = frame.revision > state.revision >= 0
    text = of_timecode(state, after, frame) if is_news else ""
    return told(after, text) if text else after


def sampled(state: WatchState, event: Sampled) -> WatchState:
    """A look at viewer and player."""
    drift = None if event.error is None else -event.error
    film, pending = state.film, state.pending
    offset = state.offset if event.offset is None else event.offset
    if event.line is not None:
        film = replace(film, position=event.line.position, at=event.line.at, rate=event.line.rate)
    elif offset is not None and state.revision >= 0:
        film = replace(film, at=seconds(state.at_ms) - offset)
    if pending is not None and offset is not None:
        pending = replace(pending, deadline=_deadline(pending.deadline_ms, offset, state))
    player = state.player
    if event.position is not None and not player.is_attached:
        player = replace(player, is_attached=True, trouble="")
    link = state.link
    if event.round_trip is not None and event.round_trip < float("inf"):
        link = replace(link, round_trip=event.round_trip)
    people = tuple(
        replace(one, drift=drift, position=event.position if event.position is not None else one.position)
        if one.is_me
        else one
        for one in state.people
    )
    after = replace(
        state,
        film=film,
        pending=pending,
        offset=offset,
        drift=drift,
        position=event.position,
        player=player,
        link=link,
        people=people,
    )
    return with_history(after, _worst(after))


def wished(state: WatchState, event: Wished) -> WatchState:
    """The own person asks for something."""
    pending = state.pending
    if not state.link.is_open:
        away = "The line is away: nobody can move the film until it is back."
        if event.kind != "seek":
            away = "The line is away: only your own player hears this."
        return told(state, away, is_trouble=True)
    if pending is not None and not pending.is_mine and _settles(pending, event.kind, event.target):
        return replace(state, pending=replace(pending, is_answered=True))
    if event.kind != "seek" and event.kind == state.film.status and pending is None:
        return state
    return replace(state, wish=Wish(kind=event.kind, target=event.target, at=state.now))


def answered(state: WatchState, event: Answered) -> WatchState:
    """The own person has answered, or takes back what they asked for."""
    if state.pending is None or (state.pending.is_mine and event.agreed):
        return state
    return replace(state, pending=replace(state.pending, is_answered=True))


def expired(state: WatchState) -> WatchState:
    """Time has passed: a wish that nobody has answered is given up, and said to be."""
    if state.wish is not None and state.now > state.wish.at + WISH_SECONDS:
        return told(replace(state, wish=None), "The service has not answered. Ask again.", is_trouble=True)
    return state


def with_history(state: WatchState, drift: float | None) -> WatchState:
    """The history of drift moved on to now, with `drift` in its newest bucket when that is the worst of it."""
    number = int(state.now // BUCKET_SECONDS)
    history, gap = state.drift_history, number - state.drift_bucket
    if not history:
        history = (None,)
    elif gap > 0:
        history = (*history, *([None] * min(gap, DRIFT_BUCKETS)))[-DRIFT_BUCKETS:]
    elif drift is None:
        return state
    if drift is not None:
        last = history[-1]
        history = (*history[:-1], abs(drift) if last is None else max(last, abs(drift)))
    return replace(state, drift_history=history, drift_bucket=max(number, state.drift_bucket))


# --- inside -----------------------------------------------------------------------------------------------------


def _people(state: WatchState, frame: frames.TimecodeFrame) -> tuple[Person, ...]:
    """Everybody: the own person first, then the host, then in the order in which they are told of."""
    known = {one.user_id: one for one in state.people}
    found = [
        Person(
            user_id=user_id,
            name=told_.name or (known[user_id].name if user_id in known else ""),
            role=told_.role,
            is_me=user_id == state.me,
            is_here=told_.connected,
            is_buffering=told_.buffering,
            is_excused=told_.excused is True,
            status=told_.status,
            position=told_.position,
            drift=state.drift if user_id == state.me and state.drift is not None else told_.drift,
        )
        for user_id, told_ in frame.participants.items()
    ]
    away = [replace(one, is_here=False) for one in state.people if one.user_id not in frame.participants]
    return tuple(sorted([*found, *away], key=lambda one: (not one.is_me, one.role != "host")))


def _pending(state: WatchState, frame: frames.TimecodeFrame, offset: float | None) -> Pending | None:
    told_ = frame.pending
    if told_ is None:
        return None
    kind: Kind = told_.to if isinstance(told_.to, str) else "seek"
    is_mine = told_.by == state.me
    before = state.pending
    is_same = before is not None and (before.deadline_ms, before.kind) == (told_.deadline, kind)
    if offset is None and is_same and before is not None:
        deadline = before.deadline
    elif offset is None:
        # Without the server's clock: as long as there was from the instant that the timecode speaks of.
        left = seconds(told_.deadline - frame.at)
        deadline = state.now + min(max(left, 0.0), state.confirm_seconds)
    else:
        deadline = _deadline(told_.deadline, offset, state)
    is_granted = not is_mine and state.consent.of(kind) != "ask"
    return Pending(
        kind=kind,
        by=told_.by,
        by_name=(frame.participants[told_.by].name if told_.by in frame.participants else "") or state.name(told_.by),
        is_mine=is_mine,
        origin=told_.from_,
        target=told_.to,
        deadline=deadline,
        deadline_ms=told_.deadline,
        is_granted=is_granted,
        is_answered=is_granted or (is_same and before is not None and before.is_answered),
    )


def _deadline(deadline_ms: float, offset: float, state: WatchState) -> float:
    """The server's deadline on the own clock; never further away than the service waits at all."""
    return min(seconds(deadline_ms) - offset, state.now + state.confirm_seconds)


def _settles(pending: Pending, kind: Kind, target: float | None) -> bool:
    """Whether asking for this agrees to what is pending, or refuses it."""
    if isinstance(pending.target, str):
        return kind in (pending.target, pending.origin)
    return kind == "seek" and target is not None and abs(pending.target - target) <= SEEK_TOLERANCE_SECONDS


def _is_answered(wish: Wish, frame: frames.TimecodeFrame, me: str) -> bool:
    """Whether the service has said anything about a wish: that it waits, that it is so, or that it is not to be."""
    pending = frame.pending
    if frame.reason in ("refused", "restored", "end"):
        return True
    if wish.kind == "seek":
        waits = pending is not None and pending.by == me and not isinstance(pending.to, str)
        return waits or (frame.reason == "seek" and pending is None)
    if pending is not None:
        return pending.by == me and pending.to == wish.kind
    return frame.status == wish.kind


def _worst(state: WatchState) -> float | None:
    """The largest drift of all who are here, as long as the film moves and there is a line."""
    if not state.link.is_open or state.film.rate == 0:
        return None
    drifts = [one.drift for one in state.people if one.is_here and one.drift is not None]
    if state.drift is not None:
        drifts.append(state.drift)
    return max(map(abs, drifts), default=None)
