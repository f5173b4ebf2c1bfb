"""What is declared, what is overdue, and what comes next."""

from datetime import UTC, datetime
from typing import Any

import pytest

from dateflicks.server.jobs.declared import Job, declared
from dateflicks.server.jobs.outlook import condition, next_run, upcoming
from dateflicks.server.jobs.records import JobState
from dateflicks.server.jobs.scheduling import overdue
from dateflicks.server.providers.discovery import Found, discover
from dateflicks.settings.errors import SettingsError
from dateflicks.settings.providers import ArchiveSettings, ProvidersSettings

NOW = datetime(2026, 11, 25, 12, 30, tzinfo=UTC).timestamp()
HOUR = 3_600.0
NEW = Job(name="films", subject="films", kind="source", schedule="0 * * * *")
FULL = Job(name="films:full", subject="films", kind="source", mode="full", schedule="0 4 * * *")
MERGE = Job(name="merge", subject="merge", kind="merge")


def plugin(**own: Any) -> ProvidersSettings:
    return ProvidersSettings(plugins={"films": own})


FOUND = Found(name="films", package="films", version="1", reference="films:Source")


def test_every_source_has_two_jobs_and_the_collection_three() -> None:
    jobs = {job.name: job for job in declared(ProvidersSettings(archive=ArchiveSettings(enabled=True)), discover())}
    assert (jobs["archive"].schedule, jobs["archive:full"].schedule) == ("7 5 * * *", "7 6 * * sun")
    assert (jobs["netflix"].schedule, jobs["netflix"].trigger) == ("", None)
    assert [name for name in jobs if jobs[name].kind != "source"] == ["merge", "merge:full", "retention"]


def test_a_plug_in_runs_by_itself_when_it_says_so() -> None:
    jobs = {job.name: job for job in declared(plugin(schedule="5 5 * * *"), [FOUND])}
    assert jobs["films"].schedule == "5 5 * * *"
    assert {job.name: job for job in declared(plugin(enabled=False), [FOUND])}["films"].schedule == ""


@pytest.mark.parametrize("own", [{"schedule": "daily"}, {"full_schedule": "99 * * * *"}, {"enabled": "perhaps"}])
def test_a_schedule_that_is_none_is_told_with_its_place(own: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match="films"):
        declared(plugin(**own), [FOUND])


def test_what_is_not_used_has_no_job() -> None:
    names = [job.name for job in declared(ProvidersSettings(), discover(deny=["archive"]))]
    assert "archive" not in names
    assert "netflix" in names


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (JobState(), ["films"]),  # the first run is of everything, whatever it is called
        (JobState(began_at=NOW - 60, full_began_at=NOW - 60), []),
        (JobState(began_at=NOW - 2 * HOUR, full_began_at=NOW - HOUR), ["films"]),
        (JobState(began_at=NOW - 60, full_began_at=NOW - 48 * HOUR), ["films:full"]),
        (JobState(began_at=NOW - 48 * HOUR), ["films:full"]),
        (JobState(began_at=NOW - 48 * HOUR, paused_at=NOW), []),
        (JobState(began_at=NOW - 48 * HOUR, is_held=True), []),
        (JobState(began_at=NOW - 48 * HOUR, retry_at=NOW + 60), []),
    ],
)
def test_what_should_have_run_meanwhile_runs_once(state: JobState, expected: list[str]) -> None:
    states = {"films": state, "merge": JobState()}
    assert [job.name for job in overdue([NEW, FULL, MERGE], states, NOW)] == expected


def test_the_next_runs_are_in_order_and_waits_are_taken_into_account() -> None:
    states = {"films": JobState(retry_at=NOW + 1.6 * HOUR), "merge": JobState()}
    found = [((at - NOW) / HOUR, job.name) for at, job in upcoming([NEW, FULL, MERGE], states, NOW, 4)]
    assert found == [(1.6, "films"), (2.5, "films"), (3.5, "films"), (4.5, "films")]
    assert next_run(FULL, states["films"], NOW) == NOW + 15.5 * HOUR
    assert next_run(NEW, JobState(paused_at=NOW), NOW) is None
    assert next_run(NEW, JobState(is_held=True), NOW) is None
    assert next_run(MERGE, JobState(), NOW) is None


def test_films_are_to_be_made_after_a_change_until_that_came_to_a_good_end() -> None:
    assert not JobState(began_at=NOW).has_work
    assert JobState(changed_at=NOW).has_work
    assert JobState(changed_at=NOW, began_at=NOW - 1).has_work
    assert not JobState(changed_at=NOW, began_at=NOW + 1).has_work
    assert JobState(changed_at=NOW, began_at=NOW + 1, attention="storage: it was away").has_work


def test_a_job_is_in_one_condition() -> None:
    states = [JobState(paused_at=NOW), JobState(is_held=True), JobState(retry_at=NOW + 1), JobState(retry_at=NOW - 1)]
    words = [condition(state, NEW, is_running=False, now=NOW) for state in states]
    assert words == ["paused", "held", "waiting", "ready"]
    assert condition(states[0], NEW, is_running=True, now=NOW) == "running"
