"""One person as a process of its own: the project's client library with an mpv, on a clock that is wrong.

Run as a program with one argument, its `Part` as JSON. Says on stdout what it was told, one JSON object a line, stamped
with the machine's true monotonic clock; takes on stdin what its person does. The clock is falsified before anything of
the project is loaded: what the client library believes to be monotonic time runs from another start, at another rate.
"""

import asyncio
import contextlib
import json
import sys
import time
from typing import Any

import msgspec

TRUE_MONOTONIC = time.monotonic


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """Who, where, with which film, and how wrong the clocks are; ppm are parts in a million."""

    server: str
    token: str
    session_id: str
    film: str
    socket: str
    offset_seconds: float = 0.0
    clock_ppm: float = 0.0
    sound_ppm: float = 0.0
    consent: str = "free"
    mpv_arguments: list[str] = []


def falsify(offset: float, ppm: float) -> None:
    """Make `time.monotonic` start elsewhere and run at another rate, for the whole process."""
    began = TRUE_MONOTONIC()
    time.monotonic = lambda: began + offset + (TRUE_MONOTONIC() - began) * (1 + ppm * 1e-6)


def say(kind: str, **fields: Any) -> None:
    """One line to the bench."""
    print(json.dumps({"kind": kind, "at": TRUE_MONOTONIC(), **fields}), flush=True)


async def play_part(part: Part) -> None:
    """Watch until told to quit."""
    from dateflicks.client.evening import Evening
    from dateflicks.client.films import Film
    from dateflicks.client.http import ServiceClient
    from dateflicks.client.players.mpv import MpvPlayer
    from dateflicks.client.screen import Screen
    from dateflicks.settings.client import ClientSettings, ConsentSettings

    everything: Any = dict.fromkeys(("play", "pause", "stop", "seek"), part.consent)
    settings = ClientSettings(
        server=part.server,
        token=part.token,
        player="mpv",
        mpv_arguments=[f"--input-ipc-server={part.socket}", *_sound(part), *part.mpv_arguments],
        consent=ConsentSettings(**everything),
    )
    if part.sound_ppm:
        _detune(1 + part.sound_ppm * 1e-6)
    async with ServiceClient(part.server, token=part.token) as client, await Screen.open(settings) as screen:
        assert isinstance(screen.player, MpvPlayer)
        await screen.load(Film(part.film, part.film))
        evening = await Evening.attend(client, await client.session(part.session_id), screen, settings)
        evening.listen(_tell)
        say("ready", pid=screen.player.pid)
        watching = asyncio.create_task(evening.run())
        obeying = asyncio.create_task(_obey(evening))
        done, _ = await asyncio.wait({watching, obeying}, return_when=asyncio.FIRST_COMPLETED)
        evening.stop()
        await watching
        obeying.cancel()
        for task in done:
            task.result()


def _sound(part: Part) -> list[str]:
    return [f"--speed={1 + part.sound_ppm * 1e-6:.6f}"] if part.sound_ppm else []


def _detune(factor: float) -> None:
    """Let every speed that the player is told come out a little fast or slow, as a wrong quartz would."""
    from dateflicks.client.players.deck import Deck

    put = Deck.put

    def detuned(self: Deck, name: str, value: Any) -> "asyncio.Future[Any]":
        return put(self, name, round(value * factor, 6) if name == "speed" else value)

    Deck.put = detuned  # type: ignore[method-assign]  # the fault that is injected


def _tell(update: Any) -> None:
    from dateflicks.client.watching import LinkChanged, PlayerChanged, Told

    match update:
        case Told(frame=frame):
            say(
                "told",
                reason=frame.reason,
                revision=frame.revision,
                status=frame.status,
                rate=frame.rate,
                position=frame.current_position,
                waiting=frame.waiting_for,
                pending=frame.pending is not None,
            )
        case LinkChanged(is_open=is_open):
            say("line", is_open=is_open)
        case PlayerChanged(kind=kind, text=text):
            say("player", what=kind, text=text)


async def _obey(evening: Any) -> None:
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        words = json.loads(line)
        match words["do"]:
            case "play" | "pause" | "stop" as status:
                evening.watching.ask(status)
            case "seek":
                evening.watching.seek(words["to"])
            case "shift":  # the film is suddenly elsewhere than everybody believed
                evening.screen.player.trim += words["seconds"]
            case "quit":
                return


def main() -> None:
    """Play the part that is given as the only argument."""
    part = msgspec.json.decode(sys.argv[1].encode(), type=Part)
    falsify(part.offset_seconds, part.clock_ppm)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(play_part(part))


if __name__ == "__main__":
    main()
