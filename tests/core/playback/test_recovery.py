"""The service dies and comes back from its record: nobody loses the place, and play goes on when it just went on."""

import pytest

from dateflicks.core.errors import Conflict
from dateflicks.core.playback import (
    Cause,
    Member,
    PlaybackControl,
    Reason,
    Role,
    SeekChange,
    Status,
    StatusChange,
    TimecodeRecord,
)
from tests.core.playback.scene import EVENING, LENGTH, SESSION, Scene, refused

PLAY, PAUSE, STOP = Status.PLAY, Status.PAUSE, Status.STOP


def record(**changes: object) -> TimecodeRecord:
    """What was kept while two watched: play, at 600 s."""
    fields: dict[str, object] = {
        "session_id": SESSION,
        "length": LENGTH,
        "current_position": 600.0,
        "status": PLAY,
        "last_status_change": EVENING - 600,
        "at": EVENING,
        "rate": 1.0,
        "revision": 40,
        "settled": PLAY,
        "members": (Member("host", Role.HOST, "Host"), Member("guest", Role.GUEST, "Guest")),
        "present": ("host", "guest"),
    }
    return TimecodeRecord(**(fields | changes))  # type: ignore[arg-type]  # a test's shorthand


def recovered(after: float, **changes: object) -> Scene:
    """The service is back so long after the record was kept."""
    scene = Scene()
    scene.now = EVENING + after
    scene.control = PlaybackControl.from_record(record(**changes), scene.now)
    return scene


def test_a_record_is_a_picture_of_the_state() -> None:
    scene = Scene.playing("host", "guest", at=600.0)
    scene.wait(2)
    scene.leave("guest")
    scene.join("third")
    scene.act("host", PAUSE)
    kept = scene.control.to_record(scene.now)
    assert (kept.session_id, kept.length, kept.status, kept.settled) == (SESSION, LENGTH, PAUSE, PLAY)
    assert (kept.rate, kept.at) == (0, scene.now)
    assert kept.current_position == pytest.approx(scene.film)
    assert kept.revision == scene.event.revision
    assert kept.present == ("host", "third")
    assert [one.user_id for one in kept.members] == ["host", "guest", "third"]
    assert kept.pending == scene.event.pending


def test_a_new_session_comes_back_as_it_was() -> None:
    scene = Scene()
    scene.restart()
    assert (scene.event.status, scene.film, scene.event.length) == (STOP, 0.0, LENGTH)
    assert scene.control.next_wake() is None


def test_a_pause_comes_back_as_it_was() -> None:
    scene = Scene.playing("host", "guest", at=600.0)
    scene.run(5, host=0, guest=0)
    scene.agree(PAUSE, "host", "guest")
    here, changed = scene.film, scene.event.last_status_change
    scene.restart(after=86_400)
    assert (scene.event.status, scene.event.last_status_change) == (PAUSE, changed)
    assert scene.film == pytest.approx(here)
    scene.join("host", "guest")
    assert scene.event.waiting_for == ()
    assert scene.film == pytest.approx(here)


def test_revisions_go_on_above_all_that_were_told() -> None:
    scene = Scene.playing("host", "guest", at=600.0)
    told = scene.event.revision
    kept = scene.control.to_record(scene.now)
    for _ in range(100):  # told after the record was kept
        scene.act("host", PAUSE)
        scene.refuse("host")
    last = scene.event.revision
    scene.control = PlaybackControl.from_record(kept, scene.now)
    assert scene.event.revision > last > told
    scene.join("host")
    refused(lambda: scene.report("host", status=PAUSE, cause=Cause.USER, revision=last), Conflict, "stale")


# --- a short outage ---------------------------------------------------------------------------------------------------


def test_play_goes_on_over_a_short_outage() -> None:
    scene = recovered(after=10)
    assert (scene.event.status, scene.event.rate) == (PLAY, 1)
    assert scene.film == pytest.approx(610)
    scene.join("host", "guest")
    scene.run(5, host=0, guest=0)
    assert scene.film == pytest.approx(615)
    assert set(scene.reasons) == {Reason.JOIN}


def test_after_a_short_outage_the_minimum_of_those_who_come_back_holds() -> None:
    scene = recovered(after=10)
    scene.join("host", "guest")
    scene.run_until(lambda: Reason.MINIMUM in scene.reasons, 3, host=-0.6, guest=-0.7)
    assert scene.line.reason is Reason.MINIMUM
    assert scene.line.by == "guest"


def test_one_who_was_not_there_before_the_outage_moves_nobody_after_it() -> None:
    scene = recovered(after=10, present=("host",))
    scene.join("host", "guest", "third")
    scene.run(10, host=0, guest=-5, third=-6)
    assert Reason.MINIMUM not in scene.reasons


def test_a_start_that_lay_ahead_still_does() -> None:
    scene = recovered(after=0.5, at=EVENING + 1.5)
    assert (scene.event.at, scene.event.current_position, scene.event.rate) == (EVENING + 1.5, 600.0, 1)


def test_a_record_from_a_clock_that_ran_ahead_does_not_hold_the_film_for_long() -> None:
    scene = recovered(after=0, at=EVENING + 4_000)
    assert scene.event.at <= scene.now + 2


def test_a_film_that_ended_during_the_outage_stops_when_somebody_is_there() -> None:
    scene = recovered(after=30, length=610.0)
    scene.join("host")
    assert (scene.event.status, scene.film) == (STOP, 610.0)
    assert scene.line.reason is Reason.END


def test_nobody_comes_back_after_a_short_outage_and_the_film_stands_where_it_was() -> None:
    scene = recovered(after=10)
    scene.wait(3600)
    assert scene.event.rate == 0
    assert scene.film == pytest.approx(610)


def test_a_film_that_was_waited_for_goes_on_when_all_are_back() -> None:
    scene = recovered(after=5, rate=0.0)
    scene.join("host")
    scene.report("host", rate=0.0)
    assert scene.event.waiting_for == ("guest", "host")
    scene.join("guest")
    scene.report("guest", rate=0.0)
    assert (scene.line.reason, scene.line.rate, scene.line.current_position) == (Reason.RESUME, 1, 600.0)
    assert scene.line.at == pytest.approx(scene.now + 0.25)


def test_a_film_that_was_waited_for_goes_on_without_those_who_do_not_come_back() -> None:
    scene = recovered(after=5, rate=0.0)
    scene.join("host")
    scene.run(5.5, host=0)
    assert scene.event.rate == 0
    scene.wait(0.5)
    assert (scene.event.rate, scene.event.status) == (1, PLAY)


# --- a long outage ----------------------------------------------------------------------------------------------------


def test_after_a_long_outage_the_film_stands_until_those_who_come_back_have_said_where_they_are() -> None:
    scene = recovered(after=600)
    assert scene.event.rate == 0
    assert scene.film == 600.0
    scene.join("host")
    scene.report("host", position=1_200.0, rate=1.0)
    assert scene.event.rate == 0
    assert scene.event.waiting_for == ("guest", "host")
    scene.join("guest")
    scene.report("guest", position=1_199.0, rate=1.0)
    assert (scene.line.reason, scene.line.rate, scene.line.status) == (Reason.RESUME, 1, PLAY)
    assert scene.line.current_position == pytest.approx(1_199.0)


def test_after_a_long_outage_the_others_are_waited_for_as_long_as_a_line_takes_to_be_tried_again() -> None:
    scene = recovered(after=600)
    scene.join("host")
    scene.report("host", position=1_200.0, rate=1.0)
    scene.wait(5.999)
    assert scene.event.rate == 0
    scene.wait(0.001)
    assert scene.event.rate == 1
    assert scene.line.current_position == pytest.approx(1_206.0)
    scene.join("guest")
    scene.run(5, host=0, guest=-3)
    assert scene.line.rate == 1
    assert Reason.MINIMUM not in scene.reasons


def test_after_a_long_outage_players_that_stand_mean_a_pause_and_not_the_beginning() -> None:
    scene = recovered(after=600)
    scene.join("host", "guest")
    scene.report("host", position=0.0, rate=0.0)
    scene.report("guest", position=0.0, rate=0.0)
    assert (scene.event.status, scene.film) == (PAUSE, 600.0)
    assert scene.line.reason is Reason.PAUSE
    assert {view.status for view in scene.event.participants.values()} == {PAUSE}


def test_who_went_on_and_is_held_while_the_others_are_asked_is_not_thrown_back() -> None:
    scene = recovered(after=600)
    scene.join("guest")
    scene.report("guest", position=1_200.0, rate=1.0)
    scene.wait(0.5)
    scene.report("guest", position=1_200.2, rate=0.0)  # it stands, for the wait has stopped it
    scene.wait(0.5)
    scene.join("host")
    scene.report("guest", position=1_200.2, rate=0.0)
    scene.report("host", position=0.0, rate=0.0)  # a new player
    assert (scene.line.reason, scene.line.status, scene.line.rate) == (Reason.RESUME, PLAY, 1)
    assert scene.line.current_position == pytest.approx(1_200.2)


def test_who_takes_the_place_of_the_asking_for_one_to_go_to_is_not_taken_at_their_word() -> None:
    scene = recovered(after=600)
    scene.join("guest")
    scene.report("guest", position=1_200.0, rate=1.0)
    scene.report("guest", position=600.0, rate=0.0)  # it has gone back to where the line stands meanwhile
    scene.join("host")
    scene.report("host", position=600.0, rate=0.0)
    assert (scene.line.reason, scene.line.current_position) == (Reason.RESUME, 1_200.0)


def test_who_never_tells_a_rate_went_on_if_they_are_beyond_what_was_kept() -> None:
    scene = recovered(after=600)
    scene.join("host", "guest")
    scene.report("host", position=0.0)  # a new player
    scene.report("guest", position=1_200.0)
    assert (scene.line.reason, scene.line.current_position) == (Reason.RESUME, 1_200.0)


def test_a_player_that_moved_before_another_came_is_known_by_a_report_that_was_overtaken() -> None:
    scene = recovered(after=600)
    scene.join("guest")
    before = scene.control.state.revision
    scene.join("host")
    scene.report("guest", position=1_200.0, rate=1.0, revision=before)
    scene.report("guest", position=1_200.1, rate=0.0)
    scene.report("host", position=0.0, rate=0.0)
    assert (scene.line.reason, scene.line.current_position) == (Reason.RESUME, 1_200.1)


def test_after_a_long_outage_a_pause_is_where_those_stand_who_went_on() -> None:
    scene = recovered(after=600)
    scene.join("host", "guest")
    scene.report("guest", position=1_100.0, rate=0.0)
    scene.report("host", position=0.0, rate=0.0)
    assert (scene.line.reason, scene.line.status) == (Reason.PAUSE, PAUSE)
    assert scene.film == pytest.approx(1_100.0)


def test_a_player_that_stands_at_the_beginning_does_not_count_beside_one_that_went_on() -> None:
    scene = recovered(after=600)
    scene.join("host", "guest")
    scene.report("guest", position=598.0, rate=0.0)
    scene.report("host", position=1_200.0, rate=1.0)
    assert scene.line.current_position == pytest.approx(1_200.0)
    scene.run(0.5, host=0)
    for _ in range(8):  # the guest's player begins to move before it has been moved to the film
        scene.wait(0.5)
        scene.tick("host")
        scene.report("guest", off=-8.0, rate=1.0)
    assert Reason.MINIMUM not in scene.reasons


def test_who_comes_and_goes_during_the_asking_leaves_the_question_open() -> None:
    scene = recovered(after=600)
    scene.join("host")
    scene.leave("host")
    scene.wait(10)
    assert (scene.event.rate, scene.event.status, scene.film) == (0, PLAY, 600.0)
    scene.join("guest")
    scene.report("guest", position=1_200.0, rate=1.0)
    scene.wait(6)
    assert scene.event.rate == 1


def test_a_pause_while_the_others_are_asked_needs_no_answer_to_the_question() -> None:
    scene = recovered(after=600)
    scene.join("host")
    scene.report("host", position=600.0, rate=0.0, status=PAUSE, cause=Cause.USER)
    assert (scene.event.status, scene.event.waiting_for) == (PAUSE, ())
    scene.wait(10)
    assert (scene.event.status, scene.film) == (PAUSE, 600.0)


def test_a_move_while_the_others_are_asked_decides_where_the_film_is() -> None:
    scene = recovered(after=600)
    scene.join("host")
    scene.seek("host", 900.0)
    assert scene.film == 900.0
    scene.tick("host")
    assert (scene.line.reason, scene.line.rate, scene.line.current_position) == (Reason.RESUME, 1, 900.0)


# --- what was pending -------------------------------------------------------------------------------------------------


def test_a_pending_pause_survives_and_is_restored_at_its_deadline() -> None:
    change = StatusChange("host", PLAY, PAUSE, EVENING + 50, frozenset({"guest"}))
    scene = recovered(after=20, status=PAUSE, rate=0.0, pending=change)
    assert scene.event.pending == change
    assert scene.event.participants["host"].status is PAUSE
    assert scene.event.participants["guest"].status is PLAY
    scene.join("host", "guest")
    scene.report("host", cause=None)
    scene.report("guest", cause=None)
    assert scene.event.pending == change, "words said again are no answers"
    scene.wait(29.999)
    assert scene.event.status is PAUSE
    scene.wait(0.001)
    assert (scene.event.status, scene.line.reason, scene.line.rate) == (PLAY, Reason.RESTORED, 1)


def test_a_pending_pause_can_be_confirmed_after_the_outage() -> None:
    change = StatusChange("host", PLAY, PAUSE, EVENING + 50, frozenset({"guest"}))
    scene = recovered(after=20, status=PAUSE, rate=0.0, pending=change)
    scene.join("guest")
    scene.act("guest", PAUSE)
    assert (scene.event.status, scene.event.pending) == (PAUSE, None)


def test_what_ran_out_during_the_outage_is_restored_at_once() -> None:
    change = StatusChange("host", PLAY, PAUSE, EVENING + 50, frozenset({"guest"}))
    scene = recovered(after=3_600, status=PAUSE, rate=0.0, pending=change)
    scene.join("host")
    assert scene.event.pending is None
    assert scene.event.status is PLAY
    assert scene.film == 600.0


def test_a_pending_move_survives() -> None:
    change = SeekChange("host", 600.0, 900.0, EVENING + 50, frozenset({"guest"}))
    scene = recovered(after=5, pending=change)
    scene.join("host", "guest")
    scene.seek("guest", 900.0)
    assert scene.film == 900.0


# --- over and over ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("outage", [0.5, 20.0, 59.0])
def test_nobody_loses_the_place_over_many_restarts(outage: float) -> None:
    scene = Scene.playing("host", "guest", at=600.0)
    began = scene.now
    for _ in range(5):
        scene.run(5, host=0, guest=0)
        scene.restart(after=outage)
        scene.join("host", "guest")
    scene.run(5, host=0, guest=0)
    assert scene.film == pytest.approx(600.0 + scene.now - began)
    assert scene.event.status is PLAY
