"""What is written over the film: questions until their deadline, news and talk for a moment, and nothing that asks
nothing; on a real mpv other people's words are shown as they are.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from dateflicks.client.chat_updates import Rewritten, Said, TypingNow
from dateflicks.client.consent import Consent, ConsentSettings
from dateflicks.client.ledger import Changed, ScoresChanged, Unproven
from dateflicks.client.overlay import LINE_CHARACTERS, SAID_SECONDS, SHORT_SECONDS, Overlay
from dateflicks.client.players.film import make_film
from dateflicks.client.players.mpv import SHOWN_CHARACTERS, MpvPlayer
from dateflicks.client.players.mpv_ipc import Reply
from dateflicks.client.players.process import MpvOptions
from dateflicks.client.predictions import PredictionsLine
from dateflicks.client.viewer import Notice, Viewer
from dateflicks.client.watching import LinkChanged, PlayerChanged, Told
from dateflicks.protocol.frames import ParticipantState, Pending, Pong, TimecodeFrame
from tests.client import talking
from tests.client.prediction_scenes import prediction
from tests.conftest import require

ME, OTHER = "usr_a", "usr_b"


def viewer(consent: Consent = Consent.ASK) -> Viewer:
    found = Viewer("ses_x", ME, is_host=True, consent=ConsentSettings.all(consent))
    for number in range(20):  # a server whose clock is a thousand seconds ahead
        at = 10.0 + number * 0.1
        found.opened(at)
        found.received(Pong(t0=at, t1=(at + 1000) * 1000, t2=(at + 1000) * 1000, clock_id="clk_x"), at, None)
    return found


def said(content: str = "hello", **changes: Any) -> Said:
    message = talking.message(1, **{"author": OTHER, "author_name": "bea", "content": content, **changes})
    return Said(message, is_news=True)


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


# --- the talk -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "content", "text"),
    [
        ("text", "hello\nthere", "bea: hello there"),
        ("action", "waves", "bea waves"),
        ("reaction", "joy", "bea reacts: joy"),
    ],
)
def test_what_the_other_says_is_shown_for_a_while(kind: str, content: str, text: str) -> None:
    assert Overlay(viewer()).text(said(content, type=kind), 12.0) == (text, SAID_SECONDS)


@pytest.mark.parametrize(
    "update",
    [
        said(author=ME),
        said(author=None, type="system"),
        said(type="system", event="paused"),
        said("", deleted_at="2026-11-24T02:00:00.000Z"),
        Said(talking.message(1, author=OTHER), is_news=False),
        Rewritten("msg_1", 1, talking.message(1)),
        TypingNow(((OTHER, "bea"),)),
    ],
)
def test_one_s_own_words_what_is_old_and_what_the_film_tells_are_not_shown(update: Any) -> None:
    assert Overlay(viewer()).text(update, 12.0) is None


def test_a_question_stays_below_what_is_said_until_it_is_settled() -> None:
    overlay = Overlay(viewer())
    overlay.text(asked("seek"), 12.0)
    assert overlay.text(asked("seek"), 17.0) is None  # the same state told once more
    shown = overlay.text(said(), 18.0)
    assert shown is not None
    assert shown[0] == "bea: hello\nbea asks to move to 41:00: y agrees, n refuses"
    assert shown[1] == pytest.approx(54.0, abs=1.0)
    overlay.text(told(revision=2, reason="refused"), 19.0)
    assert overlay.text(said(), 20.0) == ("bea: hello", SAID_SECONDS)


def test_a_question_that_is_past_its_deadline_is_not_shown_again() -> None:
    overlay = Overlay(viewer())
    overlay.text(asked("seek"), 12.0)
    assert overlay.text(said(), 80.0) == ("bea: hello", SAID_SECONDS)


def test_however_long_the_words_are_the_whole_question_is_shown() -> None:
    overlay = Overlay(viewer())
    overlay.text(asked("seek"), 12.0)
    shown = overlay.text(said("x" * 4_000, author_name="y" * 500), 13.0)
    assert shown is not None
    words, _, question = shown[0].partition("\n")
    assert (len(words), words[-1]) == (LINE_CHARACTERS, "…")
    assert question.endswith("y agrees, n refuses")
    assert len(shown[0]) < SHOWN_CHARACTERS


def test_hostile_words_and_names_make_no_line_of_their_own() -> None:
    overlay = Overlay(viewer())
    overlay.text(asked("seek"), 12.0)
    shown = overlay.text(said("a\r\nb\u2028c\x0bd\u202e", author_name="x\n\x1b[2Jy"), 13.0)
    assert shown is not None
    words, *below = shown[0].split("\n")
    assert words.isprintable()
    assert below == ["bea asks to move to 41:00: y agrees, n refuses"]


# --- predictions ----------------------------------------------------------------------------------------------------


def test_a_prediction_that_locks_and_one_that_waits_for_a_yes_get_a_line() -> None:
    overlay = Overlay(viewer())
    overlay._viewer.timecode = told().frame
    locked = prediction(2, status="locked")
    assert overlay.text(Changed(locked, "locked", None), 12.0) == ("Locked: The butler did it", SAID_SECONDS)
    proposed = prediction(3, status="locked", proposed_by=OTHER, proposed_outcome="yes")
    assert overlay.text(Changed(proposed, "proposed", locked), 12.0) == (
        "bea says it is yes, confirm or object: The butler did it",
        SAID_SECONDS,
    )


@pytest.mark.parametrize(
    "update",
    [
        Changed(prediction(1), "made", None),
        Changed(prediction(1), "called", None),
        Changed(prediction(2, status="locked"), "present", None),
        Changed(prediction(2, status="locked", waits=True, details="", options=[]), "locked", None),
        Changed(prediction(3, status="locked", proposed_by=ME, proposed_outcome="yes"), "proposed", None),
        Unproven(prediction(1), OTHER, "bea", "it is gone"),
        ScoresChanged(()),
        PredictionsLine(False, "gone", 3.0),
    ],
)
def test_what_else_happens_to_predictions_leaves_the_film_alone(update: Any) -> None:
    assert Overlay(viewer()).text(update, 12.0) is None


# --- on a real player -----------------------------------------------------------------------------------------------

HOSTILE = (
    "${path} $>$$ ${osd-ass-cc/0}{\\b1\\fs99}big",
    "${!pause==yes:gone} %p ${=filename}",
    "$" * 400,
    "<b>b</b> \\N \\h {\\pos(0,0)}",
    "-–--append ;quit",
)


@pytest.fixture
async def player(tmp_path: Path) -> AsyncIterator[MpvPlayer]:
    require("mpv", "ffmpeg")
    film = await make_film(tmp_path / "film.mkv", 5.0)
    player = await MpvPlayer.start(MpvOptions(null_outputs=True))
    await player.load(str(film))
    yield player
    await player.close()


@pytest.mark.mpv
@pytest.mark.parametrize("words", HOSTILE)
async def test_mpv_puts_nothing_of_its_own_into_other_people_s_words(
    words: str, player: MpvPlayer, monkeypatch: pytest.MonkeyPatch
) -> None:
    overlay = Overlay(viewer())
    overlay.text(asked("seek"), 12.0)
    shown = overlay.text(said(words, author_name="${path}"), 13.0)
    assert shown is not None
    assert player._deck is not None
    ipc, sent = player._deck.ipc, list[Any]()
    command = ipc.command

    async def overheard(*words: Any, **more: Any) -> Reply:
        if words[0] == "show-text":
            sent.append(words[1])
        return await command(*words, **more)

    monkeypatch.setattr(ipc, "command", overheard)
    async with asyncio.timeout(30):
        await player.show(shown[0], 0.1)
        assert (await command("expand-text", sent[0])).data == shown[0]
    assert shown[0].count("\n") == 1
    assert shown[0].startswith("${path}: ")
