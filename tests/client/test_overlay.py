"""What is written over the film: questions until their deadline, news for a moment, nothing that asks nothing."""

from typing import Any

import pytest

from dateflicks.client.consent import Consent, ConsentSettings
from dateflicks.client.overlay import SHORT_SECONDS, Overlay
from dateflicks.client.viewer import Notice, Viewer
from dateflicks.client.watching import LinkChanged, PlayerChanged, Told
from dateflicks.protocol.frames import ParticipantState, Pending, Pong, TimecodeFrame

ME, OTHER = "usr_a", "usr_b"


def viewer(consent: Consent = Consent.ASK) -> Viewer:
    found = Viewer("ses_x", ME, is_host=True, consent=ConsentSettings.all(consent))
    for number in range(20):  # a server whose clock is a thousand seconds ahead
        at = 10.0 + number * 0.1
        found.opened(at)
        found.received(Pong(t0=at, t1=(at + 1000) * 1000, t2=(at + 1000) * 1000, clock_id="clk_x"), at, None)
    return found


def told(**changes: Any) -> Told:
    member = ParticipantState(
        role="guest", connected=True, buffering=False, status="play", position=0.0, drift=0.0, name="bea"
    )
    frame = {
        "session_id": "ses_x", "length": 5400.0, "current_position": 60.0, "status": "play", "last_status_change": "",
        "at": 0.0, "rate": 1.0, "revision": 1, "clock_id": "clk_x", "reason": "join", "by": OTHER, "waiting_for": [],
        "pending": None, "participants": {OTHER: member},
    }  # fmt: skip
    return Told(TimecodeFrame(**{**frame, **changes}))


def asked(kind: str, by: str = OTHER) -> Told:
    to: Any = 2460.0 if kind == "seek" else kind
    pending = Pending(kind="seek" if kind == "seek" else "status", by=by, from_="stop", to=to, deadline=1_072_000.0)
    return told(reason=kind, by=by, pending=pending)


@pytest.mark.parametrize(
    ("kind", "text"),
    [("seek", "bea asks to move to 41:00"), ("play", "bea asks to play"), ("pause", "bea paused")],
)
def test_a_question_says_who_and_what_and_which_keys_and_stands_until_its_deadline(kind: str, text: str) -> None:
    shown = Overlay(viewer()).text(asked(kind), 12.0)
    assert shown is not None
    assert shown[0] == f"{text}: y agrees, n refuses"
    assert shown[1] == pytest.approx(60.0, abs=1.0)


@pytest.mark.parametrize("consent", [Consent.TELL, Consent.FREE])
def test_what_is_agreed_to_by_itself_is_no_question(consent: Consent) -> None:
    shown = Overlay(viewer(consent)).text(asked("play"), 12.0)
    assert shown is None or "y agrees" not in shown[0]


def test_one_s_own_request_is_no_question() -> None:
    shown = Overlay(viewer()).text(asked("seek", by=ME), 12.0)
    assert shown is not None
    assert "y agrees" not in shown[0]


def test_the_settlement_takes_the_question_s_place() -> None:
    overlay = Overlay(viewer())
    overlay.text(asked("seek"), 12.0)
    assert overlay.text(told(revision=2, reason="seek", current_position=2460.0), 13.0) == (
        "Moved to 41:00.",
        SHORT_SECONDS,
    )


def test_the_same_state_once_more_leaves_the_film_alone() -> None:
    overlay = Overlay(viewer())
    assert overlay.text(told(), 12.0) is not None
    assert overlay.text(told(), 17.0) is None


def test_a_lost_line_is_news_and_trouble_of_the_player_is_not_written_on_it() -> None:
    overlay = Overlay(viewer())
    lost = overlay.text(LinkChanged(False, "the line is gone", 0.0), 12.0)
    assert lost is not None
    assert "line is lost" in lost[0]
    assert overlay.text(PlayerChanged("stalled", "mpv waits for data"), 12.0) is None
    assert overlay.text(Notice("asked", "asks for seek", OTHER), 12.0) is None
