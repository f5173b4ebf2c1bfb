"""Looking whether everything that an evening needs is in order here."""

from typing import Annotated

import typer

from dateflicks.cli.environment import environment_of
from dateflicks.cli.exits import Exit
from dateflicks.cli.failures import CliError, nearest

app = typer.Typer(add_completion=False)


def _names() -> list[str]:
    from dateflicks.cli.doctor.examining import CHECKS

    return [check.name for check in CHECKS]


@app.command()
def doctor(
    ctx: typer.Context,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="A,B", help="Only these checks, by name.", autocompletion=_names),
    ] = None,
    reset_terminal: Annotated[
        bool, typer.Option("--reset-terminal", help="Have the terminal as usual again, and do nothing more.")
    ] = False,
) -> None:
    """Check that everything is in order here. Each finding says what to type; exit code 9 when something is wrong.

    dateflicks doctor
    dateflicks doctor --only player,server
    dateflicks doctor --json

    Nothing is changed, and nothing has to run. Checks: python, packages, locale,
    terminal, player, settings, storage, key, database, ports, tls, bus, server,
    clock, sign-in, keyring.
    """
    from dateflicks.cli.doctor.examining import CHECKS, examine
    from dateflicks.cli.doctor.finding import State
    from dateflicks.cli.doctor.telling import tell

    environment = environment_of(ctx)
    if reset_terminal:
        from dateflicks.cli.doctor.terminal import reset_terminal as reset

        reset(environment)
        return
    known = _names()
    chosen = [word.strip() for text in only or () for word in text.split(",") if word.strip()] or known
    if unknown := next((name for name in chosen if name not in known), None):
        raise CliError(Exit.USAGE, f"There is no check '{unknown}'.", hint=nearest(unknown, known))
    findings = environment.run(examine(environment, [check for check in CHECKS if check.name in chosen]))
    tell(environment, findings)
    if any(finding.state is State.WRONG for finding in findings):
        raise typer.Exit(Exit.PROBLEMS)
