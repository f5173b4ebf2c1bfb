"""Sessions: make them, answer them, look at them. Each takes the beginning of an id in place of the whole."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dateflicks.cli.completing import listed, names_of_people, remember
from dateflicks.cli.environment import CliEnvironment, environment_of
from dateflicks.cli.exits import Exit
from dateflicks.cli.failures import CliError
from dateflicks.cli.moments import length_of, moment_of
from dateflicks.cli.sessions import (
    COLUMNS,
    DETAILS,
    SessionArgument,
    create_with_guest,
    full_id,
    not_opened,
    on_session,
    ticket_of,
)
from dateflicks.protocol.printable import printable

if TYPE_CHECKING:
    from dateflicks.protocol.bodies import HistoryEntry, SessionBody, SessionRequest, VideoRef

app = typer.Typer(add_completion=False)


def _statuses(incomplete: str) -> list[str]:
    from dateflicks.cli.session_lists import STATUSES

    return listed(STATUSES, incomplete)


StatusOption = Annotated[
    str,
    typer.Option(
        "--status",
        "--state",
        metavar="A,B",
        help="Only these: pending, accepted (live, paused), rejected, cancelled, ended.",
        autocompletion=_statuses,
    ),
]
WithOption = Annotated[
    str | None,
    typer.Option("--with", metavar="NAME", help="Only those with this person.", autocompletion=names_of_people),
]
LimitOption = Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")]
PLAYBACK = ("session_id", "revision", "status", "current_position", "reason", "by", "waiting_for", "pending")
COUNTERS = ("film.status", "film.position", "messages", "predictions")
HISTORY = ("session_id", "video.title", "with_name", "started_at", "ended_at", "position", "length")


@app.callback(invoke_without_command=True)
def session(ctx: typer.Context) -> None:
    """Make, answer and follow sessions. Without a verb: list them.

    dateflicks session create The_General.mkv --guest bea
    dateflicks session list --status pending,live
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
    length: Annotated[str, typer.Option(metavar="1:32:10", help="How long the film is.")] = "",
    wait: Annotated[
        float | None,
        typer.Option(metavar="SECONDS", min=0, max=86_400, help="Wait for the answer; exit code 5 is a no, 7 is none."),
    ] = None,
) -> None:
    """Make a session and ask a guest, or make a link.

    dateflicks session create The_General.mkv --guest bea
    dateflicks session create https://films.example.org/general.mp4 --link
    """
    environment = environment_of(ctx)
    if (guest is None) == (not link):
        raise CliError(Exit.USAGE, "Who is to come?", hint="Name them with --guest NAME, or make a --link.")
    request = _request(video, guest, link, at, note, title, length_of("--length", length))
    if request.video is not None and not _is_here(environment, video, request.video):
        environment.say(f"There is no file {video} here. You will need a copy to watch it, as your guest does.")
    made = environment.run(_create(environment, request, wait, title))
    environment.show(made, DETAILS)
    if wait is not None and made.state != "accepted":
        timed_out = made.state == "pending"
        nobody = f"{made.guest_name} has not answered." if made.guest_name else "Nobody has come yet."
        what = nobody if timed_out else f"The session is {made.state}."
        hint = f"The invitation stands: see 'dateflicks session show {made.id[:12]}'." if timed_out else ""
        raise CliError(Exit.TIMED_OUT if timed_out else Exit.REFUSED, printable(what), hint=hint)
    if wait is not None:
        environment.say(f"Accepted. Start watching with 'dateflicks watch {made.id[:12]}'.")


@app.command()
def invite(
    ctx: typer.Context,
    session: SessionArgument,
    guest: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Ask somebody else in their place.", autocompletion=names_of_people),
    ] = None,
    link: Annotated[bool, typer.Option("--link", help="Make a new link in its place.")] = False,
    qr: Annotated[bool, typer.Option("--qr", help="Show the line as a QR code, too.")] = False,
) -> None:
    """Print the line that lets the guest in, once more or anew.

    dateflicks session invite 7fk2 --qr
    dateflicks session invite 7fk2 --guest bea

    A link's code is shown once, when it is made: --link makes another. With
    --guest or --link there is a new session, and the old one is withdrawn.
    """
    from dateflicks.cli.inviting import invite as invite_again

    environment = environment_of(ctx)
    if guest is not None and link:
        raise CliError(Exit.USAGE, "Who is to come?", hint="Name them with --guest NAME, or make a --link.")
    environment.run(invite_again(environment, session, guest, link=link, qr=qr))


@app.command("list")
def list_sessions(
    ctx: typer.Context, status: StatusOption = "", with_: WithOption = None, limit: LimitOption = 50
) -> None:
    """List your sessions, newest first.

    dateflicks session list --status live,pending
    dateflicks session list --with bea -o jsonl
    """
    environment = environment_of(ctx)
    found = environment.run(_list(environment, status, with_, limit))
    remember(environment, found)
    empty = (
        "No session of yours fits." if status or with_ else "No sessions. Make one with 'dateflicks session create'."
    )
    environment.show_all(found, COLUMNS, empty=empty)


@app.command()
def show(ctx: typer.Context, session: SessionArgument) -> None:
    """Show one session in full, with where its film is and how much was said and predicted."""
    environment = environment_of(ctx)
    environment.show(environment.run(_show(environment, session)), (*DETAILS, *COUNTERS))


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
def history(
    ctx: typer.Context,
    with_: WithOption = None,
    since: Annotated[str | None, typer.Option(metavar="TIME", help="Only the last 30d, 12h.")] = None,
    export: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a .csv or .jsonl, all of it unless --limit is given.")
    ] = None,
    limit: LimitOption = 50,
) -> None:
    """List what you watched, with whom, and how far.

    dateflicks session history --with bea --since 30d
    dateflicks session history --export history.csv
    """
    from dateflicks.cli.session_lists import check_ending
    from dateflicks.cli.session_lists import export as write

    environment = environment_of(ctx)
    if export is None:
        found = environment.run(_history(environment, limit, with_, since))
        empty = "Nothing that you watched fits." if with_ or since else "Nothing watched yet."
        environment.show_all(found, HISTORY, empty=empty)
        return
    check_ending(export)
    is_typed = ctx.get_parameter_source("limit").name == "COMMANDLINE"  # type: ignore[union-attr]  # it is a parameter
    write(environment, environment.run(_history(environment, limit if is_typed else 1_000, with_, since)), export)


@app.command()
def follow(ctx: typer.Context, session: SessionArgument) -> None:
    """Print the playback of a session as it changes, a line for each state, until it ends."""
    environment = environment_of(ctx)
    environment.run(_follow(environment, session))


async def _follow(environment: CliEnvironment, text: str) -> None:
    from dateflicks.client.errors import NotThere
    from dateflicks.client.listening import playback

    printer = environment.printer
    async with environment.connect() as client:
        name = await full_id(client, text)
        await ticket_of(client, name)
        base = await client.address_of("timecode")
        try:
            async for frame in playback(base, name, lambda: ticket_of(client, name), lambda: client.trust):
                printer.event(frame, PLAYBACK)
        except NotThere:  # there is the session, which has given a ticket
            raise not_opened(name) from None


async def _create(
    environment: CliEnvironment, request: "SessionRequest", wait: float | None, title: str | None
) -> "SessionBody":
    """Make it; with `wait` as it is once it is answered, or so many seconds later."""
    import asyncio
    import contextlib

    import msgspec

    from dateflicks.cli.choosing import film_of_id
    from dateflicks.client.news import changed

    async with environment.connect() as client:
        if request.video_id is not None:
            film = await film_of_id(environment, client, request.video_id, title)
            request = msgspec.structs.replace(request, video=film)
        made = await create_with_guest(client, request)
        if isinstance(made.invitation, str):
            environment.say(f"Whoever holds this code may come, once: {made.invitation}")
        else:
            look = "" if wait is not None else f" See the answer with 'dateflicks session show {made.id[:12]}'."
            environment.say(f"{made.guest_name} is asked.{look}")
        if wait is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    made = await changed(client, made)
        return made


async def _list(environment: CliEnvironment, status: str, with_name: str | None, limit: int) -> "list[SessionBody]":
    from dateflicks.cli.session_lists import listed, statuses_of

    statuses = statuses_of(status)
    async with environment.connect() as client:
        return await listed(client, statuses, with_name, limit)


async def _show(environment: CliEnvironment, text: str) -> dict[str, Any]:
    from dateflicks.cli.session_lists import with_counters

    async with environment.connect() as client:
        session = await client.session(await full_id(client, text))
        if isinstance(session.ticket, str):
            environment.keep_ticket(client, session.id, session.ticket)
        return await with_counters(client, session)


async def _history(
    environment: CliEnvironment, limit: int, with_name: str | None, since: str | None
) -> "list[HistoryEntry]":
    from dateflicks.cli.chatting import duration_of
    from dateflicks.cli.session_lists import watched

    past = duration_of(since, "--since") if since is not None else None
    async with environment.connect() as client:
        return await watched(client, limit, with_name, past, environment.now())


def _is_here(environment: CliEnvironment, typed: str, video: "VideoRef") -> bool:
    """Whether a film is an address, or is found where it was typed or where `watch` will look for it."""
    from dateflicks.client.errors import FilmMissing
    from dateflicks.client.films import film_of

    if "://" in typed:
        return True
    try:
        return bool(film_of(video, [Path(typed).parent, *map(Path, environment.client.films), Path()]))
    except (FilmMissing, RuntimeError, ValueError):
        return False


def _request(
    video: str, guest: str | None, link: bool, at: str | None, note: str | None, title: str | None, length: float
) -> "SessionRequest":
    from dateflicks.protocol.bodies import SessionRequest, VideoRef
    from dateflicks.protocol.ids import is_id
    from dateflicks.protocol.times import rfc3339_from_unix

    film = None
    if not is_id(video, "vid"):
        if video.startswith("vid_") and not Path(video).exists():
            raise CliError(
                Exit.USAGE,
                f"'{video}' is no id of a film.",
                hint="Type all of one that 'dateflicks videos search' shows.",
            )
        # A file travels by its bare name: the other side has its own copy, elsewhere.
        url = video if "://" in video else Path(video).name
        film = VideoRef(url=url, title=title or Path(url).stem.replace("_", " "), length=length)
    return SessionRequest(
        guest_name=guest,
        link=link,
        video_id=None if film else video,
        video=film,
        start_time=rfc3339_from_unix(moment) if (moment := moment_of("--at", at)) is not None else None,
        details={"note": note} if note else None,
    )
