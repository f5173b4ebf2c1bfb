"""What session commands share: naming a session by the beginning of its id, or somebody by their name, and remembering
a session's ticket.
"""

import contextlib
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Final

import typer

from dateflicks.cli.completing import remember, session_ids
from dateflicks.cli.environment import CliEnvironment
from dateflicks.cli.exits import Exit
from dateflicks.cli.failures import CliError, nearest

if TYPE_CHECKING:
    from dateflicks.client.http import ServiceClient
    from dateflicks.protocol.bodies import SessionBody, SessionRequest

SessionArgument = Annotated[
    str, typer.Argument(metavar="SESSION", help="Its id, or the beginning of it.", autocompletion=session_ids)
]
COLUMNS: Final = ("id", "state", "host_name", "guest_name", "video.title", "start_time", "created_at")
DETAILS: Final = (
    "id", "state", "host_name", "guest_name", "video.title", "video.url", "video.length", "video_id",
    "start_time", "created_at", "answered_at", "ended_at", "invitation", "details",
)  # fmt: skip


async def full_id(client: "ServiceClient", text: str) -> str:
    """The id that begins with `text`, with or without `ses_`; exactly one of one's sessions must."""
    from dateflicks.protocol.ids import is_id

    if is_id(text, "ses"):
        return text
    start = text if text.startswith("ses_") else f"ses_{text}"
    found = [session.id async for session in client.all_sessions() if session.id.startswith(start)]
    if len(found) == 1:
        return found[0]
    if not found:
        raise CliError(
            Exit.NOT_FOUND,
            f"No session of yours begins with '{text}'.",
            hint="See them with 'dateflicks session list'.",
        )
    raise CliError(Exit.USAGE, f"'{text}' begins several sessions: {', '.join(found[:5])}.", hint="Type more of it.")


def not_opened(session_id: str) -> CliError:
    """What to say of a session that is there while its film has no timeline yet."""
    hint = f"Open it with 'dateflicks watch {session_id[:12]}'."
    return CliError(Exit.NOT_FOUND, "Nobody has opened the film of this session yet.", hint=hint)


async def people_known(client: "ServiceClient") -> dict[str, str]:
    """Those with whom one has a session, or had one: their ids by their names."""
    me, people = (await client.me()).id, {}
    async for session in client.all_sessions():
        for user_id, name in ((session.host_user_id, session.host_name), (session.guest_user_id, session.guest_name)):
            if user_id is not None and user_id != me:
                people[name or user_id] = user_id
    return people


async def person_named(client: "ServiceClient", text: str | None, people: dict[str, str] | None = None) -> str:
    """The id of somebody by their name, as far as one has a session with them; without it, of the only such one.

    `people` is what `people_known` has said before.
    """
    from dateflicks.protocol.ids import is_id

    if text is not None and is_id(text, "usr"):
        return text
    if people is None:
        people = await people_known(client)
    named = [user_id for name, user_id in people.items() if text is None or name.casefold() == text.casefold()]
    if len(named) == 1:
        return named[0]
    if not people:
        raise CliError(
            Exit.NOT_FOUND, "You have had no session with anybody yet.", hint="See 'dateflicks host --help'."
        )
    if text is None:
        raise CliError(Exit.USAGE, "With whom?", hint=f"Name one of {', '.join(people)}: --with NAME.")
    raise CliError(Exit.NOT_FOUND, f"You have had no session with '{text}'.", hint=nearest(text, list(people)))


async def create_with_guest(client: "ServiceClient", request: "SessionRequest") -> "SessionBody":
    """Ask a guest, or make a link; a name that nobody has is told with the nearest one on one's list of friends."""
    import difflib

    from dateflicks.client.errors import ClientError, NotThere
    from dateflicks.client.people import friends

    try:
        return await client.create_session(request)
    except NotThere as error:
        if request.guest_name is None:
            raise
        known: list[str] = []
        with contextlib.suppress(ClientError):
            known = [friend.name async for friend in friends(client)]
        close = difflib.get_close_matches(request.guest_name, known, n=1)
        hint = f"Did you mean '{close[0]}'?" if close else "A link: dateflicks session create VIDEO --link"
        raise CliError(Exit.NOT_FOUND, error.detail, hint=hint) from error


async def accepted(client: "ServiceClient", session_id: str) -> "SessionBody":
    """A session that is accepted and not over."""
    session = await client.session(session_id)
    if isinstance(session.ticket, str):
        return session
    accepts = f"Its guest accepts it with 'dateflicks session accept {session.id[:12]}'."
    hint = accepts if session.state == "pending" else ""
    raise CliError(Exit.REFUSED, f"There is nothing to watch: the session is {session.state}.", hint=hint)


async def ticket_of(client: "ServiceClient", session_id: str) -> str:
    """A fresh ticket of such a session."""
    session = await accepted(client, session_id)
    assert isinstance(session.ticket, str)
    return session.ticket


async def on_session(
    environment: CliEnvironment, text: str, act: "Callable[[ServiceClient, str], Awaitable[SessionBody]]"
) -> "SessionBody":
    """Find the session, do something with it, and remember the ticket that comes back. Raises CliError, ClientError."""
    from dateflicks.client.errors import AtOdds

    async with environment.connect() as client:
        name = await full_id(client, text)
        try:
            session = await act(client, name)
        except AtOdds as error:
            hint = f"See how it is with 'dateflicks session show {name[:12]}'."
            raise CliError(Exit.REFUSED, error.detail, hint=hint) from error
        if isinstance(session.ticket, str):
            environment.keep_ticket(client, session.id, session.ticket)
    remember(environment, [session])
    return session
