"""What a run means for the next one."""

from typing import Any

import pytest

from dateflicks.server.jobs.ladder import RUNGS, after, may_run
from dateflicks.server.jobs.records import JobRun, JobState

NOW = 1_790_000_000.0


def run(status: str, kind: str | None = None, **more: Any) -> JobRun:
    values: dict[str, Any] = {"id": "run_a", "source": "films", "trigger": "schedule", "started_at": NOW - 5}
    error = None if kind is None else "It failed."
    return JobRun(**{**values, "status": status, "error_kind": kind, "error": error, **more})


def test_each_failure_waits_longer_up_to_a_day_and_success_lowers_it_by_one() -> None:
    state, waits = JobState(), []
    for _ in range(11):
        state = after(state, run("failed", "transient"), NOW)
        assert state.retry_at is not None
        waits.append((state.retry_at - NOW) / 60)
    assert waits == [1, 5, 15, 30, 60, 180, 360, 720, 1440, 1440, 1440]
    state = after(state, run("ok"), NOW)
    assert (state.rung, state.retry_at, state.attention, state.good_at) == (len(RUNGS) - 1, None, None, NOW)
    state = after(state, run("failed", "transient"), NOW)
    assert state.retry_at == NOW + RUNGS[-1]


@pytest.mark.parametrize("status", ["failed", "partial", "timeout", "killed", "lost"])
def test_however_it_did_not_succeed_it_waits_and_says_why(status: str) -> None:
    state = after(JobState(), run(status, "bug"), NOW)
    assert (state.rung, state.retry_at, state.attention) == (1, NOW + 60, "bug: It failed.")
    assert not may_run(state, NOW + 59)
    assert may_run(state, NOW + 60)


def test_a_wrong_key_is_not_tried_again_before_a_person_has_looked() -> None:
    state = after(JobState(rung=2), run("failed", "auth"), NOW)
    assert (state.is_held, state.retry_at, state.rung) == (True, None, 2)
    assert not may_run(state, NOW + 1e9)
    assert not after(state, run("ok"), NOW).is_held


def test_a_quota_names_its_own_time() -> None:
    state = after(JobState(rung=3), run("partial", "quota", resume_at=NOW + 777), NOW)
    assert (state.retry_at, state.rung) == (NOW + 777, 3)


def test_a_machine_without_a_network_raises_nothing() -> None:
    state = after(JobState(rung=3), run("failed", "transient", error_class="NoNetwork"), NOW)
    assert (state.rung, state.retry_at) == (3, NOW + RUNGS[2])


@pytest.mark.parametrize("status", ["skipped", "missed"])
def test_what_did_not_run_changes_nothing(status: str) -> None:
    assert after(JobState(rung=4), run(status), NOW) == JobState(rung=4)


def test_a_run_that_was_asked_to_stop_has_not_failed() -> None:
    assert after(JobState(rung=4), run("partial"), NOW) == JobState(rung=4)


def test_titles_that_are_held_back_need_a_look_though_the_run_was_good() -> None:
    state = after(JobState(), run("ok", removals_held=400), NOW)
    assert state.attention is not None
    assert "400 titles" in state.attention
    assert may_run(state, NOW)
