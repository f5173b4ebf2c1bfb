"""What happens by itself: jobs, when they run, how they went; and the program that runs them."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dateflicks.cli.background import Background, background_of, exit_of, on_stop, opened, shown, supervisor_of, time_of
from dateflicks.cli.environment import CliEnvironment, environment_of

if TYPE_CHECKING:
    from dateflicks.server.jobs.records import JobState

app = typer.Typer(add_completion=False)

COLUMNS = ("name", "state", "schedule", "last_status", "last_run", "next_run", "attention")
NEXT = ("at", "job")
HISTORY = (
    "started_at",
    "job",
    "trigger",
    "status",
    "seconds",
    "counters.new",
    "counters.changed",
    "counters.removed",
    "error",
)

JobArgument = Annotated[
    str, typer.Argument(metavar="JOB", help="Its name: archive, archive:full, merge, recommend-blend.")
]
LimitOption = Annotated[int, typer.Option(min=1, max=200, help="At most so many.")]
TriggerOption = Annotated[str, typer.Option(hidden=True)]


@app.callback(invoke_without_command=True)
def jobs(ctx: typer.Context) -> None:
    """See and steer what happens by itself. Without a verb: list it.

    dateflicks jobs start
    dateflicks jobs next
    dateflicks jobs history archive
    """
    if ctx.invoked_subcommand is None:
        list_jobs(ctx)


@app.command("list")
def list_jobs(ctx: typer.Context) -> None:
    """List the jobs, how they are, and what a person should look at."""
    environment = environment_of(ctx)
    environment.show_all(environment.run(_list(environment)), COLUMNS, empty="There are no jobs.")


@app.command("next")
def next_runs(ctx: typer.Context, limit: LimitOption = 20) -> None:
    """Show what runs next, if 'dateflicks jobs start' does."""
    environment = environment_of(ctx)
    environment.show_all(environment.run(_next(environment, limit)), NEXT, empty="Nothing runs by itself.")


@app.command()
def run(
    ctx: typer.Context,
    job: JobArgument,
) -> None:
    """Run a job now, and wait for its end."""
    from dateflicks.cli.running import run_all
    from dateflicks.server.jobs.supervising import Wish

    environment = environment_of(ctx)
    background = background_of(environment)
    wanted = background.job(job)
    runs = environment.run(run_all(environment, background, [wanted], Wish()))
    environment.show(shown(runs[0]), HISTORY)
    raise typer.Exit(exit_of(runs))


@app.command()
def history(
    ctx: typer.Context,
    job: Annotated[str | None, typer.Argument(metavar="JOB", help="Only of this one.")] = None,
    limit: LimitOption = 20,
) -> None:
    """List the last runs, the newest first."""
    environment = environment_of(ctx)
    found = environment.run(_history(environment, job, limit))
    environment.show_all(found, HISTORY, empty="Nothing has run yet.")


@app.command()
def pause(ctx: typer.Context, job: JobArgument) -> None:
    """Let a job run no more by itself; a source's two jobs pause together."""
    _set(ctx, job, is_paused=True)


@app.command()
def resume(ctx: typer.Context, job: JobArgument) -> None:
    """Let a job run by itself again, as if it had never failed."""
    _set(ctx, job, is_paused=False)


@app.command()
def start(ctx: typer.Context) -> None:
    """Run the jobs when they are due, until told to stop.

    On SIGTERM what runs is asked to come to an end and is waited for; what it has
    written stays, and the next run goes on from there.
    """
    environment = environment_of(ctx)
    environment.run(_start(environment, background_of(environment)))


@app.command("exec", hidden=True)
def execute(
    ctx: typer.Context,
    job: JobArgument,
    run: Annotated[str, typer.Option(metavar="ID")],
    trigger: TriggerOption = "manual",
    limit: Annotated[int | None, typer.Option(min=1)] = None,
    since: Annotated[float | None, typer.Option()] = None,
    user: Annotated[str | None, typer.Option(metavar="ID")] = None,
    confirm_removals: Annotated[bool, typer.Option("--confirm-removals")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run")] = False,
) -> None:
    """Do the work of one run: started by what runs jobs, not by hand."""
    from typing import cast

    from dateflicks.server.jobs.executing import Work, execute
    from dateflicks.server.jobs.supervising import Wish
    from dateflicks.server.observe.logs import configure_logs
    from dateflicks.server.providers.records import Trigger

    background = background_of(environment_of(ctx))
    wish = Wish(
        trigger=cast(Trigger, trigger), limit=limit, since=since, is_confirmed=confirm_removals, is_dry=dry_run,
        user=user,
    )  # fmt: skip
    configure_logs("info", console=False)
    execute(
        Work(
            job=background.job(job),
            run_id=run,
            wish=wish,
            settings=background.settings,
            recommenders=background.recommenders,
            database=background.database,
            folder=background.folder,
        )
    )


async def _list(environment: CliEnvironment) -> list[dict[str, Any]]:
    background = background_of(environment)
    async with opened(background) as database:
        supervisor = supervisor_of(environment, background, database)
        subjects = list(dict.fromkeys(job.subject for job in background.jobs))
        states = await supervisor.store.states(subjects)
        running = {one for one in subjects if await supervisor.leases.is_held(one)}
        last = {job.name: await supervisor.store.runs_of(job.subject, job.name, limit=1) for job in background.jobs}
    from dateflicks.server.jobs.outlook import condition, next_run

    now = environment.now().timestamp()
    found = []
    for job in background.jobs:
        state = states[job.subject]
        before = next(iter(last[job.name]), None)
        found.append(
            {
                "name": job.name,
                "state": condition(state, job, is_running=job.subject in running, now=now),
                "schedule": job.schedule or ("after changes" if job.kind == "merge" else None),
                "last_status": None if before is None else before.status or "running",
                "last_run": time_of(before.started_at) if before is not None else None,
                "next_run": time_of(next_run(job, state, now)),
                "attention": state.attention,
            }
        )
    return found


async def _next(environment: CliEnvironment, limit: int) -> list[dict[str, Any]]:
    from dateflicks.server.jobs.outlook import upcoming
    from dateflicks.server.jobs.store import JobStore

    background = background_of(environment)
    async with opened(background) as database:
        states = await JobStore(database).states(job.subject for job in background.jobs)
    found = upcoming(background.jobs, states, environment.now().timestamp(), limit)
    return [{"at": time_of(at), "job": job.name} for at, job in found]


async def _history(environment: CliEnvironment, name: str | None, limit: int) -> list[dict[str, Any]]:
    from dateflicks.server.jobs.store import JobStore

    background = background_of(environment)
    job = background.job(name) if name is not None else None
    async with opened(background) as database:
        store = JobStore(database)
        runs = await (store.runs_of(job.subject, job.name, limit=limit) if job else store.runs(limit=limit))
    return [shown(one) for one in runs]


def _set(ctx: typer.Context, name: str, *, is_paused: bool) -> None:
    environment = environment_of(ctx)
    background = background_of(environment)
    subject = background.job(name).subject
    environment.run(_pause(background, subject, is_paused=is_paused))
    words = "is paused" if is_paused else "runs by itself again, if it has a schedule"
    environment.say(f"{subject} {words}.")


async def _pause(background: Background, subject: str, *, is_paused: bool) -> None:
    from msgspec.structs import replace

    from dateflicks.server.jobs.store import JobStore

    now = datetime.now(UTC).timestamp()

    def paused(state: "JobState") -> "JobState":
        return replace(state, paused_at=state.paused_at or now)

    def resumed(state: "JobState") -> "JobState":
        return replace(state, paused_at=None, rung=0, retry_at=None, is_held=False, attention=None)

    async with opened(background) as database:
        await JobStore(database).change(subject, paused if is_paused else resumed)


async def _start(environment: CliEnvironment, background: Background) -> None:
    import asyncio

    from dateflicks.server.jobs.scheduling import Scheduler
    from dateflicks.server.observe.logs import configure_logs, kept_log

    configure_logs("debug" if environment.verbosity else "info")
    stopping = asyncio.Event()
    with on_stop(stopping.set), kept_log(background.folder, "jobs"):
        async with opened(background) as database:
            supervisor = supervisor_of(environment, background, database)
            scheduler = Scheduler(database, supervisor, background.jobs)
            due = sum(bool(job.schedule) for job in background.jobs)
            await scheduler.run(stopping, lambda: environment.say(f"Running {due} jobs when they are due."))
