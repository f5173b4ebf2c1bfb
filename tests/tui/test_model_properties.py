"""The reducer under any order of events: it never raises, and what must hold of a state holds of every state."""

from hypothesis import given
from hypothesis import strategies as st

from dateflicks.client.chat_updates import (
    Said,
)
from dateflicks.tui.model import (
    Event,
    LinkChanged,
    SessionOpened,
    WatchState,
    reduce,
)
from dateflicks.tui.model.state import CHAT_KEPT, DRIFT_BUCKETS, TOASTS_KEPT
from tests.tui.evenings import message, opened
from tests.tui.happenings import ANY_EVENING, EVENINGS, SEQS


def holds(state: WatchState) -> None:
    """What must be so of every state."""
    entries = state.chat.entries
    numbers = [one.seq for one in entries if one.seq is not None]
    assert numbers == sorted(set(numbers))
    assert all(one.seq is None for one in entries[len(numbers) :])
    assert len({one.key for one in entries}) == len(entries) <= 2 * CHAT_KEPT + 700
    assert len({one.id for one in state.bets.items}) == len(state.bets.items)
    assert [one.created_at for one in state.bets.items] == sorted(
        (one.created_at for one in state.bets.items), reverse=True
    )
    assert len(state.drift_history) <= DRIFT_BUCKETS
    assert all(one is None or one >= 0 for one in state.drift_history)
    assert len(state.toasts) <= TOASTS_KEPT
    assert all(one.until > state.now for one in state.toasts)
    assert all(until > state.now for until in state.chat.typing.values())
    assert state.film.position_at(state.now) >= 0
    assert state.pending is None or state.pending.deadline <= state.now + state.confirm_seconds
    assert state.wish is None or state.link.is_open
    assert state.together >= 0
    assert sum(one.is_me for one in state.people) <= 1


@ANY_EVENING
@given(EVENINGS)
def test_any_order_of_events_leads_to_a_state_that_makes_sense(evening: list[tuple[float, Event]]) -> None:
    state = WatchState()
    start: list[tuple[float, Event]] = [(0.0, opened()), (0.0, LinkChanged(True))]
    for now, event in start + evening:
        before = state
        state = reduce(state, event, now)
        assert state.now >= before.now
        holds(state)


@ANY_EVENING
@given(EVENINGS)
def test_revisions_never_go_back_within_one_session(evening: list[tuple[float, Event]]) -> None:
    state = reduce(WatchState(), opened(), 0.0)
    for now, event in evening:
        before, state = state, reduce(state, event, now)
        if isinstance(event, SessionOpened):
            continue
        assert state.revision >= before.revision
        known = {one.id: one.revision for one in before.bets.items}
        assert all(one.revision >= known.get(one.id, 0) for one in state.bets.items)
        assert all(state.chat.read.get(who, 0) >= seq for who, seq in before.chat.read.items())


@ANY_EVENING
@given(st.permutations(range(1, 9)), st.data())
def test_a_talk_is_the_same_in_whatever_order_it_comes(order: list[int], data: st.DataObject) -> None:
    again = data.draw(st.lists(SEQS.filter(lambda seq: seq < 9), max_size=8))
    state = reduce(WatchState(), opened(), 0.0)
    for seq in [*order, *again]:
        state = reduce(state, Said(message(seq), True), 1.0)
    assert [one.seq for one in state.chat.entries] == list(range(1, 9))


@ANY_EVENING
@given(EVENINGS)
def test_the_same_events_lead_to_the_same_state(evening: list[tuple[float, Event]]) -> None:
    first = second = WatchState()
    for now, event in evening:
        first, second = reduce(first, event, now), reduce(second, event, now)
    assert first == second
