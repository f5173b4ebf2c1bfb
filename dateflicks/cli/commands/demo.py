"""`dateflicks demo`: the first thing to run, and the proof that it works here."""

import time
from enum import StrEnum
from functools import partial
from typing import Annotated

import typer

from dateflicks.cli.environment import CliEnvironment, environment_of
from dateflicks.cli.exits import Exit
from dateflicks.cli.failures import CliError
from dateflicks.cli.output import Format
from dateflicks.protocol.printable import printable

app = typer.Typer(add_completion=False)

CONFIRM_SECONDS = 5.0


class DemoPlayer(StrEnum):
    """What plays the film."""

    MPV = "mpv"
    SIMULATED = "simulated"


@app.command()
def demo(
    ctx: typer.Context,
    confirm_seconds: Annotated[
        float, typer.Option(min=1, max=60, metavar="SECONDS", help="How long a change may wait for its answer.")
    ] = CONFIRM_SECONDS,
    player: Annotated[
        DemoPlayer | None, typer.Option("--player", help="What plays the film; mpv where it is installed.")
    ] = None,
    plain: Annotated[bool, typer.Option("--plain", help="Line by line, also on a terminal.")] = False,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the folder with the data and the logs.")] = False,
) -> None:
    """Show on this machine that it works.

    dateflicks demo
    dateflicks demo --json

    Two people watch a film, each with a player, by real services. Every step is
    checked, and the players' positions are read past the program that steers them.
    It takes about a minute and leaves nothing behind.
    """
    environment = environment_of(ctx)
    chosen, missing = _player(player)
    _show(environment, chosen, missing, confirm_seconds, may_simulate=player is None, is_plain=plain, is_kept=keep)


def _show(
    environment: CliEnvironment,
    player: str,
    missing: list[str],
    confirm_seconds: float,
    *,
    may_simulate: bool,
    is_plain: bool,
    is_kept: bool,
) -> None:
    from dateflicks.cli.attending import ending_as_by_ctrl_c
    from dateflicks.cli.demo.run import run_demo
    from dateflicks.cli.demo.showing import showing_of
    from dateflicks.cli.demo.stage import demo_folder
    from dateflicks.cli.demo.view import closing, opening

    began = time.monotonic()
    is_data = environment.output in (Format.JSON, Format.JSONL)
    say = environment.say if is_data else partial(_tell, environment)
    say(opening(player, missing))
    with ending_as_by_ctrl_c(), demo_folder(is_kept=is_kept) as folder:
        view = showing_of(environment, say, is_plain=is_plain or is_data)
        report = environment.run(
            run_demo(
                folder,
                environment.environ,
                player=player,
                may_simulate=may_simulate,
                confirm_seconds=confirm_seconds,
                view=view,
            )
        )
    say(*closing(report, time.monotonic() - began))
    if is_data:
        environment.show(report, ())
    if is_kept:
        environment.say(f"The data and the logs are in {folder}.")
    elif not report.ok:
        environment.say("See the logs of another run with 'dateflicks demo --keep'.")
    if not report.ok:
        raise typer.Exit(Exit.FAILED)


def _player(asked_for: DemoPlayer | None) -> tuple[str, list[str]]:
    """What plays the film, and what is missing for a real player."""
    from dateflicks.cli.demo.stage import missing_programs

    missing = missing_programs()
    if asked_for is DemoPlayer.MPV and missing:
        raise CliError(Exit.FAILED, f"Not installed: {', '.join(missing)}.", hint="Try --player simulated.")
    if asked_for is DemoPlayer.SIMULATED:
        return "simulated", []
    return ("simulated", missing) if missing else ("mpv", [])


def _tell(environment: CliEnvironment, *lines: str) -> None:
    for line in lines:
        print(printable(line), file=environment.stdout, flush=True)
