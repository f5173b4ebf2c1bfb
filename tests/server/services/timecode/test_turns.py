"""Turns: who has waited longest comes first, and nobody before their time."""

from hypothesis import given
from hypothesis import strategies as st

from dateflicks.server.services.timecode.turns import Turns


def test_nobody_is_due_where_nobody_waits() -> None:
    turns = Turns(5.0)
    assert turns.next_due() == float("inf")
    assert turns.due(1e9, 9) == []


def test_who_waited_long_enough_is_due_and_waits_anew() -> None:
    turns = Turns(5.0)
    turns.begin("ses_a", 100.0)
    turns.begin("ses_b", 101.0)
    assert turns.next_due() == 105.0
    assert turns.due(104.9, 9) == []
    assert turns.due(105.0, 9) == ["ses_a"]
    assert turns.next_due() == 106.0
    assert turns.due(111.0, 9) == ["ses_b", "ses_a"]


def test_who_begins_anew_or_ends_is_not_due() -> None:
    turns = Turns(5.0)
    turns.begin("ses_a", 100.0)
    turns.begin("ses_b", 100.0)
    turns.begin("ses_a", 103.0)
    turns.end("ses_b")
    turns.end("ses_b")
    assert turns.due(107.9, 9) == []
    assert turns.due(108.0, 9) == ["ses_a"]


def test_not_all_have_their_turn_at_one_go() -> None:
    turns = Turns(5.0)
    for session_id in ("ses_a", "ses_b", "ses_c"):
        turns.begin(session_id, 100.0)
    assert turns.due(105.0, 2) == ["ses_a", "ses_b"]
    assert turns.next_due() == 105.0
    assert turns.due(105.0, 2) == ["ses_c"]
    assert turns.due(105.0, 2) == []


def test_who_is_due_soon_may_have_their_turn_with_those_who_are_due() -> None:
    turns = Turns(5.0)
    for session_id, began in (("ses_a", 100.0), ("ses_b", 100.2), ("ses_c", 100.4)):
        turns.begin(session_id, began)
    assert turns.due(105.0, 9, ahead=0.25) == ["ses_a", "ses_b"]
    assert turns.next_due() == 105.4


@given(st.lists(st.tuples(st.sampled_from(["a", "b", "c", "d"]), st.floats(0, 3), st.booleans())))
def test_nobody_waits_longer_than_the_time_and_a_look(steps: list[tuple[str, float, bool]]) -> None:
    turns, since, now = Turns(5.0), dict[str, float](), 0.0
    for session_id, seconds, is_end in steps:
        now += seconds
        due = turns.due(now, 9)
        assert sorted(due) == sorted(name for name, began in since.items() if now >= began + 5.0)
        since.update(dict.fromkeys(due, now))
        if is_end:
            turns.end(session_id)
            since.pop(session_id, None)
        else:
            turns.begin(session_id, now)
            since[session_id] = now
        assert turns.next_due() == min(since.values(), default=float("inf")) + 5.0
