"""Running jobs from the command line: one after the other, films made of what has changed, and what became of each."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from dateflicks.cli.background import Background, on_stop, opened, supervisor_of
from dateflicks.cli.environment import CliEnvironment
from dateflicks.cli.exits import Exit
from dateflicks.cli.failures import CliError
from dateflicks.cli.progress import Tell, progress, told

if TYPE_CHECKING:
    from dateflicks.server.jobs.declared import Job
    from dateflicks.server.jobs.records import JobRun
    from dateflicks.server.jobs.supervising import Supervisor, Wish

AT_ONCE: Final = 2
MERGE_PATIENCE_SECONDS: Final = 60.0


async def run_all(
    environment: CliEnvironment, background: Background, jobs: "Sequence[Job]", wish: "Wish"
) -> "list[JobRun]":
    """Run these, two at a time, and tell how each ended. Raises CliError when the only one is being run already."""
    async with opened(background) as database:
        supervisor = supervisor_of(environment, background, database)
        with on_stop(supervisor.stop) as stopped, progress(environment) as tell:
            places = asyncio.Semaphore(AT_ONCE)

            async def one(job: "Job") -> "JobRun | None":
                async with places:
                    if stopped:
                        return None
                    return await _one(environment, supervisor, job, wish, tell, is_alone=len(jobs) == 1)

            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(one(job)) for job in jobs]
            runs = [run for run in (task.result() for task in tasks) if run is not None]
            if not stopped and not wish.is_dry:
                await _merge(environment, background, supervisor)
        if stopped:
            raise KeyboardInterrupt
        return runs


async def _one(
    environment: CliEnvironment, supervisor: "Supervisor", job: "Job", wish: "Wish", tell: Tell, *, is_alone: bool
) -> "JobRun":
    from dateflicks.server.jobs.leases import LeaseHeld
    from dateflicks.server.providers.records import Counters

    tell(job.name, Counters())  # a place that does not answer is tried for long before there is anything to count
    try:
        run = await supervisor.run(job, wish, lambda counters: tell(job.name, counters))
    except LeaseHeld as held:
        if is_alone:
            raise CliError(Exit.REFUSED, str(held), hint="See it with 'dateflicks jobs list'.") from None
        run = await supervisor.note(job, "skipped", str(held), "manual")
    environment.say(f"{job.name}: {run.status}, {told(run.counters)}" + (f". {run.error}" if run.error else ""))
    if run.removals_held:
        environment.say(
            f"{run.removals_held} titles of {job.subject} are gone, too many to be believed. They stay for now.",
            "If it is right, run it again with --full --confirm-removals.",
        )
    return run


async def _merge(environment: CliEnvironment, background: Background, supervisor: "Supervisor") -> None:
    """Make films of what has changed, whoever has changed it."""
    from dateflicks.server.jobs.declared import MERGE
    from dateflicks.server.jobs.leases import LeaseHeld
    from dateflicks.server.jobs.supervising import Wish

    if not (await supervisor.store.state(MERGE)).has_work:
        return
    try:
        made = await supervisor.run(background.job(MERGE), Wish(trigger="change", patience=MERGE_PATIENCE_SECONDS))
    except LeaseHeld:
        environment.say("Films are made of it by the next 'merge'.")
        return
    if made.status in ("ok", "unchanged"):
        changed = made.counters.changed
        environment.say(f"{changed} film{' was' if changed == 1 else 's were'} written.")
    else:
        environment.say(f"Films could not be made of it: {made.error}", "Try again with 'dateflicks jobs run merge'.")
