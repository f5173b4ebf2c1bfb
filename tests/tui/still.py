"""The film's screen without services: an app that shows a state as it stands, and a room that writes down what it is
asked to do.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from textual.pilot import Pilot

from dateflicks.client.credentials import CredentialStore
from dateflicks.client.http import ServiceClient
from dateflicks.protocol.predictions import PredictionBody
from dateflicks.settings.client import ClientSettings, TuiSettings
from dateflicks.tui._textual_private import text_grid
from dateflicks.tui.app import DateflicksApp
from dateflicks.tui.model import Event, WatchState, reduce
from dateflicks.tui.surroundings import InLobby, Surroundings
from tests.tui.evenings import bet

Asked = tuple[Any, ...]
SECONDS: Final = 30.0


@dataclass
class Written:
    """Stands for the talk and for the predictions: every call is written down, with what it was called with."""

    asked: list[Asked]
    name: str
    items: tuple[PredictionBody, ...] = ()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)

        def write_down(*args: Any, **named: Any) -> "Answer":
            self.asked.append((f"{self.name}.{name}", *args, *named.values()))
            return Answer()

        return write_down


class Answer:
    """What can be awaited, or not."""

    def __await__(self) -> Any:
        return asyncio.sleep(0, bet()).__await__()


@dataclass
class StillRoom:
    """A room in which nothing happens; the film is at 41:12."""

    app: "StillApp"
    asked: list[Asked] = field(default_factory=list)
    position: float | None = 2472.0
    evening: Any = None

    def __post_init__(self) -> None:
        self.conversation = Written(self.asked, "talk")
        self.predictions = Written(self.asked, "bets")
        self.session = self

    @property
    def id(self) -> str:
        """Of the session."""
        return self.app.state.session_id

    def here(self) -> float | None:
        """Where the film is."""
        return self.position

    def about_to_seek(self, to: float) -> None:
        """It is shown, as in a room where something happens."""
        self.asked.append(("about_to_seek", to))

    def is_at(self, position: float) -> bool:
        """No player has to be told."""
        self.asked.append(("is_at", position))
        return False

    def choose_draft(self, text: str) -> None:
        """Every letter of it: not worth a line."""

    def leave(self) -> None:
        """There is nothing to end."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)

        def write_down(*args: Any, **named: Any) -> None:
            self.asked.append((name, *args, *named.values()))

        return write_down

    def of(self, *names: str) -> list[Asked]:
        """What was asked for by these names."""
        return [one for one in self.asked if one[0] in names]


class StillApp(DateflicksApp):
    """Begins with the film's screen; its clock stands, so that what is drawn is always the same."""

    def __init__(self, home: Path, state: WatchState, **tui: Any) -> None:
        server = "http://127.0.0.1:9"
        surroundings = Surroundings(
            settings=ClientSettings(server=server, player="none", tui=TuiSettings(**tui)),
            credentials=CredentialStore(home / "credentials.json", keep_in="file"),
            server=server,
            home=home,
            settings_file=home / "client.toml",
            login="ana",
        )
        super().__init__(surroundings, InLobby())
        self.animation_level = "none"
        self.state = state
        self.client = ServiceClient(server, token="t0ken")
        self.still = StillRoom(self)

    def to_lobby(self) -> None:
        """The film at first; then nowhere."""
        if self.room is None:
            self.room = self.still  # type: ignore[assignment]  # all of a room that the screens use
            self._go("watch")
        else:
            self.still.asked.append(("to_lobby",))

    def _tick(self) -> None:
        """Time does not pass."""

    def happens(self, event: Event, now: float) -> None:
        """Something happens, and is shown."""
        self.state = reduce(self.state, event, now)
        self._show()

    def tell(self, text: str, *, is_trouble: bool = False) -> None:
        """It is written down."""
        self.still.asked.append(("told", text, is_trouble))


async def settled(pilot: Pilot[Any]) -> str:
    """What stands on the screen once everything has been done."""
    await pilot.pause()
    await pilot.pause()
    return text_grid(pilot.app)


async def until(pilot: Pilot[Any], predicate: Callable[[], Any]) -> None:
    """Wait for it, with a deadline."""
    deadline = time.monotonic() + SECONDS
    while not predicate():
        assert time.monotonic() < deadline, text_grid(pilot.app)
        await pilot.pause(0.02)
