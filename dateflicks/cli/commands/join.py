"""`dateflicks join`: from an invitation to the film in one command."""

from typing import TYPE_CHECKING, Annotated

import typer

from dateflicks.cli.attending import (
    FilmOption,
    PlainOption,
    PlayerName,
    PlayerOption,
    attend,
    ending_as_by_ctrl_c,
    login_name,
    settings_of,
    the_film,
)
from dateflicks.cli.environment import CliEnvironment, environment_of
from dateflicks.cli.exits import Exit
from dateflicks.cli.failures import CliError
from dateflicks.cli.terminal import open_terminal, opens_terminal

if TYPE_CHECKING:
    from dateflicks.client.http import ServiceClient
    from dateflicks.client.invitation import Invitation
    from dateflicks.protocol.bodies import SessionBody

app = typer.Typer(add_completion=False)


@app.command()
def join(
    ctx: typer.Context,
    invitation: Annotated[str, typer.Argument(metavar="CODE|LINK", help="What your host sent you.")],
    name: Annotated[str | None, typer.Option(metavar="NAME", help="What to call you, if you have no account.")] = None,
    film: FilmOption = None,
    player: PlayerOption = None,
    plain: PlainOption = False,
) -> None:
    """Accept an invitation and watch together.

    dateflicks join k3v9x-tzq41-09ajm-hd2we@192.168.1.7:8700
    dateflicks join k3v9x-tzq41-09ajm-hd2we --film ~/films/The_General.mkv

    What follows the @ is the server; without it that of your settings is meant.
    If you have no account there, one without a password is made and kept here.

    A film that is a file is looked for by its name: in the films folders of
    your settings, and in this folder.

    At a terminal this opens a screen; f1 there shows what can be done. With
    --plain, and in a pipe, type play, pause, stop, seek 41:00 (or +30, -10),
    accept, refuse, where, say TEXT, react joy, predict TEXT, call yes 80%, quit;
    'dateflicks help output' names all of them.
    """
    environment = environment_of(ctx)
    with ending_as_by_ctrl_c():
        environment.run(_join(environment, invitation, name, film, player, plain=plain))


async def _join(
    environment: CliEnvironment,
    text: str,
    name: str | None,
    film: str | None,
    player: PlayerName | None,
    *,
    plain: bool,
) -> None:
    from dateflicks.cli.resolving import film_of_library
    from dateflicks.cli.telling import teller_of
    from dateflicks.client.films import own_film
    from dateflicks.client.invitation import read_invitation
    from dateflicks.client.screen import Screen

    invitation = read_invitation(text)
    settings, teller = settings_of(environment, player), teller_of(environment)
    chosen = own_film(film, is_elsewhere=settings.player != "mpv") if film is not None else None
    if opens_terminal(environment, plain=plain):
        from dateflicks.tui.surroundings import AtSession

        async with _client(environment, invitation) as client:
            session = await _guest(environment, client, invitation, name)
            chosen = chosen or await film_of_library(environment, session, settings.player)
            await open_terminal(environment, AtSession(client, session, chosen), player=player)
        return
    async with _client(environment, invitation) as client, await Screen.open(settings, teller.say) as screen:
        session = await _guest(environment, client, invitation, name)
        length = session.video.length if session.video is not None else 0.0
        chosen = chosen or await film_of_library(environment, session, settings.player)
        await screen.load(the_film(environment, session, screen, chosen, is_own=False), told_length=length)
        await attend(environment, client, session, screen, teller, settings, server=environment.server_address)


def _client(environment: CliEnvironment, invitation: "Invitation") -> "ServiceClient":
    """A client of the invitation's server, with the account that is kept for it, if any."""
    own_server, token = environment.server_address, environment.client.token
    if invitation.server is not None:
        environment.choose_server(invitation.server)
    kept = environment.signed_in
    if not (token and environment.server_address == own_server):  # a token is for the server that it was set for
        token = kept.token if kept is not None else ""
    return environment.client_of(token or None)


async def _guest(
    environment: CliEnvironment, client: "ServiceClient", invitation: "Invitation", name: str | None
) -> "SessionBody":
    """Take the guest's place; an account that is made for it is kept for the next time."""
    from dateflicks.client.errors import NotSignedIn, TimedOut, Unreachable, Untrusted
    from dateflicks.client.joining import join as take_place

    login = login_name(environment, "guest")
    if client.token is None:
        environment.credentials.check()  # before an account is made that could not be kept
    try:
        joined = await take_place(client, invitation, name=name, login=login)
    except NotSignedIn:
        if client.token is None or invitation.is_by_name:
            raise
        client.token = None  # it was good for another server at this address, or for another month
        environment.credentials.check()
        joined = await take_place(client, invitation, name=name, login=login)
    except Unreachable as error:
        if isinstance(error, (TimedOut, Untrusted)):
            raise
        hint = (
            "Ask your host whether the evening is still on, and was begun with --listen 0.0.0.0 if you are elsewhere."
            if invitation.server is not None
            else "Does the line that your host sent go on, with an @ and an address? Type all of it."
        )
        raise CliError(Exit.UNREACHABLE, error.detail, hint=hint) from error
    if joined.account is not None:
        environment.credentials.put(environment.server_address, joined.account)
        environment.say(f"You are {joined.account.name} at {environment.server_address}.")
    return joined.session
