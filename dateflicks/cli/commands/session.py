"""Sessions: make them, answer them, look at them. Each takes the beginning of an id in place of the whole."""

from typing import TYPE_CHECKING, Annotated

import typer

from dateflicks.cli.completing import names_of_people, remember
from dateflicks.cli.environment import CliEnvironment, environment_of
from dateflicks.cli.exits import Exit
from dateflicks.cli.failures import CliError
from dateflicks.cli.sessions import COLUMNS, DETAILS, SessionArgument, full_id, on_session, ticket_of

if TYPE_CHECKING:
    from dateflicks.protocol.bodies import HistoryEntry, SessionBody, SessionRequest

app = typer.Typer(add_completion=False)

StateOption = Annotated[
    str, typer.Option(metavar="A,B", help="Only these: pending, accepted, rejected, cancelled, ended.")
]
LimitOption = Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")]
PLAYBACK = ("session_id", "revision", "status", "current_position", "reason", "by", "waiting_for", "pending")
HISTORY = ("session_id", "video.title", "with_name", "started_at", "ended_at", "position", "length")


@app.callback(invoke_without_command=True)
def session(ctx: typer.Context) -> None:
    """Make, answer and follow sessions. Without a verb: list them.

    dateflicks session create The_General.mkv --guest bea
    dateflicks session list --state pending,accepted
    """
    if ctx.invoked_subcommand is None:
        list_sessions(ctx)


@app.command()
def create(
    ctx: typer.Context,
    video: Annotated[str, typer.Argument(metavar="VIDEO", help="A film: its id, its address, or a file.")],
    guest: Annotated[
        str | None, typer.Option(metavar="NAME", help="Whom to ask.", autocompletion=names_of_people)
    ] = None,
    link: Annotated[bool, typer.Option("--link", help="Make a code that whoever holds it may use, once.")] = False,
    at: Annotated[str | None, typer.Option(metavar="TIME", help="When, such as 2026-11-24T20:00:00Z.")] = None,
    note: Annotated[str | None, typer.Option(metavar="TEXT", help="A word to the guest.")] = None,
    title: Annotated[str | None, typer.Option(metavar="TEXT", help="The film's title.")] = None,
    length: Annotated[float, typer.Option(metavar="SECONDS", min=0, help="The film's length.")] = 0.0,
) -> None:
    """Make a session and ask a guest, or make a link."""
    environment = environment_of(ctx)
    if (guest is None) == (not link):
        raise CliError(Exit.USAGE, "Who is to come?", hint="Name them with --guest NAME, or make a --link.")
    request = _request(video, guest, link, at, note, title, length)
    made = environment.run(_create(environment, request))
    environment.show(made, DETAILS)
    if isinstance(made.invitation, str):
        environment.say(f"Whoever holds this code may come, once: {made.invitation}")
    else:
        environment.say(f"{made.guest_name} is asked. See the answer with 'dateflicks session show {made.id[:12]}'.")


@app.command("list")
def list_sessions(ctx: typer.Context, state: StateOption = "", limit: LimitOption = 50) -> None:
    """List your sessions, newest first."""
    environment = environment_of(ctx)
    states = tuple(word.strip() for word in state.split(",") if word.strip())
    found = environment.run(_list(environment, states, limit))
    remember(environment, found)
    environment.show_all(found, COLUMNS, empty="No sessions. Make one with 'dateflicks session create'.")


@app.command()
def show(ctx: typer.Context, session: SessionArgument) -> None:
    """Show one session in full."""
    environment = environment_of(ctx)
    found = environment.run(on_session(environment, session, lambda client, name: client.session(name)))
    environment.show(found, DETAILS)


@app.command()
def accept(ctx: typer.Context, session: SessionArgument) -> None:
    """Say yes to an invitation."""
    environment = environment_of(ctx)
    found = environment.run(on_session(environment, session, lambda client, name: client.accept(name)))
    environment.show(found, DETAILS)
    environment.say(f"Accepted. Start watching with 'dateflicks watch {found.id[:12]}'.")


@app.command()
def reject(ctx: typer.Context, session: SessionArgument) -> None:
    """Say no to an invitation."""
    environment = environment_of(ctx)
    found = environment.run(on_session(environment, session, lambda client, name: client.reject(name)))
    environment.show(found, DETAILS)


@app.command()
def cancel(ctx: typer.Context, session: SessionArgument) -> None:
    """Withdraw an invitation that you sent."""
    environment = environment_of(ctx)
    found = environment.run(on_session(environment, session, lambda client, name: client.cancel(name)))
    environment.show(found, DETAILS)


@app.command()
def end(ctx: typer.Context, session: SessionArgument) -> None:
    """End a session for both."""
    environment = environment_of(ctx)
    found = environment.run(on_session(environment, session, lambda client, name: client.end(name)))
    environment.show(found, DETAILS)


@app.command()
def history(ctx: typer.Context, limit: LimitOption = 50) -> None:
    """List what you watched, with whom, and how far."""
    environment = environment_of(ctx)
    environment.show_all(environment.run(_history(environment, limit)), HISTORY, empty="Nothing watched yet.")


@app.command()
def follow(ctx: typer.Context, session: SessionArgument) -> None:
    """Print the playback of a session as it changes, a line for each state, until it ends."""
    environment = environment_of(ctx)
    environment.run(_follow(environment, session))


async def _follow(environment: CliEnvironment, text: str) -> None:
    from dateflicks.client.listening import playback

    printer = environment.printer
    async with environment.connect() as client:
        name = await full_id(client, text)
        await ticket_of(client, name)
        base = await client.address_of("timecode")
        async for frame in playback(base, name, lambda: ticket_of(client, name), lambda: client.trust):
            printer.event(frame, PLAYBACK)


async def _create(environment: CliEnvironment, request: "SessionRequest") -> "SessionBody":
    async with environment.connect() as client:
        return await client.create_session(request)


async def _list(environment: CliEnvironment, states: tuple[str, ...], limit: int) -> "list[SessionBody]":
    async with environment.connect() as client:
        return [found async for found in client.all_sessions(states, limit=limit)]


async def _history(environment: CliEnvironment, limit: int) -> "list[HistoryEntry]":
    async with environment.connect() as client:
        return [entry async for entry in client.all_history(limit=limit)]


def _request(
    video: str, guest: str | None, link: bool, at: str | None, note: str | None, title: str | None, length: float
) -> "SessionRequest":
    from pathlib import Path

    from dateflicks.protocol.bodies import SessionRequest, VideoRef
    from dateflicks.protocol.ids import is_id

    film = None
    if not is_id(video, "vid"):
        # A file travels by its bare name: the other side has its own copy, elsewhere.
        url = video if "://" in video else Path(video).name
        film = VideoRef(url=url, title=title or Path(url).stem.replace("_", " "), length=length)
    return SessionRequest(
        guest_name=guest,
        link=link,
        video_id=None if film else video,
        video=film,
        start_time=at,
        details={"note": note} if note else None,
    )
