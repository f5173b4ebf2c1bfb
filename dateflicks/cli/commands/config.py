"""Settings, as they are in force and as they may be."""

from typing import Annotated, Any

import typer

from dateflicks.cli.environment import environment_of
from dateflicks.cli.exits import Exit
from dateflicks.cli.failures import CliError, nearest

app = typer.Typer(add_completion=False)

ServiceArgument = Annotated[
    str | None,
    typer.Argument(metavar="SERVICE", help="One of them: all, session, timecode, messages, prediction, client."),
]
OriginOption = Annotated[bool, typer.Option("--origin", help="Say where each value came from.")]


@app.callback(invoke_without_command=True)
def config(ctx: typer.Context) -> None:
    """Show the settings and where each came from. Without a verb: show them."""
    if ctx.invoked_subcommand is None:
        show(ctx)


@app.command()
def show(ctx: typer.Context, service: ServiceArgument = None, origin: OriginOption = False) -> None:
    """Show every setting in force; secrets are masked."""
    environment = environment_of(ctx)
    flags = {"client": {"server": environment.server}} if environment.server else {}
    rows = [
        {"key": setting.key, "value": setting.value, "origin": setting.source.name or "default"}
        for name in _services(service)
        for setting in environment.load(name, flags.get(name)).shown()
    ]
    columns = ("key", "value", "origin") if origin else ("key", "value")
    environment.show_all([_without_origin(row, origin) for row in rows], columns, empty="")


@app.command()
def model(ctx: typer.Context, service: ServiceArgument = None) -> None:
    """Print the model file of a service: every key, its default, and what it does."""
    from dateflicks.settings.models import model_text

    stdout = environment_of(ctx).stdout
    stdout.write("\n".join(model_text(name) for name in _services(service)))


def _services(service: str | None) -> list[str]:
    from dateflicks.settings.loader import SERVICES

    if service is None:
        return list(SERVICES)
    if service not in SERVICES:
        raise CliError(Exit.USAGE, f"There is no service '{service}'.", hint=nearest(service, list(SERVICES)))
    return [service]


def _without_origin(row: dict[str, Any], is_wanted: bool) -> dict[str, Any]:
    return row if is_wanted else {name: value for name, value in row.items() if name != "origin"}
