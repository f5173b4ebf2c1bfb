"""`dateflicks man`: the manual as man pages, made of the commands themselves."""

from pathlib import Path
from typing import Annotated

import typer

from dateflicks.cli.environment import environment_of
from dateflicks.cli.exits import Exit
from dateflicks.cli.failures import CliError

app = typer.Typer(add_completion=False)

WRITTEN = ("file",)


@app.command()
def man(
    ctx: typer.Context,
    folder: Annotated[
        Path | None, typer.Argument(metavar="DIR", help="Where to; without it, the first page goes to stdout.")
    ] = None,
) -> None:
    """Write man pages.

    dateflicks man ~/.local/share/man/man1
    dateflicks man | man -l -
    """
    from dateflicks.cli.manual import man_pages, pages
    from dateflicks.cli.typer_lazy import PROGRAM

    environment = environment_of(ctx)
    written = man_pages(pages())
    if folder is None:
        environment.stdout.write(written[f"{PROGRAM}.1"])
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in written.items():
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise CliError(
            Exit.FAILED, f"{folder} cannot be written: {error.strerror}.", hint="Name another folder."
        ) from error
    environment.show_all([{"file": str(folder / name)} for name in written], WRITTEN, empty="")
    environment.say(f"Read them with 'man {folder / PROGRAM}.1'.")
