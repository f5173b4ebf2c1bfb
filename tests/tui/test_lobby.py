"""The lobby: what needs an answer, what can be watched, and what can be started, as it happens."""

from datetime import UTC, datetime, timedelta
from typing import cast

import pytest
from textual.widgets import Input

from dateflicks.protocol.bodies import SessionBody
from dateflicks.tui.drawing.cells import width_of
from dateflicks.tui.lobby_rows import LobbyRow, Section, ago, local_time, text_of
from dateflicks.tui.screens.confirm import ConfirmScreen
from dateflicks.tui.screens.help import HelpScreen
from dateflicks.tui.screens.history import HistoryScreen
from dateflicks.tui.screens.invitation import InvitationScreen
from dateflicks.tui.screens.lobby import LobbyScreen
from dateflicks.tui.screens.new_session import NewSessionScreen
from dateflicks.tui.screens.sign_in import SignInScreen
from dateflicks.tui.screens.watch import WatchScreen
from tests.journeys.people import PASSWORD, Person
from tests.tui.stage import SIZES, Stage


async def test_an_empty_lobby_says_what_can_be_done(stage: Stage, ana: Person) -> None:
    async with stage.plays(ana) as actor:
        await actor.until_sees("● live")
        await actor.until_sees("n invite somebody to a film")
        assert actor.sees("j join with the word that somebody read to you")
        assert ana.name in actor.rows[0]
        assert "accept" not in actor.rows[-1]


async def test_an_invitation_appears_as_it_comes(stage: Stage, ana: Person, bea: Person) -> None:
    async with stage.plays(ana) as actor:
        await actor.until_sees("● live")
        await stage.invite(bea, ana)
        await actor.until_sees("invites you to Charade (1963)")
        await actor.until(lambda: "accept" in actor.rows[-1])


async def test_an_invitation_is_announced(stage: Stage, ana: Person, bea: Person) -> None:
    async with stage.plays(ana, has_toasts=True) as actor:
        await actor.until_sees("● live")
        await stage.invite(bea, ana)
        await actor.until_sees(f"{bea.name} invites you.")


async def test_accepting_leads_to_the_film(stage: Stage, ana: Person, bea: Person) -> None:
    session = await stage.invite(bea, ana)
    async with stage.plays(ana) as actor:
        await actor.until_sees("invites you to")
        await actor.press("a")
        await actor.until_at(WatchScreen)
        assert (await stage.session(bea, session.id)).state == "accepted"


async def test_rejecting_asks_once_and_takes_the_row_away(stage: Stage, ana: Person, bea: Person) -> None:
    session = await stage.invite(bea, ana)
    async with stage.plays(ana) as actor:
        await actor.until_sees("invites you to")
        await actor.press("x")
        await actor.until_at(ConfirmScreen)
        await actor.press("y")
        await actor.until_sees("said no")
    assert (await stage.session(bea, session.id)).state == "rejected"


async def test_an_invitation_is_answered_by_mouse_alone(stage: Stage, ana: Person, bea: Person) -> None:
    session = await stage.invite(bea, ana)
    async with stage.plays(ana, size=SIZES["tiny"]) as actor:
        await actor.until_sees(bea.name)
        await actor.click(bea.name)
        await actor.until_at(InvitationScreen)
        await actor.click("Later")
        await actor.until_at(LobbyScreen)
        await actor.click(bea.name)
        await actor.until_at(InvitationScreen)
        await actor.click("Reject")
        await stage.until_state(bea, session.id, "rejected")


async def test_what_one_has_asked_can_be_taken_back(stage: Stage, ana: Person, bea: Person) -> None:
    session = await stage.invite(ana, bea)
    async with stage.plays(ana) as actor:
        await actor.until_sees("Not answered yet")
        await actor.press("x")
        await actor.until_at(ConfirmScreen)
        await actor.click("Yes")
        await stage.until_state(bea, session.id, "cancelled")
        await actor.until_sees("taken back")


async def test_keys_are_clicked_where_they_are_named(stage: Stage, ana: Person) -> None:
    async with stage.plays(ana) as actor:
        await actor.until_sees("● live")
        await actor.click("n new")
        await actor.until_at(NewSessionScreen)
        await actor.click("esc back")
        await actor.until_at(LobbyScreen)
        await actor.click("? help")
        await actor.until_at(HelpScreen)


async def test_a_moved_key_does_it_and_is_the_one_that_is_shown(stage: Stage, ana: Person) -> None:
    async with stage.plays(ana, keys={"new-session": "m", "history": ""}) as actor:
        await actor.until_sees("m invite somebody to a film")
        await actor.press("n", "h")
        await actor.pilot.pause()
        assert type(actor.app.screen) is LobbyScreen
        await actor.press("m")
        await actor.until_at(NewSessionScreen)


async def test_a_film_that_is_open_is_named_with_the_key_that_leads_back(
    stage: Stage, ana: Person, bea: Person
) -> None:
    await stage.invite(bea, ana)
    async with stage.plays(ana) as actor:
        await actor.until_sees("invites you to")
        await actor.press("a")
        await actor.until_at(WatchScreen)
        await actor.press("l")
        await actor.until_at(LobbyScreen)
        await actor.until_sees("[esc] back to it")
        await actor.press("escape")
        await actor.until_at(WatchScreen)


async def test_without_a_server_it_says_so_tries_on_and_tells_what_can_be_done(stage: Stage, ana: Person) -> None:
    surroundings = stage.surroundings(ana, server="http://127.0.0.1:9")
    async with stage.plays(surroundings=surroundings) as actor:
        await actor.until_sees("No line to 127.0.0.1:9: trying again")
        assert actor.sees("○ no line")
        assert actor.sees("dateflicks host FILM")
        assert type(actor.app.screen) is LobbyScreen
        await actor.press("n")
        await actor.until_at(NewSessionScreen)


async def test_whoever_is_signed_out_elsewhere_signs_in_again_over_what_was_there(
    stage: Stage, ana: Person, bea: Person
) -> None:
    await stage.invite(bea, ana)
    async with stage.plays(ana) as actor:
        await actor.until_sees("invites you to")
        async with stage.client(ana) as elsewhere:
            await elsewhere.sign_out()
        stage.crowd.known.clear()
        await actor.press("r")
        await actor.until_at(SignInScreen)
        assert actor.sees("Charade (1963)")
        assert actor.app.screen.query_one("#name", Input).value == ana.name
        await actor.type(PASSWORD)
        await actor.press("enter")
        await actor.until_at(LobbyScreen)
        await actor.until_sees("● live")
        assert actor.sees("invites you to")


async def test_the_palette_offers_what_makes_sense_now(stage: Stage, ana: Person) -> None:
    async with stage.plays(ana) as actor:
        await actor.until_sees("● live")
        await actor.press("ctrl+p")
        await actor.until_sees("Invite somebody to a film (n)")
        assert not actor.sees("Accept the invitation")
        await actor.type("watched")
        await actor.until_sees("Show what you have watched (h)")
        await actor.until(lambda: not actor.sees("Invite somebody"))
        await actor.press("enter")
        await actor.until_at(HistoryScreen)


def row(
    title: str = "Charade", who: str = "bea", section: Section = "asked", note: str = "asked 2 min ago"
) -> LobbyRow:
    """A row about nothing but its words."""
    return LobbyRow(cast("SessionBody", None), section, who, title, note)


@pytest.mark.parametrize("width", [30, 34, 56, 76, 136])
@pytest.mark.parametrize("section", ["asked", "waiting", "live", "past"])
@pytest.mark.parametrize("one", ["x", "名" * 40, "word " * 60])
def test_a_row_fits_whatever_others_are_called(width: int, section: Section, one: str) -> None:
    assert width_of(text_of(row(one, one, section), width)) == width


def test_a_row_tells_who_and_which_film_first() -> None:
    assert text_of(row(), 60).startswith("bea invites you to Charade ")
    assert text_of(row(), 60).endswith("  asked 2 min ago")
    assert text_of(row("A film with a long name"), 34) == "bea: A film with a long name      "


NOW = datetime(2026, 11, 26, 21, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("before", "words"),
    [
        (timedelta(seconds=89), "just now"),
        (timedelta(minutes=2), "2 min ago"),
        (timedelta(hours=1), "1 h ago"),
        (timedelta(hours=35), "35 h ago"),
        (timedelta(hours=35, minutes=40), "1 day ago"),
        (timedelta(days=2), "2 days ago"),
    ],
)
def test_how_long_ago_is_told_as_people_say_it(before: timedelta, words: str) -> None:
    assert ago((NOW - before).isoformat(), NOW) == words


def test_a_time_without_a_zone_is_the_record_s_and_one_with_a_zone_keeps_it() -> None:
    assert ago("2026-11-26T19:00:00", NOW) == "2 h ago"
    assert ago("2026-11-26T21:00:00+02:00", NOW) == "2 h ago"
    assert local_time("2026-11-26T21:00:00+02:00") == local_time("2026-11-26T19:00:00Z")
    assert local_time("2026-11-26T19:00:00") == local_time("2026-11-26T19:00:00Z") != ""


@pytest.mark.parametrize("text", [None, "", "yesterday", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_time_that_is_none_is_not_told_and_breaks_nothing(text: str | None) -> None:
    for told in (ago(text, NOW), local_time(text)):
        assert isinstance(told, str)
