"""The rooms of a simulation: sessions with their watchers, who are made for it, each behind a line of their own.

Where the players really are is read from their physics, past what the watchers believe; all of them are in this
process, so one clock is enough.
"""

import contextlib
import random
import secrets
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from dateflicks.cli.demo.measuring import nearest_rank
from dateflicks.cli.environment import CliEnvironment
from dateflicks.cli.exits import Exit
from dateflicks.cli.failures import CliError
from dateflicks.cli.sessions import accepted, full_id
from dateflicks.cli.simulated_script import Deed
from dateflicks.client import errors
from dateflicks.client.consent import Consent, ConsentSettings
from dateflicks.client.feed import FeedEnded
from dateflicks.client.http import ServiceClient
from dateflicks.client.listening import feed_url
from dateflicks.client.players.physics import SimulatedPhysics
from dateflicks.client.players.simulated import SimulatedPlayer
from dateflicks.client.relay import Line, Relay
from dateflicks.client.tickets import Tickets
from dateflicks.client.viewer import Viewer
from dateflicks.client.watching import LinkChanged, Told, Update, Watching
from dateflicks.protocol.bodies import SessionBody, SessionRequest, VideoRef

SETTLE_SECONDS: Final = 3.0  # after a change, and after coming; what is steered away by then is no drift
SAMPLES_MAX: Final = 1_000_000
PER_PERSON: Final = 4  # sockets that a service lets one person have
LENGTH_SECONDS: Final = 5_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What was typed: seconds, parts per million, a share."""

    session: str | None
    clients: int
    round_trip: float
    jitter: float
    loss: float
    drift_ppm: float
    seconds: float
    seed: int
    script: tuple[Deed, ...] | None


class Watcher:
    """One who is not there."""

    def __init__(self, number: int, viewer: Viewer, player: SimulatedPlayer, watching: Watching, relay: Relay) -> None:
        self.number = number
        self.viewer = viewer
        self.player = player
        self.watching = watching
        self.relay = relay
        self.changed_at = time.monotonic()
        self.lines_lost = 0
        self._revision = -1
        self._is_open = False
        self.error: Exception | None = None

    def hear(self, update: Update) -> None:
        """What the watching tells."""
        match update:
            case Told(frame=frame) if frame.reason not in ("join", "leave") and frame.revision != self._revision:
                self._revision, self.changed_at = frame.revision, time.monotonic()
            case LinkChanged(is_open=is_open):
                self.lines_lost += self._is_open and not is_open  # each try that fails is told as well
                self._is_open = is_open
            case _:
                pass

    async def run(self) -> None:
        """Watch until stopped; what goes wrong is kept for whoever asks."""
        try:
            await self.watching.run()
        except FeedEnded as ended:
            self.error = errors.of_close_code(ended.code, str(ended))
        except Exception as error:  # noqa: BLE001 - told with the sum of the others
            self.error = error
        finally:
            await self.player.close()


@dataclass
class Room:
    """One session, its watchers, and how far apart they were."""

    session_id: str
    watchers: list[Watcher]
    settled: list[float] = field(default_factory=list)  # milliseconds
    worst: float = 0.0
    looks: int = 0
    moving_looks: int = 0
    recent: list[float] = field(default_factory=list)

    def look(self, now: float) -> None:
        """Where everybody really is."""
        self.looks += 1
        places = [one.player.physics.position(now) for one in self.watchers]
        apart = 1_000 * (max(places) - min(places))
        if len(places) < 2 or not all(one.player.physics.rate(now) > 0 for one in self.watchers):
            return
        self.moving_looks += 1
        self.worst = max(self.worst, apart)
        if all(now - one.changed_at >= SETTLE_SECONDS for one in self.watchers) and len(self.settled) < SAMPLES_MAX:
            self.settled.append(apart)
        self.recent = [*self.recent[-200:], apart]

    def told(self, elapsed: float) -> dict[str, Any]:
        """This second, as a record."""
        now = time.monotonic()
        told = self.watchers[0].viewer.timecode
        recent = sorted(self.recent)
        self.recent = []
        return {
            "at": round(elapsed, 1),
            "session_id": self.session_id,
            "status": told.status if told else None,
            "reason": told.reason if told else None,
            "position": round(self.watchers[0].player.physics.position(now), 3),
            "clients": len(self.watchers),
            "moving": sum(one.player.physics.rate(now) > 0 for one in self.watchers),
            "apart_ms": round(nearest_rank(recent, 0.5), 2) if recent else None,
            "p95_ms": round(nearest_rank(recent, 0.95), 2) if recent else None,
        }


# --- how they come to be ----------------------------------------------------------------------------------------------


def rooms_of(environment: CliEnvironment, wishes: Wishes) -> contextlib.AbstractAsyncContextManager[list[Room]]:
    """Rooms that are there for as long as the block runs. Raises CliError, ClientError."""
    return (_existing if wishes.session else _new)(environment, wishes)


@contextlib.asynccontextmanager
async def _existing(environment: CliEnvironment, wishes: Wishes) -> AsyncIterator[list[Room]]:
    """Watchers in one's own name in a session that there is."""
    if wishes.clients > PER_PERSON:
        what = f"--clients: in your own name there can be {PER_PERSON}, not {wishes.clients}."
        raise CliError(Exit.USAGE, what, hint="More are possible with --new: sessions and accounts of their own.")
    async with environment.connect() as client, contextlib.AsyncExitStack() as stack:
        session = await accepted(client, await full_id(client, wishes.session or ""))
        me = (await client.me()).id
        parts = [(client, session, me)] * wishes.clients
        yield [await _room(stack, wishes, parts)]


@contextlib.asynccontextmanager
async def _new(environment: CliEnvironment, wishes: Wishes) -> AsyncIterator[list[Room]]:
    """Sessions with two watchers each, by accounts that are made for them."""
    rooms: list[Room] = []
    async with contextlib.AsyncExitStack() as stack:
        pair: tuple[ServiceClient, ServiceClient] | None = None
        for number in range(wishes.clients // 2):
            if pair is None or number % PER_PERSON == 0:
                pair = (await _account(environment, stack), await _account(environment, stack))
            session = await _session(stack, *pair)
            parts = [(one, await one.session(session.id), (await one.me()).id) for one in pair]
            rooms.append(await _room(stack, wishes, parts, seed=number))
        yield rooms


async def _account(environment: CliEnvironment, stack: contextlib.AsyncExitStack) -> ServiceClient:
    client = await stack.enter_async_context(environment.client_of(None))
    await client.register(f"simulated-{secrets.token_hex(6)}", secrets.token_urlsafe(24))
    stack.push_async_callback(_suppressed, client.sign_out)
    return client


async def _session(stack: contextlib.AsyncExitStack, host: ServiceClient, guest: ServiceClient) -> SessionBody:
    film = VideoRef(url="simulated.mkv", title="A simulated film", length=LENGTH_SECONDS)
    guest_user_id = (await guest.me()).id
    made = await host.create_session(SessionRequest(guest_user_id=guest_user_id, video=film))
    await guest.accept(made.id)
    stack.push_async_callback(_suppressed, lambda: host.end(made.id))
    return made


async def _suppressed(act: Callable[[], Coroutine[Any, Any, Any]]) -> None:
    with contextlib.suppress(errors.ClientError):
        await act()


async def _room(
    stack: contextlib.AsyncExitStack,
    wishes: Wishes,
    parts: list[tuple[ServiceClient, SessionBody, str]],
    *,
    seed: int = 0,
) -> Room:
    client, session, _ = parts[0]
    assert isinstance(session.ticket, str)
    try:
        length = (await client.timecode(session.id, ticket=session.ticket)).length or LENGTH_SECONDS
    except errors.NotThere:
        length = (session.video.length if session.video is not None else 0.0) or LENGTH_SECONDS
        await client.create_timecode(session.id, length, ticket=session.ticket)
    base = await client.address_of("timecode")
    draw = random.Random(wishes.seed * 1_000 + seed)  # noqa: S311 - a simulation, and one that must repeat itself
    watchers = []
    for number, (own, as_seen, user_id) in enumerate(parts, 1):
        assert isinstance(as_seen.ticket, str)
        relay = await _relay(stack, wishes, base, draw)
        drift = wishes.drift_ppm * (1 if number % 2 else -1)
        watchers.append(await _watcher(number, own, as_seen, user_id, base, relay, length, drift, draw))
    return Room(session.id, watchers)


async def _relay(stack: contextlib.AsyncExitStack, wishes: Wishes, base: str, draw: random.Random) -> Relay:
    parts = urlsplit(base)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    line = Line.same(wishes.round_trip / 2, wishes.jitter / 2, wishes.loss)
    relay = Relay(port, line, draw.getrandbits(32), host=parts.hostname or "127.0.0.1")
    return await stack.enter_async_context(relay)


async def _watcher(
    number: int,
    client: ServiceClient,
    session: SessionBody,
    user_id: str,
    base: str,
    relay: Relay,
    length: float,
    drift_ppm: float,
    draw: random.Random,
) -> Watcher:
    assert isinstance(session.ticket, str)
    physics = SimulatedPhysics(length=length, seed=draw.getrandbits(32), drift_ppm=drift_ppm)
    player = SimulatedPlayer(physics)
    await player.load("a simulated film")
    free = ConsentSettings.all(Consent.FREE)
    is_host = user_id == session.host_user_id
    viewer = Viewer(session.id, user_id, is_host=is_host, consent=free, spread=draw.uniform, length=length)
    heard: list[Watcher] = []
    watching = Watching(
        feed_url(base, session.id),
        Tickets(client, session.id, session.ticket).fresh,
        viewer,
        player,
        lambda update: heard[0].hear(update),  # noqa: PLW0108 - it is not there yet
        trust=lambda: client.trust,
        through=("127.0.0.1", relay.port),
    )
    heard.append(Watcher(number, viewer, player, watching, relay))
    return heard[0]
