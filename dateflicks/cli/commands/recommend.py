"""`recommend`: what `recommenders` has, under the shorter name, and beside it what one says of films oneself."""

import typer

from dateflicks.cli.commands import recommendations, recommenders

app = typer.Typer(add_completion=False)
app.registered_callback = recommenders.app.registered_callback
app.registered_commands = [*recommenders.app.registered_commands]
app.registered_groups = [*recommenders.app.registered_groups]
app.command()(recommendations.rate)
