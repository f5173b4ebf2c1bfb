"""Completion of what is typed: the script of each shell, printed or put where the shell finds it."""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

from dateflicks.cli.environment import environment_of
from dateflicks.cli.exits import Exit
from dateflicks.cli.failures import CliError
from dateflicks.cli.typer_lazy import PROGRAM, completion_script, install_completion

app = typer.Typer(add_completion=False, no_args_is_help=True)


class Shell(StrEnum):
    """The shells that can be told what to offer."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


INSTALLED: Final = ("file", "read_by")
READS_IT: Final = {Shell.BASH: "~/.bashrc", Shell.ZSH: "~/.zshrc"}  # fish looks into a folder of its own
# Typer's script for zsh only declares the function when zsh first loads it: the first TAB would do nothing.
FIRST_TIME: Final = '\n\n[ "${funcstack[1]}" = "_dateflicks" ] && _dateflicks_completion "$@"'
ShellArgument = Annotated[Shell, typer.Argument(metavar="SHELL", help="bash, zsh or fish.")]


@app.callback()
def completion() -> None:
    """Let your shell complete what you type.

    dateflicks completion install bash
    dateflicks completion show zsh
    """


@app.command()
def install(ctx: typer.Context, shell: ShellArgument) -> None:
    """Put the script where the shell finds it when it starts.

    dateflicks completion install fish

    For bash and zsh a line is added to ~/.bashrc or ~/.zshrc, if it is not there yet.
    """
    environment = environment_of(ctx)
    try:
        path = (
            _place_of_fish(environment.environ)
            if shell is Shell.FISH
            else install_completion(shell.value, Path(READS_IT[shell]).expanduser())
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{_script(shell)}\n", encoding="utf-8")
    except (OSError, UnicodeError) as error:
        raise CliError(
            Exit.FAILED,
            f"Completion for {shell.value} could not be installed: {error}.",
            hint=f"Put it somewhere yourself: dateflicks completion show {shell.value}",
        ) from error
    environment.show({"shell": shell.value, "file": str(path), "read_by": READS_IT.get(shell)}, INSTALLED)
    environment.say(f"It works in every {shell.value} that is started from now on.")


@app.command()
def show(ctx: typer.Context, shell: ShellArgument) -> None:
    """Print the script, to be put somewhere by hand.

    dateflicks completion show bash > /etc/bash_completion.d/dateflicks
    """
    environment_of(ctx).stdout.write(f"{_script(shell)}\n")


def _place_of_fish(environ: Mapping[str, str]) -> Path:
    folder = environ.get("XDG_CONFIG_HOME")  # which Typer does not look at, and fish does
    return (Path(folder) if folder else Path.home() / ".config") / "fish" / "completions" / f"{PROGRAM}.fish"


def _script(shell: Shell) -> str:
    script = completion_script(shell.value)
    return script + FIRST_TIME if shell is Shell.ZSH else script
