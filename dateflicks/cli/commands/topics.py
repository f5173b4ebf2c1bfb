"""`dateflicks help TOPIC`: what belongs to no single command."""

from collections.abc import Callable
from typing import Annotated

import typer

from dateflicks.cli.environment import environment_of
from dateflicks.cli.exits import MEANINGS, Exit
from dateflicks.cli.failures import CliError, nearest

app = typer.Typer(add_completion=False)

ENVIRONMENT = """\
DATEFLICKS_HOME              the folder of your sign-ins and logs
DATEFLICKS_SETTINGS          the folder of the settings files, as --settings
DATEFLICKS_<SERVICE>_<KEY>   any setting, such as DATEFLICKS_TIMECODE_CONFIRM_SECONDS=30 or
                             DATEFLICKS_CLIENT_SERVER=https://films.example.org; the parts of a key are joined
                             by _, and [server] is left out: DATEFLICKS_SESSION_PORT, DATEFLICKS_SESSION_MONGO_URI
DATEFLICKS_<SERVICE>_<KEY>_FILE   a file that holds the value, for secrets
NO_COLOR, FORCE_COLOR        no colour, or colour even into a pipe

A flag wins over a variable, a variable over settings/<service>.toml, that file over the one in your
configuration folder. 'dateflicks config show --origin' tells which won.
"""
INVITATIONS = """\
dateflicks join CODE@SERVER   takes the place that an invitation keeps, and watches

CODE     what 'dateflicks host' or 'dateflicks session create --link' shows: it works once, for a day, and for
         whoever has it. Case does not count. The id of a session (ses_…) says yes to an invitation by name.
SERVER   as for --server: films.example.org:8700, https://films.example.org, 192.168.1.7:8700. Without a scheme
         http is meant; without @SERVER, the server of your settings. https://films.example.org/j/CODE is the same.

A server that 'dateflicks host' starts is reached from this machine alone. With --listen 0.0.0.0 it is reached from
your network too; nothing on the way is encrypted. To meet over the internet, use a server with TLS.
"""
OUTPUT = """\
Data goes to stdout, words go to stderr.

-o table    columns for people; the default on a terminal
-o plain    tab-separated, no header, the id first; the default into a pipe
-o json     one document, snake_case names, times in UTC (RFC 3339), seconds as numbers
-o jsonl    one line of JSON for each record, as they come
--json      the same as -o json
--fields A,B  only these, in this order; a part of a part is named with a dot: video.title

host, join and watch write sentences, or with --json a line of JSON for each event. "event" is one of

timecode, line, player, notice           the film: where it is, the line to its service, your player
message, rewritten, older                what is said: "message" is as in 'chat tail --json', "is_news" unless it is
                                         told late; what was changed of it; what was said before you came
draft, queued, unsent                    what you said: "state" is waiting, sent, said, failed or discarded
chat-line, caught-up, read, typing, chat-trouble   the line of the talk, and who reads and writes
prediction, unproven, scores             what became of a prediction by which "reason"; a call that is not what
                                         was sealed; how everybody stands
prediction-line, prediction-trouble      the line of the predictions
listed, score, where, help, refused, said   answers to what was typed; where has "clock_uncertainty" in seconds
invitation                               what to read to your guest

What is typed into them, a line each: play, pause, stop, seek 41:00, accept, refuse, where; say TEXT or > TEXT, me TEXT,
react NAME; predict TEXT[; option; option] [@ 1:20:00], call [#N] OPTION [80%], lock, propose [#N] OPTION, confirm,
object, void, predictions, score; retry, quit.
"""


def _exit_codes() -> str:
    return "".join(f"{code.value:>4}  {MEANINGS[code]}\n" for code in Exit)


TOPICS: dict[str, Callable[[], str]] = {
    "environment": lambda: ENVIRONMENT,
    "exit-codes": _exit_codes,
    "invitations": lambda: INVITATIONS,
    "output": lambda: OUTPUT,
}


@app.command("help")
def explain(
    ctx: typer.Context, topic: Annotated[str | None, typer.Argument(metavar="TOPIC", help=", ".join(TOPICS))] = None
) -> None:
    """Explain a topic: environment, exit-codes, invitations, output."""
    stdout = environment_of(ctx).stdout
    if topic is None:
        stdout.write("".join(f"dateflicks help {name}\n" for name in TOPICS))
    elif topic in TOPICS:
        stdout.write(TOPICS[topic]())
    else:
        raise CliError(Exit.USAGE, f"There is no topic '{topic}'.", hint=nearest(topic, list(TOPICS)))
