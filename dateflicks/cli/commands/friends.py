"""The people you watch with: a list of your own."""

from typing import TYPE_CHECKING, Annotated

import typer

from dateflicks.cli.completing import names_of_people, remember
from dateflicks.cli.environment import CliEnvironment, environment_of
from dateflicks.cli.exits import Exit
from dateflicks.cli.failures import CliError, nearest

if TYPE_CHECKING:
    from dateflicks.protocol.bodies import Friend

app = typer.Typer(add_completion=False)

COLUMNS = ("name", "since", "evenings", "last_evening_at")
DETAILS = ("name", "since", "evenings", "last_evening_at", "user_id")

LimitOption = Annotated[int, typer.Option("--limit", "-n", min=1, help="At most so many.")]


@app.callback(invoke_without_command=True)
def friends(ctx: typer.Context) -> None:
    """List the people you watch with. Without a verb: list them.

    dateflicks friends add bea
    dateflicks friends list -o plain | fzf | cut -f1
    """
    if ctx.invoked_subcommand is None:
        list_friends(ctx)


@app.command("list")
def list_friends(ctx: typer.Context, limit: LimitOption = 200) -> None:
    """List them by name: since when, how many evenings together, and when the last one was."""
    environment = environment_of(ctx)
    found = environment.run(_list(environment, limit))
    remember(environment, [], [one.name for one in found])
    environment.show_all(
        found, COLUMNS, empty="Nobody is on your list. Add somebody with 'dateflicks friends add NAME'."
    )


@app.command()
def add(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Their whole name.", autocompletion=names_of_people)],
) -> None:
    """Put somebody on your list. They are told nothing, and may do nothing that they might not before."""
    environment = environment_of(ctx)
    found = environment.run(_add(environment, name))
    remember(environment, [], [found.name])
    environment.show(found, DETAILS)
    environment.say(
        f"{found.name} is on your list. Ask them with 'dateflicks session create VIDEO --guest {found.name}'."
    )


@app.command()
def remove(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Their name.", autocompletion=names_of_people)],
) -> None:
    """Take somebody off your list. Your sessions stay as they are."""
    environment = environment_of(ctx)
    environment.run(_remove(environment, name))
    environment.say(f"{name} is not on your list any more.")


async def _list(environment: CliEnvironment, limit: int) -> "list[Friend]":
    from dateflicks.client.people import friends

    async with environment.connect() as client:
        return [one async for one in friends(client, limit=limit)]


async def _add(environment: CliEnvironment, name: str) -> "Friend":
    from dateflicks.client.errors import NotThere
    from dateflicks.client.people import add_friend

    async with environment.connect() as client:
        try:
            return await add_friend(client, name)
        except NotThere:
            raise CliError(
                Exit.NOT_FOUND,
                f"There is nobody of the name '{name}'.",
                hint="Ask them how they are called here, or send them a link: dateflicks session create VIDEO --link",
            ) from None


async def _remove(environment: CliEnvironment, name: str) -> None:
    from dateflicks.client.errors import NotThere
    from dateflicks.client.people import friends, remove_friend

    async with environment.connect() as client:
        try:
            await remove_friend(client, name)
        except NotThere:
            names = [one.name async for one in friends(client)]
            hint = nearest(name, names) if names else "Nobody is on it."
            raise CliError(Exit.NOT_FOUND, f"'{name}' is not on your list.", hint=hint) from None
