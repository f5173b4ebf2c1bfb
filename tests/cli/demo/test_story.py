"""How the demo goes through its steps, and that each of the checks that matter most can fail."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import msgspec
import pytest

from dateflicks.cli.demo import run, talk, trials
from dateflicks.cli.demo.measuring import Reading
from dateflicks.cli.demo.observer import SimulatedEye
from dateflicks.cli.demo.people import StepFailed
from dateflicks.cli.demo.run import run_demo
from dateflicks.cli.demo.stage import Stage
from dateflicks.cli.demo.steps import steps
from dateflicks.cli.demo.story import Result, Scene, Step, View, report_of, tell
from dateflicks.cli.demo.view import Lines
from dateflicks.client.chat import Conversation
from dateflicks.client.predicting import call_of
from dateflicks.client.predictions import Predictions
from dateflicks.protocol.chat import Message
from dateflicks.protocol.predictions import CallBody, PredictionBody

HANDSHAKE = ("services", "register", "invite", "accept", "connect")


async def holds(_: Scene) -> str:
    return "it held"


async def fails(_: Scene) -> str:
    raise StepFailed("it did not hold")


async def hangs(_: Scene) -> str:
    await asyncio.Event().wait()
    raise AssertionError


async def breaks(_: Scene) -> str:
    raise ZeroDivisionError("nobody foresaw it")


async def told(*chosen: Step, said: list[str] | None = None) -> list[Result]:
    scene = Scene(Stage(Path(), {}, confirm_seconds=5.0, player="simulated"))
    return await tell(chosen, scene, Lines((said if said is not None else []).append))


async def test_a_step_that_fails_is_told_and_the_next_still_runs() -> None:
    said: list[str] = []
    results = await told(Step("one", "", fails), Step("two", "", holds), said=said)
    assert results == [Result("one", False, "it did not hold"), Result("two", True, "it held")]
    assert [line.split()[:2] for line in said] == [["FAIL", "one"], ["ok", "two"]]
    assert not report_of("mpv", results, None).ok


async def test_what_needs_a_step_that_failed_is_not_tried() -> None:
    results = await told(Step("one", "", fails), Step("two", "", hangs, ("one",)), Step("three", "", hangs, ("two",)))
    assert [result.detail for result in results[1:]] == ["not tried without one", "not tried without two"]
    assert not any(result.ok for result in results)


async def test_a_step_that_takes_too_long_has_failed() -> None:
    assert await told(Step("one", "", hangs, seconds=0.05)) == [Result("one", False, "not done within 0.05 s")]


async def test_a_deadline_of_something_else_is_not_told_as_the_step_s() -> None:
    async def waits(_: Scene) -> str:
        raise TimeoutError("nothing came")

    async def waits_too(_: Scene) -> str:
        async with asyncio.timeout(0):
            return await hangs(_)

    results = await told(Step("one", "", waits), Step("two", "", waits_too))
    assert [result.detail for result in results] == ["TimeoutError: nothing came", "TimeoutError"]


async def test_what_nobody_foresaw_fails_the_step_alone() -> None:
    results = await told(Step("one", "", breaks), Step("two", "", holds))
    assert results[0] == Result("one", False, "ZeroDivisionError: nobody foresaw it")
    assert results[1].ok


@contextlib.asynccontextmanager
async def nowhere(_scene: Scene, _steps: Sequence[Step]) -> AsyncIterator[View]:
    """A view that shows nothing."""
    yield Lines(lambda _: None)


async def played(monkeypatch: pytest.MonkeyPatch, folder: Path, *names: str) -> dict[str, Result]:
    """The handshake and these steps, with real services and simulated players."""

    def chosen(confirm_seconds: float) -> Sequence[Step]:
        return [step for step in steps(confirm_seconds) if step.name in (*HANDSHAKE, *names)]

    monkeypatch.setattr(run, "steps", chosen)
    report = await run_demo(folder, os.environ, player="simulated", confirm_seconds=2.0, view=nowhere)
    assert not report.ok
    return {result.name: result for result in report.steps}


@pytest.mark.long
@pytest.mark.slow
async def test_a_service_with_another_deadline_than_asked_for_is_found_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    start = Stage._start

    async def with_its_own_mind(stage: Stage, name: str, **more: object) -> object:
        return await start(stage, name, port=0)

    monkeypatch.setattr(Stage, "_start", with_its_own_mind)
    results = await played(monkeypatch, tmp_path, "play")
    assert "other limits" in results["connect"].detail
    assert results["play"].detail == "not tried without connect"


@pytest.mark.long
@pytest.mark.slow
async def test_a_player_that_is_elsewhere_than_its_follower_believes_is_found_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    look = SimulatedEye.look
    eyes: list[SimulatedEye] = []

    async def askew(eye: SimulatedEye) -> Reading | None:
        eyes.append(eye)
        reading = await look(eye)
        return reading if reading is None or eye is eyes[0] else Reading(reading.position + 0.050, reading.at)

    monkeypatch.setattr(SimulatedEye, "look", askew)
    results = await played(monkeypatch, tmp_path, "play")
    assert all(results[name].ok for name in HANDSHAKE)
    assert results["play"].detail == "not in step within 8 s: 50 ms apart at the end"


@pytest.mark.long
@pytest.mark.slow
async def test_lines_that_the_two_have_in_another_order_and_a_call_that_can_be_seen_are_found_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    lines_of, orders = talk.lines_of, list[list[Message]]()

    def turned_around(conversation: Conversation, first: int) -> list[Message]:
        found = lines_of(conversation, first)
        orders.append(found)
        return found[::-1] if len(orders) % 2 else found

    monkeypatch.setattr(talk, "lines_of", turned_around)
    monkeypatch.setattr(talk, "call_of", opened)
    results = await played(monkeypatch, tmp_path, "chat", "predict", "settle")
    assert results["connect"].ok
    assert results["chat"].detail == "the two do not have the same lines in the same order"
    assert results["predict"].detail == "ana's client knows what bea called: yes 0.8"
    assert results["settle"].detail == "not tried without predict"


def opened(prediction: PredictionBody, user_id: str) -> CallBody | None:
    """A call as nobody may see it."""
    call = call_of(prediction, user_id)
    return call and msgspec.structs.replace(call, option="yes", confidence=0.8)


@pytest.mark.long
@pytest.mark.slow
async def test_a_prediction_that_the_film_does_not_lock_is_found_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(Predictions, "look", lambda _: None)
    monkeypatch.setattr(talk, "HEAR_SECONDS", 1.0)
    results = await played(monkeypatch, tmp_path, "predict", "settle")
    assert results["predict"].ok
    assert results["settle"].detail.startswith("ana did not see within 5 s that the film locks at ")


@pytest.mark.long
@pytest.mark.slow
async def test_a_pause_that_does_not_end_by_itself_is_found_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    open_stage = Stage.open

    async def with_patience(stage: Stage) -> None:
        stage.confirm_seconds = 9.0
        await open_stage(stage)

    async def impatiently(scene: Scene) -> str:
        scene.stage.confirm_seconds = 2.0
        return await pause_ignored(scene)

    pause_ignored = trials.pause_ignored
    monkeypatch.setattr(Stage, "open", with_patience)
    monkeypatch.setattr(trials, "pause_ignored", impatiently)
    results = await played(monkeypatch, tmp_path, "pause-ignored")
    assert results["connect"].ok
    assert results["pause-ignored"].detail == "ana did not hear within 3 s that play comes back"


@pytest.mark.long
@pytest.mark.slow
async def test_a_freeze_that_did_not_happen_and_a_service_that_did_not_die_are_found_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    @contextlib.asynccontextmanager
    async def not_at_all(_: Scene) -> AsyncIterator[None]:
        yield

    async def survive(_: object) -> None:
        """A kill that does nothing."""

    monkeypatch.setattr(trials, "_frozen", not_at_all)
    monkeypatch.setattr("dateflicks.client.service_process.ServiceProcess.kill", survive)
    results = await played(monkeypatch, tmp_path, "freeze", "service-killed")
    assert results["freeze"].detail == "the guest's player did not freeze"
    assert not results["service-killed"].ok


@pytest.mark.slow
@pytest.mark.parametrize("may_simulate", [pytest.param(True, marks=pytest.mark.long), False])
async def test_without_a_film_simulated_players_stand_in_unless_real_ones_were_asked_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, may_simulate: bool
) -> None:
    ffmpeg = tmp_path / "ffmpeg"
    ffmpeg.write_text("#!/bin/sh\necho 'Unknown encoder libx264' >&2\nexit 1\n")
    ffmpeg.chmod(0o700)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(run, "steps", lambda confirm_seconds: steps(confirm_seconds)[:1])
    folder = tmp_path / "demo"
    folder.mkdir()
    report = await run_demo(
        folder, os.environ, player="mpv", may_simulate=may_simulate, confirm_seconds=2.0, view=nowhere
    )
    assert (report.ok, report.player) == ((True, "simulated") if may_simulate else (False, "mpv"))
    assert "Unknown encoder libx264" in report.steps[0].detail


def test_the_names_of_the_steps_are_what_scripts_rely_on() -> None:
    assert [step.name for step in steps(5.0)] == [
        *HANDSHAKE, "play", "drift", "chat", "predict", "settle", "seek", "pause-confirmed", "pause-ignored", "freeze",
        "service-killed", "end",
    ]  # fmt: skip
