"""An hour of a film that plays for two, as fast as the machine can: a tick is what the room tells the screen four times
a second, taken in, shown and drawn. Beside it an app that does nothing, which is told as often.

Runs in a process of its own, in which Textual draws as soon as it can instead of 60 times a second.
"""

import asyncio
import gc
import inspect
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Final

import msgspec
from textual.app import App, ComposeResult
from textual.message import Message
from textual.widgets import Static

from dateflicks.client.credentials import CredentialStore
from dateflicks.client.watching import LinkChanged, Told
from dateflicks.core.playback import Timeline
from dateflicks.protocol import frames
from dateflicks.settings.client import ClientSettings
from dateflicks.tui.app import DateflicksApp
from dateflicks.tui.model import Chat, ChatEntry, Event, Person, PlayerAttached, Sampled, SessionOpened, Tick, reduce
from dateflicks.tui.surroundings import InLobby, Surroundings

TICKS_PER_SECOND: Final = 4
HOUR: Final = 3_600 * TICKS_PER_SECOND
FRAMES: Final = 1_000  # a second, at most
DRAWN_SECONDS: Final = 0.002  # in which a frame begins
TURNS: Final = 3
LENGTH: Final = 5_752.0
OFFSET: Final = 1_000_000.0  # the server's clock minus ours, in seconds


class Ticked(Message):
    """A quarter of a second has passed."""


class Idle(App[None]):
    """Is told, and does nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.is_taken = asyncio.Event()

    def compose(self) -> ComposeResult:
        """One line of text."""
        yield Static("nothing happens here")

    def on_ticked(self) -> None:
        """Nothing is done with it."""
        self.is_taken.set()


class Playing(DateflicksApp):
    """The film's screen, with a talk of 5,000 lines on it."""

    CSS_PATH = Path(inspect.getfile(DateflicksApp)).with_name("app.tcss")

    def __init__(self, home: Path, entries: tuple[ChatEntry, ...]) -> None:
        surroundings = Surroundings(
            settings=ClientSettings(player="none"),
            credentials=CredentialStore(home / "credentials.json", keep_in="file"),
            server="http://127.0.0.1:9",
            home=home,
            settings_file=home / "client.toml",
            login="ana",
        )
        super().__init__(surroundings, InLobby())
        self.ticks = 0
        self.is_taken = asyncio.Event()
        self._entries = entries

    def to_lobby(self) -> None:
        """The film is what there is."""
        for event in _beginning():
            self.state = reduce(self.state, event, 0.0)
        self.state = replace(self.state, chat=Chat(entries=self._entries, is_open=True))
        self._go("watch")

    def on_ticked(self) -> None:
        """What the room tells in a quarter of a second, taken in and shown."""
        self.ticks += 1
        now = self.ticks / TICKS_PER_SECOND
        drift = 0.004 * ((self.ticks * 7) % 11 - 5)
        sampled = Sampled(
            position=now + drift,
            error=-drift,
            round_trip=0.042,
            line=Timeline(0.0, 0.0, 1.0, LENGTH),
            offset=OFFSET,
        )
        self.state = reduce(reduce(self.state, sampled, now), Tick(), now)
        self._show()
        self.is_taken.set()


def _beginning() -> list[Event]:
    """Ana and bea, and a film that plays from its beginning."""
    plain = frames.ParticipantState(
        role="host", connected=True, buffering=False, status="play", position=0.0, drift=0.0, name="ana"
    )
    people = {"ana": plain, "bea": msgspec.structs.replace(plain, role="guest", name="bea")}
    told = frames.TimecodeFrame(
        session_id="ses_1",
        length=LENGTH,
        current_position=0.0,
        status="play",
        last_status_change="2026-11-24T21:04:00.000Z",
        at=OFFSET * 1000,
        rate=1.0,
        revision=1,
        clock_id="clk",
        reason="play",
        by="ana",
        waiting_for=[],
        pending=None,
        participants=people,
    )
    both = (
        Person(user_id="ana", name="ana", role="host", is_me=True),
        Person(user_id="bea", name="bea", role="guest", is_me=False),
    )
    return [
        SessionOpened(session_id="ses_1", me="ana", title="The General (1926)", length=LENGTH, people=both),
        PlayerAttached(name="mpv"),
        LinkChanged(True),
        Told(told),
    ]


async def spent(app: Idle | Playing, ticks: int, size: tuple[int, int]) -> float:
    """Processor time per tick in microseconds, once the screen is there."""
    async with app.run_test(size=size) as pilot:
        await pilot.pause(0.5)
        gc.collect()
        start = time.process_time()
        for _ in range(ticks):
            app.is_taken.clear()
            app.post_message(Ticked())
            await app.is_taken.wait()
            await asyncio.sleep(DRAWN_SECONDS)
        return (time.process_time() - start) / ticks * 1e6


def measure(ticks: int, entries: Iterable[ChatEntry], size: tuple[int, int]) -> tuple[float, float]:
    """Of the idle app and of the film's screen, in a process of its own."""
    environ = {**os.environ, "TEXTUAL_FPS": str(FRAMES)}
    content = msgspec.json.encode((ticks, list(entries), size))
    command = [sys.executable, "-m", "benchmarks.ticking"]
    done = subprocess.run(command, input=content, stdout=subprocess.PIPE, env=environ, check=True)
    return msgspec.json.decode(done.stdout, type=tuple[float, float])


def main() -> None:
    """In turns, so that whatever else the machine does weighs on both alike."""
    given = msgspec.json.decode(sys.stdin.buffer.read(), type=tuple[int, tuple[ChatEntry, ...], tuple[int, int]])
    ticks, entries, size = max(1, given[0] // TURNS), given[1], given[2]
    idle = playing = 0.0
    with tempfile.TemporaryDirectory() as home:
        for _ in range(TURNS):
            idle += asyncio.run(spent(Idle(), ticks, size))
            playing += asyncio.run(spent(Playing(Path(home), entries), ticks, size))
    sys.stdout.buffer.write(msgspec.json.encode((idle / TURNS, playing / TURNS)))


if __name__ == "__main__":
    main()
