"""What time brings to a playback: deadlines, stalls, waits, the minimum rule, the end of the film.

`review` is called after everything that is said and at every wake-up; `next_wake` tells when it must be called again.
Both only look at the state and the time given.
"""

from collections.abc import Iterator

from dateflicks.core import limits
from dateflicks.core.playback.messages import Reason, Status, StatusChange
from dateflicks.core.playback.participant import Participant
from dateflicks.core.playback.patience import Outside, Wait, Why
from dateflicks.core.playback.state import PlaybackState

DESERTED_SECONDS = 60.0  # with nobody there for this long the film is taken to stand where the last one left it
RECOVER_SECONDS = 6.0  # how long those who come back to an unknown position are waited for: lines are tried every 5 s


def review(state: PlaybackState, now: float) -> None:
    """Carry out all that is due at `now`."""
    if state.status.pending is not None:
        _expire_pending(state, now)
    for one in state.participants.values():
        if one.excused_until is not None or one.stalled_since is not None:
            somebody_lags = True
            break
    else:
        somebody_lags = False
    if somebody_lags:
        _end_excuses(state, now)
    if state.deserted_at is not None:
        _freeze_deserted(state, now)
    if somebody_lags:
        _begin_waiting(state, now)
    if state.wait is not None:
        _end_waiting(state, now)
    if state.timeline.rate > 0 or state.outside is not None:
        _apply_minimum(state, now)
        _end_film(state, now)


def next_wake(state: PlaybackState) -> float | None:
    """The next instant at which `review` may have something to do, or None when only people can change anything."""
    wake = None
    for one in _wakes(state):
        if wake is None or one < wake:
            wake = one
    return wake


def _wakes(state: PlaybackState) -> Iterator[float]:
    if state.told:  # what time brought before an input that was refused has still to be handed out
        yield state.told_at
    if state.status.pending is not None:
        yield state.status.pending.deadline
    for one in state.participants.values():
        if one.excused_until is not None:
            yield one.excused_until
        if one.stalled_since is not None and _is_missed(one) and state.wait is None:
            over = max(one.stalled_since + limits.STALL_GRACE_SECONDS, state.timeline.at)
            if state.timeline.moves_at(over):  # else nobody ever waits for them
                yield over
    if state.wait is not None:
        yield state.wait.until
    if state.deserted_at is not None:
        yield state.deserted_at + DESERTED_SECONDS
    elif state.timeline.ends_at is not None and state.status.value.moves:
        yield state.timeline.ends_at
    if state.outside is not None:
        allowed = state.last_minimum + limits.MINIMUM_INTERVAL_SECONDS
        yield max(state.outside.since + limits.BAND_HOLD_SECONDS, allowed)


def _expire_pending(state: PlaybackState, now: float) -> None:
    pending = state.status.pending
    if pending is None or now < pending.deadline:
        return
    before = state.status.value
    state.status = state.status.expire(now)
    if isinstance(pending, StatusChange) and state.status.value.moves and not before.moves:
        state.start(now)
    state.tell(Reason.RESTORED, None, now)


def _end_excuses(state: PlaybackState, now: float) -> None:
    for user, one in list(state.participants.items()):
        if one.excused_until is not None and now >= one.excused_until:
            state.update(user, excused_until=None)
            if one.connected:
                state.tell(Reason.JOIN, user, now)


def _freeze_deserted(state: PlaybackState, now: float) -> None:
    """Nobody has been here for long: the film stands where the last one left, until somebody says otherwise."""
    if state.deserted_at is None or now < state.deserted_at + DESERTED_SECONDS:
        return
    position = state.timeline.position_at(state.deserted_at)
    state.deserted_at = None
    state.wait = None
    state.recovering, state.goes_on = True, False
    state.anchor(position, now, 0.0)


def _begin_waiting(state: PlaybackState, now: float) -> None:
    """One who was in step has not moved for longer than the grace: the timeline stands where they are."""
    for user, one in list(state.participants.items()):
        if one.stalled_since is None or not _is_missed(one):
            continue
        if state.wait is not None:
            if state.wait.why is Why.STALL and user not in state.wait.whom:
                state.wait = state.wait.also(user)
                state.tell(Reason.WAIT, user, now)
            continue
        if not state.timeline.moves_at(now) or now < one.stalled_since + limits.STALL_GRACE_SECONDS:
            continue
        here = state.timeline.position_at(now)
        smallest = state.position.minimum(now, {*state.counted(now), user})
        position = here if smallest is None else min(here, smallest[0])
        if not state.pull_backs.allows(now, here - position):
            state.excuse(user, now)
            state.tell(Reason.RESUME, user, now)
            continue
        state.pull_backs = state.pull_backs.after(now, here - position)
        state.anchor(position, now, 0.0)
        state.wait = Wait(Why.STALL, frozenset({user}), now + state.rules.wait_seconds)
        state.tell(Reason.WAIT, user, now)


def _is_missed(one: Participant) -> bool:
    """Whether the others wait when this one stalls: who was never in step, or is excused, holds nobody up."""
    return one.connected and one.in_step and not one.excused


def _end_waiting(state: PlaybackState, now: float) -> None:
    wait = state.wait
    if wait is None:
        return
    left = frozenset(user for user in wait.whom if not _ready(state, wait, user, now))
    if left and now < wait.until:
        return
    if wait.why is Why.RECOVER:
        _recover(state, now)
        return
    for user in left:
        state.excuse(user, now)
    state.schedule(now)
    state.tell(Reason.RESUME, min(left, default=None), now)


def _ready(state: PlaybackState, wait: Wait, user: str, now: float) -> bool:
    one = state.participants[user]
    if not one.connected:
        return wait.why not in (Why.LEAVE, Why.RECOVER)  # nobody waits for one who has gone, unless for their return
    if wait.why is Why.RECOVER:
        return one.reported_at is not None
    if not one.fresh(now, state.revision) or one.buffering:
        return False
    if wait.why is not Why.SEEK:
        return True
    position = state.position.of(user, now)
    return position is not None and abs(position - state.timeline.position) <= state.rules.band_seconds


def _recover(state: PlaybackState, now: float) -> None:
    """Those who came back have said where they are: where the film is, is the minimum of those who went on with it."""
    state.wait = None
    if not any(state.present()):
        return
    state.recovering = False
    here = [one.member.user_id for one in state.present() if one.reported_at is not None]
    moving = [user for user in here if user in state.moved_on]
    where = [max(state.moved_on[user], state.position.of(user, now) or 0.0) for user in moving]
    goes_on = bool(moving) or state.goes_on
    if not goes_on:  # who stands beyond it went on before they stood; who stands before it has a new player
        kept = state.timeline.position_at(now) + state.rules.band_seconds
        stands = [state.position.of(user, now) for user in here]
        where = [place for place in stands if place is not None and place > kept]
    if where:
        state.anchor(min(where), now, 0.0)
    if not goes_on:
        state.status = state.status.forced(Status.PAUSE, now)
        state.tell(Reason.PAUSE, None, now)
        return
    for user in moving:
        state.update(user, in_step=True)
    state.anchor(state.timeline.position_at(now), now + state.lead(), 1.0)
    state.tell(Reason.RESUME, None, now)


def _apply_minimum(state: PlaybackState, now: float) -> None:
    """Somebody stays behind, or all stay ahead: after a second outside the band the timeline goes to the minimum."""
    smallest = state.position.minimum(now, state.counted(now)) if state.timeline.moves_at(now) else None
    if smallest is None:
        state.outside = None
        return
    position, user = smallest
    difference = position - state.timeline.position_at(now)
    if abs(difference) <= state.rules.band_seconds:
        state.outside = None
        return
    side = -1 if difference < 0 else 1
    if state.outside is None or state.outside.side != side:
        state.outside = Outside(side, now)
    if now < state.outside.since + limits.BAND_HOLD_SECONDS:
        return
    if now < state.last_minimum + limits.MINIMUM_INTERVAL_SECONDS:
        return
    if side < 0 and not state.pull_backs.allows(now, -difference):
        state.excuse(user, now)
        state.outside = None
        state.tell(Reason.RESUME, user, now)
        return
    state.last_minimum = now
    state.pull_backs = state.pull_backs.after(now, -difference)
    state.anchor(position, now, 1.0)
    state.tell(Reason.MINIMUM, user, now)


def _end_film(state: PlaybackState, now: float) -> None:
    ends_at = state.timeline.ends_at
    if ends_at is None or now < ends_at or not state.status.value.moves or state.deserted_at is not None:
        return
    state.status = state.status.forced(Status.STOP, now)
    state.wait = None
    state.anchor(state.position.length, now, 0.0)
    state.tell(Reason.END, None, now)
