"""What the other asks for, where the film is not shown: in one row that fits, and once in a sentence."""

from collections.abc import Sequence

import pytest

from dateflicks.client.consent import Consent, ConsentSettings
from dateflicks.client.ledger import Changed
from dateflicks.protocol.frames import StatusWord
from dateflicks.protocol.predictions import PredictionBody
from dateflicks.tui.drawing.cells import width_of
from dateflicks.tui.drawing.elsewhere import asked, news
from dateflicks.tui.drawing.rows import text_of
from dateflicks.tui.glyphs import UNICODE
from dateflicks.tui.keys import read_keys
from dateflicks.tui.model import Answered, ConsentChosen, LinkChanged, WatchState
from tests.tui.evenings import BEA, ME, after, bet, call, live, pending, timecode

KEYS = read_keys({})
ASKS = ConsentChosen(consent=ConsentSettings.all(Consent.ASK))


def with_wish(to: StatusWord | float = "pause", by: str = BEA) -> WatchState:
    wish = timecode(2.0, revision=2, reason="pause", by=by, pending=pending(to, by))
    return after([*live(), (1.0, ASKS), (2.0, wish)])


def with_bets(*bets: PredictionBody) -> WatchState:
    return after([*live(), *((2.0, Changed(one, "made", None)) for one in bets)])


def said(state: WatchState, width: int = 80) -> Sequence[str]:
    return [text_of(row).rstrip() for row in asked(state, width, UNICODE, KEYS)]


@pytest.mark.parametrize("width", [24, 40, 60, 80, 140])
@pytest.mark.parametrize("state", [with_wish(), with_wish(120.0), with_bets(bet(details="It rains " * 30))])
def test_it_fits_and_names_the_key_that_leads_to_the_film(state: WatchState, width: int) -> None:
    (row,) = asked(state, width, UNICODE, KEYS)
    assert width_of(text_of(row)) == width
    assert "[esc]" in text_of(row)


def test_a_change_says_who_wants_what_and_what_happens_when_nobody_answers() -> None:
    assert said(with_wish())[0].startswith("▌bea wants to PAUSE — reverts to PLAYING in 0:58 ")
    assert said(with_wish())[0].endswith("[esc] to the film")
    assert said(with_wish(120.0), 40) == ["▌bea: GO TO 0:02:00? 0:58        [esc]"]


def test_a_change_comes_before_a_prediction_and_what_came_out_before_a_call() -> None:
    both = after([(2.0, Changed(bet(), "made", None))], with_wish())
    assert "wants to PAUSE" in said(both)[0]
    outcome = bet(2, details="It rains", status="locked", proposed_outcome="no", proposed_by=BEA)
    assert said(with_bets(bet(), outcome))[0].startswith("▌came out no? “It rains”")
    assert said(with_bets(bet()))[0].startswith("▌bea predicts “Ben survives the night”")


@pytest.mark.parametrize(
    "state",
    [
        after(live()),
        with_wish(by=ME),
        after([(3.0, Answered(agreed=True))], with_wish()),
        after([(3.0, LinkChanged(False, "gone", 4.0))], with_wish()),
        with_bets(bet(author=ME, author_name="ana")),
        with_bets(bet(calls=[call(ME, option="yes", confidence=0.7)])),
        with_bets(bet(status="locked", proposed_outcome="no", proposed_by=ME)),
        with_bets(bet(waits=True, details="", options=[])),
    ],
)
def test_what_is_not_for_this_person_to_answer_is_not_told(state: WatchState) -> None:
    assert said(state) == []


def test_what_has_just_happened_is_told_once() -> None:
    before, state = after(live()), with_wish()
    assert news(before, state, UNICODE, KEYS) == ["bea wants to PAUSE: esc leads to the film."]
    assert news(state, state, UNICODE, KEYS) == []
    gone = after([(3.0, timecode(3.0, revision=3, reason="refused", by=BEA))], state)
    assert news(state, gone, UNICODE, KEYS) == ["bea took it back: the film plays."]
    assert news(before, with_bets(bet()), UNICODE, KEYS) == ["bea predicts: Ben survives the night (yes / no)"]
