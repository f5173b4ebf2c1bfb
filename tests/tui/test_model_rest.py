"""The reducer: the line, the player, predictions and what is told once."""

import pytest

from dateflicks.client.ledger import Changed, ScoresChanged, Unproven
from dateflicks.client.predictions import PredictionsLine, PredictionsRefused
from dateflicks.client.viewer import Notice
from dateflicks.protocol.predictions import ScoreBody
from dateflicks.tui.model import (
    LinkChanged,
    PlayerAttached,
    PlayerChanged,
    Sampled,
    Tick,
    Toasted,
    WatchState,
    reduce,
)
from dateflicks.tui.model.state import TOAST_SECONDS, TOASTS_KEPT, TROUBLE_SECONDS
from tests.tui.evenings import after, bet, bets, live, opened, sample


def texts(state: WatchState) -> list[str]:
    return [one.text for one in state.toasts]


# --- the line ---------------------------------------------------------------------------------------------------


def test_a_line_that_goes_is_counted_from_when_it_went() -> None:
    state = after([*live(), (5.0, LinkChanged(False, "gone", 0.5)), (9.0, LinkChanged(False, "refused", 4.0))])
    link = state.link
    assert (link.is_open, link.lost_at, link.retry_at, link.tries, link.why) == (False, 5.0, 13.0, 2, "refused")


def test_a_line_that_is_back_forgets_its_tries_and_says_so() -> None:
    state = after([*live(), (5.0, LinkChanged(False, "gone", 0.5)), (6.0, LinkChanged(True))])
    assert (state.link.is_open, state.link.tries, state.link.lost_at, state.link.retry_at) == (True, 0, None, None)
    assert texts(state) == ["The line is back."]


def test_the_first_line_is_no_news() -> None:
    assert texts(after(live())) == []
    late = [(0.0, opened()), (1.0, LinkChanged(False, "refused", 1.0)), (2.0, LinkChanged(True))]
    assert texts(after(late)) == []  # type: ignore[arg-type]  # events


@pytest.mark.parametrize("trip", [None, float("inf")])
def test_a_round_trip_that_nobody_knows_leaves_the_last_one(trip: float | None) -> None:
    assert after([*live(), (2.0, Sampled(round_trip=trip))]).link.round_trip == 0.042


# --- the player -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "text", "is_attached", "trouble"),
    [
        ("stalled", "no data", True, "no data"),
        ("stalled", "", True, "stands still"),
        ("recovered", "", True, ""),
        ("died", "the player died", False, "the player died"),
        ("closed", "the player was closed", False, "the player was closed"),
        ("gave-up", "the player died again", False, "the player died again"),
    ],
)
def test_what_ails_the_player_is_known(kind: str, text: str, is_attached: bool, trouble: str) -> None:
    player = after([*live(), (2.0, PlayerChanged(kind, text))]).player
    assert (player.is_attached, player.trouble) == (is_attached, trouble)


@pytest.mark.parametrize("kind", ["trouble", "speed-refused", "other-film", "something-new"])
def test_a_passing_trouble_of_the_player_is_told_and_leaves_it_attached(kind: str) -> None:
    state = after([*live(), (2.0, PlayerChanged(kind, "it did not take that"))])
    assert texts(state) == ["Your player: it did not take that."]
    assert state.player.is_attached


def test_a_player_that_is_there_again_shows_by_its_position() -> None:
    state = after([*live(), (2.0, PlayerChanged("died", "died")), (3.0, sample(3.0))])
    assert (state.player.is_attached, state.player.trouble) == (True, "")


def test_a_player_that_stands_still_is_not_well_again_because_its_position_is_known() -> None:
    state = after([*live(), (2.0, PlayerChanged("stalled", "no data")), (3.0, sample(3.0))])
    assert state.player.trouble == "no data"


def test_without_a_position_no_player_is_taken_for_attached() -> None:
    assert not after([(0.0, opened()), (1.0, Sampled())]).player.is_attached


def test_a_player_has_a_name() -> None:
    assert after([(0.0, opened(player="manual"))]).player.name == "manual"
    assert after([(0.0, opened()), (1.0, PlayerAttached(name="mpv 0.40"))]).player.name == "mpv 0.40"


# --- the end ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["ended", "cancelled", "rejected"])
def test_a_session_that_somebody_ends_is_over(kind: str) -> None:
    state = after([*live(), (2.0, Notice(kind, f"The session was {kind} for everybody."))])
    assert state.is_over
    assert texts(state) == [f"The session was {kind} for everybody."]


# --- toasts -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("is_trouble", "seconds"), [(False, TOAST_SECONDS), (True, TROUBLE_SECONDS)])
def test_what_is_told_goes_by_itself(is_trouble: bool, seconds: float) -> None:
    state = after([(1.0, Toasted(text="hello", is_trouble=is_trouble))])
    assert texts(reduce(state, Tick(), 0.9 + seconds)) == ["hello"]
    assert texts(reduce(state, Tick(), 1.0 + seconds)) == []


def test_the_same_again_stays_longer_and_is_not_there_twice() -> None:
    state = after([(1.0, Toasted(text="a")), (2.0, Toasted(text="b")), (4.0, Toasted(text="a"))])
    assert texts(state) == ["b", "a"]
    assert texts(reduce(state, Tick(), 8.0)) == ["a"]


def test_of_many_the_newest_are_kept() -> None:
    state = after([(1.0, Toasted(text=str(number))) for number in range(10)])
    assert texts(state) == [str(number) for number in range(10 - TOASTS_KEPT, 10)]


# --- predictions ------------------------------------------------------------------------------------------------


def test_the_newest_prediction_stands_first_however_they_come() -> None:
    found = bets()
    for order in (found, found[::-1], [*found[3:], *found[:3]]):
        state = after([(1.0, Changed(one, "present", None)) for one in order])
        assert [one.id for one in state.bets.items] == [f"prd_{number}" for number in range(7, 0, -1)]


@pytest.mark.parametrize(("first", "second", "kept"), [(1, 2, 2), (2, 1, 2), (3, 3, 3)])
def test_an_older_revision_never_wins(first: int, second: int, kept: int) -> None:
    events = [Changed(bet(1, revision=one), "called", None) for one in (first, second)]
    items = after([(1.0, one) for one in events]).bets.items
    assert [one.revision for one in items] == [kept]


def test_of_one_revision_what_can_be_read_wins_over_what_waits() -> None:
    waiting, shown = bet(1, waits=True, details=""), bet(1)
    for order in ((waiting, shown), (shown, waiting)):
        assert after([(1.0, Changed(one, "shown", None)) for one in order]).bets.items == (shown,)


def test_what_happens_to_a_prediction_is_told_in_a_sentence() -> None:
    state = after([(0.0, opened()), (1.0, Changed(bet(1), "made", None))])
    assert texts(state) == ["bea predicts: Ben survives the night (yes / no)"]


def test_what_was_there_before_is_not_news() -> None:
    assert texts(after([(1.0, Changed(bet(1), "present", None))])) == []


def test_an_old_word_of_a_prediction_is_not_told() -> None:
    state = after([(1.0, Changed(bet(1, revision=3), "present", None)), (2.0, Changed(bet(1), "made", None))])
    assert texts(state) == []


def test_a_call_that_is_not_what_was_sealed_is_told_loudly_and_stays_marked() -> None:
    state = after([(1.0, Unproven(bet(1), "usr_bea", "bea", "it is gone"))])
    assert state.bets.unproven == {"prd_1"}
    assert state.toasts[0].is_trouble
    assert "Not proven" in state.toasts[0].text


def test_scores_and_line_of_the_predictions_are_known() -> None:
    score = ScoreBody(user_id="u", name="bea", points=3.0, calls=1, right=1, brier=0.0)
    state = after([(1.0, PredictionsLine(True)), (1.0, ScoresChanged((score,)))])
    assert (state.bets.scores, state.bets.is_open) == ((score,), True)
    assert not reduce(state, PredictionsLine(False, "gone", 1.0), 2.0).bets.is_open


def test_what_the_predictions_refuse_is_told_as_trouble() -> None:
    state = after([(1.0, PredictionsRefused("bad", "That is no position."))])
    assert [(one.text, one.is_trouble) for one in state.toasts] == [("That is no position.", True)]
