"""The app: what becomes of it when a room ends, fails, or is left for another."""

import asyncio
from pathlib import Path

import msgspec
import pytest
from textual.events import Key, Resize, ScreenResume

from dateflicks.client.consent import Consent
from dateflicks.protocol.bodies import SessionBody
from dateflicks.settings.client import ConsentSettings
from dateflicks.tui.app import DateflicksApp, RoomEvent
from dateflicks.tui.keys import BINDINGS
from dateflicks.tui.model import Over, Toasted
from dateflicks.tui.room import Room
from dateflicks.tui.screens.predictions import PredictionsScreen
from dateflicks.tui.screens.watch import WatchScreen
from dateflicks.tui.surroundings import AtSession
from dateflicks.tui.widgets.composer import Composer
from tests.scripted_server import session_json
from tests.tui.evenings import BEA, ME, states
from tests.tui.still import StillApp, settled, until

STATES = states()
NARROW = (80, 24)


def session() -> SessionBody:
    """An accepted one, whose film is nowhere."""
    found = session_json(id="ses_1", state="accepted", hostUserId=BEA, guestUserId=ME, hostName="bea", guestName="ana")
    return msgspec.convert(found, SessionBody)


def test_each_key_of_the_film_and_of_the_predictions_has_something_to_do() -> None:
    for binding in BINDINGS:
        action = f"action_{binding.id.replace('-', '_')}"
        if binding.context == "film":
            assert hasattr(WatchScreen, action) or hasattr(DateflicksApp, action), binding.id
        if binding.context == "predictions":
            assert hasattr(PredictionsScreen, action), binding.id
        if binding.context == "app":
            assert hasattr(DateflicksApp, action), binding.id


async def test_what_a_room_says_that_was_left_is_not_heard(tmp_path: Path) -> None:
    app = StillApp(tmp_path, STATES["playing"])
    async with app.run_test(size=NARROW) as pilot:
        await settled(pilot)
        left = Room(app.surroundings, AtSession(app.still.of, session()), lambda _: None, None)  # type: ignore[arg-type]  # never run
        app.post_message(RoomEvent(left, Over(why="It was left.")))
        app.post_message(RoomEvent(left, Toasted(text="from before")))
        await settled(pilot)
        assert app.is_running
        assert app.room is not None
        assert "from before" not in [one.text for one in app.state.toasts]


async def test_an_invitation_that_was_taken_back_is_nothing_to_go_on_with(tmp_path: Path) -> None:
    app = StillApp(tmp_path, STATES["playing"])
    async with app.run_test(size=NARROW) as pilot:
        await settled(pilot)
        taken_back = msgspec.structs.replace(session(), id=app.state.session_id, state="cancelled")
        app.start = AtSession(app.still.of, taken_back)  # type: ignore[arg-type]  # never asked
        app.still.session = taken_back  # type: ignore[assignment]  # in place of all that a session has
        assert app.room is not None
        app.post_message(RoomEvent(app.room, Over(why="The invitation was taken back.")))
        await until(pilot, lambda: app.return_value is not None)
        assert app.return_value is not None
        assert app.return_value.lines == ("The invitation was taken back.",)


async def test_a_room_that_fails_ends_the_app_with_its_error_for_whoever_runs_it(
    tmp_path: Path,
) -> None:
    class Broken(StillApp):
        def to_lobby(self) -> None:
            """A room that fails at once."""

            async def fail() -> None:
                raise ZeroDivisionError("the room is broken")

            self.run_worker(fail(), name="room", group="room")

    app = Broken(tmp_path, STATES["playing"])
    await app.run_async(headless=True, size=NARROW)
    assert isinstance(app.failure, ZeroDivisionError)
    assert app.return_code == 1


async def test_consent_that_is_changed_holds_at_once(tmp_path: Path) -> None:
    app = StillApp(tmp_path, STATES["playing"])
    async with app.run_test(size=NARROW) as pilot:
        await settled(pilot)
        chosen = ConsentSettings(play="free", pause="ask", seek="tell", stop="ask")
        app.surroundings.settings = msgspec.structs.replace(app.surroundings.settings, consent=chosen)
        app.settings_changed("consent.play")
        ((_, settings),) = app.still.of("choose_consent")
        assert Consent(settings.consent.play) is Consent.FREE


async def test_whoever_presses_ctrl_c_to_leave_is_told_which_key_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = StillApp(tmp_path, STATES["playing"])
    told: list[str] = []
    monkeypatch.setattr(app, "notify", lambda text, **_: told.append(text))
    async with app.run_test(size=NARROW) as pilot:
        await settled(pilot)
        await pilot.press("ctrl+c")
        await until(pilot, lambda: told == ["^q leaves dateflicks."])


async def test_the_lines_to_the_others_go_on_while_thousands_of_keys_come(tmp_path: Path) -> None:
    """As a terminal without bracketed paste sends what is pasted."""
    app, keys = StillApp(tmp_path, STATES["playing"]), 200
    async with app.run_test(size=NARROW) as pilot:
        await pilot.press("slash")
        await settled(pilot)
        for _ in range(keys):
            app.post_message(Key("x", "x"))
        turns = 0
        composer = app.screen.query_one(Composer)
        while composer.value != "x" * keys:
            turns += 1
            await asyncio.sleep(0)
        assert turns > keys / 2


@pytest.mark.parametrize(("way", "part"), [("settings", "#text"), ("watch", "#toasts"), ("predictions", "#rows")])
async def test_a_screen_whose_parts_have_gone_while_the_app_ends_breaks_nothing(
    way: str, part: str, tmp_path: Path
) -> None:
    app = StillApp(tmp_path, STATES["playing"])
    async with app.run_test(size=NARROW) as pilot:
        await settled(pilot)
        if way == "settings":
            app.action_settings()
        elif way == "predictions":
            await pilot.press("p")
        await settled(pilot)
        await app.screen.query(part).remove()
        app.screen.post_message(ScreenResume())
        app.screen.post_message(Resize(app.size, app.size))
        await settled(pilot)
        app._show()
        assert app.failure is None


async def test_the_farewell_says_how_to_go_on_and_fits_the_terminal(tmp_path: Path) -> None:
    app = StillApp(tmp_path, STATES["playing"])
    async with app.run_test(size=NARROW) as pilot:
        await settled(pilot)
        lines = app.goodbye().lines
        assert lines[1] == "You left at 41:13. Go on with: dateflicks watch --resume"
        assert all(len(line) <= 80 for line in lines)
        assert app.goodbye("It was ended.").lines[0] == "It was ended."
        await until(pilot, lambda: app.is_running)
