"""What is heard against what is reported: does `audio-pts` still tell the truth after hundreds of speed changes?

A film of clicks is played at speeds as the follower sets them, and recorded. At the instant of each click the player
reports a position; how far that is from the click's own film time is a constant (the sound's way into the recording),
and ought to stay one. A player at whose speed nobody turns shows whether the recording itself is even; one that keeps
the pitch with `scaletempo2`, which this project does not use, shows that a walk would be seen.
"""

import asyncio
import math
import random
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

from benchmarks.syncbench.ear import CLICK_EVERY_SECONDS, Ear, make_click_film
from benchmarks.syncbench.figures import Target, percentile
from benchmarks.syncbench.looking import Look
from benchmarks.syncbench.room import Setting
from dateflicks.cli.demo.measuring import Track
from dateflicks.client.follower import CLAMP, DONE_SECONDS, GAIN
from dateflicks.client.players.mpv import MpvPlayer
from dateflicks.client.players.process import MpvOptions

CHANGE_EVERY_SECONDS: Final = 0.4
SETTLE_SECONDS: Final = 3.0  # the sound server's own estimate of its delay needs some seconds to be good
REST_SECONDS: Final = 6.0
UNDER_WAY_SECONDS: Final = 1.0  # by then what was written at an earlier speed has been heard
ERROR_MAX_SECONDS: Final = 0.150  # beyond this the follower holds or seeks
GAP_SECONDS: Final = 0.1  # a place between two readings is none when the speed has changed between them
RUNNING: Final = 20  # clicks, five seconds of them: more than a speed change is under way, so what stays is seen
EVEN_MS: Final = 2.0  # a recording that moves by more, while nothing changes, proves nothing
SCALETEMPO2: Final = ("--audio-pitch-correction=yes", "--af=scaletempo2")

TARGETS: Final = (
    Target("moves", "ms", 10.0, 5.0),
    Target("walks", "ms", 10.0, 5.0),
)


class InaudibleError(RuntimeError):
    """The machine was too busy: too few clicks were heard while the player could be looked at."""


@dataclass(frozen=True, slots=True)
class Click:
    """One click: its film time, when it was heard, and by how many milliseconds of film the report was ahead then."""

    film: float
    at: float
    ahead_ms: float


@dataclass(frozen=True, slots=True)
class Heard:
    """One playing: by how many milliseconds the report was ahead of each click, beside its mean, before and after."""

    before: list[float]
    during: list[float]
    after: list[float]
    uneven_ms: float  # the recording itself

    @property
    def moves(self) -> float:
        """How far the running median went, through all of it."""
        running = running_medians([*self.before, *self.during, *self.after])
        return max(running) - min(running)

    @property
    def walks(self) -> float:
        """How far from the rest before the changes the rest after them is."""
        return abs(median(self.after) - median(self.before))

    @property
    def unrest(self) -> float:
        """How far single clicks are apart while nothing changes: what is beyond our doing."""
        return max(max(rest) - min(rest) for rest in (self.before, self.after))

    @property
    def passing(self) -> float:
        """The 95th percentile of what passes: how far a single click is from the rest before."""
        rest = median(self.before)
        return percentile([abs(one - rest) for one in self.during], 0.95)


async def heard(setting: Setting, seconds: float) -> dict[str, float | None]:
    """Three play at once: steered, left alone, and steered with the pitch kept."""
    changes = max(round(seconds / CHANGE_EVERY_SECONDS), 1)
    with tempfile.TemporaryDirectory(prefix="dateflicks-clicks-") as folder:
        film = await make_click_film(Path(folder) / "clicks.mkv", 1.05 * seconds + 2 * REST_SECONDS + 20.0)
        found = await asyncio.gather(
            listen(film, changes, seed=setting.seed),
            listen(film, changes, seed=None),
            listen(film, changes, seed=setting.seed, arguments=SCALETEMPO2),
            return_exceptions=True,
        )
    for one in found:
        if isinstance(one, BaseException) and not isinstance(one, InaudibleError):
            raise one
    if any(isinstance(one, InaudibleError) for one in found):
        return {"moves": math.nan, "walks": math.nan}
    steered, alone, kept = [one for one in found if isinstance(one, Heard)]
    uneven = max(alone.moves, steered.uneven_ms)
    is_even = uneven <= EVEN_MS
    return {
        "moves": steered.moves if is_even else math.nan,
        "walks": steered.walks if is_even else math.nan,
        "passing p95": steered.passing,
        "moves when left alone": alone.moves,
        "recording uneven": uneven,
        "moves with scaletempo2": kept.moves,
        "changes": float(changes),
    }


async def listen(
    film: Path,
    changes: int,
    *,
    seed: int | None,
    settle: float = SETTLE_SECONDS,
    rest: float = REST_SECONDS,
    every: float = CHANGE_EVERY_SECONDS,
    arguments: Sequence[str] = (),
) -> Heard:
    """Play at `changes` speeds (all of them 1 without a seed), and rest before and after."""
    async with Ear() as ear:
        options = MpvOptions(null_outputs=True, named_socket=True, arguments=(*ear.mpv_arguments, *arguments))
        player = await MpvPlayer.start(options)
        assert player.socket_path is not None
        look = Look(player.socket_path)
        looking = asyncio.create_task(look.read())
        try:
            await player.load(str(film))
            await player.play_at(time.monotonic() + 0.2)
            await asyncio.sleep(0.2 + settle)
            began = time.monotonic()
            await asyncio.sleep(rest)
            first = time.monotonic()
            speeds = follower_speeds(random.Random(seed))
            for number in range(1, changes + 1):
                await player.set_speed(1.0 if seed is None or number == changes else next(speeds))
                await asyncio.sleep(max(first + number * every - time.monotonic(), 0.0))
            last = time.monotonic()
            await asyncio.sleep(UNDER_WAY_SECONDS + rest)
        finally:
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)
            await player.close()
    clicks = compared(look.track, ear.clicks(), began)
    found = Heard(
        before=[click.ahead_ms for click in clicks if click.at <= first - GAP_SECONDS],
        during=[click.ahead_ms for click in clicks if first < click.at <= last],
        after=[click.ahead_ms for click in clicks if click.at > last + UNDER_WAY_SECONDS],
        uneven_ms=ear.uneven_ms(),
    )
    if not (found.before and found.during and found.after):
        raise InaudibleError("no clicks were heard before the changes, during them or after them")
    return found


def follower_speeds(chance: random.Random) -> Iterator[float]:
    """The speeds by which the follower steers one error after the other away; each is another than the one before."""
    while True:
        error = chance.choice((-1, 1)) * chance.uniform(0.010, ERROR_MAX_SECONDS)
        before = 1.0
        while abs(error) > DONE_SECONDS:
            speed = round(1.0 + min(max(GAIN * error, -CLAMP), CLAMP), 4)
            if speed != before:
                yield speed
            before = speed
            error -= (speed - 1.0) * CHANGE_EVERY_SECONDS
        yield 1.0


def compared(track: Track, recorded: Sequence[float], start: float) -> list[Click]:
    """The clicks that were recorded from `start` on, beside what the player reported when they were heard.

    The recording is late by a constant; it is found at the beginning and taken off, as at another speed it would be
    another piece of film.
    """
    late = 0.0
    for _ in range(2):
        found = []
        for at in recorded:
            reported = track.at(at - late) if at >= start else None
            if reported is not None:
                film = round(reported / CLICK_EVERY_SECONDS) * CLICK_EVERY_SECONDS
                found.append(Click(film, at - late, 1000 * (reported - film)))
        if len(found) < RUNNING:
            raise InaudibleError(f"only {len(found)} clicks were heard at a known place")
        late += median(click.ahead_ms for click in found[:RUNNING]) / 1000
    return found


def running_medians(values: Sequence[float]) -> list[float]:
    """The median of each `RUNNING` values in a row, or of all when there are not so many."""
    return [median(values[i : i + RUNNING]) for i in range(max(len(values) - RUNNING, 0) + 1)]
