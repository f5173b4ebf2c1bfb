"""A change of status between two people and more: who asks, who agrees, who refuses, and what silence does."""

from dataclasses import replace
from itertools import product

import pytest

from dateflicks.core.errors import Conflict, Forbidden, Invalid, NotFound
from dateflicks.core.playback import Cause, Reason, SeekChange, Status, StatusChange, TimecodeRequest
from dateflicks.core.playback.status import Outcome, PlaybackStatus
from tests.core.playback.scene import PARTY, Scene, refused

PLAY, PAUSE, STOP = Status.PLAY, Status.PAUSE, Status.STOP


def pending(scene: Scene) -> StatusChange:
    change = scene.event.pending
    assert isinstance(change, StatusChange)
    return change


# --- the facts of the original system ---------------------------------------------------------------------------------


def test_a_new_session_is_at_stop() -> None:
    assert PlaybackStatus().value is STOP
    assert Scene().event.status is STOP


def test_it_plays_when_both_say_play() -> None:
    scene = Scene("host", "guest")
    scene.act("host", PLAY)
    assert scene.event.status is STOP
    scene.act("guest", PLAY)
    assert scene.event.status is PLAY
    assert scene.event.pending is None
    assert scene.line.reason is Reason.PLAY


def test_a_minute_without_an_answer_brings_the_status_before_the_change_back() -> None:
    scene = Scene.playing("host", "guest")
    scene.act("guest", STOP)
    assert scene.event.status is STOP
    scene.wait(59.999)
    assert scene.event.status is STOP
    scene.wait(0.001)
    assert scene.event.status is PLAY
    assert scene.line.reason is Reason.RESTORED
    assert scene.event.pending is None


# --- asking -----------------------------------------------------------------------------------------------------------


def test_stillness_takes_effect_at_once_and_is_pending() -> None:
    scene = Scene.playing("host", "guest")
    scene.run(5, host=0, guest=0)
    scene.act("host", PAUSE)
    assert scene.line.status is PAUSE
    assert scene.line.rate == 0
    assert scene.line.last_status_change == scene.now
    assert (scene.line.reason, scene.line.by) == (Reason.PAUSE, "host")
    assert (pending(scene).by, pending(scene).origin, pending(scene).target) == ("host", PLAY, PAUSE)
    assert pending(scene).deadline == scene.now + 60


def test_motion_waits_for_everybody() -> None:
    scene = Scene("host", "guest", "third")
    scene.tick("host", "guest", "third")
    scene.act("guest", PLAY)
    assert scene.event.status is STOP
    scene.act("third", PLAY)
    assert scene.event.status is STOP
    assert scene.line.pending is not None
    scene.act("host", PLAY)
    assert scene.event.status is PLAY
    assert scene.line.rate == 1


def test_the_change_of_status_is_dated_when_the_status_changes() -> None:
    scene = Scene("host", "guest")
    scene.wait(5)
    scene.act("host", PLAY)
    assert scene.event.last_status_change == scene.now - 5
    scene.wait(2)
    scene.act("guest", PLAY)
    assert scene.event.last_status_change == scene.now
    scene.wait(3)
    scene.act("guest", PAUSE)
    paused_at = scene.now
    scene.wait(1)
    scene.act("host", PAUSE)
    assert scene.event.last_status_change == paused_at


def test_asking_for_what_is_already_so_does_nothing() -> None:
    scene = Scene("host", "guest")
    before = scene.event.revision
    scene.act("host", STOP)
    assert scene.event.pending is None
    assert scene.event.revision == before


def test_asking_twice_is_asking_once() -> None:
    scene = Scene("host", "guest")
    scene.act("host", PLAY)
    first = pending(scene)
    scene.wait(10)
    scene.act("host", PLAY)
    assert pending(scene) == first


def test_who_is_alone_after_the_other_has_gone_asks_nobody() -> None:
    scene = Scene.playing("host", "guest")
    scene.leave("guest")
    scene.act("host", PAUSE)
    assert scene.event.status is PAUSE
    assert scene.event.pending is None


def test_a_host_who_waits_for_a_guest_that_has_never_come_is_not_answered_by_silence() -> None:
    scene = Scene("host")
    scene.act("host", PLAY)
    assert scene.event.status is STOP
    scene.join("guest")
    assert pending(scene).awaited == {"guest"}
    scene.act("guest", PLAY)
    assert scene.event.status is PLAY


def test_one_who_comes_later_than_the_question_is_not_waited_for() -> None:
    scene = Scene("host", "guest")
    scene.act("host", PLAY)
    scene.join("third")
    scene.act("third", PLAY)
    assert scene.event.status is STOP
    scene.act("guest", PLAY)
    assert scene.event.status is PLAY


# --- confirming -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("people", range(2, 9))
def test_a_pause_stays_once_all_others_have_confirmed_it(people: int) -> None:
    users = PARTY[:people]
    scene = Scene.playing(*users)
    scene.act(users[-1], PAUSE)
    for user in users[:-1]:
        assert scene.event.pending is not None
        scene.act(user, PAUSE)
    assert scene.event.pending is None
    scene.wait(120)
    assert scene.event.status is PAUSE
    assert {view.status for view in scene.event.participants.values()} == {PAUSE}


def test_the_same_one_confirming_twice_does_not_stand_in_for_another() -> None:
    scene = Scene("host", "guest", "third")
    scene.act("host", PLAY)
    scene.act("guest", PLAY)
    scene.act("guest", PLAY)
    assert scene.event.status is STOP
    assert pending(scene).awaited == {"third"}


def test_a_report_without_a_cause_confirms_when_it_says_the_pending_status() -> None:
    scene = Scene.playing("host", "guest")
    scene.act("host", PAUSE)
    scene.report("guest", status=PAUSE, cause=None)
    assert scene.event.pending is None
    assert scene.event.status is PAUSE


# --- refusing ---------------------------------------------------------------------------------------------------------


def test_the_previous_status_is_back_at_once_when_the_other_says_it() -> None:
    scene = Scene.playing("host", "guest")
    scene.act("host", PAUSE)
    scene.wait(3)
    scene.act("guest", PLAY)
    assert scene.event.status is PLAY
    assert (scene.line.reason, scene.line.by) == (Reason.REFUSED, "guest")
    assert scene.line.rate == 1
    assert scene.line.last_status_change == scene.now


def test_the_previous_status_is_back_at_once_when_the_other_refuses() -> None:
    scene = Scene.playing("host", "guest")
    scene.act("host", PAUSE)
    scene.refuse("guest")
    assert scene.event.status is PLAY
    assert (scene.line.reason, scene.line.by) == (Reason.REFUSED, "guest")


def test_a_refused_start_leaves_everything_as_it_was() -> None:
    scene = Scene("host", "guest")
    dated = scene.event.last_status_change
    scene.wait(5)
    scene.act("host", PLAY)
    scene.act("guest", STOP)
    assert scene.event.status is STOP
    assert scene.line.reason is Reason.REFUSED
    assert scene.event.last_status_change == dated


def test_one_refusal_among_many_is_enough() -> None:
    scene = Scene.playing(*PARTY)
    scene.act("host", PAUSE)
    for user in PARTY[1:7]:
        scene.act(user, PAUSE)
    scene.refuse("eighth")
    assert scene.event.status is PLAY


def test_the_asker_may_take_it_back() -> None:
    scene = Scene.playing("host", "guest")
    scene.act("host", PAUSE)
    scene.refuse("host")
    assert scene.event.status is PLAY
    scene.act("host", PAUSE)
    scene.act("host", PLAY)
    assert scene.event.status is PLAY
    assert scene.event.pending is None


def test_there_is_nothing_to_refuse_when_nothing_is_pending() -> None:
    scene = Scene("host", "guest")
    refused(lambda: scene.refuse("guest"), Conflict, "nothing-pending")


def test_a_refusal_that_comes_after_the_deadline_finds_the_status_restored() -> None:
    scene = Scene.playing("host", "guest")
    scene.act("host", PAUSE)
    scene.now += 61  # nobody woke the playback meanwhile
    refused(lambda: scene.refuse("guest"), Conflict, "nothing-pending")
    wake = scene.control.next_wake()
    assert wake is not None
    assert wake <= scene.now, "everybody still has to be told that the status is back"
    scene.wait(0)
    assert Reason.RESTORED in scene.reasons
    assert scene.event.status is PLAY


def test_a_status_with_nothing_pending_is_not_changed_by_a_refusal_or_a_deadline() -> None:
    status = PlaybackStatus(PLAY, PLAY, 5.0)
    assert status.refuse("guest", 10.0).outcome is Outcome.NOTHING
    assert status.expire(10.0) == status


# --- a third status ---------------------------------------------------------------------------------------------------


def test_a_third_status_is_a_new_change_from_the_last_settled_one() -> None:
    scene = Scene.playing("host", "guest")
    scene.act("host", PAUSE)
    scene.wait(30)
    scene.act("guest", STOP)
    assert scene.event.status is STOP
    assert (pending(scene).by, pending(scene).origin, pending(scene).target) == ("guest", PLAY, STOP)
    assert pending(scene).deadline == scene.now + 60
    scene.wait(60)
    assert scene.event.status is PLAY


def test_the_first_asker_may_agree_to_the_third_status() -> None:
    scene = Scene.playing("host", "guest")
    scene.act("host", PAUSE)
    scene.act("guest", STOP)
    scene.act("host", STOP)
    assert scene.event.status is STOP
    assert scene.event.pending is None


def test_the_first_asker_does_not_ask_again_by_going_on_with_their_word() -> None:
    scene = Scene.playing("host", "guest")
    scene.act("host", PAUSE)
    scene.act("guest", STOP)
    scene.report("host", status=PAUSE, cause=None)
    assert pending(scene).target is STOP


@pytest.mark.parametrize(
    ("settled", "asked", "answer"), [(a, b, c) for a, b, c in product(Status, repeat=3) if a is not b]
)
def test_what_comes_of_an_answer(settled: Status, asked: Status, answer: Status) -> None:
    start = PlaybackStatus(settled, settled)
    asking = start.act("host", asked, 10.0, deadline=70.0, awaited=frozenset({"guest"}))
    assert asking.outcome is Outcome.ASKED
    assert asking.status.value is (settled if asked.moves else asked)

    acted = asking.status.act("guest", answer, 20.0, deadline=80.0, awaited=frozenset({"host"}))
    status = acted.status
    if answer is asked:
        assert (acted.outcome, status.value, status.settled, status.pending) == (Outcome.CONFIRMED, asked, asked, None)
    elif answer is settled:
        assert (acted.outcome, status.value, status.settled) == (Outcome.REFUSED, settled, settled)
        assert status.pending is None
    else:
        assert acted.outcome is Outcome.ASKED
        assert status.pending == StatusChange("guest", settled, answer, 80.0, frozenset({"host"}))
        assert status.value is (asking.status.value if answer.moves else answer)
        assert status.expire(80.0).value is settled


# --- what acts, and what never does -----------------------------------------------------------------------------------


@pytest.mark.parametrize("cause", [Cause.TICK, Cause.STALL, Cause.RESUME, Cause.SEEK])
def test_a_report_with_another_cause_never_acts(cause: Cause) -> None:
    scene = Scene.playing("host", "guest")
    scene.report("guest", status=PAUSE, cause=cause)
    assert scene.event.status is PLAY
    assert scene.event.pending is None


def test_who_has_not_answered_goes_on_with_the_old_word_and_thereby_says_nothing() -> None:
    scene = Scene.playing("host", "guest")
    scene.act("host", PAUSE)
    for _ in range(20):
        scene.report("guest", status=PLAY, cause=None)
        scene.wait(2)
    assert scene.event.status is PAUSE
    assert pending(scene).by == "host"


def test_at_a_settlement_all_words_become_the_status_in_force() -> None:
    scene = Scene.playing("host", "guest")
    scene.act("host", PAUSE)
    words = {user: view.status for user, view in scene.event.participants.items()}
    assert words == {"host": PAUSE, "guest": PLAY}
    scene.refuse("guest")
    words = {user: view.status for user, view in scene.event.participants.items()}
    assert words == {"host": PLAY, "guest": PLAY}
    scene.report("host", status=PAUSE, cause=None)
    assert pending(scene).by == "host", "the old word said again after a settlement is a new question"


def test_words_are_restored_with_the_status() -> None:
    scene = Scene.playing("host", "guest")
    scene.act("host", PAUSE)
    scene.wait(60)
    assert {view.status for view in scene.event.participants.values()} == {PLAY}
    scene.report("host", status=PLAY, cause=None)
    assert scene.event.pending is None


def test_an_act_made_under_an_older_revision_is_refused_and_says_so() -> None:
    scene = Scene.playing("host", "guest")
    seen = scene.event.revision
    scene.act("host", PAUSE)
    error = refused(lambda: scene.report("guest", status=STOP, cause=Cause.USER, revision=seen), Conflict, "stale")
    assert "ask again" in error.detail
    assert pending(scene).by == "host"


def test_a_report_without_a_cause_under_an_older_revision_does_not_act() -> None:
    scene = Scene.playing("host", "guest")
    seen = scene.event.revision
    scene.act("host", PAUSE)
    scene.report("guest", status=STOP, cause=None, revision=seen)
    assert pending(scene).target is PAUSE


def test_a_revision_that_was_never_told_is_refused() -> None:
    scene = Scene("host", "guest")
    refused(lambda: scene.report("guest", revision=scene.event.revision + 1), Invalid, "unknown-revision")


def _request(scene: Scene, user: str) -> TimecodeRequest:
    return TimecodeRequest(
        session_id=scene.event.session_id, user_id=user, current_position=0.0, status=STOP, is_host=user == "host"
    )


def test_nobody_speaks_for_another_role_another_session_or_without_a_seat() -> None:
    scene = Scene("host", "guest")
    control = scene.control
    request = _request(scene, "guest")
    refused(lambda: control.receive(replace(request, is_host=True), scene.now), Forbidden, "wrong-role")
    refused(lambda: control.receive(replace(request, session_id="ses_other"), scene.now), Invalid, "wrong-session")
    refused(lambda: control.receive(replace(request, user_id="stranger"), scene.now), NotFound)
    refused(lambda: control.refuse("stranger", scene.now), NotFound)
    refused(lambda: control.seek("stranger", 1.0, scene.now), NotFound)
    refused(lambda: control.leave("stranger", scene.now), NotFound)
    refused(lambda: control.measured_one_way("stranger", 0.1), NotFound)


# --- with a move pending ----------------------------------------------------------------------------------------------


def test_a_change_of_status_takes_the_place_of_a_pending_move() -> None:
    scene = Scene.playing("host", "guest")
    scene.seek("host", 600)
    scene.act("guest", PAUSE)
    assert pending(scene).target is PAUSE
    assert scene.event.status is PAUSE


def test_a_word_said_again_does_not_disturb_a_pending_move() -> None:
    scene = Scene.playing("host", "guest")
    scene.seek("host", 600)
    scene.act("guest", PLAY)
    assert isinstance(scene.event.pending, SeekChange)
