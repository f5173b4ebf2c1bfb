"""The root command: global options, and which module holds which command. Nothing of a command is loaded here."""

from pathlib import Path
from typing import Annotated, ClassVar

import typer

from dateflicks import __version__
from dateflicks.cli.environment import environment_of
from dateflicks.cli.exits import Exit
from dateflicks.cli.failures import CliError
from dateflicks.cli.output import Format
from dateflicks.cli.own_evening import check_command
from dateflicks.cli.typer_lazy import WORDS, Entry, LazyGroup

TOGETHER = "Watch together"
ACCOUNT = "Account"
SERVICES = "Run the services"
BACKGROUND = "Background work"
DATABASE = "Database"
HELP = "Setup and help"


class Root(LazyGroup):
    """All commands, in the order of the help."""

    command_epilog: ClassVar[str | None] = "Options of all commands, such as --json: see 'dateflicks --help'."
    entries: ClassVar[dict[str, Entry]] = {
        "lobby": Entry("lobby", "Open the lobby: invitations, sessions, and what you can start.", TOGETHER),
        "host": Entry("host", "Invite somebody to a film and watch it together.", TOGETHER),
        "join": Entry("join", "Accept an invitation and watch together.", TOGETHER),
        "watch": Entry("watch", "Watch an accepted session together.", TOGETHER),
        "demo": Entry("demo", "Show on this machine that it works.", TOGETHER),
        "session": Entry("session", "Make, answer and follow sessions.", TOGETHER),
        "remote": Entry("remote", "Play, pause and seek from the shell.", TOGETHER),
        "chat": Entry("chat", "Talk while you watch, and keep what was said.", TOGETHER),
        "predict": Entry("predict", "Predict what happens next, and keep score.", TOGETHER),
        "videos": Entry("videos", "Search what there is to watch.", TOGETHER),
        "recommendations": Entry("recommendations", "See what to watch next, alone or together.", TOGETHER),
        "recs": Entry("recs", "See what to watch next, alone or together.", TOGETHER, is_hidden=True),
        "register": Entry("account", "Create an account and sign in.", ACCOUNT),
        "login": Entry("account", "Sign in.", ACCOUNT),
        "logout": Entry("account", "Sign out.", ACCOUNT),
        "whoami": Entry("account", "Show who is signed in, where, and until when.", ACCOUNT),
        "passwd": Entry("passwd", "Change your password.", ACCOUNT),
        "friends": Entry("friends", "List the people you watch with.", ACCOUNT),
        "users": Entry("users", "Keep the accounts of a deployment.", ACCOUNT),
        "serve": Entry("serve", "Start the services, and look after them.", SERVICES),
        "providers": Entry("providers", "See and run the sources of films.", BACKGROUND),
        "recommenders": Entry("recommenders", "See and run the recommenders.", BACKGROUND),
        "recommend": Entry("recommend", "See and run the recommenders.", BACKGROUND, is_hidden=True),
        "jobs": Entry("jobs", "See and steer what happens by itself.", BACKGROUND),
        "db": Entry("db", "See, mend, back up and restore the database.", DATABASE),
        "init": Entry("init", "Write settings and secrets.", HELP),
        "doctor": Entry("doctor", "Check that everything is in order here.", HELP),
        "config": Entry("config", "Show, change and check the settings.", HELP),
        "api": Entry("api", "Show what the services offer to programs.", HELP),
        "completion": Entry("completion", "Let your shell complete what you type.", HELP),
        "man": Entry("man", "Write man pages.", HELP),
        "simulate": Entry("simulate", "Watch with people who are not there, for demos and load.", HELP),
        "replay": Entry("replay", "Play a log of a session's playback again.", HELP),
        "help": Entry(
            "topics",
            "Explain a topic: environment, exit-codes, invitations, keys, output, protocol, troubleshooting.",
            HELP,
        ),
    }


app = typer.Typer(
    cls=Root,
    invoke_without_command=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode="rich",
)


def _profiles(ctx: typer.Context, incomplete: str) -> list[str]:
    from dateflicks.cli.completing import names_of_profiles

    return names_of_profiles(ctx, incomplete)


def _fields(ctx: typer.Context, incomplete: str) -> list[str]:
    from dateflicks.cli.fields import offered

    return offered(ctx.meta.get(WORDS, ()), incomplete)


def _version(value: bool) -> None:
    if value:
        typer.echo(f"dateflicks {__version__}")
        raise typer.Exit


@app.callback()
def root(
    ctx: typer.Context,
    server: Annotated[
        str | None,
        typer.Option(metavar="URL", help="The server to talk to; 'evening': the one that your host starts."),
    ] = None,
    settings: Annotated[Path | None, typer.Option(metavar="DIR", help="The folder of the settings files.")] = None,
    profile: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Another home of yours: its server and sign-in.", autocompletion=_profiles),
    ] = None,
    output: Annotated[Format | None, typer.Option("-o", "--output", help="How to write what was found.")] = None,
    json: Annotated[bool, typer.Option("--json", help="The same as --output json.")] = False,
    fields: Annotated[str, typer.Option(metavar="A,B", help="Only these fields.", autocompletion=_fields)] = "",
    color: Annotated[
        str,
        typer.Option(
            metavar="WHEN", help="Colour: auto, always or never.", autocompletion=lambda: ["auto", "always", "never"]
        ),
    ] = "auto",
    no_input: Annotated[bool, typer.Option("--no-input", help="Never ask; fail where an answer is needed.")] = False,
    yes: Annotated[bool, typer.Option("-y", "--yes", help="Say yes beforehand.")] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Say only what went wrong.")] = False,
    verbose: Annotated[int, typer.Option("-v", "--verbose", count=True, show_default=False, help="Say more.")] = 0,
    debug: Annotated[bool, typer.Option("--debug", help="Show the whole traceback of an error.")] = False,
    _: Annotated[
        bool, typer.Option("-V", "--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Two people watch a film together, in step, from their terminals.

    dateflicks host film.mkv
    dateflicks join k3v9x-tzq41-09ajm-hd2we@192.168.1.7:8700
    dateflicks help exit-codes
    """
    environment = environment_of(ctx)
    if color not in ("auto", "always", "never"):
        raise CliError(Exit.USAGE, f"--color: must be auto, always or never, not '{color}'.")
    environment.color = color  # type: ignore[assignment]  # checked above
    environment.server = server
    environment.settings_folder = settings
    environment.profile = profile
    environment.output = Format.JSON if json and output is None else output
    environment.fields = tuple(name.strip() for name in fields.split(",") if name.strip())
    environment.may_ask = not no_input
    environment.is_agreed = yes
    environment.is_quiet = quiet
    environment.verbosity = verbose
    environment.is_debug = debug
    if environment.is_evening:
        check_command(ctx.invoked_subcommand)
    if ctx.invoked_subcommand != "help":
        environment.check_profile(is_new=ctx.invoked_subcommand == "init")
    if ctx.invoked_subcommand is None:
        _without_command(ctx)


def _without_command(ctx: typer.Context) -> None:
    """`dateflicks` alone: the lobby at a terminal, the help everywhere else."""
    from dateflicks.cli.terminal import opens_terminal

    environment = environment_of(ctx)
    if not opens_terminal(environment, plain=False):
        typer.echo(ctx.get_help())
        raise typer.Exit(Exit.USAGE)
    from dateflicks.cli.commands.lobby import lobby

    lobby(ctx)


def run() -> None:
    """The `dateflicks` program."""
    app()
