"""Completion of what is typed: the script of each shell, printed or put where the shell finds it."""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

from dateflicks.cli.environment import environment_of
from dateflicks.cli.exits import Exit
from dateflicks.cli.failures import CliError
from dateflicks.cli.typer_lazy import PROGRAM, completion_script

app = typer.Typer(add_completion=False, no_args_is_help=True)


class Shell(StrEnum):
    """The shells that can be told what to offer."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


INSTALLED: Final = ("file", "read_by")
PLACES: Final = {Shell.BASH: f"~/.bash_completions/{PROGRAM}.sh", Shell.ZSH: f"~/.zfunc/_{PROGRAM}"}
LINES: Final = {Shell.BASH: "source '{path}'", Shell.ZSH: "fpath+=~/.zfunc; autoload -Uz compinit; compinit"}
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

    For bash and zsh a line is added to ~/.bashrc or ~/.zshrc, if it is not there yet;
    where ZDOTDIR is set, to the .zshrc of that folder.
    """
    environment = environment_of(ctx)
    first = _read_first(shell, environment.environ)
    try:
        path = _place_of_fish(environment.environ) if shell is Shell.FISH else Path(PLACES[shell]).expanduser()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{_script(shell)}\n", encoding="utf-8")
        if first is not None:
            _add_line(first.expanduser(), LINES[shell].format(path=path))
    except (OSError, UnicodeError) as error:
        raise CliError(
            Exit.FAILED,
            f"Completion for {shell.value} could not be installed: {error}.",
            hint=f"Put it somewhere yourself: dateflicks completion show {shell.value}",
        ) from error
    environment.show({"shell": shell.value, "file": str(path), "read_by": first and str(first)}, INSTALLED)
    environment.say(f"It works in every {shell.value} that is started from now on.")


@app.command()
def show(ctx: typer.Context, shell: ShellArgument) -> None:
    """Print the script, to be put somewhere by hand.

    dateflicks completion show bash > /etc/bash_completion.d/dateflicks
    """
    environment_of(ctx).stdout.write(f"{_script(shell)}\n")


def _read_first(shell: Shell, environ: Mapping[str, str]) -> Path | None:
    """What the shell reads when it starts, as people write it."""
    if shell is Shell.ZSH and (folder := environ.get("ZDOTDIR")):
        return Path(folder) / ".zshrc"
    return Path(READS_IT[shell]) if shell in READS_IT else None


def _add_line(file: Path, line: str) -> None:
    """Put a line at the end of a file, unless it has it; all else stays as it is."""
    before = file.read_text(encoding="utf-8") if file.exists() else ""
    if line in before.splitlines():
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"{before}{'' if before.endswith(chr(10)) or not before else chr(10)}{line}\n", encoding="utf-8")


def _place_of_fish(environ: Mapping[str, str]) -> Path:
    folder = environ.get("XDG_CONFIG_HOME")  # which Typer does not look at, and fish does
    return (Path(folder) if folder else Path.home() / ".config") / "fish" / "completions" / f"{PROGRAM}.fish"


def _script(shell: Shell) -> str:
    script = completion_script(shell.value)
    return script + FIRST_TIME if shell is Shell.ZSH else script
