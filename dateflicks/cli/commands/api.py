"""`dateflicks api`: what the services offer to programs, without any of them running."""

from typing import Annotated

import typer

from dateflicks.cli.environment import environment_of
from dateflicks.cli.services import ALL, DEPLOYMENTS, SERVICES, check_service

app = typer.Typer(add_completion=False, no_args_is_help=True)


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
        str,
        typer.Argument(
            metavar="SERVICE", help=f"One of {', '.join(DEPLOYMENTS)}.", autocompletion=lambda: list(DEPLOYMENTS)
        ),
    ],
) -> None:
    """Print the OpenAPI document of a service, as it serves it at /docs/openapi.json; nothing is started.

    dateflicks api schema session
    """
    check_service(service)
    from dateflicks.server.describing import document

    environment = environment_of(ctx)
    environment.stdout.write(environment.run(document(service, SERVICES if service == ALL else (service,))))
