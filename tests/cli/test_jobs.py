"""`dateflicks jobs`: what there is, what comes next, what has been; paused, resumed, run by hand, run until a stop."""

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from dateflicks.cli.background import background_of, opened
from dateflicks.cli.environment import CliEnvironment
from dateflicks.cli.exits import Exit
from dateflicks.server.jobs.records import JobRun
from dateflicks.server.jobs.store import JobStore
from tests.cli.conftest import Cli
from tests.cli.process import Program
from tests.server.jobs.plugged import FILMS, Plugged, plug


@pytest.fixture
def plugged(tmp_path: Path, cli: Cli, engine: None, monkeypatch: pytest.MonkeyPatch) -> Plugged:
    """A source of somebody else's, installed for us and for what we start."""
    plugged = plug(tmp_path)
    monkeypatch.syspath_prepend(plugged.site)
    cli.variables |= {"DATEFLICKS_SETTINGS": str(plugged.settings), "PYTHONPATH": str(plugged.site)}
    return plugged


@pytest.mark.slow
def test_jobs_are_listed_paused_resumed_and_told_when_they_run_next(cli: Cli, plugged: Plugged) -> None:
    plugged.behaves(schedule="0 0 * * *")
    listed = {job["name"]: job for job in cli.json("jobs")}
    assert (listed["films"]["state"], listed["films"]["last_run"]) == ("ready", None)
    assert (listed["netflix"]["state"], listed["netflix"]["next_run"]) == ("by hand", None)
    assert (listed["merge"]["schedule"], listed["films:full"]["schedule"]) == ("after changes", None)
    upcoming = cli.json("jobs", "next", "--limit", "12")
    assert [one["at"] for one in upcoming] == sorted(one["at"] for one in upcoming)
    assert {one["job"] for one in upcoming} == {"films", "merge:full", "retention"}

    paused = cli("jobs", "pause", "films")
    assert (paused.exit_code, paused.stderr) == (0, "films is paused.\n")
    assert {job["name"]: job["state"] for job in cli.json("jobs", "list")}["films"] == "paused"
    assert "films" not in [one["job"] for one in cli.json("jobs", "next")]
    assert cli("jobs", "resume", "films").exit_code == 0
    assert cli("jobs", "history").stderr == "Nothing has run yet.\n"


@pytest.mark.slow
def test_a_job_is_run_by_hand_and_its_history_is_kept(cli: Cli, plugged: Plugged) -> None:
    done = cli("jobs", "run", "films")
    assert (done.exit_code, done.stderr.splitlines()) == (
        0, [f"films: ok, {FILMS} seen, {FILMS} new", f"{FILMS} films were written."]
    )  # fmt: skip
    plugged.behaves("raises")
    failed = cli("jobs", "run", "films:full")
    assert failed.exit_code == Exit.FAILED
    assert failed.stderr == "films:full: failed, 20 seen. The password [not shown] is of no use.\n"
    history = cli.json("jobs", "history")
    assert [(run["job"], run["status"], run["trigger"]) for run in history] == [
        ("films:full", "failed", "manual"), ("merge", "ok", "change"), ("films", "ok", "manual")
    ]  # fmt: skip
    assert [run["job"] for run in cli.json("jobs", "history", "merge")] == ["merge"]
    for name in ("films", "films:full"):
        assert [run["job"] for run in cli.json("jobs", "history", name)] == [name]
    assert history[0]["error_kind"] == "bug"
    assert history[2]["cursor_after"] == {"since": "2026-01-01"}
    assert "open sesame" not in str(history)


@pytest.mark.usefixtures("plugged")
def test_the_last_run_of_a_job_is_told_however_often_its_sibling_has_run_since(cli: Cli) -> None:
    environ = {"DATEFLICKS_HOME": str(cli.home), **cli.variables}

    async def keep() -> None:
        async with opened(background_of(CliEnvironment(environ=environ))) as database:
            store = JobStore(database)
            for number, job in enumerate(["films:full", *["films"] * 230]):
                at = 1_790_000_000.0 + number
                await store.put(
                    JobRun(
                        id=f"run_{number}", source="films", job=job, trigger="schedule", started_at=at, ended_at=at,
                        status="ok",
                    )
                )  # fmt: skip

    asyncio.run(keep())
    assert {job["name"]: job["last_status"] for job in cli.json("jobs")}["films:full"] == "ok"
    assert [run["id"] for run in cli.json("jobs", "history", "films:full")] == ["run_0"]
    assert len(cli.json("jobs", "history", "films", "--limit", "200")) == 200


def test_a_job_that_is_not_there_is_named(cli: Cli, plugged: Plugged) -> None:
    for verb in ("run", "pause", "resume", "history"):
        result = cli("jobs", verb, "film")
        assert (result.exit_code, result.stderr) == (
            Exit.NOT_FOUND, "Error: There is no job 'film'.\nDid you mean 'films'?\n"
        )  # fmt: skip


def test_a_schedule_that_is_none_is_told_with_its_place(cli: Cli, plugged: Plugged) -> None:
    plugged.behaves(schedule="nightly")
    result = cli("jobs", "list")
    assert result.exit_code == Exit.USAGE
    assert "providers.toml: films.schedule: 'nightly' is no schedule" in result.stderr


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_jobs_run_by_themselves_until_they_are_told_to_stop(cli: Cli, plugged: Plugged) -> None:
    plugged.behaves("waits")
    variables: dict[str, Any] = {**cli.variables, "PATH": os.environ["PATH"]}
    with Program(cli.home, "jobs", "start", **variables) as program:
        program.until_said("Running 3 jobs when they are due.")
        program.wait_until(plugged.half_way.exists)
        busy = cli("jobs", "run", "films")
        assert busy.exit_code == Exit.REFUSED
        assert f"films is being run by process {program.process.pid} of" in busy.stderr
        listed = {job["name"]: job for job in cli.json("jobs")}
        assert (listed["films"]["state"], listed["films"]["last_status"]) == ("running", "running")
        program.process.send_signal(signal.SIGTERM)
        assert program.ends() == 0
    (run,) = cli.json("jobs", "history", "films")
    assert (run["status"], run["trigger"], run["counters"]["new"]) == ("partial", "start", 20)
