"""Where one types."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from textual import events
from textual.app import App, ComposeResult
from textual.message import Message
from textual.pilot import Pilot
from textual.widgets import Button

from dateflicks.tui._textual_private import text_grid
from dateflicks.tui.commands import Act, Pause, Play, Say, Seek
from dateflicks.tui.keys import read_keys
from dateflicks.tui.widgets.composer import Composer
from tests.tui.chat import said
from tests.tui.test_chat_lines import HOSTILE


class Host(App[None]):
    """A screen with nothing but the composer, and something else to have the focus."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[Message] = []
        self.now = 100.0

    def compose(self) -> ComposeResult:
        yield Composer(clock=lambda: self.now)
        yield Button("film")

    @property
    def composer(self) -> Composer:
        return self.query_one(Composer)


@asynccontextmanager
async def running(width: int = 80, height: int = 12) -> AsyncIterator[tuple[Host, Pilot[None]]]:
    app = Host()
    async with app.run_test(size=(width, height), message_hook=app.told.append) as pilot:
        app.composer.type_into()
        await pilot.pause()
        yield app, pilot


def told(app: Host, kind: type[Message]) -> list[Any]:
    return list({id(one): one for one in app.told if type(one) is kind}.values())  # each is seen by several


def commands(app: Host) -> list[object]:
    return [one.command for one in told(app, Composer.Submitted)]


def rows(app: Host) -> list[str]:
    return [row.rstrip() for row in text_grid(app).split("\n")]


async def write(pilot: Pilot[None], text: str) -> None:
    names = {" ": "space", "/": "slash", ":": "colon", "\n": "alt+enter"}
    await pilot.press(*(names.get(one, one) for one in text))
    await pilot.pause()


async def test_an_empty_one_says_whom_one_speaks_to_and_what_keys_do() -> None:
    async with running() as (app, pilot):
        app.composer.partner = "bea"
        await pilot.pause()
        row = rows(app)[0]
        assert row.startswith(" > say something to bea")
        assert row.endswith("enter send · esc back to film")
        await write(pilot, "h")
        assert rows(app)[0] == " > h"


async def test_enter_sends_and_empties_it() -> None:
    async with running() as (app, pilot):
        await write(pilot, "popcorn?")
        await pilot.press("enter")
        await pilot.pause()
        assert commands(app) == [Say("popcorn?")]
        assert app.composer.value == ""
        await pilot.press("enter")
        await pilot.pause()
        assert len(commands(app)) == 1


async def test_keys_of_the_film_are_letters_here_and_commands_are_understood() -> None:
    async with running() as (app, pilot):
        await write(pilot, "y n p s")
        assert app.composer.value == "y n p s"
        app.composer.value = ""
        for line in ("/pause", "/seek 41", "/me waves", "//play"):
            await write(pilot, line)
            await pilot.press("enter")
        await pilot.pause()
        assert [type(one) for one in commands(app)] == [Pause, Seek, Act, Say]


async def test_a_line_that_is_not_understood_stays_with_the_nearest_right_one() -> None:
    async with running() as (app, pilot):
        await write(pilot, "/plya")
        await pilot.press("enter")
        await pilot.pause()
        assert app.composer.value == "/plya"
        assert rows(app)[:2] == [" ✗ There is no /plya. Did you mean /play?", " > /plya"]
        await pilot.press("backspace")
        await pilot.pause()
        assert rows(app)[0] == " > /ply"


async def test_esc_goes_back_to_the_film_and_keeps_what_is_written() -> None:
    async with running() as (app, pilot):
        await write(pilot, "half a")
        await pilot.press("escape")
        await pilot.pause()
        assert len(told(app, Composer.Left)) == 1
        assert app.composer.value == app.composer.draft == "half a"


async def test_it_grows_to_three_lines_and_no_more() -> None:
    async with running(width=30) as (app, pilot):
        heights = []
        for _ in range(5):
            await paste(app, pilot, "abcdefghij abcdefghij")
            heights.append(app.composer.size.height)
        assert heights[0] == 1
        assert heights[-1] == 3


async def test_a_new_line_is_a_key_of_its_own() -> None:
    async with running() as (app, pilot):
        await write(pilot, "one\ntwo")
        await pilot.press("enter")
        await pilot.pause()
        assert commands(app) == [Say("one\ntwo")]


async def test_up_in_an_empty_one_edits_the_last_line() -> None:
    async with running() as (app, pilot):
        await pilot.press("up")
        await pilot.pause()
        assert len(told(app, Composer.EditLastWanted)) == 1
        await write(pilot, "x")
        await pilot.press("up")
        await pilot.pause()
        assert len(told(app, Composer.EditLastWanted)) == 1


async def test_a_line_is_edited_and_what_was_being_written_comes_back() -> None:
    async with running() as (app, pilot):
        await write(pilot, "half a")
        app.composer.edit(said("the film", key="msg_7", is_mine=True))
        await pilot.pause()
        assert app.composer.value == "the film"
        assert app.composer.draft == "half a"
        assert rows(app)[0] == " editing your line (esc leaves it as it was)"
        await pilot.press("s", "enter")
        await pilot.pause()
        (one,) = told(app, Composer.Submitted)
        assert (one.command, one.purpose, one.target) == (Say("the films"), "edit", "msg_7")
        assert app.composer.value == "half a"
        assert rows(app)[0] == " > half a"


async def test_esc_leaves_a_line_unedited_first_and_then_the_field() -> None:
    async with running() as (app, pilot):
        app.composer.edit(said("the film", is_mine=True))
        await pilot.press("escape")
        await pilot.pause()
        assert app.composer.value == ""
        assert not told(app, Composer.Left)
        await pilot.press("escape")
        await pilot.pause()
        assert len(told(app, Composer.Left)) == 1
        assert not told(app, Composer.Submitted)


async def test_what_is_edited_is_no_command() -> None:
    async with running() as (app, pilot):
        app.composer.edit(said("/play is what you type", is_mine=True))
        await pilot.press("enter")
        await pilot.pause()
        assert commands(app) == [Say("/play is what you type")]


async def test_a_line_is_not_edited_to_nothing() -> None:
    async with running() as (app, pilot):
        app.composer.edit(said("x", is_mine=True))
        await pilot.press("backspace", "enter")
        await pilot.pause()
        assert "/delete" in rows(app)[0]
        assert not commands(app)


async def test_what_is_sent_next_answers_a_line() -> None:
    async with running() as (app, pilot):
        app.composer.reply_to(said("two bowls. one is sacrificial, says the book of bowls", key="msg_3"))
        await pilot.pause()
        assert rows(app)[0] == " answering bea: two bowls. one is sacrificial, says the… (esc cancels)"
        await write(pilot, "/pause")
        await pilot.press("enter")
        await write(pilot, "so it is")
        await pilot.press("enter")
        await write(pilot, "and more")
        await pilot.press("enter")
        await pilot.pause()
        sent = [(one.command, one.purpose, one.target) for one in told(app, Composer.Submitted)]
        assert sent == [
            (Pause(), None, None),
            (Say("so it is"), "reply", "msg_3"),
            (Say("and more"), None, None),
        ]


async def test_what_waits_for_the_line_is_counted_and_nothing_is_forbidden() -> None:
    async with running() as (app, pilot):
        app.composer.aside = "bea is writing"
        await pilot.pause()
        assert rows(app)[0] == " bea is writing"
        app.composer.waiting = 2
        await pilot.pause()
        assert rows(app)[0] == " 2 waiting for the line"
        await write(pilot, "more")
        await pilot.press("enter")
        await pilot.pause()
        assert commands(app) == [Say("more")]
        app.composer.waiting = 0
        app.composer.aside = ""
        await pilot.pause()
        assert rows(app)[0].startswith(" > ")


async def test_writing_is_told_at_most_each_three_seconds_and_only_of_talk() -> None:
    async with running() as (app, pilot):
        await write(pilot, "/seek 41")
        assert not told(app, Composer.Typing)
        app.composer.value = ""
        await write(pilot, "hello")
        assert len(told(app, Composer.Typing)) == 1
        app.now += 2.9
        await write(pilot, "x")
        assert len(told(app, Composer.Typing)) == 1
        app.now += 0.2
        await write(pilot, "x")
        assert len(told(app, Composer.Typing)) == 2


async def test_a_draft_that_is_put_back_is_not_writing() -> None:
    async with running() as (app, pilot):
        app.composer.value = "from before"
        await pilot.pause()
        assert not told(app, Composer.Typing)
        assert rows(app)[0] == " > from before"
        await write(pilot, "!")
        assert app.composer.value == "from before!"
        assert told(app, Composer.DraftChanged)[-1].draft == "from before!"
        await pilot.press("enter")
        await pilot.pause()
        assert told(app, Composer.DraftChanged)[-1].draft == ""


async def test_tab_completes_commands_one_after_the_other() -> None:
    async with running() as (app, pilot):
        await write(pilot, "/p")
        await pilot.press("tab")
        await pilot.pause()
        assert app.composer.value == "/play"
        assert rows(app)[0] == " /play  /pause  /predict"
        await pilot.press("tab")
        await pilot.pause()
        assert app.composer.value == "/pause"
        await pilot.press("tab", "tab")
        await pilot.pause()
        assert app.composer.value == "/play"
        await pilot.press("escape")
        await pilot.pause()
        assert rows(app)[0] == " > /play"
        await pilot.press("enter")
        await pilot.pause()
        assert commands(app) == [Play()]


async def test_tab_completes_names_of_emoji_where_the_cursor_is() -> None:
    async with running() as (app, pilot):
        await write(pilot, "ha :jo")
        await pilot.press("tab")
        await write(pilot, " ha\n:popc")
        await pilot.press("tab")
        await pilot.pause()
        assert app.composer.value == "ha :joy: ha\n:popcorn:"
        app.composer.value = "/react scre"
        await pilot.press("tab")
        await pilot.pause()
        assert app.composer.value == "/react scream"


async def test_a_second_line_is_no_command() -> None:
    async with running() as (app, pilot):
        await write(pilot, "and\n/pl")
        await pilot.press("tab")
        await pilot.pause()
        assert app.composer.value == "and\n/pl"


async def test_tab_moves_the_focus_when_there_is_nothing_to_complete() -> None:
    async with running() as (app, pilot):
        await write(pilot, "hello")
        await pilot.press("tab")
        await pilot.pause()
        assert app.focused is app.query_one(Button)
        app.composer.type_into()
        app.composer.value = "/zz"
        await pilot.press("tab")
        await pilot.pause()
        assert app.focused is not app.query_one(Button)


async def paste(app: Host, pilot: Pilot[None], text: str) -> None:
    assert app.focused is not None
    app.focused.post_message(events.Paste(text))
    await pilot.pause()
    await pilot.pause()


async def test_a_short_paste_goes_in_whole_and_clean() -> None:
    async with running() as (app, pilot):
        await write(pilot, "see ")
        await paste(app, pilot, "one\r\ntwo\t\x1b[2Jthree")
        assert app.composer.value == "see one\ntwo [2Jthree"
        assert app.composer.note == ""


async def test_a_long_paste_is_cut_and_that_is_said() -> None:
    async with running() as (app, pilot):
        await write(pilot, "see ")
        await paste(app, pilot, "x" * 9_214)
        assert len(app.composer.value) == 4_000
        assert "4,000 characters: 3,996 of the 9,214 pasted are here, the rest is not" in app.composer.note
        assert "rest" in "".join(rows(app)[:2])
        await pilot.press("enter")
        await pilot.pause()
        assert len(commands(app)) == 1
        assert app.composer.note == ""


async def test_a_paste_of_many_lines_is_cut_and_that_is_said() -> None:
    async with running() as (app, pilot):
        await paste(app, pilot, "line\n" * 150)
        assert app.composer.value.count("\n") == 99
        assert "100 lines" in app.composer.note


async def test_a_huge_paste_is_no_burden() -> None:
    async with running() as (app, pilot):
        await paste(app, pilot, "ä" * 5_000_000)
        assert len(app.composer.value) == 4_000
        assert "5,000,000" in app.composer.note


async def test_typing_past_the_bound_loses_nothing_and_is_said_when_sent() -> None:
    async with running() as (app, pilot):
        await paste(app, pilot, "x" * 4_000)
        await write(pilot, "yz")
        await pilot.press("enter")
        await pilot.pause()
        assert app.composer.value.endswith("xyz")
        assert "4,002 characters; a message holds 4,000" in app.composer.note
        assert not commands(app)


@pytest.mark.parametrize("text", HOSTILE)
async def test_nothing_hostile_is_shown_or_kept(text: str) -> None:
    async with running() as (app, pilot):
        app.composer.partner = app.composer.aside = text
        app.composer.value = text
        await pilot.pause()
        grid = text_grid(app)
        await paste(app, pilot, text)
        grid += text_grid(app)
        app.composer.reply_to(said(text, name=text))
        app.composer.complain(text)
        await pilot.pause()
        grid += text_grid(app) + app.composer.value
        assert all(one.isprintable() or one in "\n\u200c\u200d" for one in grid)


async def test_ascii_signs() -> None:
    async with running() as (app, pilot):
        app.composer.is_ascii = True
        await pilot.pause()
        assert rows(app)[0].endswith("enter send - esc back to film")
        app.composer.complain("No.")
        await pilot.pause()
        assert rows(app)[0] == " x No."


async def test_moved_keys_do_here_what_they_are_said_to_do_and_the_usual_ones_no_more() -> None:
    moved = {"send": "ctrl+s", "to-film": "f7", "complete": "ctrl+t", "earlier-line": "f8"}
    async with running() as (app, pilot):
        app.composer.use_keys(read_keys(moved))
        await pilot.pause()
        assert rows(app)[0].endswith("^s send · f7 back to film")
        await pilot.press("f8")
        await write(pilot, "/pau")
        await pilot.press("ctrl+t", "ctrl+s")
        await write(pilot, "one")
        await pilot.press("enter")
        await write(pilot, "two")
        await pilot.press("ctrl+s")
        app.composer.edit(said("the film", is_mine=True))
        await pilot.pause()
        assert rows(app)[0] == " editing your line (f7 leaves it as it was)"
        await pilot.press("f7", "f7")
        await pilot.pause()
        assert commands(app) == [Pause(), Say("one\ntwo")]
        assert len(told(app, Composer.EditLastWanted)) == len(told(app, Composer.Left)) == 1


def test_no_key_is_offered_here_that_does_nothing() -> None:
    assert {one.id for one in read_keys({}).of("composer")} == {"send", "to-film", "complete", "earlier-line"}
