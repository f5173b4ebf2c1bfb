"""`dateflicks simulate`: headless watchers with latency and drift, for demos and load."""

from pathlib import Path
from typing import Annotated

import typer

from dateflicks.cli.completing import session_ids
from dateflicks.cli.environment import environment_of
from dateflicks.cli.exits import Exit
from dateflicks.cli.failures import CliError
from dateflicks.cli.output import Format

app = typer.Typer(add_completion=False)


@app.command()
def simulate(
    ctx: typer.Context,
    session: Annotated[
        str | None,
        typer.Argument(
            metavar="SESSION", help="Watch this one, in your own name.", show_default=False, autocompletion=session_ids
        ),
    ] = None,
    new: Annotated[bool, typer.Option("--new", help="Make sessions and accounts for it on the server.")] = False,
    clients: Annotated[int, typer.Option(min=1, max=50, help="How many watch; with --new two in each session.")] = 2,
    rtt: Annotated[float, typer.Option(metavar="MS", min=0, max=4_000, help="Their round trip.")] = 40.0,
    jitter: Annotated[float, typer.Option(metavar="MS", min=0, max=2_000, help="It varies by so much.")] = 10.0,
    loss: Annotated[float, typer.Option(metavar="PERCENT", min=0, max=50, help="Lost, and sent again.")] = 0.0,
    drift: Annotated[
        float, typer.Option(metavar="PPM", min=0, max=10_000, help="Their players' clocks go wrong.")
    ] = 50,
    minutes: Annotated[float, typer.Option(min=0, max=1_440, help="For so long, or until Ctrl-C.")] = 1.0,
    seed: Annotated[int, typer.Option(min=0, max=2**31, help="The same seed draws the same lines.")] = 1,
    script: Annotated[Path | None, typer.Option(metavar="FILE", help="What they do, and when.")] = None,
) -> None:
    """Watch with people who are not there, for demos and load.

    dateflicks simulate --new --rtt 200 --jitter 80
    dateflicks simulate --new --clients 20 --minutes 10 --json > load.jsonl
    dateflicks simulate 7fk2 --clients 1

    It shows how far apart they are, each second and in sum. In a session
    that there is they watch in your name and agree to everything; of several
    the newest one counts as you. With --new the first one asks for play, and
    the accounts stay on the server, signed out.

    A --script has a line for each thing, SECONDS CLIENT WORD [VALUE]: play,
    pause, stop, refuse, seek 41:12, freeze 3 (the player, for 3 s), stall 3
    (its picture), slip -0.5 (it is elsewhere) and cut 4 (the line).
    """
    from dateflicks.cli.simulated_rooms import Wishes
    from dateflicks.cli.simulated_script import read_script
    from dateflicks.cli.simulating import simulate as run

    environment = environment_of(ctx)
    if (session is None) == (not new):
        hint = "Name a session of yours, or make one with --new."
        raise CliError(Exit.USAGE, "Where are they to watch?", hint=hint)
    if new and clients % 2:
        raise CliError(Exit.USAGE, f"--clients: with --new two watch in each session, so not {clients}.")
    try:
        deeds = None if script is None else read_script(script.read_text(encoding="utf-8").splitlines())
    except (OSError, UnicodeDecodeError) as error:
        raise CliError(Exit.USAGE, f"--script: {script} cannot be read: {error}.") from None
    if environment.output is None and environment.printer.form is Format.PLAIN:
        environment.output = Format.JSONL
    wishes = Wishes(
        session=session,
        clients=clients,
        round_trip=rtt / 1_000,
        jitter=jitter / 1_000,
        loss=loss / 100,
        drift_ppm=drift,
        seconds=minutes * 60,
        seed=seed,
        script=deeds,
    )
    raise typer.Exit(environment.run(run(environment, wishes)))
