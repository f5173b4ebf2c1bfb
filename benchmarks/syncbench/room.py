"""A room for one measurement: real services, a line for each of the two, their processes, and an observer."""

import asyncio
import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from benchmarks.syncbench.figures import By
from benchmarks.syncbench.looking import Observer
from benchmarks.syncbench.people import Person
from benchmarks.syncbench.person import Part
from dateflicks.client.http import ServiceClient
from dateflicks.client.relay import Line, Relay
from dateflicks.client.service_process import ServiceProcess
from dateflicks.protocol.bodies import SessionRequest, VideoRef

PLAY_SECONDS: Final = 20.0
JOIN_SECONDS: Final = 20.0
BOTH_THERE: Final = 2  # the revision after the second has joined
HOST_CLOCK: Final = (1_000.0, 40.0)  # seconds ahead, parts in a million fast
GUEST_CLOCK: Final = (-500.0, -30.0)
LOOPBACK: Final = Line()
NULL_OUTPUTS: Final = ["--vo=null", "--ao=null"]


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What is between the two, and how they are."""

    film: Path
    seconds: float
    host_line: Line = LOOPBACK
    guest_line: Line = LOOPBACK
    seed: int = 1
    sound_ppm: float = 0.0  # the guest's sound runs so much faster than the host's
    host_film: str = ""
    guest_film: str = ""
    mpv_arguments: list[str] = field(default_factory=lambda: list(NULL_OUTPUTS))
    by: By = "ours"


class Room:
    """Both connected, with the film open; made by `room`."""

    def __init__(self, folder: Path, service: ServiceProcess, host: Person, guest: Person, observer: Observer) -> None:
        self.folder = folder
        self.service = service
        self.host = host
        self.guest = guest
        self.observer = observer
        self.relays: tuple[Relay, Relay] | None = None

    async def play(self) -> float:
        """From stillness to a film that both play; the instant at which the host heard of it."""
        asked = self.host.do("play")
        told = await self.host.hear(
            lambda one: one["kind"] == "told" and one["status"] == "play" and not one["pending"],
            PLAY_SECONDS,
            since=asked,
        )
        return float(told["at"])

    async def pause(self) -> float:
        """From motion to stillness; the instant at which the host heard that it is settled."""
        asked = self.host.do("pause")
        told = await self.host.hear(
            lambda one: one["kind"] == "told" and one["status"] == "pause" and not one["pending"],
            PLAY_SECONDS,
            since=asked,
        )
        return float(told["at"])

    async def put_apart(self, seconds: float) -> float:
        """The guest turns out to be so far behind the host; the instant at which that came out.

        First it is led astray by a false trim, until all believe to be in step; then it sees the truth.
        """
        await asyncio.sleep(6.0)
        self.guest.do("shift", seconds=-seconds)
        await asyncio.sleep(12.0)
        before = self.observer.apart(time.monotonic() - 0.5)
        if not before or abs(abs(before[-1].seconds) - abs(seconds)) > 0.2:
            raise RuntimeError(f"the guest could not be led astray: {before[-1:]}")
        return self.guest.do("shift", seconds=seconds)

    async def kill_service(self) -> None:
        """Take the services away without a word."""
        await self.service.kill()

    async def restart_service(self) -> float:
        """Start the services again on the same port and data, and see both told; when the services were there."""
        self.service = await _serve(self.folder, port=self.service.port)
        returned = time.monotonic()
        for person in (self.host, self.guest):
            await person.hear(lambda one: one["kind"] == "told", 15.0, since=returned - 1.0)
        return returned


async def _serve(folder: Path, port: int = 0) -> ServiceProcess:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("DATEFLICKS_")}
    environ["DATEFLICKS_HOME"] = str(folder / "home")
    return await ServiceProcess.start("all", folder / "data", folder / "services.log", port=port, environ=environ)


@contextlib.asynccontextmanager
async def room(setting: Setting) -> AsyncIterator[Room]:
    """A room for as long as the block runs. Raises RuntimeError when somebody does not get ready."""
    folder = Path(tempfile.mkdtemp(prefix="dateflicks-bench-"))
    try:
        async with contextlib.AsyncExitStack() as stack:
            service = await _serve(folder)
            made: Room | None = None

            async def end_service() -> None:
                await (made.service if made is not None else service).end()

            stack.push_async_callback(end_service)
            relays = (
                await stack.enter_async_context(Relay(service.port, setting.host_line, setting.seed)),
                await stack.enter_async_context(Relay(service.port, setting.guest_line, setting.seed + 1)),
            )
            parts = await _invited(folder, service, relays, setting)
            people = await asyncio.gather(
                *(Person.start(name, part) for name, part in zip(("host", "guest"), parts, strict=True))
            )
            for person in people:
                stack.push_async_callback(person.quit)
            observer = await stack.enter_async_context(Observer(folder / "host.mpv", folder / "guest.mpv"))
            made = Room(folder, service, people[0], people[1], observer)
            made.relays = relays
            for person in people:
                await person.hear(lambda one: one["kind"] == "told" and one["revision"] >= BOTH_THERE, JOIN_SECONDS)
            yield made
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def _invited(
    folder: Path, service: ServiceProcess, relays: tuple[Relay, Relay], setting: Setting
) -> tuple[Part, Part]:
    """Two accounts and an accepted session, made past the relays."""
    direct = f"http://127.0.0.1:{service.port}"
    async with ServiceClient(direct) as host, ServiceClient(direct) as guest:
        await host.register("host", "a password of the bench")
        await guest.register("guest", "a password of the bench")
        film = VideoRef(url=setting.film.name, title="The bench's film", length=setting.seconds)
        session = await host.create_session(SessionRequest(guest_name="guest", video=film))
        await guest.accept(session.id)
        assert host.token is not None
        assert guest.token is not None

        def part(name: str, token: str, relay: Relay, film: str, clock: tuple[float, float], sound: float) -> Part:
            return Part(
                server=f"http://127.0.0.1:{relay.port}",
                token=token,
                session_id=session.id,
                film=film or str(setting.film),
                socket=str(folder / f"{name}.mpv"),
                offset_seconds=clock[0],
                clock_ppm=clock[1],
                sound_ppm=sound,
                mpv_arguments=setting.mpv_arguments,
            )

        return (
            part("host", host.token, relays[0], setting.host_film, HOST_CLOCK, -setting.sound_ppm / 2),
            part("guest", guest.token, relays[1], setting.guest_film, GUEST_CLOCK, setting.sound_ppm / 2),
        )
