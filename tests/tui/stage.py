"""The terminal client on a stage: headless apps of two people and more, on real services in a process of their own."""

import asyncio
import contextlib
import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from textual.pilot import Pilot
from textual.worker import WorkerCancelled, WorkerFailed

from dateflicks.client.credentials import CredentialStore, SignIn
from dateflicks.client.http import ServiceClient
from dateflicks.client.news import changed
from dateflicks.protocol.bodies import SessionBody, SessionRequest, VideoRef
from dateflicks.settings.client import ClientSettings, TuiSettings
from dateflicks.tui._textual_private import text_grid
from dateflicks.tui.app import DateflicksApp
from dateflicks.tui.surroundings import Farewell, InLobby, Start, Surroundings
from tests.journeys.deployment import Deployment
from tests.journeys.people import Crowd, Person

SECONDS = 30.0
STILL = 4  # pictures in a row that are the same, a tenth of a second apart
SIZES = {"tiny": (60, 16), "narrow": (80, 24), "wide": (140, 40)}
FILM = VideoRef(url="https://films.example.org/charade.mkv", title="Charade (1963)", length=6780.0)
_PORT = re.compile(r"127\.0\.0\.1:\d{5}")
_CODE = re.compile(r"\b[0-9a-hjkmnp-z]{5}(-[0-9a-hjkmnp-z]{5}){3}\b")
_WAITED = re.compile(r"(Waiting for \S.*…  )\d:\d\d")
_DAY = re.compile(r"[A-Z][a-z]{2} \d\d [A-Z][a-z]{2} \d\d:\d\d")


@dataclass
class Actor:
    """One person at a terminal of their own."""

    app: DateflicksApp
    pilot: Pilot[Farewell]

    @property
    def grid(self) -> str:
        """What they see."""
        return text_grid(self.app)

    @property
    def rows(self) -> list[str]:
        """What they see, row by row, without what fills the rows."""
        return [row.rstrip() for row in self.grid.split("\n")]

    def sees(self, words: str) -> bool:
        """Whether these words stand somewhere, be it over several rows."""
        frame = str.maketrans("│╭╮╰╯─", "      ")
        return words in " ".join(self.grid.translate(frame).split())

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Wait for it, with a deadline that shows what was seen instead."""
        deadline = time.monotonic() + SECONDS
        while not is_so():
            assert time.monotonic() < deadline, f"it did not happen; {self.app.screen} shows:\n{self.grid}"
            await self.pilot.pause(0.02)

    async def until_sees(self, words: str) -> None:
        """Wait until these words are there."""
        await self.until(lambda: self.sees(words))

    async def until_at(self, screen: type[Any]) -> None:
        """Wait until this is the screen that has the keys."""
        await self.until(lambda: type(self.app.screen) is screen and self.app.screen.is_mounted)
        await self.pilot.pause()

    async def until_still(self) -> None:
        """Wait until all that was begun is drawn: nothing changes any more."""
        seen: list[str] = []
        while len(seen) < STILL or len(set(seen[-STILL:])) > 1:
            await self.pilot.pause(0.1)
            seen.append(self.grid)

    async def press(self, *keys: str) -> None:
        """Press keys, one after the other."""
        await self.pilot.press(*keys)

    async def type(self, text: str) -> None:
        """Write in the line that has the keys."""
        for character in text:
            await self.pilot.press(character)

    async def push(self, button: str) -> None:
        """Click on a button, by its id."""
        await self.pilot.click(f"#{button}")

    async def click(self, words: str) -> None:
        """Click on words where they stand on the screen."""
        for y, row in enumerate(self.grid.split("\n")):
            if (x := row.find(words)) >= 0:
                await self.pilot.click(offset=(x + len(words) // 2, y))
                return
        raise AssertionError(f"{words!r} is not there to be clicked:\n{self.grid}")


@dataclass
class Stage:
    """The services, who is known there, and a folder for what each person keeps."""

    deployment: Deployment
    crowd: Crowd
    folder: Path
    names: dict[str, Person] = field(default_factory=dict)

    def surroundings(self, person: Person | None = None, *, server: str = "", **settings: Any) -> Surroundings:
        """What the app is given for this person, signed in, or for somebody who is not."""
        home = self.folder / (person.name if person is not None else "nobody")
        home.mkdir(exist_ok=True)
        found = Surroundings(
            settings=ClientSettings(player="simulated", tui=TuiSettings(glyphs="unicode"), **settings),
            credentials=CredentialStore(home / "credentials.json", keep_in="file"),
            server=server or self.deployment.url,
            home=home,
            settings_file=home / ".config" / "client.toml",
            login="ana",
            environ={"HOME": str(home)},
        )
        if person is not None:
            kept = SignIn(
                name=person.name, user_id=person.id, expires_at="2036-12-24T01:43:00.123Z", token=person.token
            )
            found.credentials.put(found.server, kept)
        return found

    @asynccontextmanager
    async def plays(
        self,
        person: Person | None = None,
        *,
        size: tuple[int, int] = SIZES["narrow"],
        start: Start | None = None,
        surroundings: Surroundings | None = None,
        has_toasts: bool = False,
        **settings: Any,
    ) -> AsyncIterator[Actor]:
        """The app at a terminal of this size; it is left at the end. `has_toasts` shows what lies over all else."""
        app = DateflicksApp(surroundings or self.surroundings(person, **settings), start or InLobby())
        try:
            async with app.run_test(size=size, notifications=has_toasts) as pilot:
                await pilot.pause()
                try:
                    yield Actor(app, pilot)
                finally:
                    await app.leave_room()
                    await _dismissed(app)
        finally:
            if app.client is not None:
                await app.client.close()

    @asynccontextmanager
    async def client(self, person: Person) -> AsyncIterator[ServiceClient]:
        """The services as this person, without a screen."""
        async with ServiceClient(self.deployment.url, token=person.token) as client:
            yield client

    async def invite(self, host: Person, guest: Person | None = None, video: VideoRef = FILM) -> SessionBody:
        """A session whose guest is asked, or one with a code for whoever is told it."""
        async with self.client(host) as client:
            request = SessionRequest(guest_name=guest.name if guest else None, link=guest is None, video=video)
            return await client.create_session(request)

    async def session(self, person: Person, session_id: str) -> SessionBody:
        """A session as it is now."""
        async with self.client(person) as client:
            return await client.session(session_id)

    async def until_state(self, person: Person, session_id: str, state: str) -> None:
        """Wait until a session is in this state."""
        async with asyncio.timeout(SECONDS), self.client(person) as client:
            session = await client.session(session_id)
            while session.state != state:
                session = await changed(client, session)


async def _dismissed(app: DateflicksApp) -> None:
    """What goes on in the background ends before the loop does, so that every line is closed."""
    workers = list(app.workers)
    app.workers.cancel_all()
    for worker in workers:
        with contextlib.suppress(WorkerCancelled, WorkerFailed):
            await worker.wait()


def settled(grid: str) -> str:
    """A screen without what is another one in each run: the port, the code, how long it was waited, when it was."""
    grid = _PORT.sub("127.0.0.1:49152", grid)
    grid = _CODE.sub("k3v9x-tzq41-09ajm-hd2we", grid)
    grid = _WAITED.sub(r"\g<1>0:00", grid)
    return _DAY.sub("Wed 25 Nov 21:00", grid)
