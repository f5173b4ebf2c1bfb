"""`dateflicks api`: what the services offer to programs, without any of them running."""

from typing import Annotated, Final

import typer

from dateflicks.cli.environment import environment_of
from dateflicks.cli.exits import Exit
from dateflicks.cli.failures import CliError, nearest

app = typer.Typer(add_completion=False, no_args_is_help=True)

SERVICES: Final = ("session", "timecode", "messages", "prediction", "videos", "recommendation")
NAMES: Final = ("all", *SERVICES)


@app.callback()
def api() -> None:
    """Show what the services offer to programs.

    dateflicks api schema all > openapi.json
    dateflicks api schema messages
    """


@app.command()
def schema(
    ctx: typer.Context,
    service: Annotated[
        str, typer.Argument(metavar="SERVICE", help=f"One of {', '.join(NAMES)}.", autocompletion=lambda: list(NAMES))
    ],
) -> None:
    """Print the OpenAPI document of a service, as it serves it at /docs/openapi.json; nothing is started.

    dateflicks api schema session
    """
    if service not in NAMES:
        raise CliError(Exit.USAGE, f"There is no service '{service}'.", hint=nearest(service, NAMES))
    from dateflicks.server.describing import document

    environment = environment_of(ctx)
    environment.stdout.write(environment.run(document(service, SERVICES if service == "all" else (service,))))
