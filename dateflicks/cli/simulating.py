"""People who are not there: the client library with simulated players, on lines and clocks as bad as one likes.

Rooms are sessions with their watchers. Where the players really are is read from their physics, past what the watchers
believe; all of them are in this process, so one clock is enough. Reached only once `simulate` runs.
"""

import asyncio
import contextlib
import random
import secrets
import signal
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Final

from dateflicks.cli.demo.measuring import nearest_rank
from dateflicks.cli.environment import CliEnvironment
from dateflicks.cli.exits import Exit
from dateflicks.cli.failures import CliError, nearest
from dateflicks.cli.output import Format, Printer
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
from dateflicks.client.sentences import clock_text
from dateflicks.client.tickets import Tickets
from dateflicks.client.viewer import Viewer
from dateflicks.client.watching import LinkChanged, Told, Update, Watching
from dateflicks.protocol.bodies import SessionBody, SessionRequest, VideoRef

LOOK_SECONDS: Final = 0.05
TELL_SECONDS: Final = 1.0
SETTLE_SECONDS: Final = 3.0  # after a change, and after coming; what is steered away by then is no drift
SAMPLES_MAX: Final = 1_000_000
PER_PERSON: Final = 4  # sockets that a service lets one person have
CLIENTS_MAX: Final = 50  # that a service lets one address have
LENGTH_SECONDS: Final = 5_400.0
TOLD: Final = ("at", "session_id", "status", "position", "clients", "moving", "apart_ms", "p95_ms")
SUMMARY: Final = (
    "seconds", "sessions", "clients", "samples", "p50_ms", "p95_ms", "p99_ms", "max_ms", "worst_ms", "in_play",
    "seeks", "lines_lost", "clock_ms",
)  # fmt: skip


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


async def simulate(environment: CliEnvironment, wishes: Wishes) -> Exit:
    """Watch for so long, or until Ctrl-C; print each second and the sum of it. Raises CliError, ClientError."""
    known = (*TOLD, "reason", *SUMMARY, "summary")
    for name in environment.fields:
        if name not in known:
            raise CliError(Exit.USAGE, f"There is no field '{name}' here.", hint=nearest(name, known))
    async with contextlib.AsyncExitStack() as stack:
        makers = _existing if wishes.session else _new
        rooms = await stack.enter_async_context(makers(environment, wishes))
        people = sum(len(room.watchers) for room in rooms)
        environment.say(f"{people} simulated {'watcher' if people == 1 else 'watchers'}; Ctrl-C ends it.")
        stop, interrupted = asyncio.Event(), asyncio.Event()
        with _signals(stop, interrupted):
            elapsed = await _run(environment, wishes, rooms, stop)
        _show(environment, _summary(rooms, elapsed), SUMMARY)
        failed = [one.error for room in rooms for one in room.watchers if one.error is not None]
        if failed:
            raise failed[0]
        return Exit.INTERRUPTED if interrupted.is_set() else Exit.OK


async def _run(environment: CliEnvironment, wishes: Wishes, rooms: list[Room], stop: asyncio.Event) -> float:
    watchers = [one for room in rooms for one in room.watchers]
    began = time.monotonic()
    watching = [asyncio.create_task(one.run()) for one in watchers]
    acting = asyncio.create_task(_act(rooms, _script(wishes), began))
    over = asyncio.create_task(stop.wait())
    try:
        with _Live(environment) as live:
            told_at = began
            while (now := time.monotonic()) < began + wishes.seconds and not over.done() and not watching[0].done():
                for room in rooms:
                    room.look(now)
                if now - told_at >= TELL_SECONDS:
                    told_at = now
                    live.tell([room.told(now - began) for room in rooms])
                await asyncio.wait({over, watching[0]}, timeout=LOOK_SECONDS, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for one in watchers:
            one.watching.stop()
        for task in (acting, over):
            task.cancel()
        await asyncio.gather(*watching, acting, over, return_exceptions=True)
    return time.monotonic() - began


def _script(wishes: Wishes) -> tuple[Deed, ...]:
    if wishes.script is not None:
        return wishes.script
    # In a session of somebody else's it is theirs to begin.
    return () if wishes.session else (Deed(1.0, 1, "play"),)


async def _act(rooms: list[Room], script: tuple[Deed, ...], began: float) -> None:
    for deed in script:
        await asyncio.sleep(max(0.0, began + deed.at - time.monotonic()))
        for room in rooms:
            for one in room.watchers:
                if one.number == deed.client:
                    _do(one, deed)


def _do(one: Watcher, deed: Deed) -> None:
    watching, player, now = one.watching, one.player, time.monotonic()
    match deed.word:
        case "play" | "pause" | "stop":
            watching.ask(deed.word)
        case "seek":
            watching.seek(deed.value)
        case "refuse":
            watching.refuse()
        case "freeze":
            player.freeze(deed.value)
        case "stall":
            player.stall(deed.value)
        case "slip" if player.physics.rate(now) > 0:
            player.slip(deed.value)
        case "cut":
            one.relay.cut(deed.value)
        case _:
            pass


# --- who they are ---------------------------------------------------------------------------------------------------


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
        yield [await _room(stack, wishes, parts, LENGTH_SECONDS)]


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
            rooms.append(await _room(stack, wishes, parts, LENGTH_SECONDS, seed=number))
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
    length: float,
    *,
    seed: int = 0,
) -> Room:
    client, session, _ = parts[0]
    assert isinstance(session.ticket, str)
    try:
        length = (await client.timecode(session.id, ticket=session.ticket)).length or length
    except errors.NotThere:
        length = (session.video.length if session.video is not None else 0.0) or length
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
    from urllib.parse import urlsplit

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


# --- what is seen ---------------------------------------------------------------------------------------------------


class _Live:
    """Each second: one line that is written over on a terminal, else a line for each session."""

    def __init__(self, environment: CliEnvironment) -> None:
        self._environment = environment
        self._form = environment.printer.form
        self._is_live = self._form is Format.TABLE and environment.stderr.isatty() and not environment.is_quiet
        self._last: list[dict[str, Any]] = []

    def __enter__(self) -> "_Live":
        return self

    def __exit__(self, *_: object) -> None:
        if self._is_live and self._last:
            self._environment.stderr.write("\r\x1b[K")
            self._environment.stderr.flush()

    def tell(self, records: list[dict[str, Any]]) -> None:
        """Show this second."""
        self._last = records
        if self._is_live:
            self._environment.stderr.write(f"\r\x1b[K{_line(records)}")
            self._environment.stderr.flush()
        elif self._form is not Format.TABLE:
            for record in records:
                _show(self._environment, record, TOLD)


def _show(environment: CliEnvironment, record: dict[str, Any], columns: tuple[str, ...]) -> None:
    """Write one record, with those of the chosen fields that are its own."""
    form, fields = environment.printer.form, [name for name in environment.fields if name in record]
    if environment.fields and not fields:
        return
    color = environment.is_colored(environment.stdout)
    printer = Printer(environment.stdout, form, fields, color=color, width=None)
    (printer.one if form is Format.TABLE else printer.event)(record, columns)


def _line(records: list[dict[str, Any]]) -> str:
    first = records[0]
    apart = [record["p95_ms"] for record in records if record["p95_ms"] is not None]
    where = f"{first['at']:.0f} s  {first['status'] or 'connecting'} at {clock_text(first['position'])}"
    far = f"{max(apart):.2f} ms apart at most" if apart else "standing"
    many = f" in {len(records)} sessions" if len(records) > 1 else ""
    return f"{where}  {far}{many}"


def _summary(rooms: list[Room], elapsed: float) -> dict[str, Any]:
    settled = sorted(value for room in rooms for value in room.settled)
    watchers = [one for room in rooms for one in room.watchers]
    looks = sum(room.looks for room in rooms)
    clocks = [one.viewer.clock.uncertainty for one in watchers if one.viewer.clock.ready]

    def rank(share: float) -> float | None:
        return round(nearest_rank(settled, share), 3) if settled else None

    return {
        "summary": True,
        "seconds": round(elapsed, 1),
        "sessions": len(rooms),
        "clients": len(watchers),
        "samples": len(settled),
        "p50_ms": rank(0.5),
        "p95_ms": rank(0.95),
        "p99_ms": rank(0.99),
        "max_ms": rank(1.0),
        "worst_ms": round(max((room.worst for room in rooms), default=0.0), 3),
        "in_play": round(sum(room.moving_looks for room in rooms) / looks, 3) if looks else 0.0,
        "seeks": sum(one.player.physics.seeks for one in watchers),
        "lines_lost": sum(one.lines_lost for one in watchers),
        "clock_ms": round(1_000 * max(clocks), 3) if clocks else None,
    }


@contextlib.contextmanager
def _signals(stop: asyncio.Event, interrupted: asyncio.Event) -> Any:
    """Ctrl-C and a polite kill end the simulation as its time does: with the sum of it, and everything cleared away."""
    loop = asyncio.get_running_loop()

    def end() -> None:
        interrupted.set()
        stop.set()

    every = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    chosen = [number for number in every if signal.getsignal(number) != signal.SIG_IGN]  # as in the background
    for number in chosen:
        loop.add_signal_handler(number, end)
    try:
        yield
    finally:
        for number in chosen:
            loop.remove_signal_handler(number)
