"""People who are not there: the client library with simulated players, on lines and clocks as bad as one likes.

They are made in `simulated_rooms.py`; here they watch, do what the script says, and are told of. Reached only once
`simulate` runs.
"""

import asyncio
import contextlib
import signal
import time
from collections.abc import Iterator, Sequence
from typing import Final

from dateflicks.cli.environment import CliEnvironment
from dateflicks.cli.exits import Exit
from dateflicks.cli.simulated_figures import SUMMARY, Live, check_fields, show, summary
from dateflicks.cli.simulated_rooms import Room, Watcher, Wishes, rooms_of
from dateflicks.cli.simulated_script import Deed

LOOK_SECONDS: Final = 0.05
TELL_SECONDS: Final = 1.0


async def simulate(environment: CliEnvironment, wishes: Wishes) -> Exit:
    """Watch for so long, or until Ctrl-C; print each second and the sum of it. Raises CliError, ClientError."""
    check_fields(environment.fields)
    async with rooms_of(environment, wishes) as rooms:
        people = sum(len(room.watchers) for room in rooms)
        environment.say(f"{people} simulated {'watcher' if people == 1 else 'watchers'}; Ctrl-C ends it.")
        with _interruption() as interrupted:
            elapsed = await _run(environment, wishes, rooms, interrupted)
        show(environment, summary(rooms, elapsed), SUMMARY)
        failed = [one.error for room in rooms for one in room.watchers if one.error is not None]
        if failed:
            raise failed[0]
        return Exit.INTERRUPTED if interrupted.is_set() else Exit.OK


async def _run(environment: CliEnvironment, wishes: Wishes, rooms: Sequence[Room], stop: asyncio.Event) -> float:
    watchers = [one for room in rooms for one in room.watchers]
    began = time.monotonic()
    watching = [asyncio.create_task(one.run()) for one in watchers]
    acting = asyncio.create_task(_act(rooms, _script(wishes), began))
    over = asyncio.create_task(stop.wait())
    try:
        with Live(environment) as live:
            told_at = began
            while (now := time.monotonic()) < began + wishes.seconds and not (over.done() or watching[0].done()):
                if acting.done():
                    acting.result()
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
        ends = await asyncio.gather(*watching, acting, over, return_exceptions=True)
    for error in ends:
        if isinstance(error, Exception):  # and not that it was cancelled
            raise error
    return time.monotonic() - began


def _script(wishes: Wishes) -> tuple[Deed, ...]:
    if wishes.script is not None:
        return wishes.script
    # In a session of somebody else's it is theirs to begin.
    return () if wishes.session else (Deed(1.0, 1, "play"),)


async def _act(rooms: Sequence[Room], script: tuple[Deed, ...], began: float) -> None:
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


@contextlib.contextmanager
def _interruption() -> Iterator[asyncio.Event]:
    """Ctrl-C and a polite kill end the simulation as its time does: with the sum of it, and everything cleared away."""
    loop, interrupted = asyncio.get_running_loop(), asyncio.Event()
    every = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    chosen = [number for number in every if signal.getsignal(number) != signal.SIG_IGN]  # as in the background
    for number in chosen:
        loop.add_signal_handler(number, interrupted.set)
    try:
        yield interrupted
    finally:
        for number in chosen:
            loop.remove_signal_handler(number)
