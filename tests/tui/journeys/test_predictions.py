"""A prediction of two from the first word to the points, with nothing but keys that the screens name."""

import pytest

from dateflicks.tui.screens.predictions import PredictionsScreen
from tests.tui.journeys.conftest import OpenEvening

pytestmark = [pytest.mark.slow, pytest.mark.timeout(150)]


async def test_a_prediction_is_made_called_locked_and_settled_by_both(open_evening: OpenEvening) -> None:
    async with open_evening() as two:
        await two.both_play()
        two.host.press("p")
        await two.host.sees("Nothing is predicted yet.", "[a]")
        two.host.press("a")
        await two.host.sees("What will happen?")
        two.host.type("Buster gets the girl")
        two.host.press("enter")
        await two.host.sees("“Buster gets the girl”", "[enter] call it")

        await two.guest.sees("ana predicts “Buster gets the girl”", "[p] call it")
        two.guest.press("p")
        await two.guest.sees("[enter] call it")
        for person, option in ((two.guest, "1"), (two.host, "2")):
            person.press("enter")
            await person.sees("Which one comes true?", "yes", "no")
            person.press(option)
            await person.sees("How sure are you?", "50%")
            person.press("4")
        await two.host.sees("you: no 80%", "bea: sealed", "[s] once known")

        two.host.press("s")
        await two.host.sees("Is it known how it comes out?")
        two.host.press("y")
        await two.host.sees("What came true?")
        two.host.press("1")
        await two.host.sees("you say yes; now the other confirms", "bea: yes 80%")
        await two.guest.sees("yes? [y] confirm [n] object", "ana: no 80%")
        two.guest.press("y")
        await two.both_see("came out: yes", "you: ", "right")
        assert "bea +" in two.host.screen()
        assert "ana -" in two.guest.screen()
        two.guest.press("p")
        await two.guest.sees("PLAYING", "in sync")


async def test_whose_turn_it_is_not_is_told_so(open_evening: OpenEvening) -> None:
    async with open_evening() as two:
        two.host.press("slash")
        two.host.type("/predict It rains")
        two.host.press("enter")
        await two.guest.sees("ana predicts “It rains”")
        two.host.type("/call yes 90%")
        two.host.press("enter")
        await two.guest.sees("ana has called")
        two.host.type("/call maybe")
        two.host.press("enter")
        await two.host.sees("Call one of: yes, no.")
        await two.host.back_to_film()
        two.host.press("p")
        await two.host.sees("[s] once known")
        two.host.press("l")
        await two.host.sees("locked", "[s] say what came true")
        two.host.press("enter")
        await two.host.sees("Calls are closed.")
        two.host.press("s")
        await two.host.sees("What came true?")
        two.host.press("2")
        await two.host.sees("you say no; now the other confirms")
        await two.host.until(lambda: two.host.app is not None and isinstance(two.host.app.screen, PredictionsScreen))
        two.host.press("s")
        await two.host.sees("You have said so")
        two.guest.press("p")
        await two.guest.sees("no? [y] confirm [n] object")
        two.guest.press("n")
        await two.both_see("void: they did not agree")
