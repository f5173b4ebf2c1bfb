"""Stalls: a short one nobody notices, a longer one is waited for, and nobody is waited for for ever."""

import pytest

from dateflicks.core.playback import Cause, PlaybackRules, Reason, Status
from tests.core.playback.scene import PARTY, Scene


def stalled(scene: Scene, user: str = "guest") -> float:
    """This one's player stops now; where it stopped."""
    scene.tick(*(one for one in scene.event.participants if one != user))
    scene.report(user, buffering=True, cause=Cause.STALL)
    return scene.film


def test_a_stall_within_the_grace_moves_nobody() -> None:
    scene = Scene.playing("host", "guest", at=100.0)
    stalled(scene)
    scene.wait(0.49)
    scene.report("guest", off=-0.1, cause=Cause.RESUME)
    scene.wait(0.5)
    assert scene.told == []
    assert scene.event.rate == 1


def test_after_the_grace_the_film_waits_where_the_late_one_stands() -> None:
    scene = Scene.playing("host", "guest", at=100.0)
    scene.run(5, host=0, guest=0)
    stood = stalled(scene)
    scene.wait(0.5)
    assert (scene.line.reason, scene.line.by, scene.line.waiting_for) == (Reason.WAIT, "guest", ("guest",))
    assert (scene.line.status, scene.line.rate) == (Status.PLAY, 0)
    assert scene.line.current_position == pytest.approx(stood)


def test_saying_again_that_one_stalls_does_not_prolong_the_grace() -> None:
    scene = Scene.playing("host", "guest", at=100.0)
    stood = stalled(scene)
    scene.wait(0.3)
    scene.report("guest", position=stood, buffering=True, cause=Cause.STALL)
    scene.wait(0.2)
    assert scene.line.reason is Reason.WAIT


def test_who_is_ready_again_is_followed_by_a_scheduled_resume_from_the_minimum() -> None:
    scene = Scene.playing("host", "guest", at=100.0)
    scene.run(5, host=0, guest=0)
    stalled(scene)
    scene.wait(0.5)
    stood = scene.film
    scene.run(3, host=0.05)
    scene.tick("host")
    scene.report("guest", off=-0.05, cause=Cause.RESUME)
    assert (scene.line.reason, scene.line.waiting_for, scene.line.rate) == (Reason.RESUME, (), 1)
    assert scene.line.current_position == pytest.approx(stood - 0.05)
    assert scene.line.at == pytest.approx(scene.now + 0.25)


def test_a_report_from_before_the_wait_does_not_end_it() -> None:
    scene = Scene.playing("host", "guest", at=100.0)
    seen = scene.event.revision
    stalled(scene)
    scene.wait(0.5)
    scene.report("guest", cause=Cause.RESUME, revision=seen)
    assert scene.event.waiting_for == ("guest",)


def test_after_10_seconds_the_others_go_on_without_the_late_one() -> None:
    scene = Scene.playing("host", "guest", at=100.0)
    stood = stalled(scene)
    scene.wait(0.5)
    began = scene.now
    scene.run(9.5, host=0)
    assert scene.event.waiting_for == ("guest",)
    scene.wait(0.5)
    assert scene.now == pytest.approx(began + 10)
    assert (scene.line.reason, scene.line.by, scene.line.rate) == (Reason.RESUME, "guest", 1)
    assert scene.line.participants["guest"].excused
    assert scene.line.current_position == pytest.approx(stood)


def test_how_long_is_waited_is_the_deployments_to_say() -> None:
    scene = Scene.playing("host", "guest", at=100.0, rules=PlaybackRules(wait_seconds=2.0))
    stalled(scene)
    scene.wait(0.5)
    scene.run(1.5, host=0)
    assert scene.event.rate == 0
    scene.wait(0.5)
    assert scene.event.rate == 1


def test_a_deployment_that_never_waits_goes_on_at_once() -> None:
    scene = Scene.playing("host", "guest", at=100.0, rules=PlaybackRules(wait_seconds=0.0))
    stalled(scene)
    scene.wait(0.5)
    assert scene.event.rate == 1
    assert scene.excused("guest")


def test_one_who_goes_while_waited_for_is_not_waited_for() -> None:
    scene = Scene.playing("host", "guest", at=100.0)
    stalled(scene)
    scene.run(2, host=0)
    assert scene.event.rate == 0
    scene.leave("guest")
    assert (scene.line.reason, scene.line.rate, scene.line.waiting_for) == (Reason.RESUME, 1, ())
    assert not scene.excused("guest")


def test_a_second_one_who_stalls_is_waited_for_too_but_not_longer() -> None:
    scene = Scene.playing("host", "guest", "third", at=100.0)
    stalled(scene)
    scene.wait(0.5)
    scene.run(3, host=0)
    scene.report("third", buffering=True, cause=Cause.STALL)
    assert scene.event.waiting_for == ("guest", "third")
    scene.report("guest", cause=Cause.RESUME)
    assert scene.event.rate == 0
    scene.run(6.5, host=0, guest=0)
    scene.wait(0.5)
    assert scene.event.rate == 1
    assert scene.excused("third")
    assert not scene.excused("guest")


def test_that_a_second_one_is_waited_for_is_told() -> None:
    scene = Scene.playing("host", "guest", "third", at=100.0)
    stalled(scene)
    scene.wait(0.5)
    scene.report("third", buffering=True, cause=Cause.STALL)
    assert (scene.line.reason, scene.line.by) == (Reason.WAIT, "third")
    assert scene.line.waiting_for == ("guest", "third")


def test_seven_stand_with_the_one_who_stalls() -> None:
    scene = Scene.playing(*PARTY, at=100.0)
    stalled(scene, "fifth")
    scene.wait(0.5)
    assert scene.event.waiting_for == ("fifth",)
    scene.tick("fifth")
    assert scene.event.rate == 1


def test_one_who_is_excused_holds_nobody_up_for_30_seconds_and_is_named_when_back() -> None:
    scene = Scene.playing("host", "guest", at=100.0)
    stalled(scene)
    scene.wait(0.5)
    scene.run(10, host=0)
    assert scene.excused("guest")
    excused_at = scene.now
    scene.report("guest", buffering=True, cause=Cause.STALL)
    scene.run(29, host=0)
    assert scene.event.rate == 1
    assert scene.excused("guest")
    scene.told.clear()
    scene.run(1, host=0)
    assert not scene.excused("guest")
    assert [(event.reason, event.by) for event in scene.told] == [(Reason.JOIN, "guest")]
    assert scene.line.at == pytest.approx(excused_at + 30)


def test_one_who_was_excused_counts_again_when_in_step() -> None:
    scene = Scene.playing("host", "guest", at=100.0)
    stalled(scene)
    scene.run(10.5, host=0)
    scene.run(20, host=0, guest=0)
    scene.run(5, host=0, guest=-1)
    assert Reason.MINIMUM not in scene.reasons, "an excused one is not counted"
    scene.run(6, host=0, guest=0)
    scene.run(2, host=0, guest=-1)
    assert Reason.MINIMUM in scene.reasons


def test_one_who_was_silent_while_excused_has_to_be_in_step_again_before_they_count() -> None:
    scene = Scene.playing("host", "guest", at=100.0)
    stalled(scene)
    scene.run(41, host=0)
    assert not scene.excused("guest")
    scene.told.clear()
    scene.run(10, host=0, guest=-2)
    assert scene.told == []


def test_one_who_is_excused_and_leaves_is_forgiven_without_a_word() -> None:
    scene = Scene.playing("host", "guest", at=100.0)
    stalled(scene)
    scene.run(10.5, host=0)
    scene.leave("guest")
    scene.told.clear()
    scene.run(40, host=0)
    assert scene.told == []
    assert not scene.excused("guest")


def test_leaving_and_coming_back_does_not_end_an_excuse() -> None:
    scene = Scene.playing("host", "guest", at=100.0)
    stalled(scene)
    scene.run(10.5, host=0)
    scene.leave("guest")
    scene.join("guest")
    assert scene.excused("guest")


def test_many_stalls_cost_the_others_no_more_than_10_seconds_of_film_a_minute() -> None:
    scene = Scene.playing("host", "guest", at=100.0)
    for _ in range(40):
        scene.run(0.5, host=0, guest=0)
        scene.tick("host")
        scene.report("guest", buffering=True, cause=Cause.STALL)
        scene.wait(0.5)
        if scene.excused("guest"):
            break
        assert scene.event.rate == 0
        scene.tick("host", "guest")
        scene.wait(0.25)
    waits = scene.reasons.count(Reason.WAIT)
    assert waits == 20
    assert (scene.line.reason, scene.line.by, scene.line.rate) == (Reason.RESUME, "guest", 1)


def test_a_stall_that_is_over_before_the_start_holds_nobody_up() -> None:
    scene = Scene.playing("host", "guest", at=100.0)
    scene.agree(Status.PAUSE, "host", "guest")
    scene.tick("host", "guest")
    scene.agree(Status.PLAY, "host", "guest")
    scene.report("guest", buffering=True, cause=Cause.STALL)
    scene.wait(0.2)
    scene.tick("guest")
    scene.wait(2)
    assert Reason.WAIT not in scene.reasons


def test_a_stall_that_lasts_from_before_the_start_is_noticed_when_the_film_should_move() -> None:
    scene = Scene.playing("host", "guest", at=100.0)
    scene.control.measured_one_way("guest", 2.0)
    scene.agree(Status.PAUSE, "host", "guest")
    scene.tick("host", "guest")
    scene.agree(Status.PLAY, "host", "guest")
    start = scene.line.at
    assert start - scene.now == 2.0
    scene.report("guest", buffering=True, cause=Cause.STALL)
    scene.wait(2.0)
    assert (scene.line.reason, scene.line.at) == (Reason.WAIT, start)


def test_a_pause_ends_the_waiting_and_a_later_play_waits_again() -> None:
    scene = Scene.playing("host", "guest", at=100.0)
    stalled(scene)
    scene.wait(0.5)
    scene.act("host", Status.PAUSE)
    assert not scene.event.waiting_for
    scene.report("guest", status=Status.PAUSE, cause=Cause.USER, buffering=True)
    scene.act("host", Status.PLAY)
    scene.report("guest", status=Status.PLAY, cause=Cause.USER, buffering=True)
    assert scene.event.waiting_for == ("guest",)
    scene.tick("guest")
    assert scene.event.rate == 1


def test_a_resume_does_not_go_back_for_one_who_is_beyond_the_budget() -> None:
    scene = Scene("host", "guest", "third")
    scene.tick("host", "guest", "third")
    scene.seek_together("host", "guest", "third", to=100.0)
    scene.tick("host", "guest", "third")
    scene.report("third", position=80.0)
    scene.agree(Status.PLAY, "host", "guest")
    scene.report("third", position=80.0, status=Status.PLAY, cause=Cause.USER)
    assert scene.line.current_position == 100.0
    assert scene.line.participants["third"].excused
    assert not scene.line.participants["guest"].excused


def test_a_resume_goes_back_for_one_who_is_within_the_budget_and_spends_it() -> None:
    scene = Scene("host", "guest")
    scene.seek_together("host", "guest", to=100.0)
    for _ in range(2):
        scene.tick("host", "guest")
        scene.report("guest", off=-6.0)
        scene.report("host", status=Status.PLAY, cause=Cause.USER)
        scene.report("guest", off=-6.0, status=Status.PLAY, cause=Cause.USER)
        scene.act("host", Status.STOP)
        scene.act("guest", Status.STOP)
    assert scene.film == pytest.approx(94.0)
    assert scene.excused("guest")
