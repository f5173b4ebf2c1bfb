"""What the steps with the film share: two who agree, and what must then be seen of their players."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from dateflicks.cli.demo.measuring import FRAME_SECONDS, STAY_SECONDS
from dateflicks.cli.demo.people import Heard, Person, StepFailed
from dateflicks.cli.demo.story import Scene
from dateflicks.client.sentences import clock_text
from dateflicks.protocol.frames import TimecodeFrame

HEAR_SECONDS = 3.0
LOOK_SECONDS = 0.05
STEP_SECONDS = 8.0  # from the agreement to being in step, with the second that shows it
SETTLE_SECONDS = 2.0  # after a start; what is steered away by then is no drift
STAND_SECONDS = 3.0
SAME_PLACE_SECONDS = 0.1

Wanted = Callable[[TimecodeFrame], bool]


@dataclass(frozen=True, slots=True)
class InStep:
    """Since when both play within a frame of each other, where the host was then, and how far apart in the middle."""

    since: float
    position: float
    apart_ms: float


def is_asked(to: str | float) -> Wanted:
    """A predicate: this waits for an answer."""

    def asked(frame: TimecodeFrame) -> bool:
        wanted = None if frame.pending is None else frame.pending.to
        if isinstance(wanted, str) or isinstance(to, str):
            return wanted == to
        return wanted is not None and abs(wanted - to) < SAME_PLACE_SECONDS

    return asked


async def in_step(scene: Scene, after: float, *, within: float = STEP_SECONDS) -> InStep:
    """Wait until both have been in step for a second, and have come to it after the instant `after`.

    Raises StepFailed.
    """
    eyes = scene.eyes
    deadline = max(time.monotonic(), after) + within + STAY_SECONDS
    while (since := eyes.in_step_since(after)) is None:
        if time.monotonic() > deadline:
            seen = eyes.apart(deadline - STAY_SECONDS)
            last = f"{abs(1000 * seen[-1].seconds):.0f} ms apart at the end" if seen else "not seen to play"
            raise StepFailed(f"not in step within {within:g} s: {last}")
        await asyncio.sleep(LOOK_SECONDS)
    seen = eyes.apart(since)
    return InStep(since, seen[0].host, 1000 * median(abs(each.seconds) for each in seen))


@dataclass(frozen=True, slots=True)
class Standing:
    """Where both stand."""

    position: float

    def __str__(self) -> str:
        return f"at {clock_text(self.position)}, on one picture"


async def stand_together(scene: Scene) -> Standing:
    """Where both stand, on one picture. Raises StepFailed."""
    deadline, where = time.monotonic() + STAND_SECONDS, None
    while time.monotonic() < deadline:
        where = await scene.eyes.stand()
        if where is not None and abs(where[0] - where[1]) < FRAME_SECONDS / 2:
            return Standing(where[0])
        await asyncio.sleep(LOOK_SECONDS)
    if where is None:
        raise StepFailed("a player plays that should stand")
    raise StepFailed(f"the players stand {1000 * abs(where[0] - where[1]):.0f} ms apart")


async def agree(asker: Person, other: Person, to: str | float) -> Heard:
    """One asks, the other is asked and agrees; what the asker hears then. Raises StepFailed."""
    seen, theirs = len(asker.heard), len(other.heard)
    ask(asker, to)
    await other.hears(f"that {asker.name} asks for {to}", is_asked(to), seconds=HEAR_SECONDS, since=theirs)
    other.agree()
    return await asker.hears(
        f"that {other.name} agrees to {to}",
        lambda frame: frame.pending is None and (not isinstance(to, str) or frame.status == to),
        seconds=HEAR_SECONDS,
        since=seen,
    )


def ask(person: Person, to: str | float) -> None:
    """Say it."""
    match to:
        case "play":
            person.play()
        case "pause":
            person.pause()
        case "stop":
            person.stop()
        case float():
            person.seek(to)


async def ensure_playing(scene: Scene) -> None:
    """Whatever a step before this one has left behind: from here on both play in step. Raises StepFailed."""
    host, guest = scene.host, scene.guest
    frame = host.frame
    if frame is not None and frame.pending is not None:
        host.refuse()
        await host.hears("that nothing is pending", lambda told: told.pending is None, seconds=HEAR_SECONDS)
    now = time.monotonic()
    if host.frame is None or host.frame.status != "play":
        await agree(host, guest, "play")
        await in_step(scene, now)
        scene.eyes.settled(now + SETTLE_SECONDS)
    else:
        await in_step(scene, now - STAY_SECONDS)
