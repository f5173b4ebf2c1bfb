"""All running playbacks: made from the records, requests handed to the right one, wake-ups carried out in order."""

import pytest

from dateflicks.core.errors import Conflict, NotFound
from dateflicks.core.playback import (
    Cause,
    PlaybackCollection,
    PlaybackRules,
    Reason,
    Status,
    TimecodeRecord,
    TimecodeRequest,
)
from tests.core.playback.scene import EVENING, member, refused

PLAY, PAUSE, STOP = Status.PLAY, Status.PAUSE, Status.STOP


def record(session: str, position: float = 0.0, status: Status = STOP) -> TimecodeRecord:
    return TimecodeRecord(
        session_id=session,
        length=7_200.0,
        current_position=position,
        status=status,
        settled=status,
        last_status_change=EVENING,
        at=EVENING,
    )


def act(session: str, user: str, status: Status, revision: int | None = None) -> TimecodeRequest:
    return TimecodeRequest(
        session_id=session,
        user_id=user,
        current_position=0.0,
        status=status,
        is_host=user == "host",
        cause=Cause.USER,
        revision=revision,
    )


def filled(*sessions: str, rules: PlaybackRules | None = None) -> PlaybackCollection:
    """Each session with both people there and the film running."""
    collection = PlaybackCollection((record(session) for session in sessions), EVENING, rules)
    for session in sessions:
        for user in ("host", "guest"):
            collection.control(session).join(member(user), EVENING)
        for user in ("host", "guest"):
            collection.receive(act(session, user, PLAY), EVENING)
    return collection


def test_it_is_made_from_the_timecode_records() -> None:
    collection = PlaybackCollection([record("ses_a", 10.0, PAUSE), record("ses_b", 20.0)], EVENING)
    assert len(collection) == 2
    assert "ses_a" in collection
    events = {control.state.session_id: control.to_timecode_event(EVENING) for control in collection}
    assert (events["ses_a"].current_position, events["ses_a"].status) == (10.0, PAUSE)
    assert (events["ses_b"].current_position, events["ses_b"].status) == (20.0, STOP)


def test_a_session_without_a_timecode_is_not_found() -> None:
    collection = PlaybackCollection((), EVENING)
    refused(lambda: collection.control("ses_a"), NotFound)
    refused(lambda: collection.receive(act("ses_a", "host", PLAY), EVENING), NotFound)
    assert "ses_a" not in collection


def test_a_created_playback_is_at_stop_and_needs_no_waking() -> None:
    collection = PlaybackCollection((), EVENING)
    event = collection.create("ses_a", 5_400.0, EVENING).to_timecode_event(EVENING)
    assert (event.status, event.length, event.current_position) == (STOP, 5_400.0, 0.0)
    assert collection.next_wake() is None
    assert list(collection.advance(EVENING + 1e6)) == []


def test_a_request_moves_its_own_session_only() -> None:
    collection = filled("ses_a", "ses_b")
    events = collection.receive(act("ses_a", "host", PAUSE), EVENING + 1)
    assert [event.session_id for event in events] == ["ses_a"]
    assert collection.control("ses_a").to_timecode_event(EVENING + 1).status is PAUSE
    assert collection.control("ses_b").to_timecode_event(EVENING + 1).status is PLAY


def test_its_rules_hold_for_all_sessions() -> None:
    collection = filled("ses_a", "ses_b", rules=PlaybackRules(confirm_seconds=5.0))
    for session in ("ses_a", "ses_b"):
        collection.receive(act(session, "host", PAUSE), EVENING + 1)
    assert collection.next_wake() == EVENING + 6


def test_what_is_due_is_carried_out_in_the_order_in_which_it_fell_due() -> None:
    collection = filled("ses_a", "ses_b", "ses_c")
    for delay, session in ((3, "ses_a"), (1, "ses_b"), (2, "ses_c")):
        collection.receive(act(session, "host", PAUSE), EVENING + delay)
    assert collection.next_wake() == EVENING + 61
    carried = collection.advance(EVENING + 62)
    assert [control.state.session_id for control, _ in carried] == ["ses_b", "ses_c"]
    assert all(events[0].reason is Reason.RESTORED for _, events in carried)
    assert collection.next_wake() == EVENING + 63


def test_those_that_are_due_can_be_taken_and_carried_out_one_by_one() -> None:
    collection = filled("ses_a", "ses_b", "ses_c")
    for delay, session in ((3, "ses_a"), (1, "ses_b"), (2, "ses_c")):
        collection.receive(act(session, "host", PAUSE), EVENING + delay)
    due = collection.take_due(EVENING + 62)
    assert [control.state.session_id for control in due] == ["ses_b", "ses_c"]
    assert collection.next_wake() == EVENING + 63
    collection.touched("ses_b")  # not carried out yet: still due
    assert collection.next_wake() == EVENING + 61
    assert [event.reason for event in due[0].advance(EVENING + 62)] == [Reason.RESTORED]


def test_after_all_that_was_due_the_next_wake_up_lies_ahead() -> None:
    collection = filled("ses_a", "ses_b")
    now = EVENING
    for _ in range(200):
        wake = collection.next_wake()
        if wake is None:
            break
        assert wake > now
        now = wake
        collection.advance(now)
    assert collection.next_wake() is None


def test_a_wake_up_that_was_overtaken_does_nothing() -> None:
    collection = filled("ses_a")
    collection.receive(act("ses_a", "host", PAUSE), EVENING + 1)
    collection.receive(act("ses_a", "guest", PAUSE), EVENING + 2)
    assert collection.next_wake() is None
    assert list(collection.advance(EVENING + 100)) == []


def test_a_forgotten_session_is_not_woken() -> None:
    collection = filled("ses_a", "ses_b")
    collection.receive(act("ses_a", "host", PAUSE), EVENING + 1)
    collection.forget("ses_a")
    collection.forget("ses_a")
    collection.touched("ses_a")
    assert "ses_a" not in collection
    assert all(control.state.session_id == "ses_b" for control, _ in collection.advance(EVENING + 100))


def test_a_session_that_is_forgotten_and_restored_is_woken() -> None:
    collection = filled("ses_a")
    collection.receive(act("ses_a", "host", PAUSE), EVENING + 1)
    kept = collection.control("ses_a").to_record(EVENING + 1)
    collection.forget("ses_a")
    assert collection.next_wake() is None
    collection.restore(kept, EVENING + 2)
    assert collection.next_wake() == EVENING + 61


def test_what_time_brought_before_a_refused_request_is_still_told() -> None:
    collection = filled("ses_a")
    seen = collection.control("ses_a").to_timecode_event(EVENING + 1).revision
    collection.receive(act("ses_a", "host", PAUSE), EVENING + 1)
    late = EVENING + 61.5
    refused(lambda: collection.receive(act("ses_a", "guest", STOP, revision=seen), late), Conflict, "stale")
    told = [event for _, events in collection.advance(late) for event in events]
    assert [event.reason for event in told] == [Reason.RESTORED]


@pytest.mark.parametrize("sessions", [1, 20])
def test_many_changes_do_not_make_the_queue_grow(sessions: int) -> None:
    names = [f"ses_{number}" for number in range(sessions)]
    collection = filled(*names)
    now = EVENING
    for _ in range(500):
        now += 0.01
        for name in names:
            collection.receive(act(name, "host", PAUSE), now)
            collection.receive(act(name, "host", PLAY), now)
    assert len(collection._queue) <= 4 * (sessions + 1)
    assert collection.next_wake() is not None


def test_forgotten_sessions_leave_nothing_behind() -> None:
    collection = PlaybackCollection((), EVENING)
    for number in range(500):
        name = f"ses_{number}"
        collection.restore(filled(name).control(name).to_record(EVENING), EVENING)
        collection.forget(name)
    assert len(collection) == 0
    assert collection.next_wake() is None
    assert not collection._queue
