"""What a run means for the next: when it is tried again after a failure, or that a person must look first. Pure."""

from typing import Final

from msgspec.structs import replace

from dateflicks.server.jobs.records import JobRun, JobState

MINUTE: Final = 60.0
HOUR: Final = 3_600.0
RUNGS: Final = (
    MINUTE, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, 24 * HOUR,
)  # fmt: skip
OFFLINE: Final = "NoNetwork"  # the error's class when it is this machine that has no network
FAILED: Final = frozenset({"failed", "partial", "timeout", "killed", "lost"})


def after(state: JobState, run: JobRun, now: float) -> JobState:
    """The state after a run has ended.

    A failure waits as long as its rung says and raises it; success lowers it by one, so that what keeps failing now and
    then is not taken for well at once. A machine without a network raises nothing, and a quota names its own time.
    """
    if run.status not in FAILED:
        return _after_success(state, run, now) if run.is_good else state
    if run.status == "partial" and run.error is None:
        return state  # it was asked to stop, or had a limit
    state = replace(state, attention=_attention(run), is_held=run.error_kind == "auth")
    if run.error_kind == "auth":
        return replace(state, retry_at=None)
    if run.resume_at is not None:
        return replace(state, retry_at=run.resume_at)
    if run.error_class == OFFLINE:
        return replace(state, retry_at=now + RUNGS[min(max(state.rung - 1, 0), len(RUNGS) - 1)])
    rung = min(state.rung, len(RUNGS) - 1)
    return replace(state, rung=min(rung + 1, len(RUNGS)), retry_at=now + RUNGS[rung])


def _after_success(state: JobState, run: JobRun, now: float) -> JobState:
    held = f"{run.removals_held} titles are gone, too many to be believed: look, then say --confirm-removals."
    return replace(
        state,
        rung=max(state.rung - 1, 0),
        retry_at=None,
        attention=held if run.removals_held else None,
        is_held=False,
        good_at=now,
    )


def _attention(run: JobRun) -> str:
    kind = run.error_kind or run.status
    return f"{kind}: {run.error or 'see its last run'}"


def may_run(state: JobState, now: float) -> bool:
    """Whether it may run by itself at this moment."""
    return state.paused_at is None and not state.is_held and (state.retry_at is None or state.retry_at <= now)
