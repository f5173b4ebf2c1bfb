"""`dateflicks help TOPIC`: what belongs to no single command."""

import re
import shutil
import textwrap
from collections.abc import Callable
from typing import Annotated, Final

import typer

from dateflicks.cli.environment import CliEnvironment, environment_of
from dateflicks.cli.exits import MEANINGS, Exit
from dateflicks.cli.failures import CliError, nearest

app = typer.Typer(add_completion=False)

WIDTH_MAX: Final = 120

ENVIRONMENT = """\
DATEFLICKS_HOME              the folder of your sign-ins and logs
DATEFLICKS_SETTINGS          the folder of the settings files, as --settings
DATEFLICKS_PROFILE           another home of yours, as --profile
VISUAL, EDITOR               what 'dateflicks config edit' opens
DATEFLICKS_<SERVICE>_<KEY>   any setting, such as DATEFLICKS_TIMECODE_CONFIRM_SECONDS=30 or
                             DATEFLICKS_CLIENT_SERVER=https://films.example.org; the parts of a key are joined
                             by _, and [server] is left out: DATEFLICKS_SESSION_PORT, DATEFLICKS_SESSION_MONGO_URI
DATEFLICKS_<SERVICE>_<KEY>_FILE   a file that holds the value, for secrets
NO_COLOR, FORCE_COLOR        no colour, or colour even into a pipe

A flag wins over a variable, a variable over settings/<service>.toml, that file over the one in your
configuration folder. 'dateflicks config show --origin' tells which won.

A profile is another home of yours: another server, or another account at the same one. 'dateflicks --profile work init'
makes one: the folder profiles/work in your configuration folder, whose files win over all others and need to say only
what differs. Its sign-ins and data are in profiles/work of your data folder.
"""
INVITATIONS = """\
dateflicks join CODE@SERVER   takes the place that an invitation keeps, and watches

CODE     what 'dateflicks host' or 'dateflicks session create --link' shows: it works once, for a day, and for
         whoever has it. Case does not count. The id of a session (ses_…) says yes to an invitation by name.
SERVER   as for --server: films.example.org:8700, https://films.example.org, 192.168.1.7:8700. Without a scheme
         http is meant; without @SERVER, the server of your settings. https://films.example.org/j/CODE is the same.

A server that 'dateflicks host' starts is reached from this machine alone. With --listen 0.0.0.0 it is reached from
your network too; nothing on the way is encrypted. To meet over the internet, use a server with TLS. The host's other
commands mean it by --server evening, also when it is over: 'dateflicks chat export 7fk2 --server evening'.
"""
OUTPUT = """\
Data goes to stdout, words go to stderr.

-o table    columns for people, times in UTC to the minute; the default on a terminal
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


PROTOCOL = """\
HTTP for what is asked, WebSockets for what happens. One address is enough: GET /services tells where each service is.

GET /services        {"services": {"session": "http://…", "timecode": "http://…", …}}
GET /health          how a process is; /livez, /readyz and /metrics for those who run it
GET /docs            every call of a service, for people; /docs/openapi.json for programs

POST /users, /tokens       an account, or a new sign-in: both answer with a token, shown as "Authorization: Bearer …"
/sessions, /invitations    the handshake; an accepted session has a ticket, by which the other services know its people
WS /sessions/events        one's own sessions as they change
/timecodes                 the record of a session's playback
WS /timecodes/ID/events    the timeline: reports and wishes in, timecodes out, times in ms of the server's clock
/messages, /predictions    the talk and the predictions, each with a feed of its own
/videos, /recommendations  what there is to watch, and what to watch next

Bodies and frames are JSON with camelCase names; times are RFC 3339 in UTC, positions and lengths seconds. A frame's
"type" says what it is; unknown fields are passed over. Feeds speak the subprotocol dateflicks.v1, and end with a code
that says whether to come back. Problems are application/problem+json (RFC 9457). Repeated calls with the same
Idempotency-Key, or the same name of a message, do nothing the second time.
"""
TROUBLESHOOTING = """\
First of all: dateflicks doctor

No server is reached      'dateflicks serve status' tells how each service is; --server names another.
The port is taken         'dateflicks doctor --only ports' tells by whom; 'dateflicks config set all.server.port 8800'.
The folder is in use      another 'dateflicks serve' has it; stop that one, or give this one --data DIR.
Signed out all at once    the signing key has changed: bring auth.key back, or sign in again with 'dateflicks login'.
The film does not open    name your copy with --film FILE, or its folder: dateflicks config set client.films /films
mpv does not start        'dateflicks doctor --only player'; without it: --player manual, and steer your own.
Sound and picture apart   your sound comes late (Bluetooth, television): client.trim_seconds shifts you.
Not in step               'v' shows how well; 's' measures anew. A machine that is too slow stalls the film for both.
The screen is broken      dateflicks doctor --reset-terminal
Odd signs in place of lines   the locale is not UTF-8: export LC_ALL=C.UTF-8, or client.tui.glyphs = "ascii"
A setting does nothing    'dateflicks config show --origin' tells what won; 'dateflicks config validate' finds slips.
Something unforeseen      its traceback is in errors.log of your data folder; --debug shows it.
"""


def fitted(text: str, width: int) -> str:
    """The text in lines that fit; what is told in a column goes on below itself."""
    blocks: list[tuple[int, str]] = []  # where its further lines begin, and all of it in one
    for line in text.splitlines():
        indent = len(line) - len(line.lstrip())
        hang = max((found.end() for found in re.finditer(r"\S {2,}(?=\S)", line)), default=0)
        goes_on = bool(line and blocks and blocks[-1][1] and not hang and indent == blocks[-1][0])
        if goes_on:
            blocks[-1] = (blocks[-1][0], f"{blocks[-1][1]} {line.strip()}")
        else:
            blocks.append((hang or indent, line))
    lines: list[str] = []
    for hang, block in blocks:
        below = " " * min(hang, width // 2)
        lines += textwrap.wrap(
            block, width, subsequent_indent=below, break_on_hyphens=False, break_long_words=False
        ) or [""]  # fmt: skip
    return "".join(f"{line}\n" for line in lines)


def _exit_codes(_: CliEnvironment) -> str:
    return "".join(f"{code.value:>4}  {MEANINGS[code]}\n" for code in Exit)


def _keys(environment: CliEnvironment) -> str:
    """The keys in force: those of the settings, where these can be read."""
    from dateflicks.core.errors import DateflicksError
    from dateflicks.tui.keys import read_keys, table

    try:
        keymap = read_keys(environment.client.keys)
    except DateflicksError as error:
        environment.complain(f"These are the defaults: {error}")
        keymap = read_keys({})
    lines, last = ["Keys of the terminal client; another key: dateflicks config set client.keys.NAME KEY"], ""
    rows = [(context, keys, does, name) for context, keys, does, name in table(keymap)]
    wide, long = max(len(keys) for _, keys, _, _ in rows), max(len(name) for *_, name in rows)
    for context, keys, does, name in rows:
        if context != last:
            lines += ["", context.replace("_", " ")]
            last = context
        lines.append(f"  {keys:<{wide}}  {name:<{long}}  {does}")
    return "\n".join(lines) + "\n"


TOPICS: dict[str, Callable[[CliEnvironment], str]] = {
    "environment": lambda _: ENVIRONMENT,
    "exit-codes": _exit_codes,
    "invitations": lambda _: INVITATIONS,
    "keys": _keys,
    "output": lambda _: OUTPUT,
    "protocol": lambda _: PROTOCOL,
    "troubleshooting": lambda _: TROUBLESHOOTING,
}


@app.command("help")
def explain(
    ctx: typer.Context,
    topic: Annotated[
        str | None, typer.Argument(metavar="TOPIC", help=", ".join(TOPICS), autocompletion=lambda: list(TOPICS))
    ] = None,
) -> None:
    """Explain a topic: environment, exit-codes, invitations, keys, output, protocol, troubleshooting.

    dateflicks help exit-codes
    """
    environment = environment_of(ctx)
    if topic is None:
        environment.stdout.write("".join(f"dateflicks help {name}\n" for name in TOPICS))
    elif topic in TOPICS:
        text = TOPICS[topic](environment)
        is_read = environment.stdout.isatty()
        environment.stdout.write(fitted(text, min(shutil.get_terminal_size().columns, WIDTH_MAX)) if is_read else text)
    else:
        raise CliError(Exit.USAGE, f"There is no topic '{topic}'.", hint=nearest(topic, list(TOPICS)))
