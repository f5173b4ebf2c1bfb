"""Talk: say something, listen, react, and keep what was said. The beginning of a session's id does for the whole."""

import contextlib
import secrets
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from dateflicks.cli.chatting import Entry, ExportFormat, MessageWriter, duration_of, entered, position_of
from dateflicks.cli.completing import names_of_people
from dateflicks.cli.environment import CliEnvironment, environment_of
from dateflicks.cli.exits import Exit
from dateflicks.cli.failures import CliError
from dateflicks.cli.output import Format
from dateflicks.cli.sessions import SessionArgument

if TYPE_CHECKING:
    from datetime import timedelta

    from dateflicks.client.chat import Conversation
    from dateflicks.client.chat_history import ChatHistory
    from dateflicks.client.chat_updates import ChatUpdate
    from dateflicks.client.http import ServiceClient
    from dateflicks.protocol.bodies import SessionBody
    from dateflicks.protocol.chat import Message, MessageRequest, PersonalKind

app = typer.Typer(add_completion=False, no_args_is_help=True)

ONE_PATIENCE_SECONDS: Final = 10.0  # for a single message, that somebody waits for
LINES: Final = 20
LINE_MAX_BYTES: Final = 64 * 1024  # more than a message may have, so that the service says no to it

AtOption = Annotated[
    str | None, typer.Option("--at", metavar="POSITION", help="Where in the film, such as 41:12; else where it is now.")
]
ReplyOption = Annotated[
    str | None, typer.Option("--reply-to", metavar="ID|NUMBER", help="The message that this answers.")
]


@app.callback()
def chat() -> None:
    """Talk while you watch, and keep what was said.

    dateflicks chat send k3v9 "Did you see that?"
    dateflicks chat tail k3v9 -f --since 10m
    dateflicks chat export k3v9 --format srt --out talk.srt
    """


@app.command()
def send(
    ctx: typer.Context,
    session: SessionArgument,
    text: Annotated[str, typer.Argument(metavar="TEXT|-", help="What to say; - says each line of stdin.")],
    at: AtOption = None,
    reply_to: ReplyOption = None,
) -> None:
    """Say something; done when the service has it. '/me laughs' is an action.

    dateflicks chat send k3v9 "Did you see that?"
    fortune | dateflicks chat send k3v9 -
    """
    environment = environment_of(ctx)
    position = position_of(at, "--at")
    environment.run(_send(environment, session, text, position, reply_to))


@app.command()
def react(
    ctx: typer.Context,
    session: SessionArgument,
    name: Annotated[str, typer.Argument(metavar="NAME", help="An emoji, or a short name.")],
    at: AtOption = None,
    reply_to: ReplyOption = None,
) -> None:
    """React to what is on the screen, or to a message.

    dateflicks chat react k3v9 🎉
    dateflicks chat react k3v9 heart --reply-to 12
    """
    environment = environment_of(ctx)
    position = position_of(at, "--at")
    environment.run(_say_one(environment, session, "reaction", name, position, reply_to))


@app.command()
def tail(
    ctx: typer.Context,
    session: SessionArgument,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on with what is said from now on.")] = False,
    since: Annotated[str | None, typer.Option(metavar="TIME", help="Only the last 10m, 1h30m, 2d.")] = None,
    lines: Annotated[int | None, typer.Option("-n", "--lines", min=0, help="Only so many; 20 without --since.")] = None,
    author: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only what this person says.", autocompletion=names_of_people)
    ] = None,
) -> None:
    """Print what was said last, with its film time; a message that is edited or taken back is printed again.

    dateflicks chat tail k3v9 -n 5
    dateflicks chat tail k3v9 -f --since 10m --json
    """
    environment = environment_of(ctx)
    past = duration_of(since, "--since") if since is not None else None
    count = LINES if lines is None and past is None else lines
    environment.run(_tail(environment, session, past, count, author, follow=follow))


@app.command()
def export(
    ctx: typer.Context,
    session: SessionArgument,
    form: Annotated[
        ExportFormat | None, typer.Option("--format", help="text (unless said otherwise), lines of JSON, subtitles.")
    ] = None,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Write there; else to stdout.")] = None,
) -> None:
    """Keep the whole talk: as text, as lines of JSON, or as subtitles for the film.

    dateflicks chat export k3v9 > talk.txt
    dateflicks chat export k3v9 --format srt --out film.talk.srt
    """
    environment = environment_of(ctx)
    if form is None:
        form = ExportFormat.JSONL if environment.output in (Format.JSON, Format.JSONL) else ExportFormat.TEXT
    if out is not None and str(out) == "-":
        out = None
    if out is not None and out.is_file():
        environment.agree(f"{out} exists. Write over it?")
    environment.run(_export(environment, session, form, out))


# --- saying -----------------------------------------------------------------------------------------------------


async def _send(
    environment: CliEnvironment, session: str, text: str, position: float | None, reply_to: str | None
) -> None:
    from dateflicks.client.chat import typed

    if text == "-":
        await _send_lines(environment, session, position, reply_to)
    else:
        kind, content = typed(text)
        await _say_one(environment, session, kind, content, position, reply_to)


async def _say_one(
    environment: CliEnvironment,
    session: str,
    kind: "PersonalKind",
    content: str,
    position: float | None,
    reply_to: str | None,
) -> None:
    async with environment.connect() as client:
        history = _history(await entered(environment, client, session))
        answers = await _answered(history, reply_to)
        request = _request(kind, content, position, answers)
        message = await history.say(request, patience_seconds=ONE_PATIENCE_SECONDS)
    writer = MessageWriter(environment)
    if writer.is_for_people:
        environment.say("Sent.")
    else:
        writer.message(message)


async def _send_lines(environment: CliEnvironment, session: str, position: float | None, reply_to: str | None) -> None:
    """Each line in its turn, the next one when the last is kept: so they stand in the order in which they came."""
    from dateflicks.cli.lines import typed_lines
    from dateflicks.client import errors
    from dateflicks.client.chat import typed

    writer = MessageWriter(environment)
    number = sent = refused = 0
    async with environment.connect() as client:
        history = _history(await entered(environment, client, session))
        answers = await _answered(history, reply_to)
        async for line in typed_lines(sys.stdin, LINE_MAX_BYTES, cuts_long_ones=True):
            number += 1
            if not line.strip():
                continue
            kind, content = typed(line.rstrip("\r"))
            try:
                message = await history.say(_request(kind, content, position, answers))
            except errors.DoesNotFit as error:
                refused += 1
                environment.complain(f"Line {number} is not sent: {_reason(error)}")
                continue
            except errors.ClientError:
                environment.complain(f"{sent} lines are sent; line {number} and what follows may not be.")
                raise
            sent += 1
            if not writer.is_for_people:
                writer.message(message)
    if refused:
        raise CliError(Exit.PARTLY if sent else Exit.USAGE, f"Of {sent + refused} lines {refused} were not sent.")
    environment.say(f"Sent {sent} {'line' if sent == 1 else 'lines'}.")


def _request(kind: "PersonalKind", content: str, position: float | None, reply_to: str | None) -> "MessageRequest":
    from dateflicks.protocol.chat import MessageRequest

    # What is no text (half of a pair, an undecodable argument) can not travel; the service cleans all else.
    content = content.encode("utf-8", "replace").decode()
    return MessageRequest(
        kind=kind, content=content, position=position, reply_to=reply_to, client_id=secrets.token_hex(16)
    )


async def _answered(history: "ChatHistory", text: str | None) -> str | None:
    """The id of the message that is answered, by its id or its number."""
    if text is None or not text.isdecimal():
        return text
    found = await history.after(int(text) - 1, 1) if 0 < int(text) < 2**53 else []
    if not found or found[0].seq != int(text):
        raise CliError(
            Exit.NOT_FOUND,
            f"There is no message {text}.",
            hint="See numbers and ids with 'dateflicks chat tail -o plain'.",
        )
    return found[0].id


def _reason(error: Exception) -> str:
    from dateflicks.cli.failures import failure_of

    failure = failure_of(error)
    return f"{failure.what} {failure.why}".strip() if failure else str(error)


def _history(entry: Entry) -> "ChatHistory":
    from dateflicks.client.chat_history import ChatHistory

    return ChatHistory(entry.session_id, entry.tickets)


# --- listening --------------------------------------------------------------------------------------------------


async def _tail(
    environment: CliEnvironment,
    session: str,
    past: "timedelta | None",
    count: int | None,
    author: str | None,
    *,
    follow: bool,
) -> None:
    writer = MessageWriter(environment)
    async with environment.connect() as client:
        entry = await entered(environment, client, session)
        history = _history(entry)
        place = await history.place_of(environment.now() - past) if past is not None else 0
        if count is not None:
            place = max(place, await _place_of_last(history, count, author, place))
        if follow:
            await _follow(environment, client, entry, place, writer, author)
            return
        is_any = False
        async for message in history.all_after(place):
            if _is_by(message, author):
                writer.message(message)
                is_any = True
        if not is_any and count != 0:
            whose = "" if author is None else f" by {author}"
            environment.say(f"Nothing was said{whose}{'' if past is None else ' since then'}.")


async def _place_of_last(history: "ChatHistory", count: int, author: str | None, begin: int) -> int:
    """Behind which message the last `count` are, those of one author where one is named; looked for down to `begin`."""
    if author is None or count == 0:
        return await history.head() - count
    page, left = await history.newest(), count
    while page and page[-1].seq > begin:
        for message in reversed(page):
            left -= _is_by(message, author)
            if left == 0:
                return message.seq - 1
        page = await history.before(page[0].seq)
    return begin


def _is_by(message: "Message", author: str | None) -> bool:
    return author is None or (message.author_name or "").casefold() == author.casefold()


async def _follow(
    environment: CliEnvironment,
    client: "ServiceClient",
    entry: Entry,
    place: int,
    writer: MessageWriter,
    author: str | None,
) -> None:
    import asyncio

    from dateflicks.client.chat import Conversation
    from dateflicks.client.chat_history import SERVICE
    from dateflicks.client.chat_updates import ChatLine, Rewritten, Said

    is_lost = False

    def listen(update: "ChatUpdate") -> None:
        nonlocal is_lost
        match update:
            case Said(message=message) | Rewritten(message=message) if message is not None:
                if _is_by(message, author):
                    writer.message(message)
            case ChatLine(is_open=is_open, why=why):
                if is_open == is_lost:
                    environment.say("The line is back." if is_open else f"The line is lost ({why}); trying again.")
                is_lost = not is_open

    base = await client.address_of(SERVICE)
    conversation = Conversation(
        client, entry.session_id, entry.tickets, "", base, listen, kept={"seq": place}, first_page=0
    )
    async with asyncio.TaskGroup() as group:
        ending = group.create_task(_end_with(environment, client, entry.session, conversation))
        await conversation.run()
        ending.cancel()


async def _end_with(
    environment: CliEnvironment, client: "ServiceClient", session: "SessionBody | None", conversation: "Conversation"
) -> None:
    """When somebody ends the session nothing more is said in it; not knowing keeps nobody from listening."""
    from dateflicks.client import errors
    from dateflicks.client.news import changed

    if session is None:
        return
    with contextlib.suppress(errors.ClientError):
        now = await changed(client, session)
        environment.say(f"The session was {now.state}.")
        conversation.stop()


# --- keeping ----------------------------------------------------------------------------------------------------


async def _export(environment: CliEnvironment, session: str, form: ExportFormat, out: Path | None) -> None:
    from dateflicks.cli.chat_export import sink, write

    async with environment.connect() as client:
        history = _history(await entered(environment, client, session))
        with sink(environment, out) as stream:
            count = await write(environment, history, stream, form)
    if out is not None:
        environment.say(f"{count} {'message is' if count == 1 else 'messages are'} in {out}.")
