"""Where the collection comes from: the sources, how they are, and runs of them by hand."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from dateflicks.cli.background import Background, background_of, exit_of, opened, shown, supervisor_of, time_of
from dateflicks.cli.environment import CliEnvironment, environment_of
from dateflicks.cli.exits import Exit
from dateflicks.cli.failures import CliError, nearest
from dateflicks.cli.moments import moment_of

if TYPE_CHECKING:
    from dateflicks.server.jobs.declared import Job
    from dateflicks.server.jobs.records import JobState
    from dateflicks.server.providers.discovery import Found

app = typer.Typer(add_completion=False)

COLUMNS = ("name", "state", "titles", "last_status", "last_run", "next_run", "attention")
DETAILS = (
    *COLUMNS, "fresh_as_of", "schedule", "full_schedule", "package", "version", "capabilities", "hosts", "attribution",
)  # fmt: skip
RUNS = (
    "source", "mode", "status", "seconds", "counters.seen", "counters.new", "counters.changed", "counters.unchanged",
    "counters.removed", "counters.quarantined", "error",
)  # fmt: skip
CREDITS = ("name", "attribution")


@app.callback(invoke_without_command=True)
def providers(ctx: typer.Context) -> None:
    """See and run the sources of films. Without a verb: list them.

    dateflicks providers run archive
    dateflicks providers run all --dry-run
    dateflicks providers show jellyfin
    """
    if ctx.invoked_subcommand is None:
        list_sources(ctx)


@app.command("list")
def list_sources(ctx: typer.Context) -> None:
    """List the sources: how they are, how many titles they have, and what a person should look at."""
    environment = environment_of(ctx)
    background = background_of(environment)
    found = environment.run(_all(environment, background, background.found))
    environment.show_all(found, COLUMNS, empty="There are no sources.")


@app.command()
def show(ctx: typer.Context, name: Annotated[str, typer.Argument(metavar="NAME", help="A source.")]) -> None:
    """Show one source in full; its package is loaded for it."""
    environment = environment_of(ctx)
    background = background_of(environment)
    source = _the_source(background, name)
    (found,) = environment.run(_all(environment, background, [source]))
    environment.show(found | _loaded(source), DETAILS)


@app.command()
def run(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME|all", help="A source, or all that are switched on.")],
    limit: Annotated[int | None, typer.Option(min=1, help="Stop after so many titles.")] = None,
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="What has changed since then, such as 2026-11-01.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write nothing; count what would come.")] = False,
    full: Annotated[bool, typer.Option("--full", help="Everything, and not only what is new.")] = False,
    confirm_removals: Annotated[
        bool, typer.Option("--confirm-removals", help="Believe that so many titles are gone.")
    ] = False,
) -> None:
    """Run a source now: read what it offers, and put it into the collection.

    dateflicks providers run archive --limit 200
    dateflicks providers run netflix --since 2026-11-01
    """
    from dateflicks.cli.running import run_all
    from dateflicks.server.jobs.supervising import Wish

    environment = environment_of(ctx)
    background = background_of(environment)
    if full and since is not None:
        raise CliError(Exit.USAGE, "--full reads everything, --since only what has changed: say one of them.")
    wish = Wish(limit=limit, since=moment_of("--since", since), is_confirmed=confirm_removals, is_dry=dry_run)
    jobs = _wanted(background, name, is_full=full)
    if jobs and wish.since is not None:
        jobs = environment.run(_that_go_back(environment, background, jobs, wish.since, is_alone=name != "all"))
        if not jobs:
            return  # why is said
    if not jobs:
        environment.say(
            "No source is switched on.", "Switch one on in providers.toml, or name one: providers run NAME."
        )
        return
    runs = environment.run(run_all(environment, background, jobs, wish))
    if name == "all":
        environment.show_all([shown(one) for one in runs], RUNS, empty="Nothing was run.")
    else:
        environment.show(shown(runs[0]), RUNS)
    raise typer.Exit(exit_of(runs))


@app.command("credits")
def list_credits(ctx: typer.Context) -> None:
    """Show whose data the collection is made of, in the words that they ask for."""
    environment = environment_of(ctx)
    environment.show_all(
        environment.run(_credits(background_of(environment))), CREDITS, empty="Nothing in the collection asks for it."
    )


def _the_source(background: Background, name: str) -> "Found":
    for one in background.found:
        if one.name == name:
            return one
    known = [one.name for one in background.found]
    raise CliError(Exit.NOT_FOUND, f"There is no source '{name}'.", hint=nearest(name, known))


def _wanted(background: Background, name: str, *, is_full: bool) -> "list[Job]":
    from dateflicks.server.jobs.declared import FULL

    suffix = FULL if is_full else ""
    if name != "all":
        _the_source(background, name)
        return [background.job(name + suffix)]
    on = {job.subject for job in background.jobs if job.kind == "source" and job.schedule}
    return [job for job in background.jobs if job.subject in on and job.name == job.subject + suffix]


async def _that_go_back(
    environment: CliEnvironment, background: Background, jobs: "list[Job]", since: float, *, is_alone: bool
) -> "list[Job]":
    """Those that can be asked for what has changed since then; why the others cannot is said. Raises CliError."""
    from dateflicks.server.jobs.executing import went_back
    from dateflicks.server.providers.discovery import BrokenSource, load
    from dateflicks.server.providers.ledger import DatabaseLedger
    from dateflicks.server.providers.source import SourceError

    able = []
    async with opened(background) as database:
        for job in jobs:
            problem = None
            try:
                if "incremental" in load(_the_source(background, job.subject)).capabilities:
                    went_back(await DatabaseLedger(database, job.subject).load(), since)
                else:
                    problem = f"The source '{job.subject}' does not look for changes: each run reads everything."
            except BrokenSource:
                pass  # which its run tells
            except SourceError:
                problem = f"The source '{job.subject}' was never read in full, or does not note when it was."
            if problem is None:
                able.append(job)
            elif is_alone:
                raise CliError(Exit.USAGE, problem, hint=f"Leave out --since: dateflicks providers run {job.subject}")
            else:
                environment.say(f"{job.name} is left out. {problem}")
    return able


async def _all(environment: CliEnvironment, background: Background, sources: "list[Found]") -> list[dict[str, Any]]:
    from dateflicks.server.jobs.outlook import condition, next_run

    now = environment.now().timestamp()
    jobs = {job.name: job for job in background.jobs if job.kind == "source"}
    async with opened(background) as database:
        supervisor = supervisor_of(environment, background, database)
        states = await supervisor.store.states(one.name for one in sources)
        found = []
        for one in sources:
            state, job = states[one.name], jobs.get(one.name)
            record: dict[str, Any] = {"name": one.name, "package": one.package, "version": one.version}
            if one.problem or job is None:
                problem = one.problem or "the name is taken by a job"
                found.append(record | {"state": "not used", "attention": problem})
                continue
            runs = await supervisor.store.runs(one.name, limit=1)
            is_running = await supervisor.leases.is_held(one.name)
            full = jobs[f"{one.name}:full"]
            times = [at for at in (next_run(job, state, now), next_run(full, state, now)) if at is not None]
            found.append(
                record
                | {
                    "state": condition(state, job, is_running=is_running, now=now),
                    "titles": state.titles,
                    "last_status": (runs[0].status or "running") if runs else None,
                    "last_run": time_of(runs[0].started_at) if runs else None,
                    "next_run": time_of(min(times)) if times else None,
                    "attention": _attention(one.name, state),
                    "fresh_as_of": time_of(state.good_at),
                    "schedule": job.schedule or None,
                    "full_schedule": full.schedule or None,
                }
            )
    return found


def _attention(name: str, state: "JobState") -> str | None:
    """What a person should look at, and what to do about it where it does nothing by itself any more."""
    if not state.is_held:
        return state.attention
    mended = f"Mend its settings, then 'dateflicks providers run {name}'; until then it does not run by itself."
    return f"{state.attention} {mended}" if state.attention else mended


def _loaded(found: "Found") -> dict[str, Any]:
    """What a source says of itself."""
    from dateflicks.server.providers.discovery import BrokenSource, load

    if found.problem:
        return {}
    try:
        source = load(found)
    except BrokenSource as error:
        return {"state": "broken", "attention": f"broken: {error}"}
    return {
        "capabilities": ", ".join(sorted(source.capabilities)),
        "hosts": ", ".join(source.hosts),
        "attribution": source.attribution,
    }


async def _credits(background: Background) -> list[dict[str, Any]]:
    from dateflicks.server.catalogue.sources import KIND, SOURCES

    async with opened(background) as database:
        found = await database.table(SOURCES).find("kind", KIND, limit=200)
    named = sorted((one for one in found if one.get("attribution")), key=lambda one: str(one["name"]))
    return [{"name": one["name"], "attribution": one["attribution"]} for one in named]
