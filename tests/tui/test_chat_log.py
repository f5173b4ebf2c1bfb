"""The talk on the screen."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC
from types import MappingProxyType
from typing import Any

import pytest
from textual.app import App, ComposeResult
from textual.events import MouseScrollUp
from textual.geometry import Offset
from textual.message import Message
from textual.pilot import Pilot
from textual.selection import SELECT_ALL, Selection

from dateflicks.tui._textual_private import screen_strips, text_grid
from dateflicks.tui.model import Chat, ChatEntry
from dateflicks.tui.widgets.chat_log import ChatLog
from tests.tui.chat import said, talk
from tests.tui.test_chat_lines import HOSTILE


class Host(App[None]):
    """A screen with nothing but the talk."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[Message] = []
        self.chat = Chat()

    def compose(self) -> ComposeResult:
        yield ChatLog(zone=UTC)

    @property
    def log_(self) -> ChatLog:
        return self.query_one(ChatLog)

    def show(self, *entries: ChatEntry, **known: Any) -> None:
        self.chat = Chat(entries=entries, **known)
        self.log_.show(self.chat, me="usr_ana")

    def add(self, *entries: ChatEntry) -> None:
        self.show(*self.chat.entries, *entries)


@asynccontextmanager
async def running(width: int = 100, height: int = 10) -> AsyncIterator[tuple[Host, Pilot[None]]]:
    app = Host()
    async with app.run_test(size=(width, height), message_hook=app.told.append) as pilot:
        yield app, pilot


def rows(app: Host) -> list[str]:
    return [row.rstrip() for row in text_grid(app).split("\n")]


def told(app: Host, kind: type[Message]) -> list[Any]:
    return list({id(one): one for one in app.told if type(one) is kind}.values())  # each is seen by several


async def test_the_newest_line_is_at_the_bottom() -> None:
    async with running() as (app, pilot):
        app.show(*talk(30))
        await pilot.pause()
        assert rows(app)[-1].endswith("line 30 of the talk and so on and so on")
        app.add(said("and one more", seq=31))
        await pilot.pause()
        assert rows(app)[-1] == " 21:04  bea  and one more"


async def test_a_short_talk_begins_at_the_top() -> None:
    async with running() as (app, pilot):
        app.show(said("one", seq=1), said("two", seq=2, is_mine=True))
        await pilot.pause()
        assert rows(app)[:3] == [" 21:04  bea  one", " 21:04  you  two", ""]


async def test_it_never_moves_under_the_reader_and_counts_what_comes() -> None:
    async with running() as (app, pilot):
        app.show(*talk(30))
        await pilot.pause()
        app.log_.scroll_to(y=7, animate=False)
        await pilot.pause()
        before = rows(app)
        app.add(said("news", seq=31), said("mine", seq=32, is_mine=True), said("more", seq=33))
        app.add(said("paused", seq=34, kind="system"))
        await pilot.pause()
        assert rows(app) == before
        assert app.log_.unread == 2
        assert app.log_.unread_text == "2 new ↓"
        assert told(app, ChatLog.Unread)[-1].count == 2
        app.log_.focus()
        await pilot.press("end")
        assert app.log_.unread == 0
        assert app.log_.unread_text == ""
        assert rows(app)[-1].endswith("paused")
        app.add(said("followed again", seq=35))
        await pilot.pause()
        assert rows(app)[-1].endswith("followed again")


async def test_scrolling_back_to_the_end_follows_again() -> None:
    async with running() as (app, pilot):
        app.show(*talk(30))
        await pilot.pause()
        log = app.log_
        log.scroll_to(y=log.max_scroll_y - 3, animate=False)
        app.add(said("news", seq=31))
        await pilot.pause()
        assert log.unread == 1
        log.scroll_to(y=log.max_scroll_y, animate=False)
        app.add(said("newer", seq=32))
        await pilot.pause()
        assert log.unread == 0
        assert rows(app)[-1].endswith("newer")


async def test_the_mouse_wheel_leaves_the_end() -> None:
    async with running() as (app, pilot):
        app.show(*talk(30))
        await pilot.pause()
        await pilot._post_mouse_events([MouseScrollUp], ChatLog)
        before = rows(app)
        app.add(said("news", seq=31))
        await pilot.pause()
        assert rows(app) == before


async def test_an_older_page_leaves_the_reader_where_they_are() -> None:
    async with running() as (app, pilot):
        app.show(*talk(40, first=41), has_older=True)
        await pilot.pause()
        app.log_.scroll_to(y=5, animate=False)
        await pilot.pause()
        before = rows(app)
        app.show(*talk(80), has_older=True)
        await pilot.pause()
        assert rows(app) == before
        app.log_.scroll_to(y=0, animate=False)
        await pilot.pause()
        assert rows(app)[0].endswith("line 1 of the talk and so on")


async def test_a_line_changed_above_leaves_the_reader_where_they_are() -> None:
    async with running() as (app, pilot):
        app.show(*talk(40))
        await pilot.pause()
        app.log_.scroll_to(y=20, animate=False)
        await pilot.pause()
        before = rows(app)
        entries = app.chat.entries
        app.show(*entries[:2], replace(entries[2], content="word " * 60, is_edited=True), *entries[3:])
        await pilot.pause()
        assert rows(app) == before


async def test_older_lines_are_asked_for_once_at_the_top() -> None:
    async with running() as (app, pilot):
        app.show(*talk(40, first=41), has_older=True)
        await pilot.pause()
        assert not told(app, ChatLog.OlderWanted)
        app.log_.scroll_to(y=0, animate=False)
        await pilot.pause()
        app.show(*app.chat.entries, has_older=True)
        await pilot.pause()
        assert len(told(app, ChatLog.OlderWanted)) == 1
        app.log_.scroll_to(y=4, animate=False)
        app.log_.scroll_to(y=0, animate=False)  # it may have failed
        await pilot.pause()
        assert len(told(app, ChatLog.OlderWanted)) == 2
        app.show(*talk(80), has_older=False)
        app.log_.scroll_to(y=0, animate=False)
        await pilot.pause()
        assert len(told(app, ChatLog.OlderWanted)) == 2


async def test_a_talk_shorter_than_the_screen_asks_for_older_lines_by_itself() -> None:
    async with running() as (app, pilot):
        app.show(*talk(3), has_older=True)
        await pilot.pause()
        assert len(told(app, ChatLog.OlderWanted)) == 1


async def test_another_width_wraps_anew_and_keeps_the_end() -> None:
    async with running(width=80) as (app, pilot):
        app.show(*talk(30))
        await pilot.pause()
        assert rows(app)[-1].endswith("line 30 of the talk and so on and so on")
        await pilot.resize_terminal(30, 10)
        await pilot.pause()
        assert rows(app)[-3:] == [
            " 21:09  you  line 30 of the",
            "             talk and so on",
            "             and so on",
        ]
        await pilot.resize_terminal(80, 6)
        await pilot.pause()
        assert rows(app)[-1].endswith("line 30 of the talk and so on and so on")


async def test_another_width_keeps_the_line_that_is_read() -> None:
    async with running(width=80) as (app, pilot):
        app.show(*talk(60))
        await pilot.pause()
        app.log_.scroll_to(y=20, animate=False)
        await pilot.pause()
        first = rows(app)[0].split(" of ")[0]
        await pilot.resize_terminal(34, 10)
        await pilot.pause()
        assert rows(app)[0].startswith(first)


async def test_every_setting_of_looks_is_seen_at_once() -> None:
    async with running(width=80) as (app, pilot):
        app.show(said("joy", kind="reaction", position=5.0, seq=1), said("Hi", seq=2, position=5.0, state="failed"))
        await pilot.pause()
        app.log_.emoji = "simple"
        app.log_.is_ascii = True
        app.log_.shows_film = False
        await pilot.pause()
        assert rows(app)[:3] == [
            " 21:04       0:00:05  bea reacted  😂",
            " 21:04  bea  Hi",
            "             x not sent",
        ]
        app.log_.shows_clock = False
        await pilot.pause()
        assert rows(app)[1] == " bea Hi"


async def test_a_line_more_costs_one_layout() -> None:
    async with running() as (app, pilot):
        app.show(*talk(5_000))
        await pilot.pause()
        before = app.log_.wraps
        for seq in range(5_001, 5_051):
            app.show(*app.chat.entries[1:], said("more", seq=seq))
        await pilot.pause()
        assert app.log_.wraps - before == 50


async def test_the_cursor_goes_from_entry_to_entry_and_is_seen() -> None:
    async with running() as (app, pilot):
        app.show(*talk(30))
        app.log_.focus()
        await pilot.press("up")
        assert app.log_.entry == app.chat.entries[-1]
        assert rows(app)[-1].startswith("▌21:09  you")
        await pilot.press("up", "up")
        assert app.log_.entry == app.chat.entries[-3]
        await pilot.press("down")
        assert app.log_.entry == app.chat.entries[-2]
        await pilot.press(*["up"] * 28)
        assert app.log_.entry == app.chat.entries[0]
        assert rows(app)[0].startswith("▌")
        await pilot.press("up")
        assert app.log_.entry == app.chat.entries[0]
        await pilot.press("end")
        assert app.log_.entry is None


async def test_below_the_last_entry_the_cursor_goes_away() -> None:
    async with running() as (app, pilot):
        app.show(*talk(5))
        app.log_.focus()
        await pilot.press("up", "down")
        assert app.log_.entry is None
        await pilot.press("down")
        assert app.log_.entry is None


@pytest.mark.parametrize(
    ("key", "wish"), [("enter", "reply"), ("r", "react"), ("e", "edit"), ("d", "delete"), ("delete", "delete")]
)
async def test_a_key_asks_for_something_to_be_done_with_a_line(key: str, wish: str) -> None:
    async with running() as (app, pilot):
        app.show(said("mine", seq=1, is_mine=True))
        app.log_.focus()
        await pilot.press("up", key)
        await pilot.pause()
        (wanted,) = told(app, ChatLog.Wanted)
        assert (wanted.wish, wanted.entry) == (wish, app.chat.entries[0])


@pytest.mark.parametrize(
    ("entry", "key", "words"),
    [
        (said("theirs"), "e", "Only its author can edit"),
        (said("theirs"), "d", "Only its author can delete"),
        (said("gone", is_mine=True, is_deleted=True), "e", "is deleted"),
        (said("mine", is_mine=True, state="sending"), "e", "not sent yet"),
        (said("joy", kind="reaction", is_mine=True), "e", "cannot be edited"),
        (said("paused", kind="system", is_mine=True), "d", "what the film did"),
    ],
)
async def test_what_cannot_be_done_is_said(entry: ChatEntry, key: str, words: str) -> None:
    async with running() as (app, pilot):
        app.show(entry)
        app.log_.focus()
        await pilot.press(key)
        await pilot.press("up", key)
        await pilot.pause()
        first, second = told(app, ChatLog.Refused)
        assert "Choose a line first" in first.sentence
        assert words in second.sentence


async def test_a_click_chooses_a_line() -> None:
    async with running() as (app, pilot):
        app.show(*talk(5))
        await pilot.pause()
        await pilot.click(ChatLog, offset=(15, 2))
        assert app.log_.entry == app.chat.entries[2]
        await pilot.click(ChatLog, offset=(15, 9))
        assert app.log_.entry == app.chat.entries[2]


async def test_a_line_is_copied_whole() -> None:
    async with running() as (app, pilot):
        app.show(said("two\nlines \x1b[2J", seq=1))
        app.log_.focus()
        await pilot.press("c", "up", "c")
        await pilot.pause()
        assert app.clipboard == "two\nlines [2J"
        assert len(told(app, ChatLog.Copied)) == len(told(app, ChatLog.Refused)) == 1


async def test_text_is_selected_with_the_mouse_and_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    async with running() as (app, pilot):
        app.show(said("popcorn ready?", seq=1), said("two bowls", seq=2))
        await pilot.pause()
        await pilot.mouse_down(ChatLog, offset=(13, 0))
        await pilot.hover(ChatLog, offset=(15, 1))
        await pilot.mouse_up(ChatLog, offset=(15, 1))
        await pilot.pause()
        assert app.screen.get_selected_text() == "popcorn ready?\n 21:04  bea  two"
        chosen = app.screen.get_component_rich_style("screen--selection").bgcolor
        strip = screen_strips(app)[0]
        assert "".join(one.text for one in strip if one.style and one.style.bgcolor == chosen).startswith("popcorn")
        app.log_.focus()
        await pilot.press("c")
        assert app.clipboard == "popcorn ready?\n 21:04  bea  two"


async def test_what_is_selected_stays_when_older_lines_come() -> None:
    async with running() as (app, pilot):
        app.show(*talk(10, first=41))
        await pilot.pause()
        app.screen.selections = {app.log_: Selection(Offset(13, 1), Offset(20, 1))}
        before = app.screen.get_selected_text()
        assert before == "line 42"
        app.show(*talk(50))
        await pilot.pause()
        assert app.screen.get_selected_text() == before


async def test_everything_can_be_selected() -> None:
    async with running() as (app, pilot):
        app.show(said("one", seq=1), said("two", seq=2))
        await pilot.pause()
        app.screen.selections = {app.log_: SELECT_ALL}
        assert app.screen.get_selected_text() == " 21:04  bea  one\n 21:04  bea  two"
        await pilot.resize_terminal(60, 10)
        await pilot.pause()
        assert app.screen.get_selected_text() is None


async def test_two_clicks_select_what_an_entry_says() -> None:
    async with running() as (app, pilot):
        app.show(said("one", seq=1), said("two\nlines", seq=2))
        await pilot.pause()
        await pilot.click(ChatLog, offset=(15, 1), times=2)
        assert app.screen.get_selected_text() == " 21:04  bea  two\n             lines"


async def test_searching_goes_to_the_newest_match_and_marks_all() -> None:
    async with running() as (app, pilot):
        app.show(*talk(60))
        await pilot.pause()
        assert app.log_.find("LINE 1") == 11
        assert app.log_.entry == app.chat.entries[18]
        await pilot.pause()
        bold = [one.text for strip in screen_strips(app) for one in strip if one.style and one.style.reverse]
        assert set(bold) == {"line 1"}
        app.log_.focus()
        await pilot.press("f3")
        assert app.log_.entry == app.chat.entries[17]
        await pilot.press("f4", "f4")
        assert app.log_.entry == app.chat.entries[0]
        await pilot.press("f3")
        assert app.log_.entry == app.chat.entries[18]
        assert app.log_.find("nowhere") == 0
        assert not app.log_.find_again(1)
        assert app.log_.find("") == 0


async def test_reading_marks_come_from_the_others_alone() -> None:
    async with running() as (app, pilot):
        entries = (said("one", seq=1, is_mine=True), said("two", seq=2, is_mine=True))
        app.show(*entries, read=MappingProxyType({"usr_ana": 2}))
        await pilot.pause()
        assert "             read" not in rows(app)
        app.show(*entries, read=MappingProxyType({"usr_ana": 2, "usr_bea": 1, "usr_teo": 2}))
        await pilot.pause()
        assert rows(app)[1] == "             read"


async def test_an_entry_can_be_chosen_by_its_key() -> None:
    async with running() as (app, pilot):
        app.show(*talk(60))
        await pilot.pause()
        app.log_.select("msg_5")
        await pilot.pause()
        assert app.log_.entry == app.chat.entries[4]
        assert any("line 5 of" in row for row in rows(app))
        app.show(*app.chat.entries[10:])
        await pilot.press("r")
        assert not told(app, ChatLog.Wanted)


@pytest.mark.parametrize("width", [10, 24, 46, 80, 140])
async def test_nothing_hostile_reaches_the_strips(width: int) -> None:
    async with running(width=width, height=40) as (app, pilot):
        for at, text in enumerate(HOSTILE):
            kind = ("text", "reaction", "action", "system")[at % 4]
            answered = said(text, seq=1, name=text, author="usr_evil", kind=kind, position=1.0)
            app.show(answered, said(text, seq=2, name=text, reply_to="msg_1", state="failed", failure=text))
            await pilot.pause()
            for strip in screen_strips(app):
                for segment in strip:
                    assert segment.control is None
                    assert all(one.isprintable() or one in "\u200c\u200d" for one in segment.text), ascii(segment.text)
                    assert segment.style is None or (segment.style.link is None and "@click" not in segment.style.meta)
            found = "".join(text_grid(app).split())
            if "[bold red]" in text and width >= 80:
                assert "[boldred]loud[/]" in found


async def test_no_colour_tells_it_alone() -> None:
    async with running(width=60) as (app, pilot):
        app.show(
            said("a", seq=1, is_mine=True, state="sending"),
            said("b", seq=2, is_mine=True, state="failed"),
            said("c", seq=3, is_edited=True),
            said("", seq=4, is_deleted=True),
        )
        await pilot.pause()
        grid = text_grid(app)
        assert all(words in grid for words in ("(sending)", "not sent", "(edited)", "message deleted"))


async def test_what_was_shown_before_there_was_a_screen_is_there() -> None:
    app = Host()
    log = ChatLog(zone=UTC)
    log.show(Chat(entries=talk(30)))
    async with app.run_test(size=(80, 10)) as pilot:
        await app.query_one(ChatLog).remove()
        await app.mount(log)
        await pilot.pause()
        assert rows(app)[-1].endswith("line 30 of the talk and so on and so on")


async def test_one_who_sends_from_further_up_stays_there_until_they_go_to_the_end() -> None:
    async with running() as (app, pilot):
        app.show(*talk(30))
        await pilot.pause()
        app.log_.scroll_to(y=3, animate=False)
        await pilot.pause()
        before = rows(app)
        app.add(said("mine", key="c_1", is_mine=True, state="sending"))
        await pilot.pause()
        assert rows(app) == before
        app.log_.go_to_end()
        await pilot.pause()
        assert rows(app)[-1].endswith("mine (sending)")


async def test_several_changes_at_once_leave_the_reader_where_they_are() -> None:
    async with running() as (app, pilot):
        app.show(*talk(40, first=41), has_older=True)
        await pilot.pause()
        app.log_.scroll_to(y=8, animate=False)
        await pilot.pause()
        before = rows(app)
        app.show(*talk(60, first=21), has_older=True)
        app.add(said("news", seq=81))
        app.show(*talk(20), *app.chat.entries)
        app.add(said("news", seq=82))
        await pilot.pause()
        assert rows(app) == before
        assert app.log_.unread == 2
