"""Accounts: register, login, logout, whoami. Passwords come from the terminal or stdin, never from the arguments."""

from typing import TYPE_CHECKING, Annotated

import typer

from dateflicks.cli.completing import forget
from dateflicks.cli.environment import CliEnvironment, environment_of

if TYPE_CHECKING:
    from dateflicks.protocol.bodies import SignedIn, UserBody

app = typer.Typer(add_completion=False)

NameArgument = Annotated[str | None, typer.Argument(metavar="NAME", help="The account's name; asked for when missing.")]
FromStdin = Annotated[bool, typer.Option("--password-stdin", help="Read the password from the first line of stdin.")]
WHO = ("user_id", "name", "server", "expires_at", "profile")


@app.command()
def register(ctx: typer.Context, name: NameArgument = None, password_stdin: FromStdin = False) -> None:
    """Create an account and sign in.

    dateflicks register ana --server https://films.example.org
    """
    environment = environment_of(ctx)
    environment.credentials.check()
    name = name or environment.ask("Name", instead="Give it as an argument: dateflicks register NAME.")
    password = environment.ask_password(from_stdin=password_stdin, is_new=True)
    _remember(environment, environment.run(_sign_in(environment, name, password, is_new=True)))


@app.command()
def login(ctx: typer.Context, name: NameArgument = None, password_stdin: FromStdin = False) -> None:
    """Sign in.

    dateflicks login ana
    dateflicks login ana --password-stdin < password.txt
    """
    environment = environment_of(ctx)
    environment.credentials.check()
    name = name or environment.ask("Name", instead="Give it as an argument: dateflicks login NAME.")
    password = environment.ask_password(from_stdin=password_stdin)
    _remember(environment, environment.run(_sign_in(environment, name, password, is_new=False)))


@app.command()
def logout(ctx: typer.Context) -> None:
    """Sign out.

    The token is worthless from then on, here and at the server.
    """
    environment = environment_of(ctx)
    if environment.signed_in is None:
        environment.say(f"Nobody is signed in at {environment.place}.")
        return
    environment.run(_sign_out(environment))
    environment.credentials.forget(environment.server_address)
    forget(environment)
    environment.say(f"Signed out at {environment.place}.")


@app.command()
def whoami(ctx: typer.Context) -> None:
    """Show who is signed in, where, and until when."""
    environment = environment_of(ctx)
    user = environment.run(_me(environment))
    kept = environment.signed_in
    until = kept.expires_at if kept and not environment.client.token else None
    who = {
        "user_id": user.id, "name": user.name, "server": environment.server_address, "expires_at": until,
        "profile": environment.profile_name or None,
    }  # fmt: skip
    environment.show(who, WHO)


async def _sign_in(environment: CliEnvironment, name: str, password: str, *, is_new: bool) -> "SignedIn":
    async with environment.connect(anonymously=True) as client:
        return await (client.register(name, password) if is_new else client.sign_in(name, password))


def _remember(environment: CliEnvironment, answer: "SignedIn") -> None:
    from dateflicks.client.credentials import SignIn

    sign_in = SignIn(name=answer.user.name, user_id=answer.user.id, expires_at=answer.expires_at, token=answer.token)
    environment.credentials.put(environment.server_address, sign_in)
    environment.say(f"Signed in as {sign_in.name} at {environment.place}.")
    if answer.needs_password is True:
        environment.say("That password works no second time. Choose one of your own with 'dateflicks passwd'.")


async def _sign_out(environment: CliEnvironment) -> None:
    """Tell the server; a token that it no longer takes is signed out already."""
    from dateflicks.client.errors import NotSignedIn

    kept = environment.signed_in  # and not a token of the settings, which whoever gave it takes back
    async with environment.client_of(kept.token if kept else None) as client:
        try:
            await client.sign_out()
        except NotSignedIn:
            environment.say("The sign-in had already come to its end.")


async def _me(environment: CliEnvironment) -> "UserBody":
    async with environment.connect() as client:
        return await client.me()
