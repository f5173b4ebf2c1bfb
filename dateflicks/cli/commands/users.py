"""The accounts of a deployment, for whoever keeps it: straight at the database, whether services run or not."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dateflicks.cli.databases import Place
from dateflicks.cli.environment import CliEnvironment, environment_of
from dateflicks.cli.exits import Exit
from dateflicks.cli.failures import CliError, nearest
from dateflicks.cli.output import Format

if TYPE_CHECKING:
    from dateflicks.server.upkeep.people import Details

app = typer.Typer(add_completion=False)

STATES = ("active", "token only", "disabled", "half erased", "erased")
COLUMNS = ("id", "name", "state", "created_at")
DETAILS = (
    "id",
    "name",
    "state",
    "created_at",
    "disabled_at",
    "sign_ins",
    "last_sign_in_at",
    "hosted",
    "joined",
    "friends",
)
PASSWORD = ("name", "password")
ERASED = ("id", "sessions", "messages", "predictions", "ratings", "shown", "lists", "friends", "sign_ins")

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="The account's name, or its id.")]
DataOption = Annotated[Path | None, typer.Option(metavar="DIR", help="The folder of the data.")]
ServiceOption = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="By the settings of 'session', where services run alone.",
        autocompletion=lambda: ["all", "session"],
    ),
]
FromStdin = Annotated[bool, typer.Option("--password-stdin", help="Read the password from the first line of stdin.")]


@app.callback(invoke_without_command=True)
def users(ctx: typer.Context) -> None:
    """Keep the accounts of a deployment. Without a verb: list them.

    dateflicks users list
    dateflicks users disable ana
    dateflicks users export ana > ana.json

    Type it where the database is: nobody is asked who they are.
    Services may run meanwhile, and obey within seconds.
    """
    if ctx.invoked_subcommand is None:
        list_users(ctx)


@app.command("list")
def list_users(
    ctx: typer.Context,
    state: Annotated[
        str,
        typer.Option(metavar="STATE", help=f"Only those: {', '.join(STATES)}.", autocompletion=lambda: STATES),
    ] = "",
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="At most so many.")] = 200,
    service: ServiceOption = "all",
    data: DataOption = None,
) -> None:
    """List accounts by name."""
    from dateflicks.cli.people import is_there, listed

    environment = environment_of(ctx)
    if state and state not in STATES:
        raise CliError(Exit.USAGE, f"There is no state '{state}'.", hint=nearest(state, STATES))
    place = _place(environment, service, data)
    found = environment.run(listed(place, state, limit)) if is_there(place) else []
    empty = (
        f"No such accounts at {place.name}."
        if is_there(place)
        else f"There is no database yet at {place.name}; services make it."
    )
    environment.show_all(found, COLUMNS, empty=empty)


@app.command()
def show(ctx: typer.Context, name: NameArgument, service: ServiceOption = "all", data: DataOption = None) -> None:
    """Show one account, and how much belongs to it."""
    from dateflicks.cli.people import shown

    environment = environment_of(ctx)
    environment.show(environment.run(shown(_place(environment, service, data), name)), DETAILS)


@app.command()
def create(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The account's name.")],
    password_stdin: FromStdin = False,
    service: ServiceOption = "all",
    data: DataOption = None,
) -> None:
    """Make an account, and print a password for one time: whoever signs in with it chooses their own.

    dateflicks users create ana
    """
    from dateflicks.cli.people import created
    from dateflicks.server.services.session.records import can_be_name

    environment = environment_of(ctx)
    if not can_be_name(name):
        hint = "Take 2 to 32 letters, digits, _ and -."
        raise CliError(Exit.USAGE, f"Nobody can be called '{name}'.", hint=hint)
    password = _password(password_stdin)
    found = environment.run(created(_place(environment, service, data), name, password, is_one_time=not password_stdin))
    environment.say(f"There is an account {found.name} now ({found.id}).")
    _show_password(environment, found.name, password, is_told=not password_stdin)


@app.command()
def disable(ctx: typer.Context, name: NameArgument, service: ServiceOption = "all", data: DataOption = None) -> None:
    """Sign somebody out everywhere, and let them not sign in until you enable the account."""
    environment = environment_of(ctx)
    found, count = environment.run(_disable(_place(environment, service, data), name))
    environment.show(found, DETAILS)
    environment.say(f"{found.name} cannot sign in. Sign-ins that have ended: {count}.")


@app.command()
def enable(ctx: typer.Context, name: NameArgument, service: ServiceOption = "all", data: DataOption = None) -> None:
    """Let somebody sign in again."""
    environment = environment_of(ctx)
    found = environment.run(_enable(_place(environment, service, data), name))
    environment.show(found, DETAILS)
    environment.say(f"{found.name} can sign in.")


@app.command("reset-password")
def reset_password(
    ctx: typer.Context,
    name: NameArgument,
    password_stdin: FromStdin = False,
    service: ServiceOption = "all",
    data: DataOption = None,
) -> None:
    """Print a password for one time, and sign them out everywhere: whoever signs in with it chooses their own.

    dateflicks users reset-password ana
    """
    environment = environment_of(ctx)
    password = _password(password_stdin)
    found, count = environment.run(
        _reset(_place(environment, service, data), name, password, is_one_time=not password_stdin)
    )
    environment.say(f"The password of {found.name} is another one. Sign-ins that have ended: {count}.")
    _show_password(environment, found.name, password, is_told=not password_stdin)


@app.command()
def export(ctx: typer.Context, name: NameArgument, service: ServiceOption = "all", data: DataOption = None) -> None:
    """Write everything that is kept of somebody as JSON, to hand it to them. With -o jsonl: a line each.

    dateflicks users export ana > ana.json

    It has no secrets, and nothing that others have said.
    """
    from dateflicks.cli.people import export_to

    environment = environment_of(ctx)
    if environment.output in (Format.TABLE, Format.PLAIN) or environment.fields:
        raise CliError(Exit.USAGE, "An export is whole, as JSON or JSON lines.", hint="Say -o jsonl, or nothing.")
    environment.run(export_to(environment, _place(environment, service, data), name, environment.output or Format.JSON))


@app.command()
def erase(ctx: typer.Context, name: NameArgument, service: ServiceOption = "all", data: DataOption = None) -> None:
    """Erase somebody: what is theirs is deleted, what they made with others stays there without name and words.

    dateflicks users export ana > ana.json
    dateflicks users erase ana

    Messages keep their places, evenings stay in the history of the other one. It cannot be taken back.
    """
    from dateflicks.cli.people import erased, lacking, shown

    environment = environment_of(ctx)
    place = _place(environment, service, data)
    found = environment.run(shown(place, name))
    if left := lacking(place):
        environment.complain(f"Not in {place.name}, and so not reached: {', '.join(left)}.")
    if found.state != "erased":
        environment.agree(
            f"Erase {found.name} ({found.hosted} sessions as host, {found.joined} as guest)? It cannot be taken back."
        )
    done = environment.run(erased(environment, place, found.id))
    environment.show({"id": found.id, **{name: done.get(name, 0) for name in ERASED[1:]}}, ERASED)
    if found.state == "erased":
        environment.say(f"{found.id} was erased before; what had come since is gone too.")
    else:
        environment.say(f"{found.name} is erased. Backups that were made before still have everything.")


def _place(environment: CliEnvironment, service: str, data: Path | None) -> Place:
    from dateflicks.cli.people import place_of_accounts

    return place_of_accounts(environment, service, data)


def _password(from_stdin: bool) -> str:
    """The one on stdin, or one that is made up. Raises CliError."""
    from dateflicks.core.limits import PASSWORD_MAX_CHARACTERS, PASSWORD_MIN_CHARACTERS
    from dateflicks.server.upkeep.people import one_time_password

    if not from_stdin:
        return one_time_password()
    found = sys.stdin.readline().rstrip("\r\n")
    if not PASSWORD_MIN_CHARACTERS <= len(found) <= PASSWORD_MAX_CHARACTERS:
        what = f"A password has {PASSWORD_MIN_CHARACTERS} to {PASSWORD_MAX_CHARACTERS} characters, not {len(found)}."
        raise CliError(Exit.USAGE, what, hint="Give it on the first line of stdin.")
    return found


def _show_password(environment: CliEnvironment, name: str, password: str, *, is_told: bool) -> None:
    if is_told:
        environment.show({"name": name, "password": password}, PASSWORD)
        environment.say("It is shown only here and works once: they choose their own with 'dateflicks passwd'.")


async def _disable(place: Place, name: str) -> "tuple[Details, int]":
    from dateflicks.cli.people import account_at

    async with account_at(place, name) as (accounts, user):
        count = await accounts.disable(user)
        return await accounts.details(await accounts.find(user["_id"])), count


async def _enable(place: Place, name: str) -> "Details":
    from dateflicks.cli.people import account_at

    async with account_at(place, name) as (accounts, user):
        await accounts.enable(user)
        return await accounts.details(await accounts.find(user["_id"]))


async def _reset(place: Place, name: str, password: str, *, is_one_time: bool) -> "tuple[Details, int]":
    from dateflicks.cli.people import account_at

    async with account_at(place, name) as (accounts, user):
        count = await accounts.reset_password(user, password, is_one_time=is_one_time)
        return await accounts.details(user), count
