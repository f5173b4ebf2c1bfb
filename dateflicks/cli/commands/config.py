"""Settings, as they are in force and as they may be: shown, changed, checked and described."""

from pathlib import Path
from typing import Annotated, Any

import typer

from dateflicks.cli.completing import keys_of_settings
from dateflicks.cli.environment import environment_of
from dateflicks.cli.services import DEPLOYMENTS, check_service

app = typer.Typer(add_completion=False)

# All that have settings.
SERVICES = (*DEPLOYMENTS, "providers", "recommenders", "client")
PATHS = ("path", "service", "state")
SHOWN = ("key", "value", "origin")
CHANGED = ("key", "value", "file")
TAKEN_OUT = ("key", "file")

_ServiceName = typer.Argument(
    metavar="SERVICE", help=f"One of them: {', '.join(SERVICES)}.", autocompletion=lambda: list(SERVICES)
)
ServiceArgument = Annotated[str | None, _ServiceName]
OneService = Annotated[str, _ServiceName]
KeyArgument = Annotated[
    str,
    typer.Argument(
        metavar="KEY", help="As 'config show' names it, such as client.gentle.", autocompletion=keys_of_settings
    ),
]
OriginOption = Annotated[bool, typer.Option("--origin", help="Say where each value came from.")]


@app.callback(invoke_without_command=True)
def config(ctx: typer.Context) -> None:
    """Show, change and check the settings. Without a verb: show them.

    dateflicks config show client --origin
    dateflicks config set client.server https://films.example.org
    dateflicks config validate
    """
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
    columns = SHOWN if origin else SHOWN[:2]
    if origin and environment.profile_folder is not None:
        environment.say(f"Profile {environment.profile_name}: {environment.profile_folder} wins over all other files.")
    environment.show_all([_without_origin(row, origin) for row in rows], columns, empty="")


@app.command()
def get(ctx: typer.Context, key: KeyArgument) -> None:
    """Print the value of one key, or of all below a section; secrets are masked.

    dateflicks config get client.server
    dateflicks config get client.consent
    """
    from dateflicks.cli.configuring import as_written, found_at

    environment = environment_of(ctx)
    found = found_at(environment, key)
    if len(found) == 1 and found[0]["key"] == key and environment.output is None and not environment.fields:
        environment.stdout.write(as_written(found[0]["value"]) + "\n")
    elif len(found) == 1 and found[0]["key"] == key:
        environment.show(found[0], ("value",))
    else:
        environment.show_all(found, SHOWN[:2], empty="")


@app.command("set")
def change(
    ctx: typer.Context,
    key: KeyArgument,
    value: Annotated[str | None, typer.Argument(metavar="VALUE|-", help="The value; - is the first line of stdin.")] = (
        None
    ),
) -> None:
    """Change one key in its file; comments and order stay. Secrets are asked for, or read from stdin.

    dateflicks config set client.gentle true
    dateflicks config set client.films '["/films", "/home/ana/Videos"]'
    dateflicks config set client.keys.leave ctrl+l
    dateflicks config set all.mongo.uri - < uri.txt
    """
    from dateflicks.cli.configuring import change as change_key

    environment = environment_of(ctx)
    environment.show(change_key(environment, key, value), CHANGED)


@app.command()
def unset(ctx: typer.Context, key: KeyArgument) -> None:
    """Take one key out of its file, so that the default holds again."""
    from dateflicks.cli.configuring import take_out

    environment = environment_of(ctx)
    if (done := take_out(environment, key)) is None:
        environment.say(f"No settings file has '{key}'.")
    else:
        environment.show(done, TAKEN_OUT)


@app.command()
def validate(
    ctx: typer.Context,
    files: Annotated[list[Path] | None, typer.Argument(metavar="FILE", help="Only these, such as client.toml.")] = None,
) -> None:
    """Check all settings files and variables. Exit code 9 when something is wrong.

    dateflicks config validate
    dateflicks config validate deploy/all.toml deploy/session.toml
    """
    from dateflicks.cli.configuring import mistakes, tell_mistakes

    environment = environment_of(ctx)
    tell_mistakes(environment, *mistakes(environment, files or ()))


@app.command()
def path(ctx: typer.Context, service: ServiceArgument = None) -> None:
    """Print where the settings files are, the one that wins first; of one service, the file that 'set' changes."""
    from dateflicks.cli.configuring import file_of, files_of

    environment = environment_of(ctx)
    if service is not None:
        (name,) = _services(service)
        found = file_of(environment, name)
        state = "in use" if found.is_file() else "not there yet"
        rows = [{"path": str(found), "service": name, "state": state}]
    else:
        rows = [
            {"path": str(file), "service": name, "state": "filled in from" if number else "in use"}
            for name in SERVICES
            for number, file in enumerate(files_of(environment, name))
        ]
    columns = PATHS if service is None else ("path",)
    folders = " and ".join(str(folder) for folder in environment.settings_folders)
    environment.show_all(rows, columns, empty=f"There is no settings file. They are looked for in {folders}.")


@app.command()
def edit(ctx: typer.Context, service: OneService = "client") -> None:
    """Open the settings file of a service in $VISUAL or $EDITOR, and put it in place once it is in order."""
    from dateflicks.cli.editing import edit as edit_file

    environment = environment_of(ctx)
    (name,) = _services(service)
    done = edit_file(environment, name)
    environment.say(f"Written: {done}" if done else "Nothing was changed.")


@app.command()
def schema(ctx: typer.Context, service: OneService) -> None:
    """Print the JSON Schema of a service's file, for editors.

    dateflicks config schema client > client.schema.json

    A first line such as '#:schema ./client.schema.json' lets editors that know TOML complete and check the file.
    """
    import msgspec

    from dateflicks.settings.schema import schema_of

    (name,) = _services(service)
    text = msgspec.json.format(msgspec.json.encode(schema_of(name)), indent=2)
    environment_of(ctx).stdout.write(text.decode() + "\n")


@app.command()
def model(ctx: typer.Context, service: ServiceArgument = None) -> None:
    """Print the model file of a service: every key, its default, and what it does."""
    from dateflicks.settings.models import model_text

    stdout = environment_of(ctx).stdout
    stdout.write("\n".join(model_text(name) for name in _services(service)))


def _services(service: str | None) -> list[str]:
    if service is None:
        return list(SERVICES)
    check_service(service, SERVICES)
    return [service]


def _without_origin(row: dict[str, Any], is_wanted: bool) -> dict[str, Any]:
    return row if is_wanted else {name: value for name, value in row.items() if name != "origin"}
