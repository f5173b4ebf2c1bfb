"""The minimum rule at work: noise moves nobody, one who stays behind does, but never for ever."""

from itertools import pairwise

import pytest

from dateflicks.core.playback import Cause, PlaybackRules, Reason, Status
from tests.core.playback.scene import PARTY, TICK, Scene


def playing(*users: str) -> Scene:
    scene = Scene.playing(*users, at=100.0)
    scene.run(2, **dict.fromkeys(users, 0.0))
    return scene


@pytest.mark.parametrize("off", [-0.149, -0.01, 0.0, 0.01, 0.149])
@pytest.mark.parametrize("people", range(2, 9))
def test_inside_the_band_the_film_stays_whoever_is_off(people: int, off: float) -> None:
    users = PARTY[:people]
    scene = playing(*users)
    scene.run(20, **dict.fromkeys(users, 0.0) | {users[-1]: off})
    assert scene.told == []


def test_one_who_is_behind_for_less_than_a_second_moves_nobody() -> None:
    scene = playing("host", "guest")
    for _ in range(20):
        scene.run(0.5, host=0, guest=-0.5)
        scene.wait(0.45)
        scene.tick("guest")
    assert scene.told == []


def test_one_who_stays_behind_for_a_second_is_where_the_film_goes() -> None:
    scene = playing("host", "guest")
    scene.wait(0.5)
    scene.tick("host")
    scene.tick("guest", off=-0.5)
    before = scene.film
    scene.wait(0.999)
    assert scene.told == []
    scene.wait(0.001)
    assert (scene.line.reason, scene.line.by, scene.line.rate) == (Reason.MINIMUM, "guest", 1)
    assert scene.line.current_position == pytest.approx(before + 1 - 0.5)
    assert scene.line.at == pytest.approx(scene.now)


def test_the_last_of_eight_is_where_the_film_goes() -> None:
    scene = playing(*PARTY)
    off = {user: -0.2 * number for number, user in enumerate(PARTY)}
    scene.run_until(lambda: bool(scene.told), 5, **off)
    assert (scene.line.reason, scene.line.by) == (Reason.MINIMUM, "eighth")


def test_when_all_are_ahead_the_film_goes_to_the_last_of_them() -> None:
    scene = playing("host", "guest")
    scene.run_until(lambda: bool(scene.told), 5, host=0.4, guest=0.6)
    assert (scene.line.reason, scene.line.by) == (Reason.MINIMUM, "host")
    scene.tick("host")
    assert scene.told[-1].participants["host"].drift == pytest.approx(0.0, abs=1e-6)


def test_one_who_is_ahead_alone_moves_nobody() -> None:
    scene = playing("host", "guest")
    scene.run(20, host=3.0, guest=0)
    assert scene.told == []


def test_going_from_behind_to_ahead_begins_a_new_second() -> None:
    scene = playing("host", "guest")
    scene.run(0.5, host=-0.5, guest=-0.5)
    scene.run(0.5, host=0.5, guest=0.5)
    scene.wait(0.99)
    assert scene.told == []
    scene.wait(0.01)
    assert scene.line.reason is Reason.MINIMUM


def test_how_wide_the_band_is_is_the_deployments_to_say() -> None:
    scene = Scene.playing("host", "guest", at=100.0, rules=PlaybackRules(band_seconds=0.5))
    scene.run(10, host=0, guest=-0.45)
    assert scene.told == []
    scene.run(2, host=0, guest=-0.55)
    assert scene.line.reason is Reason.MINIMUM


# --- who counts -------------------------------------------------------------------------------------------------------


def test_a_report_under_an_older_revision_moves_nothing() -> None:
    scene = playing("host", "guest")
    seen = scene.event.revision
    scene.join("third")
    for _ in range(10):
        scene.wait(0.5)
        scene.tick("host")
        scene.report("guest", off=-1.0, revision=seen)
    assert Reason.MINIMUM not in scene.reasons
    assert scene.event.participants["guest"].drift != pytest.approx(-1.0)


def test_one_who_has_been_silent_for_4_seconds_is_not_counted() -> None:
    scene = playing("host", "guest")
    scene.report("guest", rate=0.9)
    scene.run(10, host=0)
    assert scene.reasons.count(Reason.MINIMUM) == 1, "once while the report was fresh: 0.15 s behind after 1.5 s"
    scene.run(10, host=0)
    assert scene.reasons.count(Reason.MINIMUM) == 1


def test_nobody_is_moved_by_where_one_was_more_than_4_seconds_ago() -> None:
    scene = playing("host", "guest")
    scene.report("guest", rate=0.966)  # 0.15 s behind, 4.4 s from now
    scene.run(20, host=0)
    assert scene.told == []


def test_what_one_said_before_the_newest_revision_moves_nothing() -> None:
    scene = playing("host", "guest")
    scene.tick("guest", off=-1.0)
    scene.join("third")
    scene.run(5, host=0)
    assert scene.reasons == [Reason.JOIN]
    scene.run(2, host=0, guest=-1.0)
    assert scene.line.reason is Reason.MINIMUM


def test_one_whose_player_stands_is_not_counted() -> None:
    scene = playing("host", "guest")
    for _ in range(10):
        scene.wait(0.5)
        scene.tick("host")
        scene.report("guest", position=90.0, rate=0.0)
    assert scene.told == []


def test_one_whose_own_question_is_pending_is_not_counted() -> None:
    scene = playing("host", "guest")
    scene.seek("guest", 300.0)
    scene.told.clear()
    scene.run(10, host=0, guest=-1)
    assert scene.told == []
    scene.refuse("guest")
    scene.run(2, host=0, guest=-1)
    assert scene.line.reason is Reason.MINIMUM


def test_nobody_is_counted_while_the_film_stands() -> None:
    scene = playing("host", "guest")
    scene.agree(Status.PAUSE, "host", "guest")
    here = scene.film
    scene.run(10, host=0, guest=-2)
    assert scene.film == here


def test_before_a_scheduled_start_nobody_is_counted() -> None:
    scene = Scene("host", "guest")
    scene.control.measured_one_way("guest", 2.0)
    scene.tick("host", "guest")
    scene.agree(Status.PLAY, "host", "guest")
    start = scene.line.at
    for _ in range(3):
        scene.wait(0.5)
        scene.report("host", position=0.0, rate=1.0)
        scene.report("guest", position=0.0, rate=1.0)
    assert (scene.event.at, scene.event.current_position) == (start, 0.0)


# --- against a sick member --------------------------------------------------------------------------------------------


def test_the_film_goes_back_at_most_once_in_5_seconds() -> None:
    scene = playing("host", "guest")
    scene.run(30, host=0, guest=-0.5)
    times = [event.at for event in scene.told if event.reason is Reason.MINIMUM]
    assert len(times) >= 5
    assert min(later - earlier for earlier, later in pairwise(times)) >= 5


def test_one_who_costs_more_than_10_seconds_a_minute_is_excused_and_named() -> None:
    scene = playing("host", "guest")
    scene.run_until(lambda: scene.excused("guest"), 30, host=0, guest=-4.0)
    went_back = [event for event in scene.told if event.reason is Reason.MINIMUM]
    assert len(went_back) == 2, "4 and 4 seconds are within the budget of 10, another 4 are not"
    assert (scene.line.reason, scene.line.by) == (Reason.RESUME, "guest")
    assert scene.line.participants["guest"].excused
    assert scene.line.rate == 1


def test_one_who_is_excused_does_not_move_the_film_for_30_seconds() -> None:
    scene = playing("host", "guest")
    scene.run_until(lambda: scene.excused("guest"), 5, host=0, guest=-11.0)
    excused_at = scene.now
    scene.told.clear()
    scene.run(29, host=0, guest=-2.0)
    assert scene.told == []
    scene.run(1.5, host=0, guest=-2.0)
    assert scene.reasons == [Reason.JOIN]
    assert scene.line.at == pytest.approx(excused_at + 30, abs=0.5)
    scene.run(10, host=0, guest=-2.0)
    assert scene.reasons == [Reason.JOIN], "still not in step, so not counted"


def test_the_budget_is_full_again_after_a_minute() -> None:
    scene = playing("host", "guest")
    for _ in range(3):
        scene.run_until(lambda: Reason.MINIMUM in scene.reasons, 5, host=0, guest=-6.0)
        assert scene.line.reason is Reason.MINIMUM
        assert not scene.excused("guest")
        scene.told.clear()
        scene.run(61, host=0, guest=0)


def test_going_forward_costs_nothing() -> None:
    scene = playing("host", "guest")
    for _ in range(8):
        scene.run_until(lambda: Reason.MINIMUM in scene.reasons, 10, host=3.0, guest=3.0)
        assert not scene.excused("host")
        scene.told.clear()
    scene.run_until(lambda: Reason.MINIMUM in scene.reasons, 10, host=0, guest=-9.0)
    assert not scene.excused("guest")


def test_nobody_is_moved_back_by_more_than_they_had_run_ahead() -> None:
    scene = playing("host", "guest", "third")
    place = scene.film
    for _ in range(40):
        scene.wait(0.5)
        scene.tick("host", "third")
        place += 0.48
        scene.report("guest", position=place, rate=0.96)
        for event in scene.told:
            host = event.participants["host"]
            assert host.drift is None or event.current_position >= place - 0.04
        scene.told.clear()


def test_a_stall_of_a_player_that_is_seeking_by_itself_is_not_the_minimum_rules_business() -> None:
    scene = playing("host", "guest")
    scene.run(0.5, host=0)
    scene.report("guest", off=-3.0, buffering=True, cause=Cause.STALL)
    scene.wait(0.4)
    scene.tick("guest")
    scene.wait(2)
    assert scene.told == []


def test_a_player_that_took_the_place_of_another_moves_nobody_before_it_is_in_step() -> None:
    scene = Scene.playing("host", "guest", at=600.0)
    before = scene.control.state.revision
    scene.control.change_player("guest", scene.now)
    for _ in range(8):
        scene.wait(TICK)
        scene.tick("host")
        scene.report("guest", position=1.0)
    assert scene.reasons == []
    assert scene.control.state.revision == before
    scene.tick("guest")
    for _ in range(8):
        scene.wait(TICK)
        scene.tick("host")
        scene.report("guest", off=-0.5)
    assert Reason.MINIMUM in scene.reasons


def test_a_player_that_took_the_place_of_another_is_believed_whatever_the_other_said_last() -> None:
    scene = Scene.playing("host", "guest", at=600.0)
    scene.report("guest", buffering=True)
    scene.control.change_player("guest", scene.now)
    scene.report("guest", sent_at=scene.now - 0.5)
    scene.wait(TICK * 3)
    assert scene.reasons == []
    assert not scene.event.participants["guest"].buffering
