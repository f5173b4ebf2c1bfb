"""People at terminal clients without terminals, who press keys and read their screens; and an evening of two."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from dateflicks.client.credentials import CredentialStore
from dateflicks.client.http import ServiceClient
from dateflicks.protocol.bodies import SessionBody, SessionRequest, VideoRef
from dateflicks.settings.client import ClientSettings, ConsentSettings
from dateflicks.tui._textual_private import text_grid
from dateflicks.tui.app import DateflicksApp
from dateflicks.tui.kept import KeptEvening
from dateflicks.tui.model import WatchState
from dateflicks.tui.surroundings import AtSession, Farewell, Surroundings
from tests.houses import Account, House
from tests.tui.journeys.relay import Relay, relay_to

SECONDS: Final = 40.0  # of a machine that has other things to do; an idle one needs one or two
LOOK_SECONDS: Final = 0.05
LENGTH: Final = 5_400.0
NARROW: Final = (80, 24)
ALWAYS_ASK: Final = ConsentSettings(play="ask", pause="ask", seek="ask", stop="ask")


class Person:
    """One person in front of their terminal client."""

    def __init__(self, account: Account, relay: Relay, home: Path, consent: ConsentSettings) -> None:
        self.name = account.name
        self.relay = relay
        self._token = account.token
        self.client = ServiceClient(relay.url, token=account.token)
        self.surroundings = Surroundings(
            settings=ClientSettings(server=relay.url, token=account.token, player="simulated", consent=consent),
            credentials=CredentialStore(home / "credentials.json", keep_in="file"),
            server=relay.url,
            home=home,
            settings_file=home / "client.toml",
            login=account.name,
        )
        self.app: DateflicksApp | None = None
        self._run: asyncio.Task[Farewell | None] | None = None

    def sit_down(self, session: SessionBody, *, kept: KeptEvening | None = None) -> None:
        """Open the terminal client at a session."""
        self.app = DateflicksApp(self.surroundings, AtSession(self.client, session), kept=kept)
        self.app.animation_level = "none"
        self._run = asyncio.create_task(self.app.run_async(headless=True, size=NARROW))

    def open_again(self) -> None:
        """Another client, as another run of the program has it."""
        self.client = ServiceClient(self.relay.url, token=self._token)

    @property
    def state(self) -> WatchState:
        """What the terminal client knows."""
        assert self.app is not None
        return self.app.state

    def screen(self) -> str:
        """What stands there."""
        return text_grid(self.app) if self.app is not None and self.app.is_running and self.app.screen_stack else ""

    def press(self, *keys: str) -> None:
        """Press keys, by Textual's names for them."""
        assert self.app is not None
        for key in keys:
            self.app.simulate_key(key)

    def type(self, text: str) -> None:
        """Press the key of each character."""
        self.press(*text)

    def is_moving(self) -> bool:
        """Whether the own player has shown some of the film."""
        return self.state.film.rate > 0 and (self.state.position or 0.0) > 0.3

    async def back_to_film(self) -> None:
        """Leave the line that one writes in."""
        await self.sees("tab complete")
        self.press("escape")
        await self.sees("space play/pause")

    async def sees(self, *words: str) -> str:
        """Wait until all of these stand on the screen."""
        await self.until(lambda: all(one in self.screen() for one in words), f"{self.name} sees {words}")
        return self.screen()

    async def sees_no(self, words: str) -> None:
        """Wait until these stand there no more."""
        await self.until(lambda: words not in self.screen(), f"{self.name} does not see {words!r} any more")

    async def until(self, predicate: Callable[[], Any], what: str = "") -> None:
        """Wait for it, with a deadline."""
        deadline = time.monotonic() + SECONDS
        while not predicate():
            assert self._run is not None
            assert not self._run.done(), f"the terminal client of {self.name} is gone: {self._run}"
            assert time.monotonic() < deadline, f"not in time: {what or predicate}\n{self.screen()}"
            await asyncio.sleep(LOOK_SECONDS)

    async def ends(self) -> Farewell | None:
        """Wait until the terminal client is gone, and what it says in the shell."""
        assert self._run is not None
        async with asyncio.timeout(SECONDS):
            return await self._run

    async def leave(self) -> None:
        """Whatever it does now, it ends."""
        if self._run is not None and not self._run.done():
            self._run.cancel()
            await asyncio.gather(self._run, return_exceptions=True)
        if self.app is not None:
            await self.app.leave_room()
        await self.client.close()


@dataclass
class Two:
    """The host and their guest, in front of one session."""

    host: Person
    guest: Person
    session: SessionBody

    async def both_see(self, *words: str) -> None:
        """Wait until these stand on both screens."""
        await self.host.sees(*words)
        await self.guest.sees(*words)

    async def both_play(self) -> None:
        """Play, by the host's key and whatever the guest has to say to it."""
        self.host.press("space")
        if self.guest.surroundings.settings.consent.play == "ask":
            await self.guest.sees("ana wants to PLAY")
            self.guest.press("y")
        await self.both_see("PLAYING", "in sync")
        for person in (self.host, self.guest):
            await person.until(person.is_moving, f"the film moves for {person.name}")


@contextlib.asynccontextmanager
async def evening_of_two(
    house: House, folder: Path, *, consent: ConsentSettings | None = None, title: str = "The General"
) -> AsyncIterator[Two]:
    """An accepted session, both in front of it, both on the line."""
    async with relay_to(house.url) as hosts_way, relay_to(house.url) as guests_way:
        people = [
            Person(account, relay, folder / account.name, consent or ConsentSettings())
            for account, relay in ((house.host, hosts_way), (house.guest, guests_way))
        ]
        host, guest = people
        try:
            video = VideoRef(url="The_General.mkv", title=title, length=LENGTH)
            made = await host.client.create_session(SessionRequest(guest_name=guest.name, video=video))
            accepted = await guest.client.accept(made.id)
            host.sit_down(await host.client.session(made.id))
            guest.sit_down(accepted)
            two = Two(host, guest, accepted)
            await two.both_see("live", "start the film")
            yield two
        finally:
            for person in people:
                await person.leave()
