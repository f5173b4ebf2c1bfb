"""What jobs are going to do, and how they are: worked out from triggers and what is kept, without a scheduler."""

from collections.abc import Iterator, Mapping, Sequence
from heapq import merge
from itertools import islice

from dateflicks.server.jobs.cron import next_after
from dateflicks.server.jobs.declared import Job
from dateflicks.server.jobs.records import JobState


def next_run(job: Job, state: JobState, now: float) -> float | None:
    """When it runs next by itself, if anybody runs the jobs; None when it does not."""
    return next(_times(job, state, now), None)


def upcoming(jobs: Sequence[Job], states: Mapping[str, JobState], now: float, limit: int) -> list[tuple[float, Job]]:
    """The next runs of all jobs, in order."""
    times = [_numbered(number, _times(job, states[job.subject], now)) for number, job in enumerate(jobs)]
    return [(at, jobs[number]) for at, number in islice(merge(*times), limit)]


def _numbered(number: int, times: Iterator[float]) -> Iterator[tuple[float, int]]:
    for at in times:
        yield at, number


def _times(job: Job, state: JobState, now: float) -> Iterator[float]:
    trigger = job.trigger
    if trigger is None or state.paused_at is not None or state.is_held:
        return
    at = now
    if state.retry_at is not None and state.retry_at > now:
        at = state.retry_at
        if job.mode == "incremental":
            yield at
    while (due := next_after(trigger, at)) is not None:
        yield due
        at = due


def condition(state: JobState, job: Job, *, is_running: bool, now: float) -> str:
    """How a job is, in one word."""
    if is_running:
        return "running"
    if state.paused_at is not None:
        return "paused"
    if state.is_held:
        return "held"
    if state.retry_at is not None and state.retry_at > now:
        return "waiting"
    return "by hand" if job.is_by_hand else "ready"
