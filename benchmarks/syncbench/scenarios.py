"""The scenarios: each puts two players into a situation, looks from outside, and gives its figures.

A figure is in the unit of its target; None means that it could not be measured, which counts as missed.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from typing import Final

from benchmarks.syncbench.control import control
from benchmarks.syncbench.figures import Target, percentile
from benchmarks.syncbench.heard import TARGETS as HEARD_TARGETS
from benchmarks.syncbench.heard import heard
from benchmarks.syncbench.measurement import Figures, Measurement, series
from benchmarks.syncbench.playerfacts import TARGETS as PLAYER_TARGETS
from benchmarks.syncbench.playerfacts import player_facts
from benchmarks.syncbench.room import Room, Setting, room
from benchmarks.syncbench.syncplay import SyncplayRoom, syncplay_room
from dateflicks.client.relay import Delay, Line

FRAME_SECONDS: Final = 0.040
WARM_UP_SECONDS: Final = 20.0
CALM_SECONDS: Final = 250.0  # the clocks are known by then, and asked about more rarely
STARTS: Final = 10
PAUSES: Final = 12

SAME: Final = ""  # nothing speaks against doing the same with Syncplay

AnyRoom = Room | SyncplayRoom
Work = Callable[[Setting, float], Awaitable[Figures | Measurement]]


@dataclass(frozen=True, slots=True)
class Scenario:
    """One situation.

    `seconds` is how long it measures unless told otherwise, `no_syncplay` why Syncplay cannot be put into it.
    """

    name: str
    summary: str
    work: Work
    targets: tuple[Target, ...]
    seconds: float = 40.0
    no_syncplay: str = "it is about our own programs only"


def opened(setting: Setting) -> AbstractAsyncContextManager[AnyRoom]:
    """A room of ours, or of Syncplay's."""
    return syncplay_room(setting) if setting.by == "syncplay" else room(setting)


# --- in step for long -------------------------------------------------------------------------------------------


def _milliseconds(observer_room: AnyRoom, start: float) -> list[float]:
    return [1000 * abs(one.seconds) for one in observer_room.observer.apart(start)]


async def steady(setting: Setting, seconds: float) -> Measurement:
    """Both play and nobody does anything."""
    async with opened(setting) as here:
        await here.play()
        await asyncio.sleep(WARM_UP_SECONDS)
        start = time.monotonic()
        await asyncio.sleep(seconds)
        end = time.monotonic()
        found = _milliseconds(here, start)
        looks = (here.observer.host, here.observer.guest)
        exact = [sum(t for t, value in look.values("speed", start, end) if value == 1.0) for look in looks]
        jumps = sum(look.count("seeking", True, start, end) + look.count("pause", True, start, end) for look in looks)
        figures: Figures = {
            "drift p50": percentile(found, 0.5),
            "drift p95": percentile(found, 0.95),
            "drift p99": percentile(found, 0.99),
            "progress": min(look.track.pace(start, end) for look in looks),
            "at exactly 1.0": 100 * min(exact) / (end - start),
            "seeks and holds": float(jumps),
        }
        return Measurement(figures, series(here.observer, start, end))


def _line(line: Line) -> Work:
    async def work(setting: Setting, seconds: float) -> Measurement:
        return await steady(replace(setting, host_line=line, guest_line=line), seconds)

    return work


async def asymmetric(setting: Setting, seconds: float) -> Measurement:
    """The guest's line is quick one way and slow the other, the host's is not."""
    uneven = Line(Delay(0.020, 0.0), Delay(0.300, 0.050))
    return await steady(replace(setting, guest_line=uneven), seconds)


async def quartz(setting: Setting, seconds: float) -> Measurement:
    """The sound of one runs 400 millionths faster than that of the other."""
    return await steady(replace(setting, sound_ppm=400.0), seconds)


async def idle(setting: Setting, seconds: float) -> Figures:
    """What travels while both only watch."""
    async with opened(setting) as here:
        await here.play()
        await asyncio.sleep(CALM_SECONDS)
        assert here.relays is not None
        before = [relay.bytes_there + relay.bytes_back for relay in here.relays]
        start = time.monotonic()
        await asyncio.sleep(seconds)
        took = time.monotonic() - start
        after = [relay.bytes_there + relay.bytes_back for relay in here.relays]
        return {"bytes": max((late - early) / took for early, late in zip(before, after, strict=True))}


# --- starting and stopping --------------------------------------------------------------------------------------


async def starts(setting: Setting, _: float) -> Figures:
    """Play and pause in turn: how far apart are they just after each start, before anybody is steered?"""
    async with opened(setting) as here:
        apart: list[float] = []
        await asyncio.sleep(2.0)  # the clocks
        for _number in range(STARTS):
            await here.play()
            await asyncio.sleep(1.2)
            began = _began(here)
            found = [abs(one.seconds) for one in here.observer.apart(began + 0.1, began + 0.5)]
            apart.append(1000 * percentile(found, 0.5))
            await here.pause()
            await asyncio.sleep(0.8)
        return {"apart p50": percentile(apart, 0.5), "apart max": max(apart)}


def _began(here: AnyRoom) -> float:
    """When the later of the two was last unpaused."""
    return max(
        max(change.at for change in look.changes if change.name == "pause" and change.value is False)
        for look in (here.observer.host, here.observer.guest)
    )


async def pauses(setting: Setting, _: float) -> Figures:
    """A key is pressed in one player: when does the other stand, and on which picture?"""
    async with opened(setting) as here:
        took: list[float] = []
        frames: list[float] = []
        for number in range(PAUSES):
            await here.play()
            await asyncio.sleep(2.0 + 0.13 * number % 0.7)
            presser, other = (here.observer.host, here.observer.guest)[:: 1 if number % 2 else -1]
            pressed = await presser.press("SPACE")
            await asyncio.sleep(1.2)
            stood = [one.at for one in other.changes if one.name == "pause" and one.value is True and one.at > pressed]
            took.append(1000 * (stood[0] - pressed) if stood else float("inf"))
            frames.append(1000 * await _pictures_apart(here))
        return {"until still p50": percentile(took, 0.5), "until still max": max(took), "pictures apart": max(frames)}


async def _pictures_apart(here: AnyRoom) -> float:
    places = []
    for look in (here.observer.host, here.observer.guest):
        assert look.ipc is not None
        places.append(float(await look.ipc.get("time-pos")))
    return abs(places[0] - places[1])


# --- being elsewhere --------------------------------------------------------------------------------------------


async def apart_by_half(setting: Setting, _: float) -> Measurement:
    """The guest turns out to be half a second behind, then ahead."""
    async with opened(setting) as here:
        await here.play()
        start = time.monotonic()
        found = [await _shifted(here, 0.5), await _shifted(here, -0.5)]
        return Measurement({"to a frame": _worst([one[1] for one in found])}, series(here.observer, start))


async def apart_by_five(setting: Setting, _: float) -> Measurement:
    """The guest turns out to be five seconds ahead of everybody."""
    async with opened(setting) as here:
        await here.play()
        start = time.monotonic()
        to_100, to_frame = await _shifted(here, -5.0)
        return Measurement({"to 100 ms": to_100, "to a frame": to_frame}, series(here.observer, start))


async def _shifted(here: AnyRoom, seconds: float) -> tuple[float | None, float | None]:
    """How long after the guest was so far behind both were within 100 ms for good, and within a frame."""
    since = await here.put_apart(seconds)
    await asyncio.sleep(0.3)
    to_frame = await here.observer.within(FRAME_SECONDS, since)
    readings = here.observer.apart(since)
    to_100 = next(
        (one.at for one in readings if all(abs(late.seconds) <= 0.1 for late in readings if late.at >= one.at)), None
    )
    return (None if to_100 is None else to_100 - since), to_frame


def _worst(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return max(known) if len(known) == len(values) else None


# --- accidents --------------------------------------------------------------------------------------------------


def freeze(frozen_seconds: float) -> Work:
    """The guest's player does nothing for a while."""

    async def work(setting: Setting, _: float) -> Measurement:
        async with opened(setting) as here:
            await here.play()
            start = time.monotonic()
            await asyncio.sleep(8.0)
            since = time.monotonic()
            with here.guest.frozen():
                await asyncio.sleep(frozen_seconds)
            woke = time.monotonic()
            to_frame = await here.observer.within(FRAME_SECONDS, woke)
            back = here.observer.host.track.fell_back(since, time.monotonic())
            return Measurement({"host moved back": back, "to a frame": to_frame}, series(here.observer, start))

    return work


async def kill(setting: Setting, _: float) -> Measurement:
    """The services are killed during play, and come back three seconds later."""
    async with opened(setting) as here:
        await here.play()
        start = time.monotonic()
        await asyncio.sleep(8.0)
        killed = time.monotonic()
        await here.kill_service()
        await asyncio.sleep(3.0)
        looks = (here.observer.host, here.observer.guest)
        pace = min(look.track.pace(killed + 0.3, time.monotonic()) for look in looks)
        returned = await here.restart_service()
        to_frame = await here.observer.within(FRAME_SECONDS, returned, stay=2.0)
        back = max(look.track.fell_back(killed, time.monotonic()) for look in looks)
        figures: Figures = {"pace meanwhile": pace, "to a frame": to_frame, "moved back": back}
        return Measurement(figures, series(here.observer, start))


# --- all of them ------------------------------------------------------------------------------------------------

SCENARIOS: Final[dict[str, Scenario]] = {
    one.name: one
    for one in (
        Scenario(
            "steady",
            "steady play on loopback",
            steady,
            (
                Target("drift p95", "ms", 3.0, 0.8, known="Syncplay 110"),
                Target("progress", "x", 0.9995, 0.9999, is_floor=True, known="1.00000"),
                Target("at exactly 1.0", "%", 90.0, 97.0, is_floor=True, known="97-100"),
                Target("seeks and holds", "", 0.0, 0.0, known="0"),
            ),
            60.0,
            no_syncplay=SAME,
        ),
        Scenario(
            "line-100",
            "100 ± 40 ms each way",
            _line(Line.same(0.100, 0.040)),
            (
                Target("drift p95", "ms", 8.0, 4.0, known="Syncplay 367"),
                Target("drift p99", "ms", 15.0, 6.0),
            ),
            90.0,
            no_syncplay=SAME,
        ),
        Scenario(
            "line-150",
            "150 ms each way with 50 ms of jitter",
            _line(Line.same(0.150, 0.050)),
            (Target("drift p95", "ms", 12.0, 6.0, known="Syncplay 200-320"),),
            90.0,
            no_syncplay=SAME,
        ),
        Scenario(
            "asymmetric",
            "20 ms there, 300 ± 50 ms back",
            asymmetric,
            (Target("drift p95", "ms", 150.0, known="Syncplay 400"),),
            60.0,
            no_syncplay=SAME,
        ),
        Scenario(
            "quartz",
            "sounds 400 ppm apart",
            quartz,
            (Target("drift p95", "ms", 6.0, 3.0, known="2.8"),),
            60.0,
            no_syncplay="it sets the speed of its players itself, so no other clock can be put under them",
        ),
        Scenario(
            "starts",
            "scheduled start and resume",
            starts,
            (Target("apart max", "ms", 5.0, 2.0, known="0.3-1.3"),),
            no_syncplay=SAME,
        ),
        Scenario(
            "pauses",
            "pause pressed until the partner's player stands",
            pauses,
            (
                Target("until still max", "ms", 50.0, 20.0, known="Syncplay 230-281"),
                Target("pictures apart", "ms", 39.9),
            ),
            no_syncplay=SAME,
        ),
        Scenario(
            "apart-0.5",
            "0.5 s apart",
            apart_by_half,
            (Target("to a frame", "s", 3.0, 2.0, known="Syncplay never"),),
            no_syncplay=SAME,
        ),
        Scenario(
            "apart-5",
            "5 s apart",
            apart_by_five,
            (
                Target("to 100 ms", "s", 2.0, 1.5, known="1.3"),
                Target("to a frame", "s", 6.0, 2.0, known="1.3-4.2"),
            ),
            no_syncplay="a jump by five seconds is a seek to it, which takes everybody along",
        ),
        Scenario(
            "freeze-3",
            "the guest's mpv frozen for 3 s",
            freeze(3.0),
            (
                Target("host moved back", "s", 1.0, 0.6, known="Syncplay 2.96"),
                Target("to a frame", "s", 5.0, 3.0),
            ),
            no_syncplay=SAME,
        ),
        Scenario(
            "freeze-6",
            "the guest's mpv frozen for 6 s",
            freeze(6.0),
            (
                Target("host moved back", "s", 1.0, 0.6, known="Syncplay 5.9"),
                Target("to a frame", "s", 5.0, 3.0),
            ),
            no_syncplay=SAME,
        ),
        Scenario(
            "kill",
            "services killed and restarted in play",
            kill,
            (
                Target("to a frame", "s", 3.0, 1.0, known="Syncplay 12.5 to notice"),
                Target("pace meanwhile", "x", 0.99, is_floor=True),
                Target("moved back", "s", 0.2),
            ),
            no_syncplay=SAME,
        ),
        Scenario(
            "idle",
            "bytes per idle playing person, both ways",
            idle,
            (Target("bytes", "B/s", 250.0, 150.0, known="Syncplay 420"),),
            no_syncplay=SAME,
        ),
        Scenario(
            "heard",
            "what is heard against what is reported, over speed changes",
            heard,
            HEARD_TARGETS,
            80.0,
        ),
        Scenario(
            "player",
            "what a real player does, beside the model of it",
            player_facts,
            PLAYER_TARGETS,
        ),
        Scenario(
            "control",
            "the minimum rule taken literally: must do badly",
            control,
            (Target("progress", "x", 0.5, known="0.07"),),
            20.0,
        ),
    )
}
