"""The checker of films and sessions: it finds what nobody should have seen, and nothing where all is well."""

from dataclasses import replace
from typing import Any

from benchmarks.faultbench.history import Observed, Observer, check_sessions, check_timelines

STOP = Observed(1, "stop", 0.0, 0.0, 1_000.0)
PLAY = Observed(2, "play", 1.0, 0.0, 2_000.0)
LATER = Observed(2, "play", 1.0, 3.0, 5_000.0)
PAUSE = Observed(3, "pause", 0.0, 7.0, 9_000.0)


def observers(*seen: list[Observed]) -> list[Observer]:
    return [Observer(name, states) for name, states in zip(("ana", "ben"), seen, strict=True)]


def test_two_who_were_told_the_same_in_the_end_are_right_whatever_each_has_missed() -> None:
    assert check_timelines(observers([STOP, PLAY, LATER, PAUSE], [STOP, LATER, PAUSE]), "pause") == []
    assert check_timelines(observers([STOP, PLAY], [STOP, LATER])) == [], "one timeline, told at two instants"


def test_an_older_state_behind_a_newer_one_is_found() -> None:
    (wrong,) = check_timelines(observers([PLAY, STOP, PAUSE], [PAUSE]))
    assert "revision 1 behind 2" in wrong


def test_two_states_of_one_revision_are_found() -> None:
    (wrong,) = check_timelines(observers([PLAY, replace(LATER, status="pause"), PAUSE], [PAUSE]))
    assert "revision 2 as play and as pause" in wrong


def test_two_who_end_apart_are_found() -> None:
    assert len(check_timelines(observers([PLAY], [PAUSE]))) == 1
    assert len(check_timelines(observers([PLAY], [replace(LATER, position=3.5)]))) == 1
    assert len(check_timelines(observers([PLAY], []))) == 1


def test_what_is_kept_otherwise_than_told_is_found() -> None:
    (wrong,) = check_timelines(observers([PAUSE], [PAUSE]), "play")
    assert "is what is kept" in wrong


def session(state: str, **more: Any) -> dict[str, Any]:
    return {"id": "ses_a", "state": state, "ticket": f"of {more}", **more}


def test_a_session_that_ended_once_and_alike_for_both_is_right() -> None:
    seen = {"ana": [session("pending"), session("rejected")], "ben": [session("rejected")]}
    assert check_sessions(seen, session("rejected")) == []


def test_a_session_that_ended_in_two_ways_is_found() -> None:
    seen = {"ana": [session("cancelled")], "ben": [session("rejected")]}
    wrongs = check_sessions(seen, session("rejected"))
    assert any("ended as cancelled, rejected" in wrong for wrong in wrongs)


def test_an_end_that_is_taken_back_and_an_end_that_differs_are_found() -> None:
    wrongs = check_sessions(
        {"ana": [session("ended"), session("accepted")], "ben": [session("ended")]}, session("ended")
    )
    assert any("ended, and then accepted" in wrong for wrong in wrongs)
    wrongs = check_sessions({"ana": [session("ended", endedAt="1")], "ben": []}, session("ended", endedAt="2"))
    assert len(wrongs) == 2
