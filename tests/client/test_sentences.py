"""What is said of what happens: one plain sentence, and none where a person would notice nothing."""

from typing import Any

import pytest

from dateflicks.client.sentences import Narrator, clock_text, parse_position
from dateflicks.client.viewer import Notice
from dateflicks.client.watching import LinkChanged, PlayerChanged, Told
from tests.client.scenes import ME, OTHER, asked, participant, timecode


def said(narrator: Narrator | None = None, **changes: Any) -> str | None:
    return (narrator or Narrator(ME)).sentence(Told(timecode(**{"revision": 1, **changes})))


@pytest.mark.parametrize(
    ("position", "text"),
    [(0.0, "0:00"), (59.9, "0:59"), (60.0, "1:00"), (2_472.4, "41:12"), (3_723.0, "1:02:03"), (172_800.0, "48:00:00")],
)
def test_positions_are_written_as_people_write_them(position: float, text: str) -> None:
    assert clock_text(position) == text
    assert parse_position(text) == int(position)


@pytest.mark.parametrize(
    ("text", "position"),
    [("90", 90.0), ("90.5", 90.5), (" 41:12 ", 2_472.0), ("1:02:03.5", 3_723.5), ("0:00", 0.0), ("90:00", 5_400.0)],
)
def test_positions_are_read_as_people_write_them(text: str, position: float) -> None:
    assert parse_position(text) == position


@pytest.mark.parametrize(
    "text", ["", " ", ":", "1:", ":12", "1:60", "1:2:3:4", "-5", "1:-2", "nan", "inf", "1e400", "soon", "1:00:61"]
)
def test_what_is_no_position_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        parse_position(text)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"reason": "start"}, "The film is 1:00:00 long."),
        ({"reason": "play"}, "Playing from 1:40."),
        ({"reason": "pause", "status": "pause"}, "Paused at 1:40."),
        ({"reason": "stop", "status": "stop"}, "Stopped at 1:40."),
        ({"reason": "seek"}, "Moved to 1:40."),
        ({"reason": "minimum"}, "To 1:40, where Bea is."),
        ({"reason": "minimum", "by": ME}, "To 1:40, where you are."),
        ({"reason": "wait", "waiting_for": [OTHER]}, "Waiting at 1:40 for Bea."),
        ({"reason": "wait", "waiting_for": [ME, OTHER]}, "Waiting at 1:40 for you and Bea."),
        ({"reason": "wait"}, "Waiting at 1:40 for somebody."),
        ({"reason": "resume"}, "On again from 1:40."),
        ({"reason": "join"}, "Bea is here."),
        ({"reason": "join", "by": ME}, "You are here."),
        ({"reason": "leave"}, "Bea has gone; the place is kept."),
        ({"reason": "restored", "by": None}, "Nobody answered: playing at 1:40."),
        ({"reason": "restored", "by": None, "status": "pause"}, "Nobody answered: paused at 1:40."),
        ({"reason": "refused"}, "Bea said no: playing at 1:40."),
        ({"reason": "refused", "by": ME, "status": "stop"}, "You said no: stopped at 1:40."),
        ({"reason": "end"}, "The film is over."),
        ({"reason": "join", "by": "usr_unknown"}, "Somebody is here."),
    ],
)
def test_each_reason_has_its_sentence(changes: dict[str, Any], sentence: str) -> None:
    assert said(**changes) == sentence


@pytest.mark.parametrize(("asker", "sentence"), [(OTHER, "Bea took it back: "), (ME, "Bea said no: ")])
def test_who_takes_an_own_request_back_has_not_said_no(asker: str, sentence: str) -> None:
    narrator = Narrator(ME)
    said(narrator, reason="play", by=asker, pending=asked("play", by=asker))
    assert said(narrator, revision=2, reason="refused", status="pause") == f"{sentence}paused at 1:40."


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"reason": "play", "pending": asked("play")}, "Bea asks to play; type accept or refuse."),
        ({"reason": "play", "by": ME, "pending": asked("play", by=ME)}, "You ask to play; waiting for an answer."),
        ({"reason": "pause", "pending": asked("pause")}, "Paused at 1:40 by Bea; type accept or refuse."),
        (
            {"reason": "stop", "by": ME, "pending": asked("stop", by=ME)},
            "Stopped at 1:40 by you; waiting for an answer.",
        ),
        ({"reason": "seek", "pending": asked(600.0)}, "Bea asks to move to 10:00; type accept or refuse."),
    ],
)
def test_what_is_asked_says_what_to_do(changes: dict[str, Any], sentence: str) -> None:
    assert said(**changes) == sentence


def test_a_resume_without_somebody_names_them() -> None:
    people = {ME: participant("host", "Ana"), OTHER: participant("guest", "Bea", excused=True)}
    assert said(reason="resume", participants=people) == "On again from 1:40, for now without Bea."


def test_who_has_no_name_is_called_by_their_part() -> None:
    people = {ME: participant("host"), OTHER: participant("guest")}
    assert said(reason="join", participants=people) == "The guest is here."


def test_nothing_is_said_twice() -> None:
    narrator = Narrator(ME)
    assert said(narrator, revision=4) is not None
    assert said(narrator, revision=4) is None
    assert said(narrator, revision=3) is None
    assert said(narrator, revision=5) is not None


def test_the_line_is_only_spoken_of_when_it_was_lost() -> None:
    narrator = Narrator(ME)
    assert narrator.sentence(LinkChanged(True)) is None
    lost = "The line is lost (the service restarts); the film goes on here. Trying again "
    assert narrator.sentence(LinkChanged(False, "the service restarts", 0.2)) == f"{lost}now."
    assert narrator.sentence(LinkChanged(False, "the service restarts", 2.4)) == f"{lost}in 2 s."
    assert narrator.sentence(LinkChanged(True)) == "The line is back."


@pytest.mark.parametrize(
    ("update", "sentence"),
    [
        (PlayerChanged("stalled", "mpv waits"), "Your player stands still (mpv waits); the others are told."),
        (PlayerChanged("recovered", ""), "Your player can go on."),
        (PlayerChanged("died", "the player died"), "Your player: the player died."),
        (Notice("granted", "pause was agreed to", OTHER), "Agreed to the pause for you."),
        (Notice("granted", "seek was agreed to", OTHER), "Agreed to the move for you."),
        (Notice("asked", "asks for play", OTHER), None),
        (Notice("error", "Nothing is pending."), "Nothing is pending."),
    ],
)
def test_what_else_happens_is_said_plainly(update: PlayerChanged | Notice, sentence: str | None) -> None:
    assert Narrator(ME).sentence(update) == sentence
