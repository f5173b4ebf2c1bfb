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
