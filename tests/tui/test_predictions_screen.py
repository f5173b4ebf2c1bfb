"""The screen of predictions: what each key does to the marked one, and what it says where it can do nothing."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from dateflicks.client.consent import Consent, ConsentSettings
from dateflicks.client.ledger import Changed
from dateflicks.protocol.predictions import PredictionBody
from dateflicks.tui._textual_private import text_grid
from dateflicks.tui.model import ConsentChosen, WatchState
from dateflicks.tui.screens.predictions import PredictionsScreen
from tests.tui.evenings import BEA, ME, after, bet, call, live, pending, timecode
from tests.tui.still import StillApp, settled, until

NARROW = (80, 24)


def with_bets(bets: Sequence[PredictionBody]) -> WatchState:
    return after([*live(), *((1.0, Changed(one, "present", None)) for one in bets)])


def app_with(home: Path, *bets: PredictionBody) -> StillApp:
    return StillApp(home, with_bets(bets))


async def test_a_list_that_is_empty_says_how_to_fill_it_and_a_prediction_is_written(tmp_path: Path) -> None:
    app = app_with(tmp_path)
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("p")
        grid = await settled(pilot)
        assert "Nothing is predicted yet." in grid
        assert "[a] says what you think will happen" in grid
        await pilot.press("a", *"Who dies?; Ben; Harry @ 1:20:00", "enter")
        await until(pilot, lambda: app.still.of("bets.make") == [("bets.make", "Who dies?", ("Ben", "Harry"), 4800.0)])


async def test_the_marked_one_is_called_locked_and_settled(tmp_path: Path) -> None:
    app = app_with(tmp_path, bet(1), bet(2, details="It rains", calls=[call(ME, option="yes", confidence=0.7)]))
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("p", "down")
        assert "▸? #1 “Ben survives the night”" in await settled(pilot)
        await pilot.press("enter", "2")
        assert "How sure are you?" in await settled(pilot)
        await pilot.press("4")
        await until(pilot, lambda: app.still.of("bets.call") == [("bets.call", "prd_1", "no", 0.8)])
        await pilot.press("up", "l")
        await until(pilot, lambda: app.still.of("bets.lock") == [("bets.lock", "prd_2")])
        await pilot.press("s")
        assert "Is it known how it comes out?" in await settled(pilot)
        await pilot.press("y")
        await until(pilot, lambda: len(app.still.of("bets.lock")) == 2)
        await until(pilot, lambda: "What came true?" in text_grid(app))
        await pilot.press("1")
        await until(pilot, lambda: app.still.of("bets.propose") == [("bets.propose", "prd_2", "yes")])


@pytest.mark.parametrize(
    ("key", "one", "said"),
    [
        ("enter", bet(status="locked"), "Calls are closed."),
        ("s", bet(status="settled", outcome="yes"), "It is over with this one."),
        ("s", bet(status="locked", proposed_outcome="no", proposed_by=ME), "You have said so"),
        ("s", bet(status="locked", proposed_outcome="no", proposed_by=BEA), "The other has said"),
    ],
)
async def test_what_a_key_can_not_do_is_said(tmp_path: Path, key: str, one: PredictionBody, said: str) -> None:
    app = app_with(tmp_path, one)
    async with app.run_test(size=NARROW, notifications=True) as pilot:
        await pilot.press("p", key)
        await until(pilot, lambda: said in text_grid(app))


async def test_what_the_other_says_is_confirmed_or_objected_to_by_key_and_the_list_closes(tmp_path: Path) -> None:
    app = app_with(tmp_path, bet(status="locked", proposed_outcome="no", proposed_by=BEA))
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("p", "y")
        await until(pilot, lambda: app.still.of("bets.confirm") == [("bets.confirm", "prd_1")])
        await pilot.press("n", "v")
        await until(pilot, lambda: app.still.of("bets.void"))
        assert app.still.of("bets.object") == [("bets.object", "prd_1")]
        await pilot.press("q")
        await settled(pilot)
        assert not isinstance(app.screen, PredictionsScreen)


async def test_a_change_that_the_other_asks_for_is_told_over_the_list(tmp_path: Path) -> None:
    app = app_with(tmp_path, bet())
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("p")
        assert "wants to" not in await settled(pilot)
        app.happens(ConsentChosen(consent=ConsentSettings.all(Consent.ASK)), 1.0)
        app.happens(timecode(2.0, revision=2, reason="pause", by=BEA, pending=pending()), 2.0)
        assert "bea wants to PAUSE — reverts to PLAYING in 0:58" in await settled(pilot)
        await pilot.press("escape")
        assert "[y] pause" in await settled(pilot)
