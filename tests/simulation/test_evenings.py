"""Whatever befalls an evening, it ends in step: thousands of sessions in virtual time, each from one seed.

The first 250 are simulated in every run, the rest of two thousand in long ones. `DATEFLICKS_EVENINGS` sets how
many, all of them in every run (about 50 a second), `DATEFLICKS_EVENING` the first seed. A failure prints its seed with
the plan of its evening; `DATEFLICKS_EVENING=SEED DATEFLICKS_EVENINGS=1` plays it again.

What "in step" can mean. The promise is 5 ms between any two players 30 s after the last disturbance. It holds as it
stands where the clocks can be known: on lines with equal delays there and back, and no jitter. Elsewhere two things are
allowed for, and neither is chosen: both are computed for each person from what happened on their line.

- The invisible half. Of an exchange of two timestamps only the sum of its delays shows, so half of the difference
  between the smallest delay there and the smallest back looks exactly like an offset, to every protocol. With 500 ms of
  even jitter and the 40 exchanges of 30 s that is some 9 ms, on a line of 0 and 2 s it is a whole second.
- The skew that hides in jitter. 200 ppm move a clock by 6 ms in 30 s, half of the window in which a minimum is sought;
  nobody can tell that, or its absence, from a line whose delays vary by more. Allowed is that, and never more than half
  of the line's jitter.

Where the film stands, all must show the same frame: within 10 ms, a quarter of one.
"""

import os
from typing import Any, Final

import pytest

from dateflicks.client.follower import STILL_SECONDS
from dateflicks.core.clock import WINDOW_SECONDS
from tests.simulation.evening import CLOCK_PPM, Evening
from tests.simulation.world import Person, World

EVENINGS: Final = int(os.environ.get("DATEFLICKS_EVENINGS", "2000"))
FIRST: Final = int(os.environ.get("DATEFLICKS_EVENING", "0"))
BATCH: Final = 50
# Those that are asked for are all simulated.
EVERY_RUN: Final = EVENINGS if "DATEFLICKS_EVENINGS" in os.environ else 250
CALM_SECONDS: Final = 30.0
IN_STEP_SECONDS: Final = 0.005
SAME_FRAME_SECONDS: Final = STILL_SECONDS + 0.0001  # positions are told to a tenth of a millisecond
NEWS_SECONDS: Final = 10.0
BACK_TOLERANCE_SECONDS: Final = 0.010
HIDDEN_SECONDS: Final = CLOCK_PPM * 1e-6 * WINDOW_SECONDS / 2


def let_it_calm(evening: Evening) -> None:
    """Half a minute after the last disturbance; what the rules themselves do then (an end, a deadline) is one more."""
    world = evening.world
    world.run_until(evening.calm_from + CALM_SECONDS)
    while (pending := world.control.state.status.pending) is not None:
        world.run_until(world.now + max(0.0, pending.deadline - world.server_now) + CALM_SECONDS)
    while world.told_at > world.now - NEWS_SECONDS:
        world.run_until(world.told_at + CALM_SECONDS)


def cannot_know(world: World, one: Person) -> float:
    """What this person's clock may be wrong by through nobody's fault; see above."""
    return world.invisible(one) + min(HIDDEN_SECONDS, one.setup.line.jitter / 2)


def apart(world: World) -> list[str]:
    """Who is not in step with whom."""
    state = world.control.state
    moves = state.timeline.moves_at(world.server_now)
    people = list(world.people.values())
    wrong = []
    for one in people:
        told = one.viewer.timecode
        if told is None or told.revision != state.revision:
            wrong.append(f"{one.setup.name} does not know the newest revision")
    for index, one in enumerate(people):
        for other in people[:index]:
            distance = abs(world.position(one.setup.name) - world.position(other.setup.name))
            allowed = 2 * SAME_FRAME_SECONDS
            if moves:
                allowed = IN_STEP_SECONDS + cannot_know(world, one) + cannot_know(world, other)
            if distance > allowed:
                wrong.append(f"{one.setup.name} and {other.setup.name} are {distance:.4f} s apart, not {allowed:.4f}")
    return wrong


def thrown_back(world: World) -> list[str]:
    """Who was sent further back than they had run ahead of what was agreed, as far as their clock could tell."""
    return [
        f"{moved.at:.3f}: {moved.name} from {moved.origin:.3f} to {moved.target:.3f}, agreed was {moved.agreed:.3f}"
        for moved in world.moved_back
        if moved.target < moved.agreed - moved.clock_error - BACK_TOLERANCE_SECONDS
    ]


def batches() -> list[Any]:
    """The first seed of each batch; those beyond what every run simulates are for long ones."""
    firsts = range(FIRST, FIRST + EVENINGS, BATCH)
    return [pytest.param(first, marks=[pytest.mark.long] if first >= FIRST + EVERY_RUN else []) for first in firsts]


@pytest.mark.parametrize("first", batches())
def test_all_end_in_step_and_nothing_that_is_promised_is_broken_on_the_way(first: int) -> None:
    failures = []
    for seed in range(first, min(first + BATCH, FIRST + EVENINGS)):
        evening = Evening(seed)
        let_it_calm(evening)
        wrong = apart(evening.world) + thrown_back(evening.world) + evening.world.broken
        if wrong:
            failures.append("\n".join([str(evening), *wrong]))
    assert not failures, "\n\n".join(failures)


def test_an_evening_is_the_same_each_time() -> None:
    first, second = Evening(7), Evening(7)
    for evening in (first, second):
        let_it_calm(evening)
    assert first.world.events == second.world.events
    assert [one.commands for one in first.world.people.values()] == [
        one.commands for one in second.world.people.values()
    ]
