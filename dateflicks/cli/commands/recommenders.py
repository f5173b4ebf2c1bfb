"""Who recommends: the recommenders, how they are, runs by hand; how good they are, and which of them is used."""

from enum import StrEnum
from typing import Annotated

import typer

from dateflicks.cli.commands import priors
from dateflicks.cli.completing import names_of_people
from dateflicks.cli.environment import environment_of

app = typer.Typer(add_completion=False)
app.add_typer(priors.app, name="prior")


class Split(StrEnum):
    """How an evaluation holds films back: by chance, the last ones, or as the data was published."""

    RAND = "rand"
    TIME = "time"
    PUBLISHED = "published"


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
    from dateflicks.cli.recommenders import show_all

    show_all(environment_of(ctx))


@app.command()
def show(ctx: typer.Context, name: Annotated[str, typer.Argument(metavar="NAME", help="A recommender.")]) -> None:
    """Show one recommender in full, and what its last run was made of; its package is loaded for it."""
    from dateflicks.cli.recommenders import show_one

    show_one(environment_of(ctx), name)


@app.command()
def run(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME|all", help="A recommender, or all that are switched on.")],
    user: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Make only this person's lists anew.", autocompletion=names_of_people),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write nothing; count what would come.")] = False,
) -> None:
    """Run a recommender now: learn from what people did, and make everybody's lists.

    dateflicks recommenders run all
    dateflicks recommenders run edlae --user ana

    With --user it learns from everybody all the same, which is what takes long, and
    then replaces the lists of this person, alone and with others, among those that
    people see now. When it is due for everybody does not change.
    """
    from dateflicks.cli.recommenders import run

    raise typer.Exit(run(environment_of(ctx), name, is_dry=dry_run, user=user))


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
    experiment: Annotated[str, typer.Argument(metavar="EXPERIMENT", help="Which one.")],
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


@app.command()
def evaluate(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME|all", help="A recommender, or all that are built in.")],
    data: Annotated[
        str, typer.Option(metavar="FOLDER", help="Ratings, as MovieLens or RecBole has them; 'synthetic' draws some.")
    ],
    split: Annotated[
        Split | None, typer.Option(help="How films are held back; else as published, or by chance.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="For all that chance does.")] = 42,
    at: Annotated[int, typer.Option(min=1, max=1_000, help="How long the lists are.")] = 20,
    no_tune: Annotated[bool, typer.Option("--no-tune", help="Take the settings as they are.")] = False,
    threads: Annotated[int | None, typer.Option(min=1, help="How many to use; else as in the settings.")] = None,
    pairs: Annotated[int, typer.Option(min=0, help="Lists for so many pairs instead, in several ways.")] = 0,
    home: Annotated[int, typer.Option(min=0, max=8, help="Homes of so many people instead, with a prior.")] = 0,
    homes: Annotated[int, typer.Option(min=1, help="How many homes.")] = 25,
    prior: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="For homes: this prior, not the others of the data.")
    ] = None,
) -> None:
    """Measure a recommender on films that are held back: 70 % to learn from, 10 % to choose settings, 20 % to test.

    dateflicks recommenders evaluate blend --data ml-1m
    dateflicks recommenders evaluate edlae --data ml-100k --split time --json
    dateflicks recommenders evaluate blend --data ml-1m --pairs 1000
    """
    from dateflicks.cli.evaluating import Asked
    from dateflicks.cli.evaluating import evaluate as measure

    asked = Asked(
        name=name, data=data, split=split and split.value, seed=seed, at=at, is_tuned=not no_tune, threads=threads,
        pairs=pairs, home=home, homes=homes, priors=tuple(prior or ()),
    )  # fmt: skip
    measure(environment_of(ctx), asked)
