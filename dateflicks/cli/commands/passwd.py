"""`dateflicks passwd`: another password, which comes from the terminal or stdin, never from the arguments."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from dateflicks.cli.environment import CliEnvironment, environment_of
from dateflicks.cli.exits import Exit
from dateflicks.cli.failures import CliError

if TYPE_CHECKING:
    from dateflicks.protocol.bodies import Me

app = typer.Typer(add_completion=False)

INSTEAD = "Give both on two lines of stdin, with --password-stdin: the old one, then the new one."


@app.command()
def passwd(
    ctx: typer.Context,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the old and the new password from two lines of stdin.")
    ] = False,
) -> None:
    """Change your password. Everywhere but here you are signed out.

    dateflicks passwd
    printf '%s\\n' "$OLD" "$NEW" | dateflicks passwd --password-stdin

    An account that has none yet, as by an invitation's code, gets one: then there is no old one to give.
    """
    environment = environment_of(ctx)
    account = environment.run(_account(environment))
    old, new = _typed(has_old=account.has_password) if password_stdin else _asked(environment, account)
    environment.run(_change(environment, old, new))
    environment.say(f"The password of {account.name} is changed. Everywhere else you are signed out.")


def _asked(environment: CliEnvironment, account: "Me") -> tuple[str | None, str]:
    old = environment.ask("Old password", instead=INSTEAD, is_secret=True) if account.has_password else None
    return old, environment.ask_new_password("New password", instead=INSTEAD)


def _typed(*, has_old: bool) -> tuple[str | None, str]:
    lines = [sys.stdin.readline().rstrip("\r\n") for _ in range(2 if has_old else 1)]
    if not all(lines):
        if has_old:
            raise CliError(Exit.USAGE, "Two lines are needed on stdin: the old password, then the new one.")
        raise CliError(Exit.USAGE, "One line is needed on stdin: the new password. There is no old one.")
    return (lines[0] if has_old else None), lines[-1]


async def _account(environment: CliEnvironment) -> "Me":
    from dateflicks.client.people import account

    async with environment.connect() as client:
        return await account(client)


async def _change(environment: CliEnvironment, old: str | None, new: str) -> None:
    from dateflicks.client.people import change_password

    async with environment.connect() as client:
        await change_password(client, old, new)
