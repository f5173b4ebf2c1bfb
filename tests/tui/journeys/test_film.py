"""The film of two: a key in one terminal client is a question in the other, and an answer is what both see."""

import msgspec
import pytest

from dateflicks.settings.client import ConsentSettings
from tests.tui.journeys.conftest import OpenEvening
from tests.tui.journeys.people import ALWAYS_ASK

pytestmark = [pytest.mark.slow, pytest.mark.timeout(150)]


async def test_space_in_one_is_a_banner_in_the_other_and_y_plays_for_both(open_evening: OpenEvening) -> None:
    async with open_evening(consent=ALWAYS_ASK) as two:
        two.host.press("space")
        await two.guest.sees("ana wants to PLAY", "[y] play", "[n]")
        await two.host.sees("You ask to PLAY", "[n] take back")
        two.guest.press("y")
        await two.both_see("PLAYING", "in sync", "ana started the film")

        two.guest.press("space")
        await two.host.sees("bea wants to PAUSE", "reverts to PLAYING", "[y] pause")
        two.host.press("n")
        await two.guest.sees("ana said no: the film plays.")
        await two.both_see("PLAYING", "in sync")


async def test_a_request_can_be_taken_back_and_presses_in_a_row_are_one_request(open_evening: OpenEvening) -> None:
    async with open_evening() as two:
        await two.both_play()
        for _ in range(3):
            two.guest.press("shift+right")
        await two.host.sees("bea wants to GO TO 0:03:0", "[y] go there")
        two.guest.press("n")
        await two.host.sees_no("GO TO")
        await two.guest.sees("Taken back: the film plays.")
        two.guest.press("g")
        await two.guest.sees("Where to?")
        two.guest.type("41:00")
        two.guest.press("enter")
        await two.host.sees("bea wants to GO TO 0:41:00")
        two.host.press("y")
        await two.host.sees_no("GO TO")
        await two.both_see("0:41:", "in sync")


async def test_what_is_agreed_to_by_itself_is_told_or_not_as_the_person_chooses_meanwhile(
    open_evening: OpenEvening,
) -> None:
    async with open_evening() as two:
        two.host.press("space")
        await two.guest.sees("ana asked to play: agreed for you.")
        await two.both_see("PLAYING", "in sync")
        assert two.guest.app is not None
        asks = ConsentSettings(play="ask", pause="ask", seek="free", stop="ask")
        two.guest.surroundings.settings = msgspec.structs.replace(two.guest.surroundings.settings, consent=asks)
        two.guest.app.settings_changed("consent.pause")
        two.host.press("space")
        await two.guest.sees("ana wants to PAUSE")
        two.guest.press("y")
        await two.both_see("PAUSED", "paused together")
        two.host.press("g")
        await two.host.sees("Where to?")
        two.host.type("10:00")
        two.host.press("enter")
        await two.both_see("0:10:00")
        assert "GO TO" not in two.guest.screen()


async def test_who_leaves_is_away_and_their_place_is_kept_and_leaving_asks_while_the_other_watches(
    open_evening: OpenEvening,
) -> None:
    async with open_evening() as two:
        await two.both_play()
        two.guest.press("q")
        await two.guest.sees("ana is still here. Leave the film?")
        two.guest.press("n")
        await two.guest.sees_no("Leave the film?")
        two.guest.press("q")
        await two.guest.sees("ana is still here. Leave the film?")
        two.guest.press("y")
        farewell = await two.guest.ends()
        assert farewell is not None
        assert farewell.lines[0].startswith("The General with ana: ")
        assert farewell.lines[1].startswith("You left at 0:")
        assert farewell.lines[1].endswith("Go on with: dateflicks watch --resume")
        await two.host.sees("bea is away", "bea has gone; the place is kept.")
        two.host.press("q")
        assert await two.host.ends() is not None


async def test_a_session_that_the_other_ends_is_over_with_a_word_in_the_shell(open_evening: OpenEvening) -> None:
    async with open_evening() as two:
        await two.host.client.end(two.session.id)
        for person in (two.host, two.guest):
            farewell = await person.ends()
            assert farewell is not None
            assert farewell.lines[0] == "The session was ended for everybody."
            assert farewell.lines[-1] == "Good night."


async def test_leaving_the_film_for_the_lobby_and_coming_back_loses_nothing(open_evening: OpenEvening) -> None:
    async with open_evening(title="Sherlock Jr.") as two:
        await two.both_play()
        two.guest.press("slash")
        two.guest.type("half a thought")
        await two.guest.sees("> half a thought")
        await two.guest.back_to_film()
        two.guest.press("l")
        await two.guest.sees("lobby", "Sherlock Jr.")
        await two.host.sees("PLAYING", "in sync")  # the film goes on behind the lobby
        two.guest.press("escape")
        await two.guest.sees("> half a thought", "PLAYING", "in sync")


async def test_what_the_other_asks_for_is_told_in_the_lobby_and_one_key_leads_to_the_answer(
    open_evening: OpenEvening,
) -> None:
    async with open_evening(title="The Goat", consent=ALWAYS_ASK) as two:
        two.guest.press("l")
        await two.guest.sees("lobby", "Open: The Goat")
        two.host.press("space")
        await two.guest.sees("lobby", "ana wants to PLAY — reverts to STOPPED in 0:", "[esc] to the film")
        two.guest.press("escape")
        await two.guest.sees("[y] play")
        two.guest.press("y")
        await two.both_see("PLAYING", "in sync")
        two.guest.press("l")
        await two.guest.sees("Open: The Goat")
        two.host.press("p")
        await two.host.sees("Nothing is predicted yet.")
        two.host.press("a")
        await two.host.sees("What will happen?")
        two.host.type("It rains")
        two.host.press("enter")
        await two.guest.sees("lobby", "ana predicts “It rains”", "ana predicts: It rains (yes / no)")
        two.guest.press("escape")
        await two.guest.sees("PLAYING", "[p] call it")
