"""The first minute: settings and secrets written, and what to type next."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from dateflicks.cli.environment import environment_of
from dateflicks.cli.exits import Exit
from dateflicks.cli.failures import CliError
from dateflicks.cli.services import ALL, DEPLOYMENTS, check_service

app = typer.Typer(add_completion=False)


@app.command()
def init(
    ctx: typer.Context,
    player: Annotated[str | None, typer.Option(metavar="NAME", help="What shows the film: mpv, manual, none.")] = None,
    database: Annotated[
        str | None, typer.Option(metavar="embedded|-", help="The database; - reads a MongoDB's address from stdin.")
    ] = None,
    reach: Annotated[
        str | None, typer.Option(metavar="nobody|URL", help="Where others reach a server on this machine.")
    ] = None,
    tls_cert: Annotated[Path | None, typer.Option(metavar="FILE", help="The certificate of that address.")] = None,
    tls_key: Annotated[Path | None, typer.Option(metavar="FILE", help="The certificate's key.")] = None,
    insecure: Annotated[bool, typer.Option("--insecure", help="Let others reach it without TLS.")] = False,
    service: Annotated[
        str,
        typer.Option(
            metavar="NAME", help="Only for a service that runs alone.", autocompletion=lambda: list(DEPLOYMENTS)
        ),
    ] = ALL,
    folder: Annotated[Path | None, typer.Option(metavar="DIR", help="Where to write the settings.")] = None,
    data: Annotated[Path | None, typer.Option(metavar="DIR", help="Where the services keep their data.")] = None,
) -> None:
    """Write settings and secrets. Asks four questions, or none with --no-input.

    dateflicks init
    dateflicks init --server https://films.example.org
    dateflicks --profile work init --server https://films.work.example
    dateflicks init --no-input --reach https://films.example.org --tls-cert cert.pem --tls-key key.pem

    What is there already is changed key by key, and only after a yes.
    """
    from dateflicks.cli.beginning import WRITTEN, Wishes, begin, next_steps

    environment = environment_of(ctx)
    check_service(service)
    if database == "-":
        database = sys.stdin.readline().strip()
    elif database is not None and "@" in database:
        what = "The address holds a password, and what is typed here stays in the shell's history."
        raise CliError(Exit.USAGE, what, hint="Give it on stdin, with --database -")
    wishes = Wishes(service, folder, data, player, database, reach, tls_cert, tls_key, insecure)
    rows = begin(environment, wishes)
    environment.show_all(rows, WRITTEN, empty="")
    environment.say(*next_steps(environment, wishes, rows))
