"""Two people in front of one film: real services, the project's client library, an mpv each, and somebody who looks."""

import asyncio
import contextlib
import itertools
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

from dateflicks.cli.demo.measuring import Apart
from dateflicks.cli.demo.observer import Eye, MpvEye, Observer
from dateflicks.client.errors import ClientError
from dateflicks.client.evening import Evening
from dateflicks.client.films import Film
from dateflicks.client.http import ServiceClient
from dateflicks.client.overlay import Happening
from dateflicks.client.players.mpv import MpvPlayer
from dateflicks.client.players.mpv_ipc import IpcError, MpvIpc, connect_path
from dateflicks.client.screen import Screen
from dateflicks.client.viewer import Notice
from dateflicks.client.watching import LinkChanged, PlayerChanged, Told, Update
from dateflicks.protocol.bodies import SessionRequest, VideoRef
from dateflicks.protocol.frames import TimecodeFrame
from dateflicks.settings.client import ClientSettings, ConsentSettings
from tests.houses import Account, House
from tests.watching.looking import PictureEye

LOOK_SECONDS = 0.02
HEAR_SECONDS = 15.0
STEP_SECONDS = 20.0  # of a machine that has other things to do; an idle one needs two or three
FRAME_SECONDS = 0.040
_numbers = itertools.count(1)


async def until(what: str, holds: Callable[[], Any], *, seconds: float = HEAR_SECONDS) -> Any:
    """Wait for something, and return it."""
    deadline = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        await asyncio.sleep(LOOK_SECONDS)
    return found


class Person:
    """One of the two, and all that they were told."""

    def __init__(self, account: Account, server: str, socket: Path, arguments: tuple[str, ...]) -> None:
        self.name = account.name
        self.socket = socket
        self.client = ServiceClient(server, token=account.token)
        self.settings = ClientSettings(
            server=server,
            token=account.token,
            player="mpv",
            mpv_arguments=["--vo=null", "--ao=null", f"--input-ipc-server={socket}", *arguments],
            consent=ConsentSettings(play="free", pause="free", stop="free", seek="free"),
        )
        self.frames: list[tuple[TimecodeFrame, float]] = []
        self.updates: list[Update] = []
        self.sent: list[float] = []
        self.running: asyncio.Task[None] | None = None
        self._screen: Screen | None = None
        self._evening: Evening | None = None
        self._outside: MpvIpc | None = None

    @property
    def screen(self) -> Screen:
        assert self._screen is not None
        return self._screen

    @property
    def evening(self) -> Evening:
        assert self._evening is not None
        return self._evening

    @property
    def player(self) -> MpvPlayer:
        assert isinstance(self.screen.player, MpvPlayer)
        return self.screen.player

    @property
    def told(self) -> TimecodeFrame:
        """The newest timecode."""
        return self.frames[-1][0]

    def position(self) -> float:
        """Where the own player is, as its follower believes."""
        now = time.monotonic()
        head = self.player.playhead(now)
        assert head is not None
        return head.carried(now)

    def knows_clock(self) -> bool:
        """Whether timelines can be placed."""
        return self.evening.viewer.clock.ready

    async def sit_down(self, film: str) -> None:
        """Open the film in an mpv of one's own."""
        self._screen = await Screen.open(self.settings)
        await self._screen.load(Film(film, Path(film).name))

    async def watch(self, session_id: str, may_reopen: Callable[[], Awaitable[bool]] | None) -> None:
        """Take part, and count what is sent."""
        self._evening = await Evening.attend(
            self.client, await self.client.session(session_id), self.screen, self.settings
        )
        self._evening.listen(self._hear)
        feed = self._evening.watching._feed
        send = feed.send

        def counted(data: bytes) -> bool:
            self.sent.append(time.monotonic())
            return send(data)

        feed.send = counted  # type: ignore[method-assign]  # what is counted goes on its way
        self.running = asyncio.create_task(self._evening.run(may_reopen=may_reopen))

    async def leave(self) -> None:
        """Go home, whatever state everything is in."""
        if self._evening is not None:
            self._evening.stop()
        if self.running is not None:
            with contextlib.suppress(ClientError, TimeoutError):
                await asyncio.wait_for(self.running, 10.0)
        if self._outside is not None:
            self._outside.close()
        if self._screen is not None:
            await self._screen.player.close()
        await self.client.close()

    def _hear(self, update: Happening) -> None:
        if isinstance(update, Told | LinkChanged | PlayerChanged | Notice):
            self.updates.append(update)
        if isinstance(update, Told):
            self.frames.append((update.frame, time.monotonic()))

    # --- what was heard -----------------------------------------------------------------------------------------

    async def hears(
        self, what: str, is_it: Callable[[TimecodeFrame], bool], *, since: float, seconds: float = HEAR_SECONDS
    ) -> tuple[TimecodeFrame, float]:
        """The first timecode like this that came after the instant `since`, and when it came."""

        def found() -> tuple[TimecodeFrame, float] | None:
            return next((one for one in self.frames if one[1] >= since and is_it(one[0])), None)

        heard: tuple[TimecodeFrame, float] = await until(f"{self.name} hears {what}", found, seconds=seconds)
        return heard

    def trouble(self) -> list[Update]:
        """What nobody wants to be told: a lost line, an error, a player in trouble."""
        return [
            one
            for one in self.updates
            if (isinstance(one, LinkChanged) and not one.is_open)
            or (isinstance(one, Notice) and one.kind == "error")
            or (isinstance(one, PlayerChanged) and one.kind not in ("stalled", "recovered", "ended"))
        ]

    def changes(self, kind: str) -> list[PlayerChanged]:
        """What was told of the own player, of one kind."""
        return [one for one in self.updates if isinstance(one, PlayerChanged) and one.kind == kind]

    # --- hands on the player itself -----------------------------------------------------------------------------

    async def outside(self) -> MpvIpc:
        """A connection to the person's mpv that the client knows nothing of."""
        if self._outside is None or self._outside.lost is not None:
            self._outside = await connect_path(self.socket, lambda _: None, lambda _: None)
        return self._outside

    async def press(self, key: str) -> None:
        """Press a key in the player's window."""
        await (await self.outside()).command("keypress", key, timeout=10.0)

    async def get(self, name: str) -> Any:
        """What mpv itself says of a property."""
        return (await (await self.outside()).command("get_property", name, timeout=10.0)).data


class Room:
    """Both connected, with the film open."""

    def __init__(self, host: Person, guest: Person, observer: Observer, session_id: str) -> None:
        self.host = host
        self.guest = guest
        self.people = (host, guest)
        self.observer = observer
        self.session_id = session_id

    async def play(self, asker: Person | None = None) -> float:
        """From stillness to a film that both play; the instant of asking."""
        began = time.monotonic()
        (asker or self.host).evening.watching.ask("play")
        for person in self.people:
            await person.hears("that the film plays", _plays, since=began)
        return began

    async def pause(self, asker: Person) -> float:
        """From motion to stillness that is agreed to; the instant of asking."""
        began = time.monotonic()
        asker.evening.watching.ask("pause")
        for person in self.people:
            await person.hears(
                "that the pause stands", lambda told: told.status == "pause" and not told.pending, since=began
            )
        return began

    async def seek(self, asker: Person, to: float) -> float:
        """All go somewhere; the instant of asking."""
        began = time.monotonic()
        asker.evening.watching.seek(to)
        for person in self.people:
            await person.hears(
                "of the seek", lambda told: told.reason in ("seek", "resume") and not told.pending, since=began
            )
        return began

    async def in_step(self, after: float, *, seconds: float = STEP_SECONDS) -> float:
        """Wait until both have played within a frame of each other for a second; since when."""
        try:
            since: float = await until("both play in step", lambda: self.observer.in_step_since(after), seconds=seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}; {self.describe()}") from None
        return since

    async def stand(self, *, within: float = FRAME_SECONDS, seconds: float = HEAR_SECONDS) -> tuple[float, float]:
        """Wait until both stand, at most so far apart, and have stood so at two looks in a row."""
        deadline = time.monotonic() + seconds
        before: tuple[float, float] | None = None
        while True:
            places = await self.observer.stand()
            if places is not None and places == before and abs(places[0] - places[1]) <= within:
                return places
            assert time.monotonic() < deadline, f"they do not stand within {within:g} s: {places}; {self.describe()}"
            before = places
            await asyncio.sleep(10 * LOOK_SECONDS)

    def describe(self) -> str:
        """What is seen and told, for whoever has to find out why a test failed."""
        seen: list[Apart] = self.observer.apart(time.monotonic() - 2.0)
        apart = f"apart {[round(1000 * one.seconds) for one in seen[::8]]} ms" if seen else "not seen to play"
        told = [
            (f.reason, f.status, f.rate, round(f.current_position, 2), f.waiting_for) for f, _ in self.host.frames[-6:]
        ]
        return f"{apart}; told {told}; {[(p.name, p.trouble()) for p in self.people]}"


def _plays(told: TimecodeFrame) -> bool:
    return told.status == "play" and told.rate == 1 and told.pending is None


def _are_two(told: TimecodeFrame) -> bool:
    return sum(one.connected for one in told.participants.values()) == 2


@contextlib.asynccontextmanager
async def room(
    house: House,
    folder: Path,
    film: Path | str,
    *,
    guest_film: Path | str | None = None,
    length: float,
    pictures: bool = False,
    guest_may_reopen: Callable[[], Awaitable[bool]] | None = None,
    arguments: tuple[str, ...] = (),
) -> AsyncIterator[Room]:
    """An accepted session of the two, with a film that is `length` long; all is closed at the end."""
    number = next(_numbers)
    host, guest = (
        Person(account, house.url, folder / f"{account.name}{number}.mpv", arguments)
        for account in (house.host, house.guest)
    )
    eyes: list[Eye] = [(PictureEye if pictures else MpvEye)(person.socket) for person in (host, guest)]
    observer = Observer(eyes[0], eyes[1])
    looking: asyncio.Task[None] | None = None
    try:
        video = VideoRef(url=Path(film).name, title="The test's film", length=length)
        session = await host.client.create_session(SessionRequest(guest_name=house.guest.name, video=video))
        await guest.client.accept(session.id)
        await asyncio.gather(host.sit_down(str(film)), guest.sit_down(str(guest_film or film)))
        await host.watch(session.id, None)
        await guest.watch(session.id, guest_may_reopen)
        looking = asyncio.create_task(observer.run())
        for person in (host, guest):
            await until(f"{person.name} knows the clock", person.knows_clock)
            await person.hears("of both", _are_two, since=0.0)
        yield Room(host, guest, observer, session.id)
    finally:
        if looking is not None:
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)
        for eye in eyes:
            eye.close()
        await asyncio.gather(host.leave(), guest.leave())


async def dead(person: Person) -> None:
    """Wait until the person's mpv is not there any more."""
    ipc = await person.outside()

    async def gone() -> None:
        with contextlib.suppress(IpcError):
            while True:
                await ipc.get("pid")
                await asyncio.sleep(LOOK_SECONDS)

    await asyncio.wait_for(gone(), HEAR_SECONDS)
