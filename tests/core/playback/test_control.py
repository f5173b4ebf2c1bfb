"""One session's playback as it is seen from outside: events, starts, moves that are asked for, length, end, joins."""

import pytest

from dateflicks.core.errors import Conflict, TooMany
from dateflicks.core.playback import (
    Cause,
    Member,
    OnLeave,
    PlaybackControl,
    PlaybackRules,
    Reason,
    Role,
    SeekChange,
    Status,
    TimecodeEvent,
)
from tests.core.playback.scene import EVENING, LENGTH, PARTY, SESSION, Scene, member, refused

PLAY, PAUSE, STOP = Status.PLAY, Status.PAUSE, Status.STOP


# --- the facts of the original system ---------------------------------------------------------------------------------


def test_a_new_playback_tells_its_session_length_position_status_and_last_change() -> None:
    event = PlaybackControl(SESSION, 5400.0, EVENING).to_timecode_event(EVENING)
    assert event.session_id == SESSION
    assert event.length == 5400.0
    assert event.current_position == 0.0
    assert event.status is STOP
    assert event.last_status_change == EVENING


def test_looking_changes_nothing() -> None:
    scene = Scene.playing("host", "guest")
    assert scene.event == scene.event
    assert scene.event.revision == scene.control.to_record(scene.now).revision
    assert scene.control.advance(scene.now) == ()


def test_what_is_told_of_a_participant() -> None:
    scene = Scene.playing("host", "guest", at=100.0)
    scene.report("guest", off=-0.05)
    scene.wait(1)
    view = scene.event.participants["guest"]
    assert (view.role, view.name, view.connected, view.buffering, view.excused) == (
        Role.GUEST,
        "Guest",
        True,
        False,
        False,
    )
    assert view.status is PLAY
    assert view.position == pytest.approx(scene.film - 0.05)
    assert view.drift == pytest.approx(-0.05)


def test_an_old_position_is_shown_without_a_drift() -> None:
    scene = Scene.playing("host", "guest", at=100.0)
    scene.tick("guest")
    told = scene.film
    scene.wait(4.001)
    view = scene.event.participants["guest"]
    assert view.position == pytest.approx(told)
    assert view.drift is None


def test_one_who_has_told_nothing_has_no_position() -> None:
    view = Scene("host").event.participants["host"]
    assert (view.position, view.drift) == (None, None)


# --- starting ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one_way", "lead"), [(0.0, 0.25), (0.1, 0.25), (0.2, 0.4), (1.0, 1.6), (1.5, 2.0), (60.0, 2.0), (-1.0, 0.25)]
)
def test_a_start_is_scheduled_so_that_it_reaches_everybody_in_time(one_way: float, lead: float) -> None:
    scene = Scene("host", "guest")
    scene.control.measured_one_way("guest", one_way)
    scene.agree(PLAY, "host", "guest")
    assert scene.line.rate == 1
    assert scene.line.at - scene.now == pytest.approx(lead)
    assert scene.film == 0.0


def test_a_slow_line_is_forgotten_when_it_has_become_fast_or_its_owner_has_gone() -> None:
    scene = Scene("host", "guest")
    scene.control.measured_one_way("guest", 1.0)
    for _ in range(8):
        scene.control.measured_one_way("guest", 0.01)
    scene.control.measured_one_way("host", 1.0)
    scene.leave("host")
    scene.act("guest", PLAY)
    assert scene.line.at - scene.now == pytest.approx(0.25)


def test_the_time_a_report_was_under_way_counts_as_its_senders_line() -> None:
    scene = Scene("host", "guest")
    scene.report("guest", sent_at=scene.now - 0.8)
    scene.agree(PLAY, "host", "guest")
    assert scene.line.at - scene.now == pytest.approx(1.3)


def test_play_starts_from_the_minimum_of_where_all_stand() -> None:
    scene = Scene("host", "guest")
    scene.seek_together("host", "guest", to=100.0)
    scene.report("host", position=100.05)
    scene.report("guest", position=99.9)
    scene.act("host", PLAY, off=0.05)
    scene.act("guest", PLAY, off=-0.1)
    assert scene.line.current_position == pytest.approx(99.9)


def test_play_waits_for_one_who_is_still_loading() -> None:
    scene = Scene("host", "guest")
    scene.report("guest", buffering=True)
    scene.act("host", PLAY)
    scene.report("guest", status=PLAY, cause=Cause.USER, buffering=True)
    assert scene.line.status is PLAY
    assert (scene.line.rate, scene.line.waiting_for) == (0, ("guest",))
    scene.wait(3)
    scene.report("guest", cause=Cause.RESUME)
    assert (scene.line.reason, scene.line.rate, scene.line.waiting_for) == (Reason.RESUME, 1, ())


def test_a_pause_stands_where_its_asker_stands() -> None:
    scene = Scene.playing("host", "guest", at=100.0)
    scene.run(5, host=0, guest=0)
    scene.wait(0.3)
    scene.report("host", status=PAUSE, cause=Cause.USER, sent_at=scene.now - 0.2)
    assert scene.line.current_position == pytest.approx(105.3 - 0.2)
    assert scene.line.rate == 0


def test_a_pause_of_one_who_is_elsewhere_stands_where_the_others_are() -> None:
    scene = Scene.playing("host", "guest", at=100.0)
    scene.join("third")
    scene.tick("host", "guest")
    scene.report("third", position=3.0, status=PAUSE, cause=Cause.USER)
    assert scene.line.status is PAUSE
    assert scene.line.current_position == pytest.approx(scene.film)
    assert scene.film >= 100.0


def test_a_pause_that_nobody_confirmed_ends_in_a_scheduled_resume_from_where_all_stand() -> None:
    scene = Scene.playing("host", "guest", at=100.0)
    scene.tick("host", "guest")
    scene.act("host", PAUSE)
    stood = scene.film
    scene.run(59.5, host=-0.04, guest=-0.08)
    scene.wait(0.5)
    assert scene.line.reason is Reason.RESTORED
    assert scene.line.rate == 1
    assert scene.line.current_position == pytest.approx(stood - 0.08)
    assert scene.line.at == pytest.approx(scene.now + 0.25)


# --- moves ------------------------------------------------------------------------------------------------------------


def test_a_move_is_pending_until_the_other_asks_for_the_same() -> None:
    scene = Scene("host", "guest")
    scene.seek("host", 600.0)
    assert scene.film == 0.0
    assert scene.line.reason is Reason.SEEK
    assert scene.line.pending == SeekChange("host", 0.0, 600.0, scene.now + 60, frozenset({"guest"}))
    scene.seek("guest", 600.5)
    assert scene.film == 600.0
    assert (scene.event.pending, scene.event.reason, scene.event.rate) == (None, Reason.SEEK, 0)


@pytest.mark.parametrize(("asked", "confirmed"), [(0.6, 1.1), (1.1, 0.6), (99.9996, 100.5), (60.0, 60.5)])
def test_half_a_second_is_half_a_second_whatever_rounding_makes_of_it(asked: float, confirmed: float) -> None:
    scene = Scene("host", "guest")
    scene.seek("host", asked)
    scene.seek("guest", confirmed)
    assert (scene.film, scene.event.pending) == (asked, None)


def test_a_target_further_than_half_a_second_away_is_a_counter_proposal() -> None:
    scene = Scene("host", "guest")
    scene.seek("host", 600.0)
    scene.wait(10)
    scene.seek("guest", 600.51)
    change = scene.line.pending
    assert isinstance(change, SeekChange)
    assert (change.by, change.target, change.deadline) == ("guest", 600.51, scene.now + 60)
    assert change.awaited == {"host"}
    scene.seek("host", 600.51)
    assert scene.film == 600.51


def test_the_asker_may_choose_another_target_but_not_confirm_alone() -> None:
    scene = Scene("host", "guest")
    scene.seek("host", 600.0)
    scene.seek("host", 600.2)
    assert scene.film == 0.0
    scene.seek("host", 700.0)
    assert scene.film == 0.0
    scene.wait(5.0)
    scene.seek("guest", 600.0)
    assert scene.film == 0.0
    scene.seek("host", 600.0)
    assert scene.film == 600.0


def test_agreeing_to_a_move_that_was_overtaken_asks_for_nothing() -> None:
    scene = Scene("host", "guest", "third")
    scene.seek("host", 600.0)
    scene.seek("guest", 700.0)
    revision = scene.event.revision
    refused(lambda: scene.seek("third", 600.0), Conflict, "stale")
    refused(lambda: scene.seek("guest", 600.0), Conflict, "stale")
    assert (scene.event.revision, scene.event.pending) == (revision, scene.line.pending)
    scene.seek("third", 700.0)
    scene.seek("host", 700.0)
    assert scene.film == 700.0


@pytest.mark.parametrize("end", ["refused", "settled", "forgotten"])
def test_agreeing_to_a_move_that_is_over_asks_for_nothing_until_it_must_be_meant(end: str) -> None:
    scene = Scene("host", "guest", "third")
    scene.seek("host", 600.0)
    if end == "refused":
        scene.refuse("third")
    elif end == "settled":
        scene.seek("guest", 600.0)
        scene.seek("third", 600.0)
    else:
        scene.wait(60.0)
    refused(lambda: scene.seek("guest", 600.2), Conflict, "stale")
    assert scene.event.pending is None
    scene.wait(4.5)
    scene.seek("guest", 600.2)
    assert (scene.line.reason, scene.line.by) == (Reason.SEEK, "guest")


def test_a_move_needs_everybody() -> None:
    scene = Scene(*PARTY)
    scene.seek("host", 600.0)
    for user in PARTY[1:7]:
        scene.seek(user, 600.0)
        scene.seek(user, 600.0)
    assert scene.film == 0.0
    assert scene.line.reason is Reason.SEEK
    scene.seek("eighth", 600.0)
    assert scene.film == 600.0


def test_a_refused_move_moves_nobody() -> None:
    scene = Scene.playing("host", "guest")
    scene.seek("host", 600.0)
    scene.refuse("guest")
    assert (scene.line.reason, scene.line.pending, scene.line.status) == (Reason.REFUSED, None, PLAY)
    assert scene.film < 1
    assert scene.line.rate == 1


def test_a_move_that_nobody_answers_is_forgotten_after_a_minute() -> None:
    scene = Scene("host", "guest")
    scene.seek("host", 600.0)
    scene.wait(59.999)
    assert scene.event.pending is not None
    scene.wait(0.001)
    assert (scene.line.reason, scene.line.pending) == (Reason.RESTORED, None)
    assert scene.film == 0.0
    assert scene.event.status is STOP


def test_a_move_waits_while_a_change_of_status_is_pending() -> None:
    scene = Scene.playing("host", "guest")
    scene.act("host", PAUSE)
    error = refused(lambda: scene.seek("guest", 600.0), Conflict, "pending")
    assert "pause" in error.detail


def test_a_move_beyond_the_end_goes_to_the_end() -> None:
    scene = Scene("host", "guest", length=300.0)
    scene.seek_together("host", "guest", to=9_000.0)
    assert scene.film == 300.0


def test_one_who_is_alone_moves_at_once() -> None:
    scene = Scene("host", "guest")
    scene.leave("guest")
    scene.seek("host", 600.0)
    assert scene.film == 600.0
    assert scene.line.pending is None


def test_a_move_in_play_goes_on_when_all_are_there() -> None:
    scene = Scene.playing("host", "guest")
    scene.seek_together("host", "guest", to=600.0)
    assert (scene.line.rate, scene.line.waiting_for) == (0, ("guest", "host"))
    scene.tick("host")
    scene.wait(1)
    assert scene.event.rate == 0
    scene.report("guest", off=0.2)
    assert scene.event.rate == 0, "one who is not there yet is waited for"
    scene.report("guest", buffering=True)
    assert scene.event.rate == 0, "one who is still loading is waited for"
    scene.tick("guest")
    assert (scene.line.reason, scene.line.rate, scene.line.current_position) == (Reason.RESUME, 1, 600.0)
    assert scene.line.at == pytest.approx(scene.now + 0.25)


def test_a_move_in_play_goes_on_after_5_seconds_without_the_late_one() -> None:
    scene = Scene.playing("host", "guest")
    scene.seek_together("host", "guest", to=600.0)
    scene.run(4.5, host=0)
    assert scene.event.rate == 0
    scene.wait(0.5)
    assert (scene.line.reason, scene.line.by, scene.line.rate) == (Reason.RESUME, "guest", 1)
    assert scene.excused("guest")
    assert not scene.excused("host")
    assert scene.line.current_position == 600.0


def test_a_move_in_play_does_not_wait_for_one_who_is_excused() -> None:
    scene = Scene.playing("host", "guest", "third")
    scene.tick("host", "guest", "third")
    scene.report("third", buffering=True, cause=Cause.STALL)
    scene.run(12, host=0, guest=0)
    assert scene.excused("third")
    scene.seek_together("host", "guest", "third", to=600.0)
    assert scene.line.waiting_for == ("guest", "host")


def test_a_pause_during_a_move_ends_the_waiting() -> None:
    scene = Scene.playing("host", "guest")
    scene.seek_together("host", "guest", to=600.0)
    scene.act("host", PAUSE)
    assert (scene.line.status, scene.line.waiting_for) == (PAUSE, ())
    scene.wait(10)
    assert scene.event.rate == 0
    assert scene.film == 600.0


# --- length and end ---------------------------------------------------------------------------------------------------


def test_the_film_stops_at_its_end() -> None:
    scene = Scene.playing("host", "guest", length=30.0)
    started = scene.now
    scene.run(40, host=0, guest=0)
    assert scene.event.status is STOP
    end = next(event for event in scene.told if event.reason is Reason.END)
    assert end.at == pytest.approx(started + 30)
    assert (end.current_position, end.rate, end.last_status_change) == (30.0, 0, end.at)
    assert {view.status for view in end.participants.values()} == {STOP}


def test_the_end_settles_what_was_pending() -> None:
    scene = Scene.playing("host", "guest", length=30.0)
    scene.seek("host", 5.0)
    scene.run(40, host=0, guest=0)
    assert scene.event.pending is None
    assert scene.event.status is STOP


def test_a_film_can_be_seen_again_after_its_end() -> None:
    scene = Scene.playing("host", "guest", length=30.0)
    scene.run(40, host=0, guest=0)
    scene.seek_together("host", "guest", to=0.0)
    scene.agree(PLAY, "host", "guest")
    scene.run(5, host=0, guest=0)
    assert scene.event.status is PLAY
    assert 4 < scene.film < 5


def test_a_shorter_length_cuts_the_position_and_ends_the_film() -> None:
    scene = Scene.playing("host", "guest", at=100.0)
    scene.set_length(60.0)
    assert (scene.event.length, scene.film, scene.event.status) == (60.0, 60.0, STOP)
    assert scene.line.reason is Reason.END


def test_a_longer_length_does_not_move_the_film() -> None:
    scene = Scene.playing("host", "guest", at=100.0)
    scene.wait(5)
    here, revision = scene.film, scene.event.revision
    scene.set_length(LENGTH + 60)
    assert scene.film == pytest.approx(here)
    assert (scene.event.length, scene.event.rate) == (LENGTH + 60, 1)
    assert scene.event.revision == revision + 1
    scene.set_length(LENGTH + 60)
    assert scene.event.revision == revision + 1, "the same length is no news"


def test_the_first_report_that_knows_the_length_sets_it_and_no_later_one() -> None:
    scene = Scene("host", "guest", length=0.0)
    scene.report("host", position=12.0)
    assert scene.event.participants["host"].position == 0.0
    scene.report("host", position=0.0, length=3600.0)
    assert scene.event.length == 3600.0
    assert scene.line.by == "host"
    scene.report("guest", length=3601.0)
    assert scene.event.length == 3600.0


# --- reports out of order ---------------------------------------------------------------------------------------------


def test_a_report_that_was_overtaken_by_a_newer_one_moves_nothing() -> None:
    scene = Scene.playing("host", "guest", at=100.0)
    scene.run(3, host=0, guest=0)
    scene.report("guest", position=50.0, sent_at=scene.now - 1)
    view = scene.event.participants["guest"]
    assert view.drift == pytest.approx(0.0)


def test_a_report_that_was_under_way_for_too_long_moves_nothing() -> None:
    scene = Scene.playing("host", "guest", at=100.0)
    scene.wait(10)
    scene.report("guest", position=50.0, sent_at=scene.now - 4.001)
    assert scene.event.participants["guest"].drift is None
    scene.report("guest", position=scene.film - 4, sent_at=scene.now - 4)
    assert scene.event.participants["guest"].drift == pytest.approx(0.0)


def test_a_report_from_the_future_is_taken_as_of_now() -> None:
    scene = Scene.playing("host", "guest", at=100.0)
    scene.report("guest", position=scene.film, sent_at=scene.now + 100)
    scene.wait(1)
    assert scene.event.participants["guest"].drift == pytest.approx(0.0)


def test_the_same_report_twice_is_the_same_as_once() -> None:
    once, twice = Scene.playing("host", "guest"), Scene.playing("host", "guest")
    for scene, times in ((once, 1), (twice, 3)):
        for _ in range(times):
            scene.report("guest", status=PAUSE, cause=None)
    assert once.event == twice.event


def test_the_rate_that_a_player_tells_is_believed() -> None:
    scene = Scene.playing("host", "guest", at=100.0)
    scene.report("guest", rate=0.97)
    scene.wait(2)
    assert scene.event.participants["guest"].drift == pytest.approx(-0.06)


# --- coming and going -------------------------------------------------------------------------------------------------


def timeline_of(event: TimecodeEvent) -> tuple[float, float, Status]:
    return (event.current_position - event.rate * event.at, event.rate, event.status)


@pytest.mark.parametrize("people", range(1, 8))
def test_a_late_joiner_pauses_and_moves_nobody(people: int) -> None:
    scene = Scene.playing(*PARTY[:people], at=100.0) if people > 1 else _alone()
    before = timeline_of(scene.event)
    late = PARTY[people] if people > 1 else "guest"
    scene.join(late)
    assert (scene.line.reason, scene.line.by) == (Reason.JOIN, late)
    for _ in range(20):
        scene.wait(0.5)
        scene.tick(*(user for user in PARTY[:people]))
        scene.report(late, position=2.0, rate=1.0)
        scene.report(late, position=2.0, buffering=True, cause=Cause.STALL)
    assert timeline_of(scene.event) == pytest.approx(before)


def _alone() -> Scene:
    scene = Scene("host", "guest")
    scene.leave("guest")
    scene.tick("host")
    scene.act("host", PLAY)
    scene.run(1, host=0)
    return scene


def test_one_who_comes_back_moves_nobody_until_in_step_again() -> None:
    scene = Scene.playing("host", "guest", at=100.0)
    scene.leave("guest")
    before = timeline_of(scene.event)
    scene.run(6, host=0)
    scene.join("guest")
    scene.run(6, host=0, guest=-1.5)
    assert timeline_of(scene.event) == pytest.approx(before)
    scene.run(1, host=0, guest=0)
    scene.run(3, host=0, guest=-1.5)
    assert Reason.MINIMUM in scene.reasons


def test_a_lost_link_lets_the_others_go_on_and_tells_them() -> None:
    scene = Scene.playing("host", "guest", at=100.0)
    before = timeline_of(scene.event)
    scene.leave("guest")
    assert (scene.line.reason, scene.line.by) == (Reason.LEAVE, "guest")
    assert not scene.line.participants["guest"].connected
    assert timeline_of(scene.event) == pytest.approx(before)


def test_leaving_twice_is_leaving_once() -> None:
    scene = Scene.playing("host", "guest")
    scene.leave("guest")
    revision = scene.event.revision
    scene.leave("guest")
    assert scene.event.revision == revision


def test_the_place_of_one_who_has_gone_is_kept() -> None:
    scene = Scene.playing("host", "guest")
    scene.tick("guest")
    told = scene.film
    scene.leave("guest")
    scene.wait(100)
    assert scene.event.participants["guest"].position == pytest.approx(told)


def test_holding_for_a_lost_link_ends_when_they_are_back() -> None:
    scene = Scene.playing("host", "guest", at=100.0, rules=PlaybackRules(on_leave=OnLeave.HOLD))
    scene.run(2, host=0, guest=0)
    scene.leave("guest")
    held = scene.film
    assert (scene.line.rate, scene.line.waiting_for, scene.line.status) == (0, ("guest",), PLAY)
    scene.run(5, host=0)
    scene.join("guest")
    assert scene.event.rate == 0
    scene.tick("guest")
    assert (scene.line.reason, scene.line.rate) == (Reason.RESUME, 1)
    assert scene.line.current_position == pytest.approx(held)


def test_holding_for_a_lost_link_ends_after_10_seconds() -> None:
    scene = Scene.playing("host", "guest", at=100.0, rules=PlaybackRules(on_leave=OnLeave.HOLD))
    scene.run(2, host=0, guest=0)
    scene.leave("guest")
    scene.run(9.5, host=0)
    assert scene.event.rate == 0
    scene.wait(0.5)
    assert (scene.line.reason, scene.line.rate) == (Reason.RESUME, 1)


def test_nobody_is_held_for_who_was_never_in_step_or_while_the_film_stands() -> None:
    rules = PlaybackRules(on_leave=OnLeave.HOLD)
    scene = Scene.playing("host", "guest", at=100.0, rules=rules)
    scene.join("third")
    scene.leave("third")
    assert scene.event.rate == 1
    still = Scene("host", "guest", rules=rules)
    still.tick("host", "guest")
    still.leave("guest")
    assert still.line.waiting_for == ()


def test_a_party_of_eight_is_full() -> None:
    scene = Scene(*PARTY)
    error = refused(lambda: scene.control.join(Member("ninth", Role.GUEST), scene.now), TooMany)
    assert "8" in error.detail
    scene.leave("eighth")
    scene.control.join(member("eighth"), scene.now)


def test_the_film_goes_on_for_a_minute_when_all_links_are_lost() -> None:
    scene = Scene.playing("host", "guest", at=100.0)
    scene.leave("host", "guest")
    before = timeline_of(scene.event)
    scene.wait(59)
    scene.join("host", "guest")
    assert timeline_of(scene.event) == pytest.approx(before)
    scene.wait(60)
    assert scene.event.rate == 1, "they are there: nobody has deserted"


def test_a_deserted_film_stands_where_the_last_one_left_it() -> None:
    scene = Scene.playing("host", "guest", at=100.0)
    scene.run(10, host=0, guest=0)
    scene.leave("guest")
    scene.run(5, host=0)
    left_at = scene.film
    scene.leave("host")
    scene.wait(3600)
    assert scene.film == pytest.approx(left_at)
    assert scene.event.rate == 0


def test_a_status_that_is_restored_when_all_have_gone_does_not_let_the_film_run_out() -> None:
    scene = Scene.playing("host", "guest", at=100.0)
    scene.run(10, host=0, guest=0)
    scene.act("host", PAUSE)
    left_at = scene.film
    scene.leave("host", "guest")
    scene.wait(60)
    assert scene.line.reason is Reason.RESTORED
    scene.wait(3 * 3600)
    assert scene.event.rate == 0
    assert scene.film == pytest.approx(left_at)


def test_a_deserted_film_does_not_end() -> None:
    scene = Scene.playing("host", "guest", length=130.0, at=100.0)
    scene.run(10, host=0, guest=0)
    left_at = scene.film
    scene.leave("host", "guest")
    scene.wait(3600)
    assert Reason.END not in scene.reasons
    assert scene.film == pytest.approx(left_at)


def test_who_comes_back_to_a_deserted_film_is_asked_where_they_are_and_finds_it_paused() -> None:
    scene = Scene.playing("host", "guest", at=100.0)
    scene.run(10, host=0, guest=0)
    left_at = scene.film
    scene.leave("host", "guest")
    scene.wait(3600)
    scene.join("host")
    assert scene.line.waiting_for == ("guest", "host")
    scene.report("host", position=0.0, rate=0.0)
    scene.wait(6)
    assert (scene.event.status, scene.line.reason) == (PAUSE, Reason.PAUSE)
    assert scene.film == pytest.approx(left_at)
    scene.join("guest")
    scene.tick("host", "guest")
    scene.agree(PLAY, "guest", "host")
    assert scene.event.rate == 1
