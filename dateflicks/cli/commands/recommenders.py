"""Who recommends: the recommenders, how they are, runs by hand; how good they are, and which of them is used."""

from typing import Annotated

import typer

from dateflicks.cli.environment import environment_of

app = typer.Typer(add_completion=False)

COLUMNS = ("name", "state", "version", "users", "videos", "last_status", "last_run", "next_run", "attention")
RUNS = ("source", "status", "seconds", "counters.seen", "counters.new", "error")


@app.callback(invoke_without_command=True)
def recommenders(ctx: typer.Context) -> None:
    """See and run the recommenders. Without a verb: list them.

    dateflicks recommenders run all
    dateflicks recommenders run popularity --dry-run
    """
    if ctx.invoked_subcommand is None:
        list_recommenders(ctx)


@app.command("list")
def list_recommenders(ctx: typer.Context) -> None:
    """List the recommenders: how they are, whom their last run has lists for, and what a person should look at."""
    environment = environment_of(ctx)
    environment.show_all([], COLUMNS, empty="There are no recommenders.")


@app.command()
def run(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME|all", help="A recommender, or all that are switched on.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write nothing; count what would come.")] = False,
) -> None:
    """Run a recommender now: learn from what people did, and make everybody's lists.

    dateflicks recommenders run all
    """
    del ctx, name, dry_run


@app.command("ab-report")
def ab_report(
    ctx: typer.Context,
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="An experiment; without one, each in brief.")
    ] = None,
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="Only what was shown since then, such as 2026-11-01.")
    ] = None,
) -> None:
    """Tell what experiments have shown: the split, the counts, the difference, and what follows.

    dateflicks recommenders ab-report
    dateflicks recommenders ab-report lists --json
    """
    from dateflicks.cli.experiments import show_reports

    raise typer.Exit(show_reports(environment_of(ctx), name, since))


@app.command()
def assign(
    ctx: typer.Context,
    experiment: Annotated[str, typer.Argument(metavar="EXPERIMENT")],
    weights: Annotated[list[str] | None, typer.Argument(metavar="ARM=WEIGHT", help="New weights.")] = None,
    coverage: Annotated[
        float | None, typer.Option(min=0.0, max=1.0, help="The share of people, or pairs, who take part.")
    ] = None,
    stop: Annotated[bool, typer.Option("--stop", help="End it: everybody gets the default.")] = False,
    start: Annotated[bool, typer.Option("--start", help="Go on with one that was stopped.")] = False,
) -> None:
    """Change who gets which arm of an experiment; as few people as can be move.

    dateflicks recommenders assign lists edlae=3 blend=1
    dateflicks recommenders assign lists --stop
    """
    from dateflicks.cli.exits import Exit
    from dateflicks.cli.experiments import assign
    from dateflicks.cli.failures import CliError

    if stop and start:
        raise CliError(Exit.USAGE, "--stop and --start at once: say one of them.")
    state = "stopped" if stop else "running" if start else None
    assign(environment_of(ctx), experiment, weights or [], coverage=coverage, state=state)


@app.command()
def promote(
    ctx: typer.Context,
    name: Annotated[
        str, typer.Argument(metavar="ARM|ALGORITHM", help="An arm (EXPERIMENT:ARM where several have it).")
    ],
) -> None:
    """Make an arm of an experiment, or an algorithm, everybody's.

    dateflicks recommenders promote edlae
    """
    from dateflicks.cli.experiments import promote

    promote(environment_of(ctx), name)
