"""The film's screen: what each key, each click and each written command asks for, and who has the keys."""

from pathlib import Path

import pytest
from textual.widgets import OptionList

from dateflicks.client.chat_updates import Said
from dateflicks.client.consent import Consent, ConsentSettings
from dateflicks.client.viewer import Notice
from dateflicks.tui._textual_private import text_grid
from dateflicks.tui.model import ConsentChosen, LinkChanged, PlayerSaid, WatchState, reduce
from dateflicks.tui.screens.predictions import PredictionsScreen
from dateflicks.tui.widgets.chat_log import ChatLog
from dateflicks.tui.widgets.composer import Composer
from tests.tui.evenings import BEA, LENGTH, ME, after, draft, message, pending, states, timecode
from tests.tui.still import Asked, StillApp, settled, until

STATES = states()
NARROW = (80, 24)


def asked(by: str = BEA) -> WatchState:
    told = timecode(2.0, revision=2, reason="seek", by=by, pending=pending(900.0, by))
    return after([(1.0, ConsentChosen(consent=ConsentSettings.all(Consent.ASK))), (2.0, told)], STATES["playing"])


# --- keys -------------------------------------------------------------------------------------------------------


async def test_each_key_asks_for_what_it_says(tmp_path: Path) -> None:
    app = StillApp(tmp_path, STATES["playing"])
    async with app.run_test(size=NARROW) as pilot:
        for key, wish in {
            "space": ("ask", "pause"),
            "x": ("ask", "stop"),
            "home": ("seek", 0.0),
            "s": ("resync",),
            "l": ("to_lobby",),
            "escape": ("to_lobby",),
            "d": ("talk.delete", "msg_1"),
        }.items():
            app.still.asked.clear()
            await pilot.press(key)
            await pilot.pause()
            assert wish in app.still.asked, key
        app.happens(timecode(2.0, revision=2, status="pause", rate=0.0), 2.0)
        await pilot.press("space")
        assert app.still.asked[-1] == ("ask", "play")


@pytest.mark.parametrize(
    ("here", "keys", "to"),
    [
        (2472.0, ("left", "left", "left"), 2442.0),
        (2472.0, ("shift+right", "shift+right", "right"), 2602.0),
        (70.0, ("shift+left", "shift+left"), 0.0),
        (LENGTH - 5.0, ("right", "right"), LENGTH),
    ],
)
async def test_presses_in_a_row_are_one_wish(tmp_path: Path, here: float, keys: tuple[str, ...], to: float) -> None:
    app = StillApp(tmp_path, STATES["playing"])
    async with app.run_test(size=NARROW) as pilot:
        app.still.position = here
        for key in keys:  # at once: a machine that has other things to do may take long over each
            app.simulate_key(key)
        await until(pilot, lambda: app.still.of("seek"))
        assert app.still.of("about_to_seek")[-1] == ("about_to_seek", to)
        assert app.still.of("seek") == [("seek", to)]


@pytest.mark.parametrize(("key", "wish"), [("home", ("seek", 0.0)), ("x", ("ask", "stop"))])
async def test_a_key_for_a_place_or_to_stop_takes_the_place_of_presses_that_wait(
    tmp_path: Path, key: str, wish: Asked
) -> None:
    app = StillApp(tmp_path, STATES["playing"])
    async with app.run_test(size=NARROW) as pilot:
        await settled(pilot)
        for one in ("right", key):
            app.simulate_key(one)
        await until(pilot, lambda: app.still.of(wish[0]))
        assert app.still.of("seek", "ask") == [wish]


async def test_y_and_n_answer_the_other_and_only_n_an_own_question(tmp_path: Path) -> None:
    app = StillApp(tmp_path, asked())
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("y", "n")
        assert app.still.of("answer") == [("answer", True), ("answer", False)]
        for state, answers in ((asked(ME), [("answer", False)]), (STATES["playing"], [])):
            app.state = state
            app.still.asked.clear()
            await pilot.press("y", "n")
            assert app.still.of("answer") == answers


@pytest.mark.parametrize(
    ("state", "is_offered"), [(STATES["playing"], (False, False)), (asked(), (True, True)), (asked(ME), (False, True))]
)
async def test_the_palette_offers_an_answer_only_where_something_is_asked(
    state: WatchState, is_offered: tuple[bool, bool], tmp_path: Path
) -> None:
    app = StillApp(tmp_path, state)
    async with app.run_test(size=NARROW) as pilot:
        await settled(pilot)
        await pilot.press("ctrl+p")
        await until(pilot, lambda: "Play or pause for everybody" in text_grid(app))
        grid = text_grid(app)
        assert ("Agree to what the other asks" in grid, "Refuse what the other asks" in grid) == is_offered


@pytest.mark.parametrize("size", [(40, 10), (60, 16), NARROW, (120, 40)], ids=str)
@pytest.mark.parametrize("keys", [("g",), ("ctrl+f",), ("p", "a")], ids=["go to", "find", "predict"])
async def test_what_is_written_into_a_question_can_be_read(
    tmp_path: Path, keys: tuple[str, ...], size: tuple[int, int]
) -> None:
    app = StillApp(tmp_path, STATES["playing"])
    async with app.run_test(size=size) as pilot:
        for key in keys:
            await pilot.press(key)
            await settled(pilot)
        await pilot.press(*"1:02:03")
        assert "1:02:03" in await settled(pilot)


async def test_a_place_and_a_reaction_are_asked_for_and_a_place_that_is_none_is_told(tmp_path: Path) -> None:
    app = StillApp(tmp_path, STATES["playing"])
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("r", "2")
        await until(pilot, lambda: app.still.of("say") == [("say", "joy", "reaction")])
        await pilot.press("g", *"41:00", "enter")
        await until(pilot, lambda: app.still.of("seek") == [("seek", 2460.0)])
        await pilot.press("g", *"soon", "enter")
        await until(pilot, lambda: app.still.of("told"))
        assert app.still.asked[-1] == ("told", "Where to? Type /seek 41:00, /seek +30 or /seek -10.", True)


async def test_the_last_own_line_can_be_edited_and_what_failed_is_sent_again(tmp_path: Path) -> None:
    app = StillApp(tmp_path, reduce(STATES["playing"], draft(state="failed", reason="too long"), 2.0))
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("t")
        assert app.still.of("talk.retry") == [("talk.retry", "c1")]
        await pilot.press("e", "end", "!", "enter")
        await until(pilot, lambda: app.still.of("talk.edit") == [("talk.edit", "msg_1", "popcorn ready?!")])


# --- who has the keys -------------------------------------------------------------------------------------------


async def test_while_one_writes_keys_are_letters_and_escape_gives_them_back_to_the_film(tmp_path: Path) -> None:
    app = StillApp(tmp_path, STATES["playing"])
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("slash", *"s x", "space")
        grid = await settled(pilot)
        assert "> s x" in grid
        assert "esc back to film" in grid.splitlines()[-1]
        assert app.still.of("ask", "resync") == []
        await pilot.press("escape")
        assert "space play/pause" in (await settled(pilot)).splitlines()[-1]
        await pilot.press("space")
        assert app.still.of("ask") == [("ask", "pause")]
        assert app.screen.query_one(Composer).value == "s x "


async def test_what_comes_in_one_burst_behind_the_key_that_begins_a_line_is_all_in_that_line(tmp_path: Path) -> None:
    app = StillApp(tmp_path, STATES["playing"])
    async with app.run_test(size=NARROW) as pilot:
        await settled(pilot)
        for key in ("slash", *"quells", "x"):
            app.simulate_key(key)
        await until(pilot, lambda: app.screen.query_one(Composer).value == "quellsx")
        assert app.still.of("ask", "seek", "about_to_seek") == []


async def test_enter_on_a_marked_line_answers_it(tmp_path: Path) -> None:
    app = StillApp(tmp_path, STATES["playing"])
    async with app.run_test(size=NARROW) as pilot:
        log = app.screen.query_one(ChatLog)
        app.screen.set_focus(log)
        log.select("msg_2")
        await pilot.press("enter")
        assert "answering bea: two bowls. one is sacrificial" in await settled(pilot)
        await pilot.press(*"yum", "enter")
        await settled(pilot)
        assert app.still.of("say") == [("say", "yum", "msg_2")]


# --- what is written --------------------------------------------------------------------------------------------

COMMANDS: dict[str, Asked] = {
    "hello": ("say", "hello", None),
    "/me waves": ("say", "waves", "action"),
    "/react joy": ("say", "joy", "reaction"),
    "/reply yes": ("say", "yes", "msg_2"),
    "/edit better": ("talk.edit", "msg_1", "better"),
    "/delete": ("talk.delete", "msg_1"),
    "/play": ("ask", "play"),
    "/pause": ("ask", "pause"),
    "/stop": ("ask", "stop"),
    "/seek 41:00": ("seek", 2460.0),
    "/seek +30": ("about_to_seek", 2502.0),
    "/at 41:12": ("is_at", 2472.0),
    "/where": ("told", "The film is at 41:12, you at 1:40 (+1 ms), bea at 1:40 (-1 ms).", False),
    "/predict It rains @ +10:00": ("bets.make", "It rains", (), 3072.0),
    "/yes": ("answer", True),
    "/no": ("answer", False),
}


async def test_each_command_does_as_its_key(tmp_path: Path) -> None:
    app = StillApp(tmp_path, asked())
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("slash")
        for line, wish in COMMANDS.items():
            app.screen.query_one(Composer).value = line
            await pilot.press("enter")
            await pilot.app.workers.wait_for_complete()
            await settled(pilot)
            assert wish in app.still.asked, line
        app.screen.query_one(Composer).value = "/help"
        await pilot.press("enter")
        assert "While the film has the keys" in await settled(pilot)


# --- what is shown ----------------------------------------------------------------------------------------------


async def test_a_view_shows_the_chat_alone_or_the_film_alone_and_everything_again(tmp_path: Path) -> None:
    app = StillApp(tmp_path, STATES["playing"])
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("c")
        grid = await settled(pilot)
        assert "two bowls" in grid
        assert "PLAYING" not in grid
        await pilot.press("c", "z")
        grid = await settled(pilot)
        assert "PLAYING" in grid
        assert "two bowls" not in grid
        await pilot.press("escape")
        grid = await settled(pilot)
        assert "PLAYING" in grid
        assert "two bowls" in grid
        assert app.still.of("to_lobby") == []
        await pilot.press("v")
        assert "drift" not in await settled(pilot)


async def test_a_question_and_what_is_said_are_there_in_every_view(tmp_path: Path) -> None:
    app = StillApp(tmp_path, asked())
    async with app.run_test(size=NARROW) as pilot:
        for key in ("c", "z"):
            await pilot.press(key)
            assert "bea wants to GO TO 0:15:00" in await settled(pilot)
        app.happens(Notice("error", "That did not work."), 3.0)
        assert "That did not work." in await settled(pilot)


async def test_who_reads_further_up_is_told_what_is_new_below_and_left_where_they_are(tmp_path: Path) -> None:
    many = after([(1.0, Said(message(10 + one, f"line {one}"), False)) for one in range(40)], STATES["playing"])
    app = StillApp(tmp_path, many)
    async with app.run_test(size=NARROW) as pilot:
        await settled(pilot)
        await pilot.press("pageup", "pageup")
        before = await settled(pilot)
        app.happens(Said(message(60, "the newest"), True), 2.0)
        grid = await settled(pilot)
        assert "1 new ↓" in grid
        assert "the newest" not in grid
        assert [one for one in before.splitlines() if "line" in one] == [
            one for one in grid.splitlines() if "line" in one
        ]
        await pilot.press("end")
        grid = await settled(pilot)
        assert "the newest" in grid
        assert "new ↓" not in grid
        assert ("talk.read", 60) in app.still.asked


async def test_a_line_that_goes_is_a_state_of_the_screen_and_space_steers_the_own_player(tmp_path: Path) -> None:
    app = StillApp(tmp_path, STATES["playing"])
    async with app.run_test(size=NARROW) as pilot:
        app.happens(LinkChanged(False, "gone", 4.0), 2.0)
        grid = await settled(pilot)
        for words in ("offline", "PLAYING (unsynced)", "try 1 in 4 s", "the film goes on here"):
            assert words in grid


async def test_a_player_by_hand_says_what_to_do(tmp_path: Path) -> None:
    app = StillApp(tmp_path, STATES["playing"])
    async with app.run_test(size=NARROW) as pilot:
        app.happens(PlayerSaid(text="Pause now, at 41:12."), 2.0)
        assert "Your player: Pause now, at 41:12." in await settled(pilot)


async def test_a_terminal_that_is_too_small_asks_for_more_and_one_that_grows_shows_everything(tmp_path: Path) -> None:
    app = StillApp(tmp_path, STATES["playing"])
    async with app.run_test(size=(30, 6)) as pilot:
        assert "Enlarge" in await settled(pilot)
        await pilot.resize_terminal(140, 40)
        grid = await settled(pilot)
        for words in ("transport", "people", "tolerance 150 ms", "last 5 min", "two bowls"):
            assert words in grid
        await pilot.resize_terminal(80, 24)
        grid = await settled(pilot)
        assert "two bowls" in grid
        assert "people" not in grid


async def test_questions_are_asked_over_the_film_and_escape_closes_them(tmp_path: Path) -> None:
    app = StillApp(tmp_path, STATES["playing"])
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("q")
        assert "bea is still here. Leave the film?" in await settled(pilot)
        await pilot.press("escape")
        await pilot.press("r")
        await settled(pilot)
        assert app.screen.query_one(OptionList).option_count == 9
        await pilot.press("escape", "p")
        await settled(pilot)
        assert isinstance(app.screen, PredictionsScreen)
        await pilot.press("escape")
        assert "PLAYING" in await settled(pilot)
