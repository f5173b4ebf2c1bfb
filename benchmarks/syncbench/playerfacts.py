"""What a real mpv does, beside what the simulated player of `dateflicks.client.players.physics` is built from.

Every constant of the model is measured on a player that plays the bench's film to nobody, mostly past the player's own
estimates by an observer's readings of `audio-pts`. "Times off" is the larger of the two over the smaller; of less than
0.3 ms nobody cares. How long a seek takes depends on the film, and is measured on one like people's, large and
with a key frame each five seconds; the bench's own small one is sought through several times as fast.
"""

import asyncio
import random
import shutil
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

from benchmarks.kernel import frozen
from benchmarks.syncbench.ear import PROGRAMS, Ear, make_click_film
from benchmarks.syncbench.figures import Target, percentile
from benchmarks.syncbench.films import encoded
from benchmarks.syncbench.heard import compared
from benchmarks.syncbench.looking import Look
from benchmarks.syncbench.room import Setting
from dateflicks.cli.demo.measuring import Reading, Track
from dateflicks.client.follower import CLAMP
from dateflicks.client.players import physics
from dateflicks.client.players.base import Stalled
from dateflicks.client.players.mpv import MpvPlayer
from dateflicks.client.players.mpv_ipc import connect_path
from dateflicks.client.players.process import MpvOptions

TIMES: Final = 3.0  # a model that is off by more would be another player
SEEK_TIMES: Final = 5.0  # depends on the film as much as on the player
LEAST_MS: Final = 0.3
STARTS: Final = 10
SEEKS: Final = 10
SPEEDS: Final = 6  # up and down in turn
STALLS: Final = 3
NOISE_LOOKS: Final = 120
LINE_READINGS: Final = 4
EVEN: Final = 0.8  # of what is drawn evenly, so much is between the 10th and the 90th percentile
FAST: Final = 1.0 + CLAMP

MODEL_MS: Final[dict[str, float]] = {
    "start late": 1000 * physics.START_LATENCY_SECONDS,
    "start spread": 1000 * EVEN * physics.START_JITTER_SECONDS,
    "pause late": 0.0,
    "seek dead time": 1000 * physics.SEEK_SECONDS,
    "seek spread": 1000 * EVEN * physics.SEEK_JITTER_SECONDS,
    "speed dead time reported": 1000 * physics.SPEED_DEAD_SECONDS,
    "speed dead time heard": 1000 * physics.SPEED_DEAD_SECONDS,
    "steady after a start": 1000 * physics.SETTLE_SECONDS,
    "steady after a seek": 1000 * physics.SETTLE_SECONDS,
    "noise": 1000 * physics.NOISE_SECONDS,
    "stall noticed after": 1000 * physics.NOTICE_SECONDS,
}


def _times_off(name: str) -> str:
    return f"{name}, times off"


TARGETS: Final = tuple(
    Target(
        _times_off(name),
        "times",
        SEEK_TIMES if name in ("seek dead time", "seek spread") else TIMES,
        known=f"model {model:g} ms",
    )
    for name, model in MODEL_MS.items()
)


def times_off(measured_ms: float, model_ms: float) -> float:
    """By what factor two figures differ, either way; differences below `LEAST_MS` are none."""
    one, other = max(abs(measured_ms), LEAST_MS), max(abs(model_ms), LEAST_MS)
    return max(one, other) / min(one, other)


async def player_facts(setting: Setting, _: float) -> dict[str, float | None]:
    """Each fact in milliseconds, and how far the model is off."""
    figures: dict[str, float | None] = {}
    async with _subject(MpvOptions(null_outputs=True, named_socket=True), setting.film) as subject:
        for work in (_starts_and_pauses, _speeds, _noise, _echoes, _seeks, _stalls):
            figures |= await work(subject)
    figures["seek dead time, small film"] = figures["seek dead time"]
    with tempfile.TemporaryDirectory(prefix="dateflicks-large-") as folder:
        film = await _large_film(Path(folder) / "large.mkv")
        async with _subject(MpvOptions(null_outputs=True, named_socket=True), film) as subject:
            figures |= await _seeks(subject)
    if all(shutil.which(program) for program in PROGRAMS):
        figures["speed dead time heard"] = await _speed_heard()
    for name, model in MODEL_MS.items():
        measured = figures.get(name)
        figures[_times_off(name)] = None if measured is None else times_off(measured, model)
    return figures


@dataclass(frozen=True, slots=True)
class Subject:
    """A player with a film, and an observer's readings of it."""

    player: MpvPlayer
    track: Track
    path: Path
    length: float

    async def steady(self, *, moving: bool) -> float:
        """The instant from which the player knows well where it is."""
        deadline = time.monotonic() + 5.0
        while (now := time.monotonic()) < deadline:
            head = self.player.playhead(now)
            if head is not None and head.steady and (head.rate > 0) == moving:
                return now
            await asyncio.sleep(0.002)
        raise RuntimeError("the player does not know where it is")

    async def play(self) -> None:
        """Play, and let everything settle."""
        await self.player.play_at(time.monotonic() + 0.1)
        await asyncio.sleep(1.5)

    def line(self, start: float, end: float, speed: float = 1.0) -> float:
        """Where a film at this speed would have been at instant 0, by the readings between two instants."""
        return _line(self.track, start, end, speed)


def _line(track: Track, start: float, end: float, speed: float) -> float:
    readings = track.since(start, end)
    if len(readings) < LINE_READINGS:
        raise RuntimeError("the player could not be looked at")
    return median(one.position - speed * one.at for one in readings)


@asynccontextmanager
async def _subject(options: MpvOptions, film: Path) -> AsyncIterator[Subject]:
    player = await MpvPlayer.start(options)
    assert player.socket_path is not None
    look = Look(player.socket_path)
    looking = asyncio.create_task(look.read())
    try:
        length = await player.load(str(film))
        yield Subject(player, look.track, player.socket_path, length)
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
        await player.close()


def _spread(values: list[float]) -> float:
    return percentile(values, 0.9) - percentile(values, 0.1)


async def _starts_and_pauses(subject: Subject) -> dict[str, float | None]:
    player = subject.player
    late, steady, paused = [], [], []
    await subject.play()
    for _ in range(STARTS):
        asked = time.monotonic()
        before = subject.line(asked - 0.5, asked)
        await player.pause()
        await asyncio.sleep(0.4)
        stands = median(one.position for one in subject.track.since(asked + 0.2))
        paused.append(stands - (asked + before))
        moment = time.monotonic() + 0.2
        await player.play_at(moment)
        steady.append(await subject.steady(moving=True) - moment)
        await asyncio.sleep(max(moment + 1.0 - time.monotonic(), 0.0))
        late.append(stands - subject.line(moment + 0.4, moment + 1.0) - moment)
    return {
        "start late": 1000 * median(late),
        "start spread": 1000 * _spread(late),
        "start latency made up for": 1000 * player.start_latency,
        "steady after a start": 1000 * median(steady),
        "pause late": 1000 * median(paused),
        "pause spread": 1000 * _spread(paused),
    }


async def _large_film(path: Path) -> Path:
    return await encoded(
        path,
        *("-f", "lavfi", "-i", "testsrc2=size=1280x720:rate=25"),
        *("-f", "lavfi", "-i", "sine=frequency=330:sample_rate=48000", "-t", "60", "-g", "125", "-c:a", "aac"),
    )


async def _seeks(subject: Subject) -> dict[str, float | None]:
    chance = random.Random(1)
    dead, took, steady = [], [], []
    await subject.play()
    for _ in range(SEEKS):
        asked, target = time.monotonic(), chance.uniform(1.0, subject.length - 20.0)
        await subject.player.seek(target)
        took.append(time.monotonic() - asked)
        settled = await subject.steady(moving=True)
        await asyncio.sleep(1.0)
        now = time.monotonic()
        dead.append(target - subject.line(now - 0.5, now) - asked)
        steady.append(settled - asked - dead[-1])
    return {
        "seek told ended after": 1000 * median(took),
        "seek dead time": 1000 * median(dead),
        "seek spread": 1000 * _spread(dead) / 2,  # either way
        "steady after a seek": 1000 * median(steady),
    }


async def _speeds(subject: Subject) -> dict[str, float | None]:
    dead = []
    before = 1.0
    for number in range(SPEEDS):
        speed = before + 1.0 - FAST if number % 2 else FAST
        asked = time.monotonic()
        line = subject.line(asked - 0.8, asked, before)
        await subject.player.set_speed(round(speed, 4))
        await asyncio.sleep(1.6)
        dead.append((line - subject.line(asked + 0.7, asked + 1.6, speed)) / (speed - before) - asked)
        before = speed
    return {"speed dead time reported": 1000 * median(dead)}


async def _speed_heard() -> float:
    """The same by clicks: when does another speed come out of the sound's device?"""
    changes = []
    with tempfile.TemporaryDirectory(prefix="dateflicks-clicks-") as folder:
        film = await make_click_film(Path(folder) / "clicks.mkv", 40.0)
        async with Ear() as ear:
            options = MpvOptions(null_outputs=True, named_socket=True, arguments=ear.mpv_arguments)
            async with _subject(options, film) as subject:
                await subject.play()
                await asyncio.sleep(2.0)  # the sound server finds out about its delay
                began = time.monotonic()
                await asyncio.sleep(6.0)
                for number in range(SPEEDS):
                    changes.append((time.monotonic(), 1.0 if number % 2 else FAST))
                    await subject.player.set_speed(changes[-1][1])
                    await asyncio.sleep(3.0)
    sound = Track()
    for click in compared(subject.track, ear.clicks(), began):
        sound.add(Reading(click.film, click.at))
    dead = []
    before = 1.0
    for asked, speed in changes:
        line = _line(sound, asked - 1.5, asked, before)
        dead.append((line - _line(sound, asked + 0.8, asked + 2.9, speed)) / (speed - before) - asked)
        before = speed
    return 1000 * median(dead)


async def _noise(subject: Subject) -> dict[str, float | None]:
    """How far the player's own estimate is from the line through all that the observer saw."""
    await asyncio.sleep(1.0)
    found = []
    start = time.monotonic()
    for _ in range(NOISE_LOOKS):
        await asyncio.sleep(0.05)
        now = time.monotonic()
        if (head := subject.player.playhead(now)) is not None:
            found.append(head.carried(now) - now)
    line = subject.line(start, time.monotonic())
    return {
        "noise": 1000 * 1.4826 * median(abs(one - line) for one in found),
        "noise p99": 1000 * percentile([abs(one - line) for one in found], 0.99),
    }


async def _echoes(subject: Subject) -> dict[str, float | None]:
    """What mpv says while it seeks: how far from the target is that, and how far is where it ends?"""
    await subject.player.pause()
    await asyncio.sleep(0.3)
    ipc = await connect_path(subject.path, lambda _: None, lambda _: None)
    echoed, landed = [], []
    try:
        for number in range(SEEKS):
            target = 20.017 + 13.0 * number  # between two pictures
            before = float(await ipc.get("time-pos"))
            seeking = asyncio.create_task(subject.player.seek(target))
            await asyncio.sleep(0)
            while not seeking.done():
                told = float(await ipc.get("time-pos"))
                if told != before and not seeking.done():
                    echoed.append(abs(told - target))
                    break
            await seeking
            landed.append(abs(float(await ipc.get("time-pos")) - target))
    finally:
        ipc.close()
    return {
        "first echo from the target": 1000 * median(echoed) if echoed else None,
        "picture from the target": 1000 * median(landed),
    }


async def _stalls(subject: Subject) -> dict[str, float | None]:
    noticed = []
    assert subject.player.pid is not None
    for _ in range(STALLS):
        await subject.play()
        stopped = time.monotonic()
        with frozen(subject.player.pid):
            async with asyncio.timeout(3.0):
                while not isinstance(event := await subject.player.next_event(), Stalled):
                    pass
            noticed.append(event.at - stopped)
        await asyncio.sleep(1.0)
        await subject.player.pause()
        await asyncio.sleep(0.5)
    return {"stall noticed after": 1000 * median(noticed)}
