"""Signing in at the screen: never in the way of whoever has a token, and what is wrong is said where it is written."""

import secrets

import pytest
from textual.widgets import Button, Input

from dateflicks.client.errors import Unreachable
from dateflicks.client.http import ServiceClient
from dateflicks.tui.screens import sign_in
from dateflicks.tui.screens.help import HelpScreen
from dateflicks.tui.screens.lobby import LobbyScreen
from dateflicks.tui.screens.sign_in import SignInScreen
from tests.journeys.people import PASSWORD, Person
from tests.tui.stage import Stage


async def test_with_a_token_nobody_is_asked(stage: Stage, ana: Person) -> None:
    async with stage.plays(ana) as actor:
        await actor.until_sees("● live")
        assert type(actor.app.screen) is LobbyScreen


async def test_an_account_is_made_with_the_keyboard_alone(stage: Stage) -> None:
    name = f"cleo-{secrets.token_hex(4)}"
    async with stage.plays() as actor:
        await actor.until_at(SignInScreen)
        await actor.until_sees("✓ the server is there")
        await actor.press("f4")
        assert actor.sees("8 or more characters")
        await actor.type(name)
        await actor.press("enter")
        await actor.type("seven small foxes")
        assert not actor.sees("seven small foxes")
        await actor.press("enter")
        await actor.until_at(LobbyScreen)
        await actor.until_sees("● live")
        assert name in actor.rows[0]
        kept = actor.app.surroundings.signed_in
        assert kept is not None
        assert kept.name == name


async def test_a_wrong_password_is_said_and_what_was_typed_stays(stage: Stage, ana: Person) -> None:
    async with stage.plays() as actor:
        await actor.until_at(SignInScreen)
        await actor.type(ana.name)
        await actor.press("down")
        await actor.type("not my password")
        await actor.press("enter")
        await actor.until_sees("✗")
        assert actor.app.screen.query_one("#name", Input).value == ana.name
        actor.app.screen.query_one("#password", Input).value = PASSWORD
        await actor.press("enter")
        await actor.until_at(LobbyScreen)


async def test_what_is_too_short_is_named(stage: Stage) -> None:
    async with stage.plays(size=(40, 10)) as actor:
        await actor.until_at(SignInScreen)
        await actor.press("f4")
        await actor.type("cleo")
        await actor.press("enter", "x", "enter")
        await actor.until_sees("✗ The password")


async def test_a_server_that_is_not_there_is_said_with_what_can_be_done(stage: Stage) -> None:
    surroundings = stage.surroundings(server="http://127.0.0.1:9")
    async with stage.plays(surroundings=surroundings) as actor:
        await actor.until_at(SignInScreen)
        await actor.until_sees("✗")
        assert actor.sees("`dateflicks host FILM` in a shell starts your own.")
        await actor.type("ana")
        await actor.press("enter")
        await actor.type(PASSWORD)
        await actor.press("enter")
        await actor.until_sees("Is the address right?")


async def test_a_server_that_is_only_just_starting_is_found_a_moment_later(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    starting = [True]

    async def services(self: ServiceClient) -> object:
        if starting[0]:
            raise Unreachable("it cannot be reached.", url=self.server)
        return {}

    monkeypatch.setattr(ServiceClient, "services", services)
    monkeypatch.setattr(sign_in, "AGAIN_SECONDS", 0.05)
    async with stage.plays() as actor:
        await actor.until_at(SignInScreen)
        await actor.until_sees("✗ it cannot be reached.")
        starting[0] = False
        await actor.until_sees("✓ the server is there")


async def test_not_now_leaves_a_lobby_that_says_how_to_sign_in(stage: Stage) -> None:
    async with stage.plays() as actor:
        await actor.until_at(SignInScreen)
        await actor.click("Not now")
        await actor.until_at(LobbyScreen)
        await actor.until_sees("You are not signed in.")
        await actor.press("u")
        await actor.until_at(SignInScreen)
        await actor.press("escape")
        await actor.until_at(LobbyScreen)


async def test_the_buttons_work_by_mouse_and_focus_has_a_mark(stage: Stage) -> None:
    async with stage.plays() as actor:
        await actor.until_at(SignInScreen)
        assert any("name      ▌" in row for row in actor.rows)
        await actor.click("Create account")
        assert str(actor.app.screen.query_one("#submit", Button).label) == "Create account"
        assert any("name      ▌" in row for row in actor.rows)
        await actor.press("down", "down")
        await actor.pilot.pause()
        assert any("▌  Create account" in row for row in actor.rows), actor.grid


async def test_the_way_between_sign_in_and_account_can_have_another_key(stage: Stage) -> None:
    async with stage.plays(keys={"other-way": "ctrl+n", "help": "f7"}) as actor:
        await actor.until_at(SignInScreen)
        await actor.press("ctrl+n")
        assert actor.sees("8 or more characters")
        await actor.press("f7")
        await actor.until_at(HelpScreen)
        await actor.press("f7")
        await actor.until_at(SignInScreen)
