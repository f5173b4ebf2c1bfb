"""`recommenders prior`: other people's interactions, for homes that have too few of their own to learn from."""

from pathlib import Path
from typing import Annotated

import typer

from dateflicks.cli.environment import environment_of

app = typer.Typer(add_completion=False)


@app.callback(invoke_without_command=True)
def prior(ctx: typer.Context) -> None:
    """Learn from other people too: bring a MovieLens or MovieTweetings folder. Without a verb: list what there is.

    dateflicks recommenders prior add ~/Downloads/ml-latest-small
    """
    if ctx.invoked_subcommand is None:
        list_priors(ctx)


@app.command()
def add(
    ctx: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where it was unpacked.")],
    name: Annotated[str | None, typer.Option(metavar="NAME", help="What to call it; else as the folder.")] = None,
    accept_licence: Annotated[bool, typer.Option("--accept-licence", help="Its terms are read and accepted.")] = False,
) -> None:
    """Take in what other people watched; its terms are shown first, and somebody has to accept them.

    dateflicks recommenders prior add ml-1m --name movielens
    """
    from dateflicks.cli.priors import add as add_prior

    add_prior(environment_of(ctx), folder.expanduser(), name, is_accepted=accept_licence)


@app.command("list")
def list_priors(ctx: typer.Context) -> None:
    """List what was taken in."""
    from dateflicks.cli.priors import show_all

    show_all(environment_of(ctx))


@app.command()
def remove(ctx: typer.Context, name: Annotated[str, typer.Argument(metavar="NAME", help="Which one.")]) -> None:
    """Forget one of them; nothing else is changed."""
    from dateflicks.cli.priors import remove as remove_prior

    remove_prior(environment_of(ctx), name)
