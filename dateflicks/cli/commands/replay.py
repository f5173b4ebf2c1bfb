"""`dateflicks replay`: what was said to a playback, said again, and each decision seen."""

from typing import Annotated

import typer

from dateflicks.cli.environment import environment_of

app = typer.Typer(add_completion=False)


@app.command()
def replay(
    ctx: typer.Context,
    file: Annotated[str, typer.Argument(metavar="FILE", help="A log of a playback; - is stdin.")],
    told: Annotated[bool, typer.Option("--told", help="Only what changed something, or was refused.")] = False,
    by: Annotated[str | None, typer.Option(metavar="USER", help="Only what this user id did.")] = None,
) -> None:
    """Play a log of a session's playback again.

    dateflicks replay ses_7fk2.jsonl --told
    dateflicks replay ses_7fk2.jsonl --json | jq -c 'select(.refused)'

    Each decision is printed: what came in, what was told or refused, and when
    it wakes next. The timecode service writes such logs into the folder that
    its setting record_folder names: ids, times and positions, no names and no
    talk. They are lines of JSON; the first says how it began, and all times
    are in seconds:

    {"format":"dateflicks-playback","version":1,"sessionId":"s","at":0,
     "length":5400}                               (on one line, as all are)
    {"input":"join","at":1,"userId":"ana","role":"host"}
    {"input":"report","at":2,"userId":"ana","currentPosition":0,
     "status":"play","isHost":true,"cause":"user"}

    Inputs are join, leave, player, report, act, seek, refuse, length, delay
    and advance. The same log always gives the same decisions.
    """
    from dateflicks.cli.replaying import replay as play_again

    play_again(environment_of(ctx), file, only_told=told, whose=by)
