"""`config edit`: a settings file in somebody's editor, put in place once it is in order; what was typed is kept."""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from dateflicks.cli.configuring import file_of, mistakes_of_file, sentence
from dateflicks.cli.environment import CliEnvironment
from dateflicks.cli.exits import Exit
from dateflicks.cli.failures import CliError

EDITORS: Final = ("sensible-editor", "nano", "vim", "vi")


def edit(environment: CliEnvironment, service: str) -> Path | None:
    """Have a settings file edited, and put it in place once it is in order; None when nothing was changed.

    What was typed is kept beside the file as long as it is not in order, and is where the next edit begins.
    Raises CliError, typer.Exit.
    """
    from dateflicks.settings.writing import replace_file

    if not environment.may_ask:
        what = "An editor is for a person, and --no-input says that there is none."
        raise CliError(Exit.USAGE, what, hint="Change one key: dateflicks config set KEY VALUE")
    if not _chosen(environment) and not (sys.stdin.isatty() and sys.stdout.isatty()):
        what = "An editor needs a terminal, and there is none here."
        hint = "Change one key with 'dateflicks config set KEY VALUE', or name a program in the variable EDITOR."
        raise CliError(Exit.USAGE, what, hint=hint)
    path = file_of(environment, service)
    draft = path.with_name(f"{path.name}.edited")
    before = _read(path) if path.is_file() else ""
    is_going_on = draft.is_file()
    if is_going_on:
        environment.say(f"Going on with {draft}, which was not in order the last time.")
    else:
        begun = before or blank(service)
        replace_file(draft, begun)
    while True:
        try:
            _run_editor(environment, draft)
        except CliError:
            if not is_going_on and _read(draft) == begun:
                draft.unlink()
            raise
        text = _read(draft)
        found = mistakes_of_file(draft, service)
        if not found:
            break
        environment.complain(*map(sentence, found))
        if not _again(environment):
            what = f"{path} stays as it was; what you typed is kept in {draft}."
            raise CliError(Exit.PROBLEMS, what, hint=f"Go on with: dateflicks config edit {service}")
    is_new = is_going_on or text != begun
    if is_new:
        replace_file(path, text)  # before the draft goes: on a full disk what was typed is kept there
    draft.unlink()
    return path if is_new else None


def _read(path: Path) -> str:
    """A file as it is, though it may be no UTF-8: that is a mistake that can be mended in the editor, too."""
    return path.read_text(encoding="utf-8", errors="surrogateescape")


def blank(service: str) -> str:
    """The model file with every key taken back, so that defaults stay defaults until somebody changes one."""
    from dateflicks.settings.models import model_text

    lines = model_text(service).splitlines()
    return "".join(f"{'#' if ' = ' in line and not line.startswith('#') else ''}{line}\n" for line in lines)


def _again(environment: CliEnvironment) -> bool:
    if not environment.may_ask or not sys.stdin.isatty():
        return False
    import typer

    return typer.confirm("Edit it again?", default=True, err=True)


def _chosen(environment: CliEnvironment) -> str:
    """The editor that somebody has named."""
    return environment.environ.get("VISUAL") or environment.environ.get("EDITOR") or ""


def _run_editor(environment: CliEnvironment, path: Path) -> None:
    chosen = _chosen(environment)
    found = next((one for one in EDITORS if shutil.which(one, path=environment.environ.get("PATH"))), None)
    if not chosen and found is None:
        raise CliError(Exit.FAILED, "There is no editor here.", hint="Name yours in the variable EDITOR.")
    try:
        words = shlex.split(chosen) if chosen else [str(found)]
        code = subprocess.run([*words, os.fspath(path)], check=False).returncode  # noqa: S603 - the user's own editor
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise CliError(Exit.FAILED, f"The editor '{chosen or found}' cannot be started: {reason}.") from None
    if code:
        raise CliError(Exit.FAILED, f"The editor '{chosen or found}' ended with {code}; nothing was changed.")
