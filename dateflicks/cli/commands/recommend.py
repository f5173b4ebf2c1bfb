"""`recommend`: what `recommenders` has, under the shorter name, and beside it what one says of films oneself."""

from typing import Annotated

import typer

from dateflicks.cli.commands import recommendations, recommenders
from dateflicks.cli.exits import Exit
from dateflicks.cli.failures import CliError

app = typer.Typer(add_completion=False)
app.registered_callback = recommenders.app.registered_callback
app.registered_commands = [one for one in recommenders.app.registered_commands if one.name != "list"]
app.registered_groups = [*recommenders.app.registered_groups]
app.command()(recommendations.rate)


@app.command("list")
def list_recommenders(
    ctx: typer.Context, with_: Annotated[str | None, typer.Option("--with", metavar="NAME", hidden=True)] = None
) -> None:
    """List the recommenders: how they are, whom their last run has lists for, and what a person should look at."""
    if with_ is not None:
        hint = f"What to watch together: dateflicks recommendations list --with {with_}"
        raise CliError(Exit.USAGE, "This lists who recommends, not what is recommended.", hint=hint)
    recommenders.list_recommenders(ctx)
