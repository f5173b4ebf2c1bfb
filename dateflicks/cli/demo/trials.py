"""The steps with the film: play by consent, drift, a seek, two pauses, a freeze, a killed service, the end."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import AsyncIterator

from dateflicks.cli.demo.measuring import FRAME_SECONDS, drift
from dateflicks.cli.demo.people import StepFailed
from dateflicks.cli.demo.playing import (
    HEAR_SECONDS,
    SAME_PLACE_SECONDS,
    SETTLE_SECONDS,
    agree,
    ensure_playing,
    in_step,
    is_asked,
    stand_together,
)
from dateflicks.cli.demo.story import Scene
from dateflicks.client.players.mpv import MpvPlayer
from dateflicks.client.players.simulated import SimulatedPlayer
from dateflicks.client.sentences import clock_text

THINKING_SECONDS = 0.5  # between a question and its answer: nothing may happen meanwhile
DRIFT_SECONDS = 8.0
READINGS_MIN = 50
SEEK_SECONDS = 15.0
LATE_SECONDS = 1.0  # how much later than promised the previous status may be seen to come back
FREEZE_SECONDS = 3.0
BACK_MAX_SECONDS = 1.0
WOKEN_SECONDS = 5.0  # from waking to within a frame
OUTAGE_SECONDS = 2.0
PACE_MIN = 0.9  # of normal speed, through an outage
RETURN_SECONDS = 3.0  # from the service's return to within a frame
COME_BACK_SECONDS = 10.0  # from there until clients that try at most every 5 s have heard from it
KEPT_SECONDS = 0.25  # how far from where it would have been anyhow the film may be after an outage


async def play(scene: Scene) -> str:
    """The host asks; nothing moves until the guest agrees; then both start together."""
    host, guest = scene.host, scene.guest
    seen = len(guest.heard)
    host.play()
    await guest.hears(f"that {host.name} asks to play", is_asked("play"), seconds=HEAR_SECONDS, since=seen)
    await asyncio.sleep(THINKING_SECONDS)
    if await scene.eyes.stand() is None or guest.frame is None or guest.frame.rate != 0:
        raise StepFailed("the film moves although the guest has not agreed")
    now = time.monotonic()
    guest.agree()
    await host.hears("that the film plays", lambda frame: frame.rate == 1, seconds=HEAR_SECONDS)
    found = await in_step(scene, now)
    scene.eyes.settled(now + SETTLE_SECONDS)
    return f"{guest.name} agrees: both play from {clock_text(found.position)}, {found.apart_ms:.1f} ms apart"


async def measure(scene: Scene) -> str:
    """The players' own positions for a while."""
    await ensure_playing(scene)
    began = time.monotonic()
    await asyncio.sleep(DRIFT_SECONDS)
    found = drift(scene.eyes.apart(began))
    if found is None or found.count < READINGS_MIN:
        raise StepFailed(f"only {found.count if found else 0} readings in {DRIFT_SECONDS:g} s: the machine is too busy")
    words = f"median {found.median:.1f}, p95 {found.p95:.1f}, max {found.max:.1f} ms in {DRIFT_SECONDS:g} s"
    if found.p95 > 1000 * FRAME_SECONDS:
        raise StepFailed(f"more than a frame apart: {words}")
    return words


async def seek(scene: Scene) -> str:
    """The host asks to go on elsewhere; both land there and play on."""
    host, guest = scene.host, scene.guest
    await ensure_playing(scene)
    here = host.position(time.monotonic())
    assert here is not None
    target = round(here + SEEK_SECONDS, 1)
    began = time.monotonic()
    scene.eyes.disturbed(began)
    heard = await agree(host, guest, target)
    if abs(heard.frame.current_position - target) > SAME_PLACE_SECONDS:
        raise StepFailed(f"all are sent to {heard.frame.current_position:.1f} s, not to {target:.1f} s")
    found = await in_step(scene, heard.at)
    scene.eyes.settled(found.since + SETTLE_SECONDS)
    if not target - SAME_PLACE_SECONDS <= found.position <= target + found.since - began:
        raise StepFailed(f"asked to go to {target:.1f} s, and {found.position:.1f} s was played")
    return (
        f"both at {clock_text(target)}, play again {found.since - heard.at:.1f} s later, {found.apart_ms:.1f} ms apart"
    )


async def pause_confirmed(scene: Scene) -> str:
    """The guest pauses; all stand on one frame; the host agrees, so it stays; then on again."""
    host, guest = scene.host, scene.guest
    await ensure_playing(scene)
    began = time.monotonic()
    scene.eyes.disturbed(began)
    seen = len(host.heard)
    guest.pause()
    heard = await host.hears(f"that {guest.name} pauses", is_asked("pause"), seconds=HEAR_SECONDS, since=seen)
    if heard.frame.rate != 0 or heard.frame.status != "pause":
        raise StepFailed("the pause did not take effect at once")
    where = await stand_together(scene)
    host.agree()
    await guest.hears(
        f"that {host.name} agrees",
        lambda frame: frame.status == "pause" and frame.pending is None,
        seconds=HEAR_SECONDS,
    )
    now = time.monotonic()
    await agree(host, guest, "play")
    found = await in_step(scene, now)
    scene.eyes.settled(found.since + SETTLE_SECONDS)
    return f"both stand {where}; on again {found.apart_ms:.1f} ms apart"


async def pause_ignored(scene: Scene) -> str:
    """The host pauses, the guest says nothing: play comes back by itself, when it was promised and not before."""
    host, guest, seconds = scene.host, scene.guest, scene.stage.confirm_seconds
    await ensure_playing(scene)
    began = time.monotonic()
    scene.eyes.disturbed(began)
    seen, theirs = len(host.heard), len(guest.heard)
    host.pause()
    await guest.hears(f"that {host.name} pauses", is_asked("pause"), seconds=HEAR_SECONDS, since=theirs)
    where = await stand_together(scene)
    heard = await host.hears(
        "that play comes back",
        lambda frame: frame.status == "play" and frame.pending is None,
        seconds=seconds + LATE_SECONDS,
        since=seen,
    )
    took = heard.at - began
    if heard.frame.reason != "restored" or took < seconds:
        raise StepFailed(f"{heard.frame.reason} after {took:.2f} s, not restored after {seconds:g} s")
    found = await in_step(scene, heard.at)
    scene.eyes.settled(found.since + SETTLE_SECONDS)
    played = found.since - (began + seconds)  # at most: from the promised instant, however late it was heard of
    if not -SAME_PLACE_SECONDS <= found.position - where.position <= played + SAME_PLACE_SECONDS:
        raise StepFailed(f"paused at {where.position:.1f} s, and went on at {found.position:.1f} s")
    return f"previous status back after {took:.1f} s, on again {found.apart_ms:.1f} ms apart"


async def freeze(scene: Scene) -> str:
    """The guest's player does nothing for three seconds; the host loses next to nothing."""
    await ensure_playing(scene)
    eyes, began = scene.eyes, time.monotonic()
    eyes.disturbed(began)
    async with _frozen(scene):
        await asyncio.sleep(FREEZE_SECONDS)
    woke = time.monotonic()
    found = await in_step(scene, woke, within=WOKEN_SECONDS)
    eyes.settled(woke + WOKEN_SECONDS)
    back, took = eyes.host.fell_back(began), found.since - woke
    if eyes.guest.pace(began + 0.5, woke) > 0.5:
        raise StepFailed("the guest's player did not freeze")
    if took > WOKEN_SECONDS or back > BACK_MAX_SECONDS:
        raise StepFailed(f"host moved back {back:.2f} s, in step again {took:.1f} s after waking")
    return f"host moved back {back:.2f} s; in step again {took:.1f} s after waking"


@contextlib.asynccontextmanager
async def _frozen(scene: Scene) -> AsyncIterator[None]:
    """The guest's player as a suspended process."""
    assert scene.guest.screen is not None
    player = scene.guest.screen.player
    if isinstance(player, SimulatedPlayer):
        player.freeze(FREEZE_SECONDS)
        yield
        return
    assert isinstance(player, MpvPlayer)
    if player.pid is None:
        raise StepFailed("the guest has no mpv to freeze")
    os.kill(player.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(player.pid, signal.SIGCONT)


async def service_killed(scene: Scene) -> str:
    """The timecode service dies; the film goes on without it, and it comes back to a film that is where it was."""
    await ensure_playing(scene)
    stage, eyes = scene.stage, scene.eyes
    service, clock = stage.timecode, scene.host.frame.clock_id if scene.host.frame else ""
    if service is None:
        raise StepFailed("there is no timecode service to kill")
    killed = time.monotonic()
    await service.kill()
    await asyncio.sleep(OUTAGE_SECONDS)
    paces = [track.pace(killed, killed + OUTAGE_SECONDS) for track in (eyes.host, eyes.guest)]
    await stage.start_timecode(service.port)
    returned = time.monotonic()
    for person in scene.people:
        heard = await person.hears(
            "from the service that came back",
            lambda frame: frame.clock_id != clock,
            seconds=COME_BACK_SECONDS,
        )
        if heard.frame.status != "play":
            raise StepFailed(f"{person.name} hears {heard.frame.status} from the service that came back")
    await asyncio.sleep(SETTLE_SECONDS)  # whatever the news does to the players, it does now
    found = await in_step(scene, killed, within=RETURN_SECONDS)
    if min(paces) < PACE_MIN:
        raise StepFailed(f"while the service was away the film ran at {min(paces):.2f} of its speed")
    if found.since - returned > RETURN_SECONDS:
        raise StepFailed(f"in step only {found.since - returned:.1f} s after the restart")
    lost = _lost(scene, killed)
    if abs(lost) > KEPT_SECONDS:
        raise StepFailed(f"the film is {lost:.2f} s behind where it would have been")
    furthest = drift(eyes.apart(killed))
    assert furthest is not None
    out, lost_ms = returned - killed, max(0.0, 1000 * lost)
    return f"played on {out:.1f} s without it, at most {furthest.max:.1f} ms apart, {lost_ms:.0f} ms lost"


def _lost(scene: Scene, start: float) -> float:
    """How far the host's film is behind one that has run on since `start` at normal speed."""
    host = scene.eyes.host.since(start)
    return (host[-1].at - host[0].at) - (host[-1].position - host[0].position)


async def end(scene: Scene) -> str:
    """Both agree to stop, the session ends for both, and nothing is left running."""
    host, guest = scene.host, scene.guest
    scene.eyes.disturbed(time.monotonic())
    if host.frame is not None and host.frame.pending is not None:
        host.refuse()
    await agree(host, guest, "stop")
    where = await stand_together(scene)
    assert scene.session is not None
    await host.client.end(scene.session.id)
    for person in scene.people:
        state = (await person.client.session(scene.session.id)).state
        seen = [entry.session_id async for entry in person.client.all_history()]
        if state != "ended" or seen != [scene.session.id]:
            raise StepFailed(f"for {person.name} the session is {state}, with {len(seen)} in the history")
        await person.hears_the_end(seconds=HEAR_SECONDS)
        await person.leave()
    if any(codes := await scene.stage.close()):
        raise StepFailed(f"the services ended with {' and '.join(map(str, codes))}")
    return f"both stopped at {clock_text(where.position)} and heard the end; all is closed"
