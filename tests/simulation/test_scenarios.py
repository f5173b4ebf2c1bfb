"""Named scenes with the figures that playback in step is held to, in virtual time.

The clients' clocks are false as in the benchmark (+1,000 s and +40 ppm, −500 s and −30 ppm). Figures are of the model,
not of mpv: what they show is that the rules and the follower leave room for a real player's faults.
"""

from collections.abc import Callable
from typing import Final

import pytest

from dateflicks.client.follower import Hold, SeekTo
from dateflicks.core.playback import Reason, Status
from tests.simulation.world import Line, Setup, World

FRAME_SECONDS: Final = 0.040
STEP_SECONDS: Final = 0.020  # how often an observer looks
BEGUN: Final = 10.0

LOOPBACK: Final = Line()
FAR: Final = Line(0.060, 0.060, jitter=0.080)  # 100 ± 40 ms each way
FARTHER: Final = Line(0.150, 0.150, jitter=0.050)
LINES: Final = pytest.mark.parametrize("line", [LOOPBACK, FAR, FARTHER], ids=["loopback", "far", "farther"])
SEEDS: Final = pytest.mark.parametrize(
    "seed", [0, 1, *(pytest.param(one, marks=pytest.mark.long) for one in (2, 3, 4))]
)


def playing(seed: int, host: Line, guest: Line | None = None, *, audio_ppm: float = 0.0) -> World:
    """Two who have been watching for some seconds; `audio_ppm` is how far their sound clocks are apart."""
    world = World(seed)
    world.person(Setup("host", host, clock_offset=1_000.0, clock_ppm=40.0, audio_ppm=audio_ppm / 2))
    world.person(Setup("guest", guest or host, clock_offset=-500.0, clock_ppm=-30.0, audio_ppm=-audio_ppm / 2))
    world.connect("host")
    world.connect("guest")
    world.at(3.0, lambda: world.ask("host", "play"))
    world.run_until(BEGUN)
    return world


def watched(world: World, seconds: float) -> list[float]:
    """How far the two were apart, at each look of an observer."""
    until, seen = world.now + seconds, []
    while world.now < until:
        world.run_until(world.now + STEP_SECONDS)
        seen.append(world.spread())
    return seen


def share(seen: list[float], part: float) -> float:
    return sorted(seen)[int(len(seen) * part)]


def together_after(world: World, within: float, *, patience: float = 20.0) -> float:
    """Seconds until the two are this near for good, as far as `patience` goes."""
    seen = watched(world, patience)
    last = max((index for index, distance in enumerate(seen) if distance > within), default=-1)
    assert last < len(seen) - 1, f"still {seen[-1]:.3f} s apart"
    return (last + 1) * STEP_SECONDS


def coarse(world: World, since: float) -> int:
    return sum(one.coarse(since) for one in world.people.values())


def fallen_back(world: World, name: str, seconds: float) -> float:
    """The most film that somebody sees again while time passes."""
    until, furthest, most = world.now + seconds, world.position(name), 0.0
    while world.now < until:
        world.run_until(world.now + STEP_SECONDS)
        here = world.position(name)
        furthest, most = max(furthest, here), max(most, furthest - here)
    return most


@SEEDS
@pytest.mark.parametrize(
    ("line", "p95", "p99"),
    [(LOOPBACK, 0.003, 0.003), (FAR, 0.008, 0.015), (FARTHER, 0.012, 0.015)],
    ids=["loopback", "far", "farther"],
)
def test_steady_play_stays_in_step_without_a_seek_or_a_hold(seed: int, line: Line, p95: float, p99: float) -> None:
    world = playing(seed, line)
    world.run_until(15.0)
    film = world.position("host")
    seen = watched(world, 60.0)
    assert share(seen, 0.95) <= p95
    assert share(seen, 0.99) <= p99
    assert coarse(world, BEGUN) == 0
    assert world.position("host") - film >= 0.9995 * 60.0


@SEEDS
@pytest.mark.parametrize(("line", "at_least"), [(LOOPBACK, 0.97), (FAR, 0.8)], ids=["loopback", "far"])
def test_steady_play_is_at_normal_speed_nearly_always(seed: int, line: Line, at_least: float) -> None:
    world = playing(seed, line)
    world.run_until(15.0)
    looks = normal = 0
    while world.now < 75.0:
        world.run_until(world.now + 0.1)
        for one in world.people.values():
            looks += 1
            normal += one.viewer.follower.speed == 1.0
    assert normal / looks >= at_least


@SEEDS
def test_of_a_crooked_line_only_the_half_that_nobody_can_see_remains(seed: int) -> None:
    world = playing(seed, LOOPBACK, Line(0.020, 0.300, jitter=0.050))
    world.run_until(15.0)
    assert share(watched(world, 60.0), 0.95) <= 0.140 + 0.010
    assert world.people["guest"].viewer.clock.uncertainty >= 0.140


@SEEDS
def test_sound_clocks_that_run_apart_are_steered_together(seed: int) -> None:
    world = playing(seed, LOOPBACK, audio_ppm=400.0)
    assert share(watched(world, 60.0), 0.95) <= 0.006
    assert coarse(world, BEGUN) == 0


@SEEDS
@pytest.mark.parametrize(
    ("line", "within"),
    [(LOOPBACK, 0.005), (Line(0.1, 0.1, jitter=0.005), 0.005), (FAR, 0.015), (FARTHER, 0.015)],
    ids=["loopback", "even", "far", "farther"],
)
def test_a_start_is_at_one_moment(seed: int, line: Line, within: float) -> None:
    world = playing(seed, line)
    world.ask("host", "pause")
    world.run_until(BEGUN + 4.0)
    world.ask("guest", "play")
    while world.events[-1].rate == 0:
        world.run_until(world.now + STEP_SECONDS)
    begin = world.events[-1].at - world.server_now
    assert 0.2 < begin <= 2.0
    world.run_until(world.now + begin + 0.1)
    assert world.spread() <= within
    assert world.position("host") == pytest.approx(world.agreed(), abs=within)
    assert coarse(world, world.now - 1.0) == 0


@SEEDS
def test_a_pause_stands_at_once_on_both_sides_and_on_the_same_frame(seed: int) -> None:
    world = playing(seed, LOOPBACK)
    began = world.now
    world.ask("host", "pause")
    where = world.position("host")
    while any(one.player.rate(one.local(world.now)) > 0 for one in world.people.values()):
        world.run_until(world.now + 0.001)
    assert world.now - began <= 0.050
    world.run_until(began + 2.0)
    assert world.position("host") == pytest.approx(where, abs=0.001)
    assert world.spread() <= 0.010
    assert world.control.state.status.value is Status.PAUSE
    assert world.control.state.status.pending is None


@SEEDS
@LINES
@pytest.mark.parametrize("name", ["host", "guest"])
@pytest.mark.parametrize("by", [0.5, -0.5])
def test_half_a_second_apart_is_a_frame_apart_within_three_seconds(seed: int, line: Line, name: str, by: float) -> None:
    world = playing(seed, line)
    world.slip(name, by)
    assert together_after(world, FRAME_SECONDS) <= 3.0


@SEEDS
@LINES
@pytest.mark.parametrize("by", [5.0, -5.0])
def test_five_seconds_apart_is_a_frame_apart_within_six_seconds(seed: int, line: Line, by: float) -> None:
    world = playing(seed, line)
    world.slip("guest", by)
    assert together_after(world, 0.100) <= 2.5
    assert world.spread() <= FRAME_SECONDS


def frozen(world: World) -> None:
    world.freeze("guest", 3.0)


def standing(world: World) -> None:
    world.stall("guest", 6.0)


@SEEDS
@LINES
@pytest.mark.parametrize(("befalls", "lasts"), [(frozen, 3.0), (standing, 6.0)], ids=["frozen 3 s", "standing 6 s"])
def test_the_others_wait_for_one_who_stands_and_are_not_thrown_back(
    seed: int, line: Line, befalls: Callable[[World], None], lasts: float
) -> None:
    world = playing(seed, line)
    befalls(world)
    assert fallen_back(world, "host", lasts) <= 1.0
    waits = [event for event in world.events if event.reason is Reason.WAIT]
    assert [event.waiting_for for event in waits] == [("guest",)]
    assert together_after(world, FRAME_SECONDS) <= 5.0
    assert [event.reason for event in world.events][-2:] == [Reason.WAIT, Reason.RESUME]


@SEEDS
@LINES
def test_a_late_joiner_pauses_nobody_and_moves_nobody(seed: int, line: Line) -> None:
    world = playing(seed, line)
    world.person(Setup("third", line, clock_offset=77.0, clock_ppm=20.0))
    began, agreed = world.now, world.agreed()
    world.connect("third")
    while world.now < began + 8.0:
        world.run_until(world.now + STEP_SECONDS)
        for name in ("host", "guest"):
            one = world.people[name]
            assert one.player.rate(one.local(world.now)) > 0
    assert world.agreed() - agreed == pytest.approx(8.0, abs=0.02)
    assert world.spread() <= FRAME_SECONDS
    for name in ("host", "guest"):
        assert not [one for at, one in world.people[name].commands if at > began and isinstance(one, Hold | SeekTo)]


@SEEDS
@LINES
@pytest.mark.parametrize("away", [0.3, 2.0])
def test_play_goes_on_through_a_restart_of_the_service(seed: int, line: Line, away: float) -> None:
    world = playing(seed, line)
    world.run_until(20.0)
    world.kill_server()
    film = world.position("host")
    world.run_until(20.0 + away)
    assert world.position("host") - film == pytest.approx(away, rel=0.005)
    world.start_server(clock_step=0.03)
    for name in world.people:
        world.connect(name)
    assert together_after(world, FRAME_SECONDS) <= 3.0
    assert world.position("host") - film == pytest.approx(away + 20.0, abs=0.5)
    assert world.control.state.status.value is Status.PLAY


@SEEDS
@LINES
@pytest.mark.parametrize("later", [0.0, 0.05, 4.5])
def test_who_played_on_over_a_long_outage_is_not_thrown_back_and_play_goes_on(
    seed: int, line: Line, later: float
) -> None:
    world = playing(seed, line)
    world.run_until(20.0)
    world.kill_server()
    film = world.position("host")
    world.run_until(120.0)
    world.start_server(clock_step=0.03)
    world.connect("host")
    world.at(world.now + later, lambda: world.connect("guest"))
    assert fallen_back(world, "guest", later + 10.0) <= later + 0.5  # the other is held as long as that
    assert together_after(world, FRAME_SECONDS) <= 3.0
    assert world.control.state.status.value is Status.PLAY
    assert world.position("host") - film >= 100.0 + 10.0 + 20.0 - 1.0  # but for a start that is planned


@SEEDS
def test_who_is_cut_off_for_a_while_plays_on_and_is_back_in_step(seed: int) -> None:
    world = playing(seed, FAR)
    world.disconnect("guest", noticed_after=1.0, missed_after=0.5)
    world.at(world.now + 8.0, lambda: world.connect("guest"))
    assert max(watched(world, 8.0)) <= FRAME_SECONDS
    assert together_after(world, FRAME_SECONDS) == 0.0
    assert {event.reason for event in world.events[-2:]} == {Reason.LEAVE, Reason.JOIN}


@SEEDS
def test_two_moves_asked_at_once_end_in_one_of_them(seed: int) -> None:
    world = World(seed)
    for index, name in enumerate(("host", "guest", "third", "fourth")):
        world.person(Setup(name, FAR, clock_offset=100.0 * index))
        world.connect(name)
    world.at(3.0, lambda: world.ask("host", "play"))
    world.at(8.0, lambda: world.seek("guest", 100.0))
    world.at(8.01, lambda: world.seek("third", 200.0))
    world.run_until(30.0)
    assert len(world.events) < 20
    assert min(abs(world.agreed() - 100.0), abs(world.agreed() - 200.0)) < 25.0
    assert world.spread() <= FRAME_SECONDS
